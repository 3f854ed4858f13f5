"""A time-out is not repeated at the same size: not in the pass, not in the next run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from cleanupctl.core.run.limits import BatchMemory
from cleanupctl.core.store import open_store
from cleanupctl.core.urls import parse_url
from cleanupctl.history.cleaning.batches import TaskRun
from cleanupctl.history.cleaning.sizing import Pacing
from cleanupctl.history.cleaning.tasks import TableTask
from cleanupctl.history.cleaning.workers import Worker
from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.dependents import Along
from cleanupctl.history.databases.errors import LockConflictError, StatementTimeoutError
from cleanupctl.history.databases.scan import Batch
from tests.support.limits import TestLimits

if TYPE_CHECKING:
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.target import Target


@dataclass
class Named:
    name: str = "events"
    references: tuple[object, ...] = ()


@dataclass
class Events:
    label: str = "events"
    part: str = ""
    condition: Condition = field(default_factory=lambda: Condition("1 = 1"))
    guards: tuple[Condition, ...] = ()
    table: Named = field(default_factory=Named)


@dataclass
class CrowdedDatabase:
    """Batches of more than `fits` units run into a lock time-out."""

    fits: int
    rows: int
    tried: list[int] = field(default_factory=list)
    access_path: str = "sweep"
    shared: Any = None
    start_units: int = 1000
    most_units: int = 100_000
    writing_turn: float | None = None
    patience: int = 0
    """Lock conflicts that end by themselves."""

    def scan(self, _target: object) -> CrowdedDatabase:
        return self

    def require_deletable(self, _table: object) -> None:
        """Nothing forbids it."""

    def layout_of(self, _table: object) -> None:
        return None

    def take_along(self) -> Along:
        return Along()

    def estimate(self, _target: object) -> None:
        return None

    def most_rows(self, configured: int) -> int:
        return configured

    @property
    def position(self) -> int:
        return self.rows

    def release(self) -> None:
        """Nothing is shared."""

    def run(self, units: int, most_rows: int) -> Batch:
        self.tried.append(units)
        if self.patience:
            self.patience -= 1
            raise LockConflictError("deadlock")
        if units > self.fits:
            raise StatementTimeoutError("time-out")
        rows = min(units, self.rows, most_rows)
        self.rows -= rows
        return Batch(rows, done=not self.rows)


def clean(database: CrowdedDatabase, limits: TestLimits) -> None:
    pacing = Pacing(timedelta(seconds=0.25), 10_000)
    worker = Worker("engine", cast("Database", database), pacing, ZoneInfo("UTC"))
    list(TaskRun(worker, TableTask(cast("Target", Events()))).events(limits))


def test_a_size_that_timed_out_is_halved_for_the_rest_of_the_pass() -> None:
    database = CrowdedDatabase(fits=300, rows=2000)
    clean(database, TestLimits())
    assert database.tried[:3] == [1000, 500, 250]
    assert max(database.tried[2:]) == 250
    assert database.rows == 0


def test_a_size_that_timed_out_is_not_tried_again_however_long_the_pass() -> None:
    database = CrowdedDatabase(fits=300, rows=50_000)
    clean(database, TestLimits())
    assert len(database.tried) > 150
    assert max(database.tried[2:]) == 250


def test_after_conflicts_with_others_batches_grow_again_within_the_pass() -> None:
    limits = TestLimits()
    database = CrowdedDatabase(fits=10**9, rows=300_000, patience=6)
    clean(database, limits)
    assert database.tried[:7] == [1000, 500, 250, 125, 62, 31, 15]
    assert max(database.tried[7:26]) == 15
    assert database.tried[-1] > 1000
    assert limits.pauses == 6


def test_the_next_run_begins_at_the_size_that_worked() -> None:
    limits = TestLimits()
    clean(CrowdedDatabase(fits=300, rows=2000), limits)
    second = CrowdedDatabase(fits=300, rows=2000)
    clean(second, limits)
    assert max(second.tried) == 250


def test_sizes_grow_again_pass_by_pass_once_nobody_is_in_the_way() -> None:
    limits = TestLimits()
    clean(CrowdedDatabase(fits=300, rows=2000), limits)
    largest = []
    for _ in range(12):
        database = CrowdedDatabase(fits=10**9, rows=50_000)
        clean(database, limits)
        largest.append(max(database.tried))
    assert largest[:3] == [250, 500, 1000]
    assert limits.remembered("engine", "events by sweep") is None


def test_sizes_are_kept_in_the_store_for_other_processes(database_url: str) -> None:
    url = parse_url(database_url)
    with open_store(url) as store:
        memory = BatchMemory(store)
        assert memory.get("engine", "events") is None
        memory.set("engine", "events", 250)
        memory.set("engine", "x" * 300, 7)
    with open_store(url) as store:
        again = BatchMemory(store)
        assert (again.get("engine", "events"), again.get("engine", "x" * 300)) == (250, 7)
        again.set("engine", "events", None)
        assert BatchMemory(store).get("engine", "events") is None
