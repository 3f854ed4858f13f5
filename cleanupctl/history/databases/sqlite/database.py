"""SQLite as a history's database: the file, its transactions, and times in whatever form they are stored."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.history.databases.catalogue import Column, Table, unfit_column
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.costs import TypicalCosts
from cleanupctl.history.databases.database import COUNT_BOUND, DENSE_SHARE
from cleanupctl.history.databases.errors import ForeignKeyError, LockConflictError
from cleanupctl.history.databases.key_scans import KeysetDatabase, TimeIndexScan
from cleanupctl.history.databases.sqlite import catalogue, times
from cleanupctl.history.databases.sqlite.checkpoints import Checkpoints
from cleanupctl.history.databases.sqlite.cursor import Connection
from cleanupctl.history.databases.sqlite.statistics import dense_rows, lies_in_order, reaches
from cleanupctl.history.databases.statements import Check, Delete, checked
from cleanupctl.history.databases.units import unit_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.core.urls import DatabaseUrl
    from cleanupctl.history.databases.cutoff import Cutoff
    from cleanupctl.history.databases.scan import Scan
    from cleanupctl.history.databases.statements import Statement
    from cleanupctl.history.databases.target import Target

BUSY_SECONDS = 5.0
CHECKPOINT_PAGES = 4_000
"""Four times the default: a page that several batches change is written back once."""
CACHE_KIBIBYTES = 32_768
"""The default of 2 MB makes a batch write the pages of a large index several times."""


def connect(url: DatabaseUrl) -> SQLite:
    """Open the file; a missing one is never created. Raise HistoryUnreachableError."""
    path = Path(url.database)
    try:
        missing = not path.is_file()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise HistoryUnreachableError(f"{url} is not reachable: {why.lower()}") from error
    if missing:
        raise HistoryUnreachableError(f"{url} is not reachable: there is no file {path}")
    uri = f"{path.absolute().as_uri()}?mode=rw"
    checkpoints = None
    try:
        connection = sqlite3.connect(
            uri, uri=True, isolation_level=None, timeout=BUSY_SECONDS, factory=Connection
        )
        # What its triggers, views and generated columns call could else do more than change this file.
        connection.execute("PRAGMA trusted_schema = OFF")
        # Foreign keys are off by default in SQLite: rows that others point at would be deleted all the same.
        connection.execute("PRAGMA foreign_keys = ON")
        # A batch is undone in parts from a copy of the pages: to write that to a file costs a quarter more.
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
        if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
            # Commits need not wait for the disk: the next run deletes again what a power failure brings back.
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            checkpoints = Checkpoints(uri)
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        raise HistoryUnreachableError(f"{url} is not reachable: {error}") from error
    return SQLite(url, connection, checkpoints)


class SQLite(KeysetDatabase):
    """One connection to the file; each batch is an IMMEDIATE transaction."""

    writing_turn = 0.125
    typical_costs = TypicalCosts(row=2, index=2, reference=2)

    def __init__(
        self, url: DatabaseUrl, connection: sqlite3.Connection, checkpoints: Checkpoints | None
    ) -> None:
        self._url = url
        self._connection = connection
        self._checkpoints = checkpoints

    def end_turn(self) -> None:
        """Have the log written back in the meantime; from then on no commit does that."""
        if self._checkpoints is None:
            return
        if not self._checkpoints.started:
            with suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_autocheckpoint = 0")
        self._checkpoints.advance()

    def break_off(self, why: str) -> None:
        """End the statement that is being executed, which another thread may do."""
        self.broken_off = self.broken_off or why
        with suppress(sqlite3.Error):
            self._connection.interrupt()

    def close(self) -> None:
        """Disconnect; never raises."""
        if self._checkpoints is not None:
            self._checkpoints.close()
        with suppress(sqlite3.Error):
            self._connection.close()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement, mostly outside a transaction, and return its rows."""
        with self.translated():
            return self._connection.execute(sql, tuple(parameters)).fetchall()

    def _in_transaction(self, work: Callable[[], bool]) -> bool:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            done = work()
            self._connection.execute("COMMIT" if done else "ROLLBACK")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise
        return done

    def _execute(self, statements: Sequence[Statement], most_rows: int) -> Iterator[int]:
        """Execute statements one after the other; yield the rows of each."""
        del most_rows
        for statement in statements:
            if isinstance(statement, Check):
                yield checked(statement, len(self.query(*self.written(statement))))
            else:
                one = self._cheapest(statement) if isinstance(statement, Delete) else statement
                yield checked(statement, self._send(*self.written(one)))

    def _send(self, sql: str, parameters: Sequence[Any]) -> int:
        """Send a statement of the open transaction; return how many rows it deleted or changed."""
        return self._connection.execute(sql, tuple(parameters)).rowcount

    def _cheapest(self, delete: Delete) -> Delete:
        """Leave the exact condition out where, under the lock, the cheap one finds the same rows.

        A DELETE that calls functions makes SQLite copy each page that it changes. So one look at the column
        is worth it: is there a row that the cheap condition takes and the exact one does not?
        """
        wide = delete.where.wide
        if wide is None or delete.guards or delete.limit is not None:
            return delete
        rows = self.rows_of(delete.table, along_key=delete.along_key)
        inexact = Condition(f"({delete.where.sql}) IS NOT TRUE", delete.where.parameters)
        doubtful = both((delete.within, wide, inexact))
        if self.query(f"SELECT 1 FROM {rows} WHERE {doubtful.sql} LIMIT 1", doubtful.parameters):
            return delete
        return replace(delete, where=wide)

    def _written_delete(self, delete: Delete) -> tuple[str, tuple[Any, ...]]:
        rows, where = self.rows_of(delete.table, along_key=delete.along_key), delete.selected
        if delete.limit is not None:
            select, parameters = self._select(delete, ", ".join(self.address_of(delete.table)), delete.limit)
            keys = ", ".join(self.quote(name) for name in delete.table.key)
            # In one statement, under the lock of the file: nothing can change after they are chosen.
            rows, where = self.rows_of(delete.table), Condition(f"({keys}) IN ({select})", parameters)
        return f"DELETE FROM {rows} WHERE {where.sql}", where.parameters

    def _lock_clause(self, delete: Delete) -> str:
        """Nothing: the transaction has the whole file."""
        del delete
        return ""

    def rows_of(self, table: Table, *, along_key: bool = False, only: bool = False) -> str:
        """Return the table with its alias; NOT INDEXED still allows the rowid."""
        del only
        hint = " NOT INDEXED" if along_key and table.detail["rowid"] else ""
        return f"{self.qualified(table)} AS t{hint}"

    def quote(self, name: str) -> str:
        """Return an identifier as it is written in a statement."""
        return '"' + name.replace('"', '""') + '"'

    def place(self, name: str, schema: str | None = None) -> str:
        """Return the quoted name of a table; attached databases are not looked at."""
        del schema
        return f"main.{self.quote(name)}"

    def _index_place(self, table: Table) -> str:
        # SQLite wants the schema before the index if anywhere.
        return self.quote(table.name)

    @property
    def login(self) -> str:
        """Name of the login, of which a file has none."""
        return "the user of the URL"

    def require_deletable(self, table: Table) -> None:
        """Raise HistoryError also for a table that foreign keys point at without a unique index."""
        super().require_deletable(table)
        if not table.references:
            return
        try:
            self.query(f"EXPLAIN DELETE FROM {self.qualified(table)}")
        except HistoryError as error:
            if "foreign key mismatch" not in error.message:
                raise
            raise HistoryError(
                f"SQLite deletes nothing from {table.name} while foreign keys point at columns that no unique"
                f" index has ({error.message.partition(': ')[2]}): {catalogue.unique_indexes(self, table)}"
            ) from error

    def find_tables(self, names: Sequence[str], schema: str | None = None) -> dict[str, Table]:
        """Return the tables of these names in the file."""
        return catalogue.find_tables(self, names, schema)

    def stored_value(self, instant: datetime, column: Column, zone: ZoneInfo) -> str:
        """Return an instant as a text column without offset holds it: the wall clock of the writer."""
        del column
        return instant.astimezone(zone).replace(tzinfo=None).isoformat(" ", "milliseconds")

    def expired(
        self, column: Column, cutoff: Cutoff, table: Table, time_format: str | None, *, unset: bool = False
    ) -> Condition:
        """Compare values by how they are stored: SQLite orders every number before every text.

        A value of another storage class than the column's usual one, or a text that is no date, never
        counts as expired.
        """
        name = f"t.{self.quote(column.name)}"
        match self._form(column, table, time_format):
            case "text":
                return times.expired_text(name, cutoff, unset=unset)
            case "number":
                return times.expired_number(name, cutoff, unit_of(time_format, column, table), unset=unset)
        return Condition("1 = 0")

    def unset(self, column: Column, table: Table, time_format: str | None) -> Condition:
        """Return the condition that `column` has a time, in its usual form, that means none was set."""
        name = f"t.{self.quote(column.name)}"
        match self._form(column, table, time_format):
            case "text":
                return times.unset_text(name)
            case "number":
                return times.unset_number(name, unit_of(time_format, column, table))
        return Condition("1 = 0")

    def not_zero(self, column: Column) -> Condition:
        """Return the condition likewise, by how each value is stored."""
        name = f"t.{self.quote(column.name)}"
        return Condition(f"CASE typeof({name}) WHEN 'text' THEN {name} >= '0001' ELSE {name} <> 0 END")

    def unreadable(self, column: Column) -> Condition:
        """Return the condition that `column` has a text that is no ISO 8601 time."""
        return times.unreadable_text(f"t.{self.quote(column.name)}")

    def _form(
        self, column: Column, table: Table, time_format: str | None
    ) -> Literal["text", "number"] | None:
        """Return how times are stored; None where there are none yet. Raise HistoryError."""
        if column.kind == "other":
            raise unfit_column(column, table)
        stored = self._stored_class(column, table)
        if stored is None:
            return None
        if stored == "text" and time_format in (None, "timestamp"):
            return "text"
        if stored == "integer":
            return "number"
        raise HistoryError(
            f"column {column.name} of table {table.name} holds values of type {stored}"
            f"{f', not {time_format}' if time_format else ''}: cleanupctl cannot tell how old its rows are"
        )

    def _stored_class(self, column: Column, table: Table) -> str | None:
        """Return what some rows from both ends of the table hold. Raise HistoryError when they disagree."""
        name, rows = self.quote(column.name), self.qualified(table)
        order = self.quote(table.key[0])
        ends = " UNION ".join(
            f"SELECT * FROM (SELECT typeof({name}) AS stored FROM {rows} WHERE {name} IS NOT NULL"
            f" ORDER BY {order} {direction} LIMIT 100)"
            for direction in ("ASC", "DESC")
        )
        found = {row[0].replace("real", "integer") for row in self.query(ends)}
        if len(found) > 1:
            raise HistoryError(
                f"column {column.name} of table {table.name} holds values of different types"
                f" ({', '.join(sorted(found))}): cleanupctl cannot tell how old its rows are"
            )
        return found.pop() if found else None

    def layout_of(self, table: Table) -> object:
        """Return the number that VACUUM raises, which numbers rows anew."""
        del table
        return self.query("PRAGMA schema_version")[0][0]

    def scan(self, target: Target) -> Scan:
        """Follow the time index also where much has expired, if the rows lie in its order."""
        if target.indexed and target.table.detail["rowid"] and lies_in_order(self, target):
            return TimeIndexScan(self, target)
        return super().scan(target)

    def estimate(self, target: Target) -> int | None:
        """Count along the index up to a bound; SQLite keeps no statistics of values by itself."""
        if not target.indexed:
            return None
        if reaches(self, target, COUNT_BOUND):
            return COUNT_BOUND
        return self.bounded_count(target.table, target.condition)

    def share(self, target: Target) -> float:
        """Return the share that has expired, from the span of row numbers: at least dense, or 0."""
        if not target.table.detail["rowid"]:
            return 1.0
        return DENSE_SHARE if reaches(self, target, dense_rows(self, target)) else 0.0

    def translate(self, error: Exception) -> Exception:
        """Sort the driver's errors into those to retry, to skip, and to report."""
        if not isinstance(error, sqlite3.Error):
            return error
        text = str(error)
        if isinstance(error, sqlite3.IntegrityError) and "FOREIGN KEY" in text:
            return ForeignKeyError(text)
        if isinstance(error, sqlite3.OperationalError) and ("locked" in text or "busy" in text):
            return LockConflictError(f"{self._url}: {text}")
        if isinstance(error, sqlite3.OperationalError) and "unable to open" in text:
            return HistoryUnreachableError(f"{self._url} is not reachable: {text}")
        return HistoryError(f"{self._url}: {text}")
