"""One phase, worked through by one worker next to others."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from cleanupctl.core.errors import CleanupctlError, HistoryError, HistoryUnreachableError
from cleanupctl.core.run.cleaning import Failed, Stopped
from cleanupctl.history.cleaning.batches import TaskRun

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from datetime import datetime

    from cleanupctl.core.run.cleaning import Event, Limits
    from cleanupctl.history.cleaning.tasks import Phase, Task
    from cleanupctl.history.cleaning.workers import Worker

WAIT_FOR_OTHERS_SECONDS = 0.01
"""First wait for a task that another worker has; it doubles with each further one."""
MOST_WAIT_SECONDS = 1.0
MOST_WAITS_COUNTED = 10


class PhaseRun:
    """Works through one phase next to other workers: whoever claims a task first works on it.

    Workers of one process that find no free task help where a table is scanned chunk by chunk.
    """

    def __init__(self, worker: Worker, phase: Phase, now: datetime) -> None:
        self.failed = False
        self.passed_over: list[str] = []
        """What has rows left that other sessions held."""
        self.stopped = False
        self._worker = worker
        self._pending = list(phase.tasks)
        self._waited: set[str] = set()
        self._could_not_help: set[str] = set()
        self._waits = 0
        self._now = now

    def events(self, limits: Limits) -> Iterator[Event]:
        """Work on every task of the phase that nobody else has, then see that the others' are done."""
        while self._pending and not self.stopped:
            pending = len(self._pending)
            for task in list(self._pending):
                yield from self._take(task, limits)
                if self.stopped:
                    return
            if len(self._pending) < pending:
                self._waits = 0
                continue
            helped = yield from self._help(limits)
            if not helped and not self.stopped:
                yield from self._wait(limits)

    def _take(self, task: Task, limits: Limits) -> Iterator[Event]:
        """Work on one task to its end, unless another worker does or did."""
        if self._finished_by_others(task):
            self._pending.remove(task)
            return
        with self._claimed(task) as mine:
            if not mine:
                self._waited.add(task.label)
                return
            self._pending.remove(task)
            yield from self._clean(task, limits)

    def _help(self, limits: Limits) -> Generator[Event, None, bool]:
        """Take part in the first scan that has something left; return whether there was one."""
        for task in self._pending:
            shared_scan = self._worker.shared.shared_scan(self._key(task))
            if shared_scan is None or task.label in self._could_not_help:
                continue
            run = TaskRun(self._worker, task)
            try:
                yield from run.help(shared_scan, limits)
            except HistoryUnreachableError:
                raise
            except HistoryError:
                # The worker that has the task meets the same trouble, and reports it once.
                self._could_not_help.add(task.label)
            self.stopped = bool(run.stopped)
            self._waits = 0
            return True
        return False

    def _finished_by_others(self, task: Task) -> bool:
        return self._worker.shared.is_done(self._key(task), self._now)

    def _key(self, task: Task) -> str:
        return f"{self._worker.database.qualified(task.table)} {task.part}"

    @contextmanager
    def _claimed(self, task: Task) -> Iterator[bool]:
        database, shared, key = self._worker.database, self._worker.shared, self._key(task)
        if not shared.claim(key):
            yield False
            return
        try:
            mine = database.claim(task.table, task.part)
            try:
                yield mine
            finally:
                if mine:
                    # The claim ends with the connection; a lost one must not hide what went wrong before.
                    with suppress(CleanupctlError):
                        database.release(task.table, task.part)
        finally:
            shared.release(key)

    def _clean(self, task: Task, limits: Limits) -> Iterator[Event]:
        worker = self._worker
        run = TaskRun(worker, task)
        try:
            # After waiting for another worker there is mostly nothing left: ask before scanning the table.
            if task.label not in self._waited or task.any_left(worker.database):
                with worker.shared.running(self._key(task), run):
                    yield from run.events(limits)
        except HistoryUnreachableError:
            raise
        except HistoryError as error:
            self.failed = True
            yield Failed(worker.history, task.label, error)
            return
        if run.stopped:
            self.stopped = True
            return
        if run.passed_over:
            # Not finished: another worker that waits for it may have more luck.
            self.passed_over.append(task.label)
            return
        worker.shared.finish(self._key(task), self._now)

    def _wait(self, limits: Limits) -> Iterator[Event]:
        reason = limits.stop_reason()
        if reason:
            self.stopped = True
            yield Stopped(self._worker.history, reason)
            return
        self._worker.database.keep_alive()
        limits.pause(min(MOST_WAIT_SECONDS, WAIT_FOR_OTHERS_SECONDS * 2**self._waits))
        self._waits = min(self._waits + 1, MOST_WAITS_COUNTED)
