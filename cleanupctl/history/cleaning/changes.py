"""Setting values of rows, under the same limits as deleting rows: in batches sized by time."""

from __future__ import annotations

from collections import Counter, deque
from itertools import groupby, islice, takewhile
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from cleanupctl.core.run.cleaning import Expired
from cleanupctl.history.cleaning.tasks import Task
from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.errors import LockConflictError, StatementTimeoutError
from cleanupctl.history.databases.scan import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cleanupctl.history.cleaning.workers import Worker
    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.shared_scan import SharedScan
    from cleanupctl.history.databases.statements import Update

MOST_ROWS = 500
"""Rows changed by one statement, which is a transaction: it names them all."""


class RowChange(NamedTuple):
    """A row, and the value that it is to have."""

    table: str
    """Name in the set of tables."""
    id: str
    value: Any
    old: Any = None
    """What it had when it was read: what another session has written since then stays."""


class Changes(Protocol):
    """Finds rows whose values are not as they should be."""

    def read(self) -> list[RowChange] | None:
        """Return the next rows in the order in which they have to be changed; None when there are no more."""

    def read_less(self) -> None:
        """Look at less at a time from now on, and again at what could not be read: it took too long."""

    def update(self, table: str, changes: Sequence[RowChange]) -> Update:
        """Return what changes rows of one table, as long as they have their old values."""


class ChangeTask(Task):
    """Rows of one or several tables whose values are to be set."""

    changes_values = True

    def __init__(self, table: Table, part: str, changes: Changes) -> None:
        """Prepare; `table` is what is claimed, in a part of its own."""
        self.table = table
        self.part = part
        self.label = f"{table.name} ({part})"
        self.changes = changes

        self._passed_over = 0

    def begin(self, database: Database) -> ChangeScan:
        """Start with the first row."""
        return ChangeScan(database, self.changes, self._pass_over)

    def _pass_over(self, rows: int) -> None:
        self._passed_over += rows

    def notices(self) -> Iterator[str]:
        """Say how many rows another session has changed or deleted in the meantime."""
        if self._passed_over:
            yield (
                f"{self._passed_over} rows of {self.label} are as another session left them: they changed"
                " after they had been read; the same command looks at them again"
            )

    def preview(self, worker: Worker) -> Iterator[Expired]:
        """Count the rows that would be changed."""
        rows: Counter[str] = Counter()
        while (found := self.changes.read()) is not None:
            for table, of_table in groupby(found, key=lambda change: change.table):
                some = list(of_table)
                rows[self.changes.update(table, some).table.name] += len(some)
        yield from (Expired(worker.history, name, number, None) for name, number in rows.items())


class ChangeScan:
    """Changes rows in the order in which they are read; a batch is some of them, all of one table."""

    access_path = "changes"
    start_units = MOST_ROWS
    most_units = MOST_ROWS
    shared: SharedScan[Any] | None = None

    def __init__(
        self, database: Database, changes: Changes, pass_over: Callable[[int], None] = lambda rows: None
    ) -> None:
        self._database = database
        self._changes = changes
        self._pass_over = pass_over
        self._pending: deque[RowChange] = deque()
        self._reads = self._done = 0

    def run(self, units: int, most_rows: int) -> Batch:
        """Change the next `units` rows."""
        if not self._pending:
            try:
                found = self._changes.read()
            except StatementTimeoutError:
                self._changes.read_less()
                raise
            self._reads += 1
            if not found:
                return Batch(0, done=found is None, idle=True)
            self._pending.extend(found)
        some = self._next(min(units, most_rows))
        table = some[0].table
        update = self._changes.update(table, some)
        started = perf_counter()
        try:
            rows = self._database.transact((update,), most_rows)
        except LockConflictError as error:
            error.units = len(some)
            raise
        if rows is None:
            return Batch(0, overflow=True, taken=len(some))
        self._done += len(some)
        for _ in some:
            self._pending.popleft()
        self._pass_over(len(some) - rows[0])
        parts = ((update.table.name, rows[0]),)
        return Batch(rows[0], looked_at=len(some), seconds=perf_counter() - started, parts=parts)

    @property
    def position(self) -> object:
        """Where the pass is."""
        return self._reads, self._done

    def release(self) -> None:
        """Nothing is shared with other workers."""

    def _next(self, number: int) -> list[RowChange]:
        """Return the next rows, all of one table."""
        table = self._pending[0].table
        same = takewhile(lambda change: change.table == table, self._pending)
        return list(islice(same, number))


def unchanged(key: str, column: str, changes: Sequence[RowChange]) -> Condition:
    """Say that a column still has what it had when the rows were read; `key` and `column` are expressions."""
    old = [(one.id, one.old) for one in changes if one.old is not None]
    without = [one.id for one in changes if one.old is None]
    if not old:
        return Condition(f"{column} IS NULL")
    if len({value for _, value in old}) == 1:
        same = Condition(f"{column} = %s", (old[0][1],))
    else:
        pairs = ", ".join(["(%s, %s)"] * len(old))
        same = Condition(f"({key}, {column}) IN ({pairs})", tuple(part for pair in old for part in pair))
    if not without:
        return same
    places = ", ".join(["%s"] * len(without))
    # What had none must have none still; a value that it has got since may happen to be another row's.
    return Condition(
        f"(({column} IS NULL AND {key} IN ({places})) OR ({key} NOT IN ({places}) AND {same.sql}))",
        (*without, *without, *same.parameters),
    )
