"""A connection to MySQL or MariaDB that is not waited for without end: a job store's or a history's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pymysql.connections

from cleanupctl.core import network

if TYPE_CHECKING:
    import socket


class Connection(pymysql.connections.Connection):
    """Says since when it waits, and lets other threads break it off."""

    _read_timeout: float | None
    _sock: socket.socket | None

    def __init__(self, **options: Any) -> None:
        self.link = network.Link()
        super().__init__(**options)

    def answer_within(self, seconds: float | None) -> float | None:
        """From now on give up when nothing arrives for so long; return how long it was until now."""
        before, self._read_timeout = self._read_timeout, seconds
        return before

    @property
    def socket(self) -> socket.socket:
        """The connection beneath."""
        assert self._sock is not None  # noqa: S101 - asked after connecting
        return self._sock

    @property
    def number(self) -> int:
        """Number of the session, by which others find it on the server."""
        return int(self.thread_id())  # type: ignore[no-untyped-call] # its stubs

    def query(self, *arguments: Any, **options: Any) -> Any:
        """Send a statement and wait for its answer."""
        with self.link:
            return super().query(*arguments, **options)

    def begin(self) -> None:
        """Begin a transaction."""
        with self.link:
            super().begin()

    def commit(self) -> None:
        """Commit the transaction."""
        with self.link:
            super().commit()

    def rollback(self) -> None:
        """Undo the transaction."""
        with self.link:
            super().rollback()


def connect(*, answer_seconds: float | None, **options: Any) -> Connection:
    """Connect with what PyMySQL's `connect` takes. Raise PyMySQL's errors, and OSError.

    A `read_timeout` among the options comes before `answer_seconds`.
    """
    limits = {"connect_timeout": network.CONNECT_SECONDS, "write_timeout": network.UNACKNOWLEDGED_SECONDS}
    answer_seconds = options.pop("read_timeout", answer_seconds)
    # Its own time-out for connecting ends before the server has said a word.
    chosen: dict[str, Any] = limits | options
    connection = Connection(**chosen, read_timeout=chosen["connect_timeout"])
    network.keep_alive(connection.socket)
    connection.answer_within(answer_seconds)
    return connection
