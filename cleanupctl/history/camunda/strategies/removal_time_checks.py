"""What the removal-time strategy finds wrong: with removal times, running instances and cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.engine_table import REMOVAL_TIME
from cleanupctl.history.camunda.schema.tables import CASES, ENGINE_TABLES, PROCESS_INSTANCES, any_row
from cleanupctl.history.databases.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.schema.tables import Schema

_COUNT_BOUND = 10_000


def check_table(schema: Schema, name: str) -> Iterator[Finding]:
    """Yield a finding when a table should have a removal time and has none, or one that is no time."""
    if ENGINE_TABLES[name].removal_time is None:
        return
    table = schema.tables[name]
    if not schema.has(name, REMOVAL_TIME):
        yield Finding(
            "error",
            table.name,
            f"it has no column {REMOVAL_TIME}: the removal-time strategy leaves it alone",
            'update the engine\'s schema to 7.10 or later, or set strategy = "end-time"',
        )
        return
    column = table.column(REMOVAL_TIME)
    if column.kind not in ("wall", "instant"):
        yield Finding(
            "error",
            table.name,
            f"column {column.name} is of type {column.declared}, not a date with a time of day",
            "restore the column's type from the engine's scripts",
        )


def check_rows(schema: Schema, settings: CamundaSettings) -> Iterator[Finding]:
    """Compare the strategy with what is in the tables; each question stops at the first rows."""
    if not schema.has(PROCESS_INSTANCES, REMOVAL_TIME):
        return
    yield from _without(schema, settings)
    yield from _running(schema, settings)
    yield from _cases(schema)


def _without(schema: Schema, settings: CamundaSettings) -> Iterator[Finding]:
    end = f"t.{schema.column(PROCESS_INSTANCES, 'END_TIME_')}"
    removal = f"t.{schema.column(PROCESS_INSTANCES, REMOVAL_TIME)}"
    without = _count(schema, PROCESS_INSTANCES, f"{end} IS NOT NULL AND {removal} IS NULL")
    if not without:
        return
    name = schema.tables[PROCESS_INSTANCES].name
    remedy = (
        f"cleanupctl history set-removal-time --history {settings.name} --calculate --without"
        ' --dry-run, or set strategy = "end-time"'
    )
    if not any_row(schema, PROCESS_INSTANCES, f"{removal} IS NOT NULL"):
        yield Finding(
            "error",
            name,
            "instances have ended, but none has a removal time: the removal-time strategy removes nothing",
            remedy,
        )
        return
    number = f"{without} or more" if without == _COUNT_BOUND else str(without)
    yield Finding(
        "warning",
        name,
        f"{number} finished instances have no removal time: the removal-time strategy keeps them for ever",
        remedy,
    )


def _running(schema: Schema, settings: CamundaSettings) -> Iterator[Finding]:
    end = f"t.{schema.column(PROCESS_INSTANCES, 'END_TIME_')}"
    removal = f"t.{schema.column(PROCESS_INSTANCES, REMOVAL_TIME)}"
    if not any_row(schema, PROCESS_INSTANCES, f"{end} IS NULL AND {removal} IS NOT NULL"):
        return
    removed = settings.include_unfinished
    yield Finding(
        "warning" if removed else "hint",
        schema.tables[PROCESS_INSTANCES].name,
        "running instances have removal times (the engine counts from the start): their history"
        + (" is removed while they run" if removed else " is kept until they end"),
        "set include_unfinished = false, or historyRemovalTimeStrategy=end in the engine"
        if removed
        else None,
    )


def _cases(schema: Schema) -> Iterator[Finding]:
    if schema.has(CASES, "CLOSE_TIME_") and any_row(
        schema, CASES, f"t.{schema.column(CASES, 'CLOSE_TIME_')} IS NOT NULL"
    ):
        yield Finding(
            "hint",
            schema.tables[CASES].name,
            "case instances have no removal time: the removal-time strategy keeps them for ever",
            'set strategy = "end-time" to remove them too',
        )


def _count(schema: Schema, name: str, condition: str) -> int:
    rows = f"SELECT 1 FROM {schema.quoted(name)} AS t WHERE {condition} LIMIT {_COUNT_BOUND}"
    return int(schema.database.query(f"SELECT count(*) FROM ({rows}) AS bounded")[0][0])
