"""Definitions of processes, decisions and cases, with the times to live they have in the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.engine_table import Part
from cleanupctl.history.camunda.schema.tables import (
    CASE_TABLES,
    CHILDREN,
    DEFINITION_TABLES,
    ENGINE_TABLES,
    OWN_TTL,
    ROOTS,
    SHARED,
    tables_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from cleanupctl.history.camunda.schema.engine_table import Kind
    from cleanupctl.history.camunda.schema.tables import Schema


@dataclass(frozen=True, slots=True)
class EngineKind:
    """Where one kind of definition and of instance is stored."""

    kind: Kind
    definitions: str
    instances: str
    definition_id: str
    definition_key: str | None
    ended: str
    """Column with the moment from which the end-time strategy counts."""
    instance_id: str
    started: str


def _engine_kinds() -> Iterator[EngineKind]:
    for definitions in tables_of(Part.DEFINITION):
        for table in ENGINE_TABLES.values():
            if table.kind is not None and table.kind == definitions.kind and table.instances is not None:
                columns = table.instances
                yield EngineKind(
                    table.kind,
                    definitions.name,
                    table.name,
                    columns.definition,
                    columns.definition_key,
                    columns.ended,
                    columns.id,
                    columns.started,
                )


ENGINE_KINDS: dict[Kind, EngineKind] = {one.kind: one for one in _engine_kinds()}
"""Processes, decisions and cases, in this order."""


INSTANCE_TABLES = tuple(
    dict.fromkeys(
        (
            *CHILDREN,
            *SHARED,
            *(kind.instances for kind in ENGINE_KINDS.values()),
            *CASE_TABLES,
            *ROOTS,
            *OWN_TTL,
            *DEFINITION_TABLES,
        )
    )
)
"""Instances of every kind, what belongs to them, and their definitions."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of a definition; only `id` is known when its row was deleted."""

    kind: Kind
    id: str
    key: str | None = None
    name: str | None = None
    version: int | None = None
    tenant: str | None = None
    ttl: int | None = None
    """HISTORY_TTL_ in days; None when there is none."""
    missing: bool = False
    """Whether history mentions it, but the engine has it no more."""


def load_definitions(schema: Schema, kind: Kind, condition: str = "1 = 1", *values: Any) -> list[Definition]:
    """Read the definitions of one kind by key, tenant and version; `condition` is about the row `t`."""
    table = ENGINE_KINDS[kind].definitions
    if table not in schema.tables:
        return []
    columns = ", ".join(_column(schema, table, name) for name in _COLUMNS)
    sql = f"SELECT {columns} FROM {schema.quoted(table)} AS t WHERE {condition}"
    found = [_definition(kind, row) for row in schema.database.query(sql, values)]
    return sorted(found, key=lambda one: (one.key or "", one.tenant or "", one.version or 0, one.id))


_COLUMNS = ("ID_", "KEY_", "NAME_", "VERSION_", "TENANT_ID_", "HISTORY_TTL_")


def _column(schema: Schema, table: str, name: str) -> str:
    # Tenants came with 7.3 and times to live with 7.6; older tables have neither.
    return f"t.{schema.column(table, name)}" if schema.has(table, name) else "NULL"


def _definition(kind: Kind, row: tuple[Any, ...]) -> Definition:
    identity, key, name, version, tenant, ttl = row
    return Definition(kind, str(identity), key, name, version, tenant, ttl)


def used_definitions(schema: Schema, kind: Kind) -> Iterator[str]:
    """Yield the ids of the definitions that history mentions, one step of the index for each."""
    engine_kind = ENGINE_KINDS[kind]
    if not schema.has(engine_kind.instances, engine_kind.definition_id):
        return
    column = f"t.{schema.column(engine_kind.instances, engine_kind.definition_id)}"
    rows = f"{schema.quoted(engine_kind.instances)} AS t"
    if (
        schema.tables[engine_kind.instances].column(engine_kind.definition_id).name
        not in schema.tables[engine_kind.instances].indexed
    ):
        sql = f"SELECT DISTINCT {column} FROM {rows} WHERE {column} IS NOT NULL ORDER BY {column}"
        yield from (str(row[0]) for row in schema.database.query(sql))
        return
    found = schema.database.query(f"SELECT min({column}) FROM {rows}")[0][0]
    while found is not None:
        yield str(found)
        found = schema.database.query(f"SELECT min({column}) FROM {rows} WHERE {column} > %s", (found,))[0][0]


def definitions_with_history(schema: Schema, kind: Kind) -> list[Definition]:
    """Return the definitions of one kind, those that were deleted but have history at the end."""
    known = load_definitions(schema, kind)
    ids = {definition.id for definition in known}
    missing = [identity for identity in used_definitions(schema, kind) if identity not in ids]
    return [*known, *(Definition(kind, identity, key=key_of(identity), missing=True) for identity in missing)]


def key_of(identity: str) -> str | None:
    """Read the key out of an id as the engine makes them: `key:version:uuid`."""
    parts = identity.split(":")
    return parts[0] if len(parts) == 3 else None
