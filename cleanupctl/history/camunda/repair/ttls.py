"""Changing the time to live of definitions: HISTORY_TTL_ of all their versions, one, or the latest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.history.camunda.repair.key_ranges import change
from cleanupctl.history.camunda.schema.definitions import ENGINE_KINDS, load_definitions
from cleanupctl.history.camunda.schema.tables import (
    BATCHES,
    DEFINITION_TABLES,
    PROCESS_INSTANCES,
    find_schema,
)
from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.servers import connect
from cleanupctl.history.databases.statements import Assignment, Update

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.schema.definitions import Definition
    from cleanupctl.history.camunda.schema.engine_table import Kind
    from cleanupctl.history.camunda.schema.tables import Schema


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


def set_times_to_live(settings: CamundaSettings, wanted: Wanted, *, dry_run: bool) -> list[Definition]:
    """Write the days to the definitions that are meant; returns them as they were before.

    An empty list means that there is no such definition. Those that have the days already are left alone.
    The engine reads definitions from its cache: it takes the change up when it is started anew or when the
    definition leaves the cache. Raises HistoryError and HistoryUnreachableError.
    """
    database = connect(settings.url)
    try:
        schema = find_schema(database, settings, _tables())
        kinds = ENGINE_KINDS if wanted.kind is None else (wanted.kind,)
        meant = [one for kind in kinds for one in _meant(schema, kind, wanted)]
        if not dry_run:
            _write(schema, [one for one in meant if one.ttl != wanted.ttl], wanted.ttl)
        return meant
    finally:
        database.close()


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


def _write(schema: Schema, definitions: Iterable[Definition], ttl: int | None) -> None:
    for one in definitions:
        table = schema.tables[ENGINE_KINDS[one.kind].definitions]
        days = Assignment(table.column("HISTORY_TTL_").name, Condition("%s", (ttl,)))
        where = Condition(f"t.{schema.database.quote(table.column('ID_').name)} = %s", (one.id,))
        assignments = [days]
        if schema.has(ENGINE_KINDS[one.kind].definitions, "REV_"):
            # As the engine does: whoever changes the same row at the same time notices it.
            revision = table.column("REV_").name
            assignments.append(Assignment(revision, Condition(f"t.{schema.database.quote(revision)} + 1")))
        change(schema, Update(table, tuple(assignments), where))
