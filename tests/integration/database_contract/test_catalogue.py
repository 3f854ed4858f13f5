"""What is read of a server's catalogue: tables, columns, keys, indexes, foreign keys, where tables are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.errors import HistoryError
from tests.support.contract import covers

if TYPE_CHECKING:
    from tests.support.contract import Place


@covers("find_table")
def test_a_table_is_found_with_its_columns_key_and_leading_columns_of_indexes(place: Place) -> None:
    kinds = ("wall", "instant", "date", "integer", "text")
    declared = ", ".join(f"c_{kind} {place.type_of(kind)}" for kind in kinds)
    place.run(
        f"CREATE TABLE Entry (a INTEGER NOT NULL, b VARCHAR(40) NOT NULL, {declared}, PRIMARY KEY (b, a))",
        "CREATE INDEX entry_date ON Entry (c_date, c_text)",
    )
    table = place.database.find_table("Entry")
    assert table is not None
    assert table.name.lower() == "entry"
    assert list(table.columns) == ["a", "b", *(f"c_{kind}" for kind in kinds)]
    # SQLite has no types for times: what is stored is looked at when rows are compared.
    times = ["text"] * 3 if place.is_file else ["wall", "instant", "date"]
    assert [table.column(f"C_{kind}").kind for kind in kinds] == [
        *times,
        "integer",
        "text" if place.is_file else "other",
    ]
    assert table.key == (("rowid",) if place.is_file else ("b", "a"))
    assert {"c_date", "b"} <= table.indexed
    assert not {"c_text", "a"} & table.indexed
    assert table.references == ()


@covers("find_table", "find_tables")
def test_several_tables_are_found_whatever_the_case_and_missing_ones_left_out(place: Place) -> None:
    place.run("CREATE TABLE one (n INTEGER)", "CREATE TABLE two (n INTEGER)")
    found = place.database.find_tables(["ONE", "two", "three"])
    assert {asked: table.name for asked, table in found.items()} == {"ONE": "one", "two": "two"}
    assert place.database.find_tables(["three"]) == {}
    assert place.database.find_table("three") is None
    assert place.database.find_table("One") == found["ONE"]


@covers("find_table", "find_tables", "require_deletable", "query")
def test_a_view_is_no_table(place: Place) -> None:
    place.run("CREATE TABLE one (n INTEGER)", "CREATE VIEW seen AS SELECT n FROM one")
    with pytest.raises(HistoryError, match="seen is a view"):
        place.database.find_table("seen")
    # It can be read all the same, as the owner of something may be one.
    seen = place.database.find_tables(["seen"])["seen"]
    assert place.database.query(f"SELECT n FROM {place.database.rows_of(seen)}") == []
    with pytest.raises(HistoryError, match="seen is a view"):
        place.database.require_deletable(seen)


@covers("find_table")
def test_a_table_in_a_schema_that_is_not_there_is_none_or_refused(place: Place) -> None:
    place.run("CREATE TABLE one (n INTEGER)")
    if place.is_file:
        with pytest.raises(HistoryError, match="SQLite has no schema elsewhere"):
            place.database.find_table("one", "elsewhere")
    else:
        assert place.database.find_table("one", "elsewhere") is None


@covers("find_table", "references_guard", "count")
def test_foreign_keys_are_read_with_their_action_and_guard_the_rows_that_they_restrict(place: Place) -> None:
    target = place.events(6, 6)
    for name, action in (("restricting", ""), ("cascading", "CASCADE"), ("setting", "SET NULL")):
        place.run(
            f"CREATE TABLE {name} (event INTEGER, FOREIGN KEY (event) REFERENCES event (id)"
            f"{f' ON DELETE {action}' if action else ''})"
        )
        place.insert(name, [(["restricting", "cascading", "setting"].index(name),)])
    table = place.database.find_table("event")
    assert table is not None
    schema = table.schema or "main"
    assert {(one.name, one.columns, one.referenced, one.action) for one in table.references} == {
        (f"{schema}.restricting", ("event",), ("id",), "restrict"),
        (f"{schema}.cascading", ("event",), ("id",), "cascade"),
        (f"{schema}.setting", ("event",), ("id",), "set"),
    }
    guards = place.database.references_guard(table)
    assert len(guards) == 1
    assert place.database.count(target)[0] == 6
    assert place.database.count(place.target(table, "at", *guards))[0] == 5


@covers("find_table", "references_guard", "count")
def test_a_foreign_key_of_two_columns_guards_rows_that_both_point_at(place: Place) -> None:
    place.run(
        f"CREATE TABLE whole (a INTEGER NOT NULL, b INTEGER NOT NULL, at {place.type_of('wall')},"
        " PRIMARY KEY (a, b))",
        "CREATE TABLE part (x INTEGER, y INTEGER, FOREIGN KEY (x, y) REFERENCES whole (a, b))",
    )
    place.insert("whole", [(a, b, str(place.moment.wall)) for a in (1, 2) for b in (1, 2)])
    place.insert("part", [(1, 2), (None, 1)])
    table = place.database.find_table("whole")
    assert table is not None
    (reference,) = table.references
    assert (reference.columns, reference.referenced) == (("x", "y"), ("a", "b"))
    guards = place.database.references_guard(table)
    assert place.database.count(place.target(table, "at", *guards))[0] == 3


@covers("leaves")
def test_the_rows_of_a_table_lie_in_itself_or_in_its_partitions(place: Place) -> None:
    target = place.events(1, 1)
    assert place.database.leaves(target.table) == [target.table]
    if place.product != "postgresql":
        return
    place.run(
        "CREATE TABLE parted (id INTEGER, at TIMESTAMP) PARTITION BY RANGE (id)",
        "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20)",
    )
    leaves = place.database.leaves(place.table("parted"))
    assert [leaf.name for leaf in leaves] == ["parted_1", "parted_2"]


@covers("schemas_with")
def test_a_table_that_is_elsewhere_is_found_where_there_are_schemas(place: Place) -> None:
    assert place.database.schemas_with("lost") == []
    if place.product != "postgresql":
        return
    place.run("CREATE SCHEMA aside", "CREATE TABLE aside.lost (n INTEGER)")
    assert place.database.find_table("lost") is None
    assert place.database.schemas_with("LOST") == ["aside"]
    found = place.database.find_table("lost", "aside")
    assert found is not None
    assert found.schema == "aside"


@covers("table_size")
def test_the_size_of_a_table_is_known_where_the_server_keeps_it(place: Place) -> None:
    target = place.events(2_000, 1)
    size = place.database.table_size(target.table)
    if place.is_file:
        assert size is None
        return
    assert size is not None
    assert 1_500 <= size.rows <= 2_500
    assert size.bytes >= 2_000 * 50
