"""How long the backlog takes, and whether the windows are enough: as JSON, and as fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.core.estimate.costs import LEAST_ROWS
from cleanupctl.core.times import format_instant

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from cleanupctl.cli.output import Output
    from cleanupctl.core.estimate.backlog import CleanupEstimate
    from cleanupctl.core.estimate.forecast import Estimate

MUCH = 0.1
"""An estimate says so when more of its time than this share is assumed."""


def show_estimate(output: Output, estimated: CleanupEstimate, zone: ZoneInfo) -> None:
    """Write an estimate, and say how much of it was assumed."""
    measured = estimated.anything_measured
    if estimated.assumed > MUCH or not measured:
        share = f"{estimated.assumed:.0%} of the time" if measured else "the rate"
        output.notice(
            f"{share} is assumed, not measured: no execution in the job log removed {LEAST_ROWS} rows there;"
            " measure with `cleanupctl schedule` and `cleanupctl run --max-runtime 1m`"
        )
    assumed = estimated.assumed if measured else 1.0
    if output.json:
        output.data(estimate_object(estimated.result, assumed, zone))
    else:
        output.fields(_fields(estimated.result, assumed, zone, bounded=estimated.windows))


def _fields(result: Estimate, assumed: float, zone: ZoneInfo, *, bounded: bool) -> list[tuple[str, Any]]:
    return [
        ("backlog", f"{result.backlog:,} rows"),
        ("inflow", f"{result.inflow_per_day:,.0f} rows a day"),
        ("rate", f"{result.rows_per_second:,.0f} rows/s, {_basis(assumed)}"),
        ("work", f"{result.seconds_of_work:,.1f} s without a break"),
        ("windows", f"open {result.open_seconds_per_day / 3600:.1f} h a day" if bounded else "none"),
        ("finished", format_instant(result.finished, zone) or "not within a year"),
        ("keeps up", "yes" if result.keeps_up else "no: more rows expire than the windows allow to remove"),
        ("jobs needed", result.parallelism_needed or "more than there can be: widen the windows"),
    ]


def estimate_object(result: Estimate, assumed: float, zone: ZoneInfo) -> dict[str, Any]:
    """Return the estimate; `assumed` is the share of its time that was not measured."""
    return {
        "dryRun": True,
        "backlogRows": result.backlog,
        "inflowRowsPerDay": round(result.inflow_per_day),
        "rowsPerSecond": round(result.rows_per_second),
        "assumedShare": round(assumed, 2),
        "openSecondsPerDay": round(result.open_seconds_per_day),
        "secondsOfWork": round(result.seconds_of_work, 3),
        "finished": format_instant(result.finished, zone),
        "keepsUp": result.keeps_up,
        "parallelismNeeded": result.parallelism_needed,
    }


def _basis(assumed: float) -> str:
    if assumed >= 1:
        return "assumed"
    return "from the latest executions" + (f", {assumed:.0%} assumed" if assumed > MUCH else "")
