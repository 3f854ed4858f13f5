"""Rows of an engine's history that belong to nothing any more, and their removal in batches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.camunda.schema.engine_table import ROOT
from cleanupctl.history.camunda.schema.tables import (
    BYTE_ARRAY_COLUMNS,
    BYTE_ARRAYS,
    CASES,
    DECISIONS,
    DEFINITION_TABLES,
    ENGINE_TABLES,
    EXECUTIONS,
    OF_PROCESSES,
    PROCESS_INSTANCES,
    SHARED,
    find_schema,
)
from cleanupctl.history.camunda.strategies.registry import strategy_of
from cleanupctl.history.cleaning.tasks import Phase, TableTask
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.key_scans import PrimaryKeyScan
from cleanupctl.history.databases.servers import connect
from cleanupctl.history.databases.shared_scan import SharedScan
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.schema.tables import Schema
    from cleanupctl.history.camunda.strategies.strategy import Strategy
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.scan import BatchSource

WITH_ROOT = tuple(name for name in OF_PROCESSES if name not in (*SHARED, PROCESS_INSTANCES))
"""Tables of history whose rows name the root of their call hierarchy."""
AT_LEAST_OLD = timedelta(days=1)
"""Younger rows may belong to what the engine has not written yet, or has written since the statement began:
on MySQL a DELETE sees new rows of its own table, but not new rows of the tables it asks."""

_INSTANCE = "PROC_INST_ID_"
_INSTANCES = (
    (PROCESS_INSTANCES, _INSTANCE),
    (PROCESS_INSTANCES, ROOT),
    (EXECUTIONS, _INSTANCE),
    (EXECUTIONS, ROOT),
)
"""Where an instance of a tree is found by the id of its root."""

OWNERS = tuple(dict.fromkeys(table for table, _ in BYTE_ARRAY_COLUMNS))
TABLES = tuple(
    dict.fromkeys(
        (*WITH_ROOT, PROCESS_INSTANCES, CASES, BYTE_ARRAYS, EXECUTIONS, *DEFINITION_TABLES, *OWNERS)
    )
)
"""What has to be looked up before anything can be said about orphans."""


@dataclass(frozen=True, slots=True)
class Orphans:
    """The rows of one table that belong to nothing."""

    name: str
    """Of the table, without prefix."""
    reason: str
    target: Target


@dataclass(frozen=True, slots=True)
class Found:
    """How many orphans a table has, or had before they were deleted."""

    table: str
    reason: str
    rows: int


def orphans(schema: Schema, strategy: Strategy, now: datetime) -> Iterator[Orphans]:
    """Yield what can have orphans at `now` (aware), table by table, byte arrays last.

    An instance whose root alone is gone is no orphan, nor is what belongs to it: as long as any instance
    of the tree has its row, or runs, everything of the tree stays. Raises HistoryError when a table
    that may refer to byte arrays cannot be seen.
    """
    _require_sight(schema, strategy.settings)
    for name in WITH_ROOT:
        if schema.has(name, ROOT):
            yield from _without_root(schema, strategy, now, name)
    if schema.has(BYTE_ARRAYS, "CREATE_TIME_"):
        yield _byte_arrays(schema, strategy, now)


class OrphanTask(TableTask):
    """The orphans of one table, looked for along its primary key."""

    part = "orphans"

    def begin(self, database: Database) -> BatchSource:
        """Look at every row once: an index leads to none of them."""
        return PrimaryKeyScan(database, SharedScan(self.target, None))

    def estimate(self, database: Database) -> None:
        """Say nothing: no statistics know how many there are."""

    def any_left(self, database: Database) -> bool:
        """Look again: to ask costs as much as the work itself."""
        del database
        return True


class OrphansPlanner:
    """Plans the removal of all orphans, table by table; `tables` has those that were looked at."""

    def __init__(self, settings: CamundaSettings) -> None:
        self.tables: list[Orphans] = []
        self._settings = settings

    def __call__(self, database: Database, now: datetime) -> Iterator[Phase]:
        """Yield a phase for each table. Raise HistoryError."""
        schema = find_schema(database, self._settings, TABLES)
        for one in orphans(schema, strategy_of(self._settings), now):
            self.tables.append(one)
            yield Phase((OrphanTask(one.target),))


def _require_sight(schema: Schema, settings: CamundaSettings) -> None:
    """Make sure that no table is overlooked: some servers hide those that the user may not read."""
    for name in TABLES:
        if name in schema.tables:
            continue
        hidden = schema.database.may_be_hidden(settings.table_prefix + name, settings.schema)
        if hidden or ENGINE_TABLES[name].in_every_version:
            raise HistoryError(
                f"{settings.table_prefix}{name} cannot be read, and it may say that rows are no orphans:"
                " grant SELECT on it, or none can be told to be one"
            )


def _nobody(schema: Schema, name: str, column: str, ours: str) -> Condition:
    """Say that a table has no row with the value of our column `ours`."""
    theirs = f"r.{schema.column(name, column)}"
    return Condition(f"NOT EXISTS (SELECT 1 FROM {schema.quoted(name)} AS r WHERE {theirs} = {ours})")


def _without_root(schema: Schema, strategy: Strategy, now: datetime, name: str) -> Iterator[Orphans]:
    table = schema.tables[name]
    written = ENGINE_TABLES[name].written
    if written is None or not schema.has(name, written):
        return
    root = f"t.{schema.column(name, ROOT)}"
    described = ENGINE_TABLES[name]
    owners = [(root, owner, column) for owner, column in _INSTANCES]
    if described.owner is not None and schema.has(name, described.owner):
        owner = f"t.{schema.column(name, described.owner)}"
        owners += [(owner, PROCESS_INSTANCES, _INSTANCE), (owner, EXECUTIONS, _INSTANCE)]
    if described.case is not None and schema.has(name, described.case):
        owners.append((f"t.{schema.column(name, described.case)}", CASES, "CASE_INST_ID_"))
    conditions = [
        strategy.older_than(schema, now - AT_LEAST_OLD, name, written),
        Condition(f"{root} IS NOT NULL"),
        *(
            _nobody(schema, owner, column, ours)
            for ours, owner, column in owners
            if schema.has(owner, column)
        ),
    ]
    if described.decision is not None and DECISIONS in schema.tables:
        decision = f"t.{schema.column(name, described.decision)}"
        conditions.append(strategy.without_decision(schema, now, decision))
    conditions += strategy.keeps_no_orphan(schema, now, name, written)
    reason = "no process instance of its tree is left"
    yield Orphans(name, reason, Target(table, table.column(ROOT), both(conditions)))


def _byte_arrays(schema: Schema, strategy: Strategy, now: datetime) -> Orphans:
    table = schema.tables[BYTE_ARRAYS]
    identity = f"t.{schema.column(BYTE_ARRAYS, 'ID_')}"
    column = table.column("CREATE_TIME_")
    conditions = [
        strategy.older_than(schema, now - AT_LEAST_OLD, BYTE_ARRAYS, "CREATE_TIME_"),
        Condition(f"t.{schema.column(BYTE_ARRAYS, 'DEPLOYMENT_ID_')} IS NULL"),
        *(
            _nobody(schema, owner, reference, identity)
            for owner, reference in BYTE_ARRAY_COLUMNS
            if schema.has(owner, reference)
        ),
        *strategy.keeps_no_orphan(schema, now, BYTE_ARRAYS, "CREATE_TIME_"),
    ]
    return Orphans(BYTE_ARRAYS, "no row refers to it", Target(table, column, both(conditions)))


def count_orphans(settings: CamundaSettings, now: datetime) -> Iterator[Found]:
    """Count the orphans at `now` (aware), table by table. Raise HistoryError, HistoryUnreachableError."""
    database = connect(settings.url)
    try:
        schema = find_schema(database, settings, TABLES)
        for one in orphans(schema, strategy_of(settings), now):
            yield Found(one.target.table.name, one.reason, database.count(one.target)[0])
    finally:
        database.close()
