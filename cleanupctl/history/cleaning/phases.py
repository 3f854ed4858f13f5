"""One phase, worked through by one worker next to others."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from cleanupctl.core.errors import CleanupctlError, HistoryError, HistoryUnreachableError
from cleanupctl.core.run.cleaning import Failed, Left, Noticed, Stopped
from cleanupctl.history.cleaning.batches import TaskRun

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from datetime import datetime

    from cleanupctl.core.run.cleaning import Event, Limits
    from cleanupctl.history.cleaning.tasks import Phase, Task
    from cleanupctl.history.cleaning.workers import Worker

ASK_SECONDS = 10.0
"""After so much waiting without anything done it is asked who has the tasks that are left."""
TELL_SECONDS = 30.0
LONGEST_WAIT_SECONDS = 3600.0
"""Other processes' work is waited for so long; then it is left to them."""
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
        self._waited_seconds = 0.0
        """Since something was last done."""
        self._asked_at = 0.0
        self._told: set[str] = set()
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
                self._progressed()
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
            self._progressed()
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
            yield Left(worker.history, task.held(worker.database))
            return
        worker.shared.finish(self._key(task), self._now)

    def _wait(self, limits: Limits) -> Iterator[Event]:
        reason = limits.stop_reason()
        if reason:
            self.stopped = True
            yield Stopped(self._worker.history, reason)
            return
        self._worker.database.keep_alive()
        seconds = min(MOST_WAIT_SECONDS, WAIT_FOR_OTHERS_SECONDS * 2**self._waits)
        limits.pause(seconds)
        self._waits = min(self._waits + 1, MOST_WAITS_COUNTED)
        self._waited_seconds += seconds
        if self._waited_seconds >= self._asked_at + ASK_SECONDS:
            self._asked_at = self._waited_seconds
            for task in list(self._pending):
                yield from self._ask_for(task)

    def _progressed(self) -> None:
        self._waits, self._waited_seconds, self._asked_at = 0, 0.0, 0.0

    def _ask_for(self, task: Task) -> Iterator[Event]:
        """Find out who has a task, and leave it to strangers at once, to others of us in the end."""
        claimant = self._worker.database.claimant(task.table, task.part)
        if claimant is None:
            return
        history = self._worker.history
        if not claimant.ours:
            self._pending.remove(task)
            self.failed = True
            yield Failed(
                history,
                task.label,
                HistoryError(
                    f"{task.label} was left alone: {claimant.who} holds the lock by which workers share"
                    f" tables out, and is none of them: end it ({claimant.end};) and see who may log in"
                ),
            )
        elif self._waited_seconds >= LONGEST_WAIT_SECONDS:
            self._pending.remove(task)
            self.passed_over.append(task.label)
            yield Left(history, f"{task.label} is left to {claimant.who}, which is still at it")
        elif self._waited_seconds >= TELL_SECONDS and task.label not in self._told:
            self._told.add(task.label)
            yield Noticed(history, f"waiting for {claimant.who}, which works on {task.label}")
