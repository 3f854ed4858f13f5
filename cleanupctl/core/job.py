"""What a cleanup job and an entry of the job log are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Job:
    """One cleanup job: ever-living, rescheduled after each execution, never deleted by running.

    All datetimes are aware and in UTC, with millisecond precision.
    """

    id: str
    """Time-based UUID, 36 characters."""
    number: int
    """Place among the jobs of this store, from 0; there is one job per degree of parallelism."""
    due_date: datetime | None
    """When it may run; None while it waits for a person, a schedule or a window."""
    retries: int
    """Attempts left; at 0 the job waits for a person or a new schedule."""
    suspended: bool
    priority: int
    immediately_due: bool
    """Whether it was scheduled to ignore the batch window; only scheduling changes this."""
    empty_runs: int
    """Executions in a row that found less than full batches; the exponent of the back-off."""
    create_time: datetime
    exception_message: str | None = None
    exception_stacktrace: str | None = None
    lock_owner: str | None = None
    lock_expiration: datetime | None = None
    """End of the lease, by the clock of the job store."""
    revision: int = 1
    """Counts the writes of this row; every write by an executor is conditional on it."""


class LogState(IntEnum):
    """What an entry of the job log records; the numbers are the engine's."""

    CREATED = 0
    FAILED = 1
    SUCCESSFUL = 2
    DELETED = 3


@dataclass(frozen=True, slots=True)
class Removed:
    """How many rows one execution removed from one table, or changed there."""

    history: str
    table: str
    rows: int
    seconds: float | None = None
    """How long it took, with the pauses between batches; None in entries of older versions."""
    rate: float | None = None
    """Rows a second to expect of a long execution: the small batches at the beginning do not count."""
    changed: int | None = None
    """Rows whose values were set; None where the execution removed rows."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the job log: an execution, the creation or deletion of a job, or what a person did.

    `due_date`, `retries` and `priority` are those the job had when it was taken;
    datetimes are aware and in UTC.
    """

    job_id: str | None
    """None for what a person did without a job; then `operation` says what it was."""
    state: LogState
    time: datetime
    """When the execution ended (or the job was created or deleted)."""
    due_date: datetime | None
    retries: int
    priority: int
    host: str
    process_id: int
    version: str
    """Version of cleanupctl that wrote the entry."""
    configuration: str
    """Digest of the configuration that was in force (12 hexadecimal digits)."""
    duration: timedelta | None = None
    removed: tuple[Removed, ...] = ()
    stop_reason: str | None = None
    """Why the execution ended: `finished`, `window-end`, `max-rows`, `max-runtime`, `signal`, …"""
    exception_message: str | None = None
    exception_stacktrace: str | None = None
    id: int | None = None
    """Number of the entry, given by the store."""
    operation: str | None = None
    """What was done without a job, such as `orphans`; at most 35 characters."""
