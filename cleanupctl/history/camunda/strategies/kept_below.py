"""What a `ttl = "none"` of the configuration keeps below an instance: then the whole hierarchy stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.definitions import ENGINE_KINDS, TENANT
from cleanupctl.history.camunda.schema.engine_table import ROOT
from cleanupctl.history.camunda.schema.ownership import INSTANCE, ROOT_DECISION
from cleanupctl.history.camunda.schema.tables import DECISIONS, PROCESS_INSTANCES
from cleanupctl.history.camunda.strategies.eligibility import SUPER
from cleanupctl.history.camunda.strategies.ttl import effective_ttl
from cleanupctl.history.databases.conditions import Condition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.schema.engine_table import Kind
    from cleanupctl.history.camunda.schema.tables import Schema

NO_TENANT_THAT_IS_NAMED = "\0"


def kept_for_ever_by_key(
    schema: Schema, settings: CamundaSettings, kind: Kind, table: str, key: str, alias: str = "t"
) -> Condition | None:
    """Say which rows of a table belong to definitions that an override keeps for ever; None: it has none.

    `key` is the column with the key of the definition.
    """
    if not schema.has(table, key):
        return None
    column = f"{alias}.{schema.column(table, key)}"
    tenant = f"{alias}.{schema.column(table, TENANT)}" if schema.has(table, TENANT) else None
    found = [
        _of_key(settings, kind, one, column, tenant) for one in dict.fromkeys(t.key for t in settings.ttls)
    ]
    some = [one for one in found if one is not None]
    if not some:
        return None
    return Condition(
        f"({' OR '.join(one.sql for one in some)})", tuple(p for one in some for p in one.parameters)
    )


def _of_key(
    settings: CamundaSettings, kind: Kind, key: str, column: str, tenant: str | None
) -> Condition | None:
    def for_ever(of: str) -> bool:
        # A row's own days do not matter: a definition that is meant by no override has these.
        return effective_ttl(0, key=key, tenant=of, kind=kind, settings=settings).days is None

    named = [one.tenant for one in settings.ttls if one.key == key and one.tenant is not None]
    kept = [one for one in dict.fromkeys(named) if for_ever(one)]
    others = [one for one in dict.fromkeys(named) if one not in kept]
    own = Condition(f"{column} = %s", (key,))
    if for_ever(NO_TENANT_THAT_IS_NAMED):
        if not others or tenant is None:
            return own
        places = ", ".join(["%s"] * len(others))
        return Condition(f"({own.sql} AND ({tenant} IS NULL OR {tenant} NOT IN ({places})))", (key, *others))
    if not kept:
        return None
    if tenant is None:
        return own
    return Condition(f"({own.sql} AND {tenant} IN ({', '.join(['%s'] * len(kept))}))", (key, *kept))


_BELOW: dict[Kind, tuple[tuple[Kind, str, str], ...]] = {
    "process": (
        ("process", PROCESS_INSTANCES, ROOT),
        ("process", PROCESS_INSTANCES, SUPER),
        ("decision", DECISIONS, ROOT),
        ("decision", DECISIONS, INSTANCE),
    ),
    "decision": (("decision", DECISIONS, ROOT_DECISION),),
    "case": (("decision", DECISIONS, "CASE_INST_ID_"),),
}
"""By the kind of an instance: kind and table of what is deleted with it, and the column with its id."""


def nothing_kept_below(
    schema: Schema, settings: CamundaSettings, kind: Kind, *, by_root: bool = True
) -> Iterator[Condition]:
    """Yield what holds for instances `t` below which no override keeps anything for ever.

    Not `by_root` asks only for what is part of the instance itself: decisions evaluated in it.
    """
    own = ENGINE_KINDS[kind]
    for below, table, column in _BELOW[kind]:
        if not schema.has(table, column) or (not by_root and (column == ROOT or below != "decision")):
            continue
        key = ENGINE_KINDS[below].definition_key or ""
        kept = kept_for_ever_by_key(schema, settings, below, table, key, "k")
        if kept is not None:
            yield Condition(
                f"NOT EXISTS (SELECT 1 FROM {schema.quoted(table)} AS k"
                f" WHERE k.{schema.column(table, column)} = t.{schema.column(own.instances, own.instance_id)}"
                f" AND {kept.sql})",
                kept.parameters,
            )
