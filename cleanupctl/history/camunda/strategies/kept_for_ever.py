"""What the end-time strategy keeps for ever for want of a time to live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.core.run.cleaning import Noticed
from cleanupctl.history.camunda.schema.definitions import ENGINE_KINDS, instances_of
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
    reasons = {
        "their definitions are gone": [one for one in definitions if one.missing and one.key is not None],
        "their definitions are gone, and no row has the key that a [[history.ttl]] may mean": [
            one for one in definitions if one.missing and one.key is None
        ],
        "they have no time to live": [one for one in definitions if not one.missing],
    }
    for reason, some in reasons.items():
        counted = [(one, number) for one in some if (number := _finished(schema, settings, one))]
        if counted:
            keys = dict.fromkeys(one.key or one.id for one, _ in counted)
            yield Noticed(
                settings.name,
                f"{sum(number for _, number in counted)} finished instances in {table} are kept: {reason}"
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
    ended, of = schema.column(engine_kind.instances, engine_kind.ended), instances_of(schema, definition)
    inner = (
        f"SELECT t.{key}{''.join(f', t.{one}' for one in above if one != key)}"
        f" FROM {schema.quoted(engine_kind.instances)} AS t"
        f" WHERE {of.sql} AND t.{ended} IS NOT NULL LIMIT {COUNT_BOUND}"
    )
    own = "".join(f" AND (s.{one} IS NULL OR s.{one} = s.{key})" for one in above)
    sql = f"SELECT count(*) FROM ({inner}) AS s WHERE 1 = 1{own}"
    return int(schema.database.query(sql, of.parameters)[0][0])


def _named(keys: Iterable[str]) -> str:
    names = list(keys)
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
