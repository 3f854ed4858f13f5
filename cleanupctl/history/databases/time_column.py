"""What is in a time column, looked at with a few probes of its index, or in samples where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.cutoff import SET_FROM, read_value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.history.databases.catalogue import Column, Table
    from cleanupctl.history.databases.cutoff import Cutoff
    from cleanupctl.history.databases.database import Database

SAMPLE_ROWS = 1_000
"""Rows that are looked at from each end of a table where no index leads with the time."""
COUNTED_ROWS = 10_000
"""Rows that are counted at most, for a message."""
NEWEST_ROWS = 20
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """A time column of a table, and how the policy reads it at one moment (aware)."""

    database: Database
    table: Table
    column: Column
    time_format: str | None
    zone: ZoneInfo
    now: datetime

    @property
    def counts(self) -> bool:
        """Whether it has numbers that count a unit of time."""
        return self.time_format not in (None, "timestamp")

    @property
    def wall(self) -> bool:
        """Whether it has the wall clock of a zone; texts in SQLite may, and may say their offset."""
        return self.column.kind in ("wall", "text") and not self.counts

    def read(self, value: Any) -> datetime | None:
        """Return a raw value as an instant (aware); None for what is no time."""
        return read_value(value, self.column.kind, self.zone, self.time_format)

    def newest(self, until: Cutoff) -> list[datetime]:
        """Return some of the times that are set and not after a cutoff, newest first."""
        within = self.database.expired(self.column, until, self.table, self.time_format)
        found = map(self.read, self._values(within.wide or within, NEWEST_ROWS))
        times = (time for time in found if time is not None and SET_FROM <= time <= until.instant)
        return sorted(times, reverse=True)[:NEWEST_ROWS]

    def latest_unset(self) -> Any:
        """Return the largest raw value that means no time was set; None when there is none."""
        found = self._values(self.unset(), 1)
        return found[0] if found else None

    def unset_rows(self) -> int:
        """Return how many rows have such a value, counted up to a bound; without an index in a sample."""
        return len(self._values(self.unset(), COUNTED_ROWS))

    def largest_number(self) -> float | None:
        """Return the largest number; None when there is none."""
        return max(self._numbers("<=", _LARGEST), default=None)

    def smallest_number(self, above: float) -> float | None:
        """Return the smallest number above another one; None when there is none."""
        return min(self._numbers(">", above, oldest=True), default=None)

    def unreadable(self, rows: int = SAMPLE_ROWS) -> tuple[int, str | None]:
        """Return how many of the rows at both ends of the table have no time that can be read, and one."""
        condition = self.database.unreadable(self.column)
        if condition is None:
            return 0, None
        found = [value for source in self._ends(rows) for value in self._of(source, condition, 2 * rows)]
        return len(found), str(found[0]) if found else None

    def unset(self) -> Condition:
        """Return the condition that no time was set. Raise HistoryError when the column is unfit."""
        return self.database.unset(self.column, self.table, self.time_format)

    def _numbers(self, operator: str, bound: float, *, oldest: bool = False) -> list[float]:
        condition = Condition(f"t.{self._name} {operator} %s", (bound,))
        values = self._values(condition, 1, oldest=oldest)
        return [value for value in values if isinstance(value, int | float)]

    def _values(self, condition: Condition, limit: int, *, oldest: bool = False) -> list[Any]:
        """Return the largest values, or the smallest, that meet a condition."""
        indexed = self.column.name in self.table.indexed
        sources = [self.database.rows_of(self.table)] if indexed else self._ends(SAMPLE_ROWS)
        order = f" ORDER BY t.{self._name}{'' if oldest else ' DESC'}"
        return [value for source in sources for value in self._of(source, condition, limit, order)]

    def _of(self, source: str, condition: Condition, limit: int, order: str = "") -> list[Any]:
        sql = f"SELECT t.{self._name} FROM {source} WHERE {condition.sql}{order} LIMIT {int(limit)}"
        return [row[0] for row in self.database.query(sql, condition.parameters)]

    def _ends(self, rows: int) -> Iterator[str]:
        """Return the last and the first rows along the key, as tables; some rows where there is no key."""
        start = f"(SELECT t.{self._name} FROM {self.database.rows_of(self.table)}"
        key = self.database.key_columns(self.table)
        if not key:
            yield f"{start} LIMIT {int(rows)}) AS t"
            return
        for direction in (" DESC", ""):
            order = ", ".join(f"{column}{direction}" for column in key)
            yield f"{start} ORDER BY {order} LIMIT {int(rows)}) AS t"

    @property
    def _name(self) -> str:
        return self.database.quote(self.column.name)
