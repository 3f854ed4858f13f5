"""What belongs to an instance is the same for setting removal times, both strategies, and a hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cleanupctl.history.camunda.repair.removal_times import RemovalTimesPlanner
from cleanupctl.history.camunda.repair.requests import Absolute, InstanceFilter
from cleanupctl.history.camunda.strategies.registry import strategy_of
from tests.support.camunda.histories import query, settings
from tests.support.camunda.maintenance import carry_out
from tests.support.camunda.rich_instance import insert_rows, rich_rows, rows_left

if TYPE_CHECKING:
    from cleanupctl.core.settings import CamundaSettings

PAST, LATER = datetime(2024, 2, 1, 10, 0, tzinfo=UTC), datetime(2034, 1, 1, tzinfo=UTC)


def set_times(configured: CamundaSettings, time: datetime | None, *, hierarchical: bool) -> None:
    wanted = InstanceFilter(ids=("p",))
    carry_out(configured, RemovalTimesPlanner(configured, wanted, Absolute(time), hierarchical=hierarchical))


def run(configured: CamundaSettings) -> None:
    carry_out(configured, strategy_of(configured).plan)


each_way = pytest.mark.parametrize("hierarchical", [False, True], ids=["alone", "hierarchical"])


@each_way
@pytest.mark.parametrize("rooted", [True, False], ids=["rooted", "unrooted"])
def test_setting_reaches_what_either_strategy_deletes(
    engine_url: str, hierarchical: bool, rooted: bool
) -> None:
    mine = insert_rows(engine_url, rich_rows("p", None))
    others = insert_rows(engine_url, rich_rows("q", None))
    if not rooted:
        for table in {table for table, _ in mine} - {"ACT_HI_PROCINST"}:
            query(engine_url, f"UPDATE {table} SET ROOT_PROC_INST_ID_ = NULL")
    configured = settings(engine_url)
    set_times(configured, PAST, hierarchical=hierarchical)
    assert rows_left(engine_url, "REMOVAL_TIME_ IS NOT NULL") == mine
    run(configured)
    assert rows_left(engine_url) == others
    set_times(configured, None, hierarchical=hierarchical)
    by_end = replace(configured, strategy="end-time", default_ttl=30)
    query(engine_url, "UPDATE ACT_HI_PROCINST SET END_TIME_ = '2024-06-14 10:00:00' WHERE ID_ = 'q'")
    insert_rows(engine_url, rich_rows("p", None))
    run(by_end)
    assert rows_left(engine_url) == others


@each_way
@pytest.mark.parametrize("until", [None, LATER], ids=["cleared", "later"])
def test_an_instance_on_hold_loses_nothing(
    engine_url: str, hierarchical: bool, until: datetime | None
) -> None:
    mine = insert_rows(engine_url, rich_rows("p", "2024-02-01 10:00:00"))
    insert_rows(engine_url, rich_rows("q", "2024-02-01 10:00:00"))
    configured = settings(engine_url)
    set_times(configured, until, hierarchical=hierarchical)
    run(configured)
    assert rows_left(engine_url) == mine


def test_what_another_session_wrote_in_the_meantime_stays(
    engine_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert_rows(engine_url, rich_rows("p", None))
    insert_rows(engine_url, rich_rows("q", "2024-02-01 10:00:00"))
    configured = settings(engine_url)
    planner = RemovalTimesPlanner(configured, InstanceFilter(ids=("p", "q")), Absolute(PAST))
    from cleanupctl.history.camunda.repair.removal_time_changes import RemovalTimeChanges

    read = RemovalTimeChanges.read

    def then_held(self: RemovalTimeChanges) -> object:
        found = read(self)
        query(engine_url, "UPDATE ACT_HI_COMMENT SET REMOVAL_TIME_ = '2034-01-01 00:00:00'")
        return found

    monkeypatch.setattr(RemovalTimeChanges, "read", then_held)
    query(engine_url, "UPDATE ACT_HI_COMMENT SET REMOVAL_TIME_ = '2024-03-01 10:00:00' WHERE ID_ LIKE 'q%'")
    carry_out(configured, planner)
    times = query(engine_url, "SELECT DISTINCT REMOVAL_TIME_ FROM ACT_HI_COMMENT")
    assert times == [(datetime(2034, 1, 1),)]  # noqa: DTZ001
    assert query(engine_url, "SELECT count(*) FROM ACT_HI_PROCINST WHERE REMOVAL_TIME_ IS NULL") == [(0,)]
