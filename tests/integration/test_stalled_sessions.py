"""Sessions whose server does not answer: noticed, broken off, and never taken for one that is only slow."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.errors import CleanupctlError, HistoryUnreachableError, StoreError
from cleanupctl.core.store import failures, open_store
from cleanupctl.core.urls import parse_url
from cleanupctl.history.databases import answering
from cleanupctl.history.databases.mysql import database as mysql
from cleanupctl.history.databases.postgresql import database as postgresql
from cleanupctl.history.databases.servers import connect
from tests.support import servers
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from cleanupctl.history.databases.database import Database
    from tests.support.proxy import Proxy


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "PATIENCE_SECONDS", 0.3)


def sleeping(url: str, seconds: int) -> str:
    return f"SELECT {'pg_sleep' if url.startswith('postgresql') else 'sleep'}({seconds})"


def asleep(url: str) -> bool:
    """Return whether the server executes a statement that sleeps."""
    listed = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        if url.startswith("postgresql")
        else "SELECT count(*) FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'"
    )
    with servers.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(listed)
        return bool(cursor.fetchone()[0])


class Waiting:
    """A thread that waits for the answer to a statement."""

    def __init__(self, database: Database, sql: str) -> None:
        self.error: CleanupctlError | None = None
        self._thread = threading.Thread(target=self._wait, args=(database, sql))
        self._thread.start()

    def _wait(self, database: Database, sql: str) -> None:
        try:
            database.query(sql)
        except CleanupctlError as error:
            self.error = error

    def end(self) -> CleanupctlError | None:
        self._thread.join(30)
        assert not self._thread.is_alive(), "it still waits"
        return self.error


def test_a_session_whose_server_is_at_work_gets_on_however_long_that_takes(server_url: str) -> None:
    with closing(connect(parse_url(server_url))) as database:
        waiting = Waiting(database, sleeping(server_url, 2))
        wait_until(lambda: database.link.waited() > 0.5)
        assert database.answers()
        assert waiting.end() is None
        assert database.answers()


def test_a_session_that_nothing_comes_back_to_is_noticed_and_ended(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mysql.connection, "ASK_SECONDS", 1)
    monkeypatch.setattr(postgresql.connection, "ASK_SECONDS", 1)
    with closing(connect(parse_url(proxy.url))) as database:
        proxy.stall()
        waiting = Waiting(database, "SELECT 1")
        wait_until(lambda: not database.answers())
        error = waiting.end()
        assert isinstance(error, HistoryUnreachableError)
        assert "nothing came back for" in error.message
        with pytest.raises(HistoryUnreachableError):
            database.query("SELECT 1")


def test_an_answer_that_is_lost_on_the_way_is_not_taken_for_work(proxy: Proxy, server_url: str) -> None:
    # The server can be asked, and is done: only this session's answer does not arrive.
    with closing(connect(parse_url(proxy.url))) as database:
        database._url = parse_url(server_url)  # type: ignore[attr-defined] # where it looks for itself
        proxy.stall()
        waiting = Waiting(database, "SELECT 1")
        wait_until(lambda: not database.answers())
        assert isinstance(waiting.end(), HistoryUnreachableError)


def test_a_session_that_is_broken_off_leaves_no_statement_behind(server_url: str) -> None:
    with closing(connect(parse_url(server_url))) as database:
        waiting = Waiting(database, sleeping(server_url, 60))
        wait_until(lambda: asleep(server_url))
        database.break_off("it was time to stop")
        error = waiting.end()
        assert isinstance(error, HistoryUnreachableError)
        assert "it was time to stop" in error.message
    wait_until(lambda: not asleep(server_url))


def test_a_session_nobody_watches_gives_up_in_the_end(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (mysql, postgresql):
        monkeypatch.setattr(module, "ANSWER_SECONDS", 1)
    with closing(connect(parse_url(proxy.url))) as database:
        proxy.stall()
        with pytest.raises(HistoryUnreachableError):
            database.query("SELECT 1")


def test_a_job_store_that_does_not_answer_is_unreachable(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "ANSWER_SECONDS", 1)
    monkeypatch.setattr("cleanupctl.core.network.CONNECT_SECONDS", 1)
    with open_store(parse_url(proxy.url + "?connect_timeout=2"), create=True) as store:
        proxy.stall()
        with pytest.raises(StoreError, match="cannot be reached"):
            store.jobs()
        proxy.go_on()
        assert store.jobs() == []


def test_a_statement_on_a_file_can_be_broken_off(sqlite_url: str) -> None:
    place = parse_url(sqlite_url)
    Path(place.database).touch()
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    ended = threading.Event()
    with closing(connect(place)) as database:

        def break_off() -> None:
            while not ended.wait(0.1):
                database.break_off("it was time to stop")

        ending = threading.Thread(target=break_off)
        ending.start()
        with pytest.raises(HistoryUnreachableError, match="it was time to stop"):
            database.query(endless)
        ended.set()
        ending.join()
