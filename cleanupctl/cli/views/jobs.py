"""Cleanup jobs, and what they are doing or waiting for: as JSON, and as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.core.jobs.scheduler import may_run, minute_range
from cleanupctl.core.times import format_instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.cli.context import Context
    from cleanupctl.core.job import Job
    from cleanupctl.core.settings import Settings
    from cleanupctl.core.windows.windows import BatchWindows


_ENGINE_ONLY = (
    "jobDefinitionId",
    "processInstanceId",
    "processDefinitionId",
    "processDefinitionKey",
    "executionId",
    "tenantId",
)
"""Keys of the engine's object that are always null."""


def show_jobs(context: Context, jobs: Sequence[Job]) -> None:
    """Write jobs as an array of the engine's objects, or as a table."""
    zone, now = context.settings.timezone, context.now()
    if context.output.json:
        context.output.data([job_object(job, zone) for job in jobs])
        return
    if not jobs:
        context.output.notice("there are no cleanup jobs: `cleanupctl schedule` creates them")
        return
    context.output.table(
        ("ID", "STATE", "DUE DATE", "RETRIES", "PRIORITY", "EXCEPTION"),
        (
            (
                job.id,
                job_state(job, now),
                format_instant(job.due_date, zone),
                job.retries,
                job.priority,
                (job.exception_message or "").partition("\n")[0],
            )
            for job in jobs
        ),
        right=("RETRIES", "PRIORITY"),
    )


def show_scheduled(context: Context, jobs: Sequence[Job]) -> None:
    """Write the first of the jobs that were scheduled, and say how many there are."""
    output = context.output
    if output.json:
        output.data(job_object(jobs[0], context.settings.timezone))
        return
    show_jobs(context, jobs[:1])
    if len(jobs) > 1:
        output.notice(f"{len(jobs)} cleanup jobs are scheduled; `cleanupctl jobs` lists them")


def show_job(context: Context, job: Job, jobs: int) -> None:
    """Write everything about one of `jobs` jobs."""
    details = job_details(job, jobs, context.now(), context.settings)
    if context.output.json:
        context.output.data(details)
        return
    partition = details["partition"]
    details["partition"] = f"{partition['number']} of {partition['of']}"
    context.output.fields((name, value) for name, value in details.items() if name not in _ENGINE_ONLY)


def job_object(job: Job, zone: ZoneInfo) -> dict[str, Any]:
    """Return the engine's job object: these 13 keys, in this order."""
    return {
        "id": job.id,
        "jobDefinitionId": None,
        "processInstanceId": None,
        "processDefinitionId": None,
        "processDefinitionKey": None,
        "executionId": None,
        "exceptionMessage": job.exception_message,
        "retries": job.retries,
        "dueDate": format_instant(job.due_date, zone),
        "suspended": job.suspended,
        "priority": job.priority,
        "tenantId": None,
        "createTime": format_instant(job.create_time, zone),
    }


def job_state(job: Job, now: datetime) -> str:
    """Say in a few words what a job is doing or waiting for."""
    if job.lock_owner is not None and job.lock_expiration is not None and job.lock_expiration > now:
        return f"running on {job.lock_owner}"
    if job.suspended:
        return "suspended"
    if job.retries == 0:
        return "failed, no retries left"
    if job.due_date is None:
        return "no due date"
    waiting = "failed, tried again" if job.exception_message else "waiting"
    return "due" if job.due_date <= now else waiting


def next_run(job: Job, now: datetime, windows: BatchWindows) -> datetime | None:
    """When the job will run next if `run` is called then; None while it waits for a person."""
    if job.suspended or job.retries == 0 or job.due_date is None:
        return None
    earliest = max(job.due_date, now)
    if may_run(job, earliest, windows):
        return earliest
    window = windows.current_or_next(earliest)
    return window.start if window else None


def job_details(job: Job, jobs: int, now: datetime, settings: Settings) -> dict[str, Any]:
    """Return the job object and what the engine does not tell."""
    zone = settings.timezone
    first, last = minute_range(job.number, max(jobs, job.number + 1))
    return job_object(job, zone) | {
        "state": job_state(job, now),
        "nextRun": format_instant(next_run(job, now, settings.windows), zone),
        "immediatelyDue": job.immediately_due,
        "emptyRuns": job.empty_runs,
        "lockOwner": job.lock_owner,
        "lockExpirationTime": format_instant(job.lock_expiration, zone),
        "partition": {"number": job.number + 1, "of": jobs, "minuteFrom": first, "minuteTo": last},
        "exceptionStacktrace": job.exception_stacktrace,
    }
