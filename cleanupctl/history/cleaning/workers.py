"""One worker on a history, and what the workers of one process know of each other."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from cleanupctl.history.cleaning.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.history.cleaning.sizing import Pacing
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.shared_scan import SharedScan


class Running(Protocol):
    """A task that a worker is at."""

    shared_scan: SharedScan[Any] | None
    """What other workers can take part in, at present."""


@dataclass(slots=True)
class Shared:
    """What the workers of one process know of each other's work on one history."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    done: dict[str, datetime] = field(default_factory=dict)
    """By task: up to which moment it has been worked to the end."""
    runs: dict[str, Running] = field(default_factory=dict)
    """By task: what is being done about it at present."""
    claimed: set[str] = field(default_factory=set)
    """Tasks that a worker of this process has; not every database knows claims."""
    turns: Turns = field(default_factory=Turns)

    def claim(self, task: str) -> bool:
        """Try to be the only worker of this process on a task."""
        with self.lock:
            free = task not in self.claimed
            self.claimed.add(task)
            return free

    def release(self, task: str) -> None:
        """Give a claim back."""
        with self.lock:
            self.claimed.discard(task)

    @contextmanager
    def running(self, task: str, run: Running) -> Iterator[None]:
        """Let the other workers see that a task is being worked on, so that they can help."""
        with self.lock:
            self.runs[task] = run
        try:
            yield
        finally:
            with self.lock:
                del self.runs[task]

    def shared_scan(self, task: str) -> SharedScan[Any] | None:
        """Return the scan that others can take part in and that has something left, if there is one."""
        with self.lock:
            run = self.runs.get(task)
            shared_scan = run.shared_scan if run else None
        return shared_scan if shared_scan and not shared_scan.spent else None

    def finish(self, task: str, now: datetime) -> None:
        """Remember that nothing expired at `now` is left of a task."""
        with self.lock:
            self.done[task] = now

    def is_done(self, task: str, now: datetime) -> bool:
        """Whether a worker of this process has already finished a task up to `now`."""
        with self.lock:
            return task in self.done and self.done[task] >= now


@dataclass(slots=True)
class Worker:
    """One worker on a history; belongs to one thread."""

    history: str
    database: Database
    pacing: Pacing
    zone: ZoneInfo
    """The wall clock of what wrote the history."""
    shared: Shared = field(default_factory=Shared)
    learned: dict[str, int] = field(default_factory=dict)
    """How large the last batches were, by access path."""
