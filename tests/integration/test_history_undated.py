"""Rows without a removal time of what has one: contents go along, unless on a hold, and others are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.core.run.cleaning import Failed, Noticed
from cleanupctl.core.settings import CleanupSettings, WithoutInstanceTtls
from cleanupctl.history.camunda.repair.removal_times import RemovalTimesPlanner
from cleanupctl.history.camunda.repair.requests import Calculated, InstanceFilter
from cleanupctl.history.camunda.report.report import full_report
from cleanupctl.history.camunda.strategies.registry import strategy_of
from cleanupctl.history.kinds import history
from tests.support.camunda.histories import query, settings
from tests.support.camunda.maintenance import carry_out, counted
from tests.support.camunda.rich_instance import ENDED, insert_rows, rich_rows, rows_left
from tests.support.limits import TestLimits

if TYPE_CHECKING:
    from cleanupctl.core.settings import CamundaSettings

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)
PAST = "2024-02-01 10:00:00"


def insert(url: str, table: str, **values: Any) -> None:
    insert_rows(url, iter([(table, values)]))


def run(of: CamundaSettings) -> str:
    """Run; return the notices."""
    with history(of, CleanupSettings()).open() as session:
        events = list(session.clean(NOW, TestLimits()))
    assert not [event for event in events if isinstance(event, Failed)]
    return "\n".join(event.message for event in events if isinstance(event, Noticed))


def test_contents_without_a_removal_time_go_with_what_refers_to_them(engine_url: str) -> None:
    insert_rows(engine_url, rich_rows("p", PAST))
    query(engine_url, "UPDATE ACT_GE_BYTEARRAY SET REMOVAL_TIME_ = NULL")
    of = settings(engine_url)
    planned = counted(of, strategy_of(of).plan)
    before = rows_left(engine_url)
    assert "rows without a removal time" not in run(of)
    assert rows_left(engine_url) == set()
    assert planned.total() == len(before)


def test_stack_traces_of_the_engines_own_cleanup_go_with_its_log(engine_url: str) -> None:
    insert(engine_url, "ACT_GE_BYTEARRAY", ID_="stack", TYPE_=3, CREATE_TIME_=ENDED)
    insert(engine_url, "ACT_GE_BYTEARRAY", ID_="other", TYPE_=3, CREATE_TIME_=ENDED)
    entry = {"TIMESTAMP_": ENDED, "JOB_ID_": "j", "JOB_DEF_TYPE_": "history-cleanup"}
    entry |= {"JOB_EXCEPTION_STACK_ID_": "stack", "REMOVAL_TIME_": PAST}
    insert(engine_url, "ACT_HI_JOB_LOG", ID_="entry", **entry)
    run(replace(settings(engine_url), cleanup_log_ttl=5))
    assert rows_left(engine_url) == {("ACT_GE_BYTEARRAY", "other")}


def test_contents_of_what_is_held_or_runs_stay(engine_url: str) -> None:
    held = insert_rows(engine_url, rich_rows("held", None))
    runs = insert_rows(engine_url, rich_rows("runs", PAST))
    query(engine_url, "UPDATE ACT_GE_BYTEARRAY SET REMOVAL_TIME_ = NULL")
    query(engine_url, "UPDATE ACT_HI_PROCINST SET END_TIME_ = NULL WHERE ID_ = 'runs'")
    run(settings(engine_url))
    assert rows_left(engine_url) == held | runs


@pytest.mark.parametrize("unfinished", [False, True])
def test_a_held_called_instance_stays_with_its_root_and_that_is_told(
    engine_url: str, unfinished: bool
) -> None:
    insert_rows(engine_url, rich_rows("root", PAST))
    insert_rows(engine_url, rich_rows("other", PAST))
    held = insert_rows(engine_url, rich_rows("called", None, root="root"))
    of = replace(settings(engine_url), include_unfinished=unfinished)
    planned = counted(of, strategy_of(of).plan)
    before = len(rows_left(engine_url))
    said = run(of)
    assert rows_left(engine_url) == {*held, ("ACT_HI_PROCINST", "root")}
    assert planned.total() == before - len(held) - 1
    assert "rows without a removal time, and with them their root instances, stay" in said
    assert "1 in act_hi_procinst" in said.lower()


def test_one_row_whose_removal_time_alone_was_cleared_keeps_its_root(engine_url: str) -> None:
    insert_rows(engine_url, rich_rows("root", PAST))
    query(engine_url, "UPDATE ACT_HI_VARINST SET REMOVAL_TIME_ = NULL")
    run(settings(engine_url))
    left = rows_left(engine_url)
    assert {table for table, _ in left} == {"ACT_HI_VARINST", "ACT_HI_PROCINST"}


def test_rows_without_a_removal_time_below_a_running_root_are_not_told(engine_url: str) -> None:
    kept = insert_rows(engine_url, rich_rows("root", PAST))
    query(engine_url, "UPDATE ACT_HI_PROCINST SET END_TIME_ = NULL")
    query(engine_url, "UPDATE ACT_HI_VARINST SET REMOVAL_TIME_ = NULL")
    assert "without a removal time" not in run(settings(engine_url))
    assert rows_left(engine_url) == kept


def test_what_is_told_to_do_about_rows_left_behind_helps(engine_url: str) -> None:
    insert_rows(engine_url, rich_rows("root", PAST))
    query(engine_url, "UPDATE ACT_HI_DETAIL SET REMOVAL_TIME_ = NULL")
    of = replace(settings(engine_url), default_ttl=30)
    planner = RemovalTimesPlanner(of, InstanceFilter(ids=("root",)), Calculated(), hierarchical=True)
    carry_out(of, planner)
    assert "rows without a removal time" not in run(of)
    assert rows_left(engine_url) == set()


def test_the_report_counts_what_a_dry_run_counts_and_a_run_deletes(engine_url: str) -> None:
    insert_rows(engine_url, rich_rows("p", PAST))
    insert_rows(engine_url, rich_rows("held", None))
    query(engine_url, "UPDATE ACT_GE_BYTEARRAY SET REMOVAL_TIME_ = NULL")
    insert(engine_url, "ACT_HI_TASKINST", ID_="alone", START_TIME_=ENDED, END_TIME_=ENDED)
    insert(engine_url, "ACT_HI_COMMENT", ID_="said", TIME_=ENDED, TASK_ID_="alone")
    insert(engine_url, "ACT_GE_BYTEARRAY", ID_="stack", TYPE_=3, CREATE_TIME_=ENDED)
    own = {"TIMESTAMP_": ENDED, "JOB_ID_": "j", "JOB_EXCEPTION_STACK_ID_": "stack"}
    insert(engine_url, "ACT_HI_JOB_LOG", ID_="start", JOB_DEF_TYPE_="timer-start-event", **own)
    insert(
        engine_url,
        "ACT_HI_JOB_LOG",
        ID_="own",
        JOB_DEF_TYPE_="history-cleanup",
        TIMESTAMP_=ENDED,
        JOB_ID_="j",
    )
    of = replace(
        settings(engine_url), cleanup_log_ttl=5, without_instance_ttl=WithoutInstanceTtls(tasks=5, job_log=5)
    )
    sizes = full_report(of, NOW, exact=True).sizes
    reported = {one.table.upper(): one.expired for one in sizes if one.expired}
    planned = counted(of, strategy_of(of).plan)
    deleted = carry_out(of, strategy_of(of).plan)
    assert reported == {table: rows for table, rows in planned.items() if rows}
    assert deleted == +planned
    assert {identity[:4] for _, identity in rows_left(engine_url)} == {"held"}
