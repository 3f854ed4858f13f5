"""Which rows a cascade plan deletes with an instance, as one query for each path that leads to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cleanupctl.history.cleaning.cascade import MEMBERS, OTHERS, TOP
from cleanupctl.history.databases.conditions import Condition, both

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cleanupctl.history.cleaning.cascade import CascadePlan, RowSet
    from cleanupctl.history.databases.table_set import TableSet


@dataclass(frozen=True, slots=True)
class _Step:
    """Rows of one table, and the column of the rows before in which their ids are looked up."""

    rows: RowSet
    column: str | None


@dataclass(frozen=True, slots=True)
class Reached:
    """Rows of `table` that belong to an instance; `path` leads from them to its id."""

    table: str
    path: tuple[_Step, ...]

    def query(self, tables: TableSet, columns: Sequence[str], ids: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Read columns of the rows that belong to the instances with some ids; that id comes first."""
        joined, conditions, alias = "", [], "t"
        for number, step in enumerate(self.path):
            if number:
                before, theirs = self.path[number - 1].rows, step.column or ""
                ours = f"{alias}.{tables.column(before.table, before.column)}"
                alias = f"j{number}"
                joined += (
                    f" JOIN {tables.quoted(step.rows.table)} AS {alias}"
                    f" ON {alias}.{tables.column(step.rows.table, theirs)} = {ours}"
                )
            conditions += list(_marked(tables, step.rows, alias))
        last = self.path[-1].rows
        owner = f"{alias}.{tables.column(last.table, last.column)}"
        where = both((tables.database.any_of(owner, list(ids)), *conditions))
        wanted = ", ".join((owner, *(f"t.{tables.column(self.table, column)}" for column in columns)))
        sql = f"SELECT {wanted} FROM {tables.quoted(self.table)} AS t{joined} WHERE {where.sql}"
        return list(tables.database.query(sql, where.parameters))


def reached(plan: CascadePlan) -> Iterator[Reached]:
    """Yield every path to rows that the plan deletes, in the order of the plan: the top's own rows last."""
    for rows in plan.rows:
        for path in _paths(plan, rows, None):
            yield Reached(rows.table, path)


def _paths(plan: CascadePlan, rows: RowSet, column: str | None) -> Iterator[tuple[_Step, ...]]:
    step = _Step(rows, column)
    if rows.ids in (TOP, MEMBERS):
        yield (step,)
    wanted = MEMBERS if rows.ids == OTHERS else rows.ids
    for lookup in plan.lookups:
        if lookup.name == wanted:
            yield from ((step, *rest) for rest in _paths(plan, lookup.rows, lookup.column))


def _marked(tables: TableSet, rows: RowSet, alias: str) -> Iterator[Condition]:
    """Yield what holds for the rows of a set apart from their ids."""
    for test, columns in (("IS NULL", rows.empty), ("IS NOT NULL", rows.filled)):
        for column in columns:
            yield Condition(f"{alias}.{tables.column(rows.table, column)} {test}")
    for column, value in rows.equal:
        yield Condition(f"{alias}.{tables.column(rows.table, column)} = %s", (value,))
