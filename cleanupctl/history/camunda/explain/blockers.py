"""What blocks an instance besides itself: what runs in its hierarchy, and foreign keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.definitions import ENGINE_KINDS
from cleanupctl.history.camunda.schema.engine_table import REMOVAL_TIME
from cleanupctl.history.camunda.schema.tables import BATCHES, BYTE_ARRAYS, DECISIONS
from cleanupctl.history.camunda.strategies.eligibility import PerInstance
from cleanupctl.history.camunda.strategies.explained import Referenced
from cleanupctl.history.cleaning.cascade import CascadeBatch, Unit
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.cutoff import as_instant
from cleanupctl.history.databases.database import COUNT_BOUND
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.history.camunda.schema.tables import Schema
    from cleanupctl.history.camunda.strategies.eligibility import Chooser
    from cleanupctl.history.camunda.strategies.explained import Facts, Instance
    from cleanupctl.history.camunda.strategies.strategy import Strategy


def with_blockers(facts: Facts, schema: Schema, strategy: Strategy) -> Facts:
    """Add what else blocks the instance, by the same rules by which the strategy runs."""
    eligibility = strategy.eligibility(schema, facts.root.kind)
    if eligibility is None:
        return _each_row(facts, schema, strategy)
    facts = replace(facts, kept_below=_kept_below(facts.root, schema, strategy))
    unit = _unit(facts.root, schema, eligibility)
    if unit is None:
        return replace(facts, tree_runs=True)
    deleted = _deleted(schema, unit)
    references = [
        replace(one, fatal=table != BYTE_ARRAYS)
        for table, condition in deleted
        for one in _references(schema, table, condition)
    ]
    decisions = sum(_count(schema, table, condition) for table, condition in deleted if table == DECISIONS)
    return replace(facts, references=_joined(references), decisions=decisions)


def _each_row(facts: Facts, schema: Schema, strategy: Strategy) -> Facts:
    """Each row is deleted by its own removal time: what runs in its tree keeps it, and foreign keys to it."""
    table, key = _own(facts.instance)
    if table not in schema.tables:
        return facts
    own = Condition(f"t.{schema.column(table, key)} = %s", (facts.instance.id,))
    references = list(_references(schema, table, own))
    if facts.instance.kind == "process":
        plan = strategy.belonging(schema, "process", whole=facts.root is facts.instance)
        deleted = _deleted(schema, Unit(facts.instance.id, plan))
        facts = replace(facts, first_of_rows=_first(facts, schema, deleted, strategy.settings.timezone))
        for other, condition in deleted:
            if other != table:
                references += [replace(one, fatal=False) for one in _references(schema, other, condition)]
    there = schema.database.bounded_count(schema.tables[table], own, 1)

    def keep(conditions: Iterable[Condition]) -> bool:
        unless = both((own, *conditions))
        return bool(there) and not schema.database.bounded_count(schema.tables[table], unless, 1)

    return replace(
        facts,
        references=_joined(references),
        tree_runs=keep(strategy.unfinished(schema, table)),
        undated_below=keep(strategy.nothing_undated(schema, table)),
    )


def _kept_below(top: Instance, schema: Schema, strategy: Strategy) -> bool:
    """Whether something below it keeps the whole hierarchy for ever."""
    conditions = tuple(strategy.keeps_whole(schema, top.kind)) if top.kind != "batch" else ()
    if not conditions:
        return False
    table, key = _own(top)
    own = Condition(f"t.{schema.column(table, key)} = %s", (top.id,))
    return not schema.database.bounded_count(schema.tables[table], both((own, *conditions)), 1)


def _first(
    facts: Facts, schema: Schema, rows: list[tuple[str, Condition]], zone: ZoneInfo
) -> datetime | None:
    """Return the first removal time of the rows if that is before the instance's own."""
    found = []
    for name, condition in rows:
        if not schema.has(name, REMOVAL_TIME):
            continue
        table = schema.tables[name]
        column = table.column(REMOVAL_TIME)
        first = f"SELECT min(t.{schema.column(name, REMOVAL_TIME)}) FROM {schema.quoted(name)} AS t"
        raw = schema.database.query(f"{first} WHERE {condition.sql}", condition.parameters)[0][0]
        found.append(as_instant(raw, Target(table, column, Condition("")), zone, None))
    times = [one for one in found if one is not None]
    own = facts.instance.removal_time
    return min(times) if times and (own is None or min(times) < own) else None


def _own(instance: Instance) -> tuple[str, str]:
    if instance.kind == "batch":
        return BATCHES, "ID_"
    kind = ENGINE_KINDS[instance.kind]
    return kind.instances, kind.instance_id


def _unit(top: Instance, schema: Schema, eligibility: Chooser) -> Unit | None:
    """Return what a run deletes with the top; None when it leaves the hierarchy, because some of it runs."""
    if top.kind not in ("process", "case") or isinstance(eligibility, PerInstance):
        return Unit(top.id, eligibility.plans[0])
    table, key = _own(top)
    names = (key, *eligibility.columns)
    columns = ", ".join(schema.column(table, one) if schema.has(table, one) else "NULL" for one in names)
    sql = f"SELECT {columns} FROM {schema.quoted(table)} WHERE {schema.column(table, key)} = %s"
    rows = [dict(zip(names, row, strict=True)) for row in schema.database.query(sql, (top.id,))]
    units = eligibility(rows)
    return units[0] if units else None


def _deleted(schema: Schema, unit: Unit) -> list[tuple[str, Condition]]:
    """Return what is deleted with a unit; nothing when that is too much to look at."""
    selection = CascadeBatch(schema, unit.plan, [unit])
    return list(selection.conditions()) if selection.gather(COUNT_BOUND) else []


def _references(schema: Schema, table: str, condition: Condition) -> Iterator[Referenced]:
    """Yield the foreign keys that point at rows which are deleted."""
    found = schema.tables[table]
    for reference in found.references:
        for guard in schema.database.references_guard(replace(found, references=(reference,))):
            kept = Condition(f"{condition.sql} AND NOT ({guard.sql})", condition.parameters)
            rows = schema.database.bounded_count(found, kept)
            if rows:
                yield Referenced(found.name, reference.name, rows, fatal=True)


def _count(schema: Schema, table: str, condition: Condition) -> int:
    return schema.database.bounded_count(schema.tables[table], condition)


def _joined(references: list[Referenced]) -> tuple[Referenced, ...]:
    """Add those up that say the same."""
    rows: dict[Referenced, int] = {}
    for one in references:
        key = replace(one, rows=0)
        rows[key] = rows.get(key, 0) + one.rows
    return tuple(replace(one, rows=number) for one, number in rows.items())
