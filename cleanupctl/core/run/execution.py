"""One execution of a job: its histories cleaned one after the other, its end recorded once."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from cleanupctl.core.errors import StoreError
from cleanupctl.core.job import LogState
from cleanupctl.core.jobs import lease
from cleanupctl.core.jobs.scheduler import Reason, Rescheduled, may_run, plan_after_failure, plan_after_run
from cleanupctl.core.resources import exhausted
from cleanupctl.core.retry import retry
from cleanupctl.core.run.cleaning import Event, Failed, Stopped
from cleanupctl.core.run.clocks import refuse
from cleanupctl.core.run.events import (
    FINISHED,
    MORE_TO_DO,
    OUTSIDE_WINDOW,
    JobEnded,
    JobProgress,
    RunEvent,
    RunTotals,
    Throttled,
)
from cleanupctl.core.run.failures import failure_message, failure_stacktrace
from cleanupctl.core.run.governed import Pause, governed
from cleanupctl.core.run.limits import ExecutionLimits
from cleanupctl.core.run.overdue import Overdue, broken_off, within
from cleanupctl.core.run.throughput import Throughputs
from cleanupctl.core.urls import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cleanupctl.core.job import Job, LogEntry
    from cleanupctl.core.jobs.schedule import Origin
    from cleanupctl.core.run.cleaning import History, Session
    from cleanupctl.core.run.clocks import RunClock
    from cleanupctl.core.run.limits import BatchMemory, RowBudget, RunEnvironment
    from cleanupctl.core.run.throttle import Throttle
    from cleanupctl.core.settings import Settings
    from cleanupctl.core.store.jobstore import JobStore

RECORD_SECONDS = 4.0
"""How long the store may take for the end of an execution that did not end by itself."""


class Run(Protocol):
    """What all executions of one run share."""

    store: JobStore
    histories: Sequence[History]
    settings: Settings
    origin: Origin
    environment: RunEnvironment
    """Its clock is that which jobs go by."""
    run_clock: RunClock
    budget: RowBudget
    memory: BatchMemory
    throttle: Throttle
    deadline: float | None
    """When to end, by the monotonic clock."""
    keep_due_date: bool
    """Leave the job as due as it was."""

    def urged(self) -> str | None:
        """Why all executions have to end now, by a person's word or the time of the run."""

    def tell(self, event: RunEvent) -> None:
        """Hand an event to the run's thread."""


class Execution:
    """One execution of one job, in a thread of its own."""

    def __init__(self, run: Run, job: Job, asked: float) -> None:
        self._run = run
        self._job = job
        self._asked = asked
        """When, by the monotonic clock, the store was asked for the job."""
        self._account = RunTotals()
        self._times = Throughputs(run.settings.cleanup, run.environment.monotonic)
        self._stop_reason: str | None = None
        self._began = run.environment.monotonic()
        self._session: Session | None = None
        self._held: lease.Lease | None = None
        self._lock = threading.Lock()
        self._recorded = False
        """Whether the end is being recorded, by the worker or in its place: only once."""

    def run(self) -> JobEnded | None:
        """Clean every history, then reschedule the job and log what was done; None if others did that."""
        outside = self._run.environment
        with lease.kept(
            self._run.store,
            self._job,
            outside.monotonic,
            self._run.settings.cleanup.lease,
            self._asked,
            self._progresses,
        ) as held:
            self._held = held
            if may_run(self._job, outside.clock(), self._run.settings.windows):
                self._clean_all(held)
            else:
                self._stop_reason = OUTSIDE_WINDOW
            return self._record() if self._may_record() else None

    def abandon(self, reason: str) -> JobEnded:
        """Record the end in the place of a worker that is stuck; should it come back, its lease is lost.

        Raise StoreError when the store does not answer soon.
        """
        if not self._may_record():
            raise StoreError("the job store does not answer: the job is free again when its lease ends")
        if self._held is not None:
            self._held.give_up()
        self._stop_reason = reason
        return within(RECORD_SECONDS, self._record, "the job is free again when its lease ends")

    def _may_record(self) -> bool:
        with self._lock:
            first = not self._recorded
            self._recorded = True
            return first

    def _record(self) -> JobEnded:
        """Reschedule the job and log what was done."""
        after = self._reschedule()
        entry = self._entry(after, timedelta(seconds=self._run.environment.monotonic() - self._began))
        return JobEnded(self._job, entry, after, self._finish(after.job, entry))

    def _progresses(self) -> bool:
        """Whether the worker gets on; where it is connecting, that has a limit of its own."""
        session = self._session
        return session is None or session.answers()

    def _clean_all(self, held: lease.Lease) -> None:
        run = self._run
        limits = ExecutionLimits(
            job=self._job,
            windows=run.settings.windows,
            environment=run.environment,
            budget=run.budget,
            deadline=run.deadline,
            lease_lost=held.lost,
            memory=run.memory,
            rows_per_second=run.settings.throttle.rows_per_second,
        )
        for history in run.histories:
            self._stop_reason = limits.stop_reason()
            if self._stop_reason:
                return
            self._clean(history, limits)
            if self._stop_reason:
                return
        self._stop_reason = FINISHED

    def _clean(self, history: History, limits: ExecutionLimits) -> None:
        run = self._run
        batch_time, monotonic = run.settings.cleanup.batch_time, run.environment.monotonic
        run_clock = run.run_clock
        was_broken_off: Callable[[], bool] = lambda: False  # noqa: E731 - until there is a session
        try:
            refuse(run_clock.skew, run.settings.cleanup.max_clock_skew)
            with (
                history.open() as session,
                broken_off(session, Overdue(run.urged, monotonic, batch_time)) as was_broken_off,
            ):
                self._session = session
                self._times.begin()
                clock, throttle, most = run_clock.earlier, run.throttle, run.settings.cleanup.max_clock_skew
                for event in governed(history.name, session, clock, limits, throttle, most):
                    if isinstance(event, Pause):
                        self._run.tell(Throttled(self._job, event.reason, event.seconds))
                        continue
                    self._note(event)
                    if isinstance(event, Stopped):
                        self._stop_reason = event.reason
        except Exception as error:  # noqa: BLE001 - one failing history must not stop the others
            reason = limits.stop_reason()
            if reason and was_broken_off():
                self._stop_reason = reason
                self._note(Stopped(history.name, reason))
            else:
                self._note(Failed(history.name, None, exhausted(error) or error))
        finally:
            self._session = None

    def _note(self, event: Event) -> None:
        with self._lock:
            if self._recorded:
                return
            self._account.add(event)
            self._times.note(event)
        self._run.tell(JobProgress(self._job, event))

    def _reschedule(self) -> Rescheduled:
        run = self._run
        now = run.environment.clock()
        failures = self._account.failures
        if failures:
            return plan_after_failure(
                self._job,
                now=now,
                windows=run.settings.windows,
                retries=run.settings.cleanup.retries,
                jitter=run.environment.jitter,
                message=without_secrets(failure_message(failures), run.settings.secrets()),
                stacktrace=without_secrets(failure_stacktrace(failures), run.settings.secrets()),
            )
        if run.keep_due_date:
            return Rescheduled(replace(self._job, lock_owner=None, lock_expiration=None), Reason.UNCHANGED)
        return plan_after_run(
            self._job,
            now=now,
            windows=run.settings.windows,
            retries=run.settings.cleanup.retries,
            full=self._stop_reason in MORE_TO_DO,
        )

    def _entry(self, after: Rescheduled, duration: timedelta) -> LogEntry:
        state = LogState.FAILED if self._account.failures else LogState.SUCCESSFUL
        entry = self._run.origin.entry(self._job, state, self._run.environment.clock())
        return replace(
            entry,
            duration=duration,
            removed=tuple(map(self._times.timed, self._account.removed())),
            stop_reason=self._stop_reason,
            exception_message=after.job.exception_message if self._account.failures else None,
            exception_stacktrace=after.job.exception_stacktrace if self._account.failures else None,
        )

    def _finish(self, after: Job, entry: LogEntry) -> bool:
        """Record the end; a store that is unavailable for a moment must not cost the record."""
        outside = self._run.environment
        return retry(
            lambda: self._run.store.finish(self._job, after, entry), outside.wait, outside.asked_to_stop
        )
