"""`cleanupctl run --dry-run --estimate`: how long the backlog takes, and whether the windows are enough."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cleanupctl.cli.run_report import count_expired, refuse_failures
from cleanupctl.core.errors import NotFoundError
from cleanupctl.core.estimate import HORIZON, LEAST_ROWS, MOST_EXECUTIONS, Estimate, estimate, measured_rate
from cleanupctl.core.job import LogState
from cleanupctl.core.times import format_instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleanupctl.cli.context import Context
    from cleanupctl.core.cleaning import History
    from cleanupctl.core.store.jobstore import JobStore

INFLOW_DAYS = 7
"""A week: weekdays and weekends differ."""


def write_estimate(context: Context, store: JobStore, histories: Sequence[History]) -> None:
    """Count, calculate, write. Raises NotFoundError when no execution has been measured yet."""
    entries = store.log(states=[LogState.SUCCESSFUL, LogState.FAILED], limit=10 * MOST_EXECUTIONS)
    rate = measured_rate(entries)
    if rate is None:
        raise NotFoundError(
            f"no execution in the job log removed {LEAST_ROWS} rows or more, so that no rate is known yet:"
            f" measure one with `cleanupctl schedule` and `cleanupctl run --max-rows {10 * LEAST_ROWS}`"
        )
    now = context.now()
    found, failures = count_expired(context, histories, now)
    refuse_failures(failures)
    later, _ = count_expired(context, histories, now + timedelta(days=INFLOW_DAYS), notices=False)
    backlog = sum(expired.rows for expired in found)
    settings = context.settings
    openings = [one.window for one in settings.windows.openings(now, until=now + HORIZON)]
    result = estimate(
        backlog=backlog,
        inflow_per_day=max(0, sum(expired.rows for expired in later) - backlog) / INFLOW_DAYS,
        rows_per_second_per_job=rate,
        parallelism=settings.cleanup.parallelism,
        openings=openings,
        now=now,
    )
    _write(context, result, bounded=bool(openings))


def _write(context: Context, result: Estimate, *, bounded: bool) -> None:
    zone = context.settings.timezone
    if context.output.json:
        context.output.data(_object(context, result))
        return
    pairs: list[tuple[str, Any]] = [
        ("backlog", f"{result.backlog:,} rows"),
        ("inflow", f"{result.inflow_per_day:,.0f} rows a day"),
        ("rate", f"{result.rows_per_second:,.0f} rows/s, from the latest executions"),
        ("work", f"{result.seconds_of_work:,.1f} s without a break"),
        ("windows", f"open {result.open_seconds_per_day / 3600:.1f} h a day" if bounded else "none"),
        ("finished", format_instant(result.finished, zone) or "not within a year"),
        ("keeps up", "yes" if result.keeps_up else "no: more rows expire than the windows allow to remove"),
        ("jobs needed", result.parallelism_needed or "more than there can be: widen the windows"),
    ]
    context.output.fields(pairs)


def _object(context: Context, result: Estimate) -> dict[str, Any]:
    return {
        "dryRun": True,
        "backlogRows": result.backlog,
        "inflowRowsPerDay": round(result.inflow_per_day),
        "rowsPerSecond": round(result.rows_per_second),
        "openSecondsPerDay": round(result.open_seconds_per_day),
        "secondsOfWork": round(result.seconds_of_work, 1),
        "finished": format_instant(result.finished, context.settings.timezone),
        "keepsUp": result.keeps_up,
        "parallelismNeeded": result.parallelism_needed,
    }
