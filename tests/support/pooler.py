"""PgBouncer in front of a test server: each transaction may get another of the server's sessions."""

from __future__ import annotations

from cleanupctl.core.urls import parse_url
from tests.support.requirement import require
from tests.support.servers import DatabaseServer

SESSIONS = 3


class Pooler(DatabaseServer):
    """Gives each transaction one of a few sessions of the server that a URL names, in turn."""

    accounts = ("postgres", "nobody")

    def __init__(self, url: str) -> None:
        self._program = require("pgbouncer", "pgbouncer")
        super().__init__()
        self._place = parse_url(url)
        self.through = url.replace(f"{self._place.host}:{self._place.port}", f"127.0.0.1:{self.port}")
        """URL of the same database by way of the pooler."""

    @property
    def admin_url(self) -> str:
        """The same: a pooler has no accounts of its own."""
        return self.through

    def _initialise(self) -> None:
        (self.folder / "data").mkdir()
        users, place = self.folder / "users.txt", self._place
        users.write_text(f'"{place.user}" "{place.password}"\n')
        self._own(users)
        settings = self.folder / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host={place.host} port={place.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
            f"listen_port = {self.port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {users}\n"
            f"pool_mode = transaction\ndefault_pool_size = {SESSIONS}\nserver_round_robin = 1\n"
        )
        self._own(settings)

    def _command(self) -> list[str]:
        return [self._program, str(self.folder / "pgbouncer.ini")]

    def _create_statements(self, name: str, password: str) -> list[str]:
        raise NotImplementedError

    def _drop_statements(self, name: str) -> list[str]:
        raise NotImplementedError
