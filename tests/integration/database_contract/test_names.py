"""Names may hold any character: in every statement that is sent they mean themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.statements import Assignment, Check, Delete, Update
from tests.support.contract import covers

if TYPE_CHECKING:
    from tests.support.contract import Place

NAMES = ['100%s "x"', "it's %(z)s `y`\\% ?"]


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def columns(name: str) -> tuple[str, str, str]:
    return f"id {name}", f"at {name}", f"what {name}"


@covers("quote", "place", "qualified", "rows_of", "key_columns", "address_of")
def test_a_table_with_an_odd_name_is_found_under_it(place: Place, name: str) -> None:
    place.events(3, 1, name=name, columns=columns(name))
    table = place.table(name)
    database = place.database
    assert table.name == name
    assert {column.name for column in table.columns.values()} == set(columns(name))
    assert database.quote(name) == place.quoted(name)
    assert database.qualified(table) == database.place(name, table.schema)
    assert database.qualified(table).endswith(place.quoted(name))
    only = "ONLY " if place.product == "postgresql" else ""
    assert database.rows_of(table) == f"{only}{database.qualified(table)} AS t"
    key = '"rowid"' if place.is_file else place.quoted(f"id {name}")
    assert database.key_columns(table) == [f"t.{key}"]
    addresses = ["t.ctid"] if place.product == "postgresql" else [f"t.{key}"]
    assert database.address_of(table) == addresses


@covers("count", "any_left", "bounded_count", "estimate")
def test_its_rows_are_counted(place: Place, name: str) -> None:
    target = place.events(9, 4, name=name, columns=columns(name))
    database = place.database
    number, _ = database.count(target)
    assert number == 4
    assert database.any_left(target)
    assert database.bounded_count(target.table, target.condition) == 4
    assert database.bounded_count(target.table, target.condition, 3) == 3
    assert database.estimate(target) is not None


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize("expired", [2, 900])
@covers("scan")
def test_its_rows_are_scanned_by_every_access_path(
    place: Place, name: str, expired: int, indexed: bool
) -> None:
    target = place.events(1_000, expired, name=name, columns=columns(name), indexed=indexed)
    scan = place.database.scan(target)
    for _ in range(100):
        if scan.run(150, 150).done:
            break
    assert place.ids(name, f"id {name}") == list(range(expired, 1_000))


@covers("transact", "delete", "any_of", "keys_condition", "written")
def test_its_rows_are_deleted_checked_and_updated(place: Place, name: str) -> None:
    target = place.events(9, 9, name=name, columns=columns(name))
    database, table = place.database, target.table
    identity = f"t.{database.quote(f'id {name}')}"
    some = Delete(table, database.any_of(identity, [0, 1]))
    keys = Delete(table, database.keys_condition([identity], [(2,), (3,)]))
    both = Delete(table, database.keys_condition([identity, identity], [(4, 4), (5, 6)]))
    one = Delete(table, target.condition, limit=1)
    wanted = Condition(f"{identity} = %s", (8,))
    values = (Assignment(f"what {name}", Condition("%s", ("100%s",))),)
    update = Update(table, values, wanted)
    check = Check(table, wanted, 1)
    assert database.transact([check, some, keys, both, update], 9) == [0, 2, 2, 1, 1]
    assert database.delete(one, 1) == 1
    assert len(place.ids(name, f"id {name}")) == 3
    what, row = place.quoted(f"what {name}"), place.quoted(f"id {name}")
    assert place.rows(f"SELECT {what} FROM {place.quoted(name)} WHERE {row} = 8") == [("100%s",)]
    for statement in (some, keys, both, check, update):
        sql, parameters = database.written(statement)
        # A name is written as it is: what doubles its percent signs comes after.
        assert place.quoted(f"id {name}") in sql
        assert len(parameters) >= 1


@covers("references_guard", "find_table")
def test_a_foreign_key_of_a_table_with_such_a_name_keeps_rows(place: Place, name: str) -> None:
    place.events(5, 5, columns=(f"id {name}", "at", "what"))
    child, column = place.quoted(name), place.quoted(f"of {name}")
    place.run(
        f"CREATE TABLE {child} ({column} INTEGER, FOREIGN KEY ({column})"
        f" REFERENCES event ({place.quoted(f'id {name}')}))"
    )
    place.insert(child, [(3,)])
    table = place.database.find_table("event")
    assert table is not None
    (reference,) = table.references
    assert reference.columns == (f"of {name}",)
    assert reference.name.endswith(f".{name}")
    assert reference.table.endswith(place.quoted(name))
    guards = place.database.references_guard(table)
    target = place.target(table, "at", *guards)
    assert place.database.count(target)[0] == 4


@covers("index_statement")
def test_the_statement_that_creates_its_index_can_be_run_as_it_is(place: Place, name: str) -> None:
    place.events(1, 1, name=name, columns=columns(name), indexed=False)
    table = place.table(name)
    column = table.column(f"at {name}")
    for statement in (
        place.database.index_statement(table, column),
        place.database.index_statement(table, table.column(f"id {name}"), f"by {name}"),
    ):
        place.run(statement)
    assert {f"at {name}", f"id {name}"} <= place.table(name).indexed


@covers("claim", "release", "table_size", "missing_privileges", "grant_statement", "leaves")
def test_the_rest_takes_such_a_table_too(place: Place, name: str) -> None:
    place.events(1, 1, name=name, columns=columns(name))
    table, database = place.table(name), place.database
    assert database.claim(table)
    database.release(table)
    database.table_size(table)
    assert database.missing_privileges(table) == []
    assert database.leaves(table) == [table]
    grant = database.grant_statement(["SELECT"], database.qualified(table))
    assert grant is None or f" ON {database.qualified(table)} TO " in grant
    if grant is not None:
        place.administrate(grant)
