"""Setting removal times: only what is meant and differs changes, whole instances, and it can be resumed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.core.errors import InvalidValueError
from cleanupctl.core.settings import BatchTtls
from cleanupctl.history.camunda.repair.removal_times import RemovalTimesPlanner
from cleanupctl.history.camunda.repair.requests import Absolute, Calculated, InstanceFilter
from tests.support.camunda.data import fill
from tests.support.camunda.histories import query, settings
from tests.support.camunda.maintenance import carry_out, counted
from tests.support.limits import TestLimits

if TYPE_CHECKING:
    from collections import Counter

    from cleanupctl.core.settings import CamundaSettings

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)
WALL = NOW.replace(tzinfo=None)
TABLES = (
    "ACT_HI_PROCINST", "ACT_HI_ACTINST", "ACT_HI_TASKINST", "ACT_HI_VARINST", "ACT_HI_DETAIL",
    "ACT_HI_COMMENT", "ACT_HI_ATTACHMENT", "ACT_HI_IDENTITYLINK", "ACT_HI_INCIDENT", "ACT_HI_EXT_TASK_LOG",
    "ACT_HI_JOB_LOG", "ACT_HI_OP_LOG", "ACT_GE_BYTEARRAY", "ACT_HI_DECINST", "ACT_HI_DEC_IN",
    "ACT_HI_DEC_OUT", "ACT_RU_AUTHORIZATION",
)  # fmt: skip


def by_root(url: str) -> dict[str, list[tuple[str, str, Any]]]:
    """Every row with its removal time, by its root."""
    found: dict[str, list[tuple[str, str, Any]]] = {}
    for table in TABLES:
        for root, identity, removal in query(
            url, f"SELECT ROOT_PROC_INST_ID_, ID_, REMOVAL_TIME_ FROM {table}"
        ):
            found.setdefault(root, []).append((table, identity, removal))
    return found


def change(
    configured: CamundaSettings,
    selection: InstanceFilter,
    wanted: Absolute | Calculated,
    *,
    limits: TestLimits | None = None,
    **options: Any,
) -> Counter[str]:
    """Set removal times; return the rows that changed, or would, by table."""
    planner = RemovalTimesPlanner(configured, selection, wanted, **options)
    if options.get("dry_run"):
        return counted(configured, planner)
    return carry_out(configured, planner, limits=limits)


def test_an_absolute_time_reaches_every_row_of_the_tree_and_no_other(engine_url: str) -> None:
    fill(engine_url, expired_instances=20, unexpired_instances=10, now=NOW)
    before = by_root(engine_url)
    child, root = query(
        engine_url,
        "SELECT ID_, ROOT_PROC_INST_ID_ FROM ACT_HI_PROCINST WHERE ID_ <> ROOT_PROC_INST_ID_ LIMIT 1",
    )[0]
    changed = change(settings(engine_url), InstanceFilter(ids=(child,)), Absolute(NOW), hierarchical=True)
    assert changed.total() == len(before[root])
    after = by_root(engine_url)
    assert {removal for _, _, removal in after.pop(root)} == {WALL}
    del before[root]
    assert after == before


def test_without_the_hierarchy_only_the_instance_itself_changes(engine_url: str) -> None:
    fill(engine_url, expired_instances=20, unexpired_instances=0, now=NOW)
    child, root = query(
        engine_url,
        "SELECT c.ID_, c.ROOT_PROC_INST_ID_ FROM ACT_HI_PROCINST c JOIN ACT_HI_IDENTITYLINK i"
        " ON i.ROOT_PROC_INST_ID_ = c.ROOT_PROC_INST_ID_ WHERE c.ID_ <> c.ROOT_PROC_INST_ID_ LIMIT 1",
    )[0]
    change(settings(engine_url), InstanceFilter(ids=(child,)), Absolute(None))
    left = query(
        engine_url,
        f"SELECT ID_ FROM ACT_HI_PROCINST WHERE REMOVAL_TIME_ IS NULL AND ROOT_PROC_INST_ID_ = '{root}'",
    )
    assert left == [(child,)]
    for table in ("ACT_HI_ACTINST", "ACT_HI_VARINST", "ACT_HI_DETAIL"):
        cleared = query(
            engine_url,
            f"SELECT DISTINCT PROC_INST_ID_ FROM {table} WHERE REMOVAL_TIME_ IS NULL"
            f" AND ROOT_PROC_INST_ID_ = '{root}'",
        )
        assert cleared in ([], [(child,)])
    tasks = query(
        engine_url,
        "SELECT count(*) FROM ACT_HI_IDENTITYLINK i JOIN ACT_HI_TASKINST t ON t.ID_ = i.TASK_ID_"
        f" WHERE t.PROC_INST_ID_ = '{child}' AND i.REMOVAL_TIME_ IS NOT NULL",
    )
    assert tasks[0][0] == 0


def test_calculated_from_todays_time_to_live_and_nothing_left_to_do_the_second_time(engine_url: str) -> None:
    fill(engine_url, expired_instances=10, unexpired_instances=0, now=NOW, unset_instances=10)
    query(engine_url, "UPDATE ACT_RE_PROCDEF SET HISTORY_TTL_ = 3 WHERE KEY_ = 'legacy'")
    selection = InstanceFilter(finished_before=NOW, without=True)
    planned = change(settings(engine_url), selection, Calculated(), hierarchical=True, dry_run=True)
    assert planned["ACT_HI_PROCINST"] >= 10
    assert not query(engine_url, "SELECT 1 FROM ACT_HI_PROCINST WHERE REMOVAL_TIME_ < '1970-01-01'")
    done = change(settings(engine_url), selection, Calculated(), hierarchical=True, chunk=3)
    assert done == planned
    again = change(settings(engine_url), selection, Calculated(), hierarchical=True)
    assert not again
    for end, removal in query(
        engine_url,
        "SELECT r.END_TIME_, c.REMOVAL_TIME_ FROM ACT_HI_DETAIL c JOIN ACT_HI_PROCINST r"
        " ON r.ID_ = c.ROOT_PROC_INST_ID_ WHERE r.PROC_DEF_ID_ = 'legacy:1:def'",
    ):
        assert removal == end + timedelta(days=3)


def test_all_without_a_removal_time_are_those_and_no_others(engine_url: str) -> None:
    fill(engine_url, expired_instances=10, unexpired_instances=10, now=NOW, unset_instances=5)
    before = by_root(engine_url)
    selection = InstanceFilter(finished_before=NOW, without=True)
    changed = change(settings(engine_url), selection, Absolute(NOW - timedelta(days=1)))
    assert changed["ACT_HI_PROCINST"] >= 5
    had = {(table, identity): one for rows in before.values() for table, identity, one in rows if one}
    has = {(table, identity): one for rows in by_root(engine_url).values() for table, identity, one in rows}
    assert {place: has[place] for place in had} == had


def test_it_goes_on_where_it_was_stopped(engine_postgresql_url: str) -> None:
    fill(engine_postgresql_url, expired_instances=20, unexpired_instances=0, now=NOW, unset_instances=0)
    selection = InstanceFilter(definition_key="invoice")
    configured = settings(engine_postgresql_url)
    planned = change(configured, selection, Absolute(NOW), dry_run=True)
    first = change(configured, selection, Absolute(NOW), chunk=4, limits=TestLimits(batches=20))
    rest = change(configured, selection, Absolute(NOW), chunk=4)
    assert 0 < first["ACT_HI_PROCINST"] < planned["ACT_HI_PROCINST"]
    assert first + rest == planned


def test_batches_are_calculated_by_the_times_to_live_of_the_configuration(engine_postgresql_url: str) -> None:
    url = engine_postgresql_url
    fill(url, expired_instances=20, unexpired_instances=10, now=NOW)
    everything = InstanceFilter("batch", everything=True)
    before = query(url, "SELECT count(*) FROM ACT_HI_BATCH WHERE REMOVAL_TIME_ IS NOT NULL")
    one_type = replace(settings(url), batch_ttl=BatchTtls(by_type={"instance-deletion": 9}))
    for configured in (settings(url), one_type):
        with pytest.raises(InvalidValueError, match="no time to live for every batch operation"):
            change(configured, everything, Calculated())
    assert query(url, "SELECT count(*) FROM ACT_HI_BATCH WHERE REMOVAL_TIME_ IS NOT NULL") == before
    both = replace(one_type, batch_ttl=BatchTtls(default=3, by_type={"instance-deletion": 9}))
    assert change(both, everything, Calculated(), dry_run=True)["ACT_HI_BATCH"]
    change(both, everything, Calculated())
    for type_, end, removal in query(url, "SELECT TYPE_, END_TIME_, REMOVAL_TIME_ FROM ACT_HI_BATCH"):
        days = 9 if type_ == "instance-deletion" else 3
        assert removal == (end and end + timedelta(days=days))


def test_decisions_and_batches(engine_postgresql_url: str) -> None:
    fill(engine_postgresql_url, expired_instances=30, unexpired_instances=0, now=NOW)
    configured = settings(engine_postgresql_url)
    decision = query(
        engine_postgresql_url,
        "SELECT DEC_INST_ID_ FROM ACT_HI_DEC_IN WHERE ROOT_PROC_INST_ID_ IS NULL LIMIT 1",
    )[0][0]
    change(configured, InstanceFilter("decision", (decision,)), Absolute(None))
    for table, column in (("ACT_HI_DECINST", "ID_"), ("ACT_HI_DEC_IN", "DEC_INST_ID_")):
        removals = query(
            engine_postgresql_url, f"SELECT DISTINCT REMOVAL_TIME_ FROM {table} WHERE {column} = '{decision}'"
        )
        assert removals == [(None,)]
    done = change(configured, InstanceFilter("batch", everything=True), Absolute(NOW))
    assert query(engine_postgresql_url, "SELECT DISTINCT REMOVAL_TIME_ FROM ACT_HI_BATCH") == [(WALL,)]
    assert done["ACT_HI_JOB_LOG"] > 0


def test_a_root_that_is_gone_is_skipped(engine_postgresql_url: str) -> None:
    fill(engine_postgresql_url, expired_instances=10, unexpired_instances=0, now=NOW)
    child, root = query(
        engine_postgresql_url,
        "SELECT ID_, ROOT_PROC_INST_ID_ FROM ACT_HI_PROCINST WHERE ID_ <> ROOT_PROC_INST_ID_ LIMIT 1",
    )[0]
    query(engine_postgresql_url, f"DELETE FROM ACT_HI_PROCINST WHERE ID_ = '{root}'")
    configured = settings(engine_postgresql_url)
    planner = RemovalTimesPlanner(configured, InstanceFilter(ids=(child,)), Absolute(NOW), hierarchical=True)
    assert not carry_out(configured, planner)
    assert (planner.selected.instances, planner.selected.skipped) == (1, 1)


def test_an_empty_selection_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="no instance is selected"):
        RemovalTimesPlanner(settings("postgresql://nobody@127.0.0.1:1/x"), InstanceFilter(), Absolute(NOW))
