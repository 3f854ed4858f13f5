"""One open history: phases of targets, cleaned batch by batch, shared out among workers."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from cleanupctl.core.cleaning import Expired, Failed, Noticed, Stopped
from cleanupctl.core.errors import CleanupctlError, HistoryError, HistoryUnreachableError
from cleanupctl.history.batches import Pacing, TargetRun
from cleanupctl.history.shared import Shared
from cleanupctl.history.sql import Target, as_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.core.cleaning import Event, Limits
    from cleanupctl.history.replicas import Lag
    from cleanupctl.history.sql import Database, Table

WAIT_FOR_OTHERS_SECONDS = 0.01
"""First wait for a table that another worker cleans; it doubles with each further one."""
MOST_WAIT_SECONDS = 1.0
MOST_WAITS_COUNTED = 10


class Work(Protocol):
    """Something else than the rows of one table that one worker at a time cleans, such as instances."""

    @property
    def label(self) -> str:
        """What it is, for people."""

    @property
    def table(self) -> Table:
        """The table that is claimed."""

    @property
    def part(self) -> str:
        """The part of the table that is claimed."""

    def clean(self, session: CleaningSession, limits: Limits) -> Generator[Event, None, str | None]:
        """Delete batch by batch, in any session; returns why it was stopped, None when it is done."""

    def expired(self, session: CleaningSession) -> Iterator[Expired | Noticed]:
        """Count what `clean` would delete."""


@dataclass(frozen=True, slots=True)
class Phase:
    """Targets and works that may be cleaned at the same time, in this order by a single worker."""

    targets: tuple[Target, ...] = ()
    events: tuple[Event, ...] = ()
    """What planning found out: notices, and tables that cannot be cleaned."""
    needs_earlier: bool = False
    """Whether its rows may go only when everything in the phases before has gone."""
    works: tuple[Work, ...] = ()

    @property
    def items(self) -> list[Target | Work]:
        """Everything that there is to do."""
        return [*self.targets, *self.works]


class Planner(Protocol):
    """The knowledge of one kind of history: which rows may go, and in which order."""

    def __call__(self, database: Database, now: datetime) -> Iterator[Phase]:
        """Yield the phases; each is planned when the one before has ended."""


class CleaningSession:
    """Implements `core.cleaning.Session` on any database with any planner."""

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
            self.name, target.label, rows, as_instant(oldest, target, self.zone, target.time_format)
        )


class PhaseRun:
    """Works through one phase next to other workers: whoever claims a table first cleans it.

    Workers of one process that find no free table help where a table is walked piece by piece.
    """

    def __init__(self, session: CleaningSession, phase: Phase, now: datetime) -> None:
        self.failed = False
        self.stopped = False
        self._session = session
        self._pending = phase.items
        self._waited: set[str] = set()
        self._could_not_help: set[str] = set()
        self._waits = 0
        self._now = now

    def events(self, limits: Limits) -> Iterator[Event]:
        """Clean every table of the phase that nobody else cleans, then see that the others' are done."""
        while self._pending and not self.stopped:
            pending = len(self._pending)
            for target in list(self._pending):
                yield from self._take(target, limits)
                if self.stopped:
                    return
            if len(self._pending) < pending:
                self._waits = 0
                continue
            helped = yield from self._help(limits)
            if not helped and not self.stopped:
                yield from self._wait(limits)

    def _take(self, target: Target | Work, limits: Limits) -> Iterator[Event]:
        """Clean one table, or part of one, to its end, unless somebody else does or did."""
        if self._finished_by_others(target):
            self._pending.remove(target)
            return
        with self._claimed(target) as mine:
            if not mine:
                self._waited.add(target.label)
                return
            self._pending.remove(target)
            yield from self._clean(target, limits)

    def _help(self, limits: Limits) -> Generator[Event, None, bool]:
        """Take part in the first walk that has something left; returns whether there was one."""
        session = self._session
        for target in self._pending:
            walk = session.shared.walk(self._key(target))
            if walk is None or target.label in self._could_not_help or not isinstance(target, Target):
                continue
            run = TargetRun(session.name, session.database, target, session.pacing, session.learned)
            try:
                yield from run.help(walk, limits)
            except HistoryUnreachableError:
                raise
            except HistoryError:
                # The worker whose table it is meets the same trouble, and reports it once.
                self._could_not_help.add(target.label)
            self.stopped = bool(run.stopped)
            self._waits = 0
            return True
        return False

    def _finished_by_others(self, target: Target | Work) -> bool:
        return self._session.shared.is_done(self._key(target), self._now)

    def _key(self, target: Target | Work) -> str:
        return f"{self._session.database.qualified(target.table)} {_part(target)}"

    @contextmanager
    def _claimed(self, target: Target | Work) -> Iterator[bool]:
        database, shared, key = self._session.database, self._session.shared, self._key(target)
        if not shared.claim(key):
            yield False
            return
        try:
            mine = database.claim(target.table, _part(target))
            try:
                yield mine
            finally:
                if mine:
                    # The claim ends with the connection; a lost one must not hide what went wrong before.
                    with suppress(CleanupctlError):
                        database.release(target.table, _part(target))
        finally:
            shared.release(key)

    def _clean(self, target: Target | Work, limits: Limits) -> Iterator[Event]:
        session, stopped = self._session, False
        try:
            if isinstance(target, Target):
                stopped = yield from self._clean_target(target, limits)
            else:
                stopped = bool((yield from target.clean(session, limits)))
        except HistoryUnreachableError:
            raise
        except HistoryError as error:
            self.failed = True
            yield Failed(session.name, target.label, error)
            return
        if stopped:
            self.stopped = True
            return
        session.shared.finish(self._key(target), self._now)

    def _clean_target(self, target: Target, limits: Limits) -> Generator[Event, None, bool]:
        session = self._session
        # After waiting for another worker there is mostly nothing left: ask before walking the table.
        if target.label in self._waited and not session.database.any_left(target):
            return False
        run = TargetRun(session.name, session.database, target, session.pacing, session.learned)
        with session.shared.running(self._key(target), run):
            yield from run.events(limits)
        return bool(run.stopped)

    def _wait(self, limits: Limits) -> Iterator[Event]:
        reason = limits.stop_reason()
        if reason:
            self.stopped = True
            yield Stopped(self._session.name, reason)
            return
        limits.pause(min(MOST_WAIT_SECONDS, WAIT_FOR_OTHERS_SECONDS * 2**self._waits))
        self._waits = min(self._waits + 1, MOST_WAITS_COUNTED)


def _part(target: Target | Work) -> str:
    return "" if isinstance(target, Target) else target.part


class CleaningHistory:
    """Implements `core.cleaning.History`: knows how to connect and how to plan."""

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
