"""PostgreSQL's catalogue: the query that describes tables, partitions, and the tables made of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.databases.catalogue import Column, ForeignKey, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleanupctl.history.databases.database import Database

_KINDS = {
    "timestamp without time zone": "wall",
    "timestamp with time zone": "instant",
    "date": "date",
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
}

_CATALOGUE = """
SELECT asked.name, c.oid, n.nspname, c.relname::text, c.relkind,
  ARRAY(SELECT ARRAY[a.attname::text, format_type(a.atttypid, NULL)] FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
  ARRAY(SELECT a.attname::text FROM pg_catalog.pg_index i
        CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE i.indrelid = c.oid AND i.indisprimary ORDER BY k.place),
  ARRAY(SELECT DISTINCT a.attname::text FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = x.relam
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND m.amname = 'btree'),
  (SELECT json_agg(json_build_array(rn.nspname, r.relname, f.confdeltype,
     ARRAY(SELECT a.attname FROM unnest(f.conkey) WITH ORDINALITY u(attnum, place)
           JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = u.attnum
           ORDER BY u.place),
     ARRAY(SELECT a.attname FROM unnest(f.confkey) WITH ORDINALITY u(attnum, place)
           JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = u.attnum
           ORDER BY u.place)))
   FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_class r ON r.oid = f.conrelid
   JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
   WHERE f.contype = 'f' AND f.confrelid = c.oid AND f.conparentid = 0)
FROM unnest(%s::text[]) AS asked (name)
JOIN pg_catalog.pg_class c ON lower(c.relname) = lower(asked.name)
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND (n.nspname = %s OR (%s::text IS NULL AND n.nspname = ANY(current_schemas(false))))
ORDER BY c.relname = asked.name DESC, array_position(current_schemas(false), n.nspname), c.relname
"""
_LEAVES = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_partition_tree(%s::oid::regclass) p
JOIN pg_catalog.pg_class c ON c.oid = p.relid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE p.isleaf ORDER BY c.relname
"""
_ACTIONS = {"c": "cascade", "n": "set", "d": "set"}
_ELSEWHERE = """
SELECT n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE lower(c.relname) = lower(%s) AND c.relkind IN ('r', 'p') ORDER BY 1
"""


def find_tables(database: Database, names: Sequence[str], schema: str | None) -> dict[str, Table]:
    """Return the tables called `names` that exist, looked up with one query. Raise HistoryError."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for row in database.query(_CATALOGUE, (list(names), schema, schema)):
        found.setdefault(row[0], []).append(row)
    return {name: _table(database, _chosen(name, rows)) for name, rows in found.items()}


def _chosen(name: str, found: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Return the row of the table that is meant: first in the search path, never one of several spellings."""
    exact = [row for row in found if row[3] == name] or found
    if len({row[3] for row in exact}) > 1:
        among = ", ".join(row[3] for row in exact)
        raise HistoryError(f"table name {name} is ambiguous: there are {among}; write it exactly")
    if exact[0][4] not in ("r", "p"):
        raise HistoryError(f"{name} is a view or a foreign table; name the table that holds the rows")
    return exact[0]


def _table(database: Database, row: tuple[Any, ...]) -> Table:
    _, oid, namespace, relation, kind, columns, key, indexed, references = row
    known = [Column(column, _KINDS.get(type_, "other"), type_) for column, type_ in columns]
    return Table(
        schema=namespace,
        name=relation,
        columns={column.name.lower(): column for column in known},
        key=tuple(key),
        indexed=frozenset(indexed),
        references=tuple(
            ForeignKey(
                database.place(table, schema),
                tuple(ours),
                tuple(theirs),
                _ACTIONS.get(action, "restrict"),
                f"{schema}.{table}",
            )
            for schema, table, action, ours, theirs in references or ()
        ),
        detail={"oid": oid, "partitioned": kind == "p"},
    )


def leaves(database: Database, table: Table) -> list[Table]:
    """Return a partitioned table's partitions: row addresses mean something only within one of them."""
    if not table.detail["partitioned"]:
        return [table]
    places = database.query(_LEAVES, (table.detail["oid"],))
    found = (database.find_table(name, schema) for schema, name in places)
    return [leaf for leaf in found if leaf is not None]


def schemas_with(database: Database, name: str) -> list[str]:
    """Return the schemas that have a table called `name`, whatever the search path is."""
    return [row[0] for row in database.query(_ELSEWHERE, (name,))]
