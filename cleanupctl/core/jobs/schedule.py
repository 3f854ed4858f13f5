"""Scheduling cleanup: the decision of `scheduler`, carried out in one transaction of the store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from cleanupctl.core.errors import ParticipationError
from cleanupctl.core.job import Job, LogEntry, LogState
from cleanupctl.core.jobs.scheduler import plan_schedule

if TYPE_CHECKING:
    from datetime import datetime

    from cleanupctl.core.settings import Settings
    from cleanupctl.core.store.jobstore import JobStore


@dataclass(frozen=True, slots=True)
class Origin:
    """Which process writes, and what it runs with; stands in every entry of the job log."""

    host: str
    process_id: int
    version: str
    configuration: str
    """Digest of the configuration in force."""

    def entry(self, job: Job, state: LogState, time: datetime) -> LogEntry:
        """Begin a log entry about `job` as it is."""
        entry = self.entry_without_job(None, state, time)
        return replace(
            entry, job_id=job.id, due_date=job.due_date, retries=job.retries, priority=job.priority
        )

    def entry_without_job(self, operation: str | None, state: LogState, time: datetime) -> LogEntry:
        """Begin a log entry about what a person did."""
        return LogEntry(
            job_id=None,
            operation=operation,
            state=state,
            time=time,
            due_date=None,
            retries=0,
            priority=0,
            host=self.host,
            process_id=self.process_id,
            version=self.version,
            configuration=self.configuration,
        )


def check_participation(settings: Settings) -> None:
    """Raise ParticipationError when this node is configured not to take part in cleanup."""
    if settings.cleanup.enabled:
        return
    place = f" of {settings.path}" if settings.path else ""
    raise ParticipationError(f"History cleanup is disabled for this node: [cleanup] enabled{place} is false")


def schedule(
    store: JobStore, settings: Settings, *, now: datetime, immediately_due: bool, origin: Origin
) -> list[Job]:
    """Create or reconfigure the cleanup jobs and return what is stored afterwards, by number.

    `now` is aware; where the store has a clock, that counts instead, which all hosts have in common.
    Concurrent calls from any number of hosts exclude each other. Raises ParticipationError,
    NotFoundError when there is nothing to schedule, or StoreError.
    """
    check_participation(settings)
    decide = partial(
        plan_schedule,
        parallelism=settings.cleanup.parallelism,
        retries=settings.cleanup.retries,
        priority=settings.cleanup.job_priority,
        immediately_due=immediately_due,
        now=store.now() or now,
        windows=settings.windows,
        new_id=new_job_id,
    )
    return store.reconfigure(decide, lambda job, state: origin.entry(job, state, now))


def new_job_id() -> str:
    """Make a time-based UUID with a random node, so that it does not tell the host's network address."""
    import secrets
    import uuid

    multicast = 1 << 40  # marks a node that is no network address (RFC 9562, section 6.10)
    return str(uuid.uuid1(node=secrets.randbits(48) | multicast))
