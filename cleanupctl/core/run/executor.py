"""Executing due jobs: taken under a lease, cleaned batch by batch, rescheduled, logged."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import timedelta
from queue import SimpleQueue
from typing import TYPE_CHECKING

from cleanupctl.core.errors import StoreError
from cleanupctl.core.job import LogState
from cleanupctl.core.jobs import lease
from cleanupctl.core.jobs.scheduler import Reason, Rescheduled, may_run, plan_after_failure, plan_after_run
from cleanupctl.core.retry import retry
from cleanupctl.core.run.cleaning import Event, Failed, Stopped
from cleanupctl.core.run.events import (
    FINISHED,
    MORE_TO_DO,
    OUTSIDE_WINDOW,
    JobEnded,
    JobProgress,
    JobStarted,
    RunEvent,
    RunTotals,
    Throttled,
)
from cleanupctl.core.run.failures import failure_message, failure_stacktrace
from cleanupctl.core.run.governed import Pause, governed
from cleanupctl.core.run.limits import BatchMemory, ExecutionLimits, RowBudget, RunEnvironment
from cleanupctl.core.run.throttle import Throttle
from cleanupctl.core.run.throughput import Throughputs
from cleanupctl.core.urls import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cleanupctl.core.job import Job, LogEntry
    from cleanupctl.core.jobs.schedule import Origin
    from cleanupctl.core.run.cleaning import History
    from cleanupctl.core.settings import Settings
    from cleanupctl.core.store.jobstore import JobStore


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What the caller wants of one run."""

    max_rows: int | None = None
    max_runtime: timedelta | None = None
    keep_due_date: bool = False
    """Leave the jobs as due as they were: the run covers only some of the histories."""


class Executor:
    """Runs due jobs until none is due, each in a thread of its own.

    Everything it needs from outside comes as arguments: tests pass other clocks and histories.
    """

    def __init__(
        self,
        *,
        store: JobStore,
        histories: Sequence[History],
        settings: Settings,
        origin: Origin,
        environment: RunEnvironment,
    ) -> None:
        self._store = store
        self._histories = histories
        self._settings = settings
        self._origin = origin
        self._environment = environment
        self._owner = f"{origin.host}:{origin.process_id}"

    def run(self, request: RunRequest) -> Iterator[RunEvent]:
        """Execute what is due and yield what happens. Raises StoreError when the store fails."""
        return _Run(self, request).events()


class _Run:
    def __init__(self, executor: Executor, request: RunRequest) -> None:
        self.store = executor._store
        self.histories = executor._histories
        self.settings = executor._settings
        self.origin = executor._origin
        self.environment = executor._environment
        self.owner = executor._owner
        self.request = request
        self.budget = RowBudget(request.max_rows)
        self.memory = BatchMemory(self.store)
        seconds = request.max_runtime.total_seconds() if request.max_runtime is not None else None
        self.deadline = None if seconds is None else self.environment.monotonic() + seconds
        self.throttle = Throttle(
            self.settings.throttle,
            self.environment.monotonic,
            self.environment.load,
            self.environment.wait,
        )
        self._queue: SimpleQueue[RunEvent | BaseException | None] = SimpleQueue()
        self._working = 0
        self._seen: set[str] = set()

    def events(self) -> Iterator[RunEvent]:
        error: BaseException | None = None
        self._take_due_jobs()
        while self._working:
            item = self._queue.get()
            if item is None:
                self._working -= 1
                if error is None:
                    error = self._take_more_jobs()
            elif isinstance(item, BaseException):
                error = error or item
            else:
                yield item
        if error:
            raise error

    def _take_more_jobs(self) -> StoreError | None:
        """Take due jobs while others are being executed; what goes wrong waits for the end of these."""
        try:
            self._take_due_jobs()
        except StoreError as error:
            return error
        return None

    def _take_due_jobs(self) -> None:
        while not self._over():
            asked = self.environment.monotonic()
            job = self.store.acquire(
                self.environment.clock(), self.owner, self.settings.cleanup.lease, excluding=self._seen
            )
            if job is None:
                return
            if self.request.keep_due_date:
                self._seen.add(job.id)
            self._working += 1
            threading.Thread(target=self._work, args=(job, asked), name=f"job {job.id}", daemon=True).start()

    def _over(self) -> bool:
        if self.environment.asked_to_stop() or self.budget.spent:
            return True
        return self.deadline is not None and self.environment.monotonic() >= self.deadline

    def _work(self, job: Job, asked: float) -> None:
        try:
            self._queue.put(JobStarted(job))
            self._queue.put(_Execution(self, job, asked).run())
        except BaseException as error:  # noqa: BLE001 - the run's thread raises it
            self._queue.put(error)
        finally:
            self._queue.put(None)

    def tell(self, event: RunEvent) -> None:
        """Hand an event to the run's thread."""
        self._queue.put(event)


class _Execution:
    """One execution of one job."""

    def __init__(self, run: _Run, job: Job, asked: float) -> None:
        self._run = run
        self._job = job
        self._asked = asked
        """When, by the monotonic clock, the store was asked for the job."""
        self._account = RunTotals()
        self._times = Throughputs(run.settings.cleanup, run.environment.monotonic)
        self._stop_reason: str | None = None

    def run(self) -> JobEnded:
        """Clean every history, then reschedule the job and log what was done."""
        outside = self._run.environment
        started, began = outside.clock(), outside.monotonic()
        with lease.kept(
            self._run.store, self._job, outside.monotonic, self._run.settings.cleanup.lease, self._asked
        ) as held:
            if may_run(self._job, started, self._run.settings.windows):
                self._clean_all(held)
            else:
                self._stop_reason = OUTSIDE_WINDOW
            after = self._reschedule()
            entry = self._entry(after, timedelta(seconds=outside.monotonic() - began))
            kept = self._finish(after.job, entry)
        return JobEnded(self._job, entry, after, kept)

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
        try:
            with history.open() as session:
                self._times.begin()
                clock, throttle = self._run.environment.clock, self._run.throttle
                for event in governed(history.name, session, clock, limits, throttle):
                    if isinstance(event, Pause):
                        self._run.tell(Throttled(self._job, event.reason, event.seconds))
                        continue
                    self._note(event)
                    if isinstance(event, Stopped):
                        self._stop_reason = event.reason
        except Exception as error:  # noqa: BLE001 - one failing history must not stop the others
            self._note(Failed(history.name, None, error))

    def _note(self, event: Event) -> None:
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
        if run.request.keep_due_date:
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
