"""What is sent to a server: queries, transactions, the conditions in them, and errors as ours."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.errors import ChangedError, ForeignKeyError, LockConflictError
from cleanupctl.history.databases.statements import Assignment, Check, Delete, Update
from tests.support.contract import covers
from tests.support.cursors import database as raw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.database import Database
    from tests.support.contract import Place


def by_id(table: Table, database: Database, ids: Sequence[int]) -> Delete:
    return Delete(table, database.any_of("t.id", ids))


@covers("query")
def test_a_query_binds_its_values_and_returns_rows(place: Place) -> None:
    values = ("it's 100%s ?", 7, None)
    sql = "SELECT %s, %s + 1, CASE WHEN %s IS NULL THEN '50% of %s' END"
    if place.product == "postgresql":
        sql = "SELECT %s::text, %s::integer + 1, CASE WHEN %s::text IS NULL THEN '50% of %s' END"
    assert [tuple(row) for row in place.database.query(sql, values)] == [("it's 100%s ?", 8, "50% of %s")]
    assert (
        place.database.query(
            "SELECT 1 AS n WHERE 1 = 0"
            if place.product != "mariadb"
            else "SELECT 1 AS n FROM DUAL WHERE 1 = 0"
        )
        == []
    )


@covers("query", "translate", "translated")
def test_what_the_driver_raises_is_one_of_our_errors_and_anything_else_stays(place: Place) -> None:
    with pytest.raises(HistoryError) as caught:
        place.database.query("SELECT n FROM nowhere")
    assert not isinstance(caught.value, LockConflictError | ForeignKeyError | HistoryUnreachableError)
    assert "nowhere" in caught.value.message
    other = KeyError("n")
    assert place.database.translate(other) is other
    with pytest.raises(KeyError), place.database.translated():
        raise other
    with pytest.raises(ChangedError), place.database.translated():
        raise ChangedError("as it is")


@covers("any_of", "key_columns", "keys_condition", "delete", "address_of")
def test_rows_are_told_by_lists_of_keys_of_one_column_or_several(place: Place) -> None:
    place.run("CREATE TABLE pair (a INTEGER NOT NULL, b INTEGER NOT NULL, PRIMARY KEY (a, b))")
    place.insert("pair", [(a, b) for a in range(3) for b in range(3)])
    database, table = place.database, place.table("pair")
    assert database.delete(Delete(table, database.any_of("t.a", [0])), 9) == 3
    two = database.keys_condition(["t.a", "t.b"], [(1, 2), (2, 0), (8, 8)])
    assert database.delete(Delete(table, two), 9) == 2
    assert sorted(place.rows("SELECT a, b FROM pair")) == [(1, 0), (1, 1), (2, 1), (2, 2)]
    names = ["rowid"] if place.is_file else ["a", "b"]
    assert database.key_columns(table) == [f"t.{place.quoted(name)}" for name in names]
    assert database.address_of(table) == (
        ["t.ctid"] if place.product == "postgresql" else database.key_columns(table)
    )


@covers("address_of")
def test_rows_without_a_key_are_told_apart_only_where_the_server_can(place: Place) -> None:
    place.run("CREATE TABLE heap (n INTEGER)")
    table = place.table("heap")
    if place.family == "mysql":
        with pytest.raises(HistoryError, match="table heap has no primary key"):
            place.database.address_of(table)
    else:
        assert len(place.database.address_of(table)) == 1


@covers("transact")
def test_a_transaction_does_everything_and_says_how_many_rows_each_statement_found(place: Place) -> None:
    table, database = place.events(10, 10).table, place.database
    change = Update(
        table,
        (
            Assignment(
                "what", Condition("'n' || %s" if place.family != "mysql" else "CONCAT('n', %s)", ("1",))
            ),
        ),
        Condition("t.id < %s", (4,)),
    )
    done = database.transact(
        [by_id(table, database, [9, 8, 77]), change, Check(table, Condition("t.id >= %s", (5,)), 3)], 20
    )
    assert done == [2, 4, 0]
    assert place.rows("SELECT what, count(*) FROM event GROUP BY what ORDER BY 2") == [
        ("n1", 4),
        ("x" * 50, 4),
    ] or place.rows("SELECT count(*) FROM event WHERE what = 'n1'") == [(4,)]
    assert place.ids() == list(range(8))


@covers("transact", "delete")
def test_a_transaction_of_too_many_rows_does_nothing(place: Place) -> None:
    table, database = place.events(10, 10).table, place.database
    assert database.transact([by_id(table, database, [1]), by_id(table, database, [2, 3])], 2) is None
    assert database.delete(by_id(table, database, [1, 2, 3]), 2) is None
    assert place.ids() == list(range(10))
    assert database.delete(by_id(table, database, [1, 2, 3]), 3) == 3


@covers("transact")
def test_a_transaction_whose_check_fails_does_nothing(place: Place) -> None:
    table, database = place.events(5, 5).table, place.database
    first = by_id(table, database, [0])
    for failing in (
        Check(table, Condition("t.id = %s", (1,)), 0),
        Check(table, Condition("t.id IN (1, 2)"), 3),
        replace(by_id(table, database, [3, 99]), exactly=2),
    ):
        with pytest.raises(ChangedError):
            database.transact([first, failing], 10)
        assert place.ids() == list(range(5))
    assert database.transact([first, Check(table, Condition("t.id IN (1, 2)"), 2)], 10) == [1, 0]


@covers("delete")
def test_a_delete_with_a_limit_takes_so_many_rows_and_no_more(place: Place) -> None:
    table, database = place.events(10, 6).table, place.database
    expired = place.target(table, "at").condition
    assert database.delete(Delete(table, expired, limit=4), 4) == 4
    assert len(place.ids()) == 6
    assert database.delete(Delete(table, expired, limit=4), 4) == 2
    assert place.ids() == [6, 7, 8, 9]


@covers("delete")
def test_a_delete_may_ask_its_own_table_in_a_guard(place: Place) -> None:
    table, database = place.events(10, 6).table, place.database
    youngest = Condition(f"t.id NOT IN (SELECT min(r.id) FROM {database.qualified(table)} AS r)")
    delete = Delete(table, place.target(table, "at").condition, guards=(youngest,))
    assert database.delete(delete, 10) == 5
    assert place.ids() == [0, 6, 7, 8, 9]


@covers("delete", "translate")
def test_a_row_that_is_referenced_is_a_foreign_key_error_and_nothing_is_deleted(place: Place) -> None:
    table, database = place.events(4, 4).table, place.database
    place.run("CREATE TABLE part (event INTEGER, FOREIGN KEY (event) REFERENCES event (id))")
    place.insert("part", [(2,)])
    with pytest.raises(ForeignKeyError):
        database.delete(by_id(table, database, [1, 2]), 9)
    assert place.ids() == [0, 1, 2, 3]


@covers("delete", "translate")
def test_a_row_that_another_session_holds_is_a_lock_conflict(place: Place) -> None:
    table, database = place.events(4, 4).table, place.database
    with raw(place.url) as holder:
        holder.execute("BEGIN IMMEDIATE" if place.is_file else "BEGIN")
        holder.execute("UPDATE event SET what = 'held' WHERE id = 2")
        if place.is_file:
            database.query("PRAGMA busy_timeout = 100")
        with pytest.raises(LockConflictError):
            database.delete(by_id(table, database, [1, 2]), 9)
        holder.execute("ROLLBACK")
    assert place.ids() == [0, 1, 2, 3]
    assert database.delete(by_id(table, database, [1, 2]), 9) == 2


@covers("written", "rows_of")
def test_a_statement_is_written_as_one_that_can_be_explained(place: Place) -> None:
    table, database = place.events(4, 4).table, place.database
    for statement in (
        by_id(table, database, [1]),
        replace(by_id(table, database, [1]), along_key=True, only=True),
        Check(table, Condition("t.id = %s", (1,)), 1),
        Update(table, (Assignment("what", Condition("%s", ("y",))),), Condition("t.id = %s", (1,))),
    ):
        sql, parameters = database.written(statement)
        assert database.query(f"EXPLAIN {sql}", parameters)
    assert "t" in database.rows_of(table, along_key=True)
    assert place.rows("SELECT count(*) FROM event WHERE what <> 'y'") == [(4,)]


@covers("count", "any_left", "bounded_count", "estimate")
def test_expired_rows_are_counted_exactly_up_to_a_bound_or_by_guess(place: Place) -> None:
    target, database = place.events(1_000, 300), place.database
    assert database.count(target)[0] == 300
    assert str(database.count(target)[1])[:19] == str(place.rows("SELECT min(at) FROM event")[0][0])[:19]
    assert database.bounded_count(target.table, target.condition, 50) == 50
    assert database.bounded_count(target.table, target.condition) == 300
    guess = database.estimate(target)
    assert guess is not None
    assert 150 <= guess <= 450
    assert database.any_left(target)
    place.run("DELETE FROM event WHERE id < 300")
    assert not database.any_left(target)
    assert database.count(target) == (0, None)


@covers("estimate")
def test_nothing_is_guessed_of_a_table_without_statistics_or_index(place: Place) -> None:
    place.run(f"CREATE TABLE entry (id INTEGER PRIMARY KEY, at {place.type_of('wall')})")
    assert place.database.estimate(place.target(place.table("entry"), "at")) is None


@covers("estimate")
def test_a_guess_is_a_number_whatever_the_server_writes_beside_it(place: Place) -> None:
    wall = place.type_of("wall")
    place.run(f"CREATE TABLE trip (id INTEGER PRIMARY KEY, at {wall}, ended {wall}, what VARCHAR(40))")
    place.run("CREATE INDEX trip_at ON trip (at)", "CREATE INDEX trip_ended ON trip (ended)")
    old, new = "2020-01-01 00:00:00", "2034-01-01 00:00:00"
    times = [(old, old)] * 5 + [(None, None)] * 90 + [(new, old)] * 5
    place.insert("trip", [(n, *times[n % 100], "x" * 40) for n in range(5_000)])
    place.analyze("trip")
    expired = place.target(place.table("trip"), "at")
    ended = replace(expired, condition=both((expired.condition, Condition("t.ended IS NOT NULL"))))
    guess = place.database.estimate(ended)
    assert guess is not None
    assert 0 < guess < 1_000
    if place.server == "mariadb":
        plan = place.rows(
            "EXPLAIN SELECT 1 FROM trip AS t WHERE t.at <= '2024-01-01' AND t.at >= '1980-01-02'"
            " AND t.ended IS NOT NULL"
        )
        assert "%" in str(plan[0]), "the server uses no filter of rows any more"
