"""The tops of hierarchies that may have expired, page by page, the oldest first."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.key_scans import row_comparison

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleanupctl.history.cleaning.cascade import CascadePlan, Unit
    from cleanupctl.history.databases.cutoff import Cutoff
    from cleanupctl.history.databases.table_set import TableSet

PAGE = 1_000
"""Rows looked at by one query."""
PAGES = 20
"""Pages looked at in search of a row that may be deleted, before it is asked whether to stop."""

Row = dict[str, Any]
"""Values by column name; columns that the database does not have are None."""


class Eligibility(Protocol):
    """Chooses among expired rows."""

    @property
    def plans(self) -> tuple[CascadePlan, ...]:
        """Say what is deleted with those that are chosen."""

    def __call__(self, rows: Sequence[Row]) -> list[Unit]:
        """Return the rows that may be deleted."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one table that share a time to live, each the top of what is deleted with it."""

    table: str
    """Name in the set of tables."""
    part: str
    """What tells the group from others of the table."""
    time: str
    """Column from which the time to live counts."""
    until: Cutoff
    """Rows up to this moment have expired."""
    conditions: tuple[Condition, ...]
    """What makes a row one of the group."""
    key: str
    """Column with the id by which everything else refers to the row."""
    columns: tuple[str, ...]
    """What `eligibility` wants to know of a row, besides the key."""
    eligibility: Eligibility
    """Chooses those rows that are the top of what is deleted."""
    order: str
    """Column that puts rows of the same time in an order, different in each."""
    noun: str = "rows"
    """What the rows are, for people."""
    besides: tuple[Condition, ...] = ()
    """What has to hold for a row as well, and may ask the table itself."""


class Candidates:
    """Reads the rows of a group in the order of their time; those that may be deleted wait to be taken."""

    def __init__(self, tables: TableSet, group: Group) -> None:
        self.looked_at = 0
        self.dropped = 0
        """How many units have been forgotten."""
        self.exhausted = False
        """Whether the last page has been read."""
        self._tables = tables
        self._group = group
        self._units: deque[Unit] = deque()
        self._last: tuple[Any, Any] | None = None
        """Time and order of the last row that was read: what was passed over is not read twice."""

    @property
    def finished(self) -> bool:
        """Whether no unit is left, as far as that is known without reading."""
        return self.exhausted and not self._units

    def peek(self, number: int) -> list[Unit]:
        """Return up to `number` units that may be deleted; an empty list: none in the pages looked at."""
        for _ in range(PAGES):
            if len(self._units) >= number or self.exhausted:
                break
            self._units += self._group.eligibility(self._page())
        return [self._units[place] for place in range(min(number, len(self._units)))]

    def drop(self, number: int) -> None:
        """Forget the first units: they are deleted, or left for another run."""
        self.dropped += number
        for _ in range(number):
            self._units.popleft()

    def drop_changed(self, units: Sequence[Unit]) -> bool:
        """Forget those of the first units that may not be deleted any more; return whether there were any."""
        key = f"t.{self._tables.column(self._group.table, self._group.key)}"
        left: set[Any] = set()
        for start in range(0, len(units), PAGE):
            ids = [unit.id for unit in units[start : start + PAGE]]
            where = both((self._tables.database.any_of(key, ids), self.condition(), *self._group.besides))
            sql = f"SELECT {key} FROM {self._tables.quoted(self._group.table)} AS t WHERE {where.sql}"
            left.update(one for (one,) in self._tables.database.query(sql, where.parameters))
        self.drop(len(units))
        self._units.extendleft(unit for unit in reversed(units) if unit.id in left)
        return len(left) < len(units)

    def condition(self) -> Condition:
        """Say which rows are looked at."""
        table = self._tables.tables[self._group.table]
        column = table.column(self._group.time)
        expired = self._tables.database.expired(column, self._group.until, table, None)
        return both((*self._group.conditions, expired))

    def statement(self) -> tuple[str, tuple[Any, ...]]:
        """Write the query for the next page."""
        group, tables = self._group, self._tables
        time, order = (f"t.{tables.column(group.table, name)}" for name in (group.time, group.order))
        conditions = [self.condition(), *group.besides]
        if self._last is not None:
            conditions.append(row_comparison((time, order), ">", self._last, inclusive=False))
        where = both(conditions)
        columns = [
            f"t.{tables.column(group.table, name)}" if tables.has(group.table, name) else "NULL"
            for name in (group.time, group.order, group.key, *group.columns)
        ]
        sql = (
            f"SELECT {', '.join(columns)} FROM {tables.quoted(group.table)} AS t WHERE {where.sql}"
            f" ORDER BY {time}, {order} LIMIT {PAGE}"
        )
        return sql, where.parameters

    def _page(self) -> list[Row]:
        found = self._tables.database.query(*self.statement())
        self.looked_at += len(found)
        self.exhausted = len(found) < PAGE
        if found:
            self._last = (found[-1][0], found[-1][1])
        names = (self._group.key, *self._group.columns)
        return [dict(zip(names, row[2:], strict=True)) for row in found]
