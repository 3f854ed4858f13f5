"""What deleting from one table costs: the time of one execution, and the rate once batches are full-grown."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cleanupctl.core.run.cleaning import BatchDeleted

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleanupctl.core.job import Removed
    from cleanupctl.core.run.cleaning import Event
    from cleanupctl.core.settings import CleanupSettings

LONG = 16
"""From so many batches on the small ones at the beginning do not count for much."""

CAUTION = 1.5
"""A rate calculated for larger batches is at most so many times the best that was seen."""


@dataclass(slots=True)
class Throughput:
    """Adds up the batches of one table; a batch's seconds are those since the one before."""

    rows: int = 0
    seconds: float = 0.0
    batches: int = 0
    _squares: float = 0.0
    _products: float = 0.0
    _best: float = 0.0
    _largest: int = 0

    def add(self, rows: int, seconds: float) -> None:
        """Count a batch."""
        self.rows += rows
        self.seconds += seconds
        self.batches += 1
        self._squares += rows * rows
        self._products += rows * seconds
        self._best = max(self._best, rows / max(seconds, 1e-6))
        self._largest = max(self._largest, rows)

    def rate(self, *, batch_seconds: float, batch_rows: int) -> float:
        """Rows a second of a long run, whose batches take `batch_seconds` or have `batch_rows` rows.

        Batches start small, and each has a cost of its own (a commit, a pause for others). A short run
        is mostly that: what a batch and what a row costs is told apart by a straight line through them.
        """
        plain = self.rows / max(self.seconds, 1e-6)
        spread = self._squares - self.rows * self.rows / self.batches if self.batches else 0.0
        if self.batches >= LONG or spread <= 0:
            return plain
        a_row = (self._products - self.rows * self.seconds / self.batches) / spread
        a_batch = (self.seconds - a_row * self.rows) / self.batches
        if a_row <= 0 or a_batch <= 0:
            return plain
        size = min(float(batch_rows), max(float(self._largest), (batch_seconds - a_batch) / a_row))
        return max(plain, min(size / (a_batch + a_row * size), CAUTION * self._best))


class Throughputs:
    """Shares the time of one execution out among its tables, from event to event."""

    def __init__(self, settings: CleanupSettings, monotonic: Callable[[], float]) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._tables: defaultdict[tuple[str, str], Throughput] = defaultdict(Throughput)
        self._at = 0.0

    def begin(self) -> None:
        """Count from now: a history is open."""
        self._at = self._monotonic()

    def note(self, event: Event) -> None:
        """Count the time since the last event to the table of which a batch was deleted, or to none."""
        at = self._monotonic()
        if isinstance(event, BatchDeleted):
            self._tables[event.history, event.table].add(event.rows, at - self._at)
        self._at = at

    def timed(self, removed: Removed) -> Removed:
        """Add its time and rate to what was removed from a table."""
        time, settings = self._tables[removed.history, removed.table], self._settings
        rate = time.rate(batch_seconds=settings.batch_time.total_seconds(), batch_rows=settings.batch_size)
        return replace(removed, seconds=round(time.seconds, 3), rate=round(rate, 1))
