"""`cleanupctl run --dry-run --estimate`: how long the backlog takes, and whether the windows are enough."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cleanupctl.core.estimate.costs import LEAST_ROWS, MOST_EXECUTIONS, Measured, measured, work
from cleanupctl.core.estimate.forecast import HORIZON, Estimate, estimate, gain
from cleanupctl.core.job import LogState
from cleanupctl.core.run.preview import count_expired
from cleanupctl.core.times import format_instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleanupctl.cli.context import Context
    from cleanupctl.core.run.cleaning import Expired, History
    from cleanupctl.core.run.preview import Preview
    from cleanupctl.core.store.jobstore import JobStore

INFLOW_DAYS = 7
"""A week: weekdays and weekends differ."""

ALONE = 1.05
"""Up to this many jobs at a time, on average, they ran one after the other."""

UNKNOWN_RATE = 1e5
"""Rows a second where there is no table to say what it costs."""

MUCH = 0.1
"""An estimate says so when more of its time than this share is assumed."""


def write_estimate(context: Context, store: JobStore, histories: Sequence[History], preview: Preview) -> None:
    """Count, calculate, write."""
    settings, now = context.settings, context.now()
    preview.refuse_failures()
    found = preview.expired
    later = count_expired(histories, now + timedelta(days=INFLOW_DAYS)).expired
    logged = store.log(states=[LogState.SUCCESSFUL, LogState.FAILED], limit=10 * MOST_EXECUTIONS)
    # What a person does costs something else.
    entries = [entry for entry in logged if entry.operation is None]
    costs = measured(entries)
    now_to_do = work(costs, found)
    inflow = max(0, sum(expired.rows for expired in later) - now_to_do.rows)
    occurrences = [one.window for one in settings.windows.occurrences(now, until=now + HORIZON)]
    result = estimate(
        backlog=now_to_do.rows,
        inflow_per_day=inflow / INFLOW_DAYS,
        rows_per_second=_rate(context, costs, found if now_to_do.rows else later),
        parallelism=settings.cleanup.parallelism,
        occurrences=occurrences,
        now=now,
        overhead_seconds=costs.overhead,
    )
    if now_to_do.assumed > MUCH or not costs.tables:
        share = f"{now_to_do.assumed:.0%} of the time" if costs.tables else "the rate"
        context.output.notice(
            f"{share} is assumed, not measured: no execution in the job log removed {LEAST_ROWS} rows there;"
            " measure with `cleanupctl schedule` and `cleanupctl run --max-runtime 1m`"
        )
    _write(context, result, assumed=now_to_do.assumed if costs.tables else 1.0, bounded=bool(occurrences))


def _rate(context: Context, costs: Measured, expired: Sequence[Expired]) -> float:
    """Rows a second of all the jobs that are configured."""
    configured = context.settings.cleanup.parallelism
    measured_together = costs.concurrency > ALONE
    together = min(configured, costs.concurrency) if measured_together else gain(configured)
    total = work(costs, [replace(one, rows=max(1, one.rows)) for one in expired])
    return total.rows / total.seconds * together if total.seconds else UNKNOWN_RATE


def _write(context: Context, result: Estimate, *, assumed: float, bounded: bool) -> None:
    zone = context.settings.timezone
    if context.output.json:
        context.output.data(_object(context, result, assumed))
        return
    pairs: list[tuple[str, Any]] = [
        ("backlog", f"{result.backlog:,} rows"),
        ("inflow", f"{result.inflow_per_day:,.0f} rows a day"),
        ("rate", f"{result.rows_per_second:,.0f} rows/s, {_basis(assumed)}"),
        ("work", f"{result.seconds_of_work:,.1f} s without a break"),
        ("windows", f"open {result.open_seconds_per_day / 3600:.1f} h a day" if bounded else "none"),
        ("finished", format_instant(result.finished, zone) or "not within a year"),
        ("keeps up", "yes" if result.keeps_up else "no: more rows expire than the windows allow to remove"),
        ("jobs needed", result.parallelism_needed or "more than there can be: widen the windows"),
    ]
    context.output.fields(pairs)


def _object(context: Context, result: Estimate, assumed: float) -> dict[str, Any]:
    return {
        "dryRun": True,
        "backlogRows": result.backlog,
        "inflowRowsPerDay": round(result.inflow_per_day),
        "rowsPerSecond": round(result.rows_per_second),
        "assumedShare": round(assumed, 2),
        "openSecondsPerDay": round(result.open_seconds_per_day),
        "secondsOfWork": round(result.seconds_of_work, 3),
        "finished": format_instant(result.finished, context.settings.timezone),
        "keepsUp": result.keeps_up,
        "parallelismNeeded": result.parallelism_needed,
    }


def _basis(assumed: float) -> str:
    if assumed >= 1:
        return "assumed"
    return "from the latest executions" + (f", {assumed:.0%} assumed" if assumed > MUCH else "")
