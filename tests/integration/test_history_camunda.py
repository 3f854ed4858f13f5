"""Histories of kind `camunda` on the engine's real schema: what has expired goes, everything else stays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.errors import HistoryError
from cleanupctl.core.run.cleaning import BatchDeleted, Expired, Failed, Noticed, Stopped, TableFinished
from cleanupctl.core.settings import CleanupSettings
from cleanupctl.history.kinds import history
from tests.support.camunda.data import fill
from tests.support.camunda.histories import settings
from tests.support.camunda.policy import checksums, expired_counts
from tests.support.cleaning import NOW, clean
from tests.support.engine_schema import create_engine_schema
from tests.support.limits import TestLimits
from tests.support.servers import connect

if TYPE_CHECKING:
    from cleanupctl.core.run.cleaning import Event


def removed(events: list[Event]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for event in events:
        if isinstance(event, BatchDeleted) and event.rows:
            name = event.table.upper()
            counts[name] = counts.get(name, 0) + event.rows
    return counts


def test_every_expired_row_goes_and_no_other(engine_url: str) -> None:
    fill(engine_url, expired_instances=200, unexpired_instances=200, now=NOW)
    before, expired = checksums(engine_url, NOW), expired_counts(engine_url, NOW)
    events = clean(settings(engine_url))
    assert not [event for event in events if isinstance(event, Failed)]
    assert checksums(engine_url, NOW) == before
    assert not any(expired_counts(engine_url, NOW).values())
    assert removed(events) == {table.upper(): rows for table, rows in expired.items() if rows}


def test_preview_counts_what_a_run_removes(engine_url: str) -> None:
    fill(engine_url, expired_instances=50, unexpired_instances=50, now=NOW)
    with history(settings(engine_url), CleanupSettings()).open() as session:
        found = {
            event.table.upper(): event.rows for event in session.preview(NOW) if isinstance(event, Expired)
        }
    assert {table: rows for table, rows in found.items() if rows} == removed(clean(settings(engine_url)))


def test_a_run_stopped_anywhere_leaves_no_row_without_its_root(engine_url: str) -> None:
    fill(engine_url, expired_instances=60, unexpired_instances=20, now=NOW, orphans=0)
    before = checksums(engine_url, NOW)
    for batches in range(1, 60, 3):
        clean(
            settings(engine_url), limits=TestLimits(batches=batches), cleanup=CleanupSettings(batch_size=40)
        )
        with connect(engine_url) as connection, connection.cursor() as cursor:
            for table in ("ACT_HI_ACTINST", "ACT_HI_VARINST", "ACT_HI_TASKINST", "ACT_GE_BYTEARRAY"):
                cursor.execute(
                    f"SELECT count(*) FROM {table} c WHERE c.ROOT_PROC_INST_ID_ IS NOT NULL AND NOT EXISTS"
                    " (SELECT 1 FROM ACT_HI_PROCINST p WHERE p.PROC_INST_ID_ = c.ROOT_PROC_INST_ID_)"
                )
                assert cursor.fetchone()[0] == 0
    clean(settings(engine_url))
    assert checksums(engine_url, NOW) == before
    assert not any(expired_counts(engine_url, NOW).values())


def test_history_of_running_instances_is_kept_whole(engine_url: str) -> None:
    fill(engine_url, expired_instances=40, unexpired_instances=20, now=NOW, expired_unfinished=15)
    before, expired = checksums(engine_url, NOW), expired_counts(engine_url, NOW)
    events = clean(settings(engine_url))
    assert checksums(engine_url, NOW) == before
    assert removed(events) == {table.upper(): rows for table, rows in expired.items() if rows}


def test_history_of_running_instances_goes_when_asked_for(engine_url: str) -> None:
    fill(engine_url, expired_instances=10, unexpired_instances=10, now=NOW, expired_unfinished=5)
    clean(replace(settings(engine_url), include_unfinished=True))
    with connect(engine_url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM ACT_HI_PROCINST WHERE REMOVAL_TIME_ <= %s", (NOW.replace(tzinfo=None),)
        )
        assert cursor.fetchone()[0] == 0


def test_byte_arrays_that_the_runtime_points_at_are_passed_over(engine_url: str) -> None:
    fill(
        engine_url,
        expired_instances=30,
        unexpired_instances=10,
        now=NOW,
        referenced_bytes=7,
        expired_unfinished=5,
    )
    before = checksums(engine_url, NOW)
    with history(settings(engine_url), CleanupSettings()).open() as session:
        counted = {one.table.upper(): one.rows for one in session.preview(NOW) if isinstance(one, Expired)}
    events = clean(settings(engine_url))
    assert not [event for event in events if isinstance(event, Failed)]
    assert counted["ACT_GE_BYTEARRAY"] == removed(events)["ACT_GE_BYTEARRAY"]
    # Not those of instances that run.
    skipped = [(e.table.upper(), e.skipped) for e in events if isinstance(e, TableFinished) and e.skipped]
    assert skipped == [("ACT_GE_BYTEARRAY", 7)]
    assert checksums(engine_url, NOW) == before


def test_task_metrics_go_by_their_own_time_to_live(engine_url: str) -> None:
    fill(engine_url, expired_instances=30, unexpired_instances=30, now=NOW)

    def metrics() -> int:
        with connect(engine_url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM ACT_RU_TASK_METER_LOG")
            return int(cursor.fetchone()[0])

    before = metrics()
    clean(settings(engine_url))
    assert metrics() == before
    clean(replace(settings(engine_url), task_metrics_ttl=0))
    assert metrics() < before


@pytest.mark.parametrize("server", ["postgresql", "mariadb"])
def test_a_schema_without_decisions_and_cases_is_cleaned_and_noticed(
    server: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(f"{server}_url")
    create_engine_schema(url, parts=("engine", "identity"))
    fill(url, expired_instances=20, unexpired_instances=20, now=NOW)
    before = checksums(url, NOW)
    events = clean(settings(url))
    notices = " ".join(event.message for event in events if isinstance(event, Noticed))
    assert "has no ACT_HI_DEC_IN, ACT_HI_DEC_OUT, ACT_HI_DECINST" in notices
    assert checksums(url, NOW) == before
    assert not any(expired_counts(url, NOW).values())


def test_a_database_that_is_no_engines_is_one_clear_error(server_url: str) -> None:
    with pytest.raises(HistoryError, match="there is no table ACT_HI_PROCINST"):
        clean(settings(server_url))


def test_the_engines_wall_clock_decides_what_has_expired(engine_url: str) -> None:
    fill(engine_url, expired_instances=10, unexpired_instances=10, now=NOW)
    with connect(engine_url) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE ACT_HI_PROCINST SET REMOVAL_TIME_ = NULL")
        # 13:30 on the clock of an engine in Berlin is 11:30 UTC; in Lisbon it is 12:30, half an hour ahead.
        cursor.execute("SELECT ID_ FROM ACT_HI_PROCINST WHERE END_TIME_ IS NOT NULL LIMIT 1")
        (one,) = cursor.fetchone()
        cursor.execute(
            "UPDATE ACT_HI_PROCINST SET REMOVAL_TIME_ = '2024-06-15 13:30:00' WHERE ID_ = %s", (one,)
        )
    assert "ACT_HI_PROCINST" not in removed(
        clean(replace(settings(engine_url), timezone=ZoneInfo("Europe/Lisbon")))
    )
    assert (
        removed(clean(replace(settings(engine_url), timezone=ZoneInfo("Europe/Berlin"))))["ACT_HI_PROCINST"]
        == 1
    )


def test_max_rows_stops_before_the_roots(engine_url: str) -> None:
    fill(engine_url, expired_instances=50, unexpired_instances=10, now=NOW)
    events = clean(settings(engine_url), limits=TestLimits(rows=100))
    assert sum(removed(events).values()) == 100
    assert events[-1] == Stopped("engine", "max-rows")
    assert "ACT_HI_PROCINST" not in removed(events)
