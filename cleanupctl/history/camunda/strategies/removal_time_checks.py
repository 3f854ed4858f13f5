"""What the removal-time strategy finds wrong: with removal times, running instances and cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.definitions import TENANT, load_definitions, missing_definition
from cleanupctl.history.camunda.schema.engine_table import REMOVAL_TIME, ROOT
from cleanupctl.history.camunda.schema.tables import CASES, ENGINE_TABLES, PROCESS_INSTANCES, any_row
from cleanupctl.history.camunda.strategies.ttl import definition_ttl
from cleanupctl.history.databases.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.schema.tables import Schema

_COUNT_BOUND = 10_000
_FIRST = (7, 10)
"""Version of the engine with which removal times came."""


def check_table(schema: Schema, name: str) -> Iterator[Finding]:
    """Yield a finding when a table should have a removal time and has none, or one that is no time."""
    if ENGINE_TABLES[name].removal_time is None:
        return
    table = schema.tables[name]
    if not schema.has(name, REMOVAL_TIME):
        since = ENGINE_TABLES[name].column_since(REMOVAL_TIME)
        if since is not None and since > _FIRST and schema.has(PROCESS_INSTANCES, REMOVAL_TIME):
            yield Finding(
                "hint",
                table.name,
                f"it has no column {REMOVAL_TIME}, which came with {since[0]}.{since[1]}: its rows stay",
            )
            return
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
    removal = f"t.{schema.column(PROCESS_INSTANCES, REMOVAL_TIME)}"
    without, remedy = _without_by_definition(schema, settings)
    if not without:
        return
    name = schema.tables[PROCESS_INSTANCES].name
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


def _without_by_definition(schema: Schema, settings: CamundaSettings) -> tuple[int, str]:
    """Count ended instances of ended trees without a removal time, and say what gives them one."""
    columns = {
        one: schema.column(PROCESS_INSTANCES, one)
        for one in ("PROC_INST_ID_", ROOT, "END_TIME_", REMOVAL_TIME, "PROC_DEF_ID_", "PROC_DEF_KEY_", TENANT)
    }
    table = schema.quoted(PROCESS_INSTANCES)
    some = (
        f"SELECT coalesce(t.{columns[ROOT]}, t.{columns['PROC_INST_ID_']}) AS root FROM {table} AS t"
        f" WHERE t.{columns['END_TIME_']} IS NOT NULL AND t.{columns[REMOVAL_TIME]} IS NULL"
        f" LIMIT {_COUNT_BOUND}"
    )
    of = ", ".join(f"r.{columns[one]}" for one in ("PROC_DEF_ID_", "PROC_DEF_KEY_", TENANT))
    sql = (
        f"SELECT {of}, count(*) FROM ({some}) AS s JOIN {table} AS r ON r.{columns['PROC_INST_ID_']} = s.root"
        f" WHERE r.{columns['END_TIME_']} IS NOT NULL GROUP BY {of} ORDER BY 4 DESC"
    )
    known = {one.id: one for one in load_definitions(schema, "process")}
    rows = [
        (known.get(str(identity)) or missing_definition("process", str(identity), key, tenant), int(number))
        for identity, key, tenant, number in schema.database.query(sql)
    ]
    calculate = (
        f"cleanupctl history set-removal-time --history {settings.name} --calculate --without --hierarchical"
        " (begin with --dry-run)"
    )
    end_time = 'or set strategy = "end-time"'
    number = sum(of_definition for _, of_definition in rows)
    if any(definition_ttl(one, settings).days is not None for one, _ in rows):
        return number, f"{calculate}, {end_time}"
    one = rows[0][0] if rows else None
    if one is None or one.missing:
        return number, f"give them a time to live by default_ttl or a [[history.ttl]], then {calculate}"
    first = (
        f"cleanupctl history ttl set {one.key} P30D --history {settings.name} --kind process --all-versions"
    )
    return number, f"{first}, then {calculate}, {end_time}"


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
