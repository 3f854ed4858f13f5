"""The job log in the store: appended to, read newest first, cleaned oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.core.store.models import LOG_FIELDS, log_entry, log_values
from cleanupctl.core.store.peewee_import import peewee

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from cleanupctl.core.job import LogEntry, LogState
    from cleanupctl.core.store.models import Models
    from cleanupctl.core.store.session import Session


class JobLog:
    """What a store remembers of executions. All datetimes are aware; those returned are in UTC.

    Every method raises StoreError when the database fails.
    """

    def __init__(self, session: Session, models: Models) -> None:
        self._session = session
        self._log = models.Log

    def log(
        self,
        *,
        job_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        states: Collection[LogState] | None = None,
        limit: int | None = None,
    ) -> list[LogEntry]:
        """Return entries, newest first, with `since <= time < until`; at most `limit` of them."""
        query = self._log.select(*(getattr(self._log, name) for name in LOG_FIELDS))
        query = query.order_by(self._log.time.desc(), self._log.id.desc()).limit(limit)
        conditions: list[Any] = []
        if job_id is not None:
            conditions.append(self._log.job_id == job_id)
        if since is not None:
            conditions.append(self._log.time >= since)
        if until is not None:
            conditions.append(self._log.time < until)
        if states is not None:
            conditions.append(self._log.state.in_(list(states)))
        if conditions:
            query = query.where(*conditions)
        return self._session.read(lambda: [log_entry(row) for row in query.dicts()])

    def log_count(self) -> int:
        """Return the number of all entries; the database may have to look at each."""
        return self._session.read(lambda: int(self._log.select().count()))

    def delete_log(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` entries older than `before`, oldest first, in one transaction.

        Returns how many; fewer than `limit` means that none is left.
        """
        return self._session.write(lambda: self._delete_oldest(before, limit)) if limit > 0 else 0

    def _delete_oldest(self, before: datetime, limit: int) -> int:
        # Not every database has DELETE … LIMIT, and a list of ids is slow: delete a range.
        expired = self._log.time < before
        order = (self._log.time, self._log.id)
        last = self._log.select(*order).where(expired).order_by(*order).offset(limit - 1).limit(1)
        boundary = last.tuples().first()
        if boundary is not None:
            time, number = boundary
            expired = (self._log.time <= time) & ((self._log.time < time) | (self._log.id <= number))
        return int(self._log.delete().where(expired).execute())

    def expired_log(self, before: datetime) -> tuple[int, datetime | None]:
        """Return how many entries are older than `before`, and the time of the oldest."""
        query = self._log.select(peewee.fn.COUNT(self._log.id), peewee.fn.MIN(self._log.time))
        query = query.where(self._log.time < before)
        count, oldest = self._session.read(lambda: query.tuples().get())
        return int(count), oldest

    def add_entry(self, entry: LogEntry) -> None:
        """Add an entry about something that was done without a job."""
        self._session.write(lambda: self._append(entry))

    def _append(self, entry: LogEntry) -> None:
        self._log.insert(**log_values(entry)).execute()
