"""A run beside live traffic: writers are not kept waiting, and a row that others hold fails no table."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from cleanupctl.core.run.cleaning import BatchDeleted, Failed
from cleanupctl.core.urls import parse_url
from cleanupctl.history.databases.mysql import database as mysql
from cleanupctl.history.databases.postgresql import database as postgresql
from tests.support.servers import connect
from tests.support.traffic import EXPIRED, Changing, Sleeping, clean, expired_left, fill

if TYPE_CHECKING:
    import pytest


HOLD_SECONDS = 3.0
"""Longer than a statement waits for a lock."""

SLOW_POSTGRESQL = (
    "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN PERFORM pg_sleep(0.002); RETURN OLD; END'",
    "CREATE TRIGGER slow BEFORE DELETE ON event FOR EACH ROW EXECUTE FUNCTION slow()",
)
SLOW_MYSQL = ("CREATE TRIGGER slow BEFORE DELETE ON event FOR EACH ROW SET @slept = SLEEP(0.004)",)
"""Every row takes some milliseconds, so that large batches run into the time limit of a statement."""


class Traffic(threading.Thread):
    """Inserts, updates and reads rows of the same table, and remembers the longest wait."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.longest = 0.0
        self.written = 0
        self.ending = threading.Event()

    def run(self) -> None:
        with connect(self.url) as connection, connection.cursor() as cursor:
            while not self.ending.is_set():
                number = EXPIRED + self.written
                self._timed(cursor, "INSERT INTO event VALUES (%s, '2024-06-15 10:00:00', 'live')", (number,))
                self._timed(
                    cursor, "UPDATE event SET what = 'changed' WHERE id = %s", (3 * (self.written % 1000),)
                )
                self._timed(cursor, "SELECT what FROM event WHERE id = %s", (number,))
                self.written += 1

    def _timed(self, cursor: Any, statement: str, parameters: tuple[Any, ...]) -> None:
        started = time.perf_counter()
        cursor.execute(statement, parameters)
        self.longest = max(self.longest, time.perf_counter() - started)


def test_live_writers_and_readers_are_not_kept_waiting(server_url: str) -> None:
    fill(server_url)
    traffic = Traffic(server_url)
    traffic.start()
    while traffic.written < 5:
        time.sleep(0.01)
    before = traffic.written
    events = clean(server_url, Sleeping())
    traffic.ending.set()
    traffic.join()
    assert expired_left(server_url) == 0
    assert not [event for event in events if isinstance(event, Failed)]
    assert traffic.written > before
    # A batch takes a quarter of a second at most; the bound leaves room for a busy machine.
    assert traffic.longest < 2.0


def test_a_row_that_somebody_holds_for_a_while_does_not_fail_the_table(server_url: str) -> None:
    fill(server_url)
    limits = Sleeping()
    held = threading.Event()

    def hold() -> None:
        with connect(server_url, autocommit=False) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT id FROM event WHERE id = 31 FOR UPDATE")
            cursor.fetchall()
            held.set()
            time.sleep(HOLD_SECONDS)
            connection.rollback()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    events = clean(server_url, limits)
    holder.join()
    assert not [event for event in events if isinstance(event, Failed)]
    assert expired_left(server_url) <= 1
    assert sum(event.rows for event in events if isinstance(event, BatchDeleted)) >= EXPIRED * 2 // 3 - 1


def test_a_statement_that_takes_too_long_is_cut_off_and_tried_with_fewer_rows(
    server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mysql, "STATEMENT_SECONDS", 1)
    monkeypatch.setattr(postgresql, "STATEMENT_SECONDS", 0.5)
    slow = SLOW_MYSQL if server_url.startswith("mysql") else SLOW_POSTGRESQL
    fill(server_url)
    with connect(server_url) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM event WHERE id >= 800")
        for statement in slow:
            cursor.execute(statement)
    limits = Sleeping()
    events = clean(server_url, limits)
    assert not [event for event in events if isinstance(event, Failed)]
    assert expired_left(server_url) == 0
    (remembered,) = limits.sizes.values()
    assert remembered


def test_writers_that_lock_the_same_rows_the_other_way_round_fail_no_table(server_url: str) -> None:
    fill(server_url)
    writers = [Changing(server_url) for _ in range(3)]
    for writer in writers:
        writer.start()
    events = clean(server_url, Sleeping())
    for writer in writers:
        writer.ending.set()
        writer.join()
    errors = [error for writer in writers for error in writer.errors]
    assert not [event for event in events if isinstance(event, Failed)]
    if server_url.startswith("postgresql"):
        # The run gives up before PostgreSQL looks for deadlocks. InnoDB sees them at once, and undoes
        # whichever transaction has written less.
        assert not errors
    assert all("Deadlock found" in str(error) for error in errors)
    assert max(writer.longest for writer in writers) < 2.0
    # What changed place in the meantime goes in the next run.
    clean(server_url, Sleeping())
    assert expired_left(server_url) == 0


def test_others_do_not_wait_for_all_the_time_that_a_batch_is_held_up(server_url: str) -> None:
    fill(server_url)
    held, writer = threading.Event(), Changing(server_url, range(40, 200))

    def hold() -> None:
        with connect(server_url, autocommit=False) as connection, connection.cursor() as cursor:
            cursor.execute("UPDATE event SET what = 'held' WHERE id = 400")
            held.set()
            time.sleep(HOLD_SECONDS)
            connection.rollback()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    writer.start()
    clean(server_url, Sleeping())
    holder.join()
    writer.ending.set()
    writer.join()
    # The time of a batch, what it waits for a lock, and room for a busy machine.
    assert 0.1 < writer.longest < (1.5 if server_url.startswith("postgresql") else 2.0)


def test_a_database_that_defaults_to_strict_isolation_does_not_refuse_changed_rows(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "LOCK_TIMEOUT", "30s")
    fill(postgresql_url)
    with connect(postgresql_url) as connection:
        name = parse_url(postgresql_url).database
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    limits, events = Sleeping(), []
    with connect(postgresql_url, autocommit=False) as holder, connect(postgresql_url) as watcher:
        holder.execute("UPDATE event SET what = 'changed' WHERE id = 31")
        cleaning = threading.Thread(target=lambda: events.extend(clean(postgresql_url, limits)))
        cleaning.start()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        while watcher.execute(waiting).fetchone()[0] == 0:
            time.sleep(0.01)
        holder.commit()
        cleaning.join()
    assert not [event for event in events if isinstance(event, Failed)]
    assert limits.sizes == {}
