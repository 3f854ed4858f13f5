"""A time to live beyond all calendars: nothing expires, is set or told wrongly, and nothing breaks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.settings import CleanupSettings
from cleanupctl.core.times import LATEST
from cleanupctl.history.camunda.explain.decision import decide
from cleanupctl.history.camunda.explain.facts import load_facts
from cleanupctl.history.camunda.repair.removal_times import RemovalTimesPlanner
from cleanupctl.history.camunda.repair.requests import Absolute, Calculated, InstanceFilter
from cleanupctl.history.kinds import history
from tests.support.camunda.data import fill
from tests.support.camunda.histories import query, settings
from tests.support.camunda.maintenance import carry_out
from tests.support.limits import TestLimits
from tests.support.windows import windows

if TYPE_CHECKING:
    from cleanupctl.core.settings import Strategy

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("strategy", ["end-time", "removal-time"])
def test_instances_of_the_longest_time_to_live_stay_for_ever(engine_url: str, strategy: Strategy) -> None:
    fill(engine_url, expired_instances=10, unexpired_instances=0, now=NOW, unset_instances=10)
    query(engine_url, "UPDATE ACT_RE_PROCDEF SET HISTORY_TTL_ = 2147483647 WHERE KEY_ = 'legacy'")
    configured = replace(settings(engine_url), strategy=strategy)
    legacy = "SELECT ID_ FROM ACT_HI_PROCINST WHERE PROC_DEF_ID_ = 'legacy:1:def' AND END_TIME_ IS NOT NULL"
    before = set(query(engine_url, legacy))
    carry_out(
        configured,
        RemovalTimesPlanner(
            configured, InstanceFilter(finished_before=NOW, without=True), Calculated(), hierarchical=True
        ),
    )
    facts = load_facts(configured, sorted(before)[0][0])
    assert facts is not None
    decision = decide(facts, NOW, windows(("20:00", "06:00")), ZoneInfo("UTC"))
    assert (decision.fate, decision.expires) == ("later", LATEST)
    with history(configured, CleanupSettings()).open() as session:
        list(session.preview(NOW))
        list(session.clean(NOW, TestLimits()))
    assert set(query(engine_url, legacy)) == before


def test_a_removal_time_at_the_end_of_all_calendars_is_told(engine_url: str) -> None:
    fill(engine_url, expired_instances=5, unexpired_instances=0, now=NOW)
    configured, last = settings(engine_url), Absolute(datetime(9999, 12, 31, tzinfo=UTC))
    carry_out(
        configured, RemovalTimesPlanner(configured, InstanceFilter(everything=True), last, hierarchical=True)
    )
    identity = query(engine_url, "SELECT min(ID_) FROM ACT_HI_PROCINST WHERE END_TIME_ IS NOT NULL")[0][0]
    facts = load_facts(configured, identity)
    assert facts is not None
    decision = decide(facts, NOW, windows(("20:00", "06:00")), ZoneInfo("UTC"))
    assert (decision.fate, decision.window) == ("later", None)
