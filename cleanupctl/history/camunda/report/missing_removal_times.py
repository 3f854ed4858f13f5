"""Rows without a removal time, by table and cause; they stay for ever under the removal-time strategy."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.engine_table import REMOVAL_TIME
from cleanupctl.history.camunda.schema.tables import (
    BATCHES,
    BYTE_ARRAYS,
    CHILDREN,
    DECISIONS,
    PROCESS_INSTANCES,
)
from cleanupctl.history.databases.conditions import Condition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.history.camunda.report.scope import ReportScope
    from cleanupctl.history.camunda.schema.tables import Schema

LOOKED_AT = 20_000
"""Rows whose causes are counted when the table is too big to count all; the rest is taken to be alike."""

RUNNING = "instance is running"
NO_TTL = "instance ended without a removal time"
MISSED = "instance has a removal time, the row has none"
GONE = "instance is gone"
NO_ROOT = "belongs to no process instance"
BATCH_RUNNING, BATCH_ENDED = "batch is running", "batch ended without a removal time"
CAUSES = {
    NO_TTL: ("ENDED", ": see `cleanupctl history set-removal-time`"),
    MISSED: ("MISSED", ": `cleanupctl history set-removal-time` with --hierarchical sets it"),
    GONE: ("GONE", ": see `cleanupctl history orphans`"),
    RUNNING: ("RUNNING", ": the engine sets it when the instance ends"),
    NO_ROOT: ("OTHERS", ", such as the engine's own jobs, cases and batches"),
    BATCH_ENDED: ("BATCH ENDED", ": see `cleanupctl history set-removal-time --kind batch`"),
    BATCH_RUNNING: ("BATCH RUNS", ": the engine sets it when the batch ends"),
}
"""A word for each cause, and what to do about it; what may need a person comes first."""
_HISTORY_BYTES = 3
"""TYPE_ of byte arrays that belong to the history."""


@dataclass(frozen=True, slots=True)
class MissingRemovalTimes:
    """Rows of one table without a removal time, for one cause."""

    table: str
    cause: str
    rows: int
    estimated: bool


def missing_removal_times(scope: ReportScope) -> Iterator[MissingRemovalTimes]:
    """Yield the numbers by table and cause."""
    for name in (*CHILDREN, DECISIONS, PROCESS_INSTANCES, BYTE_ARRAYS, BATCHES):
        if scope.schema.has(name, REMOVAL_TIME):
            yield from _of_table(scope, name)


def _of_table(scope: ReportScope, name: str) -> Iterator[MissingRemovalTimes]:
    schema, counted = scope.schema, scope.is_counted(name)
    condition = _without_removal_time(schema, name)
    limit = "" if counted else f" LIMIT {LOOKED_AT}"
    inner = f"SELECT t.* FROM {schema.quoted(name)} AS t WHERE {condition.sql}{limit}"
    cause, join = _cause(schema, name)
    sql = f"SELECT {cause} AS cause, count(*) FROM ({inner}) AS t{join} GROUP BY 1 ORDER BY 1"
    causes = Counter({str(row[0]): int(row[1]) for row in schema.database.query(sql, condition.parameters)})
    seen = causes.total()
    complete = counted or seen < LOOKED_AT
    total = seen if complete else max(seen, scope.number(name, REMOVAL_TIME, condition))
    for text, rows in causes.items():
        yield MissingRemovalTimes(schema.tables[name].name, text, round(rows * total / seen), not complete)


def _without_removal_time(schema: Schema, name: str) -> Condition:
    sql = f"t.{schema.column(name, REMOVAL_TIME)} IS NULL"
    if name == BYTE_ARRAYS and schema.has(name, "TYPE_"):
        # The others belong to deployments and to running instances.
        sql += f" AND t.{schema.column(name, 'TYPE_')} = {_HISTORY_BYTES}"
    return Condition(sql)


def _cause(schema: Schema, name: str) -> tuple[str, str]:
    """Return the expression of the cause and the join that it needs."""
    if name == BATCHES:
        end = schema.column(BATCHES, "END_TIME_")
        return f"CASE WHEN t.{end} IS NULL THEN '{BATCH_RUNNING}' ELSE '{BATCH_ENDED}' END", ""
    if not schema.has(name, "ROOT_PROC_INST_ID_") or not schema.has(PROCESS_INSTANCES, REMOVAL_TIME):
        return f"'{NO_ROOT}'", ""
    root = f"t.{schema.column(name, 'ROOT_PROC_INST_ID_')}"
    instance = schema.column(PROCESS_INSTANCES, "PROC_INST_ID_")
    end = schema.column(PROCESS_INSTANCES, "END_TIME_")
    removal = schema.column(PROCESS_INSTANCES, REMOVAL_TIME)
    cause = (
        f"CASE WHEN {root} IS NULL THEN '{NO_ROOT}' WHEN r.{instance} IS NULL THEN '{GONE}'"
        f" WHEN r.{end} IS NULL THEN '{RUNNING}' WHEN r.{removal} IS NULL THEN '{NO_TTL}'"
        f" ELSE '{MISSED}' END"
    )
    return cause, f" LEFT JOIN {schema.quoted(PROCESS_INSTANCES)} AS r ON r.{instance} = {root}"
