"""The estimate of a whole cleanup: its backlog and inflow, counted, at the rate of the latest executions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from cleanupctl.core.estimate.costs import MOST_EXECUTIONS, Measured, measured, work
from cleanupctl.core.estimate.forecast import HORIZON, Estimate, estimate, gain
from cleanupctl.core.job import LogState
from cleanupctl.core.run.preview import count_expired

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cleanupctl.core.run.cleaning import Expired, History
    from cleanupctl.core.run.preview import Preview
    from cleanupctl.core.settings import Settings
    from cleanupctl.core.store.jobstore import JobStore

INFLOW_DAYS = 7
"""A week: weekdays and weekends differ."""

ALONE = 1.05
"""Up to this many jobs at a time, on average, they ran one after the other."""

UNKNOWN_RATE = 1e5
"""Rows a second where there is no table to say what it costs."""


@dataclass(frozen=True, slots=True)
class CleanupEstimate:
    """An estimate and what it rests on."""

    result: Estimate
    assumed: float
    """The share of the time (0 to 1) that rests on typical costs, not on measured ones."""
    anything_measured: bool
    windows: bool
    """Whether any batch window opens within the horizon."""


def estimate_cleanup(
    store: JobStore, settings: Settings, histories: Sequence[History], preview: Preview, now: datetime
) -> CleanupEstimate:
    """Estimate how long the counted backlog takes. Raise for a history that could not be counted."""
    preview.refuse_failures()
    later = count_expired(
        histories, now, settings.cleanup.max_clock_skew, timedelta(days=INFLOW_DAYS)
    ).expired
    costs = _costs(store)
    now_to_do = work(costs, preview.expired)
    inflow = max(0, sum(expired.rows for expired in later) - now_to_do.rows)
    occurrences = [one.window for one in settings.windows.occurrences(now, until=now + HORIZON)]
    result = estimate(
        backlog=now_to_do.rows,
        inflow_per_day=inflow / INFLOW_DAYS,
        rows_per_second=_rate(
            settings.cleanup.parallelism, costs, preview.expired if now_to_do.rows else later
        ),
        parallelism=settings.cleanup.parallelism,
        occurrences=occurrences,
        now=now,
        overhead_seconds=costs.overhead,
    )
    return CleanupEstimate(result, now_to_do.assumed, bool(costs.tables), bool(occurrences))


def _costs(store: JobStore) -> Measured:
    logged = store.log(states=[LogState.SUCCESSFUL, LogState.FAILED], limit=10 * MOST_EXECUTIONS)
    # What a person does costs something else.
    return measured([entry for entry in logged if entry.operation is None])


def _rate(configured: int, costs: Measured, expired: Sequence[Expired]) -> float:
    """Rows a second of all the jobs that are configured."""
    measured_together = costs.concurrency > ALONE
    together = min(configured, costs.concurrency) if measured_together else gain(configured)
    total = work(costs, [replace(one, rows=max(1, one.rows)) for one in expired])
    return total.rows / total.seconds * together if total.seconds else UNKNOWN_RATE
