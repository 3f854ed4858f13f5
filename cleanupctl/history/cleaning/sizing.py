"""How much the next batch takes on, so that it ends in time: learned from the batches before it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cleanupctl.history.databases.errors import StatementTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from cleanupctl.history.databases.errors import LockConflictError
    from cleanupctl.history.databases.scan import Batch, BatchSource

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

BATCHES_TO_RECOVER = 20
"""After so many batches without a conflict the next one may be twice as large."""

CAUTIOUS_GROWTH = 1.02
"""How much larger the next batch may be than what would have been in time when one was not: what made it
slow (a cold cache, a checkpoint) mostly comes again before long."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """The limits that every batch keeps."""

    batch_time: timedelta
    batch_size: int


@dataclass(frozen=True, slots=True)
class BatchSize:
    """How many units (rows, blocks, hierarchies) the next batch looks at, and what was learned so far."""

    units: int
    most: int
    density: float = 0.0
    """Deleted rows a unit, the highest seen lately."""
    cost: float = 0.0
    """Seconds a unit, the highest seen lately."""


def next_size(
    size: BatchSize,
    *,
    rows: int,
    seconds: float,
    target: float,
    batch_size: int,
    looked_at: int | None = None,
) -> BatchSize:
    """Size the next batch so that it takes about `target` seconds and at most `batch_size` rows.

    Reacts to a slow batch at once and in full, and forgets it little by little: where some batches have
    to wait for pages or for the log, the others are no promise. Grows at most twofold, and
    not after a batch that was cut short (`looked_at` units instead of the size's).
    """
    looked_at = looked_at or size.units
    density = max(rows / looked_at, size.density * DENSITY_MEMORY)
    measured = max(seconds, 1e-6) / size.units
    cost = max(measured, min(size.cost * COST_MEMORY, measured * STALL))
    growth = GROWTH if looked_at >= size.units else 1.0
    by_time = min(size.units * growth, target / cost)
    by_rows = FILL * batch_size / density if density > 0 else by_time
    units = max(1, min(int(min(by_time, by_rows)), size.most))
    return BatchSize(units, size.most, density, cost)


def after_overflow(size: BatchSize) -> BatchSize:
    """Halve: the batch held more rows than one transaction may delete."""
    return replace(size, units=max(1, size.units // 2))


def after_conflict(size: BatchSize) -> BatchSize:
    """Halve, and keep to it: whoever was in the way of so many rows may be so again."""
    smaller = max(1, size.units // 2)
    return replace(size, units=smaller, most=smaller)


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
        """Note that a batch was committed; return how many units the next one may have at most."""
        self._batches += 1
        if self._batches < BATCHES_TO_RECOVER or most >= self._most:
            return most
        self._batches = 0
        return min(2 * most, self._most)


class BatchSizer:
    """Sizes the batches of one pass."""

    def __init__(
        self,
        source: BatchSource,
        pacing: Pacing,
        *,
        known: int | None = None,
        start: int = 0,
        turn: float | None = None,
        cautious: bool = False,
        remember: Callable[[int | None], None] = lambda units: None,
    ) -> None:
        """Begin with the source's safe size, or with `start` units.

        `known` is a size that must not be passed since a batch ran into a time-out, `remember` keeps
        such a size (None forgets it), `turn` is the longest time of a batch where others have to get
        turns, `cautious` makes sizes grow slowly after a batch that took too long.
        """
        most = source.most_units if known is None else min(known, source.most_units)
        self._size = BatchSize(start or source.start_units, most)
        self._pacing = pacing
        self._limit = source.most_units
        self._known = known
        self._remember = remember
        self._recovery = Recovery(most)
        self._longest = pacing.batch_time.total_seconds()
        self._target = AIM * self._longest if turn is None else min(AIM * self._longest, turn)
        self._cautious = float(source.most_units) if cautious else None
        self.conflicts = 0
        """Batches in a row that others were in the way of."""

    @property
    def units(self) -> int:
        """Units of the next batch."""
        return min(self._size.units, self._size.most)

    @property
    def wanted(self) -> int:
        """Units of the next batch if nothing had been in the way."""
        return self._size.units

    def batch(self, batch: Batch, seconds: float, allowed: int) -> None:
        """Learn from a batch that was committed, of at most `allowed` rows."""
        size = self._size if batch.taken is None else replace(self._size, units=batch.taken)
        size = next_size(
            size,
            rows=batch.rows,
            seconds=seconds,
            target=self._target,
            batch_size=allowed,
            looked_at=batch.looked_at,
        )
        self._size = self._careful(size, seconds)
        most = self._recovery.after_batch(self._size.most)
        if most != self._size.most:
            self._size = replace(self._size, most=most)
            self._remember(None if most >= self._limit else most)

    def _careful(self, size: BatchSize, seconds: float) -> BatchSize:
        if self._cautious is None:
            return size
        if seconds > self._longest:
            self._cautious = float(size.units)
            return size
        self._cautious = min(float(self._limit), self._cautious * CAUTIOUS_GROWTH)
        return replace(size, units=max(1, min(size.units, int(self._cautious))))

    def overflow(self, batch: Batch) -> None:
        """Take on less: nothing was done, it would have been too much for one transaction."""
        size = self._size if batch.taken is None else replace(self._size, units=batch.taken)
        self._size = after_overflow(size)

    def conflict(self, error: LockConflictError) -> None:
        """Take on less, and remember it: nothing was done, others were in the way or it took too long."""
        units = self.units if error.units is None else error.units
        self.conflicts += 1
        self._recovery.conflict(error, units)
        self._size = after_conflict(replace(self._size, units=units))
        self._remember(self._size.most)

    def end(self) -> None:
        """After a pass without a time-out let the next one try twice the size."""
        if self._known is None or self._size.most < self._known:
            return
        larger = self._known * 2
        self._remember(None if larger >= self._limit else larger)
