"""Definitions of processes, decisions and cases, with the times to live they have in the database."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
from cleanupctl.history.databases.conditions import Condition, both

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from cleanupctl.core.settings import CamundaSettings
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
    """Whether history mentions it, but the engine has it no more: key and tenant are its instances'."""

    of_tenant: bool = False
    """Whether only instances of its tenant are meant: several may share a definition that was deleted."""

    @property
    def part(self) -> str:
        """Return what tells its instances from those of all other definitions."""
        return f"{self.id} of {self.tenant}" if self.of_tenant and self.tenant is not None else self.id


def load_definitions(schema: Schema, kind: Kind, condition: str = "1 = 1", *values: Any) -> list[Definition]:
    """Read the definitions of one kind by key, tenant and version; `condition` is about the row `t`."""
    table = ENGINE_KINDS[kind].definitions
    if table not in schema.tables:
        return []
    columns = ", ".join(_column(schema, table, name) for name in _COLUMNS)
    sql = f"SELECT {columns} FROM {schema.quoted(table)} AS t WHERE {condition}"
    found = [_definition(kind, row) for row in schema.database.query(sql, values)]
    return sorted(found, key=lambda one: (one.key or "", one.tenant or "", one.version or 0, one.id))


TENANT = "TENANT_ID_"
_MOST_IDS = 1_000
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


def definitions_with_history(schema: Schema, kind: Kind, settings: CamundaSettings) -> list[Definition]:
    """Return the definitions of one kind, those that were deleted but have history at the end.

    Of these there is one for each tenant when the configuration names tenants.
    """
    known = load_definitions(schema, kind)
    ids = {definition.id for definition in known}
    missing = [identity for identity in used_definitions(schema, kind) if identity not in ids]
    by_tenant = any(one.tenant is not None for one in settings.ttls)
    return [*known, *_missing_definitions(schema, kind, missing, by_tenant=by_tenant)]


def _missing_definitions(
    schema: Schema, kind: Kind, ids: list[str], *, by_tenant: bool
) -> Iterator[Definition]:
    """Yield definitions that were deleted, with the key and the tenant that their instances have.

    The engine may give the instances of one definition to several tenants.
    """
    engine_kind = ENGINE_KINDS[kind]
    names = (engine_kind.definition_id, engine_kind.definition_key, TENANT if by_tenant else None)
    columns = ", ".join(
        _column(schema, engine_kind.instances, one) if one is not None else "NULL" for one in names
    )
    by_tenant = by_tenant and schema.has(engine_kind.instances, TENANT)
    column = f"t.{schema.column(engine_kind.instances, engine_kind.definition_id)}"
    found: dict[tuple[str, str | None], str | None] = {}
    for start in range(0, len(ids), _MOST_IDS):
        some = schema.database.any_of(column, ids[start : start + _MOST_IDS])
        sql = f"SELECT DISTINCT {columns} FROM {schema.quoted(engine_kind.instances)} AS t WHERE {some.sql}"
        for identity, key, tenant in schema.database.query(sql, some.parameters):
            place = str(identity), tenant
            found[place] = found.get(place) or key
    for (identity, tenant), key in sorted(found.items(), key=lambda one: (one[0][0], one[0][1] or "")):
        yield replace(missing_definition(kind, identity, key, tenant), of_tenant=by_tenant)


def missing_definition(kind: Kind, identity: str, key: str | None, tenant: str | None) -> Definition:
    """Return a definition that was deleted, by what a row of an instance of it says."""
    return Definition(kind, identity, key=key or key_of(identity), tenant=tenant, missing=True)


def instances_of(schema: Schema, definition: Definition) -> Condition:
    """Say which rows `t` are instances of a definition; of one that was deleted those of its tenant."""
    engine_kind = ENGINE_KINDS[definition.kind]
    own = Condition(
        f"{_column(schema, engine_kind.instances, engine_kind.definition_id)} = %s", (definition.id,)
    )
    if not definition.of_tenant:
        return own
    tenant = _column(schema, engine_kind.instances, TENANT)
    if definition.tenant is None:
        return both((own, Condition(f"{tenant} IS NULL")))
    return both((own, Condition(f"{tenant} = %s", (definition.tenant,))))


def key_of(identity: str) -> str | None:
    """Read the key out of an id as the engine makes them: `key:version:uuid`."""
    parts = identity.split(":")
    return parts[0] if len(parts) == 3 else None
