"""What PostgreSQL knows of a table without looking at its rows: size, order, and the planner's guess."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.history.databases.sizes import TableSize

if TYPE_CHECKING:
    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.conditions import Condition
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.target import Target

_STATISTICS = """
SELECT c.reltuples, c.relpages,
  pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint,
  (SELECT pg_catalog.abs(s.correlation) FROM pg_catalog.pg_stats s
   WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = %s)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = %s
"""
_SIZE = """
SELECT CASE WHEN relpages > 0 AND reltuples >= 0 THEN reltuples / relpages ELSE 50 END
  * pg_catalog.pg_relation_size(oid) / pg_catalog.current_setting('block_size')::bigint,
  pg_catalog.pg_total_relation_size(oid)
FROM pg_catalog.pg_class WHERE oid = %s
"""
"""Rows: the density that was seen last, times the size of today; 50 rows a block where none was seen."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is known of a table without looking at its rows."""

    rows: float
    """Rows of the table; 0 when it was never analyzed."""
    blocks: int
    correlation: float
    """How far the rows lie in the order of the time column: 0 not at all, 1 wholly."""


def statistics(database: Database, target: Target) -> Statistics:
    """Read the statistics of the target's table and of its time column."""
    place = (target.time_column.name, target.table.detail["oid"])
    rows, pages, blocks, correlation = database.query(_STATISTICS, place)[0]
    # As the planner does: the density that was seen last, times the size of today.
    known = max(0.0, rows) / pages * blocks if pages else 0.0
    return Statistics(known, int(blocks), correlation or 0.0)


def planned_rows(database: Database, table: Table, condition: Condition | None) -> int:
    """Return the planner's guess of how many rows meet `condition`; without one, of the whole table."""
    where = f" WHERE {condition.sql}" if condition else ""
    sql = f"EXPLAIN (FORMAT JSON) SELECT 1 FROM ONLY {database.qualified(table)} AS t{where}"
    plan = database.query(sql, condition.parameters if condition else ())[0][0]
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return int(plan[0]["Plan"]["Plan Rows"])


def table_size(database: Database, table: Table) -> TableSize:
    """Return the rows by the statistics, and the bytes on disk with indexes and large values."""
    rows, size = database.query(_SIZE, (table.detail["oid"],))[0]
    return TableSize(int(rows or 0), int(size or 0))
