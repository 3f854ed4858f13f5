"""Rows of other tables that go along with deleted ones: seen at any depth, refused or counted, and told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.errors import ForeignKeyError
from cleanupctl.history.databases.statements import Delete
from tests.support.contract import covers

if TYPE_CHECKING:
    from tests.support.contract import Place

ALL = Condition("t.id >= 0")


def child(place: Place, name: str, of: str, action: str = "") -> None:
    place.run(
        f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, {of} INTEGER, FOREIGN KEY ({of}) REFERENCES {of} (id)"
        f"{action and f' ON DELETE {action}'})",
        f"CREATE INDEX {name}_{of} ON {name} ({of})",
    )


def family(place: Place) -> None:
    """Two events; the first has ten lines, each with a note that stays, and two that are kept by a pin."""
    place.events(2, 2)
    child(place, "line", "event", "CASCADE")
    child(place, "note", "line", "SET NULL")
    child(place, "pin", "line")
    place.insert("line", [(number, 0) for number in range(10)])
    place.insert("note", [(number, number) for number in range(10)])


@covers("require_deletable", "transact", "delete")
def test_rows_that_others_go_along_with_are_not_deleted_unless_that_is_allowed(place: Place) -> None:
    family(place)
    table = place.table("event")
    for refused in (
        lambda: place.database.require_deletable(table),
        lambda: place.database.delete(Delete(table, ALL), 100),
    ):
        with pytest.raises(HistoryError, match=r"line \(ON DELETE CASCADE\).*note \(ON DELETE SET NULL"):
            refused()
    assert place.ids() == [0, 1]
    allowed = replace(table, cascade=True)
    place.database.require_deletable(allowed)
    assert place.database.delete(Delete(allowed, ALL), 100) == 2
    assert place.ids() == place.ids("line") == []
    assert place.rows("SELECT count(*) FROM note WHERE line IS NULL") == [(10,)]


@covers("count_along", "take_along", "transact")
def test_what_goes_along_is_counted_and_told_by_table(place: Place) -> None:
    family(place)
    allowed, schema = replace(place.table("event"), cascade=True), place.table("event").schema or "main"
    along = place.database.count_along(allowed, ALL)
    assert (along.deleted, along.changed) == ({f"{schema}.line": 10}, {f"{schema}.note": 10})
    assert place.database.count_along(allowed, Condition("t.id = 1")).total == 0
    assert 5 < place.database.count_along(allowed, ALL, 5).total <= 10
    place.database.transact([Delete(allowed, ALL)], 100)
    assert place.database.take_along() == along
    assert place.database.take_along().total == 0


@covers("count_along")
def test_a_row_to_which_several_foreign_keys_lead_is_counted_once(place: Place) -> None:
    place.events(3, 3)
    place.run(
        "CREATE TABLE line (id INTEGER PRIMARY KEY, one INTEGER, two INTEGER,"
        " FOREIGN KEY (one) REFERENCES event (id) ON DELETE CASCADE,"
        " FOREIGN KEY (two) REFERENCES event (id) ON DELETE CASCADE)",
        "CREATE TABLE note (id INTEGER PRIMARY KEY, line INTEGER, event INTEGER, other INTEGER,"
        " FOREIGN KEY (line) REFERENCES line (id) ON DELETE CASCADE,"
        " FOREIGN KEY (event) REFERENCES event (id) ON DELETE CASCADE,"
        " FOREIGN KEY (other) REFERENCES event (id) ON DELETE SET NULL)",
    )
    place.insert("line", [(1, 0, 0), (2, 0, 1), (3, 1, 0), (4, None, 1), (5, 2, None), (6, None, None)])
    place.insert("note", [(1, 1, 0, 0), (2, 2, None, 2), (3, 6, 1, 0), (4, 6, None, 0), (5, 5, 2, 2)])
    table = replace(place.table("event"), cascade=True)
    chosen = Condition("t.id < %s", (2,))
    along = place.database.count_along(table, chosen)
    names = {name.rpartition(".")[2]: rows for name, rows in along.deleted.items()}
    assert names == {"line": 4, "note": 3}
    assert sum(along.changed.values()) == 1
    assert place.database.delete(Delete(table, chosen), 100) == 2
    assert (place.ids("line"), place.ids("note")) == ([5, 6], [4, 5])


@covers("transact", "take_along")
def test_a_transaction_has_no_more_rows_than_it_may_together_with_those_that_go_along(place: Place) -> None:
    place.events(4, 4)
    child(place, "line", "event", "CASCADE")
    place.insert("line", [(number, number % 4) for number in range(40)])
    allowed = replace(place.table("event"), cascade=True)
    assert place.database.transact([Delete(allowed, ALL)], 30) is None
    assert place.ids("line") == list(range(40))
    assert place.database.take_along().total == 0
    # Of two rows that may be deleted, both have too many: only a single one goes whatever it takes along.
    two = Delete(allowed, Condition("t.id < 2"), limit=2)
    assert place.database.transact([two], 5) is None
    assert place.database.transact([replace(two, limit=1)], 5) == [1]
    assert place.database.take_along().total == 10
    assert len(place.ids("line")) == 30


@covers("references_guard", "transact")
def test_a_row_is_kept_by_what_points_at_rows_that_would_go_along(place: Place) -> None:
    family(place)
    place.insert("pin", [(1, 7)])
    table = replace(place.table("event"), cascade=True)
    with pytest.raises(ForeignKeyError):
        place.database.transact([Delete(table, ALL)], 100)
    guards = place.database.references_guard(table)
    assert place.database.transact([Delete(table, ALL, guards=guards)], 100) == [1]
    assert place.ids() == [0]


@covers("references_guard", "deletes_self_referring", "transact")
def test_a_row_that_refers_to_itself_is_kept_by_others_only(place: Place) -> None:
    place.run(
        "CREATE TABLE thread (id INTEGER PRIMARY KEY, root INTEGER NOT NULL,"
        " FOREIGN KEY (root) REFERENCES thread (id))",
    )
    place.insert("thread", [(1, 1), (2, 2), (3, 2)])
    table = place.table("thread")
    delete = Delete(table, Condition("t.id < 3"), guards=place.database.references_guard(table))
    if place.database.deletes_self_referring:
        assert place.database.delete(delete, 10) == 1
        assert place.ids("thread") == [2, 3]
        return
    # The server itself deletes no such row.
    with pytest.raises(ForeignKeyError):
        place.database.delete(Delete(table, Condition("t.id = 1")), 10)
    assert place.database.delete(delete, 10) == 0
    (finding,) = place.database.left_alone(table)
    assert "refer to themselves" in finding.message
    place.run("ALTER TABLE thread MODIFY root INTEGER NULL", "UPDATE thread SET root = NULL WHERE root = id")
    assert place.database.delete(delete, 10) == 1
    assert list(place.database.left_alone(place.table("thread"))) == []


@covers("require_deletable", "count_along", "delete")
def test_rows_of_the_same_table_go_along_as_others_do(place: Place) -> None:
    place.run(
        "CREATE TABLE tree (id INTEGER PRIMARY KEY, parent INTEGER,"
        " FOREIGN KEY (parent) REFERENCES tree (id) ON DELETE CASCADE)",
        "CREATE INDEX tree_parent ON tree (parent)",
    )
    place.insert("tree", [(1, None), (2, 1), (3, 2), (4, None)])
    table = place.table("tree")
    with pytest.raises(HistoryError, match="tree"):
        place.database.require_deletable(table)
    allowed = replace(table, cascade=True)
    assert place.database.count_along(allowed, Condition("t.id = 1")).deleted.total() == 2
    assert place.database.count_along(allowed, Condition("t.id = 4")).total == 0
    assert place.database.delete(Delete(allowed, Condition("t.id = 1")), 10) == 1
    assert place.ids("tree") == [4]


@covers("unexpired_guard", "count")
def test_rows_are_kept_while_one_that_would_go_along_has_not_expired(place: Place) -> None:
    target = place.events(3, 3)
    wall = place.type_of("wall")
    place.run(
        f"CREATE TABLE line (id INTEGER PRIMARY KEY, event INTEGER, at {wall},"
        " FOREIGN KEY (event) REFERENCES event (id) ON DELETE CASCADE)",
    )
    moment = place.moment.wall
    old, new = str(moment.replace(year=2020)), str(moment.replace(year=2034))
    place.insert("line", [(1, 0, old), (2, 1, old), (3, 1, new), (4, 2, None)])
    (key,) = place.table("event").references
    guard = place.database.unexpired_guard((key,), place.target(place.table("line"), "at").condition)
    table = replace(place.table("event"), cascade=True)
    guarded = replace(target, table=table, guards=(guard,))
    assert place.database.count(guarded)[0] == 1
    assert place.database.delete(Delete(table, ALL, guards=(guard,)), 100) == 1
    assert place.ids() == [1, 2]


@covers("find_table")
def test_the_index_that_leads_to_referencing_rows_is_created_by_the_statement_that_says_so(
    place: Place,
) -> None:
    place.events(1, 1)
    place.run("CREATE TABLE line (id INTEGER, event INTEGER, FOREIGN KEY (event) REFERENCES event (id))")
    (key,) = place.table("event").references
    if place.family == "mysql":
        assert key.index is None
        return
    assert key.index is not None
    place.run(key.index)
    assert place.table("event").references == (replace(key, index=None),)


@covers("left_alone")
def test_rows_that_no_run_deletes_are_told(place: Place) -> None:
    target = place.events(3, 3)
    assert list(place.database.left_alone(target.table)) == []
    if place.product == "postgresql":
        place.run("CREATE TABLE event_old () INHERITS (event)")
        assert list(place.database.left_alone(place.table("event"))) == []
        place.run("INSERT INTO event_old SELECT * FROM event")
        (finding,) = place.database.left_alone(place.table("event"))
        assert "event_old" in finding.message
        assert place.database.count(place.target(place.table("event"), "at"))[0] == 3
    if place.product == "mariadb":
        place.run("ALTER TABLE event ADD SYSTEM VERSIONING")
        table = place.table("event")
        place.database.require_deletable(table)
        assert place.database.delete(Delete(table, ALL), 10) == 3
        (finding,) = place.database.left_alone(table)
        assert "system-versioned" in finding.message
        assert place.rows("SELECT count(*) FROM event FOR SYSTEM_TIME ALL") == [(3,)]
        assert finding.remedy is not None
        place.administrate("SET SESSION timestamp = UNIX_TIMESTAMP() + 100 * 86400", finding.remedy)
        assert place.rows("SELECT count(*) FROM event FOR SYSTEM_TIME ALL") == [(0,)]


@covers("find_table", "leaves", "references_guard", "count")
def test_foreign_keys_to_a_partitioned_table_are_seen_at_its_partitions(place: Place) -> None:
    if place.product != "postgresql":
        # MySQL allows none, SQLite has no partitions.
        assert place.database.leaves(place.events(1, 1).table)[0].references == ()
        assert place.database.references_guard(place.table("event")) == ()
        assert place.database.count(place.target(place.table("event"), "at"))[0] == 1
        return
    place.run(
        "CREATE TABLE parted (id INTEGER PRIMARY KEY, at TIMESTAMP) PARTITION BY RANGE (id)",
        "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id)",
        "CREATE TABLE parted_1_1 PARTITION OF parted_1 FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE one (n INTEGER REFERENCES parted (id))",
        "CREATE TABLE two (n INTEGER REFERENCES parted_1 (id) ON DELETE SET NULL)",
        "CREATE TABLE three (n INTEGER REFERENCES parted_1_1 (id))",
        "INSERT INTO parted VALUES (1, '2020-01-01'), (2, '2020-01-01'), (3, '2020-01-01')",
        "INSERT INTO one VALUES (1)",
        "INSERT INTO three VALUES (3)",
    )
    for table in (place.table("parted"), *place.database.leaves(place.table("parted"))):
        assert {(key.name, key.action) for key in table.references} == {
            ("public.one", "restrict"),
            ("public.two", "set"),
            ("public.three", "restrict"),
        }
        guards = place.database.references_guard(table)
        assert place.database.count(place.target(table, "at", *guards))[0] == 1


@covers("find_table", "require_deletable")
def test_a_login_that_may_not_see_all_foreign_keys_deletes_nothing(place: Place) -> None:
    if place.family != "mysql":
        place.database.require_deletable(place.events(1, 1).table)
        return
    place.events(2, 2)
    child(place, "line", "event", "CASCADE")
    database = place.table("event").schema
    with place.stranger() as url:
        login = f"'{place.database.login.removesuffix('_owner')}_x'@'%'"
        name = url.split("//")[1].split(":")[0]
        login = f"'{name}'@'%'"
        place.administrate(f"GRANT SELECT, DELETE ON {database}.event TO {login}")
        with place.another(url) as session:
            table = session.find_table("event")
            assert table is not None
            with pytest.raises(
                HistoryError, match=r"foreign keys.*GRANT (SELECT, )?REFERENCES ON"
            ) as refused:
                session.require_deletable(table)
            grant = "GRANT " + refused.value.message.partition("GRANT ")[2]
        place.administrate(grant)
        with place.another(url) as session:
            table = session.find_table("event")
            assert table is not None
            assert [(key.action, key.name) for key in table.references] == [("cascade", f"{database}.line")]
            with pytest.raises(HistoryError, match="ON DELETE CASCADE"):
                session.require_deletable(table)


@covers("delete")
def test_foreign_keys_hold_whatever_the_server_does_without_being_told(place: Place) -> None:
    place.events(1, 1)
    child(place, "line", "event")
    place.insert("line", [(1, 0)])
    if place.family == "mysql":
        place.administrate("SET GLOBAL foreign_key_checks = 0")
    try:
        with place.another() as session:
            table = session.find_table("event")
            assert table is not None
            with pytest.raises(ForeignKeyError):
                session.delete(Delete(table, ALL), 10)
    finally:
        if place.family == "mysql":
            place.administrate("SET GLOBAL foreign_key_checks = 1")


@covers("delete")
def test_a_foreign_key_that_is_not_seen_by_its_action_counts_by_its_tables_definition(place: Place) -> None:
    if place.product != "mariadb":
        assert place.database.delete(Delete(place.events(1, 1).table, ALL), 10) == 1
        return
    place.events(2, 2)
    child(place, "line", "event", "SET NULL")
    database = place.table("event").schema
    with place.stranger() as url:
        name = url.split("//")[1].split(":")[0]
        for grant in (f"SELECT ON {database}.*", f"DELETE ON {database}.event"):
            place.administrate(f"GRANT {grant} TO '{name}'@'%'")
        with place.another(url) as session:
            table = session.find_table("event")
            assert table is not None
            assert [(key.action, key.name) for key in table.references] == [("set", f"{database}.line")]
            with pytest.raises(HistoryError, match="ON DELETE SET NULL"):
                session.delete(Delete(table, ALL), 10)
