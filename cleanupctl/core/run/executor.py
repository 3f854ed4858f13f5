"""Executing due jobs: taken under a lease, cleaned batch by batch, rescheduled, logged."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from cleanupctl.core.errors import CleanupctlError, CleanupFailedError, StoreError
from cleanupctl.core.resources import exhausted
from cleanupctl.core.run.clocks import RunClock
from cleanupctl.core.run.events import FINISHED, MAX_RUNTIME, JobStarted, RunEvent
from cleanupctl.core.run.execution import Execution
from cleanupctl.core.run.limits import BatchMemory, RowBudget, RunEnvironment
from cleanupctl.core.run.overdue import LOOK_SECONDS, Overdue
from cleanupctl.core.run.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from cleanupctl.core.job import Job
    from cleanupctl.core.jobs.schedule import Origin
    from cleanupctl.core.run.cleaning import History
    from cleanupctl.core.settings import Settings
    from cleanupctl.core.store.jobstore import JobStore

ABANDON_SECONDS = 4.0
"""How long after its session was broken off a worker is waited for."""


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


@dataclass(frozen=True, slots=True)
class _Ended:
    """A worker has nothing more to say."""

    execution: Execution


class _Run:
    def __init__(self, executor: Executor, request: RunRequest) -> None:
        self.store = executor._store
        self.histories = executor._histories
        self.settings = executor._settings
        self.origin = executor._origin
        outside = executor._environment
        self.run_clock = RunClock(outside.clock(), self.store.now(), outside.monotonic)
        self.environment = replace(outside, clock=self.run_clock.jobs)
        self.owner = executor._owner
        self.request = request
        self.budget = RowBudget(request.max_rows)
        self.memory = BatchMemory(self.store)
        self.keep_due_date = request.keep_due_date
        seconds = request.max_runtime.total_seconds() if request.max_runtime is not None else None
        self.deadline = None if seconds is None else self.environment.monotonic() + seconds
        self.throttle = Throttle(
            self.settings.throttle,
            self.environment.monotonic,
            self.environment.load,
            self._wait,
        )
        self._late = Overdue(self.urged, self.environment.monotonic, self.settings.cleanup.batch_time)
        self._queue: SimpleQueue[RunEvent | BaseException | _Ended] = SimpleQueue()
        self._executions: list[Execution] = []
        self._seen: set[str] = set()

    def events(self) -> Iterator[RunEvent]:
        error: BaseException | None = self._take_more_jobs()
        while self._executions:
            item = self._next()
            if isinstance(item, _Ended):
                # One that was abandoned may come back.
                if item.execution in self._executions:
                    self._executions.remove(item.execution)
                    if error is None:
                        error = self._take_more_jobs()
            elif isinstance(item, BaseException):
                error = error or item
            else:
                yield item
        if error:
            raise error

    def _take_more_jobs(self) -> CleanupctlError | None:
        """Take due jobs while others are being executed; what goes wrong waits for the end of these."""
        try:
            self._take_due_jobs()
        except (StoreError, CleanupFailedError) as error:
            return error
        return None

    def _next(self) -> RunEvent | BaseException | _Ended:
        """Return what a worker says next; one that says nothing when it is long time to stop is abandoned."""
        while True:
            try:
                return self._queue.get(timeout=LOOK_SECONDS)
            except Empty:
                if self._late.by(ABANDON_SECONDS):
                    self._abandon_all()

    def _abandon_all(self) -> None:
        answers = True
        for execution in self._executions:
            try:
                # A store that does not answer is not waited for again and again.
                if answers:
                    self._queue.put(execution.abandon(self.urged() or FINISHED))
            except Exception as error:  # noqa: BLE001 - raised when all have ended
                answers = False
                self._queue.put(error)
            self._queue.put(_Ended(execution))

    def _take_due_jobs(self) -> None:
        while not self._over():
            asked = self.environment.monotonic()
            job = self.store.acquire(
                self.environment.clock(), self.owner, self.settings.cleanup.lease, excluding=self._seen
            )
            if job is None:
                return
            if self.keep_due_date:
                self._seen.add(job.id)
            execution = Execution(self, job, asked)
            self._executions.append(execution)
            self._start(execution, job)

    def _start(self, execution: Execution, job: Job) -> None:
        """Have a thread work on a job that was taken. Raise CleanupFailedError when there can be none."""
        worker = threading.Thread(target=self._work, args=(execution, job), name=f"job {job.id}", daemon=True)
        try:
            worker.start()
        except RuntimeError as error:
            self._executions.remove(execution)
            self.store.release(job)
            raise exhausted(error) or error from error

    def _over(self) -> bool:
        return bool(self.urged()) or self.budget.spent

    def urged(self) -> str | None:
        """Say why it is time to stop, for whatever is done at present."""
        asked = self.environment.asked_to_stop()
        if asked:
            return asked
        late = self.deadline is not None and self.environment.monotonic() >= self.deadline
        return MAX_RUNTIME if late else None

    def _wait(self, seconds: float) -> None:
        """Hold back, but not beyond the end of the run."""
        left = seconds if self.deadline is None else self.deadline - self.environment.monotonic()
        self.environment.wait(min(seconds, max(left, 0.0)))

    def _work(self, execution: Execution, job: Job) -> None:
        try:
            self._queue.put(JobStarted(job))
            ended = execution.run()
            if ended is not None:
                self._queue.put(ended)
        except BaseException as error:  # noqa: BLE001 - the run's thread raises it
            with suppress(StoreError):
                # Only if it is not done yet: then the job is not ours any more.
                self.store.release(job)
            self._queue.put(exhausted(error) or error)
        finally:
            self._queue.put(_Ended(execution))

    def tell(self, event: RunEvent) -> None:
        """Hand an event to the run's thread."""
        self._queue.put(event)
