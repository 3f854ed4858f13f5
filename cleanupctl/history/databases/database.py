"""What the databases being cleaned have in common: catalogue, conditions, targets, and the interface."""

from __future__ import annotations

import time as clock
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from cleanupctl.core.errors import HistoryError
from cleanupctl.core.times import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from cleanupctl.history.databases.costs import TypicalCosts
    from cleanupctl.history.databases.shared_scan import Walk

DENSE_SHARE = 0.15
"""From this share of expired rows on, walking the table in storage order beats its time index."""

IDLE_SECONDS = 120
"""Servers end a session that has been idle for so long: its process is gone or suspended, and what it has
claimed is free again. Without that a server may wait for hours for a host that lost its power."""
IDLE_IN_TRANSACTION_SECONDS = 10
"""Likewise a transaction nobody goes on with, whose rows are locked for live traffic."""
KEEP_ALIVE_SECONDS = 30

COUNT_BOUND = 100_000
"""Bounded counts stop here: enough to decide and to report, cheap on any table."""


class LockConflictError(HistoryError):
    """Another transaction was in the way: lock time-out, deadlock or serialization failure."""


class StatementTimeoutError(LockConflictError):
    """A statement took too long: it would again, with as many rows."""


class ForeignKeyError(HistoryError):
    """A row of the batch is still referenced by another table."""


class ChangedError(HistoryError):
    """Something is not any more as it was when the batch was chosen."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the catalogue has it."""

    name: str
    kind: str
    """`wall` (date and time without zone), `instant`, `date`, `integer`, `text` or `other`."""
    declared: str


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A reference from another table that forbids deleting the referenced row."""

    table: str
    """Quoted name of the referencing table."""
    columns: tuple[str, ...]
    referenced: tuple[str, ...]
    action: str
    """What a delete does to the referencing row: `restrict`, `cascade` or `set`."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the catalogue has it; only such names ever reach a statement."""

    schema: str | None
    name: str
    columns: Mapping[str, Column]
    """By lower-case name."""
    key: tuple[str, ...]
    """Primary key columns in order; `rowid` for SQLite's rowid tables; empty when there is none."""
    indexed: frozenset[str] = frozenset()
    """Columns that are the first of some index."""
    references: tuple[ForeignKey, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)
    """What only the database's own code needs (object id, engine, …)."""

    def column(self, name: str) -> Column:
        """Return the column called `name`, case-insensitively. Raises HistoryError."""
        found = self.columns.get(name.lower())
        if found is None:
            known = ", ".join(column.name for column in self.columns.values())
            raise HistoryError(f"table {self.name} has no column {name}; it has {known}")
        return found


@dataclass(frozen=True, slots=True)
class Condition:
    """A part of a WHERE clause about the row called `t`, with its bound values."""

    sql: str
    parameters: tuple[Any, ...] = ()
    wide: Condition | None = None
    """A cheap one that holds wherever this one does, and that an index answers by itself."""


class Statement(NamedTuple):
    """SQL and its bound values."""

    sql: str
    parameters: Sequence[Any] = ()
    exactly: int | None = None
    """How many rows it has to find; with another number nothing of the transaction is done."""
    deletes: bool = True
    """Whether the rows that it finds are gone then; a SELECT only checks."""

    def deleted(self, found: int) -> int:
        """Say how many rows went when it found so many. Raises ChangedError when it had to find others."""
        if self.exactly is not None and found != self.exactly:
            raise ChangedError(f"{found} rows were found instead of {self.exactly}: they have changed")
        return found if self.deletes else 0


def both(conditions: Sequence[Condition]) -> Condition:
    """Join conditions with AND; those without a text are left out."""
    sql = " AND ".join(condition.sql for condition in conditions if condition.sql)
    return Condition(sql, tuple(value for condition in conditions for value in condition.parameters))


@dataclass(frozen=True, slots=True)
class Cutoff:
    """The moment up to which a time column has expired, in every form a column may hold it."""

    instant: datetime
    """Aware, UTC."""
    wall: datetime
    """Naive wall clock of the zone that wrote the history."""

    @property
    def day(self) -> date:
        """The first day that has not wholly passed."""
        return self.wall.date()


def cutoff(instant: datetime, zone: ZoneInfo) -> Cutoff:
    """Express `instant` (aware) on the wall clock of `zone`, on the safe side.

    In the hour that comes twice in autumn a stored wall-clock time may mean either pass; during the
    first pass the boundary is put back by the change, so that no row of the second pass goes early.
    """
    local = instant.astimezone(zone)
    wall = local.replace(tzinfo=None)
    if local.fold == 0:
        repeated = (local.utcoffset() or timedelta()) - (local.replace(fold=1).utcoffset() or timedelta())
        wall -= max(repeated, timedelta())
    return Cutoff(instant, wall)


@dataclass(frozen=True, slots=True)
class Target:
    """The rows of one table that may go: those whose time column is not after the cutoff."""

    table: Table
    time_column: Column
    condition: Condition
    """Which rows have expired; every statement that deletes repeats it."""
    guards: tuple[Condition, ...] = ()
    """Which of these must stay all the same (each condition holds for rows that may go)."""
    time_format: str | None = None
    """What the numbers of an integer column count, as configured."""

    @property
    def label(self) -> str:
        """The table's name as the operator knows it."""
        return self.table.name

    @property
    def indexed(self) -> bool:
        """Whether an index leads with the time column."""
        return self.time_column.name in self.table.indexed

    @property
    def deletable(self) -> Condition:
        """Expired, and kept by no guard."""
        return both((self.condition, *self.guards))


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction did."""

    rows: int
    done: bool = False
    overflow: bool = False
    """The transaction would have deleted more than allowed and was rolled back."""
    idle: bool = False
    """There was nothing to take: other workers have the rest."""
    looked_at: int | None = None
    """Units that it looked at, where those can be fewer than it was asked for."""


class Deletion(Protocol):
    """One pass over a target, in batches."""

    way: str
    """`index` or `sweep`."""
    start_units: int
    most_units: int
    walk: Walk[Any] | None
    """What other workers can take part in; None when only one can work on the target."""

    def run(self, units: int, most_rows: int) -> Batch:
        """Look at `units` (rows or blocks), delete at most `most_rows` of them, and commit."""

    def leave(self) -> None:
        """Give back what was taken of the walk and not finished."""


class Database(ABC):
    """A connection to one history; belongs to one thread."""

    alias_keyword: ClassVar[str] = "AS t"
    writing_turn: ClassVar[float | None] = None
    """Seconds of writing after which others get a turn, where only one connection at a time can write."""
    typical_costs: ClassVar[TypicalCosts]
    index_option: ClassVar[str] = ""
    """What lets an index be created without keeping writers out, where that has to be said."""
    transaction_rows: int | None = None
    """Rows that a transaction of this database should delete at most, whatever the configuration says."""
    _alive_at = 0.0

    def most_rows(self, configured: int) -> int:
        """Return how many rows a transaction may delete here."""
        return configured if self.transaction_rows is None else min(configured, self.transaction_rows)

    def keep_alive(self) -> None:
        """Give the server a sign of life now and then, wherever a worker waits. Raises HistoryError."""
        now = clock.monotonic()
        if now >= self._alive_at + KEEP_ALIVE_SECONDS:
            self._alive_at = now
            self.query("SELECT 1")

    @abstractmethod
    def close(self) -> None:
        """Disconnect; never raises."""

    @abstractmethod
    def find_table(self, name: str, schema: str | None = None) -> Table | None:
        """Look a table up in the catalogue; exact name first, then without regard to case."""

    def find_tables(self, names: Sequence[str], schema: str | None = None) -> dict[str, Table]:
        """Look several tables up; those that are not there are left out."""
        found = {name: self.find_table(name, schema) for name in names}
        return {name: table for name, table in found.items() if table is not None}

    @abstractmethod
    def quote(self, name: str) -> str:
        """Quote an identifier that came from the catalogue, safe inside a statement."""

    @abstractmethod
    def qualified(self, table: Table) -> str:
        """Quoted name of a table, with its schema."""

    @abstractmethod
    def expired(self, column: Column, cutoff: Cutoff, table: Table, time_format: str | None) -> Condition:
        """Say that `column` is not after `cutoff`. Raises HistoryError for an unfit column."""

    @abstractmethod
    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement outside a transaction and return its rows; errors are translated."""

    @abstractmethod
    def deletion(self, target: Target) -> Deletion:
        """Choose how to find the target's rows, from the statistics."""

    @abstractmethod
    def joined(self, walk: Walk[Any]) -> Deletion:
        """Take part in another worker's walk through a table."""

    @abstractmethod
    def estimate(self, target: Target) -> int | None:
        """Expired rows by the planner's statistics; None when there are none."""

    @abstractmethod
    def translate(self, error: Exception) -> Exception:
        """Turn a driver's error into ours, without secrets."""

    def delete_all(self, statements: Sequence[Statement], most_rows: int) -> list[int] | None:
        """Run DELETEs, and SELECTs that check, in one transaction and return the rows of each.

        None, and nothing done, when more than `most_rows` rows went. Raises HistoryError; ChangedError when
        a statement did not find as many rows as it had to.
        """
        del statements, most_rows
        raise HistoryError("deleting by instances needs PostgreSQL, MySQL or MariaDB")

    def any_of(self, expression: str, values: Sequence[str]) -> Condition:
        """Say that an expression is one of the values, of which there must be at least one."""
        return Condition(f"{expression} IN ({', '.join(['%s'] * len(values))})", tuple(values))

    def claim(self, table: Table, part: str = "") -> bool:
        """Try to be the only worker on a table, or on a part of it; False when another is. Never waits."""
        del table, part
        return True

    def release(self, table: Table, part: str = "") -> None:
        """Give a claim back."""
        del table, part

    def end_turn(self) -> None:  # noqa: B027 most databases have nothing to do
        """Do what can be done while others write, after `writing_turn` seconds; never raises."""

    def leaves(self, table: Table) -> list[Table]:
        """Tables that really hold the rows: a partitioned table's partitions, else itself."""
        return [table]

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Run driver calls; whatever the driver raises is raised as one of our errors."""
        try:
            yield
        except HistoryError:
            raise
        except Exception as error:
            translated = self.translate(error)
            if translated is error:
                raise
            raise translated from error

    def references_guard(self, table: Table) -> tuple[Condition, ...]:
        """Conditions that keep rows which a foreign key of another table still points at."""
        guards = []
        for reference in table.references:
            if reference.action != "restrict":
                continue
            match = " AND ".join(
                f"r.{self.quote(column)} = t.{self.quote(referenced)}"
                for column, referenced in zip(reference.columns, reference.referenced, strict=True)
            )
            guards.append(Condition(f"NOT EXISTS (SELECT 1 FROM {reference.table} AS r WHERE {match})"))
        return tuple(guards)

    def index_statement(self, table: Table, column: Column) -> str:
        """Write the statement that creates the index a table lacks, for the operator to run."""
        name = self.quote(f"{table.name}_{column.name}_idx".lower())
        place = f"{self.qualified(table)} ({self.quote(column.name)})"
        # Percent signs are doubled for the driver, which does not see this.
        return f"CREATE INDEX {self.index_option}{name} ON {place}".replace("%%", "%")

    def any_left(self, target: Target) -> bool:
        """Whether any row of the target is still there."""
        condition = target.deletable
        sql = (
            f"SELECT 1 FROM {self.qualified(target.table)} {self.alias_keyword} WHERE {condition.sql} LIMIT 1"
        )
        return bool(self.query(sql, condition.parameters))

    def count(self, target: Target) -> tuple[int, Any]:
        """Count the target's rows exactly; returns the number and the oldest raw value."""
        condition = target.deletable
        sql = (
            f"SELECT count(*), min(t.{self.quote(target.time_column.name)})"
            f" FROM {self.qualified(target.table)} {self.alias_keyword} WHERE {condition.sql}"
        )
        number, oldest = self.query(sql, condition.parameters)[0]
        return int(number), oldest

    def bounded_count(self, table: Table, condition: Condition, bound: int = COUNT_BOUND) -> int:
        """Count rows that meet `condition`, giving up at `bound`."""
        rows = f"{self.qualified(table)} {self.alias_keyword}"
        inner = f"SELECT 1 FROM {rows} WHERE {condition.sql} LIMIT {int(bound)}"
        return int(self.query(f"SELECT count(*) FROM ({inner}) AS bounded", condition.parameters)[0][0])


def epoch(instant: datetime, time_format: str | None, column: Column, table: Table) -> int:
    """Express an instant as the integer a column holds. Raises HistoryError when the unit is unknown."""
    if time_format == "seconds":
        return int(instant.timestamp())
    if time_format == "milliseconds":
        return int(instant.timestamp() * 1000)
    raise HistoryError(
        f"column {column.name} of table {table.name} is a number: say what it counts with"
        ' time_format = "seconds" or time_format = "milliseconds"'
    )


def unfit_column(column: Column, table: Table) -> HistoryError:
    """Say that a column cannot tell how old a row is."""
    return HistoryError(
        f"column {column.name} of table {table.name} is of type {column.declared}, which is not a time:"
        " name a column with a date, a timestamp or an epoch number as time_column"
    )


def as_instant(value: Any, target: Target, zone: ZoneInfo, time_format: str | None) -> datetime | None:
    """Read a time column's raw value as an aware instant; None for what is no time."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return value.astimezone(UTC)
        # MySQL's driver hands instants over without a zone; the session's is UTC.
        return value.replace(tzinfo=UTC) if target.time_column.kind == "instant" else resolve(value, zone)
    if isinstance(value, date):
        return resolve(datetime.combine(value, time()), zone)
    if isinstance(value, int | float):
        seconds = value / 1000 if time_format == "milliseconds" else value
        return datetime.fromtimestamp(seconds, UTC)
    return None
