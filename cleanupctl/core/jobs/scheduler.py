"""Creating, reconfiguring and rescheduling cleanup jobs: decisions only, the store applies them.

Every `now` is aware; the due dates that come out are in UTC, cut to the millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from cleanupctl.core.errors import InvalidValueError, NotFoundError
from cleanupctl.core.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cleanupctl.core.windows.windows import BatchWindows

MAX_PARALLELISM = 8
"""Most cleanup jobs of one job store."""

_MINUTES = 60
_FIRST_BACKOFF = timedelta(seconds=10)
_FIRST_RETRY = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SchedulePlan:
    """What one scheduling makes of the jobs of a store."""

    updated: tuple[Job, ...] = ()
    created: tuple[Job, ...] = ()
    removed: tuple[Job, ...] = ()


class Reason(Enum):
    """Why a job is due when it is due after an execution; the value is a phrase for people."""

    FULL = "there is more to remove"
    BACK_OFF = "little was left, so it looks again within the batch window"
    NEXT_WINDOW = "the next batch window"
    NO_WINDOW = "no batch window is configured, so it is suspended"
    RETRY = "it failed and is tried again"
    UNCHANGED = "only some histories were cleaned, so it stays as due as it was"
    NO_RETRIES = "it failed and has no retries left, so it waits for a person or a new schedule"


@dataclass(frozen=True, slots=True)
class Rescheduled:
    """A job as an execution leaves it, without its lease."""

    job: Job
    reason: Reason


def minute_range(number: int, parallelism: int) -> tuple[int, int]:
    """Return first and last minute of the hour that the engines would give to one of several jobs."""
    check_parallelism(parallelism)
    length = _MINUTES // parallelism
    last = _MINUTES - 1 if number == parallelism - 1 else (number + 1) * length - 1
    return number * length, last


def check_parallelism(parallelism: int) -> None:
    """Raise InvalidValueError unless there can be that many jobs."""
    if not 1 <= parallelism <= MAX_PARALLELISM:
        raise InvalidValueError(f"{parallelism} is not a degree of parallelism: 1 to {MAX_PARALLELISM}")


def backoff(empty_runs: int) -> timedelta:
    """Return how long to wait after a run that found little: 10 s, doubled with each one, at most 1 h."""
    return _doubled(_FIRST_BACKOFF, empty_runs)


def due_date(now: datetime, windows: BatchWindows, immediately_due: bool) -> datetime | None:
    """Return `now`, or the start of the current or next batch window; None when there is no window."""
    if immediately_due:
        return _milliseconds(now)
    window = windows.current_or_next(now)
    return window.start if window else None


def latest_due(now: datetime, windows: BatchWindows) -> datetime:
    """Return the latest due date that scheduling, or rescheduling after an execution, can give at `now`."""
    latest = now + _LONGEST_WAIT
    later = (windows.next(now), windows.current_or_next(latest))
    return max(latest, *(window.start for window in later if window), latest)


def plan_schedule(
    existing: Sequence[Job],
    *,
    parallelism: int,
    retries: int,
    priority: int,
    immediately_due: bool,
    now: datetime,
    windows: BatchWindows,
    new_id: Callable[[], str],
) -> SchedulePlan:
    """Decide how `existing` jobs become `parallelism` jobs with a new due date.

    Without a window, and not immediately due, the jobs are suspended and otherwise left as they
    are, their number included. Raises NotFoundError when there is none either.
    """
    check_parallelism(parallelism)
    due = due_date(now, windows, immediately_due)
    if due is None:
        return _suspend_all(existing)
    kept = (
        replace(
            _unlocked(job),
            number=number,
            due_date=due,
            retries=retries,
            suspended=False,
            priority=priority,
            immediately_due=immediately_due,
            empty_runs=0,
            exception_message=None,
            exception_stacktrace=None,
        )
        for number, job in enumerate(existing[:parallelism])
    )
    created = (
        Job(
            id=new_id(),
            number=number,
            due_date=due,
            retries=retries,
            suspended=False,
            priority=priority,
            immediately_due=immediately_due,
            empty_runs=0,
            create_time=_milliseconds(now),
        )
        for number in range(len(existing), parallelism)
    )
    return SchedulePlan(tuple(kept), tuple(created), tuple(existing[parallelism:]))


def plan_after_run(
    job: Job, *, now: datetime, windows: BatchWindows, retries: int, full: bool
) -> Rescheduled:
    """Decide when a job that has run without failure runs again.

    `full`: it stopped with more to remove. `retries`: what a job has by default, and gets back.
    """
    done = replace(_unlocked(job), retries=retries, exception_message=None, exception_stacktrace=None)
    if full:
        return Rescheduled(_next(done, _milliseconds(now)), Reason.FULL)
    later = now + backoff(job.empty_runs)
    if windows.current(now) and windows.current(later):
        again = replace(done, due_date=_milliseconds(later), suspended=False, empty_runs=job.empty_runs + 1)
        return Rescheduled(again, Reason.BACK_OFF)
    window = windows.next(now)
    if window:
        return Rescheduled(_next(done, window.start), Reason.NEXT_WINDOW)
    # as in the engines it keeps the due date, which shows when it last ran
    return Rescheduled(replace(done, suspended=True, empty_runs=0), Reason.NO_WINDOW)


def plan_after_failure(
    job: Job,
    *,
    now: datetime,
    windows: BatchWindows,
    retries: int,
    jitter: Callable[[], float],
    message: str,
    stacktrace: str | None = None,
) -> Rescheduled:
    """Decide when a job that has failed is tried again: later with each attempt, at most 1 h.

    `retries` is what a job has by default; `jitter` returns a number from 0 to 1, which shortens
    the wait by up to half, so that jobs that failed together do not come back together. The last
    retry used up leaves the due date alone: the job waits for a person.
    """
    failed = replace(
        _unlocked(job),
        retries=max(job.retries - 1, 0),
        exception_message=message,
        exception_stacktrace=stacktrace,
    )
    if not failed.retries:
        return Rescheduled(failed, Reason.NO_RETRIES)
    wait = _doubled(_FIRST_RETRY, max(retries - job.retries, 0)) * (1 - jitter() / 2)
    due = _milliseconds(now + wait)
    if not job.immediately_due:
        window = windows.current_or_next(due)
        due = max(due, window.start) if window else due
    return Rescheduled(replace(failed, due_date=due), Reason.RETRY)


def may_run(job: Job, now: datetime, windows: BatchWindows) -> bool:
    """Whether a due job may remove anything at `now`."""
    return job.immediately_due or windows.current(now) is not None


def run_ends(job: Job, now: datetime, windows: BatchWindows) -> datetime | None:
    """Return the end of the batch window that contains `now`; None when the job ignores windows.

    For a job that may not run it is `now` itself.
    """
    if job.immediately_due:
        return None
    window = windows.current(now)
    return window.end if window else now


def _suspend_all(jobs: Sequence[Job]) -> SchedulePlan:
    if not jobs:
        raise NotFoundError(
            "nothing to schedule: there is no batch window and no cleanup job; set a window with"
            " `cleanupctl window set 22:00 06:00`, or schedule with --immediately-due"
        )
    return SchedulePlan(updated=tuple(replace(job, suspended=True, due_date=None) for job in jobs))


def _next(job: Job, due: datetime) -> Job:
    return replace(job, due_date=due, suspended=False, empty_runs=0)


def _unlocked(job: Job) -> Job:
    return replace(job, lock_owner=None, lock_expiration=None)


def _doubled(first: timedelta, times: int) -> timedelta:
    # 20 doublings are beyond any cap here; many more would overflow
    return min(first * (1 << min(max(times, 0), 20)), _LONGEST_WAIT)


def _milliseconds(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(microsecond=instant.microsecond // 1000 * 1000)
