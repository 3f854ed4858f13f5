"""MySQL's catalogue: the queries that describe tables, and the tables made of their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.databases.catalogue import Column, ForeignKey, Table
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
SELECT table_name, index_name, column_name, seq_in_index FROM information_schema.statistics
WHERE table_schema = %s AND table_name IN ({names}) AND index_type = 'BTREE'
ORDER BY index_name, seq_in_index
"""
_REFERENCES = """
SELECT k.referenced_table_name, k.table_schema, k.table_name, k.constraint_name, k.column_name,
  k.referenced_column_name, r.delete_rule
FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r
  ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name
 AND r.table_name = k.table_name
WHERE k.referenced_table_schema = %s AND k.referenced_table_name IN ({names})
ORDER BY k.table_schema, k.table_name, k.constraint_name, k.ordinal_position
"""
_ACTIONS = {"CASCADE": "cascade", "SET NULL": "set", "SET DEFAULT": "set"}
_SIZE = """
SELECT table_rows, data_length + index_length FROM information_schema.tables
WHERE table_schema = %s AND table_name = %s
"""


def find_tables(database: Database, names: Sequence[str], schema: str | None) -> dict[str, Table]:
    """Return the tables called `names` that exist, with four queries in all. Raise HistoryError."""
    found = _asked(database, _TABLES, schema, [name.lower() for name in names])
    chosen = {}
    for name in names:
        same = [row for row in found if row[1].lower() == name.lower()]
        if same:
            chosen[name] = _chosen(name, same)
    if not chosen:
        return {}
    relations = [row[1] for row in chosen.values()]
    columns, indexes, references = (
        _by_first(_asked(database, sql, found[0][0], relations)) for sql in (_COLUMNS, _INDEXES, _REFERENCES)
    )
    return {
        name: _table(database, row, columns[row[1]], indexes.get(row[1], []), references.get(row[1], []))
        for name, row in chosen.items()
    }


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
    if exact[0][2] != "BASE TABLE":
        raise HistoryError(f"{name} is a view; name the table that holds the rows")
    return exact[0]


def _table(
    database: Database,
    row: tuple[Any, ...],
    columns: list[tuple[Any, ...]],
    indexes: list[tuple[Any, ...]],
    references: list[tuple[Any, ...]],
) -> Table:
    known = [Column(name, _KINDS.get(type_.lower(), "other"), type_) for name, type_ in columns]
    return Table(
        schema=row[0],
        name=row[1],
        columns={column.name.lower(): column for column in known},
        key=tuple(column for index, column, _ in indexes if index == "PRIMARY"),
        indexed=frozenset(column for _, column, place in indexes if place == 1),
        references=_references(database, references),
        detail={"engine": row[3]},
    )


def _references(database: Database, rows: list[tuple[Any, ...]]) -> tuple[ForeignKey, ...]:
    grouped: dict[tuple[str, str, str], list[tuple[Any, ...]]] = {}
    for schema, table, constraint, *rest in rows:
        grouped.setdefault((schema, table, constraint), []).append(tuple(rest))
    return tuple(
        ForeignKey(
            database.place(table, schema),
            tuple(column for column, _, _ in found),
            tuple(referenced for _, referenced, _ in found),
            _ACTIONS.get(found[0][2], "restrict"),
            f"{schema}.{table}",
        )
        for (schema, table, _), found in grouped.items()
    )


def table_size(database: Database, table: Table) -> TableSize:
    """Return the rows by the statistics, and the bytes on disk with indexes."""
    rows, size = database.query(_SIZE, (table.schema, table.name))[0]
    return TableSize(int(rows or 0), int(size or 0))
