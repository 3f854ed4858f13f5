"""Due dates that no clock of today can have given: a clock was ahead, and has gone back since."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from cleanupctl.core.jobs.scheduler import SchedulePlan, due_date, latest_due
from cleanupctl.core.times import format_instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from cleanupctl.core.job import Job
    from cleanupctl.core.jobs.schedule import Origin
    from cleanupctl.core.settings import Settings
    from cleanupctl.core.store.jobstore import JobStore


def too_late(jobs: Sequence[Job], settings: Settings, now: datetime) -> list[Job]:
    """Return the jobs that are due later than scheduling by `now` (aware) could make them."""
    latest = latest_due(now, settings.windows) + settings.cleanup.max_clock_skew
    return [job for job in jobs if job.due_date is not None and job.due_date > latest and not job.suspended]


def correct(store: JobStore, settings: Settings, now: datetime, origin: Origin) -> Iterator[str]:
    """Have such jobs due in the current or next batch window, and yield a notice for each.

    Without a window nobody knows when they should be due: they are only told of. `now` is aware.
    """
    found = too_late(store.jobs(), settings, now)
    if not found:
        return
    due = due_date(now, settings.windows, immediately_due=False)
    if due is not None:
        decide = partial(_brought_forward, settings=settings, now=now, due=due)
        store.reconfigure(decide, lambda job, state: origin.entry(job, state, now))
    for job in found:
        shown = format_instant(job.due_date, settings.timezone) if job.due_date else ""
        then = (
            "`cleanupctl schedule` sets it right"
            if due is None
            else f"it is due {format_instant(due, settings.timezone)} now"
        )
        yield (
            f"job {job.id[:8]} was not due before {shown}, which nobody whose clock is right can have given:"
            f" a clock was ahead; {then}"
        )


def _brought_forward(
    jobs: Sequence[Job], *, settings: Settings, now: datetime, due: datetime
) -> SchedulePlan:
    """Change only what is still as it was: another host may have been faster."""
    return SchedulePlan(updated=tuple(replace(job, due_date=due) for job in too_late(jobs, settings, now)))
