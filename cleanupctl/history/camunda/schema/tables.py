"""The engine's tables by what they are part of, in the order of deletion, and what a database has of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.camunda.schema.engine_table import Part
from cleanupctl.history.camunda.schema.history_tables import HISTORY_TABLES
from cleanupctl.history.camunda.schema.runtime_tables import RUNTIME_TABLES
from cleanupctl.history.camunda.schema.visibility import Visibility, require_sight
from cleanupctl.history.databases.table_set import TableSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.schema.engine_table import EngineTable
    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.database import Database

PROCESS_INSTANCES, BATCHES = "ACT_HI_PROCINST", "ACT_HI_BATCH"
DECISIONS, CASES, CASE_ACTIVITIES = "ACT_HI_DECINST", "ACT_HI_CASEINST", "ACT_HI_CASEACTINST"
TASK_INSTANCES, ACTIVITIES, JOB_LOG = "ACT_HI_TASKINST", "ACT_HI_ACTINST", "ACT_HI_JOB_LOG"
BYTE_ARRAYS, AUTHORIZATIONS = "ACT_GE_BYTEARRAY", "ACT_RU_AUTHORIZATION"
TASK_METRICS = "ACT_RU_TASK_METER_LOG"
EXECUTIONS, JOBS = "ACT_RU_EXECUTION", "ACT_RU_JOB"
OPERATION_LOG, INCIDENTS = "ACT_HI_OP_LOG", "ACT_HI_INCIDENT"
PROPERTIES, SCHEMA_LOG = "ACT_GE_PROPERTY", "ACT_GE_SCHEMA_LOG"
"""Tables of which something is known that concerns no other."""

PREFIX = "ACT_"
"""With which the names of all tables of an engine start."""

ENGINE_TABLES = {table.name: table for table in (*HISTORY_TABLES, *RUNTIME_TABLES)}
"""Every table that cleanup deletes from or asks, by its name without prefix."""


def tables_of(*parts: Part) -> tuple[EngineTable, ...]:
    """Return the tables of some parts in the order in which their rows are deleted."""
    return tuple(sorted((one for one in ENGINE_TABLES.values() if one.part in parts), key=lambda t: t.order))


def names(tables: Iterable[EngineTable]) -> tuple[str, ...]:
    """Return the names of tables, without prefix."""
    return tuple(table.name for table in tables)


CHILD_TABLES = tables_of(Part.CHILD, Part.DECISION_VALUE)
"""What belongs to an instance."""
CHILDREN = names(CHILD_TABLES)
SHARED = names(tables_of(Part.SHARED))
"""Also used by the running engine: only rows that carry a removal time of their own are history."""
ROOTS = names(tables_of(Part.ROOT))
"""What everything else belongs to: deleted last, so that a run stopped half-way leaves no orphans."""
CASE_TABLES = names(one for one in ENGINE_TABLES.values() if one.part is Part.CASE)
OWN_TTL = names(tables_of(Part.OWN_TTL))
DEFINITION_TABLES = names(tables_of(Part.DEFINITION))
OPTIONAL = frozenset(names(one for one in ENGINE_TABLES.values() if one.optional))
"""Tables that a complete database of an engine may lack."""
WITH_REMOVAL_TIME = (*CHILDREN, *SHARED, *ROOTS)
"""Tables whose rows have a removal time, in the order in which they are deleted."""
CLEANED = (*WITH_REMOVAL_TIME, *OWN_TTL)
"""Tables whose rows are deleted each by its own time, whatever they belong to."""
OF_PROCESSES = tuple(name for name in WITH_REMOVAL_TIME if ENGINE_TABLES[name].root)
"""Tables whose rows name the root of their call hierarchy, process instances last."""
BYTE_ARRAY_COLUMNS = tuple((one.name, column) for one in ENGINE_TABLES.values() for column in one.byte_arrays)
"""Every column that can hold the id of a byte array; jobs of batch operations have it as their handler's."""


Schema = TableSet
"""The engine's tables that this database has, by their names without prefix."""


def find_schema(database: Database, settings: CamundaSettings, names: tuple[str, ...]) -> Schema:
    """Return those of the tables called `names` that are there.

    Raise HistoryError when this is no engine's database, or when the login cannot read all of them: what it
    cannot see would count as missing.
    """
    tables = engine_tables(database, settings, names)
    if tables:
        sight = Visibility(database, settings.table_prefix, settings.schema, tables)
        require_sight(settings.name, sight.denied(ENGINE_TABLES[name] for name in names))
    if PROCESS_INSTANCES not in tables:
        raise HistoryError(
            f"history {settings.name}: there is no table {settings.table_prefix}{PROCESS_INSTANCES} in"
            f" {settings.url}; is this the engine's database, and are schema and table_prefix right?"
        )
    return Schema(tables, database)


def engine_tables(database: Database, settings: CamundaSettings, names: tuple[str, ...]) -> dict[str, Table]:
    """Return those of the tables called `names` that are there, all of one engine. Raise HistoryError.

    Along a search path they are where the process instances are; two such schemas are refused.
    """
    prefix, schema = settings.table_prefix, settings.schema
    wanted = [prefix + name for name in dict.fromkeys((PROCESS_INSTANCES, *names))]
    found = database.find_tables(wanted, schema)
    top = found.get(prefix + PROCESS_INSTANCES)
    if schema is None and top is not None:
        schemas = top.detail.get("schemas", ())
        if len(schemas) > 1:
            raise HistoryError(
                f"history {settings.name}: there are engines in the schemas {', '.join(schemas)}:"
                " set schema to the one that is meant"
            )
        if any(one.schema != top.schema for one in found.values()):
            found = database.find_tables(wanted, top.schema)
    allowed = settings.cascade == "allow"
    return {name: replace(found[prefix + name], cascade=allowed) for name in names if prefix + name in found}


def any_row(schema: Schema, name: str, condition: str) -> bool:
    """Whether a table has a row `t` that meets a condition."""
    return bool(schema.database.query(f"SELECT 1 FROM {schema.quoted(name)} AS t WHERE {condition} LIMIT 1"))
