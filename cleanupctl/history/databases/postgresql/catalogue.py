"""PostgreSQL's catalogue: the query that describes tables, partitions, and the tables made of its rows."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.databases.catalogue import Column, Table
from cleanupctl.history.databases.postgresql import foreign_keys, programs
from cleanupctl.history.databases.programs import with_programs

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
  ARRAY(SELECT ARRAY[a.attname::text, pg_catalog.format_type(a.atttypid, NULL)] FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
  ARRAY(SELECT a.attname::text FROM pg_catalog.pg_index i
        CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE i.indrelid = c.oid AND i.indisprimary ORDER BY k.place),
  ARRAY(SELECT DISTINCT a.attname::text FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = x.relam
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND m.amname = 'btree'),
  CASE WHEN c.relkind = 'r' AND c.relhassubclass THEN ARRAY(
    WITH RECURSIVE below (oid) AS (
      SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent = c.oid
      UNION SELECT i.inhrelid FROM below JOIN pg_catalog.pg_inherits i ON i.inhparent = below.oid)
    SELECT ARRAY[bn.nspname::text, b.relname::text] FROM below JOIN pg_catalog.pg_class b ON b.oid = below.oid
    JOIN pg_catalog.pg_namespace bn ON bn.oid = b.relnamespace ORDER BY 1) END
FROM pg_catalog.unnest(%s::text[]) AS asked (name)
JOIN pg_catalog.pg_class c ON pg_catalog.lower(c.relname::text) = pg_catalog.lower(asked.name)
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND n.nspname = ANY(%s::text[])
ORDER BY c.relname = asked.name DESC, pg_catalog.array_position(%s::text[], n.nspname::text), c.relname
"""
_LEAVES = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_partition_tree(%s::oid::regclass) p
JOIN pg_catalog.pg_class c ON c.oid = p.relid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE p.isleaf ORDER BY c.relname
"""
_REFUSED = {
    "v": "is a view; name the table that holds the rows",
    "m": "is a materialized view; name the table that holds the rows",
    "f": "is a foreign table; clean it where its rows are",
    "S": "is a sequence, which has no rows",
}
_ELSEWHERE = """
SELECT n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE pg_catalog.lower(c.relname::text) = pg_catalog.lower(%s) AND c.relkind IN ('r', 'p') ORDER BY 1
"""


def find_tables(database: Database, names: Sequence[str], schemas: Sequence[str]) -> dict[str, Table]:
    """Return the tables called `names` in the first of `schemas` that has one, looked up with two queries.

    Raise HistoryError.
    """
    found: dict[str, list[tuple[Any, ...]]] = {}
    for row in database.query(_CATALOGUE, (list(names), list(schemas), list(schemas))):
        found.setdefault(row[0], []).append(row)
    tables = {name: _table(_chosen(name, rows)) for name, rows in found.items()}
    if not tables:
        return {}
    keys = foreign_keys.references(database, {table.detail["oid"] for table in tables.values()})
    further = foreign_keys.further(database, [key for some in keys.values() for key in some])
    referenced = {
        name: replace(table, references=keys.get(table.detail["oid"], ()), further=further)
        for name, table in tables.items()
    }
    return with_programs(
        referenced,
        lambda table: table.detail["oid"],
        lambda key: key.detail[0],
        partial(programs.read, database),
    )


def _chosen(name: str, found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the rows of the table that is meant, first in the search path: never of several spellings."""
    exact = [row for row in found if row[3] == name] or found
    if len({row[3] for row in exact}) > 1:
        among = ", ".join(row[3] for row in exact)
        raise HistoryError(f"table name {name} is ambiguous: there are {among}; write it exactly")
    return exact


def _table(rows: list[tuple[Any, ...]]) -> Table:
    _, oid, namespace, relation, kind, columns, key, indexed, children = rows[0]
    known = [Column(column, _KINDS.get(type_, "other"), type_) for column, type_ in columns]
    return Table(
        schema=namespace,
        name=relation,
        columns={column.name: column for column in known},
        key=tuple(key),
        indexed=frozenset(indexed),
        refusal=_REFUSED.get(kind),
        detail={
            "oid": oid,
            "partitioned": kind == "p",
            "schemas": tuple(row[2] for row in rows),
            "children": tuple((schema, name) for schema, name in children or ()),
        },
    )


def leaves(database: Database, table: Table) -> list[Table]:
    """Return a partitioned table's partitions: row addresses mean something only within one of them."""
    if not table.detail["partitioned"]:
        return [table]
    places = database.query(_LEAVES, (table.detail["oid"],))
    names: dict[str, list[str]] = {}
    for schema, name in places:
        names.setdefault(schema, []).append(name)
    found = {schema: find_tables(database, some, [schema]) for schema, some in names.items()}
    # A foreign table among them refuses by itself.
    return [found[schema][name] for schema, name in places if name in found[schema]]


def schemas_with(database: Database, name: str) -> list[str]:
    """Return the schemas that have a table called `name`, whatever the search path is."""
    return [row[0] for row in database.query(_ELSEWHERE, (name,))]
