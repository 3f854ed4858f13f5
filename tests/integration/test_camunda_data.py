"""The made-up engine history is consistent, and the policy that judges cleanups judges it rightly."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.camunda.data import checksums, expired_counts, fill
from tests.support.engine_schema import create_engine_schema
from tests.support.servers import connect

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROOT_RUNS = """EXISTS (SELECT 1 FROM (SELECT ID_ FROM ACT_HI_PROCINST WHERE END_TIME_ IS NULL) r
               WHERE r.ID_ = {table}.ROOT_PROC_INST_ID_)"""


def _ask(url: str, question: str) -> list[tuple[Any, ...]]:
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(question)
        return list(cursor.fetchall())


def test_every_history_table_has_rows_to_go_and_rows_to_stay(engine_url: str) -> None:
    inserted = fill(engine_url, expired_instances=20, unexpired_instances=20, now=NOW)
    gone = expired_counts(engine_url, NOW, task_metrics_ttl=timedelta(days=60))
    stay = {table: count for table, (count, _) in checksums(engine_url, NOW).items() if count}
    assert {table for table, count in gone.items() if not count} == set()
    assert len(gone) == 19
    assert set(gone) <= set(stay)
    assert {"ACT_HI_CASEINST", "ACT_HI_CASEACTINST"} <= set(stay) - set(gone)
    assert gone["ACT_HI_PROCINST"] == 20
    history = sum(count for table, count in inserted.items() if table.startswith("ACT_HI_"))
    assert 15 <= history / inserted["ACT_HI_PROCINST"] <= 25


def test_plain_deletes_leave_exactly_what_has_to_stay(engine_url: str) -> None:
    fill(engine_url, expired_instances=30, unexpired_instances=30, now=NOW, expired_unfinished=20)
    before = checksums(engine_url, NOW)
    order = sorted(expired_counts(engine_url, NOW), key=lambda table: table == "ACT_HI_PROCINST")
    with connect(engine_url) as connection, connection.cursor() as cursor:
        for table in order:
            kept = "END_TIME_ IS NULL" if table == "ACT_HI_BATCH" else ROOT_RUNS.format(table=table)
            cursor.execute(f"DELETE FROM {table} WHERE REMOVAL_TIME_ <= '2026-03-01 12:00' AND NOT {kept}")
    assert set(expired_counts(engine_url, NOW).values()) == {0}
    assert checksums(engine_url, NOW) == before


def test_the_digest_sees_a_changed_row_and_a_missing_one(engine_url: str) -> None:
    fill(engine_url, expired_instances=10, unexpired_instances=10, now=NOW)
    seen = [checksums(engine_url, NOW)["ACT_HI_TASKINST"]]
    for change in ("UPDATE ACT_HI_TASKINST SET NAME_ = 'x'", "DELETE FROM ACT_HI_TASKINST"):
        _execute(engine_url, f"{change} WHERE REMOVAL_TIME_ > '2026-03-02'")
        seen.append(checksums(engine_url, NOW)["ACT_HI_TASKINST"])
    assert len(set(seen)) == 3
    assert seen[0][0] == seen[1][0] > seen[2][0]


def test_unfinished_instances_and_needed_bytes_stay_although_their_time_is_past(engine_url: str) -> None:
    sizes = {"expired_instances": 0, "unexpired_instances": 0, "orphans": 0}
    fill(engine_url, now=NOW, expired_unfinished=20, referenced_bytes=2, **sizes)
    past = "REMOVAL_TIME_ <= '2026-03-01 12:00'"
    assert _ask(engine_url, f"SELECT count(*) FROM ACT_HI_ACTINST WHERE {past}")[0][0] >= 60
    assert _ask(
        engine_url, f"SELECT count(*) FROM ACT_HI_PROCINST WHERE {past} AND END_TIME_ IS NOT NULL"
    ) == [(2,)]
    assert set(expired_counts(engine_url, NOW).values()) == {0}


def test_what_is_due_this_very_moment_has_expired_and_a_second_later_has_not(engine_url: str) -> None:
    fill(engine_url, expired_instances=20, unexpired_instances=20, now=NOW)
    times = [time for (time,) in _ask(engine_url, "SELECT REMOVAL_TIME_ FROM ACT_HI_PROCINST") if time]
    wall = NOW.replace(tzinfo=None)
    assert {wall, wall + timedelta(seconds=1)} <= set(times)
    assert expired_counts(engine_url, NOW)["ACT_HI_PROCINST"] == 20
    assert expired_counts(engine_url, NOW - timedelta(seconds=1))["ACT_HI_PROCINST"] == 19


def test_times_are_the_wall_clock_of_the_engine(engine_url: str) -> None:
    fill(engine_url, expired_instances=10, unexpired_instances=0, now=NOW, zone="Asia/Tokyo")
    newest = _ask(engine_url, "SELECT max(REMOVAL_TIME_) FROM ACT_HI_PROCINST")[0][0]
    assert newest == datetime(2026, 3, 1, 21)  # noqa: DTZ001  (a wall clock)
    assert expired_counts(engine_url, NOW, zone="Asia/Tokyo")["ACT_HI_PROCINST"] == 10
    assert expired_counts(engine_url, NOW, zone="UTC")["ACT_HI_PROCINST"] < 10


def test_removal_times_follow_from_the_root_and_its_definition(engine_url: str) -> None:
    fill(engine_url, expired_instances=40, unexpired_instances=40, now=NOW, interleaved=True)
    rows = _ask(
        engine_url,
        "SELECT p.REMOVAL_TIME_, r.END_TIME_, d.HISTORY_TTL_ FROM ACT_HI_PROCINST p"
        " JOIN ACT_HI_PROCINST r ON r.ID_ = p.ROOT_PROC_INST_ID_"
        " JOIN ACT_RE_PROCDEF d ON d.ID_ = r.PROC_DEF_ID_",
    )
    assert len(rows) == 88
    for removal, end, ttl in rows:
        assert removal == (None if ttl is None or end is None else end + timedelta(days=ttl))


def test_call_hierarchies_are_four_deep_and_whole(engine_url: str) -> None:
    fill(engine_url, expired_instances=20, unexpired_instances=20, now=NOW)
    calls = dict(_ask(engine_url, "SELECT ID_, SUPER_PROCESS_INSTANCE_ID_ FROM ACT_HI_PROCINST"))
    roots = dict(_ask(engine_url, "SELECT ID_, ROOT_PROC_INST_ID_ FROM ACT_HI_PROCINST"))

    def depth(instance: str) -> int:
        return 1 if calls[instance] is None else 1 + depth(calls[instance])

    assert max(map(depth, calls)) == 4
    assert all(roots[child] == roots[parent] for child, parent in calls.items() if parent)
    called = _ask(
        engine_url,
        "SELECT CALL_PROC_INST_ID_, PROC_INST_ID_ FROM ACT_HI_ACTINST WHERE CALL_PROC_INST_ID_ IS NOT NULL",
    )
    assert {(child, parent) for child, parent in calls.items() if parent} == set(called)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("ACT_HI_VARINST", "BYTEARRAY_ID_"),
        ("ACT_HI_DETAIL", "BYTEARRAY_ID_"),
        ("ACT_HI_JOB_LOG", "JOB_EXCEPTION_STACK_ID_"),
        ("ACT_HI_EXT_TASK_LOG", "ERROR_DETAILS_ID_"),
        ("ACT_HI_ATTACHMENT", "CONTENT_ID_"),
        ("ACT_HI_DEC_IN", "BYTEARRAY_ID_"),
        ("ACT_HI_DEC_OUT", "BYTEARRAY_ID_"),
    ],
)
def test_byte_arrays_are_where_the_rows_say(engine_postgresql_url: str, table: str, column: str) -> None:
    fill(engine_postgresql_url, expired_instances=10, unexpired_instances=0, now=NOW)
    references, found = _ask(
        engine_postgresql_url,
        f"SELECT count(t.{column}), count(b.ID_) FROM {table} t"
        f" LEFT JOIN ACT_GE_BYTEARRAY b ON b.ID_ = t.{column}"
        " AND b.REMOVAL_TIME_ IS NOT DISTINCT FROM t.REMOVAL_TIME_",
    )[0]
    assert references == found > 0


def test_interleaved_rows_to_go_and_to_stay_lie_mixed(engine_postgresql_url: str) -> None:
    fill(engine_postgresql_url, expired_instances=50, unexpired_instances=50, now=NOW, interleaved=True)
    order = _ask(
        engine_postgresql_url,
        "SELECT REMOVAL_TIME_ <= '2026-03-01 12:00' FROM ACT_HI_PROCINST"
        " WHERE REMOVAL_TIME_ IS NOT NULL ORDER BY ctid",
    )
    changes = sum(a != b for a, b in itertools.pairwise(order))
    assert changes > 20


def test_another_seed_adds_to_the_same_database(engine_url: str) -> None:
    for seed in (0, 1):
        fill(engine_url, expired_instances=10, unexpired_instances=10, now=NOW, seed=seed)
    assert expired_counts(engine_url, NOW)["ACT_HI_PROCINST"] == 20


def test_history_can_live_in_another_schema_and_without_decisions_and_cases(postgresql_url: str) -> None:
    create_engine_schema(postgresql_url, parts=["engine"], schema="camunda")
    fill(postgresql_url, expired_instances=10, unexpired_instances=10, now=NOW, schema="camunda")
    counts = expired_counts(postgresql_url, NOW, schema="camunda")
    assert counts["ACT_HI_PROCINST"] == 10
    assert "ACT_HI_DECINST" not in counts


def _execute(url: str, statement: str) -> None:
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
