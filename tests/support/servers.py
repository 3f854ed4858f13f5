"""Real database servers for tests and benchmarks: started on loopback, stopped without leftovers."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.support.requirement import check_allowed, find, missing

if TYPE_CHECKING:
    from collections.abc import Iterator

_START_SECONDS = 60
_STOP_SECONDS = 60
_SOCKET_PATH_LIMIT = 107
_PR_SET_PDEATHSIG = 1


class ServerStartError(Exception):
    """A server did not come up; the message has the end of its log."""


@contextlib.contextmanager
def connect(url: str, *, autocommit: bool = True) -> Iterator[Any]:
    """Open a DB-API connection to a test database and close it afterwards.

    PostgreSQL and MySQL URLs; without `autocommit` the caller commits.
    """
    from cleanupctl.core.urls import parse_url

    place = parse_url(url)
    if place.scheme == "postgresql":
        import psycopg

        connection: Any = psycopg.connect(url, autocommit=autocommit)
    else:
        import pymysql

        connection = pymysql.connect(
            host=place.host or "localhost",
            port=place.port or 3306,
            unix_socket=place.option("unix_socket"),
            user=place.user,
            password=place.password or "",
            database=place.database,
            charset="utf8mb4",
            autocommit=autocommit,
        )
    with contextlib.closing(connection):
        yield connection


class DatabaseServer(ABC):
    """One server in a folder of its own; it can be stopped and started again on the same port."""

    scheme = ""
    accounts: tuple[str, ...] = ()
    """Unprivileged accounts to run as when the tests run as root; the first that exists."""
    administrator = "administrator"
    maintenance_database = ""
    stop_signal = signal.SIGTERM
    kill_signal = signal.SIGKILL

    def __init__(self, *, durable: bool = False) -> None:
        """Make its folder. Unless `durable` it leaves writing to the disk to the kernel.

        A killed server loses nothing that way, only a machine that fails would; creating the engine's tables
        takes a tenth of the time. Benchmarks measure durable servers.
        """
        self.durable = durable
        self.account = _account(self.accounts)
        self.folder = _folder(self.account)
        self.port = free_port()
        self.password = _password()
        self.log = self.folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def admin_url(self) -> str:
        """URL of an account that may do everything."""
        return self.url(self.administrator, self.password, self.maintenance_database)

    @property
    def running(self) -> bool:
        """Whether the server's process is alive."""
        return self._process is not None and self._process.poll() is None

    def url(self, user: str, password: str, database: str) -> str:
        """URL over loopback TCP; the password is percent-encoded."""
        return f"{self.scheme}://{quote(user)}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start and wait until it answers; does nothing when it runs. Raises ServerStartError."""
        check_allowed(type(self).__name__)
        if self.running:
            return
        if not (self.folder / "data").exists():
            self._initialise()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=_environment(),
                # Ctrl-C at the terminal is for pytest alone, which then stops the server in order.
                start_new_session=True,
                # No other thread runs here yet, and one system call is all it makes.
                preexec_fn=_die_with_parent(self.stop_signal),  # noqa: PLW1509
                **self._identity(),
            )
        self._wait_until_it_answers()

    def stop(self) -> None:
        """Shut down in order; committed transactions stay."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """End it at once, as a crash does; it recovers at the next start."""
        self._end(self.kill_signal)

    def close(self) -> None:
        """Stop and delete everything it wrote."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder)

    def create_database(self, name: str | None = None) -> str:
        """Create an empty database with an owner of its own and return its URL, password included."""
        self.start()
        name = name or f"test_{secrets.token_hex(6)}"
        password = _password()
        with connect(self.admin_url) as connection, connection.cursor() as cursor:
            for statement in self._create_statements(name, password):
                cursor.execute(statement)
        return self.url(f"{name}_owner", password, name)

    def drop_database(self, url: str) -> None:
        """Drop a database made by `create_database`, its owner too, ending what is connected."""
        from cleanupctl.core.urls import parse_url

        self.start()
        name = parse_url(url).database
        with connect(self.admin_url) as connection, connection.cursor() as cursor:
            for statement in self._drop_statements(name):
                cursor.execute(statement)

    @abstractmethod
    def _initialise(self) -> None: ...

    @abstractmethod
    def _command(self) -> list[str]: ...

    @abstractmethod
    def _create_statements(self, name: str, password: str) -> list[str]: ...

    @abstractmethod
    def _drop_statements(self, name: str) -> list[str]: ...

    def _identity(self) -> dict[str, Any]:
        if self.account is None:
            return {}
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}

    def _run_once(self, command: list[str]) -> None:
        """Run a set-up program as the server's account."""
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env=_environment(),
            check=False,
            **self._identity(),
        )
        if done.returncode:
            output = done.stdout.decode(errors="replace")
            raise ServerStartError(f"{command[0]} ended with {done.returncode}:\n{output}")

    def _own(self, path: Path) -> None:
        if self.account is not None:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                with connect(self.admin_url):
                    return
            except Exception as error:
                if self.running and time.monotonic() < deadline:
                    time.sleep(0.05)
                    continue
                self.kill()
                raise ServerStartError(f"{error}; its log ends with:\n{self._log_end()}") from error

    def _log_end(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])

    def _end(self, with_signal: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(with_signal)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class PostgreSQLServer(DatabaseServer):
    """PostgreSQL with its default settings; passwords are checked (SCRAM)."""

    scheme = "postgresql"
    accounts = ("postgres", "nobody")
    maintenance_database = "postgres"
    stop_signal = signal.SIGINT  # the "fast" shutdown: does not wait for clients
    kill_signal = signal.SIGQUIT  # "immediate": a crash, but its child processes end too

    def __init__(self, *, durable: bool = False) -> None:
        self._initdb, self._postgres = self._find_programs()
        super().__init__(durable=durable)
        self.socket_directory = self.folder
        """Folder of the Unix socket, as libpq's `host` takes it."""

    def _find_programs(self) -> tuple[str, str]:
        folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
        initdb, postgres = (find(program, *folders) for program in ("initdb", "postgres"))
        if initdb is None or postgres is None:
            missing("the PostgreSQL server programs are not installed (Debian package postgresql)")
        return initdb, postgres

    def _initialise(self) -> None:
        password_file = self.folder / "password"
        password_file.write_text(self.password)
        self._own(password_file)
        command = [self._initdb, "-D", str(self.folder / "data"), "-U", self.administrator]
        command += [f"--pwfile={password_file}", "--auth=scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"]
        command += [] if self.durable else ["--no-sync"]
        self._run_once(command)

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.socket_directory,
            "timezone": "UTC",
            "fsync": "on" if self.durable else "off",
        }
        options = [f"--{key}={value}" for key, value in settings.items()]
        return [self._postgres, "-D", str(self.folder / "data"), *options]

    def _create_statements(self, name: str, password: str) -> list[str]:
        return [
            f"CREATE ROLE {name}_owner LOGIN PASSWORD '{password}'",
            f"CREATE DATABASE {name} OWNER {name}_owner",
        ]

    def _drop_statements(self, name: str) -> list[str]:
        return [f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"DROP ROLE IF EXISTS {name}_owner"]


class MariaDBServer(DatabaseServer):
    """MariaDB with its default settings and utf8mb4; reached with a password."""

    scheme = "mysql"
    accounts = ("mysql", "nobody")
    maintenance_database = "mysql"

    def __init__(self, *, durable: bool = False) -> None:
        self._install, self._server = self._find_programs()
        self._places: list[str] = []
        super().__init__(durable=durable)
        self.socket = self.folder / "mariadb.sock"
        """Unix socket of the server."""

    def _find_programs(self) -> tuple[str, str]:
        install = find("mariadb-install-db") or find("mysql_install_db")
        server = find("mariadbd") or find("mysqld")
        if install is None or server is None:
            missing("the MariaDB server programs are not installed (Debian package mariadb-server)")
        return install, server

    def _initialise(self) -> None:
        self._run_once([
            # Elsewhere another server that starts would take its temporary files for leftovers.
            self._install, "--no-defaults", *self._places, f"--tmpdir={self.folder}",
            f"--datadir={self.folder / 'data'}",
            "--auth-root-authentication-method=normal", "--skip-test-db",
        ])  # fmt: skip

    def _command(self) -> list[str]:
        accounts = self.folder / "accounts.sql"
        accounts.write_text(
            f"CREATE USER IF NOT EXISTS '{self.administrator}'@'%' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL PRIVILEGES ON *.* TO '{self.administrator}'@'%' WITH GRANT OPTION;\n"
        )
        self._own(accounts)
        # Newer servers take the first option for their InnoDB too, older ones need the second.
        careless = [] if self.durable else ["--debug-no-sync", "--innodb-flush-method=nosync"]
        return [
            self._server, "--no-defaults", *self._places, f"--datadir={self.folder / 'data'}",
            f"--tmpdir={self.folder}",
            f"--socket={self.socket}", f"--port={self.port}", "--bind-address=127.0.0.1",
            f"--pid-file={self.folder / 'mariadb.pid'}", f"--init-file={accounts}", "--skip-name-resolve",
            "--character-set-server=utf8mb4", "--default-time-zone=+00:00", *careless,
        ]  # fmt: skip

    def _create_statements(self, name: str, password: str) -> list[str]:
        return [
            f"CREATE DATABASE {name}",
            f"CREATE USER '{name}_owner'@'%' IDENTIFIED BY '{password}'",
            f"GRANT ALL PRIVILEGES ON {name}.* TO '{name}_owner'@'%'",
        ]

    def _drop_statements(self, name: str) -> list[str]:
        return [f"DROP USER IF EXISTS '{name}_owner'@'%'", f"DROP DATABASE IF EXISTS {name}"]


def _account(names: tuple[str, ...]) -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    known = {account.pw_name: account for account in pwd.getpwall()}
    return next(known[name] for name in names if name in known)


def _folder(account: pwd.struct_passwd | None) -> Path:
    """Make a folder that the account can reach, with a path short enough for a socket in it."""
    folder = Path(tempfile.mkdtemp(prefix="cleanupctl-"))
    reachable = account is None or all(parent.stat().st_mode & 0o001 for parent in folder.parents)
    if not reachable or len(str(folder)) + len("/.s.PGSQL.65535.lock") > _SOCKET_PATH_LIMIT:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="cleanupctl-", dir="/tmp"))
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    return folder


def free_port() -> int:
    """Find a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _password() -> str:
    """Make up a password that a URL can only carry percent-encoded."""
    return f"{secrets.token_hex(6)}@/:#%{secrets.token_hex(2)}"


def _environment() -> dict[str, str]:
    """Nothing of the developer's settings (PGDATA, MYSQL_HOME, …) reaches a server."""
    path = os.environ.get("PATH", os.defpath)
    return {"PATH": f"{path}:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _die_with_parent(with_signal: signal.Signals) -> Any:
    """Have the kernel end the server even when pytest itself is killed (Linux only)."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, int(with_signal))


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.parent.name.split(".") if part.isdigit())
