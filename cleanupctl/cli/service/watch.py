"""`cleanupctl run --watch`: stay in the foreground and run whenever a job is due."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cleanupctl.cli.service.sd_notify import ServiceManager
from cleanupctl.cli.views.stuck_jobs import stuck_sentence
from cleanupctl.core.errors import CleanupctlError, StoreError
from cleanupctl.core.jobs.due_dates import correct
from cleanupctl.core.times import format_instant

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cleanupctl.cli.context import Context
    from cleanupctl.cli.service.signals import Stopping
    from cleanupctl.core.run.events import RunEvent
    from cleanupctl.core.run.executor import Executor
    from cleanupctl.core.store.jobstore import JobStore

POLL_SECONDS = 10.0
"""How soon it notices that a job was scheduled earlier than it was due."""

SHORTEST_PAUSE_SECONDS = 0.1


class Watch:
    """Runs when a job is due; survives a store that is unavailable and an unusable configuration."""

    def __init__(
        self,
        context: Context,
        store: JobStore,
        stopping: Stopping,
        prepare: Callable[[], Executor],
        run: Callable[[Executor, Callable[[RunEvent], None]], None],
    ) -> None:
        self._context = context
        self._store = store
        self._stopping = stopping
        self._prepare = prepare
        self._run = run
        self._manager = ServiceManager(time.monotonic)
        self._said_away = False
        self._said: set[str] = set()
        self._said_stuck: str | None = None

    def until_stopped(self) -> None:
        """Watch until asked to stop."""
        executor = self._prepare()
        self._manager.tell("READY=1", "STATUS=waiting for a due job")
        while not self._stopping.reason():
            if self._stopping.take_reload():
                executor = self._reloaded(executor)
            due = self._run_what_is_due(executor)
            self._manager.alive()
            self._stopping.wait_idle(self._pause(due))
        self._manager.tell("STOPPING=1")

    def _run_what_is_due(self, executor: Executor) -> float | None:
        """Run if it is time, and return in how many seconds it will be time again, if that is known."""
        try:
            self._correct_due_dates()
            now, due = self._next_due()
            if due is not None and due <= now:
                self._manager.tell("STATUS=cleaning")
                self._run(executor, lambda _event: self._manager.alive())
                now, due = self._next_due()
                self._manager.tell(f"STATUS={self._next(due)}")
            self._tell_of_stuck_jobs()
        except StoreError as error:
            if not self._said_away:
                self._context.output.notice(f"{error.message}; trying again until it is back")
            self._said_away = True
            return None
        if self._said_away:
            self._context.output.notice("the job store is back")
            self._said_away = False
        return None if due is None else (due - now).total_seconds()

    def _next_due(self) -> tuple[datetime, datetime | None]:
        """Return what time it is by the clock that jobs go by, and when the next one is due."""
        now = self._store.now() or self._context.now()
        return now, self._store.next_due(now)

    def _correct_due_dates(self) -> None:
        now = self._store.now() or self._context.now()
        for notice in correct(self._store, self._context.settings, now, self._context.origin):
            if notice not in self._said:
                self._context.output.notice(notice)
            self._said.add(notice)

    def _tell_of_stuck_jobs(self) -> None:
        stuck = stuck_sentence(self._store.jobs())
        if stuck and stuck != self._said_stuck:
            self._context.output.notice(stuck)
        self._said_stuck = stuck

    def _next(self, due: datetime | None) -> str:
        if due is None:
            return "no job is due; waiting for a schedule"
        return f"next job due {format_instant(due, self._context.settings.timezone)}"

    def _pause(self, due: float | None) -> float:
        """Return how long to wait when the next job is due in `due` seconds."""
        pause = POLL_SECONDS
        if self._manager.watchdog_seconds is not None:
            pause = min(pause, self._manager.watchdog_seconds)
        if due is not None:
            pause = min(pause, due)
        return max(pause, SHORTEST_PAUSE_SECONDS)

    def _reloaded(self, executor: Executor) -> Executor:
        """Read the configuration again; one that cannot be used leaves the old one in force."""
        before = self._context.settings
        try:
            self._context.reload()
            fresh = self._prepare()
        except CleanupctlError as error:
            self._context.restore(before)
            self._context.output.error(error)
            self._context.output.notice("configuration not reloaded: the one from before stays in force")
            return executor
        if self._context.settings.store != before.store:
            self._context.output.notice("another job store takes effect when cleanupctl is started again")
        self._context.output.notice(f"configuration reloaded ({self._context.settings.digest})")
        return fresh
