"""Rows without a removal time of what has one: contents go along, unless on a hold, and others are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cleanupctl.core.run.cleaning import Failed, Noticed
from cleanupctl.core.settings import CleanupSettings
from cleanupctl.history.camunda.repair.removal_times import RemovalTimesPlanner
from cleanupctl.history.camunda.repair.requests import Calculated, InstanceFilter
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
    assert "without a removal time stay" not in run(of)
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


def test_contents_of_a_held_called_instance_stay_and_that_is_told(engine_url: str) -> None:
    insert_rows(engine_url, rich_rows("root", PAST))
    held = insert_rows(engine_url, rich_rows("called", None, root="root"))
    said = run(settings(engine_url))
    assert rows_left(engine_url) == held
    assert "without a removal time stay" in said
    assert "1 in act_hi_procinst" in said.lower()


def test_what_is_told_to_do_about_rows_left_behind_helps(engine_url: str) -> None:
    insert_rows(engine_url, rich_rows("root", PAST))
    query(engine_url, "UPDATE ACT_HI_DETAIL SET REMOVAL_TIME_ = NULL")
    of = replace(settings(engine_url), default_ttl=30)
    planner = RemovalTimesPlanner(of, InstanceFilter(ids=("root",)), Calculated(), hierarchical=True)
    carry_out(of, planner)
    assert "without a removal time stay" not in run(of)
    assert rows_left(engine_url) == set()
