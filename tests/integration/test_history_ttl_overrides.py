"""Which instances an override means: by the rows of definitions that are gone, and below roots."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.settings import CleanupSettings, TtlOverride
from cleanupctl.history.camunda.explain.decision import Decision, decide
from cleanupctl.history.camunda.explain.facts import load_facts
from cleanupctl.history.camunda.repair.removal_times import RemovalTimesPlanner
from cleanupctl.history.camunda.repair.requests import Calculated, InstanceFilter
from cleanupctl.history.camunda.report.report import full_report
from cleanupctl.history.camunda.strategies.registry import strategy_of
from tests.support.camunda.histories import query, settings
from tests.support.camunda.maintenance import carry_out, counted
from tests.support.camunda.rich_instance import ENDED, insert_rows
from tests.support.limits import TestLimits
from tests.support.windows import windows

if TYPE_CHECKING:
    from cleanupctl.core.settings import CamundaSettings

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)
LONG_KEY = "the-order-process-of-the-department-for-very-long-names-of-processes"
UUID = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"


def instance(
    url: str, name: str, *, key: str = "order", definition: str | None = None, root: str | None = None,
    tenant: str | None = None, end: str = ENDED,
) -> None:  # fmt: skip
    values = {
        "ID_": name, "PROC_INST_ID_": name, "ROOT_PROC_INST_ID_": root or name, "PROC_DEF_KEY_": key,
        "PROC_DEF_ID_": definition or f"{key}:1:a", "START_TIME_": ENDED, "END_TIME_": end,
        "TENANT_ID_": tenant, "SUPER_PROCESS_INSTANCE_ID_": root,
    }  # fmt: skip
    insert_rows(url, iter([("ACT_HI_PROCINST", values)]))


def decision(url: str, name: str, *, key: str = "rating", process: str | None = None) -> None:
    values = {
        "ID_": name, "DEC_DEF_ID_": f"{key}:1:a", "DEC_DEF_KEY_": key, "EVAL_TIME_": ENDED,
        "PROC_INST_ID_": process, "ROOT_PROC_INST_ID_": process,
    }  # fmt: skip
    insert_rows(url, iter([("ACT_HI_DECINST", values)]))


def left(url: str, table: str = "ACT_HI_PROCINST") -> set[str]:
    return {row[0] for row in query(url, f"SELECT ID_ FROM {table}")}


def configured(url: str, *overrides: TtlOverride, default_ttl: int | None = 30) -> CamundaSettings:
    return replace(settings(url), strategy="end-time", default_ttl=default_ttl, ttls=overrides)


def run(of: CamundaSettings) -> None:
    carry_out(of, strategy_of(of).plan)


def explained(of: CamundaSettings, identity: str) -> Decision:
    facts = load_facts(of, identity)
    assert facts is not None
    return decide(facts, NOW, windows(("20:00", "06:00")), ZoneInfo("UTC"))


def agree(of: CamundaSettings, url: str) -> None:
    """Run, and see that dry run, report and explain said the same."""
    before = left(url)
    said = {one: explained(of, one).fate for one in before}
    planned = counted(of, strategy_of(of).plan)["ACT_HI_PROCINST"]
    reported = sum(
        one.cleanable
        for one in full_report(of, NOW, exact=True).cleanable
        if one.definition.kind == "process"
    )
    run(of)
    deleted = before - left(url)
    assert {one for one, fate in said.items() if fate == "due"} == deleted
    assert (planned, reported) == (len(deleted), len(deleted))


def test_a_definition_that_is_gone_has_the_key_of_its_instances(engine_url: str) -> None:
    # The id has no key in it: with one of more than 64 characters the engine leaves it out.
    instance(engine_url, "kept", key=LONG_KEY, definition=UUID)
    instance(engine_url, "gone", key="order", definition=UUID[::-1])
    agree(configured(engine_url, TtlOverride(LONG_KEY, None)), engine_url)
    assert left(engine_url) == {"kept"}


def test_a_definition_that_is_gone_has_the_tenants_of_its_instances(engine_url: str) -> None:
    for tenant in (None, "north", "south"):
        instance(engine_url, f"of-{tenant}", tenant=tenant)
    agree(configured(engine_url, TtlOverride("order", 3650, tenant="north")), engine_url)
    assert left(engine_url) == {"of-north"}


def test_the_days_of_gone_definitions_count_when_removal_times_are_calculated(engine_url: str) -> None:
    instance(engine_url, "kept", key=LONG_KEY, definition=UUID)
    instance(engine_url, "of-north", tenant="north")
    of = configured(engine_url, TtlOverride(LONG_KEY, None), TtlOverride("order", None, tenant="north"))
    for hierarchical in (False, True):
        planner = RemovalTimesPlanner(
            of, InstanceFilter(everything=True), Calculated(), hierarchical=hierarchical
        )
        assert not carry_out(of, planner)


def test_a_case_definition_that_is_gone_is_kept_when_an_override_may_mean_it(engine_url: str) -> None:
    values = {
        "ID_": "c", "CASE_INST_ID_": "c", "CASE_DEF_ID_": UUID, "CREATE_TIME_": ENDED, "CLOSE_TIME_": ENDED,
    }  # fmt: skip
    insert_rows(engine_url, iter([("ACT_HI_CASEINST", values)]))
    of = configured(engine_url, TtlOverride(LONG_KEY, None))
    assert explained(of, "c").fate == "kept"
    run(of)
    assert left(engine_url, "ACT_HI_CASEINST") == {"c"}
    run(configured(engine_url))
    assert left(engine_url, "ACT_HI_CASEINST") == set()


@pytest.mark.parametrize("member", ["called", "decision"])
def test_none_below_a_root_keeps_the_hierarchy(engine_url: str, member: str) -> None:
    for tree in ("a", "b"):
        instance(engine_url, tree)
        instance(engine_url, f"{tree}-called", key="called", root=tree)
    decision(engine_url, "a-rated", process="a")
    if member == "called":
        query(engine_url, "UPDATE ACT_HI_PROCINST SET PROC_DEF_KEY_ = 'contract' WHERE ID_ = 'a-called'")
    override = TtlOverride("contract" if member == "called" else "rating", None)
    agree(configured(engine_url, override), engine_url)
    assert left(engine_url) == {"a", "a-called"}
    assert left(engine_url, "ACT_HI_DECINST") == {"a-rated"}
    assert 'ttl = "none"' in explained(configured(engine_url, override), "a").obstacles[0]


def test_none_below_a_root_of_one_tenant_only(engine_url: str) -> None:
    for tenant in ("north", "south"):
        instance(engine_url, tenant)
        instance(engine_url, f"{tenant}-called", key="called", root=tenant, tenant=tenant)
    overrides = TtlOverride("called", None), TtlOverride("called", 10, tenant="south")
    agree(configured(engine_url, *overrides), engine_url)
    assert left(engine_url) == {"north", "north-called"}


def test_none_below_a_root_leaves_the_tree_without_a_calculated_removal_time(engine_url: str) -> None:
    instance(engine_url, "a")
    decision(engine_url, "a-rated", process="a")
    of = configured(engine_url, TtlOverride("rating", None))
    for hierarchical in (False, True):
        planner = RemovalTimesPlanner(of, InstanceFilter(ids=("a",)), Calculated(), hierarchical=hierarchical)
        assert not carry_out(of, planner)


@pytest.mark.parametrize("before", [5, None], ids=["had", "had-none"])
def test_a_time_to_live_that_is_set_during_a_run_protects_from_then_on(
    engine_url: str, before: int | None
) -> None:
    days = "NULL" if before is None else before
    query(
        engine_url,
        "INSERT INTO ACT_RE_PROCDEF (ID_, KEY_, VERSION_, HISTORY_TTL_, STARTABLE_)"
        f" VALUES ('order:1:a', 'order', 1, {days}, TRUE)",
    )
    for number in range(60):
        instance(engine_url, f"p{number:02}")

    class Set(TestLimits):
        left = 0

        def stop_reason(self) -> str | None:
            if not self.left and len(left(engine_url)) < 60:
                query(engine_url, "UPDATE ACT_RE_PROCDEF SET HISTORY_TTL_ = 3650")
                self.left = len(left(engine_url))
            return super().stop_reason()

    limits = Set()
    of = configured(engine_url)
    carry_out(of, strategy_of(of).plan, cleanup=CleanupSettings(batch_size=10), limits=limits)
    assert 0 < limits.left == len(left(engine_url))
