"""What a server, a file or an account sets for its sessions changes nothing about ours."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.store import open_store
from cleanupctl.core.urls import parse_url
from cleanupctl.history.databases.servers import connect
from tests.support.cleaning import clean
from tests.support.cursors import database
from tests.support.store import an_entry, exactly
from tests.support.table_histories import AUDIT, fill, ids, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.servers import DatabaseServer

ODD = ("sql_safe_updates = 1", "sql_select_limit = 5", "completion_type = 2", "sql_auto_is_null = 1")
ODD_MODES = {"mariadb": "ORACLE,NO_BACKSLASH_ESCAPES", "mysql": "ANSI,NO_BACKSLASH_ESCAPES"}


@contextmanager
def _defaults(server: DatabaseServer, *settings: str) -> Iterator[None]:
    names = [one.partition(" ")[0] for one in settings]
    with database(server.admin_url) as cursor:
        cursor.execute("SELECT " + ", ".join(f"@@GLOBAL.{name}" for name in names))
        before = dict(zip(names, cursor.fetchone(), strict=True))
        for one in settings:
            cursor.execute(f"SET GLOBAL {one}")
    try:
        yield
    finally:
        with database(server.admin_url) as cursor:
            for name, value in before.items():
                restored = value if isinstance(value, int) or value == "DEFAULT" else f"'{value}'"
                cursor.execute(f"SET GLOBAL {name} = {restored}")


@pytest.mark.server
@pytest.mark.parametrize("kind", ["mariadb", "mysql"])
def test_mysql_sessions_have_their_own_modes_and_limits(kind: str, request: pytest.FixtureRequest) -> None:
    server: DatabaseServer = request.getfixturevalue(f"{kind}_server")
    url: str = request.getfixturevalue(f"{kind}_url")
    fill(url, 200, indexed=False, kind="DATETIME")
    with _defaults(server, *ODD, f"sql_mode = '{ODD_MODES[kind]}'"):
        clean(settings(url, AUDIT))
        with open_store(parse_url(url)) as store:
            assert len(store.reconfigure(exactly(7), an_entry)) == 7
            assert len(store.suspend(None, suspended=True)) == 7
    assert ids(url) == list(range(90))


def test_mariadb_sessions_read_what_is_there_and_not_what_was(
    mariadb_server: DatabaseServer, mariadb_url: str
) -> None:
    with database(mariadb_url) as cursor:
        cursor.execute("CREATE TABLE kept (id INT PRIMARY KEY) WITH SYSTEM VERSIONING")
        cursor.execute("INSERT INTO kept VALUES (1)")
    with _defaults(mariadb_server, "system_versioning_asof = '2020-01-01 00:00:00'"):
        session = connect(parse_url(mariadb_url))
    seen = session.query("SELECT id FROM kept")
    session.close()
    assert seen == [(1,)]


def test_what_a_sqlite_file_calls_cannot_reach_beyond_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'audit.db'}"
    fill(url, 100)
    with closing(sqlite3.connect(tmp_path / "audit.db")) as connection:
        connection.execute("CREATE TABLE seen (name TEXT)")
        connection.execute(
            "CREATE TRIGGER looks_around AFTER DELETE ON audit_event"
            " BEGIN INSERT INTO seen SELECT file FROM pragma_database_list; END"
        )
    failures = [str(getattr(event, "error", "")) for event in clean(settings(url, AUDIT))]
    assert any("unsafe use" in one for one in failures)
    assert ids(url) == list(range(100))


def test_no_store_runs_what_cannot_be_trusted_in_its_file(tmp_path: Path) -> None:
    with open_store(parse_url(f"sqlite:///{tmp_path / 'jobs.db'}")) as store:
        assert store._session.database.execute_sql("PRAGMA trusted_schema").fetchone() == (0,)
