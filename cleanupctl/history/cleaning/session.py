"""One open history: a connection, and what is cleaned or counted in it as the planner says."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.core.run.cleaning import Expired, Failed, Noticed
from cleanupctl.history.cleaning.phases import PhaseRun
from cleanupctl.history.cleaning.workers import Shared
from cleanupctl.history.databases.cutoff import as_instant
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.core.run.cleaning import Event, Limits
    from cleanupctl.history.cleaning.batches import Pacing
    from cleanupctl.history.cleaning.phases import Planner, Work
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.replicas import Lag


class CleaningSession:
    """Implements `core.run.cleaning.Session` on any database with any planner."""

    def __init__(
        self,
        name: str,
        database: Database,
        lag: Lag,
        *,
        planner: Planner,
        pacing: Pacing,
        zone: ZoneInfo,
        shared: Shared,
    ) -> None:
        self.name = name
        self.database = database
        self._lag = lag
        self.planner = planner
        self.pacing = pacing
        self.zone = zone
        self.shared = shared
        self.learned: dict[str, int] = {}
        """How large the last batches were, by the way in which rows are found."""

    def clean(self, now: datetime, limits: Limits) -> Iterator[Event]:
        """Delete what has expired at `now`, phase by phase."""
        complete = True
        for phase in self.planner(self.database, now):
            yield from phase.events
            complete = complete and not any(isinstance(event, Failed) for event in phase.events)
            if phase.needs_earlier and not complete:
                waiting = ", ".join(item.label for item in phase.items)
                yield Noticed(
                    self.name, f"{waiting} not touched: rows that belong to theirs could not be removed"
                )
                return
            work = PhaseRun(self, phase, now)
            yield from work.events(limits)
            complete = complete and not work.failed
            if work.stopped:
                return

    def keep_alive(self) -> None:
        """Give the database a sign of life."""
        self.database.keep_alive()

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
            for item in phase.items:
                try:
                    yield from self._counted(item, totals)
                except HistoryUnreachableError:
                    raise
                except HistoryError as error:
                    yield Failed(self.name, item.label, error)
        yield from totals.values()

    def _counted(self, item: Target | Work, totals: dict[str, Expired]) -> Iterator[Expired | Noticed]:
        """Count one target; what works delete is added up by table, because many of them share the tables."""
        if isinstance(item, Target):
            yield self._expired(item)
            return
        for event in item.expired(self):
            if isinstance(event, Noticed):
                yield event
                continue
            known = totals.get(event.table, event)
            oldest = min((one.oldest for one in (known, event) if one.oldest), default=None)
            rows = event.rows if known is event else known.rows + event.rows
            totals[event.table] = replace(event, rows=rows, oldest=oldest)

    def _expired(self, target: Target) -> Expired:
        rows, oldest = self.database.count(target)
        return Expired(
            self.name,
            target.label,
            rows,
            as_instant(oldest, target, self.zone, target.time_format),
            self.database.typical_costs.seconds(target.table),
        )


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
    ) -> None:
        self._name = name
        self._connect = connect
        self._lag_of = lag_of
        self._planner = planner
        self._pacing = pacing
        self._zone = zone
        self._shared = Shared()

    @property
    def name(self) -> str:
        """Name in the configuration."""
        return self._name

    @contextmanager
    def open(self) -> Iterator[CleaningSession]:
        """Connect; every worker opens a session of its own."""
        database = self._connect()
        lag = self._lag_of(database)
        try:
            yield CleaningSession(
                self._name,
                database,
                lag,
                planner=self._planner,
                pacing=self._pacing,
                zone=self._zone,
                shared=self._shared,
            )
        finally:
            lag.close()
            database.close()
