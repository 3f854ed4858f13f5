"""Progress of a run on a terminal: rows, rate and time left for each table; nothing elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from cleanupctl.cli.escapes import on_one_line
from cleanupctl.core.run.cleaning import BatchCommitted, TableFinished, TableStarted
from cleanupctl.core.run.events import JobProgress, RunEvent, Throttled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress, TaskID

    from cleanupctl.cli.output import Output


@contextmanager
def progress(output: Output) -> Iterator[Callable[[RunEvent], None]]:
    """Provide a function that draws each event of a run."""
    if not output.shows_progress:
        yield lambda _event: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:>12,.0f} rows"),
        TextColumn("{task.fields[rate]:>10,.0f}/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[held]}", markup=False),
    )
    with Progress(*columns, console=output.console(progress=True), transient=True) as bars:
        yield _Bars(bars).draw


class _Bars:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[tuple[str, str], TaskID] = {}

    def draw(self, event: RunEvent) -> None:
        if isinstance(event, Throttled):
            self._hold(f"waiting: {event.reason}")
        if not isinstance(event, JobProgress):
            return
        self._hold("")
        match event.event:
            case TableStarted(history=history, table=table, estimate=estimate):
                self._task(history, table, estimate)
            case BatchCommitted(history=history, by_table=by_table):
                for table, rows in by_table:
                    task = self._task(history, table, None)
                    self._bars.update(task, advance=rows)
                    self._bars.update(task, rate=self._bars._tasks[task].speed or 0)
            case TableFinished(history=history, table=table):
                # An estimate is only one: what is done is done.
                if (history, table) in self._tasks:
                    self._bars.remove_task(self._tasks.pop((history, table)))

    def _hold(self, why: str) -> None:
        """Say on every line why nothing goes on, until something does."""
        for task in self._tasks.values():
            self._bars.update(task, held=why)

    def _task(self, history: str, table: str, estimate: int | None) -> TaskID:
        key = (history, table)
        if key not in self._tasks:
            self._tasks[key] = self._bars.add_task(
                on_one_line(f"{history} {table}"), total=estimate or None, rate=0, held=""
            )
        return self._tasks[key]
