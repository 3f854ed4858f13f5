"""The executor on a real store with fixed clocks: what runs, when it stops, what is written."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError, StoreError
from cleanupctl.core.job import LogState, Removed
from cleanupctl.core.run.events import JobEnded, RunTotals
from cleanupctl.core.run.log_history import JobLogHistory
from cleanupctl.core.settings import ThrottleSettings
from tests.support.cursors import database

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleanupctl.core.job import Job

from tests.support.house import ALL_DAY, NIGHT, NOON, House, PretendHistory


def test_nothing_happens_when_nothing_is_due(house: Callable[..., House]) -> None:
    one = house(NIGHT)
    one.schedule(immediately_due=False)
    history = PretendHistory(rows=5)
    assert one.run(history) == []
    assert history.rows == 5


def test_a_job_without_a_window_is_suspended_after_it_ran(house: Callable[..., House]) -> None:
    one = house()
    one.schedule()
    history = PretendHistory(rows=25)
    one.run(history)
    (job,) = one.store.jobs()
    assert history.rows == 0
    assert job.suspended
    assert job.lock_owner is None
    assert one.log() == [(LogState.SUCCESSFUL, "finished", 25)]


def test_within_the_window_a_job_that_is_done_looks_again_after_ten_seconds(
    house: Callable[..., House],
) -> None:
    one = house(ALL_DAY)
    one.schedule(immediately_due=False)
    one.run(PretendHistory(rows=5))
    (job,) = one.store.jobs()
    assert (job.due_date, job.empty_runs, job.suspended) == (NOON + timedelta(seconds=10), 1, False)


def test_a_job_due_outside_its_window_deletes_nothing_and_moves_to_the_next(
    house: Callable[..., House],
) -> None:
    one = house(ALL_DAY)
    one.schedule(immediately_due=False)
    one.settings = replace(one.settings, windows=replace(one.settings.windows, general=NIGHT))
    history = PretendHistory(rows=5)
    one.run(history)
    (job,) = one.store.jobs()
    assert history.rows == 5
    assert job.due_date == NOON.replace(hour=22)
    assert one.log() == [(LogState.SUCCESSFUL, "outside-window", 0)]


def test_a_run_ends_with_the_window_at_the_end_of_a_batch(house: Callable[..., House]) -> None:
    one = house(NIGHT)
    one.clock.now = NOON.replace(hour=5, minute=59, second=50)
    one.schedule(immediately_due=False)
    history = PretendHistory(rows=100, before_batch=lambda: one.clock.pass_(timedelta(seconds=4)))
    one.run(history)
    (job,) = one.store.jobs()
    assert history.rows == 80
    assert job.due_date == NOON.replace(hour=22)
    assert one.log() == [(LogState.SUCCESSFUL, "window-end", 20)]


def test_an_immediately_due_job_ignores_the_window(house: Callable[..., House]) -> None:
    one = house(NIGHT)
    one.schedule()
    history = PretendHistory(rows=30)
    one.run(history)
    (job,) = one.store.jobs()
    assert history.rows == 0
    assert job.due_date == NOON.replace(hour=22)


def test_max_rows_leaves_the_job_due_now(house: Callable[..., House]) -> None:
    one = house(NIGHT)
    one.schedule()
    history = PretendHistory(rows=100)
    one.run(history, max_rows=25)
    (job,) = one.store.jobs()
    assert history.rows == 75
    assert job.due_date == NOON
    assert one.log() == [(LogState.SUCCESSFUL, "max-rows", 25)]


def test_a_run_that_passed_its_limit_with_the_last_rows_takes_no_job_again(
    house: Callable[..., House],
) -> None:
    one = house(NIGHT)
    one.schedule()
    history = PretendHistory(rows=100, along=9)
    one.run(history, max_rows=25)
    assert history.rows == 84
    assert one.log() == [(LogState.SUCCESSFUL, "max-rows", 16 + 2 * 9)]


def test_a_run_ends_when_the_store_shows_a_job_and_does_not_give_it(house: Callable[..., House]) -> None:
    one = house(NIGHT)
    one.schedule()

    def schedule_and_break() -> None:
        history.before_batch = lambda: None
        one.schedule()
        with database(f"sqlite:///{one.store.url.database}") as cursor:
            cursor.execute(
                "CREATE TRIGGER no_lease BEFORE UPDATE ON cleanupctl_job WHEN new.lock_owner IS NOT NULL"
                " BEGIN SELECT RAISE(IGNORE); END"
            )

    history = PretendHistory(rows=30, before_batch=schedule_and_break)
    with pytest.raises(StoreError, match="does not let it be taken"):
        one.run(history)
    assert one.log() == [(LogState.SUCCESSFUL, "finished", 30)]


def test_max_runtime_leaves_the_job_due_now(house: Callable[..., House]) -> None:
    one = house(NIGHT)
    one.schedule()
    history = PretendHistory(rows=100, before_batch=lambda: one.clock.pass_(timedelta(seconds=4)))
    one.run(history, max_runtime=timedelta(seconds=10))
    assert history.rows == 80
    assert one.log()[0][1] == "max-runtime"
    assert one.store.jobs()[0].due_date == one.clock.now


def test_being_asked_to_stop_ends_the_run_at_the_end_of_a_batch(house: Callable[..., House]) -> None:
    one = house(NIGHT)
    one.schedule()

    def ask_after_two() -> None:
        if history.rows == 80:
            one.asked = "signal"

    history = PretendHistory(rows=100, before_batch=ask_after_two)
    one.run(history)
    assert history.rows == 80
    assert one.log() == [(LogState.SUCCESSFUL, "signal", 20)]
    assert one.store.jobs()[0].lock_owner is None


def test_one_failing_history_does_not_stop_the_others(house: Callable[..., House]) -> None:
    one = house(NIGHT)
    one.schedule()
    good = PretendHistory("good", rows=15)
    bad = PretendHistory("bad", error=HistoryUnreachableError("bad is not reachable"))
    broken = PretendHistory("worse", table_error=HistoryError("no such column"))
    one.run(bad, broken, good)
    (job,) = one.store.jobs()
    assert good.rows == 0
    assert job.retries == 2
    assert job.exception_message == "bad: bad is not reachable\nworse, table broken: no such column"
    assert "HistoryUnreachableError" in (job.exception_stacktrace or "")
    assert job.due_date == NOON + timedelta(seconds=30)
    assert one.log() == [(LogState.FAILED, "finished", 15)]


def test_a_bug_in_a_history_costs_a_retry_and_no_job(house: Callable[..., House]) -> None:
    one = house(NIGHT)
    one.schedule()
    one.run(PretendHistory(error=ZeroDivisionError("division by zero")))
    (job,) = one.store.jobs()
    assert (job.retries, job.exception_message) == (2, "pretend: ZeroDivisionError: division by zero")


def throttled(one: House, history: PretendHistory, **throttle: object) -> tuple[RunTotals, list[float]]:
    """Run with a throttle; returns the account and every pause, which the clock takes for passed."""
    pauses: list[float] = []
    one.settings = replace(one.settings, throttle=ThrottleSettings(**throttle))  # type: ignore[arg-type]
    one.wait = lambda seconds: (pauses.append(seconds), one.clock.pass_(timedelta(seconds=seconds)))[0]
    one.schedule()
    account = RunTotals()
    for event in one.run(history):
        account.add_run(event)
    return account, pauses


def test_a_duty_cycle_rests_after_each_batch(house: Callable[..., House]) -> None:
    account, pauses = throttled(house(NIGHT), PretendHistory(rows=30), duty_cycle=0.25)
    # Batches of the pretended history take 10 ms.
    assert pauses == pytest.approx([0.03] * 3)
    assert account.waited == {"duty-cycle": 90}


def test_a_long_pause_gives_signs_of_life(house: Callable[..., House]) -> None:
    history = PretendHistory(rows=10)
    account, pauses = throttled(house(NIGHT), history, duty_cycle=0.0002)
    assert pauses == pytest.approx([20.0, 20.0, 9.99])
    assert history.signs_of_life == 3
    assert account.waited == {"duty-cycle": 49990}


def test_a_rate_is_kept_on_average_and_batches_are_no_larger_than_a_second_of_it(
    house: Callable[..., House],
) -> None:
    account, pauses = throttled(house(NIGHT), PretendHistory(rows=20), rows_per_second=5)
    assert pauses == pytest.approx([1.0] * 4)
    assert account.waited == {"rows-per-second": 4000}


def test_no_batch_is_begun_while_the_load_is_too_high(house: Callable[..., House]) -> None:
    one = house(NIGHT)
    loads = iter([9.0, 1.0, 9.0, 9.0, 1.0])
    history, rows = PretendHistory(rows=20), []
    one.load = lambda: (rows.append(history.rows), next(loads, 1.0))[1]
    account, pauses = throttled(one, history, max_load=4.0)
    assert rows == [20, 20, 10, 10, 10, 0]
    assert pauses == [1.0] * 3
    assert account.waited == {"load": 3000}


def test_no_batch_is_begun_while_a_replica_is_too_far_behind(house: Callable[..., House]) -> None:
    one = house(NIGHT)
    lags, rows = iter([30.0, 3.0, 30.0, math.inf, 3.0]), []
    history = PretendHistory(rows=20)
    history.replica_lag = lambda: (rows.append(history.rows), next(lags, 0.0))[1]
    # Batches of the pretended history take no time on this clock: each must be followed by a second look.
    history.before_batch = lambda: one.clock.pass_(timedelta(seconds=2))
    account, pauses = throttled(one, history, max_replica_lag=timedelta(seconds=10))
    assert rows == [20, 20, 10, 10, 10, 0]
    assert pauses == [1.0] * 3
    assert account.waited == {"replica-lag": 3000}


@pytest.mark.parametrize("throttle", [{"max_load": 4.0}, {"max_replica_lag": timedelta(seconds=10)}])
def test_the_window_ends_also_for_a_run_that_holds_back(
    throttle: dict[str, object], house: Callable[..., House]
) -> None:
    one = house(NIGHT)
    one.schedule(immediately_due=False)
    one.clock.now = datetime(2024, 6, 16, 5, 59, 57, tzinfo=UTC)
    one.load = lambda: 9.0
    history = PretendHistory(rows=20, replica_lag=lambda: math.inf)
    one.settings = replace(one.settings, throttle=ThrottleSettings(**throttle))  # type: ignore[arg-type]
    one.wait = lambda seconds: one.clock.pass_(timedelta(seconds=seconds))
    one.run(history)
    assert history.rows == 20
    assert one.clock.now == datetime(2024, 6, 16, 6, 0, tzinfo=UTC)
    assert one.log() == [(LogState.SUCCESSFUL, "window-end", 0)]


def test_a_lag_that_cannot_be_known_fails_the_history_before_anything_is_deleted(
    house: Callable[..., House],
) -> None:
    def unknown() -> float:
        raise HistoryError("this login may not see it")

    one, history = house(NIGHT), PretendHistory(rows=20, replica_lag=unknown)
    throttled(one, history, max_replica_lag=timedelta(seconds=10))
    assert history.rows == 20
    assert one.store.jobs()[0].exception_message == "pretend: this login may not see it"


def test_no_password_reaches_the_job_or_its_log(house: Callable[..., House]) -> None:
    one = house(NIGHT)
    one.settings = replace(one.settings, store=replace(one.settings.store, password="p@ss/word"))
    one.schedule()
    one.run(PretendHistory(error=ValueError("could not parse mysql://me:p%40ss%2Fword@db/x or p@ss/word")))
    (job,) = one.store.jobs()
    (entry,) = one.store.log(states=[LogState.FAILED])
    for text in (job.exception_message, job.exception_stacktrace, entry.exception_stacktrace):
        assert text
        assert "***" in text
        assert "p@ss/word" not in text
        assert "p%40ss%2Fword" not in text


def test_without_retries_left_a_job_waits_for_a_person(house: Callable[..., House]) -> None:
    one = house(NIGHT, retries=1)
    one.schedule()
    bad = PretendHistory("bad", error=HistoryError("no"))
    one.run(bad)
    one.clock.pass_(timedelta(days=10))
    assert one.run(bad) == []
    assert one.store.jobs()[0].retries == 0


def test_several_jobs_run_at_the_same_time_and_each_is_logged(house: Callable[..., House]) -> None:
    one = house(NIGHT, parallelism=3)
    one.schedule()
    history = PretendHistory()
    events = one.run(history)
    assert len([event for event in events if isinstance(event, JobEnded)]) == 3
    assert len(history.threads) == 3
    assert len({entry.job_id for entry in one.store.log(states=[LogState.SUCCESSFUL])}) == 3


def test_an_executor_whose_job_was_taken_over_writes_only_the_log(house: Callable[..., House]) -> None:
    one = house(NIGHT)
    one.schedule()
    history = PretendHistory(rows=10, before_batch=one.schedule)
    (ended,) = [event for event in one.run(history, max_rows=10) if isinstance(event, JobEnded)][:1]
    assert not ended.held
    (job,) = one.store.jobs()
    assert (job.due_date, job.lock_owner) == (NOON, None)
    assert one.log()[-1] == (LogState.SUCCESSFUL, "finished", 10)


def test_a_lease_counts_from_before_it_was_asked_for(
    house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = house(NIGHT)
    one.schedule()
    acquire = one.store.acquire

    def be_suspended_afterwards(*arguments: Any, **options: Any) -> Job | None:
        job = acquire(*arguments, **options)
        one.clock.pass_(one.settings.cleanup.lease)
        return job

    monkeypatch.setattr(one.store, "acquire", be_suspended_afterwards)
    history = PretendHistory(rows=10)
    one.run(history)
    assert history.rows == 10
    assert one.log() == [(LogState.SUCCESSFUL, "lease-lost", 0)]


def test_a_run_of_one_history_leaves_the_job_due_for_the_others(house: Callable[..., House]) -> None:
    one = house(NIGHT)
    one.schedule()
    history = PretendHistory(rows=10)
    one.run(history, keep_due_date=True)
    assert history.rows == 0
    (job,) = one.store.jobs()
    assert (job.due_date, job.suspended) == (NOON, False)


def test_the_job_log_is_cleaned_by_its_own_time_to_live(house: Callable[..., House]) -> None:
    one = house(NIGHT)
    for _ in range(4):
        one.schedule()
        one.run()
        one.clock.pass_(timedelta(days=20))
    one.schedule()
    events = one.run(JobLogHistory(one.store, 30, ZoneInfo("UTC")))
    account = RunTotals()
    for event in events:
        account.add_run(event)
    # Entries of days 0, 20, 40 and 60 (and the creation on day 0) on day 80.
    assert account.removed() == (Removed("job-log", "job_log", 4),)
    assert one.store.log_count() == 2
