"""The job log as a history: the tool's own history is history too, with its own time to live."""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from cleanupctl.core.retry import retry
from cleanupctl.core.run.cleaning import BatchDeleted, Expired, Stopped, TableFinished, TableStarted
from cleanupctl.core.settings.values import JOB_LOG_HISTORY
from cleanupctl.core.times import cutoff

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.core.run.cleaning import Event, Limits
    from cleanupctl.core.store.jobstore import JobStore

NAME = JOB_LOG_HISTORY
TABLE = "job_log"
BATCH_ROWS = 1_000


class JobLogHistory:
    """Implements `cleaning.History` and `cleaning.Session` on the job store itself."""

    name = NAME

    def __init__(self, store: JobStore, ttl: int | None, zone: ZoneInfo) -> None:
        self._store = store
        self._ttl = ttl
        self._zone = zone

    @contextmanager
    def open(self) -> Iterator[JobLogHistory]:
        """Nothing to connect to: the store is open."""
        yield self

    def clean(self, now: datetime, limits: Limits) -> Iterator[Event]:
        """Delete log entries older than their time to live; without one they stay."""
        if self._ttl is None:
            return
        before = cutoff(now, self._ttl, self._zone)
        yield TableStarted(NAME, TABLE, None, "index")
        total = 0
        while True:
            reason = limits.stop_reason()
            allowed = 0 if reason else limits.reserve(BATCH_ROWS)
            if not allowed:
                yield Stopped(NAME, reason or "max-rows")
                return
            started = time.perf_counter()
            rows = retry(partial(self._store.delete_log, before, allowed), limits.pause, limits.stop_reason)
            limits.settle(allowed, rows)
            total += rows
            yield BatchDeleted(NAME, TABLE, rows, time.perf_counter() - started)
            if rows < allowed:
                break
        yield TableFinished(NAME, TABLE, total)

    def keep_alive(self) -> None:
        """Do nothing: the store has a connection of its own for each call."""

    def server_time(self) -> datetime | None:
        """Return what the clock of the job store says."""
        return self._store.now()

    def answers(self) -> bool:
        """Say yes: the store itself is asked for every renewal of a lease."""
        return True

    def break_off(self, why: str) -> None:
        """Do nothing: the calls of the store have limits of their own."""

    def replica_lag(self) -> float:
        """Say that nobody waits for replicas of the job store: its log is small."""
        return 0.0

    def preview(self, now: datetime) -> Iterator[Expired]:
        """Count the entries that `clean` would delete."""
        if self._ttl is None:
            return
        rows, oldest = self._store.expired_log(cutoff(now, self._ttl, self._zone))
        yield Expired(NAME, TABLE, rows, oldest)
