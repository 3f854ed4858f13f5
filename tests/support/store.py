"""Jobs, log entries and plans for tests of the job store."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cleanupctl.core.job import Job, LogEntry, LogState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cleanupctl.core.store.jobstore import JobStore

NOW = datetime(2026, 3, 29, 0, 59, 59, 999000, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Decision:
    """The plan a test wants."""

    updated: Sequence[Job] = ()
    created: Sequence[Job] = ()
    removed: Sequence[Job] = ()


def a_job(number: int = 0, **changes: Any) -> Job:
    """Return a job that is due at NOW."""
    job = Job(
        id=str(uuid.uuid1()),
        number=number,
        due_date=NOW,
        retries=3,
        suspended=False,
        priority=0,
        immediately_due=False,
        empty_runs=0,
        create_time=NOW,
    )
    return replace(job, **changes)


def an_entry(job: Job, state: LogState = LogState.SUCCESSFUL, **changes: Any) -> LogEntry:
    """Return a log entry about `job`."""
    entry = LogEntry(
        job_id=job.id,
        state=state,
        time=NOW,
        due_date=job.due_date,
        retries=job.retries,
        priority=job.priority,
        host="host.example",
        process_id=4711,
        version="1.2.3",
        configuration="0123456789ab",
    )
    return replace(entry, **changes)


def exactly(count: int) -> Callable[[Sequence[Job]], Decision]:
    """Decide as scheduling does: keep the first `count`, add what is missing, remove the rest."""

    def decide(jobs: Sequence[Job]) -> Decision:
        created = [a_job(number) for number in range(len(jobs), count)]
        return Decision(updated=jobs[:count], created=created, removed=jobs[count:])

    return decide


def add(store: JobStore, *jobs: Job) -> list[Job]:
    """Store these jobs as they are."""
    return store.reconfigure(lambda _: Decision(created=jobs), an_entry)
