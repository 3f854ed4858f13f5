"""Jobs in the store: scheduled together, taken under a lease, finished only by who holds it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, Self

from cleanupctl.core.errors import InvalidValueError, NotFoundError, StoreError
from cleanupctl.core.job import Job, LogEntry, LogState
from cleanupctl.core.store.joblog import JobLog
from cleanupctl.core.store.models import JOB_FIELDS, job_values
from cleanupctl.core.store.peewee_import import peewee
from cleanupctl.core.store.schema import SCHEDULINGS_PROPERTY

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from cleanupctl.core.store.models import Models
    from cleanupctl.core.store.session import Session
    from cleanupctl.core.urls import DatabaseUrl


LONGEST_LEASE = timedelta(minutes=10)
"""No configuration has a longer one: a lease that ends later was given before a clock went back."""

TAKE_ATTEMPTS = 5
"""How often a job that is shown as free, always the same, may be refused."""


class Plan(Protocol):
    """What a scheduling decided."""

    @property
    def updated(self) -> Sequence[Job]:
        """Jobs that exist, as they shall be."""

    @property
    def created(self) -> Sequence[Job]:
        """Jobs that do not exist yet."""

    @property
    def removed(self) -> Sequence[Job]:
        """Jobs that shall go."""


class JobStore(JobLog):
    """An open job store. All datetimes are aware; those returned are in UTC, to the millisecond.

    Every method may be called from any thread and raises StoreError when the database fails.

    `revision` fences executors off: taking a job, finishing it, giving it back and scheduling
    raise it, so that whoever held the job before can neither renew its lease nor finish it.
    Suspending a job and setting its retries leave it alone: the execution that is under way
    ends as usual, and what the person set stays.
    """

    missing = False
    """Whether there is no such store, and this one is only an empty stand-in in memory."""

    def __init__(self, url: DatabaseUrl, session: Session, models: Models) -> None:
        super().__init__(session, models)
        self.url = url
        self._job = models.Job
        self._property = models.Property

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def now(self) -> datetime | None:
        """Return what the store's clock says (aware); None where that is this host's, as in a file."""
        if not self._session.dialect.own_clock:
            return None
        sql = f"SELECT {self._session.dialect.clock}"
        found = self._session.read(lambda: self._session.database.execute_sql(sql).fetchone()[0])
        return datetime.fromtimestamp(int(found) / 1000, UTC)

    def jobs(self) -> list[Job]:
        """Return all jobs by number."""
        return self._session.read(self._all)

    def job(self, prefix: str) -> Job:
        """Return the job whose id is, or is the only one to start with, `prefix`.

        Raises NotFoundError, or InvalidValueError when several match.
        """
        return match_job(self.jobs(), prefix)

    def next_due(self, now: datetime) -> datetime | None:
        """Return when the next job may be taken: its due date, or the end of its lease if later.

        By the clock that says `now`: only how long a lease still lasts is known from the store's
        clock, from which it may differ. None when every job is suspended, has no retries left or
        no due date.
        """
        return self._session.read(partial(self._next_due, now))

    def _next_due(self, now: datetime) -> datetime | None:
        left = self._job.lock_expiration - peewee.SQL(self._session.dialect.clock)
        # Without the field's own conversion: it is a length of time, not an instant.
        left = peewee.fn.COALESCE(left, 0).converter(int)
        query = self._job.select(self._job.due_date, left).where(
            self._job.due_date.is_null(False),
            self._job.suspended == False,  # noqa: E712 - SQL, not Python
            self._job.retries > 0,
        )
        longest = LONGEST_LEASE / timedelta(milliseconds=1)
        ready = (
            max(due, now + timedelta(milliseconds=lease)) if 0 < lease <= longest else due
            for due, lease in query.tuples()
        )
        return min(ready, default=None)

    def reconfigure(
        self, decide: Callable[[Sequence[Job]], Plan], entry: Callable[[Job, LogState], LogEntry]
    ) -> list[Job]:
        """Replace the jobs by what `decide` makes of them, and return what is stored then.

        Calls exclude each other, from any number of hosts. Updated jobs are stored as given,
        lease included, apart from their revision, which rises. `entry` makes the log entries for
        CREATED and DELETED jobs. When either raises, nothing has changed; both may be called
        more than once.
        """
        return self._session.write(partial(self._reconfigure, decide, entry))

    def _reconfigure(
        self, decide: Callable[[Sequence[Job]], Plan], entry: Callable[[Job, LogState], LogEntry]
    ) -> list[Job]:
        self._wait_for_other_schedulings()
        plan = decide(self._all(lock=True))
        for job in plan.removed:
            self._job.delete().where(self._job.id == job.id).execute()
            self._append(entry(job, LogState.DELETED))
        for job in plan.updated:
            values = job_values(job) | {"revision": self._job.revision + 1}
            self._job.update(**values).where(self._job.id == job.id).execute()
        for job in plan.created:
            self._job.insert(**job_values(job)).execute()
            self._append(entry(job, LogState.CREATED))
        return self._all()

    def _wait_for_other_schedulings(self) -> None:
        # The first statement of the transaction, so that all later ones see what the one before
        # us committed. A write, not SELECT … FOR UPDATE: clusters notice only those.
        counter = self._property.update(value=self._property.value + 1)
        if counter.where(self._property.name == SCHEDULINGS_PROPERTY).execute() != 1:
            raise StoreError(
                f"the job store {self.url} has lost its row {SCHEDULINGS_PROPERTY!r}: restore a backup"
            )

    def acquire(
        self, now: datetime, owner: str, lease: timedelta, excluding: Collection[str] = ()
    ) -> Job | None:
        """Take the due job with the highest priority, the earliest of these, until `lease` is over.

        A job is due when its due date is not after `now`, it is not suspended, has retries left
        and no other owner's lease on it is running. Leases are measured by the database's clock.
        Jobs whose id is in `excluding` are passed over. None when there is no such job. Raises
        StoreError when what is read and what is written stay different.
        """
        refused: Counter[tuple[str, int]] = Counter()
        while (candidate := self._session.read(partial(self._first_due, now, excluding))) is not None:
            job = self._session.write(partial(self._take, candidate, owner, lease))
            if job is not None:
                return job
            seen = (candidate.id, candidate.revision)
            refused[seen] += 1
            if refused[seen] == TAKE_ATTEMPTS:
                # Whoever was faster would have raised the revision, or would show as its owner.
                raise StoreError(
                    f"the job store {self.url} shows the job {candidate.id} as free and does not let it be"
                    " taken: it is damaged (check it, or delete it and `schedule` anew), or a replica that is"
                    " behind answers what is read (name the primary server)"
                )
        return None

    def _first_due(self, now: datetime, excluding: Collection[str]) -> Job | None:
        query = self._select().where(
            self._job.due_date <= now,
            self._job.suspended == False,  # noqa: E712 - SQL, not Python
            self._job.retries > 0,
            self._lease_is_over(),
        )
        if excluding:
            query = query.where(self._job.id.not_in(list(excluding)))
        query = query.order_by(self._job.priority.desc(), self._job.due_date, self._job.number)
        row = query.dicts().first()
        return None if row is None else Job(**row)

    def _take(self, job: Job, owner: str, lease: timedelta) -> Job | None:
        # Whether the job is still as it was seen is asked by the write itself. A person's
        # suspension or zero retries do not show in the revision.
        update = self._job.update(
            lock_owner=owner, lock_expiration=self._after(lease), revision=self._job.revision + 1
        ).where(
            self._job.id == job.id,
            self._job.revision == job.revision,
            self._job.suspended == False,  # noqa: E712 - SQL, not Python
            self._job.retries > 0,
            self._lease_is_over(),
        )
        if update.execute() != 1:
            return None
        return Job(**self._select().where(self._job.id == job.id).dicts().get())

    def renew(self, job: Job, lease: timedelta) -> bool:
        """Extend the lease on `job`, as `acquire` returned it, to `lease` from now on.

        False when the lease has been lost: another process took the job over, or it was scheduled anew.
        """
        update = self._job.update(lock_expiration=self._after(lease)).where(*self._held(job))
        return bool(self._session.write(update.execute) == 1)

    def release(self, job: Job) -> bool:
        """Give the lease on `job` back and leave it otherwise unchanged; False when it was lost."""
        update = self._job.update(**self._unlocked()).where(*self._held(job))
        return bool(self._session.write(update.execute) == 1)

    def finish(self, job: Job, after: Job, entry: LogEntry) -> bool:
        """End the execution of `job`, as `acquire` returned it: store `after`, log `entry`.

        Of `after` it takes due date, suspension, retries, empty runs and exception. A suspension
        or a number of retries that a person has set in the meantime stays. When the lease has
        been lost the job is left alone, `entry` is logged all the same, and False returned.
        """
        return self._session.write(partial(self._finish, job, after, entry))

    def _finish(self, job: Job, after: Job, entry: LogEntry) -> bool:
        unchanged = self._job.retries == job.retries
        values = self._unlocked() | {
            "due_date": after.due_date,
            "retries": peewee.Case(None, [(unchanged, after.retries)], self._job.retries),
            "empty_runs": after.empty_runs,
            "exception_message": after.exception_message,
            "exception_stacktrace": after.exception_stacktrace,
        }
        # A job that is being executed was active when it was taken.
        if after.suspended:
            values["suspended"] = True
        held = bool(self._job.update(**values).where(*self._held(job)).execute() == 1)
        self._append(entry)
        return held

    def suspend(self, ids: Collection[str] | None, suspended: bool) -> list[Job]:
        """Suspend (or activate) the jobs with these ids or prefixes, all when `ids` is None.

        Returns them as stored. A job that is being executed ends its execution and stays
        suspended. Raises NotFoundError or InvalidValueError, and then has changed none.
        """
        return self._session.write(partial(self._change, ids, {"suspended": suspended}))

    def set_retries(self, prefix: str, retries: int) -> Job:
        """Set the attempts left of the job with this id or prefix, and return it.

        Raises NotFoundError or InvalidValueError.
        """
        if retries < 0:
            raise InvalidValueError(f"a job cannot have {retries} retries: give 0 or more")
        return self._session.write(partial(self._change, [prefix], {"retries": retries}))[0]

    def batch_limit(self, history: str, table: str) -> int | None:
        """Return the size that batches of a table must not pass, as `set_batch_limit` stored it."""
        row = self._property.select(self._property.value).where(
            self._property.name == _limit_name(history, table)
        )
        found = self._session.read(row.scalar)
        return None if found is None else int(found)

    def set_batch_limit(self, history: str, table: str, units: int | None) -> None:
        """Store the size that batches of a table must not pass from now on; None takes it away."""
        name = _limit_name(history, table)

        def change() -> None:
            self._property.delete().where(self._property.name == name).execute()
            if units is not None:
                self._property.insert(name=name, value=units).execute()

        self._session.write(change)

    def _change(self, prefixes: Collection[str] | None, values: dict[str, object]) -> list[Job]:
        jobs = self._all()
        chosen = (
            {job.id for job in jobs} if prefixes is None else {match_job(jobs, text).id for text in prefixes}
        )
        if chosen:
            self._job.update(**values).where(self._job.id.in_(sorted(chosen))).execute()
        return [job for job in self._all() if job.id in chosen]

    def _select(self) -> Any:
        return self._job.select(*(getattr(self._job, name) for name in JOB_FIELDS))

    def _all(self, lock: bool = False) -> list[Job]:
        query = self._select().order_by(self._job.number)
        if lock and self._session.database.for_update:
            # Executors do not take the lock of the schedulings.
            query = query.for_update()
        return [Job(**row) for row in query.dicts()]

    def _held(self, job: Job) -> tuple[Any, ...]:
        table = self._job
        return (table.id == job.id, table.lock_owner == job.lock_owner, table.revision == job.revision)

    def _unlocked(self) -> dict[str, Any]:
        return {"lock_owner": None, "lock_expiration": None, "revision": self._job.revision + 1}

    def _lease_is_over(self) -> Any:
        clock = peewee.SQL(self._session.dialect.clock)
        return (
            self._job.lock_expiration.is_null()
            | (self._job.lock_expiration <= clock)
            | (self._job.lock_expiration > self._after(LONGEST_LEASE))
        )

    def _after(self, lease: timedelta) -> Any:
        milliseconds = int(lease.total_seconds() * 1000)
        return peewee.SQL(f"{self._session.dialect.clock} + {milliseconds}")


def _limit_name(history: str, table: str) -> str:
    """Name of a property; a digest, since names of tables may be longer than that of a property."""
    import hashlib

    return f"batch:{hashlib.sha256(f'{history}/{table}'.encode()).hexdigest()[:48]}"


def match_job(jobs: Sequence[Job], prefix: str) -> Job:
    """Return the one of `jobs` whose id is, or is the only one to start with, `prefix`.

    Raises NotFoundError, or InvalidValueError when several match.
    """
    wanted = prefix.strip().lower()
    matches = [job for job in jobs if wanted and job.id.startswith(wanted)]
    if not matches:
        raise NotFoundError(f"no job has the id {prefix!r}: `cleanupctl jobs` lists them")
    if len(matches) > 1 and wanted not in {job.id for job in matches}:
        candidates = ", ".join(job.id for job in matches)
        raise InvalidValueError(f"several jobs have an id that starts with {prefix!r}: {candidates}")
    return matches[0]
