"""TLS options of the drivers in a URL: they reach the driver, for the store and for a history."""

from __future__ import annotations

import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.core.urls import parse_url
from tests.support.command import Command
from tests.support.requirement import require
from tests.support.servers import MariaDBServer, PostgreSQLServer, connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHER_HOST = "db.example"
"""The certificate is for another name than the one that tests connect to: the strictest mode refuses it."""


def certificate(folder: Path, name: str = "server") -> tuple[Path, Path]:
    """Make a key and a certificate that is signed by itself."""
    key, file = folder / f"{name}.key", folder / f"{name}.crt"
    command = [require("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-keyout", str(key), "-out", str(file), "-subj", f"/CN={OTHER_HOST}"]
    command += ["-addext", f"subjectAltName=DNS:{OTHER_HOST}"]
    subprocess.run(command, check=True, capture_output=True)
    return key, file


class PostgreSQLWithTLS(PostgreSQLServer):
    """Takes connections from the network with TLS only."""

    def _initialise(self) -> None:
        super()._initialise()
        access = "hostnossl all all 127.0.0.1/32 reject\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
        (self.folder / "data" / "pg_hba.conf").write_text(access)
        for file in certificate(self.folder):
            self._own(file)
            file.chmod(0o600)

    def _command(self) -> list[str]:
        files = f"--ssl_cert_file={self.folder}/server.crt", f"--ssl_key_file={self.folder}/server.key"
        return [*super()._command(), "--ssl=on", *files]


class MariaDBWithTLS(MariaDBServer):
    """Has a certificate; accounts may be made that have to use it."""

    def _initialise(self) -> None:
        super()._initialise()
        for file in certificate(self.folder):
            self._own(file)

    def _command(self) -> list[str]:
        files = f"--ssl-cert={self.folder}/server.crt", f"--ssl-key={self.folder}/server.key"
        return [*super()._command(), *files]

    def _create_statements(self, name: str, password: str) -> list[str]:
        return [*super()._create_statements(name, password), f"ALTER USER '{name}_owner'@'%' REQUIRE SSL"]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQLWithTLS]:
    with closing(PostgreSQLWithTLS()) as server:
        server.start()
        yield server


@pytest.fixture(scope="module")
def mariadb() -> Iterator[MariaDBWithTLS]:
    with closing(MariaDBWithTLS()) as server:
        server.start()
        yield server


OPTIONS = {
    "postgresql": {
        "trusted": "sslmode=verify-ca&sslrootcert={ca}",
        "unknown certificate": "sslmode=verify-ca&sslrootcert={other}",
        "other name": "sslmode=verify-full&sslrootcert={ca}",
        "without": "sslmode=disable",
        "trusted by a file": "sslrootcert={ca}",
        "trusted by default": "",
    },
    "mariadb": {
        "trusted": "ssl_ca={ca}&ssl_verify_cert=true",
        "unknown certificate": "ssl_ca={other}&ssl_verify_cert=true",
        "other name": "ssl_ca={ca}&sslmode=verify-full",
        "without": "ssl_disabled=true",
        "trusted by a file": "sslmode=verify-ca&ssl_ca={ca}",
        "trusted by default": "",
    },
}


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("case", OPTIONS["postgresql"])
def test_tls_options_reach_store_and_history(
    kind: str, case: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server: Any = request.getfixturevalue(kind)
    plain = server.create_database()
    admin = server.admin_url.replace(f"/{server.maintenance_database}", f"/{plain.rpartition('/')[2]}")
    with connect(admin) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at TIMESTAMP NULL)")
        cursor.execute("INSERT INTO audit_event VALUES (1, '2020-01-01 00:00:00')")
        if kind == "postgresql":
            cursor.execute(f"ALTER TABLE audit_event OWNER TO {parse_url(plain).user}")
    certificate(tmp_path, "other")
    options = OPTIONS[kind][case].format(ca=server.folder / "server.crt", other=tmp_path / "other.crt")
    url = f"{plain}?{options}"
    history = (
        f'[[history]]\nname = "audit"\nkind = "tables"\nurl = "{url}"\n'
        '[[history.table]]\nname = "audit_event"\ntime_column = "created_at"\nttl = 90\n'
    )
    as_store, as_history = Command(tmp_path, store=url), Command(tmp_path)
    as_history.configure(history)
    works = case.startswith("trusted")
    outcome = as_store("schedule")
    assert (outcome.code == 0) == works, outcome.err
    as_history("schedule")
    ran = as_history("run")
    assert (ran.code == 0) == works, ran.err
    for text in (outcome.err, ran.err, ran.out):
        assert not any(secret in text for secret in parse_url(plain).secrets())
        assert "Traceback" not in text
    if not works:
        assert (outcome.code, ran.code) == (11, 11), (outcome.err, ran.err)


def test_an_option_that_the_driver_does_not_know_is_named(tmp_path: Path) -> None:
    command = Command(tmp_path)
    command.configure(
        '[[history]]\nname = "audit"\nkind = "tables"\nurl = "mysql://me@127.0.0.1/audit?ssl_verify=true"\n'
        '[[history.table]]\nname = "audit_event"\ntime_column = "created_at"\nttl = 90\n'
    )
    outcome = command("run")
    assert outcome.code == 10
    (fault,) = outcome.error["faults"]
    assert "line 4, history[1].url: the option 'ssl_verify' in the URL is unknown; known are" in fault
