"""What the policy keeps of rows that belong to nothing any more: removal times, times to live, references."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.definitions import (
    definitions_with_history,
    instances_of,
    load_definitions,
)
from cleanupctl.history.camunda.schema.engine_table import KEY, REMOVAL_TIME
from cleanupctl.history.camunda.schema.tables import DECISIONS
from cleanupctl.history.camunda.strategies.kept_below import kept_for_ever_by_key
from cleanupctl.history.camunda.strategies.ttl import definition_ttl
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.cutoff import cutoff, expiry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.schema.engine_table import Kind
    from cleanupctl.history.camunda.schema.tables import Schema

_DEFINITIONS: tuple[tuple[Kind, str, str], ...] = (
    ("process", "PROC_DEF_ID_", "PROC_DEF_KEY_"),
    ("process", "PROCESS_DEF_ID_", "PROCESS_DEF_KEY_"),
    ("decision", "DEC_DEF_ID_", "DEC_DEF_KEY_"),
    ("case", "CASE_DEF_ID_", "CASE_DEF_KEY_"),
)
"""Columns with id and key of the definition of what a row belongs to."""
_UUID_EPOCH, _ENGINES_SINCE = datetime(1582, 10, 15, tzinfo=UTC), datetime(2007, 1, 1, tzinfo=UTC)
_TIME_BASED_UUID = "________-____-1___-____-____________"


def older_than(
    schema: Schema, settings: CamundaSettings, moment: datetime, name: str, column: str
) -> Condition:
    """Say that rows were written before a moment (aware).

    Rows without a time, which old engines wrote, prove it by their id: the engine's are time-based UUIDs.
    """
    table = schema.tables[name]
    old = schema.database.expired(table.column(column), cutoff(moment, settings.timezone), table, None)
    key = f"LOWER(t.{schema.column(name, KEY)})"
    made = f"CONCAT(SUBSTRING({key}, 16, 3), SUBSTRING({key}, 10, 4), SUBSTRING({key}, 1, 8))"
    return Condition(
        f"({old.sql} OR (t.{schema.column(name, column)} IS NULL AND {key} LIKE '{_TIME_BASED_UUID}'"
        f" AND {made} BETWEEN %s AND %s))",
        (*old.parameters, _in_uuids(_ENGINES_SINCE), _in_uuids(moment)),
    )


def _in_uuids(moment: datetime) -> str:
    """Return a moment as a time-based UUID has it, the highest digits first."""
    since = moment - _UUID_EPOCH
    ticks = (since.days * 86_400 + since.seconds) * 10_000_000 + since.microseconds * 10
    return f"{ticks:015x}"


def kept_by_nothing(
    schema: Schema, settings: CamundaSettings, now: datetime, name: str, written: str
) -> Iterator[Condition]:
    """Yield what holds for rows `t` that neither the policy nor a foreign key keeps at `now` (aware)."""
    table = schema.tables[name]
    if schema.has(name, REMOVAL_TIME):
        yield _without_later_removal_time(schema, settings, now, name)
    for kind, identity, key in _DEFINITIONS:
        kept = kept_for_ever_by_key(schema, settings, kind, name, key)
        if kept is not None:
            yield _not(kept)
        if name != DECISIONS or kind != "decision":
            yield from _lived_long_enough(schema, settings, now, name, written, kind, identity, key)
    if name == DECISIONS:
        yield expired_decisions(schema, settings, now)
    # Never into the tables of others, whatever their foreign keys would do.
    yield from schema.database.references_guard(
        replace(table, references=tuple(replace(one, action="restrict") for one in table.references))
    )


def expired_decisions(schema: Schema, settings: CamundaSettings, now: datetime) -> Condition:
    """Say which decision instances are past their own time to live; without one they stay."""
    table, by_days = schema.tables[DECISIONS], _by_days(schema, settings)
    found = [
        both(
            (
                of,
                schema.database.expired(
                    table.column("EVAL_TIME_"), expiry(now, days, settings.timezone), table, None
                ),
            )
        )
        for days, of in by_days
    ]
    sql = " OR ".join(f"({one.sql})" for one in found) or "1 = 0"
    return Condition(f"({sql})", tuple(part for one in found for part in one.parameters))


def _by_days(schema: Schema, settings: CamundaSettings) -> Iterator[tuple[int, Condition]]:
    """Yield times to live, and which decision instances have them."""
    ids: dict[int, list[str]] = {}
    for one in definitions_with_history(schema, "decision", settings):
        days = definition_ttl(one, settings).days
        if days is None:
            continue
        if one.of_tenant:
            yield days, instances_of(schema, one)
        else:
            ids.setdefault(days, []).append(one.id)
    column = f"t.{schema.column(DECISIONS, 'DEC_DEF_ID_')}"
    for days, some in ids.items():
        yield days, schema.database.any_of(column, some)


def without_decision(schema: Schema, settings: CamundaSettings, now: datetime, column: str) -> Condition:
    """Say that rows `t` have no decision instance left that is still to be kept; `column` has its id."""
    found = [expired_decisions(schema, settings, now)]
    if schema.has(DECISIONS, REMOVAL_TIME):
        found.append(_without_later_removal_time(schema, settings, now, DECISIONS))
    gone = both(found)
    # Here the decision is another row than the one that is looked at.
    expired = re.sub(r"\bt\.", "r.", gone.sql)
    return Condition(
        f"NOT EXISTS (SELECT 1 FROM {schema.quoted(DECISIONS)} AS r WHERE"
        f" r.{schema.column(DECISIONS, KEY)} = {column} AND CASE WHEN {expired} THEN 0 ELSE 1 END = 1)",
        gone.parameters,
    )


def _without_later_removal_time(
    schema: Schema, settings: CamundaSettings, now: datetime, name: str
) -> Condition:
    moment, table = cutoff(now, settings.timezone), schema.tables[name]
    past = schema.database.expired(table.column(REMOVAL_TIME), moment, table, None)
    return Condition(f"(t.{schema.column(name, REMOVAL_TIME)} IS NULL OR {past.sql})", past.parameters)


def _lived_long_enough(
    schema: Schema, settings: CamundaSettings, now: datetime, name: str, written: str, kind: Kind,
    identity: str, key: str,
) -> Iterator[Condition]:  # fmt: skip
    """Yield what holds for rows that were written longer ago than the time to live of their definition."""
    if not schema.has(name, identity):
        return
    table, of = schema.tables[name], f"t.{schema.column(name, identity)}"
    of_key = f"t.{schema.column(name, key)}" if schema.has(name, key) else None

    def young(days: int) -> Condition:
        until = expiry(now, days, settings.timezone)
        past = schema.database.expired(table.column(written), until, table, None)
        return Condition(f"NOT ({past.sql})", past.parameters)

    known = load_definitions(schema, kind)
    by_days: dict[int, list[str]] = {}
    for one in known:
        days = definition_ttl(one, settings).days
        if days:
            by_days.setdefault(days, []).append(one.id)
    for days, ids in by_days.items():
        yield _not(both((schema.database.any_of(of, ids), young(days))))
    gone = [_not(schema.database.any_of(of, [one.id for one in known]))] if known else []
    if of_key is not None:
        for override in settings.ttls:
            if override.ttl and override.kind in (None, kind):
                yield _not(both((*gone, Condition(f"{of_key} = %s", (override.key,)), young(override.ttl))))
    if settings.default_ttl:
        meant = [one.key for one in settings.ttls if one.kind in (None, kind)]
        others = [_not(schema.database.any_of(of_key, meant))] if meant and of_key is not None else []
        some = Condition(f"{of} IS NOT NULL")
        yield _not(both((some, *gone, *others, young(settings.default_ttl))))


def _not(condition: Condition) -> Condition:
    """Turn a condition round: where it is unknown, it does not hold."""
    return Condition(f"CASE WHEN {condition.sql} THEN 0 ELSE 1 END = 1", condition.parameters)
