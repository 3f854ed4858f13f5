"""What holds when rows are chosen has to hold when they are deleted: others may write in between."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.statements import Delete, delete_within
from tests.support.contract import covers
from tests.support.servers import connect
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.support.contract import Place


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
    waits = {
        "postgresql": "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
        "mysql": "SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
    }[place.family]
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
        with connect(place.admin_url) as watching, watching.cursor() as watcher:

            def waiting() -> bool:
                watcher.execute(waits)
                return bool(watcher.fetchall())

            wait_until(waiting)
        holding.commit()
        deleting.join()
    assert deleted == [9]
    assert place.ids() == [5, *range(10, 20)]


@covers("delete")
def test_rows_stay_when_what_lets_them_expire_is_changed_after_they_were_chosen(place: Place) -> None:
    place.run("CREATE TABLE policy (days INTEGER)", "INSERT INTO policy VALUES (5)")
    target = place.events(20, 10)
    governed = Condition("EXISTS (SELECT 1 FROM policy AS p WHERE p.days = 5)")
    delete = delete_within(replace(target, condition=governed), Condition("t.id < 10"))
    query = place.database.query

    def changed(sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        found = query(sql, parameters)
        if not place.is_file:
            place.run("UPDATE policy SET days = 50")
        return found

    place.database.query = changed  # type: ignore[method-assign]
    # Only MySQL chooses the rows in a statement of its own.
    expected = 0 if place.family == "mysql" else 10
    assert place.database.delete(replace(delete, limit=100), 100) == expected


@covers("written")
def test_some_rows_of_many_are_deleted_by_their_addresses_and_by_the_condition(place: Place) -> None:
    if place.server != "postgresql":
        # The others have locked what they chose, or the whole file.
        assert place.database.written(delete_within(place.events(3, 2), Condition("t.id < 2")))[1]
        return
    delete = delete_within(place.events(3, 2), Condition(""))
    sql, values = place.database.written(replace(delete, limit=1))
    chosen, deleted = sql.split("DELETE FROM")
    # Not every release asks for the address again when a row was changed while it was waited for.
    assert "<= %s" in chosen
    assert "<= %s" in deleted
    # From and to, twice, and how many.
    assert len(values) == 5


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
        assert place.server != "postgresql"
        return
    place.run("UPDATE event SET id = 7 WHERE id = 1")
    assert place.database.delete(Delete(target.table, guard), 10) == 2
    assert place.ids() == [7]
