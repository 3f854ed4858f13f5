"""How big an engine's tables are, how much of each has expired, and what its removal would free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema import BATCHES, PROCESS_INSTANCES, REMOVAL_TIME
from cleanupctl.history.sql import Condition, Target, as_instant, both, cutoff

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cleanupctl.history.camunda.report import Reporting
    from cleanupctl.history.camunda.schema import Schema

_ENDED = (PROCESS_INSTANCES, BATCHES)


@dataclass(frozen=True, slots=True)
class Size:
    """One table: what the catalogue says of it, and what of it has expired."""

    table: str
    rows: int
    """By the statistics."""
    bytes: int
    """On disk, with its indexes."""
    expired: int | None
    """Rows that have expired by themselves; None when the strategy does not tell from the row."""
    estimated: bool
    """Whether `expired` was estimated."""
    oldest: datetime | None
    """Removal time of the oldest expired row, aware."""

    @property
    def freed(self) -> int | None:
        """Bytes that the removal would make free for new rows: the expired share of the table."""
        if self.expired is None:
            return None
        return round(self.bytes * min(1.0, self.expired / max(self.rows, self.expired, 1)))


def measure(schema: Schema, kind: str) -> dict[str, tuple[int, int]]:
    """Return rows (by the statistics) and bytes on disk by table; `kind` is the scheme of the URL."""
    return {name: _measured(schema, kind, name) for name in schema.tables}


def _measured(schema: Schema, kind: str, name: str) -> tuple[int, int]:
    table = schema.tables[name]
    if kind == "postgresql":
        sql = (
            "SELECT CASE WHEN relpages > 0 AND reltuples >= 0 THEN reltuples / relpages ELSE 50 END"
            " * pg_relation_size(oid) / current_setting('block_size')::bigint, pg_total_relation_size(oid)"
            " FROM pg_catalog.pg_class WHERE oid = %s"
        )
        rows, size = schema.database.query(sql, (table.detail["oid"],))[0]
    else:
        sql = (
            "SELECT table_rows, data_length + index_length FROM information_schema.tables"
            " WHERE table_schema = %s AND table_name = %s"
        )
        rows, size = schema.database.query(sql, (table.schema, table.name))[0]
    return int(rows or 0), int(size or 0)


def sizes(report: Reporting, measured: dict[str, tuple[int, int]], names: tuple[str, ...]) -> Iterator[Size]:
    """Yield the tables called `names` that are there."""
    for name in names:
        if name not in report.schema.tables:
            continue
        rows, size = measured[name]
        expired = _expired(report, name)
        if expired is None:
            yield Size(report.schema.tables[name].name, rows, size, None, False, None)
            continue
        number = report.number(name, REMOVAL_TIME, expired)
        counted = report.counts(name)
        yield Size(
            report.schema.tables[name].name, rows, size, number, not counted, _oldest(report, name, expired)
        )


def _expired(report: Reporting, name: str) -> Condition | None:
    schema, settings = report.schema, report.settings
    if settings.strategy != "removal-time" or not schema.has(name, REMOVAL_TIME):
        return None
    table = schema.tables[name]
    moment = cutoff(report.now, settings.timezone)
    condition = schema.database.expired(table.column(REMOVAL_TIME), moment, table, None)
    if name in _ENDED and not settings.include_unfinished:
        condition = both((condition, Condition(f"t.{schema.column(name, 'END_TIME_')} IS NOT NULL")))
    return condition


def _oldest(report: Reporting, name: str, expired: Condition) -> datetime | None:
    schema = report.schema
    table, column = schema.tables[name], schema.column(name, REMOVAL_TIME)
    # In the order of the index: min() with a second condition would look at every expired row.
    sql = f"SELECT t.{column} FROM {schema.quoted(name)} AS t WHERE {expired.sql} ORDER BY t.{column} LIMIT 1"
    found = schema.database.query(sql, expired.parameters)
    if not found:
        return None
    target = Target(table, table.column(REMOVAL_TIME), expired)
    return as_instant(found[0][0], target, report.settings.timezone, None)
