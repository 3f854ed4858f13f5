"""What cleaning a history means to the executor: the interface, its limits and its events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime


class Limits(Protocol):
    """How far a cleaning may go; asked at every batch boundary, from any thread."""

    def stop_reason(self) -> str | None:
        """Why to stop now, or None to go on."""

    def reserve(self, rows: int) -> int:
        """Claim up to `rows` rows of what may still be deleted; 0 means the limit is reached."""

    def settle(self, reserved: int, deleted: int) -> None:
        """Give back what a batch reserved and did not delete."""

    def pause(self, seconds: float) -> None:
        """Wait outside any transaction; returns early when it is time to stop."""

    def remembered(self, history: str, table: str) -> int | None:
        """Return the size that a batch of this table must not pass since one ran into a time-out, if any."""

    def remember(self, history: str, table: str, units: int | None) -> None:
        """Keep that size for this run and the next ones; None forgets it."""


@dataclass(frozen=True, slots=True)
class TableStarted:
    """Work on a table begins; `estimate` is the number of expired rows by statistics, if known."""

    history: str
    table: str
    estimate: int | None
    access_path: str
    """How the rows are found, for people: `index`, `sweep`, …"""


@dataclass(frozen=True, slots=True)
class BatchCommitted:
    """One transaction has been committed."""

    history: str
    table: str
    rows: int
    seconds: float
    parts: tuple[tuple[str, int], ...] = ()
    """Tables and their rows, when it was about others than `table` too; together they are `rows`."""
    changed: tuple[tuple[str, int], ...] = ()
    """Tables and their rows that foreign keys changed along with deleted ones; no part of `rows`."""

    @property
    def by_table(self) -> tuple[tuple[str, int], ...]:
        """Tables and their rows."""
        return self.parts or ((self.table, self.rows),)


@dataclass(frozen=True, slots=True)
class BatchDeleted(BatchCommitted):
    """One transaction has deleted rows."""


@dataclass(frozen=True, slots=True)
class BatchChanged(BatchCommitted):
    """One transaction has set values of rows, and deleted none."""


@dataclass(frozen=True, slots=True)
class TableFinished:
    """Nothing is left to do in a table, apart from `skipped` rows that something still needs."""

    history: str
    table: str
    rows: int
    skipped: int = 0
    reason: str | None = None
    """Why rows were skipped."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something the operator should know that stops nothing."""

    history: str
    message: str


@dataclass(frozen=True, slots=True)
class Left(Noticed):
    """Rows that have expired, or may have, stay: others hold them, or they were not looked at."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A table, or the whole history when `table` is None, could not be cleaned; others go on."""

    history: str
    table: str | None
    error: Exception


@dataclass(frozen=True, slots=True)
class Stopped:
    """The limits said stop before everything was done."""

    history: str
    reason: str


Event = TableStarted | BatchDeleted | BatchChanged | TableFinished | Noticed | Failed | Stopped


@dataclass(frozen=True, slots=True)
class Expired:
    """What a dry run found in one table; `rows` were counted, not estimated."""

    history: str
    table: str
    rows: int
    oldest: datetime | None
    """Removal time (or time column) of the oldest expired row, aware."""
    typical_seconds: float = field(default=1e-5, compare=False)
    """What deleting a row of such a table takes on a small server."""


class Session(Protocol):
    """An open history; belongs to one thread."""

    def clean(self, now: datetime, limits: Limits) -> Iterator[Event]:
        """Delete what has expired at `now` (aware), batch by batch, each its own transaction.

        Failures of single tables are events; only a history that cannot be worked on at all raises.
        """

    def keep_alive(self) -> None:
        """Use the connection, so that no server ends it while nothing is cleaned. Raise HistoryError."""

    def server_time(self) -> datetime | None:
        """Return what the clock of the database says (aware); None where it has none but this host's.

        Raise HistoryError.
        """

    def answers(self) -> bool:
        """Return whether its database is at work for it, or has answered lately. Ends a session that is lost.

        Asked from other threads; never raises.
        """

    def break_off(self, why: str) -> None:
        """End the statement that is being executed, and the session: what it does next raises HistoryError.

        Called from other threads, more than once; never raises.
        """

    def replica_lag(self) -> float:
        """Return how many seconds the slowest replica is behind; infinity when one does not replicate.

        Asked between batches. Raises HistoryError when it cannot be known.
        """

    def preview(self, now: datetime) -> Iterator[Expired | Noticed | Failed]:
        """Count what `clean` would delete; deletes nothing."""


class History(Protocol):
    """A database, or a set of tables in one, whose expired rows are cleaned."""

    @property
    def name(self) -> str:
        """Name in the configuration."""

    def open(self) -> AbstractContextManager[Session]:
        """Connect. Raises HistoryUnreachableError or HistoryError."""
