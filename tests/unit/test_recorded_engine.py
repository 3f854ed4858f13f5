"""Answers of the real engine code (Camunda 7.24), recorded where no change of the clocks plays a part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.jobs.scheduler import Reason, plan_after_run
from tests.support.windows import a_job, at, shown, windows

if TYPE_CHECKING:
    from cleanupctl.core.windows.windows import BatchWindows

REASONS = {
    "now": Reason.FULL,
    "delayed": Reason.BACK_OFF,
    "next_window": Reason.NEXT_WINDOW,
    "suspend": Reason.NO_WINDOW,
}


def recorded(name: str) -> list[Any]:
    """Cases of one file, one a line."""
    lines = (Path(__file__).parent / "recorded" / name).read_text(encoding="utf-8").splitlines()
    return [pytest.param(case := json.loads(line), id=f"{case['zone']} {case['now']}") for line in lines]


def configured(case: dict[str, Any]) -> BatchWindows:
    """The batch windows of a case."""
    return windows(case["general"], zone=ZoneInfo(case["zone"]), **case["days"])


def pair(window: list[str] | None) -> tuple[str, ...] | None:
    """A window as it is recorded, in the form of `shown`."""
    return tuple(window) if window else None


@pytest.mark.parametrize("case", recorded("windows.jsonl"))
def test_windows_are_those_of_the_engine(case: dict[str, Any]) -> None:
    found, now, zone = configured(case), at(case["now"]), ZoneInfo(case["zone"])
    assert shown(found.current_or_next(now), zone) == pair(case["current_or_next"])
    assert shown(found.next(now), zone) == pair(case["next"])


@pytest.mark.parametrize("case", recorded("reschedulings.jsonl"))
def test_a_job_is_due_again_when_it_is_in_the_engine(case: dict[str, Any]) -> None:
    job = a_job(empty_runs=case["empty_runs"], immediately_due=case["immediately_due"])
    full = case["decision"] == "now"
    after = plan_after_run(job, now=at(case["now"]), windows=configured(case), retries=3, full=full)
    assert after.reason is REASONS[case["decision"]]
    # without a window the engine leaves the due date as it was
    assert after.job.due_date == (at(case["due"]) if case["due"] else job.due_date)
    assert after.job.empty_runs == case["empty_runs_after"]
    assert after.job.suspended == (case["decision"] == "suspend")
