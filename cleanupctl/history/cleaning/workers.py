"""What the workers of one process know of each other's work on one history."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cleanupctl.history.cleaning.batches import TargetRun
    from cleanupctl.history.databases.shared_scan import SharedScan


@dataclass(slots=True)
class Shared:
    """What the workers of one process know of each other's work on one history."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    done: dict[str, datetime] = field(default_factory=dict)
    """By table: up to which moment it has been cleaned to the end."""
    runs: dict[str, TargetRun] = field(default_factory=dict)
    """By table: who cleans it at present."""
    claimed: set[str] = field(default_factory=set)
    """Tables that a worker of this process has; not every database knows claims."""

    def claim(self, table: str) -> bool:
        """Try to be the only worker of this process on a table."""
        with self.lock:
            free = table not in self.claimed
            self.claimed.add(table)
            return free

    def release(self, table: str) -> None:
        """Give a claim back."""
        with self.lock:
            self.claimed.discard(table)

    @contextmanager
    def running(self, table: str, run: TargetRun) -> Iterator[None]:
        """Let the other workers see who cleans a table, so that they can help."""
        with self.lock:
            self.runs[table] = run
        try:
            yield
        finally:
            with self.lock:
                del self.runs[table]

    def shared_scan(self, table: str) -> SharedScan[Any] | None:
        """Return the walk through a table that others can take part in and that has something left."""
        with self.lock:
            run = self.runs.get(table)
            shared_scan = run.shared_scan if run else None
        return shared_scan if shared_scan and not shared_scan.spent else None

    def finish(self, table: str, now: datetime) -> None:
        """Remember that nothing expired at `now` is left in a table."""
        with self.lock:
            self.done[table] = now

    def is_done(self, table: str, now: datetime) -> bool:
        """Whether somebody here has already cleaned a table up to `now`."""
        with self.lock:
            return table in self.done and self.done[table] >= now
