"""Jobs, log entries, windows and histories as the plain values that JSON shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.core.jobs.scheduler import may_run, minute_range
from cleanupctl.core.settings import CamundaSettings, TablesSettings
from cleanupctl.core.times import format_instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.core.job import Job, LogEntry, Removed
    from cleanupctl.core.settings import HistorySettings, Settings
    from cleanupctl.core.windows.windows import BatchWindows, Window


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
    """When the job will run next if somebody calls `run` then; None while it waits for a person."""
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


def removed_objects(removed: Iterable[Removed]) -> list[dict[str, Any]]:
    """Return deleted rows by table."""
    return [{"history": one.history, "table": one.table, "rows": one.rows} for one in removed]


def log_object(entry: LogEntry, zone: ZoneInfo) -> dict[str, Any]:
    """Return one entry of the job log."""
    return {
        "id": entry.id,
        "jobId": entry.job_id,
        "state": entry.state.name.lower(),
        "timestamp": format_instant(entry.time, zone),
        "durationSeconds": entry.duration.total_seconds() if entry.duration is not None else None,
        "removedRows": sum(one.rows for one in entry.removed),
        "removed": removed_objects(entry.removed),
        "stopReason": entry.stop_reason,
        "dueDate": format_instant(entry.due_date, zone),
        "retries": entry.retries,
        "priority": entry.priority,
        "hostName": entry.host,
        "processId": entry.process_id,
        "version": entry.version,
        "configuration": entry.configuration,
        "exceptionMessage": entry.exception_message,
        "exceptionStacktrace": entry.exception_stacktrace,
    }


def window_object(window: Window | None, zone: ZoneInfo, *, enabled: bool) -> dict[str, Any]:
    """Return the engine's answer to a question for the cleanup configuration."""
    return {
        "batchWindowStartTime": format_instant(window.start if window else None, zone),
        "batchWindowEndTime": format_instant(window.end if window else None, zone),
        "enabled": enabled,
    }


def history_object(history: HistorySettings) -> dict[str, Any]:
    """Return one configured history; its URL is shown without secrets."""
    shown: dict[str, Any] = {
        "name": history.name,
        "kind": history.kind,
        "url": str(history.url),
        "replicaUrl": None if history.replica_url is None else str(history.replica_url),
        "timezone": str(history.timezone),
        "schema": history.schema,
    }
    return shown | (_own_keys(history))


def cleaned(history: HistorySettings) -> str:
    """Say in a few words what is cleaned of a history."""
    if isinstance(history, TablesSettings):
        return ", ".join(f"{table.name} after P{table.ttl}D" for table in history.tables)
    return history.strategy if isinstance(history, CamundaSettings) else ""


def _own_keys(history: HistorySettings) -> dict[str, Any]:
    """Return the keys that only histories of its kind have."""
    if isinstance(history, CamundaSettings):
        return _engine_object(history)
    return _tables_object(history) if isinstance(history, TablesSettings) else {}


def _engine_object(history: CamundaSettings) -> dict[str, Any]:
    return {
        "tablePrefix": history.table_prefix,
        "strategy": history.strategy,
        "hierarchy": history.hierarchy,
        "includeUnfinished": history.include_unfinished,
        "defaultTimeToLive": history.default_ttl,
        "timesToLive": [
            {"key": one.key, "kind": one.kind, "tenantId": one.tenant, "timeToLive": one.ttl}
            for one in history.ttls
        ],
        "batchDefaultTimeToLive": history.batch_ttl.default,
        "batchTimesToLive": [
            {"batchType": type_, "timeToLive": days} for type_, days in history.batch_ttl.by_type.items()
        ],
        "taskMetricsTimeToLive": history.task_metrics_ttl,
        "cleanupLogTimeToLive": history.cleanup_log_ttl,
    }


def _tables_object(history: TablesSettings) -> dict[str, Any]:
    return {
        "tables": [
            {
                "name": table.name,
                "schema": table.schema,
                "timeColumn": table.time_column,
                "timeFormat": table.time_format,
                "timeToLive": table.ttl,
            }
            for table in history.tables
        ]
    }


def listed(values: Sequence[str]) -> str:
    """Join names for a sentence."""
    return ", ".join(values) or "none"
