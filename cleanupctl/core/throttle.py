"""Holding back for the sake of others: pauses between transactions, never inside one."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleanupctl.core.settings import ThrottleSettings

DUTY_CYCLE = "duty-cycle"
ROWS_PER_SECOND = "rows-per-second"
LOAD = "load"

LOAD_CHECK_SECONDS = 1.0


@dataclass(slots=True)
class Throttle:
    """Shared by all workers of a run: the rate is that of the run, not of each worker."""

    settings: ThrottleSettings
    monotonic: Callable[[], float]
    load: Callable[[], float]
    """One-minute load average of this host."""
    asked_to_stop: Callable[[], str | None]
    wait: Callable[[float], None]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _free_at: float = 0.0

    def after_batch(self, rows: int, seconds: float) -> Iterator[tuple[str, float]]:
        """Wait as configured after a batch of `rows` that took `seconds`; yield why and how long."""
        reason, pause = self._pause(rows, seconds)
        if pause > 0:
            self.wait(pause)
            yield reason, pause
        highest = self.settings.max_load
        while highest is not None and self.load() > highest and not self.asked_to_stop():
            self.wait(LOAD_CHECK_SECONDS)
            yield LOAD, LOAD_CHECK_SECONDS

    def _pause(self, rows: int, seconds: float) -> tuple[str, float]:
        """Return the longer of the two pauses: that of the duty cycle and that of the rate."""
        rest = seconds * (1 / self.settings.duty_cycle - 1)
        held = self._over_the_rate(rows)
        return (ROWS_PER_SECOND, held) if held > rest else (DUTY_CYCLE, rest)

    def _over_the_rate(self, rows: int) -> float:
        if self.settings.rows_per_second is None:
            return 0.0
        now = self.monotonic()
        with self._lock:
            self._free_at = max(self._free_at, now) + rows / self.settings.rows_per_second
            return self._free_at - now
