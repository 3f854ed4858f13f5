"""A connection to PostgreSQL that is not waited for without end: a job store's or a history's."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import psycopg

from cleanupctl.core import network

if TYPE_CHECKING:
    from collections.abc import Generator

NETWORK = {
    "connect_timeout": network.CONNECT_SECONDS,
    "keepalives": 1,
    "keepalives_idle": network.IDLE_SECONDS,
    "keepalives_interval": network.PROBE_SECONDS,
    "keepalives_count": network.PROBES,
    "tcp_user_timeout": network.UNACKNOWLEDGED_SECONDS * 1000,
}
"""By libpq's names; what a URL says comes before them."""


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """Gives up when nothing at all arrives for `answer_seconds`."""

    answer_seconds: float | None = None
    """None is no limit: something else has to notice that the other end is away."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.link = network.Link()

    def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        """Wait as psycopg does, whatever for. Raise OperationalError when it took too long."""
        with self.link:
            return super().wait(self._answered(gen), *arguments, **options)

    def _answered(self, waiting: Any) -> Generator[Any, Any, Any]:
        """Pass on what psycopg waits for; it hears ten times a second when there is nothing."""
        heard = time.monotonic()
        ready: Any = None
        while True:
            try:
                wanted = waiting.send(ready)
            except StopIteration as end:
                return end.value
            ready = yield wanted
            if ready:
                heard = time.monotonic()
            elif self.answer_seconds is not None and time.monotonic() > heard + self.answer_seconds:
                self.pgconn.finish()
                raise psycopg.OperationalError(f"no answer for {self.answer_seconds:g} seconds")


def connect(*, answer_seconds: float | None, **options: Any) -> Connection:
    """Connect with what psycopg's `connect` takes. Raise psycopg's errors."""
    # A database in SQL_ASCII would else answer with bytes.
    connection = Connection.connect(**(NETWORK | options | {"client_encoding": "utf8"}))
    connection.answer_seconds = answer_seconds
    return connection
