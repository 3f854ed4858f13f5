"""Setting values of rows, under the same limits as deleting rows: in batches sized by time."""

from __future__ import annotations

from collections import Counter, deque
from itertools import groupby
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from cleanupctl.core.run.cleaning import Expired
from cleanupctl.history.cleaning.tasks import Task
from cleanupctl.history.databases.errors import StatementTimeoutError
from cleanupctl.history.databases.scan import Batch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cleanupctl.history.cleaning.workers import Worker
    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.shared_scan import SharedScan
    from cleanupctl.history.databases.statements import Update

START_ROWS, MOST_ROWS = 500, 10_000
MOST_IN_STATEMENT = 500
"""Rows changed by one statement."""


class RowChange(NamedTuple):
    """A row, and the value that it is to have."""

    table: str
    """Name in the set of tables."""
    id: str
    value: Any


class Changes(Protocol):
    """Finds rows whose values are not as they should be."""

    def read(self) -> list[RowChange] | None:
        """Return the next rows in the order in which they have to be changed; None when there are no more."""

    def read_less(self) -> None:
        """Look at less at a time from now on, and again at what could not be read: it took too long."""

    def update(self, table: str, changes: Sequence[RowChange]) -> Update:
        """Return what changes rows of one table."""


class ChangeTask(Task):
    """Rows of one or several tables whose values are to be set."""

    changes_values = True

    def __init__(self, table: Table, part: str, changes: Changes) -> None:
        """Prepare; `table` is what is claimed, in a part of its own."""
        self.table = table
        self.part = part
        self.label = f"{table.name} ({part})"
        self.changes = changes

    def begin(self, database: Database) -> ChangeScan:
        """Start with the first row."""
        return ChangeScan(database, self.changes)

    def preview(self, worker: Worker) -> Iterator[Expired]:
        """Count the rows that would be changed."""
        rows: Counter[str] = Counter()
        while (found := self.changes.read()) is not None:
            for table, of_table in groupby(found, key=lambda change: change.table):
                some = list(of_table)
                rows[self.changes.update(table, some).table.name] += len(some)
        yield from (Expired(worker.history, name, number, None) for name, number in rows.items())


class ChangeScan:
    """Changes rows in the order in which they are read; a batch is some of them."""

    access_path = "changes"
    start_units = START_ROWS
    most_units = MOST_ROWS
    shared: SharedScan[Any] | None = None

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes
        self._pending: deque[RowChange] = deque()

    def run(self, units: int, most_rows: int) -> Batch:
        """Change the next `units` rows."""
        if not self._pending:
            try:
                found = self._changes.read()
            except StatementTimeoutError:
                self._changes.read_less()
                raise
            if not found:
                return Batch(0, done=found is None, idle=True)
            self._pending.extend(found)
        started = perf_counter()
        number = min(units, most_rows, len(self._pending))
        updates = list(self._updates([self._pending[place] for place in range(number)]))
        rows = self._database.transact(updates, most_rows)
        if rows is None:
            return Batch(0, overflow=True, taken=number)
        for _ in range(number):
            self._pending.popleft()
        changed: Counter[str] = Counter()
        for update, found_rows in zip(updates, rows, strict=True):
            changed[update.table.name] += found_rows
        parts = tuple((name, one) for name, one in changed.items() if one)
        return Batch(sum(rows), taken=number, seconds=perf_counter() - started, parts=parts)

    def release(self) -> None:
        """Nothing is shared with other workers."""

    def _updates(self, changes: Sequence[RowChange]) -> Iterator[Update]:
        for table, of_table in groupby(changes, key=lambda change: change.table):
            some = list(of_table)
            for start in range(0, len(some), MOST_IN_STATEMENT):
                yield self._changes.update(table, some[start : start + MOST_IN_STATEMENT])
