"""Whether an engine's rows suit the strategy: times to live, removal times, running instances, cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.engine_table import REMOVAL_TIME
from cleanupctl.history.camunda.schema.tables import CASES, DEFINITION_TABLES, PROCESS_INSTANCES
from cleanupctl.history.databases.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.history.camunda.check.inspected import InspectedEngine
    from cleanupctl.history.camunda.schema.tables import Schema

_COUNT_BOUND = 10_000


def fit(inspected: InspectedEngine, schema: Schema) -> Iterator[Finding]:
    """Compare the strategy with what is in the tables; each question stops at the first rows."""
    yield from _times_to_live(inspected, schema)
    if inspected.settings.strategy == "removal-time" and schema.has(PROCESS_INSTANCES, REMOVAL_TIME):
        yield from _removal_times(inspected, schema)
        yield from _running(inspected, schema)
        yield from _cases(schema)


def _times_to_live(inspected: InspectedEngine, schema: Schema) -> Iterator[Finding]:
    known = [name for name in DEFINITION_TABLES if schema.has(name, "HISTORY_TTL_")]
    definitions = [name for name in known if _any(schema, name, "1 = 1")]
    if not definitions or inspected.settings.default_ttl is not None:
        return
    if any(
        _any(schema, name, f"t.{schema.column(name, 'HISTORY_TTL_')} IS NOT NULL") for name in definitions
    ):
        return
    yield Finding(
        "error" if inspected.settings.strategy == "end-time" else "warning",
        schema.tables[definitions[0]].name,
        "no definition has a time to live (HISTORY_TTL_): no instance ever expires",
        "cleanupctl history ttl set KEY P30D",
    )


def _removal_times(inspected: InspectedEngine, schema: Schema) -> Iterator[Finding]:
    end = f"t.{schema.column(PROCESS_INSTANCES, 'END_TIME_')}"
    removal = f"t.{schema.column(PROCESS_INSTANCES, REMOVAL_TIME)}"
    without = _count(schema, PROCESS_INSTANCES, f"{end} IS NOT NULL AND {removal} IS NULL")
    if not without:
        return
    name = schema.tables[PROCESS_INSTANCES].name
    remedy = (
        f"cleanupctl history set-removal-time --history {inspected.settings.name} --calculate --without"
        ' --dry-run, or set strategy = "end-time"'
    )
    if not _any(schema, PROCESS_INSTANCES, f"{removal} IS NOT NULL"):
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


def _running(inspected: InspectedEngine, schema: Schema) -> Iterator[Finding]:
    end = f"t.{schema.column(PROCESS_INSTANCES, 'END_TIME_')}"
    removal = f"t.{schema.column(PROCESS_INSTANCES, REMOVAL_TIME)}"
    if not _any(schema, PROCESS_INSTANCES, f"{end} IS NULL AND {removal} IS NOT NULL"):
        return
    removed = inspected.settings.include_unfinished
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
    if schema.has(CASES, "CLOSE_TIME_") and _any(
        schema, CASES, f"t.{schema.column(CASES, 'CLOSE_TIME_')} IS NOT NULL"
    ):
        yield Finding(
            "hint",
            schema.tables[CASES].name,
            "case instances have no removal time: the removal-time strategy keeps them for ever",
            'set strategy = "end-time" to remove them too',
        )


def _any(schema: Schema, name: str, condition: str) -> bool:
    return bool(schema.database.query(f"SELECT 1 FROM {schema.quoted(name)} AS t WHERE {condition} LIMIT 1"))


def _count(schema: Schema, name: str, condition: str) -> int:
    rows = f"SELECT 1 FROM {schema.quoted(name)} AS t WHERE {condition} LIMIT {_COUNT_BOUND}"
    return int(schema.database.query(f"SELECT count(*) FROM ({rows}) AS bounded")[0][0])
