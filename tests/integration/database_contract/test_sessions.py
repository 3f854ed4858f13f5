"""A session: who it is, what it claims, how it stays alive, and how it ends."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.errors import HistoryUnreachableError
from cleanupctl.core.urls import parse_url
from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.statements import delete_within
from cleanupctl.history.databases.target import Target
from tests.support.contract import covers
from tests.support.cursors import database as raw
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.statements import Delete
    from tests.support.contract import Place


@covers("claim", "release")
def test_a_table_or_a_part_of_it_is_claimed_by_one_session_at_a_time(place: Place) -> None:
    table, database = place.events(1, 1).table, place.database
    # Only one connection at a time can write to an SQLite file: there is nothing to share out.
    free = place.is_file
    with place.another() as other:
        assert database.claim(table)
        assert other.claim(table) is free
        assert other.claim(table, "part one")
        assert database.claim(table, "part one") is free
        assert database.claim(table, "part two")
        database.release(table)
        assert other.claim(table)
    # A claim ends with its session, as soon as the server has noticed.
    wait_until(lambda: database.claim(table, "part one"))


@covers("claim", "claimant")
def test_who_has_a_claim_is_told_and_whether_that_is_a_worker(place: Place) -> None:
    table, database = place.events(1, 1).table, place.database
    assert database.claimant(table) is None
    assert database.claim(table)
    assert database.claimant(table) is None
    with place.another() as other:
        found = other.claimant(table)
    if place.is_file:
        assert found is None
        return
    assert found is not None
    assert found.ours
    assert found.end.strip(")").endswith(found.who.split()[1])


@covers("claim", "claimant")
def test_a_strangers_claim_is_impossible_or_known_as_one(place: Place) -> None:
    table, database = place.events(1, 1).table, place.database
    if place.is_file:
        assert database.claim(table)
        assert database.claimant(table) is None
        return
    with place.stranger() as url, raw(url) as cursor:
        if place.family == "mysql":
            name = f"{table.schema}.{table.name}".encode()
            cursor.execute(f"SELECT GET_LOCK('cleanupctl:{hashlib.sha256(name).hexdigest()[:40]}', 0)")
            assert database.claim(table)
            assert database.claimant(table) is None
            return
        space = zlib.crc32(b"cleanupctl") & 0x7FFFFFFF
        cursor.execute("SET application_name = 'cleanupctl'")
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", (space, table.detail["oid"]))
        assert not database.claim(table)
        found = database.claimant(table)
        assert found is not None
        assert not found.ours
        assert parse_url(url).user in found.who.split()


@covers("keep_alive", "close", "query")
def test_a_session_that_is_kept_alive_answers_until_it_is_closed_and_closing_never_raises(
    place: Place,
) -> None:
    with place.another() as other:
        other.keep_alive()
        other.keep_alive()
        other.close()
        other.close()
    place.database.keep_alive()
    assert place.database.query("SELECT 1") == [(1,)]
    place.database.close()
    with pytest.raises(Exception):  # noqa: B017 which one differs, but it does not answer
        place.database.query("SELECT 1")


@covers("keep_alive")
def test_a_session_that_the_server_ended_is_unreachable(place: Place) -> None:
    if place.is_file:
        place.database.keep_alive()
        return
    if place.product == "postgresql":
        ((session,),) = place.database.query("SELECT pg_backend_pid()")
        place.administrate(f"SELECT pg_terminate_backend({session})")
    else:
        ((session,),) = place.database.query("SELECT CONNECTION_ID()")
        place.administrate(f"KILL {session}")
    with pytest.raises(HistoryUnreachableError) as caught:
        place.database.keep_alive()
    password = parse_url(place.url).password
    assert password is not None
    assert password not in caught.value.message


@covers("login")
def test_the_login_is_that_of_the_url(place: Place) -> None:
    assert place.database.login == (parse_url(place.url).user or "the user of the URL")


@covers(
    "most_rows",
    "transaction_rows",
    "writing_turn",
    "index_option",
    "pipelined",
    "plans_each_look_up",
    "steps",
    "start_rows",
    "end_turn",
)
def test_a_server_says_how_it_wants_to_be_written_to(place: Place) -> None:
    database = place.database
    assert database.transaction_rows is None
    assert database.most_rows(10_000) == 10_000
    assert (database.writing_turn is not None) == (place.is_file)
    assert database.index_option == ("CONCURRENTLY " if place.product == "postgresql" else "")
    assert database.pipelined == (8 if place.product == "postgresql" else 1)
    assert database.plans_each_look_up == (place.product == "postgresql")
    assert database.steps == ()
    assert database.start_rows == (500 if place.family == "mysql" else 2_000)
    table = place.events(3, 2).table
    database.end_turn()
    assert database.any_left(place.target(table, "at"))
    seconds = database.typical_costs.seconds(table)
    assert 1e-6 < seconds < 1e-3


@covers("most_rows", "transaction_rows")
def test_fewer_rows_than_configured_are_deleted_where_the_server_wants_that(place: Place) -> None:
    with place.another() as other:
        other.transaction_rows = 500
        assert other.most_rows(10_000) == 500
        assert other.most_rows(200) == 200
    assert place.database.most_rows(10_000) == 10_000
    assert place.database.transaction_rows is None


@covers("expired", "count")
def test_moments_are_compared_as_moments_whatever_the_zone_of_the_server(place: Place) -> None:
    if place.family != "mysql":
        # SQLite has no zone, and PostgreSQL's values say which moment they are.
        place.database.count(place.target(place.events(3, 2).table, "at"))
        return
    place.run(
        "CREATE TABLE entry (id INTEGER PRIMARY KEY, at TIMESTAMP NULL)",
        "SET time_zone = '+00:00'",
    )
    ((zone,),) = place.rows("SELECT @@GLOBAL.time_zone")
    place.administrate("SET GLOBAL time_zone = '+05:00'")
    try:
        # An hour on both sides of NOW, written by a session with the server's zone.
        place.insert("entry", [(1, "2024-06-15 16:00:00"), (2, "2024-06-15 18:00:00")])
        with place.another() as session:
            table = place.table("entry")
            condition = session.expired(table.column("at"), place.moment, table, None)
            assert session.count(Target(table, table.column("at"), condition))[0] == 1
            assert str(session.query("SELECT at FROM entry WHERE id = 1")[0][0]) == "2024-06-15 11:00:00"
    finally:
        place.administrate(f"SET GLOBAL time_zone = '{zone}'")


@dataclass
class _Meanwhile:
    """Writes beside the rows that are being deleted, on another connection."""

    write: Callable[[], None]
    reads: bool = True

    def narrow(self, database: Database, delete: Delete) -> Delete:
        del database
        return delete

    def before(self, database: Database, delete: Delete) -> None:
        self.write()


@covers("steps", "delete")
def test_others_can_write_beside_the_rows_that_are_deleted(place: Place) -> None:
    if place.is_file:
        # One connection at a time writes to a file.
        assert place.database.steps == ()
        place.database.delete(delete_within(place.events(3, 2), Condition("")), 10)
        return
    target = place.events(20, 10)
    place.run("DELETE FROM event WHERE id IN (4, 5)")
    quick = "SET lock_timeout = 1000" if place.family != "mysql" else "SET innodb_lock_wait_timeout = 1"
    written = "INSERT INTO event VALUES (4, '2024-06-15 13:54:30', 'x')"
    place.database.steps = (_Meanwhile(lambda: place.run(quick, written)),)
    assert place.database.delete(delete_within(target, Condition("")), 100) == 8
    # It was not there when the rows were chosen.
    assert place.ids() == [4, *range(10, 20)]
