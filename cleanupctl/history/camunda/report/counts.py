"""What a run of the end-time strategy would delete, counted by the same rules by which it runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cleanupctl.history.camunda.schema.definitions import ENGINE_KINDS
from cleanupctl.history.camunda.schema.tables import BYTE_ARRAYS
from cleanupctl.history.cleaning.cascade import MEMBERS, CascadeBatch
from cleanupctl.history.cleaning.hierarchies import ALL
from cleanupctl.history.databases.conditions import both

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cleanupctl.history.camunda.report.scope import ReportScope
    from cleanupctl.history.camunda.schema.tables import Schema
    from cleanupctl.history.cleaning.cascade import CascadePlan
    from cleanupctl.history.cleaning.hierarchies import CascadeTask
    from cleanupctl.history.databases.conditions import Condition

_DEFINITIONS = {place.instances: place for place in ENGINE_KINDS.values()}
"""Tables of instances: their rows are counted by definition."""


@dataclass(slots=True)
class Census:
    """Rows that would go now."""

    instances: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By table of instances, without prefix, and id of the definition."""
    rows: Counter[str] = field(default_factory=Counter)
    """By table, without prefix."""
    oldest: dict[str, Any] = field(default_factory=dict)
    """The first end among them as the database has it, by table of instances."""
    uncounted: set[str] = field(default_factory=set)
    """Tables of which not all rows that would go were counted."""


def take_census(report: ReportScope) -> Census:
    """Count what would go; tables that are too big to be counted are left out and named.

    The hierarchies are walked as in a run, so that the numbers are those of one. Raises HistoryError.
    """
    census = Census()
    for task in report.strategy.cascades(report.schema, report.now):
        if report.counts(task.group.table):
            _add(census, report, task)
        else:
            census.uncounted |= {rows.table for plan in task.group.eligibility.plans for rows in plan.rows}
    return census


def _add(census: Census, report: ReportScope, task: CascadeTask) -> None:
    countable: dict[int, CascadePlan] = {}
    for units in task.chosen():
        plan = units[0].plan
        if id(plan) not in countable:
            countable[id(plan)] = _countable(plan, partial(_counted, report))
            kept = {rows.table for rows in countable[id(plan)].rows}
            census.uncounted |= {rows.table for rows in plan.rows} - kept
        selection = CascadeBatch(
            report.schema,
            countable[id(plan)],
            [replace(unit, plan=countable[id(plan)]) for unit in units],
        )
        selection.gather(ALL)
        _count(census, report.schema, selection.conditions())


def _counted(report: ReportScope, table: str) -> bool:
    if table in _DEFINITIONS:
        return report.counts(table)
    return report.counts_along(table)


def _countable(plan: CascadePlan, counts: Callable[[str], bool]) -> CascadePlan:
    """Leave out of a plan the tables that are too big, and those whose ids only these know."""
    lookups = tuple(one for one in plan.lookups if one.name == MEMBERS or counts(one.rows.table))
    unknown = {one.name for one in plan.lookups} - {one.name for one in lookups}
    partly = {one.name for one in plan.lookups if one not in lookups} | unknown
    dropped = {one.table for one in plan.rows if one.ids in partly or not counts(one.table)}
    return replace(plan, lookups=lookups, rows=tuple(r for r in plan.rows if r.table not in dropped))


def _count(census: Census, schema: Schema, conditions: Iterable[tuple[str, Condition]]) -> None:
    for table, found in conditions:
        condition = found
        if table == BYTE_ARRAYS:
            # Those that the engine still needs stay, as in a run.
            condition = both((found, *schema.database.references_guard(schema.tables[table])))
        rows = f"{schema.quoted(table)} AS t WHERE {condition.sql}"
        place = _DEFINITIONS.get(table)
        if place is None or not schema.has(table, place.definition_id):
            number = schema.database.query(f"SELECT count(*) FROM {rows}", condition.parameters)[0][0]
            census.rows[table] += int(number)
            continue
        definition, ended = (f"t.{schema.column(table, one)}" for one in (place.definition_id, place.ended))
        sql = f"SELECT {definition}, count(*), min({ended}) FROM {rows} GROUP BY {definition}"
        for identity, number, first in schema.database.query(sql, condition.parameters):
            census.instances[table, str(identity)] += int(number)
            census.rows[table] += int(number)
            known = census.oldest.get(table)
            if first is not None and (known is None or first < known):
                census.oldest[table] = first
