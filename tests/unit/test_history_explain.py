"""Why an instance is or is not removed, as a pure decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from cleanupctl.core import times
from cleanupctl.core.settings import CamundaSettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history.camunda.explain.decision import Decision, decide
from cleanupctl.history.camunda.strategies.end_time import EndTime
from cleanupctl.history.camunda.strategies.explained import Facts, Instance, Referenced
from cleanupctl.history.camunda.strategies.removal_time import RemovalTime
from tests.support.windows import windows

if TYPE_CHECKING:
    from cleanupctl.history.camunda.strategies.strategy import Strategy

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")
NIGHT = windows(("22:00", "06:00"))
NO_WINDOW = windows()
SETTINGS = CamundaSettings(name="engine", url=parse_url("postgresql://localhost/engine"), timezone=ZONE)
REMOVAL_TIME, END_TIME = RemovalTime(SETTINGS), EndTime(SETTINGS)

ENDED = Instance(
    "process",
    "i",
    "order",
    NOW - timedelta(days=50),
    NOW - timedelta(days=40),
    None,
    30,
    "HISTORY_TTL_ of order:1",
    "cleanupctl history ttl set order P30D gives it one",
)


def facts(instance: Instance, root: Instance | None = None, **changes: Any) -> Facts:
    base = Facts(instance, root or instance, False, REMOVAL_TIME, False, True)
    return replace(base, **changes)


def answer(given_facts: Facts, window: Any = NIGHT) -> Decision:
    return decide(given_facts, NOW, window, ZONE)


def test_what_has_expired_goes_in_the_next_window() -> None:
    removal = times.removal_time(ENDED.end or NOW, 30, ZONE)
    decision = answer(facts(replace(ENDED, removal_time=removal)))
    assert (decision.fate, decision.expires) == ("due", removal)
    assert decision.rule == "the removal time on its row: its end and P30D (HISTORY_TTL_ of order:1)"
    assert decision.window is not None
    assert decision.window.start == datetime(2024, 6, 15, 20, 0, tzinfo=UTC)  # 22:00 in Berlin


def test_without_a_window_only_an_immediate_run_removes_it() -> None:
    decision = answer(facts(replace(ENDED, removal_time=NOW)), NO_WINDOW)
    assert (decision.fate, decision.window) == ("due", None)


def test_what_expires_later_goes_in_the_window_after_that() -> None:
    removal = NOW + timedelta(days=3)
    decision = answer(facts(replace(ENDED, removal_time=removal)))
    assert decision.fate == "later"
    assert decision.window is not None
    assert decision.window.start == datetime(2024, 6, 18, 20, 0, tzinfo=UTC)
    assert "set by hand" in decision.rule


def test_a_removal_time_from_the_start_is_recognised() -> None:
    removal = times.removal_time(ENDED.start or NOW, 30, ZONE)
    assert "its start and P30D" in answer(facts(replace(ENDED, removal_time=removal))).rule


def test_no_removal_time_because_it_runs() -> None:
    decision = answer(facts(replace(ENDED, end=None)))
    assert (decision.fate, decision.window) == ("kept", None)
    assert "still running" in decision.obstacles[0]


def test_no_removal_time_because_there_was_no_time_to_live() -> None:
    untimed = replace(ENDED, ttl=None, ttl_source="definition order:1 has no time to live")
    (obstacle,) = answer(facts(untimed)).obstacles
    assert "want of a time to live (definition order:1 has no time to live)" in obstacle
    assert "set-removal-time" in obstacle


def test_a_child_is_kept_while_its_root_runs() -> None:
    child = replace(ENDED, id="child", removal_time=NOW - timedelta(days=1))
    root = replace(ENDED, id="root", end=None)
    decision = answer(facts(child, root))
    assert decision.fate == "kept"
    assert decision.obstacles == (
        "its root instance root is still running; history of running instances is kept",
    )
    assert answer(facts(child, root, include_unfinished=True)).fate == "due"


def test_a_childs_removal_time_comes_from_its_root() -> None:
    root = replace(ENDED, id="root", ttl=5)
    child = replace(ENDED, id="child", removal_time=times.removal_time(root.end or NOW, 5, ZONE))
    assert "root instance root's end and P5D" in answer(facts(child, root)).rule


def test_a_root_that_is_gone_is_in_the_way() -> None:
    assert "root instance is gone" in answer(facts(ENDED, root_missing=True)).obstacles[0]


def test_cases_are_kept_by_the_removal_time_strategy_only() -> None:
    case = replace(ENDED, kind="case")
    assert answer(facts(case)).fate == "kept"
    assert answer(facts(case, strategy=END_TIME)).fate == "due"


def test_the_end_time_strategy_asks_the_root() -> None:
    child = replace(ENDED, id="child", ttl=1)
    root = replace(ENDED, id="root", ttl=60)
    assert answer(facts(child, root, strategy=END_TIME)).fate == "later"
    assert answer(facts(child, root, strategy=END_TIME, by_root=False)).fate == "due"
    running = replace(root, end=None)
    assert (
        "root instance root is still running" in answer(facts(child, running, strategy=END_TIME)).obstacles[0]
    )


def test_the_end_time_strategy_needs_a_time_to_live() -> None:
    untimed = replace(ENDED, ttl=None, ttl_source="definition order:1 has no time to live")
    decision = answer(facts(untimed, strategy=END_TIME))
    assert (decision.fate, decision.expires) == ("kept", None)
    assert "history ttl set" in decision.obstacles[0]


def test_a_hierarchy_below_which_something_runs_is_kept() -> None:
    decision = answer(facts(ENDED, strategy=END_TIME, tree_runs=True))
    assert decision.fate == "kept"
    assert "an instance below it still runs" in decision.obstacles[0]


def test_a_foreign_key_to_the_row_keeps_it_and_one_to_its_bytes_does_not() -> None:
    expired = replace(ENDED, removal_time=NOW)
    kept = answer(facts(expired, references=(Referenced("act_hi_procinst", "ticket", 1, fatal=True),)))
    assert kept.fate == "kept"
    assert "1 row of act_hi_procinst is referenced by a foreign key of ticket" in kept.obstacles[0]
    goes = answer(facts(expired, references=(Referenced("act_ge_bytearray", "act_ru_job", 2, fatal=False),)))
    assert (goes.fate, goes.obstacles) == ("due", ())
    assert "2 of its rows in act_ge_bytearray stay" in goes.notes[0]


def test_a_closed_window_is_told_and_an_open_one_is_not() -> None:
    expired = facts(replace(ENDED, removal_time=NOW))
    assert "the batch window is closed now" in answer(expired).notes[-1]
    assert answer(expired, windows(("10:00", "20:00"))).notes == ()


@given(
    days=st.integers(0, 400),
    ended=st.one_of(st.none(), st.integers(0, 400)),
    strategy=st.sampled_from([REMOVAL_TIME, END_TIME]),
    removal=st.one_of(st.none(), st.integers(-400, 400)),
)
def test_kept_means_a_reason_and_anything_else_a_moment(
    days: int, ended: int | None, strategy: Strategy, removal: int | None
) -> None:
    instance = replace(
        ENDED,
        ttl=days,
        end=None if ended is None else NOW - timedelta(days=ended),
        removal_time=None if removal is None else NOW + timedelta(days=removal),
    )
    decision = answer(facts(instance, strategy=strategy))
    assert (decision.fate == "kept") == bool(decision.obstacles)
    if decision.fate != "kept":
        assert decision.expires is not None
        assert (decision.expires <= NOW) == (decision.fate == "due")
        assert decision.window is not None
        assert decision.window.end > max(decision.expires, NOW)
