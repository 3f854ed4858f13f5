"""The job log: as JSON, and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.core.times import format_instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

    from cleanupctl.cli.output import Output
    from cleanupctl.core.job import LogEntry, Removed


def show_log(output: Output, entries: Sequence[LogEntry], zone: ZoneInfo) -> None:
    """Write entries of the job log."""
    if output.json:
        output.data([log_object(entry, zone) for entry in entries])
        return
    if not entries:
        output.notice("the job log has no such entry")
        return
    output.table(
        ("TIME", "JOB", "OUTCOME", "ROWS", "SECONDS", "ENDED BY", "HOST", "EXCEPTION"),
        (
            (
                format_instant(entry.time, zone),
                entry.operation or (entry.job_id or "")[:8],
                entry.state.name.lower(),
                sum(one.rows if one.changed is None else one.changed for one in entry.removed),
                "" if entry.duration is None else f"{entry.duration.total_seconds():.1f}",
                entry.stop_reason,
                entry.host,
                (entry.exception_message or "").partition("\n")[0],
            )
            for entry in entries
        ),
        right=("ROWS", "SECONDS"),
    )


def log_object(entry: LogEntry, zone: ZoneInfo) -> dict[str, Any]:
    """Return one entry of the job log."""
    return {
        "id": entry.id,
        "jobId": entry.job_id,
        "operation": entry.operation,
        "state": entry.state.name.lower(),
        "timestamp": format_instant(entry.time, zone),
        "durationSeconds": entry.duration.total_seconds() if entry.duration is not None else None,
        "removedRows": sum(one.rows for one in entry.removed),
        "removed": removed_objects(one for one in entry.removed if one.changed is None),
        "changed": changed_objects(entry.removed),
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


def removed_objects(removed: Iterable[Removed]) -> list[dict[str, Any]]:
    """Return deleted rows by table."""
    return [{"history": one.history, "table": one.table, "rows": one.rows} for one in removed]


def changed_objects(removed: Iterable[Removed]) -> list[dict[str, Any]]:
    """Return rows whose values were set by table."""
    return [
        {"history": one.history, "table": one.table, "rows": one.changed}
        for one in removed
        if one.changed is not None
    ]
