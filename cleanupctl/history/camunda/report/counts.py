"""What a run that deletes whole instances would delete, counted by the same rules by which it runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cleanupctl.history.camunda.schema.definitions import ENGINE_KINDS, TENANT
from cleanupctl.history.camunda.schema.tables import BYTE_ARRAYS
from cleanupctl.history.cleaning.cascade import MEMBERS, CascadeBatch
from cleanupctl.history.cleaning.hierarchies import ALL
from cleanupctl.history.databases.conditions import both

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cleanupctl.history.camunda.report.scope import ReportScope
    from cleanupctl.history.camunda.schema.definitions import Definition
    from cleanupctl.history.camunda.schema.tables import Schema
    from cleanupctl.history.cleaning.cascade import CascadePlan
    from cleanupctl.history.cleaning.hierarchies import CascadeTask
    from cleanupctl.history.databases.conditions import Condition

_DEFINITIONS = {engine_kind.instances: engine_kind for engine_kind in ENGINE_KINDS.values()}
"""Tables of instances: their rows are counted by definition."""


@dataclass(slots=True)
class ExactCounts:
    """Rows that a run would delete now."""

    definitions: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By table of instances, without prefix, and id of the definition."""
    instances: Counter[tuple[str, str, str | None]] = field(default_factory=Counter)
    """By table of instances, without prefix, id of the definition, and tenant of the instances."""
    rows: Counter[str] = field(default_factory=Counter)
    """By table, without prefix."""
    oldest: dict[str, Any] = field(default_factory=dict)
    """The first end among them as the database has it, by table of instances."""
    uncounted: set[str] = field(default_factory=set)
    """Tables of which not all rows that would be deleted were counted."""

    def of(self, table: str, definition: Definition) -> int:
        """Return how many instances of a definition would be deleted; of one that is gone by their tenant."""
        if definition.of_tenant:
            return self.instances[table, definition.id, definition.tenant]
        return self.definitions[table, definition.id]


def count_exactly(scope: ReportScope) -> ExactCounts:
    """Count what would be deleted; tables that are too big to be counted are left out and named.

    The hierarchies are followed as in a run, so that the numbers are those of one. Raise HistoryError.
    """
    counts = ExactCounts()
    for task in scope.strategy.cascades(scope.schema, scope.now):
        if scope.is_counted(task.group.table):
            _add(counts, scope, task)
        else:
            counts.uncounted |= {rows.table for plan in task.group.eligibility.plans for rows in plan.rows}
    return counts


def _add(counts: ExactCounts, scope: ReportScope, task: CascadeTask) -> None:
    countable: dict[int, CascadePlan] = {}
    for units in task.chosen():
        plan = units[0].plan
        if id(plan) not in countable:
            countable[id(plan)] = _countable(plan, partial(_counted, scope))
            kept = {rows.table for rows in countable[id(plan)].rows}
            counts.uncounted |= {rows.table for rows in plan.rows} - kept
        selection = CascadeBatch(
            scope.schema,
            countable[id(plan)],
            [replace(unit, plan=countable[id(plan)]) for unit in units],
        )
        selection.gather(ALL)
        _count(counts, scope.schema, selection.conditions())


def _counted(scope: ReportScope, table: str) -> bool:
    if table in _DEFINITIONS:
        return scope.is_counted(table)
    return scope.is_counted_along(table)


def _countable(plan: CascadePlan, is_counted: Callable[[str], bool]) -> CascadePlan:
    """Leave out of a plan the tables that are too big, and those whose ids only these know."""
    lookups = tuple(one for one in plan.lookups if one.name == MEMBERS or is_counted(one.rows.table))
    unknown = {one.name for one in plan.lookups} - {one.name for one in lookups}
    partly = {one.name for one in plan.lookups if one not in lookups} | unknown
    dropped = {one.table for one in plan.rows if one.ids in partly or not is_counted(one.table)}
    return replace(plan, lookups=lookups, rows=tuple(r for r in plan.rows if r.table not in dropped))


def _count(counts: ExactCounts, schema: Schema, conditions: Iterable[tuple[str, Condition]]) -> None:
    for table, found in conditions:
        condition = found
        if table == BYTE_ARRAYS:
            # Those that the engine still needs stay, as in a run.
            condition = both((found, *schema.database.references_guard(schema.tables[table])))
        rows = f"{schema.quoted(table)} AS t WHERE {condition.sql}"
        engine_kind = _DEFINITIONS.get(table)
        if engine_kind is None or not schema.has(table, engine_kind.definition_id):
            number = schema.database.query(f"SELECT count(*) FROM {rows}", condition.parameters)[0][0]
            counts.rows[table] += int(number)
            continue
        definition, ended = (
            f"t.{schema.column(table, one)}" for one in (engine_kind.definition_id, engine_kind.ended)
        )
        tenant = f"t.{schema.column(table, TENANT)}" if schema.has(table, TENANT) else None
        group = f"{definition}, {tenant}" if tenant else definition
        sql = f"SELECT {definition}, {tenant or 'NULL'}, count(*), min({ended}) FROM {rows} GROUP BY {group}"
        for identity, of, number, first in schema.database.query(sql, condition.parameters):
            counts.instances[table, str(identity), of] += int(number)
            counts.definitions[table, str(identity)] += int(number)
            counts.rows[table] += int(number)
            known = counts.oldest.get(table)
            if first is not None and (known is None or first < known):
                counts.oldest[table] = first
