"""Turns at writing, where one connection at a time can: the workers of a process share them with others."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.core.run.cleaning import Limits
    from cleanupctl.history.databases.database import Database

TURN_SECONDS = 0.025
"""Pause for other writers: those that wait for SQLite's lock ask for it this often in their first 128 ms."""


class Turns:
    """What all workers of one process have written since others could: they count, and pause, as one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._written = 0.0

    @contextmanager
    def writing(self, database: Database, limits: Limits) -> Iterator[None]:
        """Write a batch as the only worker; let others write once all of them together were long at it."""
        turn = database.writing_turn
        if turn is None:
            yield
            return
        with self._lock:
            began = time.perf_counter()
            yield
            seconds = time.perf_counter() - began
            self._written += seconds
            # Another batch like this one would be too much.
            if self._written + seconds >= turn:
                self._written = 0.0
                self._give_way(database, limits)

    def _give_way(self, database: Database, limits: Limits) -> None:
        began = time.perf_counter()
        database.end_turn()
        rest = TURN_SECONDS - (time.perf_counter() - began)
        if rest > 0:
            limits.pause(rest)
