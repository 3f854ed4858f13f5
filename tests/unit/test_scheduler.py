from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanupctl.core.errors import ExitCode, InvalidValueError, NotFoundError
from cleanupctl.core.jobs.scheduler import (
    MAX_PARALLELISM,
    Reason,
    Rescheduled,
    SchedulePlan,
    backoff,
    due_date,
    may_run,
    minute_range,
    plan_after_failure,
    plan_after_run,
    plan_schedule,
    run_ends,
)
from tests.support.windows import a_job, at, windows

if TYPE_CHECKING:
    from cleanupctl.core.job import Job
    from cleanupctl.core.windows.windows import BatchWindows

NONE = windows()
NIGHTLY = windows(("20:00", "06:00"))
NOON = at("2024-01-10T12:00")
NIGHT = at("2024-01-10T23:00")
TONIGHT = at("2024-01-10T20:00")
TOMORROW = at("2024-01-11T20:00")


def schedule(existing: list[Job], configured: BatchWindows = NIGHTLY, **changes: Any) -> SchedulePlan:
    """Schedule three jobs, not immediately due, at noon."""
    numbers = count()
    values: dict[str, Any] = {
        "parallelism": 3,
        "retries": 5,
        "priority": 7,
        "immediately_due": False,
        "now": NOON,
        "windows": configured,
        "new_id": lambda: f"new-{next(numbers)}",
    }
    return plan_schedule(existing, **values | changes)


def some_jobs(number: int, **changes: Any) -> list[Job]:
    """Jobs as an earlier scheduling and some executions left them."""
    return [a_job(id=f"job-{each}", number=each, **changes) for each in range(number)]


@pytest.mark.parametrize(
    ("parallelism", "ranges"),
    [
        (1, [(0, 59)]),
        (2, [(0, 29), (30, 59)]),
        (3, [(0, 19), (20, 39), (40, 59)]),
        (4, [(0, 14), (15, 29), (30, 44), (45, 59)]),
        (5, [(0, 11), (12, 23), (24, 35), (36, 47), (48, 59)]),
        (6, [(0, 9), (10, 19), (20, 29), (30, 39), (40, 49), (50, 59)]),
        (7, [(0, 7), (8, 15), (16, 23), (24, 31), (32, 39), (40, 47), (48, 59)]),
        (8, [(0, 6), (7, 13), (14, 20), (21, 27), (28, 34), (35, 41), (42, 48), (49, 59)]),
    ],
)
def test_the_minutes_of_the_hour_are_shared_out_as_in_the_engines(
    parallelism: int, ranges: list[tuple[int, int]]
) -> None:
    assert [minute_range(number, parallelism) for number in range(parallelism)] == ranges


@pytest.mark.parametrize("parallelism", [-1, 0, MAX_PARALLELISM + 1])
def test_a_parallelism_out_of_bounds_is_refused(parallelism: int) -> None:
    with pytest.raises(InvalidValueError, match="1 to 8"):
        schedule([], parallelism=parallelism)
    with pytest.raises(InvalidValueError, match="1 to 8"):
        minute_range(0, parallelism)


def test_the_back_off_doubles_from_10_seconds_to_an_hour() -> None:
    seconds = [backoff(runs).total_seconds() for runs in range(11)]
    assert seconds == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]
    assert backoff(10**9) == timedelta(hours=1)
    assert backoff(-1) == timedelta(seconds=10)


def test_immediately_due_is_now_whatever_the_windows() -> None:
    for configured in (NONE, NIGHTLY):
        assert due_date(NOON, configured, immediately_due=True) == NOON


def test_not_immediately_due_is_the_start_of_the_current_or_next_window() -> None:
    assert due_date(NOON, NIGHTLY, immediately_due=False) == TONIGHT
    # inside the window that is in the past, so the job is due
    assert due_date(NIGHT, NIGHTLY, immediately_due=False) == TONIGHT
    assert due_date(NOON, NONE, immediately_due=False) is None


def test_due_dates_are_in_utc_and_cut_to_the_millisecond() -> None:
    now = datetime.fromisoformat("2024-01-10T12:00:00.123999+01:00")
    due = due_date(now, NONE, immediately_due=True)
    assert due == datetime(2024, 1, 10, 11, 0, 0, 123_000, tzinfo=UTC)
    assert due.tzinfo is UTC


def test_scheduling_without_jobs_creates_one_per_degree_of_parallelism() -> None:
    plan = schedule([])
    assert (plan.updated, plan.removed) == ((), ())
    assert [(job.id, job.number) for job in plan.created] == [("new-0", 0), ("new-1", 1), ("new-2", 2)]
    for job in plan.created:
        assert (job.due_date, job.create_time) == (TONIGHT, NOON)
        assert (job.retries, job.priority, job.empty_runs) == (5, 7, 0)
        assert (job.suspended, job.immediately_due) == (False, False)
        assert (job.exception_message, job.lock_owner, job.lock_expiration) == (None, None, None)


def test_jobs_that_exist_are_reconfigured_and_made_well_again() -> None:
    old = some_jobs(3, suspended=True, retries=0, immediately_due=True, revision=9)
    plan = schedule(old)
    assert (plan.created, plan.removed) == ((), ())
    assert plan.updated == tuple(
        replace(
            job,
            due_date=TONIGHT,
            retries=5,
            suspended=False,
            priority=7,
            immediately_due=False,
            empty_runs=0,
            exception_message=None,
            exception_stacktrace=None,
            lock_owner=None,
            lock_expiration=None,
        )
        for job in old
    )


def test_more_parallelism_adds_the_missing_jobs() -> None:
    plan = schedule(some_jobs(4), parallelism=8)
    assert [job.number for job in plan.updated] == [0, 1, 2, 3]
    assert [job.number for job in plan.created] == [4, 5, 6, 7]
    assert plan.removed == ()


def test_less_parallelism_removes_the_surplus_and_renumbers_the_rest() -> None:
    old = some_jobs(4)[1:]
    plan = schedule(old, parallelism=1)
    assert [(job.id, job.number) for job in plan.updated] == [("job-1", 0)]
    assert plan.created == ()
    assert plan.removed == tuple(old[1:])


def test_without_a_window_jobs_are_suspended_without_due_date_and_otherwise_left_alone() -> None:
    old = some_jobs(4)
    plan = schedule(old, NONE)
    assert plan.updated == tuple(replace(job, suspended=True, due_date=None) for job in old)
    assert (plan.created, plan.removed) == ((), ())


def test_without_a_window_and_without_jobs_the_error_says_how_to_set_a_window() -> None:
    with pytest.raises(NotFoundError, match="`cleanupctl window set 22:00 06:00`") as refused:
        schedule([], NONE)
    assert refused.value.exit_code == ExitCode.NOT_FOUND


def test_without_a_window_immediately_due_jobs_are_created_all_the_same() -> None:
    plan = schedule([], NONE, immediately_due=True)
    assert [(job.due_date, job.immediately_due) for job in plan.created] == [(NOON, True)] * 3


@given(st.integers(0, 12), st.integers(1, 8), st.booleans())
def test_scheduling_leaves_exactly_as_many_jobs_as_asked_for(
    existing: int, parallelism: int, now: bool
) -> None:
    old = some_jobs(existing)
    plan = schedule(old, parallelism=parallelism, immediately_due=now)
    jobs = [*plan.updated, *plan.created]
    assert [job.number for job in jobs] == list(range(parallelism))
    assert len({job.id for job in jobs}) == parallelism
    assert len({job.due_date for job in jobs}) == 1
    assert [job.id for job in (*plan.updated, *plan.removed)] == [job.id for job in old]
    # and doing it again changes nothing
    again = schedule(jobs, parallelism=parallelism, immediately_due=now)
    assert again == SchedulePlan(updated=tuple(jobs))


def after_run(job: Job, now: datetime, configured: BatchWindows, *, full: bool = False) -> Rescheduled:
    """Reschedule after a run, with five retries by default."""
    return plan_after_run(job, now=now, windows=configured, retries=5, full=full)


def outcome(after: Rescheduled) -> tuple[datetime | None, int, bool, Reason]:
    """What matters of a rescheduled job."""
    return after.job.due_date, after.job.empty_runs, after.job.suspended, after.reason


def test_a_full_run_is_due_again_now_also_outside_the_windows() -> None:
    for now in (NOON, NIGHT):
        assert outcome(after_run(a_job(), now, NIGHTLY, full=True)) == (now, 0, False, Reason.FULL)


def test_a_run_that_found_little_looks_again_after_the_back_off() -> None:
    after = after_run(a_job(empty_runs=0), NIGHT, NIGHTLY)
    assert outcome(after) == (NIGHT + timedelta(seconds=10), 1, False, Reason.BACK_OFF)
    after = after_run(a_job(empty_runs=10), NIGHT, NIGHTLY)
    assert outcome(after) == (NIGHT + timedelta(hours=1), 11, False, Reason.BACK_OFF)


def test_a_back_off_that_leaves_the_window_waits_for_the_next() -> None:
    half_an_hour = windows(("23:00", "23:30"))
    after = after_run(a_job(empty_runs=8), NIGHT, half_an_hour)
    assert outcome(after) == (at("2024-01-11T23:00"), 0, False, Reason.NEXT_WINDOW)
    # the end itself is outside
    after = after_run(a_job(empty_runs=0), at("2024-01-10T23:29:50"), half_an_hour)
    assert after.reason is Reason.NEXT_WINDOW
    after = after_run(a_job(empty_runs=0), at("2024-01-10T23:29:49.999"), half_an_hour)
    assert after.reason is Reason.BACK_OFF


def test_a_back_off_that_leads_into_a_window_that_touches_stays() -> None:
    whole_days = windows(("00:00", "00:00"))
    after = after_run(a_job(empty_runs=9), at("2024-01-10T23:30"), whole_days)
    assert outcome(after) == (at("2024-01-11T00:30"), 10, False, Reason.BACK_OFF)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2024-01-10T01:10", "2024-01-10T23:00"),
        ("2024-01-10T22:10", "2024-01-10T23:00"),
        ("2024-01-10T23:10", "2024-01-10T23:10:10"),
        ("2024-01-11T00:10", "2024-01-11T00:10:10"),
    ],
)
def test_around_midnight_the_window_of_the_evening_counts(now: str, due: str) -> None:
    after = after_run(a_job(empty_runs=0), at(now), windows(("23:00", "01:00")))
    assert after.job.due_date == at(due)


def test_outside_the_windows_a_run_waits_for_the_next_and_forgets_its_short_runs() -> None:
    assert outcome(after_run(a_job(), NOON, NIGHTLY)) == (TONIGHT, 0, False, Reason.NEXT_WINDOW)


def test_an_immediately_due_job_stays_so_and_waits_for_the_next_window() -> None:
    after = after_run(a_job(immediately_due=True), NOON, NIGHTLY)
    assert outcome(after) == (TONIGHT, 0, False, Reason.NEXT_WINDOW)
    assert after.job.immediately_due


def test_without_a_window_a_job_is_suspended_and_keeps_its_due_date() -> None:
    job = a_job(immediately_due=True)
    assert outcome(after_run(job, NOON, NONE)) == (job.due_date, 0, True, Reason.NO_WINDOW)


@pytest.mark.parametrize(("now", "configured"), [(NOON, NIGHTLY), (NIGHT, NIGHTLY), (NOON, NONE)])
@pytest.mark.parametrize("full", [True, False])
def test_a_run_without_failure_gives_back_the_retries_and_clears_exception_and_lease(
    now: datetime, configured: BatchWindows, full: bool
) -> None:
    job = after_run(a_job(), now, configured, full=full).job
    assert job.retries == 5
    assert (job.exception_message, job.exception_stacktrace) == (None, None)
    assert (job.lock_owner, job.lock_expiration) == (None, None)


def after_failure(
    job: Job, now: datetime, configured: BatchWindows = NIGHTLY, jitter: float = 0
) -> Rescheduled:
    """Reschedule after a failure, with five retries by default."""
    return plan_after_failure(
        job,
        now=now,
        windows=configured,
        retries=5,
        jitter=lambda: jitter,
        message="no connection",
        stacktrace="Traceback: no connection",
    )


def test_a_failure_costs_a_retry_and_keeps_what_went_wrong() -> None:
    after = after_failure(a_job(retries=3), NIGHT)
    assert after.reason is Reason.RETRY
    assert after.job.retries == 2
    assert after.job.exception_message == "no connection"
    assert after.job.exception_stacktrace == "Traceback: no connection"
    assert after.job.empty_runs == 3
    assert (after.job.lock_owner, after.job.suspended) == (None, False)


def test_better_than_the_engine_each_attempt_waits_twice_as_long() -> None:
    waits = [after_failure(a_job(retries=left), NIGHT).job.due_date for left in (5, 4, 3, 2)]
    assert waits == [NIGHT + timedelta(seconds=seconds) for seconds in (30, 60, 120, 240)]
    # a person may have given it more retries than it has by default
    assert after_failure(a_job(retries=9), NIGHT).job.due_date == NIGHT + timedelta(seconds=30)


def test_the_wait_is_an_hour_at_most() -> None:
    after = plan_after_failure(
        a_job(retries=2), now=NIGHT, windows=NIGHTLY, retries=10**6, jitter=lambda: 0, message="no"
    )
    assert after.job.due_date == NIGHT + timedelta(hours=1)


def test_jitter_shortens_the_wait_by_half_at_most() -> None:
    waits = [after_failure(a_job(retries=5), NIGHT, jitter=part).job.due_date for part in (0, 0.5, 1)]
    assert waits == [NIGHT + timedelta(seconds=seconds) for seconds in (30, 22.5, 15)]


def test_a_retry_beyond_the_window_waits_for_the_next() -> None:
    last_seconds = at("2024-01-11T05:59:45")
    assert after_failure(a_job(retries=5), last_seconds).job.due_date == TOMORROW
    # half the wait is still inside
    assert after_failure(a_job(retries=5), at("2024-01-11T05:59:44"), jitter=1).job.due_date == at(
        "2024-01-11T05:59:59"
    )


def test_a_retry_of_an_immediately_due_job_ignores_the_windows() -> None:
    after = after_failure(a_job(retries=5, immediately_due=True), NOON)
    assert after.job.due_date == NOON + timedelta(seconds=30)


def test_without_a_window_a_retry_comes_all_the_same() -> None:
    assert after_failure(a_job(retries=5), NOON, NONE).job.due_date == NOON + timedelta(seconds=30)


@pytest.mark.parametrize("left", [1, 0])
def test_the_last_retry_used_up_leaves_the_due_date_and_the_job_waits(left: int) -> None:
    job = a_job(retries=left)
    after = after_failure(job, NIGHT)
    assert after.reason is Reason.NO_RETRIES
    assert (after.job.retries, after.job.due_date, after.job.suspended) == (0, job.due_date, False)


def test_a_job_may_run_inside_a_window_or_when_it_is_immediately_due() -> None:
    assert may_run(a_job(), NIGHT, NIGHTLY)
    assert may_run(a_job(), TONIGHT, NIGHTLY)
    assert not may_run(a_job(), NOON, NIGHTLY)
    assert not may_run(a_job(), at("2024-01-11T06:00"), NIGHTLY)
    assert not may_run(a_job(), NOON, NONE)
    assert may_run(a_job(immediately_due=True), NOON, NONE)


def test_a_run_ends_with_its_window_unless_it_is_immediately_due() -> None:
    assert run_ends(a_job(), NIGHT, NIGHTLY) == at("2024-01-11T06:00")
    assert run_ends(a_job(), NOON, NIGHTLY) == NOON
    assert run_ends(a_job(immediately_due=True), NIGHT, NIGHTLY) is None
