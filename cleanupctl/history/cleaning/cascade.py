"""Following a recipe in a database: the ids that belong to some instances, and the statements that delete."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.engine_table import ROOT
from cleanupctl.history.camunda.schema.tables import BYTE_ARRAYS
from cleanupctl.history.camunda.strategies.cascades import MEMBERS, OTHERS, TOP
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.statements import Check, Delete

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cleanupctl.history.camunda.schema.tables import Schema
    from cleanupctl.history.camunda.strategies.cascades import CascadePlan, IdLookup, RowSet
    from cleanupctl.history.databases.statements import Statement

MOST_IDS = 1_000
"""Ids in one statement; a database's planner gives up on much longer lists."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One top-level instance with what is deleted together with it."""

    id: str
    recipe: CascadePlan
    more: tuple[str, ...] = ()
    """Further instances of its hierarchy that do not name it as their root."""


@dataclass(slots=True)
class CascadeBatch:
    """Everything that belongs to units of one recipe."""

    schema: Schema
    recipe: CascadePlan
    units: Sequence[Unit]
    guards: Mapping[str, tuple[Condition, ...]] = field(default_factory=dict)
    """By table: what keeps a row all the same."""
    policy: Condition = field(default_factory=lambda: Condition(""))
    """What has to hold for the units' own rows; if it does not when they are deleted, nothing goes."""
    ids: dict[str, list[str]] = field(default_factory=dict)

    def gather(self, most: int) -> bool:
        """Look all ids up; False when there would be more rows than `most`."""
        top = [unit.id for unit in self.units]
        self.ids = {TOP: top, MEMBERS: [*top, *(one for unit in self.units for one in unit.more)]}
        for further in self.recipe.further:
            found = self.ids.setdefault(further.name, [])
            for piece in self._pieces(further.reach.ids):
                found += self._select(further, piece, limit=most + 1)
                if further.goes and len(found) > most:
                    return False
        self.ids[MEMBERS] = list(dict.fromkeys(self.ids[MEMBERS]))
        tops = set(top)
        self.ids[OTHERS] = [one for one in self.ids[MEMBERS] if one not in tops]
        return len(self.ids[MEMBERS]) <= most

    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """Yield table and rows, in the order in which they go; `gather` comes before."""
        return self._conditions(self.recipe.rows)

    def _conditions(self, reaches: Sequence[RowSet]) -> Iterator[tuple[str, Condition]]:
        for reach in reaches:
            for piece in self._pieces(reach.ids):
                yield reach.table, self._reached(reach, piece)

    def statements(self) -> Iterator[Statement]:
        """Yield what deletes everything; the units' own rows come last, as long as the policy holds."""
        *below, own = self.recipe.rows
        for table, condition in self._conditions(below):
            yield self._delete(table, both((condition, *self.guards.get(table, ()))))
        yield from self._absent()
        for piece in self._pieces(own.ids):
            condition = both((self._reached(own, piece), self.policy))
            yield replace(self._delete(own.table, condition), exactly=len(piece))

    def bounded(self, most: Callable[[], int]) -> Iterator[list[Statement]]:
        """Yield what each of many transactions does for one unit that is too big for one.

        Each deletes at most `most` rows, and must have been committed before the next is asked for. Ids are
        read page by page. Instances that only their caller's activities lead to go before their caller: what
        is left after a crash is still found.
        """
        (unit,) = self.units
        self.ids = {TOP: [unit.id], OTHERS: list(unit.more)}
        for one in (*reversed(unit.more), unit.id):
            part = replace(self, units=[Unit(one, unit.recipe)])
            for delete in part._bounded(most):
                yield [*self._standing(), *self._absent(), delete]

    def _bounded(self, most: Callable[[], int]) -> Iterator[Delete]:
        for reach in self.recipe.rows:
            for piece in self._paged(reach.ids):
                condition = both((self._reached(reach, piece), *self.guards.get(reach.table, ())))
                while keys := self._keys(reach.table, condition, most()):
                    chosen = both((self._ids_condition(reach.table, "ID_", keys), condition))
                    yield self._delete(reach.table, chosen)

    def _delete(self, table: str, condition: Condition) -> Delete:
        return Delete(self.schema.tables[table], condition)

    def _standing(self) -> Iterator[Check]:
        """Yield what makes sure that the units' own rows are as they were; needs no right to lock them."""
        own = self.recipe.rows[-1]
        for piece in self._pieces(own.ids):
            condition = both((self._reached(own, piece), self.policy))
            yield Check(self.schema.tables[own.table], condition, len(piece))

    def _absent(self) -> Iterator[Check]:
        """Yield what makes sure that nothing is there that keeps everything."""
        for table, condition in self._conditions(self.recipe.absent):
            yield Check(self.schema.tables[table], condition, 0)

    def _pieces(self, name: str) -> Iterator[list[str]]:
        return _cut(self.ids.get(name, []))

    def _paged(self, name: str) -> Iterator[list[str]]:
        """Yield the ids of a set page by page, read anew each time."""
        (unit,) = self.units
        if name in (TOP, MEMBERS):
            yield [unit.id]
        if name == TOP:
            return
        wanted = MEMBERS if name == OTHERS else name
        for further in self.recipe.further:
            if further.name != wanted:
                continue
            for piece in self._paged(further.reach.ids):
                last = None
                while page := self._select(further, piece, limit=MOST_IDS, after=last):
                    last = page[-1]
                    rest = [one for one in page if one != unit.id] if wanted == MEMBERS else page
                    if rest:
                        yield rest

    def _select(
        self, further: IdLookup, ids: Sequence[str], *, limit: int, after: str | bool | None = False
    ) -> list[str]:
        """Read ids; in order, and only those after one, when `after` is given (None: from the first)."""
        reach, schema = further.reach, self.schema
        column = f"t.{schema.column(reach.table, further.column)}"
        conditions = [self._reached(reach, ids), Condition(f"{column} IS NOT NULL")]
        if further.unrooted and schema.has(BYTE_ARRAYS, ROOT):
            key, root = schema.column(BYTE_ARRAYS, "ID_"), schema.column(BYTE_ARRAYS, ROOT)
            conditions.append(
                Condition(
                    f"EXISTS (SELECT 1 FROM {schema.quoted(BYTE_ARRAYS)} AS b"
                    f" WHERE b.{key} = {column} AND b.{root} IS NULL)"
                )
            )
        if isinstance(after, str):
            conditions.append(Condition(f"{column} > %s", (after,)))
        where = both(conditions)
        order = "" if after is False else f" ORDER BY {column}"
        sql = (
            f"SELECT {column} FROM {schema.quoted(reach.table)} AS t WHERE {where.sql}{order}"
            f" LIMIT {int(limit)}"
        )
        return [str(row[0]) for row in schema.database.query(sql, where.parameters)]

    def _keys(self, table: str, condition: Condition, limit: int) -> list[str]:
        key = self.schema.column(table, "ID_")
        sql = f"SELECT t.{key} FROM {self.schema.quoted(table)} AS t WHERE {condition.sql} LIMIT {int(limit)}"
        return [str(row[0]) for row in self.schema.database.query(sql, condition.parameters)]

    def _reached(self, reach: RowSet, ids: Sequence[str]) -> Condition:
        conditions = [self._ids_condition(reach.table, reach.column, ids)]
        conditions += [
            Condition(f"t.{self.schema.column(reach.table, column)} IS NULL") for column in reach.empty
        ]
        conditions += [
            Condition(f"t.{self.schema.column(reach.table, column)} IS NOT NULL") for column in reach.filled
        ]
        if reach.resource_type is not None:
            kind = self.schema.column(reach.table, "RESOURCE_TYPE_")
            conditions.append(Condition(f"t.{kind} = %s", (reach.resource_type,)))
        return both(conditions)

    def _ids_condition(self, table: str, column: str, ids: Sequence[str]) -> Condition:
        return self.schema.database.any_of(f"t.{self.schema.column(table, column)}", ids)


def _cut(ids: list[str]) -> Iterator[list[str]]:
    return (ids[start : start + MOST_IDS] for start in range(0, len(ids), MOST_IDS))
