"""Checkpoints of SQLite's write-ahead log, made by a connection of their own while rows are deleted."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

LONG_LOG_BYTES = 64 * 1024 * 1024
"""A log of this length is written back to its end, so that it begins anew instead of growing on."""


class Checkpoints:
    """Writes the log back in a thread: the disk is used by both, and no writer is kept from writing.

    A checkpoint does not take the write lock. While one is under way, other connections do not begin
    their own after a commit, which would let their writers pay for what was deleted here. Whatever goes
    wrong leaves the log as it is: nothing is lost, and a full disk shows in the next write.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._connection: sqlite3.Connection | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._running: Future[int] | None = None
        self._late = False
        """Whether the disk did not keep up with the last turn of writing."""

    @property
    def started(self) -> bool:
        """Whether there has been a checkpoint."""
        return self._thread is not None

    def advance(self) -> None:
        """Begin a checkpoint unless the last one goes on; wait where the log would grow without end."""
        length = 0
        if self._running is not None:
            if not self._running.done() and not self._late:
                self._late = True
                return
            length = self._running.result()
        running = self._begin()
        if length >= LONG_LOG_BYTES:
            running.result()

    def close(self) -> None:
        """Write back what there is, and disconnect; never raises."""
        if self._thread is None:
            return
        with suppress(RuntimeError):  # the interpreter is about to end
            self._begin()
        self._thread.shutdown()
        self._thread = None
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()

    def _begin(self) -> Future[int]:
        if self._thread is None:
            from concurrent.futures import ThreadPoolExecutor

            self._thread = ThreadPoolExecutor(1, "checkpoint")
        self._late = False
        self._running = self._thread.submit(self._checkpoint)
        return self._running

    def _checkpoint(self) -> int:
        """Write back what no reader still needs as it was; return the length of the log in bytes."""
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(
                    self._uri, uri=True, isolation_level=None, check_same_thread=False
                )
                self._connection.execute("PRAGMA synchronous = NORMAL")
            (page,) = self._connection.execute("PRAGMA page_size").fetchone()
            _, pages, _ = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error:
            return 0
        return max(0, int(pages)) * int(page)
