"""One open history: a connection, and what is deleted or counted in it as the planner says."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.core.run.cleaning import Expired, Failed, Left, Noticed
from cleanupctl.history.cleaning.phases import PhaseRun
from cleanupctl.history.cleaning.workers import Shared, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.core.run.cleaning import Event, Limits
    from cleanupctl.history.cleaning.sizing import Pacing
    from cleanupctl.history.cleaning.tasks import Planner, Task
    from cleanupctl.history.databases.database import BeforeDelete, Database
    from cleanupctl.history.databases.replicas import Lag


class CleaningSession:
    """Implements `core.run.cleaning.Session` on any database with any planner."""

    def __init__(self, worker: Worker, lag: Lag, planner: Planner) -> None:
        self.worker = worker
        self.planner = planner
        self._lag = lag

    @property
    def database(self) -> Database:
        """The connection."""
        return self.worker.database

    def clean(self, now: datetime, limits: Limits) -> Iterator[Event]:
        """Delete what has expired at `now`, phase by phase."""
        complete, held = True, list[str]()
        for phase in self.planner(self.database, now):
            yield from phase.events
            complete = complete and not any(isinstance(event, Failed) for event in phase.events)
            if phase.needs_earlier and not complete:
                waiting = ", ".join(task.label for task in phase.tasks)
                why = f" (other sessions hold rows of {', '.join(held)})" if held else ""
                yield Left(
                    self.worker.history,
                    f"{waiting} not touched: rows that belong to theirs could not be removed{why}",
                )
                return
            run = PhaseRun(self.worker, phase, now)
            yield from run.events(limits)
            held += run.passed_over
            complete = complete and not (run.failed or run.passed_over)
            if run.stopped:
                return

    def keep_alive(self) -> None:
        """Use the connection now and then, so that the server does not end it."""
        self.database.keep_alive()

    def server_time(self) -> datetime | None:
        """Return what the clock of the database says."""
        return self.database.server_time()

    def answers(self) -> bool:
        """Return whether the connection gets on; one that is lost is broken off."""
        return self.database.answers()

    def break_off(self, why: str) -> None:
        """End what the connection waits for, and the connection."""
        self.database.break_off(why)

    def replica_lag(self) -> float:
        """Return how many seconds the slowest replica is behind."""
        return self._lag.seconds()

    def preview(self, now: datetime) -> Iterator[Expired | Noticed | Failed]:
        """Count what `clean` would delete; deletes nothing."""
        totals: dict[str, Expired] = {}
        for phase in self.planner(self.database, now):
            for event in phase.events:
                if isinstance(event, Noticed | Failed):
                    yield event
            for task in () if phase.again else phase.tasks:
                try:
                    yield from self._counted(task, totals)
                except HistoryUnreachableError:
                    raise
                except HistoryError as error:
                    yield Failed(self.worker.history, task.label, error)
        yield from totals.values()

    def _counted(self, task: Task, totals: dict[str, Expired]) -> Iterator[Expired | Noticed]:
        """Count one task; what several of them delete from the same table is added up."""
        for event in task.preview(self.worker):
            if isinstance(event, Noticed):
                yield event
                continue
            known = totals.get(event.table, event)
            oldest = min((one.oldest for one in (known, event) if one.oldest), default=None)
            rows = event.rows if known is event else known.rows + event.rows
            totals[event.table] = replace(event, rows=rows, oldest=oldest)


class CleaningHistory:
    """Implements `core.run.cleaning.History`: knows how to connect and how to plan."""

    def __init__(
        self,
        name: str,
        connect: Callable[[], Database],
        lag_of: Callable[[Database], Lag],
        *,
        planner: Planner,
        pacing: Pacing,
        zone: ZoneInfo,
        steps: Sequence[BeforeDelete] = (),
    ) -> None:
        """Prepare; nothing is connected yet. Every deletion passes `steps` inside its transaction."""
        self._name = name
        self._connect = connect
        self._lag_of = lag_of
        self._planner = planner
        self._pacing = pacing
        self._zone = zone
        self._steps = tuple(steps)
        self._shared = Shared()

    @property
    def name(self) -> str:
        """Name in the configuration."""
        return self._name

    @contextmanager
    def open(self) -> Iterator[CleaningSession]:
        """Connect; every worker opens a session of its own."""
        database = self._connect()
        database.steps = self._steps
        lag = self._lag_of(database)
        worker = Worker(self._name, database, self._pacing, self._zone, self._shared)
        try:
            yield CleaningSession(worker, lag, self._planner)
        finally:
            lag.close()
            database.close()
