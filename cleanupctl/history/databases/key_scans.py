"""Deleting along a key or along the time index, for databases that store rows in key order."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.database import DENSE_SHARE, Database
from cleanupctl.history.databases.errors import LockConflictError, StatementTimeoutError
from cleanupctl.history.databases.scan import Batch
from cleanupctl.history.databases.shared_scan import Chunk, SharedScan
from cleanupctl.history.databases.some_rows import delete_unlocked
from cleanupctl.history.databases.statements import delete_within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.scan import Scan
    from cleanupctl.history.databases.target import Target

MOST_ROWS_LOOKED_AT = 100_000
"""A scan may look at this many rows in one transaction while it finds few to delete."""

MOST_KEYS = 2_000
"""Rows are deleted by lists of at most this many keys."""


class KeysetDatabase(Database):
    """What MySQL, MariaDB and SQLite share."""

    @abstractmethod
    def share(self, target: Target) -> float:
        """Return which share of the table has expired (0 to 1), by guess."""

    def key_has_ranges(self, table: Table) -> bool:
        """Whether an index finds the rows between two keys."""
        return bool(table.key)

    def scan(self, target: Target) -> Scan:
        """Scan the primary key when much has expired or nothing else is possible, else the time index."""
        if target.indexed and (not self.key_has_ranges(target.table) or self.share(target) < DENSE_SHARE):
            return TimeIndexScan(self, target)
        if target.table.key:
            return PrimaryKeyScan(self, SharedScan(target, None))
        raise HistoryError(
            f"table {target.label} has neither a primary key nor an index on {target.time_column.name}:"
            " every batch would read the whole table; create one of them first"
        )

    def join(self, shared: SharedScan[Any]) -> Scan:
        """Take part in another worker's scan of the primary key."""
        return PrimaryKeyScan(self, shared)


Key = tuple[Any, ...] | None
"""Key of a row; None is before the first row as a start, and after the last one as an end."""


class PrimaryKeyScan:
    """Scans the table once along its primary key, the order in which the rows lie."""

    access_path = "sweep"
    most_units = MOST_ROWS_LOOKED_AT

    def __init__(self, database: Database, shared: SharedScan[Key]) -> None:
        self.shared: SharedScan[Key] | None = shared
        self.start_units = database.start_rows
        self._shared = shared
        self._database = database
        self._target = shared.target
        self._chunk: Chunk[Key] | None = None
        self._moves = 0
        self._size = 0

    def run(self, units: int, most_rows: int) -> Batch:
        """Look at the next `units` rows of the key."""
        if self._chunk is None:
            self._chunk = self._shared.take(partial(self._cut, units))
            self._size = units
        chunk = self._chunk
        if chunk is None:
            return Batch(0, done=True, idle=True)
        end = chunk.end
        if units < self._size:
            smaller = self._boundary(units, chunk)
            end = end if smaller is None else smaller
        delete = delete_within(self._target, self._between(Chunk(chunk.start, end)), along_key=True)
        try:
            rows = self._database.delete(delete, most_rows)
        except StatementTimeoutError as error:
            if end is None:
                # Fewer rows are left than were asked for: half of what was asked may be all of them again.
                error.units = self._left(units, chunk)
            raise
        except LockConflictError as error:
            rows, more = delete_unlocked(self._database, delete, most_rows, error)
            if more:
                return Batch(rows)
            self._shared.postpone(replace(chunk, end=end))
        if rows is None:
            return Batch(0, overflow=True)
        self._moves += 1
        if end == chunk.end:
            self._shared.complete()
            self._chunk = None
        else:
            self._chunk = replace(chunk, start=end)
        return Batch(rows, done=self._chunk is None and self._shared.spent)

    @property
    def position(self) -> object:
        """Where the pass is."""
        return self._moves

    def release(self) -> None:
        """Return the chunk that was taken and not finished, for other workers."""
        if self._chunk is not None:
            self._shared.complete(self._chunk)
            self._chunk = None

    def _cut(self, units: int, start: Key) -> tuple[Key, bool]:
        end = self._boundary(units, Chunk(start, None))
        return end, end is None

    def _boundary(self, units: int, chunk: Chunk[Key]) -> Key:
        """Return the key of the last of the first `units` rows of a chunk; None when it has fewer."""
        database = self._database
        keys = ", ".join(database.key_columns(self._target.table))
        values = ", ".join(database.key_values(self._target.table))
        inside = self._between(chunk)
        where = f" WHERE {inside.sql}" if inside.sql else ""
        rows = database.rows_of(self._target.table, along_key=True)
        found = database.query(
            f"SELECT {values} FROM {rows}{where} ORDER BY {keys} LIMIT 1 OFFSET {units - 1}",
            inside.parameters,
        )
        return found[0] if found else None

    def _left(self, units: int, chunk: Chunk[Key]) -> int:
        """Count the rows of a chunk, up to `units`."""
        inside = self._between(chunk)
        where = inside if inside.sql else Condition("1 = 1")
        return max(1, self._database.bounded_count(self._target.table, where, units))

    def _between(self, chunk: Chunk[Key]) -> Condition:
        parts = []
        if chunk.start is not None:
            parts.append(self._compare(">", chunk.start))
        if chunk.end is not None:
            parts.append(self._compare("<", chunk.end, inclusive=True))
        return both(parts)

    def _compare(self, operator: str, values: tuple[Any, ...], *, inclusive: bool = False) -> Condition:
        names = self._database.key_columns(self._target.table)
        return row_comparison(names, operator, values, inclusive=inclusive)


class TimeIndexScan:
    """Scans the time index from the oldest row on, with a lower bound that moves along.

    The bound keeps each batch from reading again the entries of rows that are already deleted.
    """

    access_path = "index"
    shared: SharedScan[Any] | None = None

    def __init__(self, database: KeysetDatabase, target: Target) -> None:
        self._database = database
        self._target = target
        self._lower: Condition | None = None
        self._reached: Any = None
        self._column = f"t.{database.quote(target.time_column.name)}"
        self.start_units = database.start_rows
        self.most_units = MOST_ROWS_LOOKED_AT

    def run(self, units: int, most_rows: int) -> Batch:
        """Delete the next `units` expired rows, oldest first."""
        units = min(units, most_rows)
        boundary = self._boundary(units)
        if boundary is not None and boundary == self._first(boundary):
            if not self._target.table.key:
                return self._whole_time(boundary, most_rows)
            return self._same_time(boundary, units)
        upper = [self._condition("<", boundary)] if boundary is not None else []
        where = both([*self._from_lower(), *upper])
        delete = delete_within(self._target, where)
        passed_over = False
        try:
            rows = self._database.delete(delete, most_rows)
        except StatementTimeoutError as error:
            error.units = units
            raise
        except LockConflictError as error:
            rows, more = delete_unlocked(self._database, delete, most_rows, error)
            if more:
                return Batch(rows)
            passed_over = True
        if rows is None:
            return Batch(0, overflow=True)
        if boundary is not None:
            self._move(">=", boundary)
        return Batch(rows, done=boundary is None, passed_over=passed_over)

    @property
    def position(self) -> object:
        """Where the pass is."""
        return self._lower

    def release(self) -> None:
        """Nothing is shared with other workers."""

    def _boundary(self, units: int) -> Any:
        found = self._select(self._column, f"ORDER BY {self._column} LIMIT 1 OFFSET {units}")
        return found[0][0] if found else None

    def _first(self, boundary: Any) -> Any:
        if self._reached is not None and self._reached == boundary:
            return self._reached
        found = self._select(self._column, f"ORDER BY {self._column} LIMIT 1")
        return found[0][0] if found else None

    def _same_time(self, moment: Any, units: int) -> Batch:
        """More rows than one batch share one time: take them by their keys."""
        database, target = self._database, self._target
        delete = delete_within(target, self._condition("=", moment))
        passed_over = False
        try:
            rows = database.delete(replace(delete, limit=units), units)
        except LockConflictError as error:
            rows, more = delete_unlocked(database, delete, units, error)
            passed_over = not more
        if rows is None:
            return Batch(0, overflow=True)
        # What is left of that time once there are fewer has to stay: to look at it again would never end.
        self._move(">=" if rows == units else ">", moment)
        return Batch(rows, passed_over=passed_over)

    def _whole_time(self, moment: Any, most_rows: int) -> Batch:
        """Delete all rows of one time, where no key tells them apart."""
        target = self._target
        rows = self._database.delete(delete_within(target, self._condition("=", moment)), most_rows)
        if rows is None:
            raise HistoryError(
                f"more than {most_rows} rows of table {target.label} have the same {target.time_column.name}"
                " and the table has no primary key to tell them apart; create one first"
            )
        self._move(">", moment)
        return Batch(rows)

    def _move(self, operator: str, moment: Any) -> None:
        """Leave behind what lies before `moment`, or with it."""
        self._lower = self._condition(operator, moment)
        self._reached = moment if operator == ">=" else None

    def _select(self, what: str, tail: str) -> list[tuple[Any, ...]]:
        target = self._target
        # Without the guards: they cost more to ask than the rows they keep back.
        whole = both([*self._from_lower(), target.condition.wide or target.condition])
        sql = f"SELECT {what} FROM {self._database.rows_of(target.table)} WHERE {whole.sql} {tail}"
        return self._database.query(sql, whole.parameters)

    def _from_lower(self) -> list[Condition]:
        return [] if self._lower is None else [self._lower]

    def _condition(self, operator: str, value: Any) -> Condition:
        return Condition(f"{self._column} {operator} %s", (value,))


def row_comparison(
    names: Sequence[str], operator: str, values: Sequence[Any], *, inclusive: bool
) -> Condition:
    """Compare a composite key with `values` so that an index on it can be used.

    `(a, b) > (x, y)` is written `a >= x AND (a > x OR (a = x AND b > y))`: MySQL turns only the
    latter into a range of the index.
    """
    last = f"{operator}=" if inclusive else operator
    if len(names) == 1:
        return Condition(f"{names[0]} {last} %s", (values[0],))
    rest = row_comparison(names[1:], operator, values[1:], inclusive=inclusive)
    sql = f"({names[0]} {operator}= %s AND ({names[0]} {operator} %s OR ({names[0]} = %s AND {rest.sql})))"
    return Condition(sql, (values[0], values[0], values[0], *rest.parameters))


def in_chunks(keys: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Split keys into lists of at most MOST_KEYS."""
    return (keys[start : start + MOST_KEYS] for start in range(0, len(keys), MOST_KEYS))
