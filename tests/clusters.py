"""Servers that belong together: a standby, a replica, the nodes of a Galera cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.requirement import find, missing
from tests.servers import MariaDBServer, PostgreSQLServer, connect

if TYPE_CHECKING:
    from tests.servers import DatabaseServer


class Standby(PostgreSQLServer):
    """Follows another PostgreSQL server by streaming replication."""

    def __init__(self, primary: DatabaseServer) -> None:
        super().__init__()
        self._primary = primary
        self.password = primary.password
        program = find("pg_basebackup", Path(self._postgres).parent)
        self._backup = program or missing("pg_basebackup is not installed (Debian package postgresql)")

    def _initialise(self) -> None:
        source = self._primary.admin_url
        self._run_once(
            [self._backup, "-D", str(self.folder / "data"), "-d", source, "-R", "-X", "stream", "-c", "fast"]
        )

    def pause(self, paused: bool) -> None:
        """Let it receive but not apply what the primary sends, or go on."""
        with connect(self.admin_url) as connection:
            connection.execute(f"SELECT pg_wal_replay_{'pause' if paused else 'resume'}()")


class Source(MariaDBServer):
    """A MariaDB server that others can follow."""

    number = 1

    def _command(self) -> list[str]:
        return [*super()._command(), f"--server-id={self.number}", "--log-bin", "--binlog-format=ROW"]


class Replica(Source):
    """Follows a source from its first transaction on."""

    number = 2

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.password = source.password
        self._source = source

    def follow(self) -> None:
        """Begin to replicate."""
        source = self._source
        self.say(
            f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={source.port},"
            f" MASTER_USER='{source.administrator}', MASTER_PASSWORD='{source.password}',"
            " MASTER_USE_GTID=slave_pos"
        )
        self.say("START SLAVE")

    def say(self, statement: str) -> None:
        """Run one statement as the administrator."""
        with connect(self.admin_url) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
