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

    from cleanupctl.history.camunda.report.counts import ExactCounts
    from cleanupctl.history.camunda.report.scope import ReportScope
    from cleanupctl.history.camunda.schema.tables import Schema

_ENDS = {engine_kind.instances: engine_kind.ended for engine_kind in ENGINE_KINDS.values()}


@dataclass(frozen=True, slots=True)
class Size:
    """One table: what the catalogue says of it, and what of it has expired."""

    table: str
    rows: int
    """By the statistics."""
    bytes: int
    """On disk, with its indexes."""
    expired: int | None
    """Rows that a run would delete now; None when nothing tells."""
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
    scope: ReportScope,
    measured: dict[str, TableSize],
    names: tuple[str, ...],
    counts: ExactCounts | None = None,
    deleted: Mapping[str, int] | None = None,
) -> Iterator[Size]:
    """Yield the tables called `names` that are there.

    `counts` has what was counted of all that is deleted together with what belongs to it, and `deleted` the
    instances that would be deleted by their table, from which the rest is estimated.
    """
    for name in names:
        if name not in scope.schema.tables:
            continue
        target = scope.expired_rows(name)
        if target is not None:
            expired = _by_column(scope, name, target, counts)
        elif counts is None or not scope.strategy.by_instance or ENGINE_TABLES[name].part is Part.OWN_TTL:
            expired = _Expired(None, False, None)
        else:
            expired = _by_instances(scope, name, counts, deleted or {})
        rows, size = measured[name]
        table = scope.schema.tables[name].name
        yield Size(table, rows, size, expired.rows, expired.estimated, expired.oldest)


class _Expired(NamedTuple):
    rows: int | None
    estimated: bool
    oldest: datetime | None


def _by_column(scope: ReportScope, name: str, target: Target, counts: ExactCounts | None) -> _Expired:
    contents = scope.strategy.expired_contents(scope.schema, name, scope.now)
    number = sum(scope.number(name, one.time_column.name, one.deletable) for one in (target, *contents)) + (
        counts.rows[name] if counts else 0
    )
    estimated = not scope.is_counted(name) or bool(counts and name in counts.uncounted)
    return _Expired(number, estimated, _oldest(scope, name, target))


def _by_instances(scope: ReportScope, name: str, counts: ExactCounts, deleted: Mapping[str, int]) -> _Expired:
    oldest = None
    if name in counts.oldest:
        table = scope.schema.tables[name]
        target = Target(table, table.column(_ENDS[name]), Condition(""))
        oldest = as_instant(counts.oldest[name], target, scope.settings.timezone, None)
    if name not in counts.uncounted:
        return _Expired(counts.rows[name], False, oldest)
    owner = _owner(name)
    instances, rows = scope.sizes.get(owner, 0), scope.sizes.get(name, 0)
    share = min(1.0, deleted.get(owner, 0) / max(1, instances))
    return _Expired(round(rows * share), True, oldest)


def _oldest(scope: ReportScope, name: str, target: Target) -> datetime | None:
    schema = scope.schema
    quoted = schema.column(name, target.time_column.name)
    # In the order of the index: min() with a second condition would look at every expired row.
    sql = (
        f"SELECT t.{quoted} FROM {schema.quoted(name)} AS t WHERE {target.condition.sql}"
        f" ORDER BY t.{quoted} LIMIT 1"
    )
    found = schema.database.query(sql, target.condition.parameters)
    return as_instant(found[0][0], target, scope.settings.timezone, None) if found else None


def _owner(name: str) -> str:
    """Return the table of the instances that take the rows of a table with them."""
    part = ENGINE_TABLES[name].part
    if part is Part.CASE:
        return CASES
    if part is Part.DECISION_VALUE or name == DECISIONS:
        return DECISIONS
    return PROCESS_INSTANCES
