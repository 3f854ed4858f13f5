"""What a session has to do, phase by phase: targets and works, shared out among workers."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cleanupctl.core.errors import CleanupctlError, HistoryError, HistoryUnreachableError
from cleanupctl.core.run.cleaning import Failed, Stopped
from cleanupctl.history.cleaning.batches import TargetRun
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from datetime import datetime

    from cleanupctl.core.run.cleaning import Event, Expired, Limits, Noticed
    from cleanupctl.history.cleaning.session import CleaningSession
    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.database import Database

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
            shared_scan = session.shared.shared_scan(self._key(target))
            if shared_scan is None or target.label in self._could_not_help or not isinstance(target, Target):
                continue
            run = TargetRun(session.name, session.database, target, session.pacing, session.learned)
            try:
                yield from run.help(shared_scan, limits)
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
        self._session.database.keep_alive()
        limits.pause(min(MOST_WAIT_SECONDS, WAIT_FOR_OTHERS_SECONDS * 2**self._waits))
        self._waits = min(self._waits + 1, MOST_WAITS_COUNTED)


def _part(target: Target | Work) -> str:
    return "" if isinstance(target, Target) else target.part
