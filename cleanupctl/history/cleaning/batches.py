"""Batches sized by time: how much the next transaction takes on, and one target from start to end."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cleanupctl.core.run.cleaning import BatchDeleted, Stopped, TableFinished, TableStarted
from cleanupctl.history.databases.database import COUNT_BOUND
from cleanupctl.history.databases.errors import ForeignKeyError, LockConflictError, StatementTimeoutError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from cleanupctl.core.run.cleaning import Event, Limits
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.scan import Batch, Scan
    from cleanupctl.history.databases.shared_scan import SharedScan
    from cleanupctl.history.databases.target import Target

GROWTH = 2.0
"""A batch is never more than this many times the one before: one lucky measurement proves little."""

DENSITY_MEMORY = 0.8
COST_MEMORY = 0.9
"""How much of the densest and of the slowest batch so far is still believed one batch later."""

STALL = 4.0
"""A batch counts as at most this many times slower than the one after it: what is over needs no waiting."""

AIM = 0.6
"""Aim below the time of a batch: what takes longer than the slowest one lately should still end in time."""

START_GROWTH = 2
"""How far the first batch of a table may pass the safe size after good experience with others."""

FILL = 0.9
"""Aim below the row limit: a transaction that passes it is rolled back, and its work is lost."""

TURN_SECONDS = 0.025
"""Pause for other writers: those that wait for SQLite's lock ask for it this often in their first 128 ms."""

BATCHES_TO_RECOVER = 20
"""After so many batches without a conflict the next one may be twice as large."""

LOCK_ATTEMPTS = 8
LOCK_PAUSE_SECONDS = 0.05
OTHERS_PAUSE_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Pacing:
    """The limits that every batch keeps."""

    batch_time: timedelta
    batch_size: int


@dataclass(frozen=True, slots=True)
class Pace:
    """How many units (rows or blocks) the next batch looks at, and what it learned so far."""

    units: int
    most: int
    density: float = 0.0
    """Deleted rows a unit, the highest seen lately."""
    cost: float = 0.0
    """Seconds a unit, the highest seen lately."""


def next_pace(
    pace: Pace,
    *,
    rows: int,
    seconds: float,
    target: float,
    batch_size: int,
    looked_at: int | None = None,
) -> Pace:
    """Size the next batch so that it takes about `target` seconds and at most `batch_size` rows.

    Reacts to a slow batch at once and in full, and forgets it little by little: where some batches have
    to wait for pages or for the log, the others are no promise. Grows at most twofold, and
    not after a batch that was cut short (`looked_at` units instead of the pace's).
    """
    looked_at = looked_at or pace.units
    density = max(rows / looked_at, pace.density * DENSITY_MEMORY)
    measured = max(seconds, 1e-6) / pace.units
    cost = max(measured, min(pace.cost * COST_MEMORY, measured * STALL))
    growth = GROWTH if looked_at >= pace.units else 1.0
    by_time = min(pace.units * growth, target / cost)
    by_rows = FILL * batch_size / density if density > 0 else by_time
    units = max(1, min(int(min(by_time, by_rows)), pace.most))
    return Pace(units, pace.most, density, cost)


def after_overflow(pace: Pace) -> Pace:
    """Halve: the batch held more rows than one transaction may delete."""
    return replace(pace, units=max(1, pace.units // 2))


def after_conflict(pace: Pace) -> Pace:
    """Halve, and keep to it: whoever was in the way of so many rows may be so again."""
    smaller = max(1, pace.units // 2)
    return replace(pace, units=smaller, most=smaller)


class Recovery:
    """Lets the batches of a pass grow again once others are out of the way.

    Not after a statement that took too long by itself: its size is not tried again in this pass.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._batches = 0

    def conflict(self, error: LockConflictError, units: int) -> None:
        """Note that a batch of so many units failed."""
        self._batches = 0
        if isinstance(error, StatementTimeoutError):
            self._most = min(self._most, max(1, units // 2))

    def after_batch(self, most: int) -> int:
        """Note that a batch was committed; returns how many units the next one may have at most."""
        self._batches += 1
        if self._batches < BATCHES_TO_RECOVER or most >= self._most:
            return most
        self._batches = 0
        return min(2 * most, self._most)


class TargetRun:
    """Cleans one target to its end, or until told to stop; remembers how many rows went."""

    def __init__(
        self,
        history: str,
        database: Database,
        target: Target,
        pacing: Pacing,
        learned: dict[str, int] | None = None,
    ) -> None:
        self.rows = 0
        self.stopped: str | None = None
        self.shared_scan: SharedScan[Any] | None = None
        """What other workers can take part in, at present."""
        self._history = history
        self._database = database
        self._target = target
        self._pacing = pacing
        self._learned = {} if learned is None else learned
        self._guarded = False
        self._written = 0.0

    def events(self, limits: Limits) -> Iterator[Event]:
        """Delete batch by batch. Raises HistoryError when the table cannot be cleaned."""
        while True:
            rows_before = self.rows
            scan = self._database.scan(self._target)
            estimate = self._database.estimate(self._target)
            self.shared_scan = scan.shared
            yield TableStarted(self._history, self._target.label, estimate, scan.access_path)
            try:
                yield from self._pass(scan, limits)
            except ForeignKeyError:
                if self._guarded:
                    raise
                self._guard()
                continue
            finally:
                self._end_scan(limits)
            if self.stopped:
                yield Stopped(self._history, self.stopped)
                return
            # Rows of a table that refers to itself come free once those that point at them are gone.
            if not (self._guarded and self.rows > rows_before):
                break
        yield self._finished()

    def _end_scan(self, limits: Limits) -> None:
        """See that nobody works on the table any more before this worker leaves it or begins anew."""
        shared_scan, self.shared_scan = self.shared_scan, None
        if shared_scan is None:
            return
        shared_scan.abandon()
        while not shared_scan.finished:
            self._database.keep_alive()
            limits.pause(OTHERS_PAUSE_SECONDS)

    def help(self, shared_scan: SharedScan[Any], limits: Limits) -> Iterator[Event]:
        """Take part in another worker's walk until it has nothing left to take.

        Raises HistoryError when this worker cannot go on; what it had taken is left to the other one.
        """
        yield from self._pass(self._database.join(shared_scan), limits, helping=True)
        if self.stopped:
            yield Stopped(self._history, self.stopped)

    def _pass(self, scan: Scan, limits: Limits, *, helping: bool = False) -> Iterator[Event]:
        try:
            yield from self._batches(scan, limits, helping=helping)
        finally:
            scan.release()

    def _batches(self, scan: Scan, limits: Limits, *, helping: bool) -> Iterator[Event]:
        shared_scan = scan.shared
        known = limits.remembered(self._history, self._place(scan))
        most = scan.most_units if known is None else min(known, scan.most_units)
        pace = Pace((shared_scan.units if shared_scan else 0) or self._start(scan), most)
        recovery, conflicts = Recovery(most), 0
        while True:
            self.stopped = limits.stop_reason()
            if self.stopped:
                return
            allowed = limits.reserve(self._database.most_rows(self._pacing.batch_size))
            if allowed == 0:
                self.stopped = "max-rows"
                return
            started = time.perf_counter()
            batch: Batch | None = None
            try:
                batch = scan.run(min(pace.units, pace.most), allowed)
            except LockConflictError as error:
                recovery.conflict(error, min(pace.units, pace.most))
                conflicts += 1
                if conflicts > LOCK_ATTEMPTS:
                    raise
            finally:
                limits.settle(allowed, batch.rows if batch else 0)
            if batch is None:
                pace = after_conflict(replace(pace, units=min(pace.units, pace.most)))
                limits.remember(self._history, self._place(scan), pace.most)
                limits.pause(LOCK_PAUSE_SECONDS * 2**conflicts * random.uniform(0.5, 1.5))  # noqa: S311 jitter
                continue
            if batch.overflow:
                pace = after_overflow(pace)
                continue
            conflicts = 0
            if not batch.idle:
                seconds = time.perf_counter() - started
                self.rows += batch.rows
                yield BatchDeleted(self._history, self._target.label, batch.rows, seconds)
                pace = self._recovered(recovery, self._next(pace, batch, seconds, allowed), scan, limits)
                self._learned[scan.access_path] = pace.units
                self._give_way(seconds, limits)
            if shared_scan:
                shared_scan.units = pace.units
            if batch.done:
                if helping or shared_scan is None or shared_scan.finished:
                    self._grow_again(limits, scan, known, pace)
                    return
                # Others still work on their last pieces, and may have to give them back.
                self._database.keep_alive()
                limits.pause(OTHERS_PAUSE_SECONDS)

    def _give_way(self, seconds: float, limits: Limits) -> None:
        """Pause once this worker has kept all others from writing for a while."""
        turn = self._database.writing_turn
        self._written += seconds
        # Another batch like this one would be too much.
        if turn is None or self._written + seconds < turn:
            return
        self._written = 0.0
        began = time.perf_counter()
        self._database.end_turn()
        rest = TURN_SECONDS - (time.perf_counter() - began)
        if rest > 0:
            limits.pause(rest)

    def _place(self, scan: Scan) -> str:
        """Name what a size belongs to: the units of another way are others."""
        return f"{self._target.label} by {scan.access_path}"

    def _grow_again(self, limits: Limits, scan: Scan, known: int | None, pace: Pace) -> None:
        """After a pass without a time-out let the next one try twice the size."""
        if known is None or pace.most < known:
            return
        larger = known * 2
        forgotten = larger >= scan.most_units
        limits.remember(self._history, self._place(scan), None if forgotten else larger)

    def _start(self, scan: Scan) -> int:
        """Begin with a safe size; a little larger where the tables before could take much more."""
        learned = self._learned.get(scan.access_path, 0) // 2
        return max(scan.start_units, min(learned, START_GROWTH * scan.start_units))

    def _next(self, pace: Pace, batch: Batch, seconds: float, allowed: int) -> Pace:
        target = AIM * self._pacing.batch_time.total_seconds()
        if self._database.writing_turn is not None:
            target = min(target, self._database.writing_turn)
        return next_pace(
            pace,
            rows=batch.rows,
            seconds=seconds,
            target=target,
            batch_size=allowed,
            looked_at=batch.looked_at,
        )

    def _recovered(self, recovery: Recovery, pace: Pace, scan: Scan, limits: Limits) -> Pace:
        most = recovery.after_batch(pace.most)
        if most == pace.most:
            return pace
        limits.remember(self._history, self._place(scan), None if most >= scan.most_units else most)
        return replace(pace, most=most)

    def _guard(self) -> None:
        """From now on pass over rows that a foreign key still points at."""
        self._guarded = True
        guards = self._database.references_guard(self._target.table)
        self._target = replace(self._target, guards=(*self._target.guards, *guards))

    def _finished(self) -> TableFinished:
        if not self._guarded:
            return TableFinished(self._history, self._target.label, self.rows)
        skipped = self._database.bounded_count(self._target.table, self._target.condition)
        names = ", ".join(sorted({reference.table for reference in self._target.table.references}))
        more = " at least" if skipped >= COUNT_BOUND else ""
        reason = f"{more} {skipped} rows are still referenced from {names}".strip()
        return TableFinished(self._history, self._target.label, self.rows, skipped, reason)
