"""What the end-time strategy keeps for ever for want of a time to live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.core.run.cleaning import Noticed
from cleanupctl.history.camunda.schema.definitions import ENGINE_KINDS
from cleanupctl.history.databases.database import COUNT_BOUND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.schema.definitions import Definition
    from cleanupctl.history.camunda.schema.engine_table import Kind
    from cleanupctl.history.camunda.schema.tables import Schema

_NAME_ANOTHER: dict[Kind, tuple[str, ...]] = {
    "process": ("ROOT_PROC_INST_ID_",),
    "decision": ("ROOT_DEC_INST_ID_", "PROC_INST_ID_", "CASE_INST_ID_"),
    "case": (),
}
"""Columns with the id of what an instance is deleted together with."""
MOST_NAMED = 20
"""Definitions named in one notice."""


def kept_for_ever(
    schema: Schema, settings: CamundaSettings, kind: Kind, definitions: Sequence[Definition]
) -> Iterator[Noticed]:
    """Yield how many instances of definitions without a time to live have finished."""
    table = schema.tables[ENGINE_KINDS[kind].instances].name
    for missing, reason in ((True, "their definitions are gone"), (False, "they have no time to live")):
        counted = {one.id: _finished(schema, settings, one) for one in definitions if one.missing is missing}
        counted = {identity: number for identity, number in counted.items() if number}
        if counted:
            keys = dict.fromkeys(identity.split(":", maxsplit=1)[0] for identity in counted)
            yield Noticed(
                settings.name,
                f"{sum(counted.values())} finished instances in {table} are kept: {reason}"
                f" ({_named(keys)}); default_ttl or a [[history.ttl]] gives them one",
            )


def _finished(schema: Schema, settings: CamundaSettings, definition: Definition) -> int:
    """Count the finished instances that their definition's time to live would govern, up to a bound."""
    engine_kind = ENGINE_KINDS[definition.kind]
    columns = _NAME_ANOTHER[definition.kind] if settings.hierarchy == "root" else ()
    above = [
        schema.column(engine_kind.instances, one) for one in columns if schema.has(engine_kind.instances, one)
    ]
    key = schema.column(engine_kind.instances, engine_kind.instance_id)
    identity, ended = (
        schema.column(engine_kind.instances, one) for one in (engine_kind.definition_id, engine_kind.ended)
    )
    inner = (
        f"SELECT t.{key}{''.join(f', t.{one}' for one in above if one != key)}"
        f" FROM {schema.quoted(engine_kind.instances)} AS t"
        f" WHERE t.{identity} = %s AND t.{ended} IS NOT NULL LIMIT {COUNT_BOUND}"
    )
    own = "".join(f" AND (s.{one} IS NULL OR s.{one} = s.{key})" for one in above)
    sql = f"SELECT count(*) FROM ({inner}) AS s WHERE 1 = 1{own}"
    return int(schema.database.query(sql, (definition.id,))[0][0])


def _named(keys: Iterable[str]) -> str:
    names = list(keys)
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
