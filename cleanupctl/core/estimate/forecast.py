"""Planning ahead: how long the backlog takes at the measured rate, and whether the inflow outruns it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cleanupctl.core.jobs.scheduler import MAX_PARALLELISM

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from cleanupctl.core.windows.windows import Window

HORIZON = timedelta(days=366)
DAY_SECONDS = 86_400.0

GAIN = 0.4
"""By this power of their number the rate of jobs grows where it was not measured: two bring a third more."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What will become of the backlog if nothing changes."""

    backlog: int
    """Expired rows now."""
    inflow_per_day: float
    """Rows that expire in a day."""
    rows_per_second: float
    """All jobs together."""
    open_seconds_per_day: float
    """Time within batch windows, on average over the horizon."""
    seconds_of_work: float
    """Time the backlog takes if it could run without a break and nothing came in."""
    finished: datetime | None
    """When nothing expired will be left for the first time; None: not within a year."""
    keeps_up: bool
    """Whether the windows are long enough for the inflow, backlog aside."""
    parallelism_needed: int | None
    """The least number of jobs that keeps up, by the usual gain; None: the most is too few."""


def gain(jobs: int) -> float:
    """How many times the rate of one job that of several usually is."""
    return float(jobs**GAIN)


def estimate(
    *,
    backlog: int,
    inflow_per_day: float,
    rows_per_second: float,
    parallelism: int,
    occurrences: Sequence[Window],
    now: datetime,
    overhead_seconds: float = 0.0,
) -> Estimate:
    """Follow the backlog through the coming batch windows.

    `rows_per_second` is the rate of all `parallelism` jobs together, `overhead_seconds` what an execution
    takes besides deleting.
    `openings` are those within the horizon after `now`, by start; an empty sequence means that cleanup
    is not bound to windows. Rows expire evenly over the day.
    """
    inflow = inflow_per_day / DAY_SECONDS
    spans = [(max(window.start, now), window.end) for window in occurrences] or [(now, now + HORIZON)]
    share = sum((end - start).total_seconds() for start, end in spans) / HORIZON.total_seconds()
    rate_of_one = rows_per_second / gain(parallelism)
    enough = (n for n in range(1, MAX_PARALLELISM + 1) if rate_of_one * gain(n) * share > inflow)
    return Estimate(
        backlog=backlog,
        inflow_per_day=inflow_per_day,
        rows_per_second=rows_per_second,
        open_seconds_per_day=min(share, 1.0) * DAY_SECONDS,
        seconds_of_work=overhead_seconds + backlog / rows_per_second,
        finished=_finish(backlog, inflow, rows_per_second, spans, now),
        keeps_up=rows_per_second * share > inflow,
        parallelism_needed=next(enough, None),
    )


def _finish(
    backlog: float, inflow: float, rate: float, spans: Iterable[tuple[datetime, datetime]], now: datetime
) -> datetime | None:
    left, at = float(backlog), now
    for start, end in spans:
        left += inflow * max(0.0, (start - at).total_seconds())
        begin = max(start, at)
        length = (end - begin).total_seconds()
        net = rate - inflow
        if net > 0 and left <= net * length:
            return begin + timedelta(seconds=left / net)
        left -= net * max(0.0, length)
        at = max(at, end)
    return None
