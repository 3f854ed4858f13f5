"""History that belongs to no instance: tasks of their own, job log, operation log and incidents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.engine_table import KEY, REMOVAL_TIME, ROOT
from cleanupctl.history.camunda.schema.tables import (
    BATCHES,
    ENGINE_TABLES,
    INCIDENTS,
    JOB_LOG,
    OPERATION_LOG,
    TASK_INSTANCES,
)
from cleanupctl.history.camunda.strategies import cascades
from cleanupctl.history.camunda.strategies.eligibility import PerInstance
from cleanupctl.history.cleaning.candidates import Group
from cleanupctl.history.cleaning.hierarchies import CascadeTask
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.cutoff import expiry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.schema.tables import Schema

CLEANUP_LOG = "history-cleanup"
"""JOB_DEF_TYPE_ of the engine's own cleanup jobs, whose log has a time to live of its own."""
PART = "without instance"
_CASES = ("CASE_INST_ID_", "CASE_EXECUTION_ID_", "CASE_DEF_ID_")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of rows that belong to no instance."""

    setting: str
    """Key of the configuration with its time to live."""
    table: str
    time: str
    """Column from which the time to live counts; without a value the row has not ended."""
    empty: tuple[str, ...]
    """Columns that say that a row belongs to something."""
    what: str
    """For people."""


KINDS = (
    Kind("tasks", TASK_INSTANCES, "END_TIME_", ("PROC_INST_ID_", "EXECUTION_ID_", *_CASES), "ended tasks"),
    Kind("job_log", JOB_LOG, "TIMESTAMP_", ("PROCESS_INSTANCE_ID_", "EXECUTION_ID_"), "job log entries"),
    Kind(
        "operation_log",
        OPERATION_LOG,
        "TIMESTAMP_",
        ("PROC_INST_ID_", "EXECUTION_ID_", "TASK_ID_", "DEPLOYMENT_ID_", *_CASES),
        "operation log entries",
    ),
    Kind("incidents", INCIDENTS, "END_TIME_", ("PROC_INST_ID_", "EXECUTION_ID_"), "closed incidents"),
)
"""Every kind, by the names of the keys."""


def without_instance(schema: Schema, settings: CamundaSettings, now: datetime) -> Iterator[CascadeTask]:
    """Yield what removes rows that belong to nothing, where the configuration gives them a time to live."""
    for kind in KINDS:
        days = getattr(settings.without_instance_ttl, kind.setting)
        if days is None or not schema.has(kind.table, kind.time):
            continue
        plan = (
            cascades.standalone_task_plan(schema)
            if kind.table == TASK_INSTANCES
            else cascades.single_row_plan(schema, kind.table)
        )
        group = Group(
            kind.table,
            PART,
            kind.time,
            expiry(now, days, settings.timezone),
            tuple(conditions(schema, kind)),
            KEY,
            (),
            PerInstance(KEY, plan),
            KEY,
        )
        yield CascadeTask(schema, group)


def conditions(schema: Schema, kind: Kind) -> Iterator[Condition]:
    """Yield what makes a row one that belongs to no instance, and that nobody gave a removal time."""
    for column in (*kind.empty, ROOT, REMOVAL_TIME):
        if schema.has(kind.table, column):
            yield Condition(f"t.{schema.column(kind.table, column)} IS NULL")
    if kind.table == JOB_LOG and schema.has(JOB_LOG, "JOB_DEF_TYPE_"):
        type_ = f"t.{schema.column(JOB_LOG, 'JOB_DEF_TYPE_')}"
        yield Condition(f"({type_} IS NULL OR {type_} <> %s)", (CLEANUP_LOG,))
    yield from _of_no_batch(schema, kind.table)


def _of_no_batch(schema: Schema, name: str) -> Iterator[Condition]:
    """Yield what holds for rows of no batch operation that is still there: they are deleted with it."""
    table = ENGINE_TABLES[name]
    pairs = [(table.batch, KEY), ("BATCH_ID_", KEY)]
    pairs += [(table.job_definition, column) for column in ENGINE_TABLES[BATCHES].job_definitions]
    for ours, theirs in pairs:
        if ours and schema.has(name, ours) and schema.has(BATCHES, theirs):
            yield Condition(
                f"NOT EXISTS (SELECT 1 FROM {schema.quoted(BATCHES)} AS b"
                f" WHERE b.{schema.column(BATCHES, theirs)} = t.{schema.column(name, ours)})"
            )


def kept_without_instance(schema: Schema, settings: CamundaSettings) -> dict[str, int]:
    """Count the rows of each kind that has no time to live, up to a bound, by their names for people."""
    found: dict[str, int] = {}
    for kind in KINDS:
        if getattr(settings.without_instance_ttl, kind.setting) is not None:
            continue
        if schema.has(kind.table, kind.time):
            ended = Condition(f"t.{schema.column(kind.table, kind.time)} IS NOT NULL")
            where = both((*conditions(schema, kind), ended))
            number = schema.database.bounded_count(schema.tables[kind.table], where)
            if number:
                found[kind.what] = number
    return found
