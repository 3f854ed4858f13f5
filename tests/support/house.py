"""A run in the test's hands: a real store, settings, a clock that the test moves, pretended histories."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cleanupctl.core.job import LogState
from cleanupctl.core.jobs.schedule import Origin, schedule
from cleanupctl.core.run.cleaning import BatchDeleted, Failed, Stopped, TableFinished
from cleanupctl.core.run.executor import Executor, RunRequest
from cleanupctl.core.run.limits import RunEnvironment
from cleanupctl.core.times import parse_time_of_day
from cleanupctl.core.windows.windows import DailyWindow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleanupctl.core.run.cleaning import Event, Limits
    from cleanupctl.core.run.events import RunEvent
    from cleanupctl.core.run.log_history import JobLogHistory
    from cleanupctl.core.settings import Settings
    from cleanupctl.core.store.jobstore import JobStore

NOON = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)
ORIGIN = Origin("host-a", 42, "0.0.0", "0123456789ab")
NIGHT = DailyWindow(parse_time_of_day("22:00"), parse_time_of_day("06:00", end=True))
ALL_DAY = DailyWindow(parse_time_of_day("00:00"), parse_time_of_day("00:00", end=True))


@dataclass
class Clock:
    """A clock that the test moves."""

    now: datetime = NOON
    seconds: float = 0.0

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, duration: timedelta) -> None:
        self.now += duration
        self.seconds += duration.total_seconds()


@dataclass
class PretendHistory:
    """Has so many rows and deletes them in batches of ten; may fail, or do something before each batch."""

    name: str = "pretend"
    rows: int = 0
    error: Exception | None = None
    table_error: Exception | None = None
    before_batch: Callable[[], None] = lambda: None
    along: int = 0
    """Rows that go along with each batch, beyond what was reserved."""
    replica_lag: Callable[[], float] = lambda: 0.0
    threads: set[str] = field(default_factory=set)
    signs_of_life: int = 0
    their_clock: Callable[[], datetime | None] = lambda: None
    gets_on: Callable[[], bool] = lambda: True
    broken_off: list[str] = field(default_factory=list)

    @contextmanager
    def open(self) -> Iterator[PretendHistory]:
        if self.error:
            raise self.error
        yield self

    def keep_alive(self) -> None:
        self.signs_of_life += 1

    def server_time(self) -> datetime | None:
        return self.their_clock()

    def answers(self) -> bool:
        return self.gets_on()

    def break_off(self, why: str) -> None:
        self.broken_off.append(why)

    def clean(self, now: datetime, limits: Limits) -> Iterator[Event]:
        self.threads.add(threading.current_thread().name)
        if self.table_error:
            yield Failed(self.name, "broken", self.table_error)
        while self.rows:
            self.before_batch()
            reason = limits.stop_reason()
            if reason:
                yield Stopped(self.name, reason)
                return
            allowed = limits.reserve(10)
            if not allowed:
                yield Stopped(self.name, "max-rows")
                return
            deleted = min(allowed, self.rows)
            limits.settle(allowed, deleted + self.along)
            self.rows -= deleted
            yield BatchDeleted(self.name, "rows", deleted + self.along, 0.01)
        yield TableFinished(self.name, "rows", 0)

    def preview(self, now: datetime) -> Iterator[Event]:
        yield from ()


def void(_value: object) -> None:
    """Return nothing, whatever was done."""


@dataclass
class House:
    """Store, settings, clock and histories together."""

    store: JobStore
    settings: Settings
    clock: Clock = field(default_factory=Clock)
    asked: str | None = None
    wait: Callable[[float], object] = lambda _seconds: None
    load: Callable[[], float] = lambda: 0.0

    def schedule(self, *, immediately_due: bool = True) -> None:
        schedule(
            self.store, self.settings, now=self.clock.now, immediately_due=immediately_due, origin=ORIGIN
        )

    def run(self, *histories: PretendHistory | JobLogHistory, **request: object) -> list[RunEvent]:
        environment = RunEnvironment(
            clock=self.clock,
            monotonic=lambda: self.clock.seconds,
            asked_to_stop=lambda: self.asked,
            wait=lambda seconds: void(self.wait(seconds)),
            jitter=lambda: 0.0,
            load=self.load,
        )
        executor = Executor(
            store=self.store,
            histories=histories,  # type: ignore[arg-type]
            settings=self.settings,
            origin=ORIGIN,
            environment=environment,
        )
        return list(executor.run(RunRequest(**request)))  # type: ignore[arg-type]

    def log(self) -> list[tuple[LogState, str | None, int]]:
        states = [LogState.FAILED, LogState.SUCCESSFUL]
        return [
            (entry.state, entry.stop_reason, sum(one.rows for one in entry.removed))
            for entry in self.store.log(states=states)
        ]
