"""Servers that belong together: a standby, a replica, the nodes of a Galera cluster."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.requirement import find, missing
from tests.support.servers import MariaDBServer, PostgreSQLServer, connect, free_port

if TYPE_CHECKING:
    from tests.support.servers import DatabaseServer


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


class GaleraNode(MariaDBServer):
    """One node of a Galera cluster; they begin as copies of the first one, so that no data is transferred."""

    def __init__(self, first: GaleraNode | None = None) -> None:
        libraries = sorted(Path("/usr").glob("lib*/**/libgalera_smm.so"))
        if not libraries:
            missing("the Galera library is not installed (Debian package galera-4)")
        super().__init__()
        self._library = libraries[0]
        self._first = first
        self.group_port, self._transfer_port = free_port(), free_port()
        if first is not None:
            self.password = first.password

    def copy(self) -> None:
        """Take over the data of the first node, which must be stopped."""
        assert self._first is not None
        source = ["cp", "-a", str(self._first.folder / "data"), str(self.folder / "data")]
        subprocess.run(source, check=True)

    def _command(self) -> list[str]:
        options = (
            f"gmcast.listen_addr=tcp://127.0.0.1:{self.group_port};"
            f"ist.recv_addr=127.0.0.1:{self._transfer_port};gcache.size=16M"
        )
        others = "" if self._first is None else f"127.0.0.1:{self._first.group_port}"
        cluster = ["--wsrep-new-cluster"] if self._first is None else []
        return [
            *super()._command(), *cluster, "--wsrep-on=ON", f"--wsrep-provider={self._library}",
            f"--wsrep-cluster-address=gcomm://{others}", "--wsrep-node-address=127.0.0.1",
            f"--wsrep-provider-options={options}", "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2",
            "--wsrep-sst-method=rsync",
        ]  # fmt: skip


class GaleraCluster:
    """Three nodes on this host."""

    def __init__(self) -> None:
        first = GaleraNode()
        self.nodes = [first, GaleraNode(first), GaleraNode(first)]

    def start(self) -> None:
        """Start the first node, copy it, and start all."""
        first, *others = self.nodes
        first.start()
        first.stop()
        for other in others:
            other.copy()
        for node in self.nodes:
            node.start()

    def close(self) -> None:
        """Stop all and delete what they wrote."""
        for node in reversed(self.nodes):
            node.close()
