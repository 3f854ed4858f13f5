"""Behind PgBouncer in transaction mode: nothing of ours stays on sessions that others get next."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.errors import HistoryError
from cleanupctl.core.urls import parse_url
from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.errors import LockConflictError, StatementTimeoutError
from cleanupctl.history.databases.postgresql import database as postgresql
from cleanupctl.history.databases.servers import connect
from cleanupctl.history.databases.statements import Delete
from tests.support import servers
from tests.support.command import Command
from tests.support.pooler import SESSIONS, Pooler

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = (
    "lock_timeout",
    "statement_timeout",
    "synchronous_commit",
    "search_path",
    "row_security",
    "jit",
    "idle_session_timeout",
    "idle_in_transaction_session_timeout",
)
ALL = Condition("TRUE")


@pytest.fixture
def pooler(postgresql_url: str) -> Iterator[Pooler]:
    with closing(Pooler(postgresql_url)) as running:
        running.start()
        yield running


@pytest.fixture
def direct(postgresql_url: str) -> str:
    """The same database without the pooler, with a table of ten expired rows."""
    with servers.connect(postgresql_url) as connection:
        connection.execute("CREATE TABLE event (id integer PRIMARY KEY, at timestamp)")
        connection.execute("INSERT INTO event SELECT i, '2020-01-01' FROM generate_series(1, 10) i")
    return postgresql_url


def seen_by_others(url: str) -> set[tuple[str, ...]]:
    """Return the settings of each of the server's sessions, as other programs get them."""
    found, together = [], threading.Barrier(SESSIONS)

    def client() -> None:
        with servers.connect(url, autocommit=False) as connection:
            values = [connection.execute(f"SHOW {name}").fetchone()[0] for name in SETTINGS]
            together.wait(20)
            found.append(tuple(values))

    clients = [threading.Thread(target=client) for _ in range(SESSIONS)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    assert len(found) == SESSIONS
    return set(found)


def locks(url: str) -> int:
    with servers.connect(url) as connection:
        counted = connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        return int(counted.fetchone()[0])


def test_a_run_leaves_neither_settings_nor_locks_behind(pooler: Pooler, direct: str, tmp_path: Path) -> None:
    before = seen_by_others(pooler.through)
    cleanupctl = Command(tmp_path, store=pooler.through)
    cleanupctl.configure(
        f'timezone = "UTC"\n[cleanup]\nparallelism = 2\n[[history]]\nname = "h"\nkind = "tables"\n'
        f'url = "{pooler.through}"\n[[history.table]]\nname = "event"\ntime_column = "at"\nttl = 1\n'
    )
    cleanupctl("schedule")
    outcome = cleanupctl("run")
    assert outcome.code == 0, outcome.err
    assert outcome.data["removedRows"] == 10
    assert seen_by_others(pooler.through) == before
    assert locks(direct) == 0
    findings = cleanupctl("history", "check", "--json").data[0]["findings"]
    assert [one["severity"] for one in findings if "PgBouncer" in one["message"]] == ["warning"]


def test_a_session_without_a_pooler_is_not_taken_for_one(direct: str) -> None:
    with closing(connect(parse_url(direct))) as database:
        assert list(database.in_between()) == []


def test_our_settings_hold_in_each_transaction_and_for_each_question(pooler: Pooler) -> None:
    with closing(connect(parse_url(pooler.through))) as database:
        for _ in range(SESSIONS):
            assert database.query("SHOW search_path") == [("pg_catalog, pg_temp",)]
            assert database.query("SHOW row_security") == [("off",)]
        with database.unlimited():
            assert database.query("SHOW statement_timeout") == [("0",)]
        assert database.query("SHOW statement_timeout") == [("1min",)]


def test_a_question_that_fails_leaves_no_transaction_behind(
    pooler: Pooler, direct: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "STATEMENT_SECONDS", 0.3)
    with closing(connect(parse_url(pooler.through))) as database:
        with pytest.raises(HistoryError):
            database.query("SELECT * FROM nowhere")
        with pytest.raises(StatementTimeoutError):
            database.query("SELECT pg_sleep(5)")
        assert database.query("SELECT 1") == [(1,)]
        with servers.connect(direct) as connection:
            idle = "SELECT state FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
            states = {row[0] for row in connection.execute(idle, (parse_url(direct).database,))}
            assert states == {"idle"}


def test_claims_hold_while_rows_are_deleted_and_not_longer(pooler: Pooler, direct: str) -> None:
    place = parse_url(pooler.through)
    with closing(connect(place)) as one, closing(connect(parse_url(direct))) as other:
        table = one.find_table("event")
        assert table is not None
        assert one.claim(table)
        assert locks(direct) == 0
        # Who has a session of its own keeps the table for itself: rows are not fought over.
        assert other.claim(table)
        with pytest.raises(LockConflictError):
            one.delete(Delete(table, ALL), 100)
        other.release(table)
        assert one.delete(Delete(table, ALL), 100) == 10
        one.release(table)
        assert locks(direct) == 0
        other.claim(table)
        assert not one.claim(table)


def test_what_is_too_much_is_undone(pooler: Pooler, direct: str) -> None:
    with closing(connect(parse_url(pooler.through))) as database:
        table = database.find_table("event")
        assert table is not None
        assert database.delete(Delete(table, ALL), 5) is None
        assert database.bounded_count(table, ALL) == 10
