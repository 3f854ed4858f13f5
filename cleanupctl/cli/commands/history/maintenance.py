"""What the commands that write into a history have in common: limits, progress, an entry in the job log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cleanupctl.core.run.events import JobProgress, RunTotals

if TYPE_CHECKING:
    from cleanupctl.cli.context import Context
    from cleanupctl.core.settings import HistorySettings
    from cleanupctl.history.cleaning.tasks import Planner

TELL_EVERY = 10
"""Seconds after which a long operation says how far it has come, where no progress is drawn."""


class Operation:
    """One operation of a person, on one history after the other."""

    def __init__(self, context: Context, name: str) -> None:
        """Prepare; `name` is that in the job log."""
        self.totals = RunTotals()
        self.stopped: str | None = None
        """Why it ended before it was finished."""
        self._context = context
        self._name = name

    def carry_out(self, settings: HistorySettings, planner: Planner) -> None:
        """Do what is planned for one history. Raise StoreError; failures are raised by `judge`."""
        from cleanupctl.cli.service.environment import run_environment
        from cleanupctl.cli.service.signals import Stopping
        from cleanupctl.cli.views.progress import progress
        from cleanupctl.core.run.maintenance import Maintenance
        from cleanupctl.history.kinds import history_with

        context = self._context
        history = history_with(planner, settings, context.settings.cleanup)
        with (
            context.open_store(create=True) as store,
            Stopping(None, context.output.error) as stopping,
            progress(context.output) as show,
        ):
            environment = run_environment(context, stopping)
            work = Maintenance(self._name, store, context.settings, context.origin, environment)
            told = time.monotonic()
            for event in work.run(history):
                show(event)
                if isinstance(event, JobProgress):
                    self.totals.add(event.event)
                if not context.output.shows_progress and time.monotonic() - told >= TELL_EVERY:
                    context.output.notice(f"{self._name}: {self._rows:,} rows so far")
                    told = time.monotonic()
        self.stopped = work.stopped

    @property
    def _rows(self) -> int:
        return self.totals.total + self.totals.changed.total()

    def judge(self, *, fail_if_incomplete: bool = False) -> None:
        """Turn what happened into an exit code, the worst first: raise what went wrong."""
        from cleanupctl.core.errors import IncompleteError

        if self.totals.failures:
            raise self.totals.failures[0].error
        for (history, table), rows in self.totals.skipped.items():
            self._context.output.notice(f"history {history}: {rows} rows of {table} are still referenced")
        if self.stopped and fail_if_incomplete:
            raise IncompleteError(f"{self._name} stopped before it was finished: {self.stopped}")
        if self.stopped:
            self._context.output.notice(
                f"stopped before it was finished ({self.stopped}); the same command goes on where it was"
            )
