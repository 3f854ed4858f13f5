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
REPLICA_LAG = "replica-lag"

LONGEST_PAUSE_SECONDS = 20.0
"""A longer pause is made in parts, with a keep-alive for the database after each."""

CHECK_SECONDS = 1.0
"""How often load and replicas are looked at while they are in the way."""


@dataclass(frozen=True, slots=True)
class ThrottleContext:
    """Where a worker is: what it cleans, and what else may end its waiting."""

    history: str
    replica_lag: Callable[[], float]
    """Seconds that the slowest replica of the history is behind."""
    keep_alive: Callable[[], None]
    """Uses the history's connection: no server lets a session idle for ever."""
    stop_reason: Callable[[], str | None]
    """Why to stop now: signals, the end of the window, limits."""


@dataclass(slots=True)
class Throttle:
    """Shared by all workers of a run: the rate is that of the run, not of each worker."""

    settings: ThrottleSettings
    monotonic: Callable[[], float]
    load: Callable[[], float]
    """One-minute load average of this host."""
    wait: Callable[[float], None]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _free_at: float = 0.0
    _lags: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By history: when its replicas were asked, and how far they were behind."""

    def after_batch(self, place: ThrottleContext, rows: int, seconds: float) -> Iterator[tuple[str, float]]:
        """Wait as configured after a batch of `rows` that took `seconds`; yield why and how long."""
        reason, pause = self._pause(rows, seconds)
        while pause > 0 and not place.stop_reason():
            part = min(pause, LONGEST_PAUSE_SECONDS)
            self.wait(part)
            place.keep_alive()
            yield reason, part
            pause -= part
        yield from self.before_batch(place)

    def before_batch(self, place: ThrottleContext) -> Iterator[tuple[str, float]]:
        """Wait until neither load nor replicas are in the way; yield why and how long.

        Raises HistoryError when the lag of the replicas cannot be known.
        """
        while (reason := self._in_the_way(place)) and not place.stop_reason():
            self.wait(CHECK_SECONDS)
            place.keep_alive()
            yield reason, CHECK_SECONDS

    def _in_the_way(self, place: ThrottleContext) -> str | None:
        highest = self.settings.max_load
        if highest is not None and self.load() > highest:
            return LOAD
        longest = self.settings.max_replica_lag
        if longest is not None and self._lag(place) > longest.total_seconds():
            return REPLICA_LAG
        return None

    def _lag(self, place: ThrottleContext) -> float:
        """Ask the replicas once in a while, whatever the number of workers."""
        now = self.monotonic()
        with self._lock:
            asked, lag = self._lags.get(place.history, (-CHECK_SECONDS, 0.0))
        if now < asked + CHECK_SECONDS:
            return lag
        lag = place.replica_lag()
        with self._lock:
            self._lags[place.history] = (now, lag)
        return lag

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
