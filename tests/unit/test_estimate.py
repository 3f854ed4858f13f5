"""How long a backlog takes within the windows, and whether the inflow outruns it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanupctl.core.estimate.forecast import HORIZON, estimate, gain
from cleanupctl.core.windows.windows import Window

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)


def nights(hours: float = 10, days: int = 366) -> list[Window]:
    """Windows that open at 20:00 UTC."""
    first = NOW.replace(hour=20)
    return [Window(first + timedelta(days=n), first + timedelta(days=n, hours=hours)) for n in range(days)]


def test_without_windows_the_backlog_takes_its_rows_by_the_rate() -> None:
    found = estimate(
        backlog=36_000, inflow_per_day=0, rows_per_second=10, parallelism=2, occurrences=(), now=NOW
    )
    assert found.seconds_of_work == 3600
    assert found.finished == NOW + timedelta(hours=1)
    assert found.keeps_up


def test_work_goes_on_only_within_the_windows() -> None:
    # 10 rows a second in ten hours are 360,000 a night.
    found = estimate(
        backlog=540_000,
        inflow_per_day=0,
        rows_per_second=10,
        parallelism=1,
        occurrences=nights(),
        now=NOW,
    )
    assert found.finished == NOW.replace(hour=20) + timedelta(days=1, hours=5)
    assert found.open_seconds_per_day == pytest.approx(36_000)


def test_an_inflow_larger_than_the_nights_never_ends_and_says_how_many_jobs_would_do() -> None:
    found = estimate(
        backlog=1_000,
        inflow_per_day=540_000,
        rows_per_second=10,
        parallelism=1,
        occurrences=nights(),
        now=NOW,
    )
    assert (found.finished, found.keeps_up, found.parallelism_needed) == (None, False, 3)


def test_more_jobs_than_there_can_be_are_not_promised() -> None:
    found = estimate(
        backlog=1, inflow_per_day=10**9, rows_per_second=1, parallelism=8, occurrences=nights(), now=NOW
    )
    assert found.parallelism_needed is None


@given(
    backlog=st.integers(0, 10**8),
    inflow=st.floats(0, 10**7),
    rate=st.floats(1, 10**5),
    hours=st.floats(0.5, 24),
)
def test_more_jobs_never_finish_later(backlog: int, inflow: float, rate: float, hours: float) -> None:
    one, two = (
        estimate(
            backlog=backlog,
            inflow_per_day=inflow,
            rows_per_second=rate * gain(jobs),
            parallelism=jobs,
            occurrences=nights(hours),
            now=NOW,
        )
        for jobs in (1, 2)
    )
    if one.finished is not None:
        assert two.finished is not None
        assert NOW <= two.finished <= one.finished <= NOW + HORIZON + timedelta(days=1)
