"""What a run tells while it goes on, and what remains of it at the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cleanupctl.core.job import Removed
from cleanupctl.core.run.cleaning import BatchChanged, BatchDeleted, Failed, Left, TableFinished

if TYPE_CHECKING:
    from cleanupctl.core.job import Job, LogEntry
    from cleanupctl.core.jobs.scheduler import Rescheduled
    from cleanupctl.core.run.cleaning import Event

FINISHED = "finished"
"""Stop reason of an execution that left nothing to do."""
OUTSIDE_WINDOW = "outside-window"
WINDOW_END = "window-end"
MAX_ROWS = "max-rows"
MAX_RUNTIME = "max-runtime"
LEASE_LOST = "lease-lost"

MORE_TO_DO = frozenset({MAX_ROWS, MAX_RUNTIME, "signal", "stop-file"})
"""Reasons after which a job is due again at once: it stopped in the middle of its work."""


@dataclass(frozen=True, slots=True)
class JobStarted:
    """A due job was taken."""

    job: Job


@dataclass(frozen=True, slots=True)
class JobProgress:
    """Something happened in a history."""

    job: Job | None
    """None for what a person does without a job."""
    event: Event


@dataclass(frozen=True, slots=True)
class JobEnded:
    """An execution is over and recorded."""

    job: Job
    entry: LogEntry
    next: Rescheduled
    held: bool
    """False when the lease was lost: the job was left to whoever has it now."""


@dataclass(frozen=True, slots=True)
class Throttled:
    """A worker held back between two batches."""

    job: Job | None
    reason: str
    """`duty-cycle`, `rows-per-second`, `load` or `replica-lag`."""
    seconds: float


RunEvent = JobStarted | JobProgress | JobEnded | Throttled


@dataclass(slots=True)
class RunTotals:
    """Adds up what one execution, or a whole run, did."""

    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Deleted rows by history and table, in the order in which the tables came."""
    changed: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rows whose values were set, by history and table."""
    batches: int = 0
    skipped: dict[tuple[str, str], int] = field(default_factory=dict)
    """Expired rows that something still needs, by history and table."""
    why_skipped: dict[tuple[str, str], str] = field(default_factory=dict)
    left: bool = False
    """Whether rows stay that others held, or that were not looked at."""
    failures: list[Failed] = field(default_factory=list)
    stop_reasons: set[str] = field(default_factory=set)
    executions: int = 0
    waited: Counter[str] = field(default_factory=Counter)
    """Milliseconds that workers held back, by reason."""

    def add(self, event: Event) -> None:
        """Count one event of a history."""
        match event:
            case BatchDeleted():
                self.batches += 1
                for table, rows in event.by_table:
                    self.rows[event.history, table] += rows
                for table, rows in event.changed:
                    self.changed[event.history, table] += rows
            case BatchChanged():
                self.batches += 1
                for table, rows in event.by_table:
                    self.changed[event.history, table] += rows
            case TableFinished(skipped=skipped) if skipped:
                place = event.history, event.table
                self.skipped[place] = self.skipped.get(place, 0) + skipped
                self.why_skipped[place] = event.reason or f"{skipped} rows are still needed"
            case Left():
                self.left = True
            case Failed():
                self.failures.append(event)

    def add_run(self, event: RunEvent) -> None:
        """Count one event of a run."""
        match event:
            case JobStarted():
                self.executions += 1
            case JobProgress():
                self.add(event.event)
            case Throttled():
                self.waited[event.reason] += round(event.seconds * 1000)
            case JobEnded():
                if event.entry.stop_reason:
                    self.stop_reasons.add(event.entry.stop_reason)

    @property
    def total(self) -> int:
        """All deleted rows."""
        return self.rows.total()

    @property
    def incomplete(self) -> bool:
        """Whether expired rows are left, or may be."""
        return bool(self.reasons_left)

    @property
    def reasons_left(self) -> tuple[str, ...]:
        """Say why expired rows are left, or may be; empty when none is."""
        stops = self.stop_reasons - {FINISHED}
        reasons = {
            f"stopped by {', '.join(sorted(stops - {OUTSIDE_WINDOW}))}": bool(stops - {OUTSIDE_WINDOW}),
            "the batch window is closed": OUTSIDE_WINDOW in stops,
            "not all could be cleaned": bool(self.failures),
            "rows stay that others held, or that wait for such": self.left,
            "some are still needed": bool(self.skipped),
        }
        return tuple(reason for reason, holds in reasons.items() if holds)

    def removed(self) -> tuple[Removed, ...]:
        """List deleted rows by table, without the tables that lost none; changed rows come after them."""
        deleted = [Removed(*place, rows) for place, rows in self.rows.items() if rows]
        changed = [Removed(*place, 0, changed=rows) for place, rows in self.changed.items() if rows]
        return (*deleted, *changed)
