"""What holds when rows are chosen has to hold when they are deleted: others may write in between."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.statements import Delete, delete_within
from tests.support.contract import covers
from tests.support.cursors import database as raw
from tests.support.servers import connect
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.support.contract import Place


def wait_for_a_lock(place: Place) -> None:
    """Wait until a session waits for a row that another one holds."""
    waits = {
        "postgresql": "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
        "mysql": "SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
    }[place.family]
    with connect(place.admin_url) as watching, watching.cursor() as watcher:

        def waiting() -> bool:
            watcher.execute(waits)
            return bool(watcher.fetchall())

        wait_until(waiting)


@pytest.mark.parametrize("limit", [None, 10], ids=["all", "some"])
@covers("delete")
def test_a_row_that_another_session_makes_younger_while_it_is_waited_for_stays(
    place: Place, limit: int | None
) -> None:
    target = place.events(20, 10)
    delete = replace(delete_within(target, Condition("")), limit=limit)
    if place.is_file:
        # Nobody changes a row while another writes: the whole file is locked.
        assert place.database.delete(delete, 100) == 10
        return
    if place.family == "mysql":
        place.database.query("SET SESSION innodb_lock_wait_timeout = 20")
    else:
        place.database.query("SELECT set_config('lock_timeout', '20s', false)")
        # As in a large table: rows are read by their addresses.
        place.database.query("SELECT set_config('enable_seqscan', 'off', false)")
    deleted: list[int | None] = []
    with connect(place.url, autocommit=False) as holding, holding.cursor() as cursor:
        cursor.execute("UPDATE event SET at = '2030-01-01 00:00:00' WHERE id = 5")
        deleting = threading.Thread(target=lambda: deleted.append(place.database.delete(delete, 100)))
        deleting.start()
        wait_for_a_lock(place)
        holding.commit()
        deleting.join()
    assert deleted == [9]
    assert place.ids() == [5, *range(10, 20)]


@pytest.mark.parametrize("keeper", ["event", "keeper"], ids=["its-own-table", "another-table"])
@covers("delete")
def test_a_row_that_comes_with_what_keeps_it_while_it_is_waited_for_stays(place: Place, keeper: str) -> None:
    place.run("CREATE TABLE keeper (id INTEGER PRIMARY KEY, at VARCHAR(40))")
    target = place.events(20, 10)
    rows = place.database.qualified(place.table(keeper))
    kept = f"NOT EXISTS (SELECT 1 FROM {rows} AS k WHERE k.id = t.id + 900)"
    delete = delete_within(replace(target, guards=(Condition(kept),)), Condition(""))
    if place.is_file:
        place.run(f"INSERT INTO {keeper} (id, at) VALUES (905, '2030-01-01 00:00:00')")
        assert place.database.delete(delete, 100) == 9
        return
    if place.family == "mysql":
        place.database.query("SET SESSION innodb_lock_wait_timeout = 20")
    deleted: list[int | None] = []
    with connect(place.url, autocommit=False) as holding, holding.cursor() as cursor:
        # The last by time and by key: others have been looked at before it is waited for.
        cursor.execute("INSERT INTO event (id, at) VALUES (50, %s)", (place.moment.wall,))
        cursor.execute(f"INSERT INTO {keeper} (id, at) VALUES (950, '2030-01-01 00:00:00')")
        deleting = threading.Thread(target=lambda: deleted.append(place.database.delete(delete, 100)))
        deleting.start()
        if place.family == "mysql":
            # The others do not see the row at all.
            wait_for_a_lock(place)
        holding.commit()
        deleting.join()
    assert deleted == [10]
    assert [one for one in place.ids() if one < 900] == [*range(10, 20), 50]


@covers("delete")
def test_rows_stay_when_what_lets_them_expire_is_changed_after_they_were_chosen(place: Place) -> None:
    place.run("CREATE TABLE policy (days INTEGER)", "INSERT INTO policy VALUES (5)")
    target = place.events(20, 10)
    policy = place.database.qualified(place.table("policy"))
    governed = Condition(f"EXISTS (SELECT 1 FROM {policy} AS p WHERE p.days = 5)")
    delete = delete_within(replace(target, condition=governed), Condition("t.id < 10"))
    query = place.database.query

    def changed(sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        found = query(sql, parameters)
        if "event" in sql and not place.is_file:
            place.run("UPDATE policy SET days = 50")
        return found

    place.database.query = changed  # type: ignore[method-assign]
    # Only MySQL chooses the rows in a statement of its own.
    expected = 0 if place.family == "mysql" else 10
    assert place.database.delete(replace(delete, limit=100), 100) == expected


@covers("delete")
def test_rows_of_many_stay_for_which_the_condition_holds_when_they_are_chosen_and_no_more_then(
    place: Place,
) -> None:
    target = place.events(6, 6)
    if place.product != "postgresql":
        # What keeps rows on MySQL is changed above; nobody else writes to a file.
        assert place.database.delete(replace(delete_within(target, Condition("")), limit=3), 100) == 3
        return
    place.run("CREATE SEQUENCE asked")
    # As in a large table: those that were chosen are found by their addresses, before anything is asked.
    place.database.query("SELECT set_config('enable_seqscan', 'off', false)")
    chosen = replace(target, condition=Condition("nextval('public.asked') <= 3"))
    assert place.database.delete(replace(delete_within(chosen, Condition("")), limit=3), 100) == 0
    assert place.ids() == [*range(6)]


@covers("written")
def test_a_statement_as_it_is_written_deletes_what_it_says(place: Place) -> None:
    target = place.events(6, 4)
    kept = replace(target, guards=(Condition("t.id <> 1"),))
    sql, values = place.database.written(delete_within(kept, Condition("t.id < 3")))
    with raw(place.url) as cursor:
        cursor.execute(sql if place.kind.bound == "%s" else sql.replace("%s", place.kind.bound), values)
    assert place.ids() == [1, 3, 4, 5]


@covers("none_current", "reads_older")
def test_a_delete_that_asks_for_no_such_rows_keeps_what_has_them(place: Place) -> None:
    target, database = place.events(3, 3), place.database
    none = database.none_current(f"{database.qualified(target.table)} AS r WHERE r.id = t.id + 1")
    if database.reads_older:
        # Its own table is one that such a server does not let a DELETE ask.
        place.run("CREATE TABLE other (id INTEGER PRIMARY KEY)", "INSERT INTO other VALUES (1), (2)")
        other = database.find_table("other")
        assert other is not None
        none = database.none_current(f"{database.qualified(other)} AS r WHERE r.id = t.id + 1")
    assert database.delete(Delete(target.table, Condition(none)), 10) == 1
    assert place.ids() == [0, 1]


@covers("unchanged_guard")
def test_rows_that_a_transaction_changes_after_the_look_are_told_from_others(place: Place) -> None:
    target = place.events(3, 3)
    guard = place.database.unchanged_guard()
    if guard is None:
        assert place.product != "postgresql"
        return
    place.run("UPDATE event SET id = 7 WHERE id = 1")
    assert place.database.delete(Delete(target.table, guard), 10) == 2
    assert place.ids() == [7]
