"""The foreign keys that point at PostgreSQL's tables, or at the partitioned tables they are part of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.history.databases.catalogue import ForeignKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cleanupctl.history.databases.database import Database

_KEYS = """
WITH RECURSIVE whole (asked, oid) AS (
  SELECT a.oid, a.oid FROM pg_catalog.unnest(%s::oid[]) AS a (oid)
  UNION SELECT w.asked, i.inhparent FROM whole w JOIN pg_catalog.pg_inherits i ON i.inhrelid = w.oid
  JOIN pg_catalog.pg_class p ON p.oid = i.inhparent AND p.relkind = 'p'
), part (asked, oid) AS (
  SELECT asked, oid FROM whole WHERE asked = oid
  UNION SELECT p.asked, i.inhrelid FROM part p JOIN pg_catalog.pg_inherits i ON i.inhparent = p.oid
  JOIN pg_catalog.pg_class c ON c.oid = i.inhparent AND c.relkind = 'p'
)
SELECT o.asked, f.conrelid, n.nspname::text, r.relname::text, r.relkind = 'p', f.confdeltype,
  ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(f.conkey) WITH ORDINALITY u(attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = u.attnum ORDER BY u.place),
  ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(f.confkey) WITH ORDINALITY u(attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = u.attnum ORDER BY u.place),
  f.conrelid = f.confrelid,
  ARRAY(SELECT CASE WHEN s.nspname = 'pg_catalog' THEN '='
          ELSE pg_catalog.format('OPERATOR(%I.%s)', s.nspname, e.oprname) END
        FROM pg_catalog.unnest(f.conpfeqop) WITH ORDINALITY u(oid, place)
        JOIN pg_catalog.pg_operator e ON e.oid = u.oid
        JOIN pg_catalog.pg_namespace s ON s.oid = e.oprnamespace ORDER BY u.place),
  EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = f.conrelid AND i.indisvalid
          AND i.indpred IS NULL AND i.indkey[0] = ANY(f.conkey)),
  pg_catalog.has_table_privilege(f.conrelid, 'SELECT')
FROM (SELECT asked, oid FROM whole UNION SELECT asked, oid FROM part) o
JOIN pg_catalog.pg_constraint f ON f.confrelid = o.oid AND f.contype = 'f' AND f.conparentid = 0
JOIN pg_catalog.pg_class r ON r.oid = f.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
ORDER BY 1, 3, 4, f.conname
"""
"""A foreign key to a partitioned table has a copy (with `conparentid`) for each partition: only the one that
was made counts."""
_ACTIONS = {"c": "cascade", "n": "set", "d": "set"}
LONGEST_NAME = 63


def references(database: Database, oids: Iterable[int]) -> dict[int, tuple[ForeignKey, ...]]:
    """Return the foreign keys that point at tables, by the tables' object ids."""
    found: dict[int, list[ForeignKey]] = {}
    for asked, *row in database.query(_KEYS, (list(oids),)):
        found.setdefault(asked, []).append(_key(database, row))
    return {oid: tuple(keys) for oid, keys in found.items()}


def further(database: Database, keys: Iterable[ForeignKey]) -> dict[str, tuple[ForeignKey, ...]]:
    """Return the keys that point at tables of which rows go along, of any depth, by quoted name."""
    found: dict[str, tuple[ForeignKey, ...]] = {}
    asked = _cascading(keys)
    while asked:
        read = references(database, asked)
        found |= {place: read.get(oid, ()) for oid, place in asked.items()}
        below = _cascading(key for keys in read.values() for key in keys)
        asked = {oid: place for oid, place in below.items() if place not in found}
    return found


def _cascading(keys: Iterable[ForeignKey]) -> dict[int, str]:
    return {key.detail[0]: key.table for key in keys if key.action == "cascade"}


def _key(database: Database, row: list[Any]) -> ForeignKey:
    oid, schema, table, partitioned, action, ours, theirs, own, equals, indexed, readable = row
    place = database.place(table, schema)
    option = "" if partitioned else database.index_option
    name = database.quote("_".join((table, *ours))[: LONGEST_NAME - 4].lower() + "_idx")
    columns = ", ".join(database.quote(column) for column in ours)
    return ForeignKey(
        place,
        tuple(ours),
        tuple(theirs),
        _ACTIONS.get(action, "restrict"),
        f"{schema}.{table}",
        # A type of an extension has an equality of its own, which the search path does not lead to.
        () if set(equals) == {"="} else tuple(equals),
        own=own,
        index=None if indexed else f"CREATE INDEX {option}{name} ON {place} ({columns});",
        hidden=not readable,
        detail=(oid,),
    )
