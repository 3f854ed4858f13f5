"""What a run did: as one JSON object, and as a table with sentences."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from cleanupctl.cli.views.job_log import removed_objects
from cleanupctl.cli.views.jobs import job_object, next_run
from cleanupctl.core.run.cleaning import Failed, Noticed
from cleanupctl.core.run.events import JobProgress, RunEvent, RunTotals, Throttled
from cleanupctl.core.run.throttle import LOAD, REPLICA_LAG
from cleanupctl.core.times import format_instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleanupctl.cli.context import Context
    from cleanupctl.core.job import Job

OTHERS = (LOAD, REPLICA_LAG)
"""Reasons for waiting that come from others and may last: they are told at once, not only in the summary."""


class RunReport:
    """Collects the events of one run and writes the summary."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._started = time.monotonic()
        self._notices: list[tuple[str, str]] = []
        self._jobs: Sequence[Job] = ()
        self._seconds = 0.0
        self.account = RunTotals()

    def add(self, event: RunEvent) -> None:
        """Take one event in."""
        if (
            isinstance(event, Throttled)
            and event.reason in OTHERS
            and event.reason not in self.account.waited
        ):
            self._context.output.notice(f"waiting: {event.reason} is over the limit of [throttle]")
        self.account.add_run(event)
        if isinstance(event, JobProgress) and isinstance(event.event, Noticed):
            notice = (event.event.history, event.event.message)
            # Several jobs clean the same histories and find the same.
            if notice not in self._notices:
                self._notices.append(notice)
                self._context.output.notice(f"{notice[0]}: {notice[1]}")

    def finish(self, jobs: Sequence[Job]) -> None:
        """Note the time that passed and the jobs as they are afterwards."""
        self._seconds = time.monotonic() - self._started
        self._jobs = jobs

    @property
    def failures(self) -> list[Failed]:
        """Every table and history that failed."""
        return self.account.failures

    def failure_sentence(self) -> str:
        """Say in one sentence what failed."""
        # Several jobs meet the same trouble: it is said once.
        causes = dict.fromkeys(
            f"{failure.history}{f', table {failure.table}' if failure.table else ''}: {failure.error}"
            for failure in self.failures
        )
        return f"cleanup failed: {'; '.join(causes)}"

    def write(self) -> None:
        """Write the summary."""
        if self._context.output.json:
            self._context.output.data(self._object())
        else:
            self._write_table()

    def _object(self) -> dict[str, Any]:
        account, zone = self.account, self._context.settings.timezone
        return {
            "executions": account.executions,
            "removedRows": account.total,
            "removed": removed_objects(account.removed()),
            "skipped": [
                {"history": place[0], "table": place[1], "rows": rows, "reason": account.why_skipped[place]}
                for place, rows in account.skipped.items()
            ],
            "batches": account.batches,
            "seconds": round(self._seconds, 3),
            "rowsPerSecond": round(account.total / self._seconds) if self._seconds else 0,
            "waitedSeconds": {reason: ms / 1000 for reason, ms in account.waited.items()},
            "stopReasons": sorted(account.stop_reasons),
            "incomplete": account.incomplete,
            "failures": [
                {"history": failure.history, "table": failure.table, "message": str(failure.error)}
                for failure in account.failures
            ],
            "notices": [{"history": history, "message": message} for history, message in self._notices],
            "jobs": [job_object(job, zone) for job in self._jobs],
        }

    def _write_table(self) -> None:
        account, output = self.account, self._context.output
        if not account.executions:
            output.text(self._nothing_due())
            return
        removed = account.removed()
        if removed:
            output.table(
                ("HISTORY", "TABLE", "ROWS"),
                ((r.history, r.table, f"{r.rows:,}") for r in removed),
                right=("ROWS",),
            )
        for (history, table), reason in account.why_skipped.items():
            output.notice(f"{history}: table {table}: {reason}")
        rate = f", {account.total / self._seconds:,.0f} rows/s" if account.total and self._seconds else ""
        output.text(
            f"{account.total:,} rows removed in {account.batches} batches, {self._seconds:.1f} s{rate}"
        )
        for reason, milliseconds in account.waited.items():
            output.text(f"held back for {milliseconds / 1000:.1f} s by {reason}")
        output.text(f"{self._ended()}{self._next()}")

    def _nothing_due(self) -> str:
        if not self._jobs:
            return "there are no cleanup jobs: `cleanupctl schedule` creates them"
        return f"nothing is due{self._next()}"

    def _ended(self) -> str:
        reasons = self.account.reasons_left
        return f"expired rows may be left: {'; '.join(reasons)}" if reasons else "nothing expired is left"

    def _next(self) -> str:
        windows = self._context.settings.windows
        runs = [next_run(job, self._context.now(), windows) for job in self._jobs]
        known = [run for run in runs if run is not None]
        if known:
            return f"; next run {format_instant(min(known), self._context.settings.timezone)}"
        return "; every job waits: see `cleanupctl jobs`" if self._jobs else ""
