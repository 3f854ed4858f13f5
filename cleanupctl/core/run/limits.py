"""How far a run may go: rows, time, window, lease, and being told to stop."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cleanupctl.core.errors import StoreError
from cleanupctl.core.jobs.scheduler import may_run, run_ends
from cleanupctl.core.run.events import LEASE_LOST, MAX_RUNTIME, WINDOW_END

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cleanupctl.core.job import Job
    from cleanupctl.core.store.jobstore import JobStore
    from cleanupctl.core.windows.windows import BatchWindows


@dataclass(frozen=True, slots=True)
class RunEnvironment:
    """What a run takes from outside: clocks, the question whether to stop, and waiting."""

    clock: Callable[[], datetime]
    """Now, aware."""
    monotonic: Callable[[], float]
    """Seconds of a clock that never jumps."""
    asked_to_stop: Callable[[], str | None]
    """`signal`, `stop-file` or None."""
    wait: Callable[[float], None]
    """Sleep for some seconds, less when asked to stop."""
    jitter: Callable[[], float]
    """A random number from 0 to 1."""
    load: Callable[[], float] = lambda: 0.0
    """One-minute load average of this host."""


@dataclass(slots=True)
class RowBudget:
    """How many rows all workers of a run together may still delete."""

    left: int | None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def spent(self) -> bool:
        """Whether nothing is left, or less than that after a row that took more along than was reserved."""
        return self.left is not None and self.left <= 0

    def reserve(self, rows: int) -> int:
        """Claim up to `rows` of what is left."""
        if self.left is None:
            return rows
        with self.lock:
            granted = 0 if self.spent else min(rows, self.left)
            self.left -= granted
            return granted

    def settle(self, reserved: int, deleted: int) -> None:
        """Give back what was not used."""
        if self.left is None:
            return
        with self.lock:
            self.left += reserved - deleted


class BatchMemory:
    """Sizes that ran into time-outs, kept in the store, so that no run tries them again at once."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._known: dict[tuple[str, str], int | None] = {}
        self._lock = threading.Lock()

    def get(self, history: str, table: str) -> int | None:
        """Return what is remembered of a table; a store that does not answer remembers nothing."""
        with self._lock:
            if (history, table) not in self._known:
                self._known[history, table] = None
                with suppress(StoreError):
                    self._known[history, table] = self._store.batch_limit(history, table)
            return self._known[history, table]

    def set(self, history: str, table: str, units: int | None) -> None:
        """Remember, here and in the store; only the store's memory is lost when it does not answer."""
        with self._lock:
            self._known[history, table] = units
            with suppress(StoreError):
                self._store.set_batch_limit(history, table, units)


class RunLimits:
    """The limits of whatever is done in a history; implements `cleaning.Limits`."""

    def __init__(
        self,
        environment: RunEnvironment,
        memory: BatchMemory,
        *,
        budget: RowBudget | None = None,
        rows_per_second: int | None = None,
    ) -> None:
        self._environment = environment
        self._memory = memory
        self._budget = budget or RowBudget(None)
        self._rows_per_second = rows_per_second

    def stop_reason(self) -> str | None:
        """Why to stop now; None to go on."""
        return self._environment.asked_to_stop()

    def reserve(self, rows: int) -> int:
        """Claim up to `rows` of what may still be deleted."""
        # No more than a second's worth: the pause after the batch stays short enough to stop in time.
        most = rows if self._rows_per_second is None else min(rows, self._rows_per_second)
        return self._budget.reserve(most)

    def settle(self, reserved: int, deleted: int) -> None:
        """Give back what was not used."""
        self._budget.settle(reserved, deleted)

    def pause(self, seconds: float) -> None:
        """Wait; less when asked to stop."""
        self._environment.wait(seconds)

    def remembered(self, history: str, table: str) -> int | None:
        """Return the size that a batch of this table must not pass."""
        return self._memory.get(history, table)

    def remember(self, history: str, table: str, units: int | None) -> None:
        """Keep a size for this run and the next ones."""
        self._memory.set(history, table, units)


class ExecutionLimits(RunLimits):
    """The limits of one execution of a job: also its lease, its window and the end of the run."""

    def __init__(
        self,
        *,
        job: Job,
        windows: BatchWindows,
        environment: RunEnvironment,
        budget: RowBudget,
        deadline: float | None,
        lease_lost: Callable[[], bool],
        memory: BatchMemory,
        rows_per_second: int | None = None,
    ) -> None:
        super().__init__(environment, memory, budget=budget, rows_per_second=rows_per_second)
        self._job = job
        self._windows = windows
        self._deadline = deadline
        self._lease_lost = lease_lost
        self._ends = run_ends(job, environment.clock(), windows)

    def stop_reason(self) -> str | None:
        """Why to stop now, the most urgent reason first; None to go on."""
        if self._lease_lost():
            return LEASE_LOST
        asked = super().stop_reason()
        if asked:
            return asked
        if self._window_is_over():
            return WINDOW_END
        if self._deadline is not None and self._environment.monotonic() >= self._deadline:
            return MAX_RUNTIME
        return None

    def _window_is_over(self) -> bool:
        now = self._environment.clock()
        if self._ends is None or now < self._ends:
            return False
        # One window may begin where the other ends.
        self._ends = run_ends(self._job, now, self._windows)
        return not may_run(self._job, now, self._windows)
