"""The tables of a job store as peewee models, and how values get in and out of them."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from cleanupctl.core.errors import shortened
from cleanupctl.core.job import Job, LogEntry, LogState, Removed
from cleanupctl.core.store.odd_values import guard
from cleanupctl.core.store.peewee_import import peewee

if TYPE_CHECKING:
    from collections.abc import Collection

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9990, 1, 1, tzinfo=UTC)


class InstantField(peewee.BigIntegerField):
    """An instant as milliseconds since the epoch: the same, and comparable, on every database."""

    def db_value(self, value: datetime | None) -> int | None:
        """Return the milliseconds; a datetime without a zone is a bug and raises TypeError."""
        return None if value is None else (value - _EPOCH) // _MILLISECOND

    def python_value(self, value: int | None) -> datetime | None:
        """Return an aware datetime in UTC; ValueError beyond what any zone can show."""
        if value is None:
            return None
        found = _EPOCH + value * _MILLISECOND
        if not _FIRST <= found <= _LAST:
            raise ValueError(value)
        return found


class DurationField(peewee.BigIntegerField):
    """A length of time in whole milliseconds."""

    def db_value(self, value: timedelta | None) -> int | None:
        """Return the milliseconds."""
        return None if value is None else value // _MILLISECOND

    def python_value(self, value: int | None) -> timedelta | None:
        """Return the length of time."""
        return None if value is None else value * _MILLISECOND


class WordsField(peewee.TextField):
    """Text from anywhere, such as a stack trace with a file name in no known encoding."""

    def db_value(self, value: str | None) -> str | None:
        """Replace what some database refuses: NUL and lone surrogates."""
        if value is None:
            return None
        return value.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


class MessageField(WordsField):
    """An exception's message."""

    def python_value(self, value: str | None) -> str | None:
        """Return the text, its middle left out where an older version has stored more than anybody reads."""
        found: str | None = super().python_value(value)  # type: ignore[no-untyped-call] # its stubs
        return None if found is None else shortened(found)


class StateField(peewee.SmallIntegerField):
    """The state of a log entry by its number."""

    def db_value(self, value: LogState | None) -> int | None:
        """Return the number."""
        return None if value is None else int(value)

    def python_value(self, value: int) -> LogState:
        """Return the state."""
        return LogState(value)


class RemovedField(peewee.TextField):
    """Rows per history and table, as JSON that an operator can read with SQL."""

    def db_value(self, value: Collection[Removed]) -> str:
        """Return a JSON array of objects."""
        parts = (asdict(part) for part in value)
        return json.dumps([{key: one for key, one in part.items() if one is not None} for part in parts])

    def python_value(self, value: str) -> tuple[Removed, ...]:
        """Return the parts."""
        parts = tuple(Removed(**part) for part in json.loads(value))
        for part in parts:
            if not (isinstance(part.history, str) and isinstance(part.table, str)):
                raise TypeError(value)
            if not all(
                isinstance(one, int | float | None) for one in (part.seconds, part.rate, part.changed)
            ):
                raise TypeError(value)
            if not isinstance(part.rows, int):
                raise TypeError(value)
        return parts


class Models(NamedTuple):
    """The models of one open store."""

    Job: Any
    Log: Any
    Property: Any


def define_models(
    database: peewee.Database, table_settings: tuple[str, ...], schema: str | None = None
) -> Models:
    """Return models bound to `database`; a process may have several stores open."""
    home = schema

    class StoreModel(peewee.Model):
        class Meta:
            # Indexes are named after their table, since their names may have to be unique, too.
            legacy_table_names = False
            schema = home

    StoreModel._meta.set_database(database)
    settings = table_settings or None

    class JobRow(StoreModel):
        id = peewee.FixedCharField(36, primary_key=True)
        number = peewee.IntegerField(unique=True)
        due_date = InstantField(null=True)
        retries = peewee.IntegerField()
        suspended = peewee.BooleanField()
        priority = peewee.BigIntegerField()
        immediately_due = peewee.BooleanField()
        empty_runs = peewee.IntegerField()
        create_time = InstantField()
        exception_message = MessageField(null=True)
        exception_stacktrace = WordsField(null=True)
        lock_owner = peewee.CharField(255, null=True)
        lock_expiration = InstantField(null=True)
        revision = peewee.BigIntegerField()

        class Meta:
            table_name = "cleanupctl_job"
            table_settings = settings

    class LogRow(StoreModel):
        id = peewee.BigAutoField()
        # An operation without a job has its name here, which is shorter than any id.
        job_id = peewee.FixedCharField(36)
        state = StateField()
        time = InstantField()
        duration = DurationField(null=True, column_name="duration_ms")
        due_date = InstantField(null=True)
        retries = peewee.IntegerField()
        priority = peewee.BigIntegerField()
        host = peewee.CharField(255)
        process_id = peewee.BigIntegerField()
        version = peewee.CharField(64)
        configuration = peewee.CharField(64)
        removed = RemovedField()
        removed_rows = peewee.BigIntegerField()
        stop_reason = peewee.CharField(255, null=True)
        exception_message = MessageField(null=True)
        exception_stacktrace = WordsField(null=True)

        class Meta:
            table_name = "cleanupctl_job_log"
            table_settings = settings
            # The number at the end lets "newest first" come straight from each index.
            indexes = (
                (("time", "id"), False),
                (("job_id", "time", "id"), False),
                (("state", "time", "id"), False),
            )

    class PropertyRow(StoreModel):
        name = peewee.CharField(64, primary_key=True)
        value = peewee.BigIntegerField()

        class Meta:
            table_name = "cleanupctl_property"
            table_settings = settings

    models = Models(JobRow, LogRow, PropertyRow)
    for model in models:
        guard(model)
    return models


JOB_FIELDS = tuple(field.name for field in fields(Job))
LOG_FIELDS = tuple(field.name for field in fields(LogEntry) if field.name != "operation")
JOB_ID_LENGTH = 36


def job_values(job: Job) -> dict[str, Any]:
    """Return the columns of a job."""
    return {name: getattr(job, name) for name in JOB_FIELDS}


def log_values(entry: LogEntry) -> dict[str, Any]:
    """Return the columns of a log entry; its number comes from the store."""
    values = {name: getattr(entry, name) for name in LOG_FIELDS if name != "id"}
    values["job_id"] = entry.operation or entry.job_id
    return values | {"removed_rows": sum(part.rows for part in entry.removed)}


def log_entry(values: dict[str, Any]) -> LogEntry:
    """Return the entry whose columns these are."""
    # Some databases fill the column up with blanks.
    name = str(values["job_id"]).rstrip()
    if len(name) == JOB_ID_LENGTH:
        return LogEntry(**values)
    return LogEntry(**values | {"job_id": None, "operation": name})
