"""What a run would delete: as one JSON object, and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.cli.views.jobs import job_object, job_state, next_run
from cleanupctl.core.times import format_instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cleanupctl.cli.context import Context
    from cleanupctl.core.job import Job
    from cleanupctl.core.run.preview import Preview
    from cleanupctl.core.settings import Settings


def show_preview(context: Context, jobs: Sequence[Job], preview: Preview) -> None:
    """Write what was counted, and for programs the jobs that would do it."""
    output, zone = context.output, context.settings.timezone
    if output.json:
        output.data(preview_object(preview, jobs, context.now(), context.settings))
        return
    output.table(
        ("HISTORY", "TABLE", "EXPIRED ROWS", "OLDEST"),
        ((e.history, e.table, f"{e.rows:,}", format_instant(e.oldest, zone)) for e in preview.expired),
        right=("EXPIRED ROWS",),
    )
    output.text(f"{preview.rows:,} rows have expired; nothing was deleted")


def preview_object(
    preview: Preview, jobs: Sequence[Job], now: datetime, settings: Settings
) -> dict[str, Any]:
    """Return what was counted, what could not be, and the jobs."""
    zone = settings.timezone
    return {
        "dryRun": True,
        "expiredRows": preview.rows,
        "expired": [
            {
                "history": expired.history,
                "table": expired.table,
                "rows": expired.rows,
                "oldest": format_instant(expired.oldest, zone),
            }
            for expired in preview.expired
        ],
        "failures": [
            {"history": failure.history, "table": failure.table, "message": str(failure.error)}
            for failure in preview.failures
        ],
        "jobs": [
            job_object(job, zone)
            | {
                "state": job_state(job, now),
                "nextRun": format_instant(next_run(job, now, settings.windows), zone),
            }
            for job in jobs
        ],
    }
