"""A worker that is suspended, or whose host is gone, keeps neither its claims nor its locks for long."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.errors import HistoryUnreachableError
from cleanupctl.core.urls import parse_url
from cleanupctl.history.databases import database as sql
from cleanupctl.history.databases.mysql import database as mysql
from cleanupctl.history.databases.postgresql import database as postgresql
from cleanupctl.history.databases.servers import connect
from tests.support import servers

if TYPE_CHECKING:
    from cleanupctl.history.databases.database import Database


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (mysql, postgresql):
        monkeypatch.setattr(module, "IDLE_SECONDS", 2)
        monkeypatch.setattr(module, "IDLE_IN_TRANSACTION_SECONDS", 1)


@pytest.fixture
def url(server_url: str) -> str:
    with servers.connect(server_url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, created_at TIMESTAMP NULL)")
        cursor.execute("INSERT INTO event (id) VALUES (1)")
    return server_url


def wait_for_claim(database: Database) -> None:
    table = database.find_table("event")
    assert table is not None
    deadline = time.monotonic() + 30
    while not database.claim(table):
        assert time.monotonic() < deadline, "the claim of the other session did not end"
        time.sleep(0.1)


def claimed(database: Database) -> None:
    table = database.find_table("event")
    assert table is not None
    assert database.claim(table)


def test_the_claims_of_a_session_nobody_uses_any_more_end(url: str) -> None:
    with closing(connect(parse_url(url))) as abandoned, closing(connect(parse_url(url))) as other:
        claimed(abandoned)
        wait_for_claim(other)
        with pytest.raises(HistoryUnreachableError):
            abandoned.query("SELECT 1")


def test_a_session_that_waits_and_gives_signs_of_life_keeps_its_claims(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "KEEP_ALIVE_SECONDS", 0.5)
    with closing(connect(parse_url(url))) as waiting:
        claimed(waiting)
        ends = time.monotonic() + 3
        while time.monotonic() < ends:
            waiting.keep_alive()
            time.sleep(0.05)
        waiting.query("SELECT 1")


def test_the_locks_of_a_transaction_nobody_goes_on_with_end(url: str) -> None:
    with closing(connect(parse_url(url))) as abandoned, servers.connect(url) as writer:
        assert isinstance(abandoned, mysql.MySQL | postgresql.PostgreSQL)
        cursor = abandoned._connection.cursor()
        cursor.execute("BEGIN")
        table = abandoned.find_table("event")
        assert table is not None
        cursor.execute(f"DELETE FROM {abandoned.qualified(table)}")
        # It would wait for 50 seconds on MariaDB, on PostgreSQL for ever.
        writer.cursor().execute("UPDATE event SET created_at = '2020-01-01 00:00:00' WHERE id = 1")
        with pytest.raises(HistoryUnreachableError):
            abandoned.query("SELECT 1")
        with servers.connect(url) as reader, reader.cursor() as found:
            found.execute("SELECT count(*) FROM event")
            assert found.fetchone()[0] == 1
