"""The deletion loop: one task from start to end, batch by batch, each a transaction of its own."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cleanupctl.core.run.cleaning import (
    BatchChanged,
    BatchDeleted,
    Noticed,
    Stopped,
    TableFinished,
    TableStarted,
)
from cleanupctl.history.cleaning.progress import Progress
from cleanupctl.history.cleaning.sizing import START_GROWTH, BatchSizer
from cleanupctl.history.databases.dependents import paths
from cleanupctl.history.databases.errors import ForeignKeyError, LockConflictError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.core.run.cleaning import Event, Limits
    from cleanupctl.history.cleaning.tasks import Task
    from cleanupctl.history.cleaning.workers import Worker
    from cleanupctl.history.databases.scan import Batch, BatchSource
    from cleanupctl.history.databases.shared_scan import SharedScan

LOCK_ATTEMPTS = 8
LOCK_PAUSE_SECONDS = 0.05
OTHERS_PAUSE_SECONDS = 0.005


class TaskRun:
    """Works on one task to its end, or until told to stop; implements `workers.Running`."""

    def __init__(self, worker: Worker, task: Task) -> None:
        self.rows: Counter[str] = Counter()
        """Deleted rows by table."""
        self.stopped: str | None = None
        self.passed_over = False
        """Whether rows stay that other sessions held, so that nothing may go that they belong to."""
        self.shared_scan: SharedScan[Any] | None = None
        self._worker = worker
        self._task = task

    def events(self, limits: Limits) -> Iterator[Event]:
        """Delete batch by batch. Raise HistoryError when the task cannot be done."""
        history, database = self._worker.history, self._worker.database
        while True:
            rows_before = self.rows.total()
            layout = database.layout_of(self._task.table)
            source = self._task.begin(database)
            estimate = self._task.estimate(database)
            self.shared_scan = source.shared
            yield TableStarted(history, self._task.table.name, estimate, source.access_path)
            try:
                yield from self._pass(source, limits)
            except ForeignKeyError:
                task = self._task.without_referenced(database)
                if task is None:
                    raise
                self._task = task
                continue
            finally:
                self._end_shared_scan(limits)
                self.passed_over = self.passed_over or bool(source.shared and source.shared.passed_over)
            if self.stopped:
                yield Stopped(history, self.stopped)
                return
            if source.access_path == "sweep" and database.layout_of(self._task.table) != layout:
                # Rows that had not been reached may lie where the scan had been by then.
                continue
            if not (self._task.repeats and self.rows.total() > rows_before):
                break
        yield from (Noticed(history, message) for message in self._task.notices())
        name = self._task.table.name
        yield TableFinished(history, name, self.rows[name], *self._task.skipped(database))

    def _end_shared_scan(self, limits: Limits) -> None:
        """See that nobody works on the table any more before this worker leaves it or begins anew."""
        shared_scan, self.shared_scan = self.shared_scan, None
        if shared_scan is None:
            return
        shared_scan.abandon()
        while not shared_scan.finished:
            self._worker.database.keep_alive()
            limits.pause(OTHERS_PAUSE_SECONDS)

    def help(self, shared_scan: SharedScan[Any], limits: Limits) -> Iterator[Event]:
        """Take part in another worker's scan until it has nothing left to take.

        Raise HistoryError when this worker cannot go on; what it had taken is left to the other one.
        """
        yield from self._pass(self._task.join(self._worker.database, shared_scan), limits, helping=True)
        if self.stopped:
            yield Stopped(self._worker.history, self.stopped)

    def _pass(self, source: BatchSource, limits: Limits, *, helping: bool = False) -> Iterator[Event]:
        try:
            yield from self._batches(source, self._sizer(source, limits), limits, helping=helping)
        finally:
            source.release()

    def _sizer(self, source: BatchSource, limits: Limits) -> BatchSizer:
        worker, shared_scan = self._worker, source.shared
        # The units of another access path are others.
        place = f"{self._task.table.name} by {source.access_path}"
        learned = worker.learned.get(source.access_path, 0) // 2
        start = max(source.start_units, min(learned, START_GROWTH * source.start_units))
        if any(path[-1].index for path in paths(self._task.table)):
            # Each row that is deleted reads a table as a whole.
            start = 1
        return BatchSizer(
            source,
            worker.pacing,
            known=limits.remembered(worker.history, place),
            start=(shared_scan.units if shared_scan else 0) or start,
            turn=worker.database.writing_turn,
            cautious=self._task.cautious,
            remember=partial(limits.remember, worker.history, place),
        )

    def _batches(
        self, source: BatchSource, sizer: BatchSizer, limits: Limits, *, helping: bool = False
    ) -> Iterator[Event]:
        worker, shared_scan = self._worker, source.shared
        progress = Progress(self._task.label)
        while True:
            self.stopped = limits.stop_reason()
            allowed = 0 if self.stopped else self._reserved(limits)
            if not allowed:
                return
            with worker.shared.turns.writing(worker.database, limits):
                started, units = time.perf_counter(), sizer.units
                batch = self._attempt(source, sizer, allowed, limits)
                took = time.perf_counter() - started
            if batch is None:
                # Another session was in the way, which is not for ever.
                continue
            progress.note(batch, source.position, units)
            self.passed_over = self.passed_over or batch.passed_over
            if batch.overflow:
                sizer.overflow(batch)
                continue
            sizer.conflicts = 0
            if not batch.idle:
                seconds = took if batch.seconds is None else batch.seconds
                yield self._committed(batch, seconds)
                touched = batch.rows + sum(rows for _, rows in batch.changed)
                sizer.batch(replace(batch, rows=touched), seconds, allowed)
                worker.learned[source.access_path] = sizer.wanted
            if batch.rest is not None:
                yield from self._pass(batch.rest, limits)
                if self.stopped:
                    return
            if shared_scan:
                shared_scan.units = sizer.wanted
            if batch.done:
                if helping or shared_scan is None or shared_scan.finished:
                    sizer.end()
                    return
                # Others still work on their last chunks, and may have to give them back.
                worker.database.keep_alive()
                limits.pause(OTHERS_PAUSE_SECONDS)

    def _reserved(self, limits: Limits) -> int:
        """Claim the rows of a batch; 0 when the limit of the run is reached."""
        allowed = limits.reserve(self._worker.database.most_rows(self._worker.pacing.batch_size))
        if not allowed:
            self.stopped = "max-rows"
        return allowed

    def _attempt(self, source: BatchSource, sizer: BatchSizer, allowed: int, limits: Limits) -> Batch | None:
        """Run one transaction; None, and nothing done, when others were in the way.

        Raise LockConflictError when they have been for too long.
        """
        batch: Batch | None = None
        try:
            batch = self._with_along(source.run(sizer.units, allowed))
        except LockConflictError as error:
            if sizer.conflicts == LOCK_ATTEMPTS:
                raise
            sizer.conflict(error)
        finally:
            limits.settle(allowed, batch.rows if batch else 0)
        if batch is None:
            longest = LOCK_PAUSE_SECONDS * 2**sizer.conflicts
            limits.pause(longest * random.uniform(0.5, 1.5))  # noqa: S311 jitter
        return batch

    def _with_along(self, batch: Batch) -> Batch:
        """Add what went along with the rows of a batch."""
        along = self._worker.database.take_along()
        if not along.total:
            return batch
        parts = Counter(dict(batch.parts or ((self._task.table.name, batch.rows),)))
        parts.update(along.deleted)
        changed = tuple((name, rows) for name, rows in along.changed.items() if rows)
        return replace(batch, rows=parts.total(), parts=tuple(parts.items()), changed=changed)

    def _committed(self, batch: Batch, seconds: float) -> BatchDeleted | BatchChanged:
        kind = BatchChanged if self._task.changes_values else BatchDeleted
        event = kind(
            self._worker.history, self._task.table.name, batch.rows, seconds, batch.parts, batch.changed
        )
        self.rows.update(dict(event.by_table))
        return event
