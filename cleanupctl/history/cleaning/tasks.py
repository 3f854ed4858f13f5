"""What a run has to do, phase by phase: tasks, each of which deletes rows of one claimed part of a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from cleanupctl.core.run.cleaning import Expired, Noticed
from cleanupctl.history.databases.conditions import both
from cleanupctl.history.databases.cutoff import as_instant
from cleanupctl.history.databases.database import COUNT_BOUND
from cleanupctl.history.databases.dependents import dependents, restricting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from cleanupctl.core.run.cleaning import Event
    from cleanupctl.history.cleaning.workers import Worker
    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.scan import BatchSource
    from cleanupctl.history.databases.shared_scan import SharedScan
    from cleanupctl.history.databases.target import Target


class Task(ABC):
    """Rows to delete, with or without what belongs to them in other tables; one worker has it at a time."""

    table: Table
    """The table that is claimed, and under whose name its batches are reported."""
    part: str = ""
    """The part of the table that is claimed; empty for all of it."""
    label: str
    """What it is, for people."""
    repeats: bool = False
    """Whether a pass can make rows free for another one."""
    cautious: bool = False
    """Whether batches should grow slowly after one that took too long."""
    changes_values: bool = False
    """Whether it sets values of rows and deletes none."""

    @abstractmethod
    def begin(self, database: Database) -> BatchSource:
        """Start a pass over the rows. Raise HistoryError when that cannot be done."""

    def join(self, database: Database, shared: SharedScan[Any]) -> BatchSource:
        """Take part in another worker's pass."""
        return database.join(shared)

    def estimate(self, database: Database) -> int | None:
        """Return the number of rows by statistics; None where there are none."""
        del database
        return None

    def any_left(self, database: Database) -> bool:
        """Whether it may be worth beginning."""
        del database
        return True

    def without_referenced(self, database: Database) -> Task | None:
        """Return the task for those rows only that no other table points at; None when that is this one."""
        del database
        return None

    def notices(self) -> Iterable[str]:
        """Say at the end what the operator should know."""
        return ()

    def skipped(self, database: Database) -> tuple[int, str | None]:
        """Return how many rows were left that something still needs, and why."""
        del database
        return 0, None

    def held(self, database: Database) -> str:
        """Say that rows are left which other sessions held."""
        del database
        return f"rows of {self.label} that other sessions held stay: the next run deletes them"

    @abstractmethod
    def preview(self, worker: Worker) -> Iterator[Expired | Noticed]:
        """Count what would be deleted, by table; deletes nothing."""


class TableTask(Task):
    """The expired rows of a single table."""

    def __init__(
        self,
        target: Target,
        *,
        repeats: bool = False,
        kept: str | None = None,
        look: Callable[[], Target] | None = None,
    ) -> None:
        """Prepare; `kept` says why the guards keep rows: some that would go along have not expired.

        `look` returns what a look counts, where a run finds out only then what it keeps.
        """
        self.target = target
        self.kept = kept
        self._look = look or (lambda: target)
        self._unreferenced = both((target.condition, *target.guards))
        self.table = target.table
        self.label = target.label
        # A task with a name of its own is not the table's: the one must not count as done with the other.
        self.part = target.part or type(self).part
        # Rows of a table that refers to itself come free once those that point at them are deleted.
        self.repeats = repeats

    def begin(self, database: Database) -> BatchSource:
        """Choose how to find the rows, from the statistics."""
        database.require_deletable(self.table)
        return database.scan(self.target)

    def estimate(self, database: Database) -> int | None:
        """Return the number of expired rows by statistics."""
        return database.estimate(self.target)

    def any_left(self, database: Database) -> bool:
        """Whether any expired row is left."""
        return database.any_left(self.target)

    def without_referenced(self, database: Database) -> TableTask | None:
        """Return the task that passes over rows which a foreign key still points at."""
        if self.repeats:
            return None
        guards = database.references_guard(self.target.table)
        target = replace(self.target, guards=(*self.target.guards, *guards))
        task = type(self)(target, repeats=True, kept=self.kept, look=self._look)
        task._unreferenced = self._unreferenced
        return task

    def skipped(self, database: Database) -> tuple[int, str | None]:
        """Count the rows that are still referenced, if any were in the way."""
        if not (self.repeats or self.kept):
            return 0, None
        # What else keeps rows is no reference: of those that it does not keep, none is left but these.
        kept = self._unreferenced if self.repeats and not self.kept else self.target.condition
        skipped = database.bounded_count(self.target.table, kept)
        more = " at least" if skipped >= COUNT_BOUND else ""
        if not self.repeats:
            return skipped, f"{more} {skipped} rows stay: {self.kept}".strip() if skipped else None
        names = ", ".join(sorted({path[-1].table for path in restricting(self.table)}))
        return skipped, f"{more} {skipped} rows are still referenced from {names}".strip()

    def held(self, database: Database) -> str:
        """Say how many rows are left which other sessions held."""
        number = database.bounded_count(self.target.table, self.target.deletable)
        more = "at least " if number >= COUNT_BOUND else ""
        return (
            f"{more}{number} rows of {self.label} stay, since other sessions hold them or held them a moment"
            " ago: the next run deletes them"
        )

    def preview(self, worker: Worker) -> Iterator[Expired | Noticed]:
        """Count the expired rows, and those of other tables that go along."""
        worker.database.require_deletable(self.table)
        target = self._look()
        rows, oldest = worker.database.count(target)
        yield Expired(
            worker.history,
            self.label,
            rows,
            as_instant(oldest, self.target, worker.zone, self.target.time_format),
            worker.database.typical_costs.seconds(self.table),
        )
        if dependents(self.table) and self.kept is None:
            along = worker.database.count_along(self.table, target.deletable)
            for name, number in along.deleted.items():
                yield Expired(worker.history, name, number, None)
            for name, number in along.changed.items():
                message = f"{number} rows of {name} would be changed (ON DELETE SET NULL or SET DEFAULT)"
                yield Noticed(worker.history, message)


class LateTask(TableTask):
    """The rows of a table that have expired since its own task was done."""

    part = "late"

    def skipped(self, database: Database) -> tuple[int, str | None]:
        """Say nothing: the table's own task has told what stays."""
        del database
        return 0, None


@dataclass(frozen=True, slots=True)
class Phase:
    """Tasks that may be worked on at the same time, in this order by a single worker."""

    tasks: tuple[Task, ...] = ()
    events: tuple[Event, ...] = ()
    """What planning found out: notices, and tables that cannot be cleaned."""
    needs_earlier: bool = False
    """Whether its rows may be deleted only when everything in the phases before has been."""
    again: bool = False
    """Whether these are tables of earlier phases, with what was written meanwhile."""


class Planner(Protocol):
    """The knowledge of one kind of history: which rows may be deleted, and in which order."""

    def __call__(self, database: Database, now: datetime) -> Iterator[Phase]:
        """Yield the phases; each is planned when the one before has ended."""
