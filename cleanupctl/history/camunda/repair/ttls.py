"""Changing the time to live of definitions: HISTORY_TTL_ of all their versions, one, or the latest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.definitions import ENGINE_KINDS, load_definitions
from cleanupctl.history.camunda.schema.engine_table import KEY, Kind
from cleanupctl.history.camunda.schema.tables import (
    BATCHES,
    DEFINITION_TABLES,
    PROCESS_INSTANCES,
    find_schema,
)
from cleanupctl.history.cleaning.changes import ChangeTask, RowChange, unchanged
from cleanupctl.history.cleaning.tasks import Phase
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.servers import connect
from cleanupctl.history.databases.statements import Assignment, Update

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.schema.definitions import Definition
    from cleanupctl.history.camunda.schema.tables import Schema
    from cleanupctl.history.databases.database import Database


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which definitions are meant, and the days they are to have (None: no time to live)."""

    key: str
    ttl: int | None
    kind: Kind | None = None
    """None means every kind that has such a key."""
    tenant: str | None = None
    """None means every tenant, and definitions without one."""
    all_versions: bool = False
    """False means the latest version of each tenant's definition only."""
    version: int | None = None
    """This version only."""


def definitions_and_batch_types(settings: CamundaSettings) -> tuple[list[Definition], list[str]]:
    """Read every definition of a history, and the types of its batch operations, sorted.

    Raises HistoryError and HistoryUnreachableError.
    """
    database = connect(settings.url)
    try:
        schema = find_schema(database, settings, (*_tables(), BATCHES))
        definitions = [one for kind in ENGINE_KINDS for one in load_definitions(schema, kind)]
        if not schema.has(BATCHES, "TYPE_"):
            return definitions, []
        sql = f"SELECT DISTINCT {schema.column(BATCHES, 'TYPE_')} FROM {schema.quoted(BATCHES)}"
        return definitions, sorted(str(row[0]) for row in database.query(sql))
    finally:
        database.close()


def all_definitions(settings: CamundaSettings) -> list[Definition]:
    """Read every definition of a history. Raises HistoryError and HistoryUnreachableError."""
    return definitions_and_batch_types(settings)[0]


def meant_definitions(settings: CamundaSettings, wanted: Wanted) -> list[Definition]:
    """Return the definitions that are meant, as they are; an empty list: there is no such definition.

    Raise HistoryError and HistoryUnreachableError.
    """
    database = connect(settings.url)
    try:
        schema = find_schema(database, settings, _tables())
        kinds = ENGINE_KINDS if wanted.kind is None else (wanted.kind,)
        return [one for kind in kinds for one in _meant(schema, kind, wanted)]
    finally:
        database.close()


class TtlsPlanner:
    """Plans to write the days of definitions; those that have them already are left alone.

    The engine reads definitions from its cache: it takes the change up when it is started anew or when the
    definition leaves the cache.
    """

    def __init__(self, settings: CamundaSettings, definitions: Iterable[Definition], ttl: int | None) -> None:
        self._settings = settings
        self._definitions = [one for one in definitions if one.ttl != ttl]
        self._ttl = ttl

    def __call__(self, database: Database, now: datetime) -> Iterator[Phase]:
        """Yield one phase with a task for each table of definitions. Raise HistoryError."""
        del now
        schema = find_schema(database, self._settings, _tables())
        tasks = []
        for name in dict.fromkeys(ENGINE_KINDS[one.kind].definitions for one in self._definitions):
            some = [one for one in self._definitions if ENGINE_KINDS[one.kind].definitions == name]
            changes = _TtlChanges(schema, [RowChange(name, one.id, self._ttl, one.ttl) for one in some])
            tasks.append(ChangeTask(schema.tables[name], "times to live", changes))
        yield Phase(tuple(tasks))


class _TtlChanges:
    """Implements `changes.Changes`: what is to be changed is known from the start."""

    def __init__(self, schema: Schema, changes: list[RowChange]) -> None:
        self._schema = schema
        self._changes: list[RowChange] | None = changes

    def read(self) -> list[RowChange] | None:
        """Return all changes once."""
        changes, self._changes = self._changes, None
        return changes

    def read_less(self) -> None:
        """Nothing is read."""

    def update(self, table: str, changes: Sequence[RowChange]) -> Update:
        """Return what gives definitions their days; all of them get the same."""
        schema = self._schema
        found = schema.tables[table]
        key, days = (f"t.{schema.column(table, name)}" for name in (KEY, "HISTORY_TTL_"))
        named = schema.database.any_of(key, [one.id for one in changes])
        where = both((named, unchanged(key, days, changes)))
        assignments = [Assignment(found.column("HISTORY_TTL_").name, Condition("%s", (changes[0].value,)))]
        if schema.has(table, "REV_"):
            # As the engine does: whoever changes the same row at the same time notices it.
            one_more = Condition(f"t.{schema.column(table, 'REV_')} + 1")
            assignments.append(Assignment(found.column("REV_").name, one_more))
        return Update(found, tuple(assignments), where)


def _tables() -> tuple[str, ...]:
    return (PROCESS_INSTANCES, *DEFINITION_TABLES)


def _meant(schema: Schema, kind: Kind, wanted: Wanted) -> Iterable[Definition]:
    table = ENGINE_KINDS[kind].definitions
    if table not in schema.tables:
        return ()
    condition = f"t.{schema.column(table, 'KEY_')} = %s"
    found = [
        one
        for one in load_definitions(schema, kind, condition, wanted.key)
        if wanted.tenant is None or one.tenant == wanted.tenant
    ]
    if wanted.version is not None:
        return [one for one in found if one.version == wanted.version]
    return found if wanted.all_versions else _latest(found)


def _latest(definitions: Sequence[Definition]) -> list[Definition]:
    latest: dict[str | None, Definition] = {}
    for one in sorted(definitions, key=lambda one: one.version or 0):
        latest[one.tenant] = one
    return list(latest.values())
