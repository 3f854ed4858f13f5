"""What the databases being cleaned have in common: the interface that every server implements."""

from __future__ import annotations

import time as clock
from abc import abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.history.databases.along import GoingAlong
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.dependents import Along, dependents
from cleanupctl.history.databases.statements import Check, Delete

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.costs import TypicalCosts
    from cleanupctl.history.databases.scan import Scan
    from cleanupctl.history.databases.shared_scan import SharedScan
    from cleanupctl.history.databases.statements import Statement
    from cleanupctl.history.databases.target import Target

DENSE_SHARE = 0.15
"""From this share of expired rows on, scanning the table in storage order beats its time index."""

IDLE_SECONDS = 120
"""Servers end a session that has been idle for so long: its process has ended or is suspended. What it has
claimed is free again. Without that a server may wait for hours for a host that lost its power."""
IDLE_IN_TRANSACTION_SECONDS = 10
"""Likewise a transaction that is not continued, whose rows are locked for live traffic."""
KEEP_ALIVE_SECONDS = 30

COUNT_BOUND = 100_000
"""Bounded counts stop here: enough to decide and to report, cheap on any table."""


class BeforeDelete(Protocol):
    """A step between choosing rows and deleting them, inside the transaction that deletes."""

    reads: bool
    """Whether `before` needs to know exactly which rows are deleted: they are chosen and locked first."""

    def narrow(self, database: Database, delete: Delete) -> Delete:
        """Return the same for fewer rows (`Delete.narrowed`) when some of them have to stay.

        Where several tables belong together, a row of the top that stays keeps everything that belongs to
        it: narrow what deletes the tops, not what deletes their rows in other tables.
        """

    def before(self, database: Database, delete: Delete) -> None:
        """Look at what is deleted next: the rows that meet `delete.selected`.

        May read them with `database.query`; a step that `reads` finds exactly those that are deleted. Raise
        HistoryError to have nothing of the transaction done.
        """


@dataclass(frozen=True, slots=True)
class Claimant:
    """Another session that has claimed a table."""

    who: str
    ours: bool
    """Whether it is of the same login and the same program: it works on the table, and will give it back."""
    end: str
    """The statement that ends it."""


class Database(GoingAlong):
    """A connection to one history; belongs to one thread."""

    writing_turn: ClassVar[float | None] = None
    """Seconds of writing after which others get a turn, where only one connection at a time can write."""
    typical_costs: ClassVar[TypicalCosts]
    pipelined: ClassVar[int] = 1
    """Statements of a transaction that are sent without waiting for the first one's end."""
    plans_each_look_up: ClassVar[bool] = False
    """Whether its planner weighs every look-up of a condition for each statement, also those never made."""
    passes_over_locked: bool = False
    """Whether rows that other transactions hold can be passed over (`Delete.skip_locked`)."""
    steps: tuple[BeforeDelete, ...] = ()
    """What every Delete passes before it is executed."""
    start_rows: ClassVar[int] = 2_000
    """Rows that the first batch of a table looks at: safe on any hardware."""
    transaction_rows: int | None = None
    """Rows that a transaction of this database should delete at most, whatever the configuration says."""
    _alive_at = 0.0
    _along = Along()

    def most_rows(self, configured: int) -> int:
        """Return how many rows a transaction may delete here."""
        return configured if self.transaction_rows is None else min(configured, self.transaction_rows)

    def keep_alive(self) -> None:
        """Send a statement now and then while a worker waits: servers end idle sessions."""
        now = clock.monotonic()
        if now >= self._alive_at + KEEP_ALIVE_SECONDS:
            self._alive_at = now
            self.query("SELECT 1")

    @abstractmethod
    def close(self) -> None:
        """Disconnect; never raises."""

    def find_table(self, name: str, schema: str | None = None) -> Table | None:
        """Return a table with rows by its exact name, or else without regard to case, or None.

        Raise HistoryError for what is called so and has no rows of its own.
        """
        found = self.find_tables((name,), schema).get(name)
        if found is not None and found.refusal is not None:
            raise HistoryError(f"{found.name} {found.refusal}")
        return found

    @abstractmethod
    def find_tables(self, names: Sequence[str], schema: str | None = None) -> dict[str, Table]:
        """Return several tables by the names asked for; those that do not exist are left out.

        What can only be read has a `refusal`.
        """

    @abstractmethod
    def scan(self, target: Target) -> Scan:
        """Return a scan by the access path that suits the target, from the statistics."""

    @abstractmethod
    def join(self, shared: SharedScan[Any]) -> Scan:
        """Take part in another worker's scan of a table."""

    @abstractmethod
    def estimate(self, target: Target) -> int | None:
        """Return the expired rows by the planner's statistics; None without such."""

    @abstractmethod
    def translate(self, error: Exception) -> Exception:
        """Return a driver's error as one of ours, without secrets; any other error as it is."""

    def transact(self, statements: Sequence[Statement], most_rows: int) -> list[int] | None:
        """Execute statements in one transaction; return how many rows each deleted or changed.

        None, and nothing done, when that would be more than `most_rows` rows. Raise HistoryError;
        ChangedError when a statement did not find as many rows as it had to.
        """
        rows: list[int] = []
        along = Along()

        def work() -> bool:
            for start in range(0, len(statements), self.pipelined):
                left = most_rows - sum(rows) - along.total
                some = [self._prepared(one, left) for one in statements[start : start + self.pipelined]]
                some = [self._looked_along(one, left, along) for one in some]
                if along.total > left and self._several(some):
                    return False
                rows.extend(self._execute(some, left))
                if sum(rows) + along.total > most_rows and not (along.total and sum(rows) == 1):
                    return False
            return True

        for one in statements:
            if isinstance(one, Delete):
                self.require_deletable(one.table)
        with self.translated():
            if not self._in_transaction(work):
                return None
        if along.total:
            self._along = self._along.plus(along)
        return rows

    def take_along(self) -> Along:
        """Return the rows of other tables that went along since this was asked last."""
        along, self._along = self._along, Along()
        return along

    def _looked_along(self, statement: Statement, most_rows: int, along: Along) -> Statement:
        """Count what goes along with the rows of a Delete, up to one more than may be."""
        if not (isinstance(statement, Delete) and dependents(statement.table)):
            return statement
        delete = statement
        if delete.limit is not None:
            delete = self._chosen(delete, most_rows, self._passing_over(delete))
        found = self.count_along(delete.table, delete.selected, most_rows)
        if found.total > most_rows and not self._several([delete]):
            # One row with more than that has to go at once, or never.
            found = self.count_along(delete.table, delete.selected)
        along.add(found)
        return delete

    def _several(self, statements: Sequence[Statement]) -> bool:
        """Return whether statements delete more than one row of the tables that they name."""
        rows = 0
        for one in statements:
            if isinstance(one, Delete):
                rows += self.bounded_count(one.table, one.selected, 2)
        return rows > 1

    def delete(self, delete: Delete, most_rows: int) -> int | None:
        """Delete in a transaction of its own; None, and nothing done, when that is more than `most_rows`."""
        rows = self.transact((delete,), most_rows)
        return None if rows is None else rows[0]

    def _prepared(self, statement: Statement, most_rows: int) -> Statement:
        """Let every step see what is going to be deleted."""
        if not (self.steps and isinstance(statement, Delete)):
            return statement
        delete = statement
        for step in self.steps:
            delete = step.narrow(self, delete)
        if any(step.reads for step in self.steps):
            delete = self._pinned(delete, most_rows)
        for step in self.steps:
            step.before(self, delete)
        return delete

    def _pinned(self, delete: Delete, most_rows: int) -> Delete:
        """Choose and lock the rows, one too many at most, so that steps see those that are deleted."""
        return self._chosen(delete, most_rows, self._lock_clause(delete))

    def _chosen(self, delete: Delete, most_rows: int, lock: str) -> Delete:
        """Choose the rows, one too many at most."""
        columns = self.address_of(delete.table)
        limit = most_rows + 1 if delete.limit is None else delete.limit
        sql, parameters = self._select(delete, ", ".join(self.address_values(delete.table)), limit)
        keys = self.query(sql + lock, parameters)
        within = self.keys_condition(columns, keys) if keys else Condition("1 = 0")
        return replace(delete, within=within, limit=None, skip_locked=False, along_key=False)

    def _select(self, delete: Delete, columns: str, limit: int | None) -> tuple[str, tuple[Any, ...]]:
        """Return the SELECT that finds the rows of a Delete."""
        rows = self.rows_of(delete.table, along_key=delete.along_key, only=delete.only)
        where = delete.selected
        end = "" if limit is None else f" LIMIT {int(limit)}"
        return f"SELECT {columns} FROM {rows} WHERE {where.sql}{end}", where.parameters

    def _lock_clause(self, delete: Delete) -> str:
        """Return what makes a SELECT lock the rows it finds."""
        del delete
        return " FOR UPDATE"

    def _passing_over(self, delete: Delete) -> str:
        """Return what makes a SELECT pass over rows that others hold, if that is asked for."""
        return self._lock_clause(delete) if delete.skip_locked else ""

    def written(self, statement: Statement) -> tuple[str, tuple[Any, ...]]:
        """Return a statement, apart from what a server does in several, as SQL with its bound values."""
        if isinstance(statement, Delete):
            return self._written_delete(statement)
        rows = self.rows_of(statement.table)
        if isinstance(statement, Check):
            end = "" if statement.exactly else " LIMIT 1"
            return f"SELECT 1 FROM {rows} WHERE {statement.where.sql}{end}", statement.where.parameters
        sets = ", ".join(f"{self.quote(one.column)} = {one.value.sql}" for one in statement.assignments)
        values = both([one.value for one in statement.assignments]).parameters
        sql = f"UPDATE {rows} SET {sets} WHERE {statement.where.sql}"
        return sql, (*values, *statement.where.parameters)

    @abstractmethod
    def _written_delete(self, delete: Delete) -> tuple[str, tuple[Any, ...]]:
        """Return a Delete as SQL with its bound values."""

    @abstractmethod
    def _execute(self, statements: Sequence[Statement], most_rows: int) -> Iterable[int]:
        """Execute statements in the open transaction and return the rows of each, without steps.

        What would delete more than `most_rows` rows may be left undone when a higher number is returned.
        """

    @abstractmethod
    def _in_transaction(self, work: Callable[[], bool]) -> bool:
        """Commit what `work` does, and undo it when that returns False or raises; return what it does."""

    def claim(self, table: Table, part: str = "") -> bool:
        """Claim a table, or a part of it, for this session; return False when another has it. Never waits."""
        del table, part
        return True

    def release(self, table: Table, part: str = "") -> None:
        """Give a claim back."""
        del table, part

    def claimant(self, table: Table, part: str = "") -> Claimant | None:
        """Return which other session has a claim; None when none has, or the server does not tell."""
        del table, part
        return None

    def layout_of(self, table: Table) -> object:
        """Return what changes when rows of a table get other positions; None where they never do."""
        del table
        return None

    def end_turn(self) -> None:
        """Do what can be done while others write, after `writing_turn` seconds; never raises."""

    def unchanged_guard(self) -> Condition | None:
        """Return what holds for a row `t` that no transaction changes which ends after this call.

        None where the server does not know.
        """
        return None

    def rehearse(self, table: Table) -> None:
        """Delete no row of a table in every way that a run may take, and undo it. Raise HistoryError.

        What the server, its settings or its publications forbid, they forbid for no row too.
        """
        none = Delete(table, Condition("1 = 0"))
        for leaf in self.leaves(table):
            delete = replace(none, table=leaf)
            for one in (delete, replace(delete, limit=1, skip_locked=True)):
                if one.limit is None or self._has_addresses(leaf):
                    self._rehearse(one)

    def _rehearse(self, delete: Delete) -> None:
        def work() -> bool:
            list(self._execute([delete], 1))
            return False

        with self.translated():
            self._in_transaction(work)

    def _has_addresses(self, table: Table) -> bool:
        """Return whether rows can be told apart, so that some of them can be chosen."""
        return bool(table.key)

    def leaves(self, table: Table) -> list[Table]:
        """Return the tables that hold the rows: a partitioned table's partitions, else itself."""
        return [table]

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise whatever the driver raises in the block as one of our errors."""
        try:
            yield
        except HistoryError:
            raise
        except Exception as error:
            if self.broken_off:
                raise HistoryUnreachableError(f"the session was broken off: {self.broken_off}") from error
            translated = self.translate(error)
            if translated is error:
                raise
            raise translated from error

    def any_left(self, target: Target) -> bool:
        """Return whether the target has any row left."""
        condition = target.deletable
        sql = f"SELECT 1 FROM {self.rows_of(target.table)} WHERE {condition.sql} LIMIT 1"
        return bool(self.query(sql, condition.parameters))

    def count(self, target: Target) -> tuple[int, Any]:
        """Return the exact number of the target's rows, and their oldest raw value, however long it takes."""
        condition = target.deletable
        sql = (
            f"SELECT count(*), min(t.{self.quote(target.time_column.name)})"
            f" FROM {self.rows_of(target.table)} WHERE {condition.sql}"
        )
        with self.unlimited():
            number, oldest = self.query(sql, condition.parameters)[0]
        return int(number), oldest

    def bounded_count(self, table: Table, condition: Condition, bound: int = COUNT_BOUND) -> int:
        """Return how many rows meet `condition`, counted up to `bound`."""
        rows = self.rows_of(table)
        inner = f"SELECT 1 FROM {rows} WHERE {condition.sql} LIMIT {int(bound)}"
        return int(self.query(f"SELECT count(*) FROM ({inner}) AS bounded", condition.parameters)[0][0])
