"""How big an engine's tables are, how much of each has expired, and what its removal would free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from cleanupctl.history.camunda.schema.definitions import ENGINE_KINDS
from cleanupctl.history.camunda.schema.engine_table import Part
from cleanupctl.history.camunda.schema.tables import CASES, DECISIONS, ENGINE_TABLES, PROCESS_INSTANCES
from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.cutoff import as_instant
from cleanupctl.history.databases.sizes import TableSize
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from cleanupctl.history.camunda.report.counts import Census
    from cleanupctl.history.camunda.report.scope import ReportScope
    from cleanupctl.history.camunda.schema.tables import Schema

_ENDS = {place.instances: place.ended for place in ENGINE_KINDS.values()}


@dataclass(frozen=True, slots=True)
class Size:
    """One table: what the catalogue says of it, and what of it has expired."""

    table: str
    rows: int
    """By the statistics."""
    bytes: int
    """On disk, with its indexes."""
    expired: int | None
    """Rows that would go now; None when nothing tells."""
    estimated: bool
    """Whether `expired` was estimated."""
    oldest: datetime | None
    """Removal time of the oldest expired row, aware; under the end-time strategy when it ended."""

    @property
    def freed(self) -> int | None:
        """Bytes that the removal would make free for new rows: the expired share of the table."""
        if self.expired is None:
            return None
        return round(self.bytes * min(1.0, self.expired / max(self.rows, self.expired, 1)))


def measure(schema: Schema) -> dict[str, TableSize]:
    """Return rows (by the statistics) and bytes on disk by table."""
    return {
        name: schema.database.table_size(table) or TableSize(0, 0) for name, table in schema.tables.items()
    }


def sizes(
    report: ReportScope,
    measured: dict[str, TableSize],
    names: tuple[str, ...],
    census: Census | None = None,
    going: Mapping[str, int] | None = None,
) -> Iterator[Size]:
    """Yield the tables called `names` that are there.

    Under the end-time strategy `census` has what was counted, and `going` the instances that would go by
    their table, from which the rest is estimated.
    """
    for name in names:
        if name not in report.schema.tables:
            continue
        target = report.expired_rows(name)
        if target is not None:
            expired = _by_column(report, name, target)
        elif census is None or ENGINE_TABLES[name].part is Part.OWN_TTL:
            expired = _Expired(None, False, None)
        else:
            expired = _by_instances(report, name, census, going or {})
        rows, size = measured[name]
        table = report.schema.tables[name].name
        yield Size(table, rows, size, expired.rows, expired.estimated, expired.oldest)


class _Expired(NamedTuple):
    rows: int | None
    estimated: bool
    oldest: datetime | None


def _by_column(report: ReportScope, name: str, target: Target) -> _Expired:
    column = target.time_column.name
    number = report.number(name, column, target.condition)
    return _Expired(number, not report.counts(name), _oldest(report, name, target))


def _by_instances(report: ReportScope, name: str, census: Census, going: Mapping[str, int]) -> _Expired:
    oldest = None
    if name in census.oldest:
        table = report.schema.tables[name]
        target = Target(table, table.column(_ENDS[name]), Condition(""))
        oldest = as_instant(census.oldest[name], target, report.settings.timezone, None)
    if name not in census.uncounted:
        return _Expired(census.rows[name], False, oldest)
    owner = _owner(name)
    instances, rows = report.sizes.get(owner, 0), report.sizes.get(name, 0)
    share = min(1.0, going.get(owner, 0) / max(1, instances))
    return _Expired(round(rows * share), True, oldest)


def _oldest(report: ReportScope, name: str, target: Target) -> datetime | None:
    schema = report.schema
    quoted = schema.column(name, target.time_column.name)
    # In the order of the index: min() with a second condition would look at every expired row.
    sql = (
        f"SELECT t.{quoted} FROM {schema.quoted(name)} AS t WHERE {target.condition.sql}"
        f" ORDER BY t.{quoted} LIMIT 1"
    )
    found = schema.database.query(sql, target.condition.parameters)
    return as_instant(found[0][0], target, report.settings.timezone, None) if found else None


def _owner(name: str) -> str:
    """Return the table of the instances that take the rows of a table with them."""
    part = ENGINE_TABLES[name].part
    if part is Part.CASE:
        return CASES
    if part is Part.DECISION_VALUE or name == DECISIONS:
        return DECISIONS
    return PROCESS_INSTANCES
