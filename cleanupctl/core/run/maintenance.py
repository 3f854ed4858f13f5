"""What a person does in a history, under the limits of a run: throttled, stoppable, logged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from cleanupctl.core.job import LogState
from cleanupctl.core.resources import exhausted
from cleanupctl.core.retry import retry
from cleanupctl.core.run.cleaning import Failed, Stopped
from cleanupctl.core.run.events import FINISHED, JobProgress, RunTotals, Throttled
from cleanupctl.core.run.failures import failure_message, failure_stacktrace
from cleanupctl.core.run.governed import Pause, governed
from cleanupctl.core.run.limits import BatchMemory, RunLimits
from cleanupctl.core.run.overdue import Overdue, broken_off
from cleanupctl.core.run.throttle import Throttle
from cleanupctl.core.urls import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleanupctl.core.job import LogEntry
    from cleanupctl.core.jobs.schedule import Origin
    from cleanupctl.core.run.cleaning import History
    from cleanupctl.core.run.limits import RunEnvironment
    from cleanupctl.core.settings import Settings
    from cleanupctl.core.store.jobstore import JobStore

ABORTED = "aborted"
"""Stop reason of what was broken off between two batches."""


@dataclass(slots=True)
class Maintenance:
    """One operation in one history, without a job and outside any batch window: a person waits for it."""

    operation: str
    """Its name in the job log, at most 35 characters."""
    store: JobStore
    settings: Settings
    origin: Origin
    environment: RunEnvironment
    stopped: str | None = None
    """Why it ended before it was finished."""

    def run(self, history: History) -> Iterator[JobProgress | Throttled]:
        """Do it and yield what happens; whatever comes of it is in the job log then.

        Failures are events. Raise StoreError when the job store fails.
        """
        totals, began, ended = RunTotals(), self.environment.monotonic(), False
        try:
            for event in self._events(history):
                if isinstance(event, JobProgress):
                    totals.add(event.event)
                yield event
            ended = True
        finally:
            if not (ended or self.stopped):
                self.stopped = ABORTED
            seconds = self.environment.monotonic() - began
            entry = self._entry(totals, timedelta(seconds=seconds))
            outside = self.environment
            retry(lambda: self.store.add_entry(entry), outside.wait, outside.asked_to_stop)

    def _events(self, history: History) -> Iterator[JobProgress | Throttled]:
        outside, settings = self.environment, self.settings.throttle
        throttle = Throttle(settings, outside.monotonic, outside.load, outside.wait)
        limits = RunLimits(outside, BatchMemory(self.store), rows_per_second=settings.rows_per_second)
        name, most = history.name, self.settings.cleanup.max_clock_skew
        overdue = Overdue(outside.asked_to_stop, outside.monotonic, self.settings.cleanup.batch_time)
        was_broken_off: Callable[[], bool] = lambda: False  # noqa: E731 - until there is a session
        try:
            with history.open() as session, broken_off(session, overdue) as was_broken_off:
                for event in governed(name, session, outside.clock, limits, throttle, most):
                    if isinstance(event, Pause):
                        yield Throttled(None, event.reason, event.seconds)
                        continue
                    if isinstance(event, Stopped):
                        self.stopped = event.reason
                    yield JobProgress(None, event)
        except Exception as error:  # noqa: BLE001 - it belongs into the job log, whatever it is
            self.stopped = outside.asked_to_stop() if was_broken_off() else None
            if self.stopped:
                yield JobProgress(None, Stopped(history.name, self.stopped))
                return
            yield JobProgress(None, Failed(history.name, None, exhausted(error) or error))

    def _entry(self, totals: RunTotals, duration: timedelta) -> LogEntry:
        failures, secrets = totals.failures, self.settings.secrets()
        state = LogState.FAILED if failures else LogState.SUCCESSFUL
        entry = replace(
            self.origin.entry_without_job(self.operation, state, self.environment.clock()),
            duration=duration,
            removed=totals.removed(),
            stop_reason=self.stopped or FINISHED,
        )
        if not failures:
            return entry
        return replace(
            entry,
            stop_reason=self.stopped,
            exception_message=without_secrets(failure_message(failures), secrets),
            exception_stacktrace=without_secrets(failure_stacktrace(failures), secrets),
        )
