"""MySQL's catalogue: the queries that describe tables, and the tables made of their rows."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.databases.catalogue import Column, Table
from cleanupctl.history.databases.mysql import foreign_keys, programs
from cleanupctl.history.databases.programs import with_programs
from cleanupctl.history.databases.sizes import TableSize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleanupctl.history.databases.database import Database

_KINDS = {
    "datetime": "wall",
    "timestamp": "instant",
    "date": "date",
    "tinyint": "integer",
    "smallint": "integer",
    "mediumint": "integer",
    "int": "integer",
    "bigint": "integer",
}
_TABLES = """
SELECT table_schema, table_name, table_type, engine FROM information_schema.tables
WHERE table_schema = COALESCE(%s, DATABASE()) AND LOWER(table_name) IN ({names})
"""
_COLUMNS = """
SELECT table_name, column_name, data_type FROM information_schema.columns
WHERE table_schema = %s AND table_name IN ({names}) ORDER BY ordinal_position
"""
_INDEXES = """
SELECT table_name, index_name, column_name, seq_in_index,
  non_unique = 0 AND nullable <> 'YES' AND sub_part IS NULL
FROM information_schema.statistics
WHERE table_schema = %s AND table_name IN ({names}) AND index_type = 'BTREE'
ORDER BY index_name, seq_in_index
"""
_REFUSED = {
    "VIEW": "is a view; name the table that holds the rows",
    "SYSTEM VIEW": "is a view of the server itself",
    "SEQUENCE": "is a sequence, which has no rows",
}
_SIZE = """
SELECT table_rows, data_length + index_length FROM information_schema.tables
WHERE table_schema = %s AND table_name = %s
"""


def find_tables(database: Database, names: Sequence[str], schema: str | None) -> dict[str, Table]:
    """Return the tables called `names` that exist, with a few queries in all. Raise HistoryError."""
    found = _asked(database, _TABLES, schema, [name.lower() for name in names])
    chosen = {}
    for name in names:
        same = [row for row in found if row[1].lower() == name.lower()]
        if same:
            chosen[name] = _chosen(name, same)
    if not chosen:
        return {}
    relations = [row[1] for row in chosen.values()]
    schema = found[0][0]
    columns, indexes = (_by_first(_asked(database, sql, schema, relations)) for sql in (_COLUMNS, _INDEXES))
    keys = foreign_keys.references(database, schema, relations)
    further, places = foreign_keys.further(database, [key for some in keys.values() for key in some])
    seen = {(schema, name): len(keys.get(name, ())) for name in relations}
    seen |= {place: len(further[database.place(place[1], place[0])]) for place in places}
    unseen = foreign_keys.unseen(database, seen)
    tables = {
        name: _table(row, columns.get(row[1], []), indexes.get(row[1], [])) for name, row in chosen.items()
    }
    below = [unseen[place] for place in places if place in unseen]
    for name, table in tables.items():
        pointing = keys.get(table.name, ())
        along = below if any(key.action == "cascade" for key in pointing) else []
        hidden = [*([unseen[schema, table.name]] if (schema, table.name) in unseen else []), *along]
        # Only InnoDB has foreign keys.
        proven = not hidden or str(table.detail["engine"]).lower() != "innodb"
        tables[name] = replace(
            table, references=pointing, further=further, unseen=None if proven else hidden[0]
        )
    # Rows that a foreign key deletes run no trigger here.
    return with_programs(
        tables, lambda table: (table.schema, table.name), lambda key: None, partial(programs.read, database)
    )


def _asked(database: Database, sql: str, schema: str | None, names: Sequence[str]) -> list[tuple[Any, ...]]:
    marks = ", ".join(["%s"] * len(names))
    return database.query(sql.format(names=marks), (schema, *names))


def _by_first(rows: list[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    """Group rows by their first value, and leave it out of them."""
    grouped: dict[str, list[tuple[Any, ...]]] = {}
    for first, *rest in rows:
        grouped.setdefault(first, []).append(tuple(rest))
    return grouped


def _chosen(name: str, found: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Return the row of the table that is meant, never one of several spellings."""
    exact = [row for row in found if row[1] == name] or found
    if len(exact) > 1:
        among = ", ".join(row[1] for row in exact)
        raise HistoryError(f"table name {name} is ambiguous: there are {among}; write it exactly")
    return exact[0]


def _key(indexes: list[tuple[Any, ...]]) -> tuple[str | None, tuple[str, ...]]:
    """Return the index that tells rows apart, and its columns: the primary key, or one that is as good."""
    grouped: dict[str, list[tuple[Any, ...]]] = {}
    for index, *row in indexes:
        grouped.setdefault(index, []).append(tuple(row))
    for index, rows in sorted(grouped.items(), key=lambda one: one[0] != "PRIMARY"):
        if index == "PRIMARY" or all(certain and column is not None for column, _, certain in rows):
            return index, tuple(column for column, _, _ in rows)
    return None, ()


def _table(row: tuple[Any, ...], columns: list[tuple[Any, ...]], indexes: list[tuple[Any, ...]]) -> Table:
    key_index, key = _key(indexes)
    known = [Column(name, _KINDS.get(type_.lower(), "other"), type_) for name, type_ in columns]
    return Table(
        schema=row[0],
        name=row[1],
        columns={column.name: column for column in known},
        key=key,
        indexed=frozenset(column for _, column, place, _ in indexes if place == 1),
        refusal=_REFUSED.get(row[2]),
        detail={"engine": row[3], "key_index": key_index, "versioned": row[2] == "SYSTEM VERSIONED"},
    )


def table_size(database: Database, table: Table) -> TableSize:
    """Return the rows by the statistics, and the bytes on disk with indexes."""
    rows, size = database.query(_SIZE, (table.schema, table.name))[0]
    return TableSize(int(rows or 0), int(size or 0))
