"""What belongs to some rows, as data: the ids that lead to it, and the statements that delete all of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.statements import Check, Delete

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cleanupctl.history.databases.statements import Statement
    from cleanupctl.history.databases.table_set import TableSet

TOP, MEMBERS, OTHERS = "top", "members", "others"
"""Sets of ids: what was asked for, the whole hierarchy, and the hierarchy without its top."""

MOST_IDS = 1_000
"""Ids in one statement; a database's planner gives up on much longer lists."""


@dataclass(frozen=True, slots=True)
class RowSet:
    """Rows of a table that have an id of the set `ids` in a column."""

    table: str
    column: str
    ids: str
    empty: tuple[str, ...] = ()
    """Columns without a value: rows that have one are reached by another set."""
    filled: tuple[str, ...] = ()
    """Columns with a value: rows that have none stay."""
    equal: tuple[tuple[str, Any], ...] = ()
    """Columns and the values that they have."""


@dataclass(frozen=True, slots=True)
class IdLookup:
    """More ids for the set `name`: the values of a column in the rows of a set."""

    name: str
    column: str
    rows: RowSet
    only: RowSet | None = None
    """Only those ids that such a row has; its own `ids` do not matter."""
    deleted: bool = True
    """Whether each id stands for a row that is deleted."""


@dataclass(frozen=True, slots=True)
class CascadePlan:
    """How to get from the top of a hierarchy to all ids, and from these to all rows: the top's own last."""

    lookups: tuple[IdLookup, ...]
    rows: tuple[RowSet, ...]
    absent: tuple[RowSet, ...] = ()
    """Rows that keep everything: there must be none before the top's own rows are deleted."""
    spared: tuple[str, ...] = ()
    """Tables that others use too: a row that a foreign key points at stays there, and the rest is deleted."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The top of one hierarchy with what is deleted together with it."""

    id: Any
    """Value of the key by which everything else refers to the top."""
    plan: CascadePlan
    more: tuple[Any, ...] = ()
    """Further members of its hierarchy that no lookup leads to."""


@dataclass(slots=True)
class CascadeBatch:
    """Everything that belongs to units of one plan."""

    tables: TableSet
    plan: CascadePlan
    units: Sequence[Unit]
    guards: Mapping[str, tuple[Condition, ...]] = field(default_factory=dict)
    """By table: what must hold as well for a row to be deleted."""
    policy: Condition = field(default_factory=lambda: Condition(""))
    """What has to hold for the units' own rows; if it does not when they are deleted, nothing is."""
    besides: tuple[Condition, ...] = ()
    """What has to hold for them as well, and is asked before they are deleted: it may ask their table."""
    ids: dict[str, list[Any]] = field(default_factory=dict)

    def gather(self, most: int) -> bool:
        """Look all ids up; False when there would be more rows than `most`."""
        top = [unit.id for unit in self.units]
        self.ids = {TOP: top, MEMBERS: [*top, *(one for unit in self.units for one in unit.more)]}
        for lookup in self.plan.lookups:
            found = self.ids.setdefault(lookup.name, [])
            for chunk in self._chunks(lookup.rows.ids):
                found += self._select(lookup, chunk, limit=most + 1)
                if lookup.deleted and len(found) > most:
                    return False
        self.ids[MEMBERS] = list(dict.fromkeys(self.ids[MEMBERS]))
        tops = set(top)
        self.ids[OTHERS] = [one for one in self.ids[MEMBERS] if one not in tops]
        return len(self.ids[MEMBERS]) <= most

    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """Yield table and rows, in the order in which they are deleted; `gather` comes before."""
        return self._conditions(self.plan.rows)

    def _conditions(self, sets: Iterable[RowSet]) -> Iterator[tuple[str, Condition]]:
        for rows in sets:
            for chunk in self._chunks(rows.ids):
                yield rows.table, self._reached(rows, chunk)

    def statements(self) -> Iterator[Statement]:
        """Yield what deletes everything; the units' own rows come last, as long as the policy holds."""
        *below, own = self.plan.rows
        for table, condition in self._conditions(below):
            yield self.guarded(Delete(self.tables.tables[table], condition), table)
        yield from self._absent()
        if self.besides:
            yield from self._standing(own)
        for chunk in self._chunks(own.ids):
            condition = both((self._reached(own, chunk), self.policy))
            yield Delete(self.tables.tables[own.table], condition, exactly=len(chunk))

    def guarded(self, delete: Delete, table: str) -> Delete:
        """Leave out what the guards of a table keep."""
        return replace(delete, where=both((delete.where, *self.guards.get(table, ()))))

    def in_parts(self) -> Iterator[tuple[str, Delete]]:
        """Yield table and rows of one unit that is too big for one transaction, without guards.

        What is yielded must have been deleted before the next is asked for: ids are read page by page.
        Members that no lookup leads to come before the top: what is left after a crash is still found.
        """
        (unit,) = self.units
        self.ids = {TOP: [unit.id], OTHERS: list(unit.more)}
        for one in (*reversed(unit.more), unit.id):
            part = replace(self, units=[Unit(one, unit.plan)])
            for rows in part.plan.rows:
                for chunk in part._paged(rows.ids):
                    yield rows.table, Delete(self.tables.tables[rows.table], self._reached(rows, chunk))

    def checks(self) -> list[Check]:
        """Return what makes sure that the units may still be deleted; needs no right to lock their rows."""
        return [*self._standing(self.plan.rows[-1]), *self._absent()]

    def _standing(self, own: RowSet) -> Iterator[Check]:
        """Yield what makes sure that the units' own rows are as they were when they were chosen."""
        table = self.tables.tables[own.table]
        for chunk in self._chunks(own.ids):
            condition = both((self._reached(own, chunk), self.policy, *self.besides))
            yield Check(table, condition, len(chunk))

    def _absent(self) -> Iterator[Check]:
        """Yield what makes sure that nothing is there that keeps everything."""
        for table, condition in self._conditions(self.plan.absent):
            yield Check(self.tables.tables[table], condition, 0)

    def _chunks(self, name: str) -> Iterator[list[Any]]:
        ids = self.ids.get(name, [])
        return (ids[start : start + MOST_IDS] for start in range(0, len(ids), MOST_IDS))

    def _paged(self, name: str) -> Iterator[list[Any]]:
        """Yield the ids of a set page by page, read anew each time."""
        (unit,) = self.units
        if name in (TOP, MEMBERS):
            yield [unit.id]
        if name == TOP:
            return
        wanted = MEMBERS if name == OTHERS else name
        for lookup in self.plan.lookups:
            if lookup.name != wanted:
                continue
            for chunk in self._paged(lookup.rows.ids):
                last: tuple[Any, ...] = ()
                while page := self._select(lookup, chunk, limit=MOST_IDS, after=last):
                    last = (page[-1],)
                    rest = [one for one in page if one != unit.id] if wanted == MEMBERS else page
                    if rest:
                        yield rest

    def _select(
        self, lookup: IdLookup, ids: Sequence[Any], *, limit: int, after: tuple[Any, ...] | None = None
    ) -> list[Any]:
        """Read ids; in order, and only those after one, when `after` is given (empty: from the first)."""
        rows, tables = lookup.rows, self.tables
        column = f"t.{tables.column(rows.table, lookup.column)}"
        conditions = [self._reached(rows, ids), Condition(f"{column} IS NOT NULL")]
        if lookup.only is not None:
            key = tables.column(lookup.only.table, lookup.only.column)
            such = both((Condition(f"b.{key} = {column}"), *self._marked(lookup.only, "b")))
            named = f"SELECT 1 FROM {tables.quoted(lookup.only.table)} AS b WHERE {such.sql}"
            conditions.append(Condition(f"EXISTS ({named})", such.parameters))
        if after:
            conditions.append(Condition(f"{column} > %s", after))
        where = both(conditions)
        order = "" if after is None else f" ORDER BY {column}"
        sql = (
            f"SELECT {column} FROM {tables.quoted(rows.table)} AS t WHERE {where.sql}{order}"
            f" LIMIT {int(limit)}"
        )
        return [row[0] for row in tables.database.query(sql, where.parameters)]

    def _reached(self, rows: RowSet, ids: Sequence[Any]) -> Condition:
        column = f"t.{self.tables.column(rows.table, rows.column)}"
        return both((self.tables.database.any_of(column, ids), *self._marked(rows, "t")))

    def _marked(self, rows: RowSet, alias: str) -> Iterator[Condition]:
        """Yield what holds for the rows of a set apart from their ids."""
        for test, columns in (("IS NULL", rows.empty), ("IS NOT NULL", rows.filled)):
            for column in columns:
                yield Condition(f"{alias}.{self.tables.column(rows.table, column)} {test}")
        for column, value in rows.equal:
            yield Condition(f"{alias}.{self.tables.column(rows.table, column)} = %s", (value,))
