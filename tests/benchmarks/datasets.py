"""Servers with data that every measurement starts from anew."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.support.camunda.data import fill
from tests.support.engine_schema import create_engine_schema
from tests.support.servers import DatabaseServer, MariaDBServer, PostgreSQLServer, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)
SERVERS = {"postgresql": PostgreSQLServer, "mariadb": MariaDBServer}


@contextmanager
def server_of(kind: str) -> Iterator[DatabaseServer]:
    """A server with its default, durable settings, gone afterwards."""
    server = SERVERS[kind](durable=True)
    try:
        server.start()
        yield server
    finally:
        server.close()


def engine_history(
    server: DatabaseServer, instances: int, *, interleaved: bool = False, now: datetime = NOW
) -> str:
    """Fill an engine's database: half of its instances have expired at `now` (aware). Returns its URL."""
    began = time.monotonic()
    url = server.create_database()
    create_engine_schema(url)
    counts = fill(
        url, expired_instances=instances, unexpired_instances=instances, now=now, interleaved=interleaved
    )
    if server.scheme == "postgresql":
        # As in a table of some age; otherwise autovacuum does it beside whatever is measured first.
        with connect(url) as connection:
            connection.execute("VACUUM ANALYZE")
    print(f"{sum(counts.values()):,} rows in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return url


class Snapshot:
    """The server's files as they were; going back costs a copy and a start."""

    def __init__(self, server: DatabaseServer) -> None:
        self._server = server
        self._data = server.folder / "data"
        self._saved = server.folder / "saved"
        server.stop()
        self._copy(self._data, self._saved)
        server.start()

    def restore(self) -> None:
        """Put everything back; caches of the server are empty afterwards, for all ways alike."""
        self._server.stop()
        shutil.rmtree(self._data)
        self._copy(self._saved, self._data)
        self._server.start()

    @staticmethod
    def _copy(source: object, target: object) -> None:
        subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(target)], check=True)
        subprocess.run(["sync"], check=True)
