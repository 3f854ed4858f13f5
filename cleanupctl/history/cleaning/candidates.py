"""Instances that may have expired under the end-time strategy, page by page, oldest first."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.key_scans import row_comparison

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleanupctl.history.camunda.schema.tables import Schema
    from cleanupctl.history.camunda.strategies.cascades import CascadePlan
    from cleanupctl.history.cleaning.cascade import Unit
    from cleanupctl.history.databases.cutoff import Cutoff

PAGE = 1_000
"""Instances looked at by one query."""
PAGES = 20
"""Pages looked at in search of an instance that may go, before somebody asks whether to stop."""

Row = dict[str, Any]
"""Values by column name; columns that the schema does not have are None."""


class Eligibility(Protocol):
    """Chooses among expired instances."""

    @property
    def recipes(self) -> tuple[CascadePlan, ...]:
        """Say what goes with those that are chosen."""

    def __call__(self, rows: Sequence[Row]) -> list[Unit]:
        """Return the rows that may go."""


@dataclass(frozen=True, slots=True)
class Group:
    """The instances of one definition, or of one type: they share a time to live."""

    table: str
    """Name without prefix."""
    part: str
    """Id of the definition, or whatever else tells the group from others of the table."""
    time: str
    """Column from which the time to live counts."""
    until: Cutoff
    """Instances up to this moment have expired."""
    conditions: tuple[Condition, ...]
    """What makes a row one of the group."""
    key: str
    """Column with the id by which everything else refers to the instance."""
    columns: tuple[str, ...]
    """What `judge` wants to know of a row, besides the key."""
    eligibility: Eligibility
    """Chooses those rows that are the top of what goes."""


class Candidates:
    """Walks the rows of a group in the order of their time, and keeps those that may go until taken."""

    def __init__(self, schema: Schema, group: Group) -> None:
        self.looked_at = 0
        self.exhausted = False
        self._schema = schema
        self._group = group
        self._units: deque[Unit] = deque()
        self._last: tuple[Any, str] | None = None
        """Time and id of the last row that was read: what was passed over is not read twice."""

    def peek(self, number: int) -> list[Unit]:
        """Return up to `number` units that may go; an empty list means none in the pages looked at."""
        for _ in range(PAGES):
            if len(self._units) >= number or self.exhausted:
                break
            self._units += self._group.eligibility(self._page())
        return [self._units[place] for place in range(min(number, len(self._units)))]

    def drop(self, number: int) -> None:
        """Forget the first units: they are gone, or are left for another run."""
        for _ in range(number):
            self._units.popleft()

    def drop_changed(self, units: Sequence[Unit]) -> bool:
        """Forget those of the units, the first, that may not go any more; returns whether there were any."""
        key = f"t.{self._schema.column(self._group.table, self._group.key)}"
        left: set[str] = set()
        for start in range(0, len(units), PAGE):
            ids = [unit.id for unit in units[start : start + PAGE]]
            where = both((self._schema.database.any_of(key, ids), self.condition()))
            sql = f"SELECT {key} FROM {self._schema.quoted(self._group.table)} AS t WHERE {where.sql}"
            left.update(one for (one,) in self._schema.database.query(sql, where.parameters))
        self.drop(len(units))
        self._units.extendleft(unit for unit in reversed(units) if unit.id in left)
        return len(left) < len(units)

    def condition(self) -> Condition:
        """Say which rows are looked at."""
        table = self._schema.tables[self._group.table]
        column = table.column(self._group.time)
        expired = self._schema.database.expired(column, self._group.until, table, None)
        return both((*self._group.conditions, expired))

    def statement(self) -> tuple[str, tuple[Any, ...]]:
        """Write the query for the next page."""
        group, schema = self._group, self._schema
        time, identity = (f"t.{schema.column(group.table, name)}" for name in (group.time, "ID_"))
        conditions = [self.condition()]
        if self._last is not None:
            conditions.append(row_comparison((time, identity), ">", self._last, inclusive=False))
        where = both(conditions)
        columns = [
            f"t.{schema.column(group.table, name)}" if schema.has(group.table, name) else "NULL"
            for name in (group.time, "ID_", group.key, *group.columns)
        ]
        sql = (
            f"SELECT {', '.join(columns)} FROM {schema.quoted(group.table)} AS t WHERE {where.sql}"
            f" ORDER BY {time}, {identity} LIMIT {PAGE}"
        )
        return sql, where.parameters

    def _page(self) -> list[Row]:
        found = self._schema.database.query(*self.statement())
        self.looked_at += len(found)
        self.exhausted = len(found) < PAGE
        if found:
            self._last = (found[-1][0], found[-1][1])
        names = (self._group.key, *self._group.columns)
        return [dict(zip(names, row[2:], strict=True)) for row in found]
