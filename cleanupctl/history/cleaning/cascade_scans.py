"""Where the batches of hierarchies come from: some whole ones at a time, or parts of one that is too big."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from cleanupctl.history.cleaning.candidates import Candidates
from cleanupctl.history.cleaning.cascade import CascadeBatch
from cleanupctl.history.databases.errors import (
    ChangedError,
    ForeignKeyError,
    LockConflictError,
    StatementTimeoutError,
)
from cleanupctl.history.databases.scan import Batch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cleanupctl.history.cleaning.candidates import Group
    from cleanupctl.history.cleaning.cascade import Unit
    from cleanupctl.history.databases.conditions import Condition
    from cleanupctl.history.databases.shared_scan import SharedScan
    from cleanupctl.history.databases.statements import Delete, Statement
    from cleanupctl.history.databases.table_set import TableSet

START_UNITS = 10
"""Hierarchies of the first transaction: nobody knows yet how much belongs to them."""
MOST_UNITS = 2_000
LOCKED_ATTEMPTS = 3
"""How often a hierarchy is tried that other sessions hold rows of, before it is left to the next run."""
START_ROWS, MOST_ROWS = 2_000, 100_000
"""Rows of the first transaction, and of any, for a hierarchy that is too big for one."""


@dataclass(slots=True)
class Kept:
    """What a task could not delete."""

    changed: int = 0
    """Units that were not any more as they were when they were chosen."""
    referenced: list[str] = field(default_factory=list)
    """What the database said of each unit that other tables point at."""

    def add(self, error: ChangedError | ForeignKeyError) -> None:
        """Count a unit that could not be deleted."""
        if isinstance(error, ForeignKeyError):
            self.referenced.append(error.message)
        else:
            self.changed += 1


class CascadeScan:
    """Deletes the hierarchies of a group, the oldest first; a batch is some of them, whole."""

    start_units = START_UNITS
    most_units = MOST_UNITS
    shared: SharedScan[Any] | None = None

    def __init__(self, tables: TableSet, group: Group, kept: Kept, least_units: int = 1) -> None:
        self.access_path = group.noun
        self._tables = tables
        self._candidates = Candidates(tables, group)
        self._policy = self._candidates.condition()
        self._besides = group.besides
        self._kept = kept
        self._least = least_units
        self._guards: dict[str, tuple[Condition, ...]] = {}
        self._in_parts = False
        self._locked_attempts = 0

    def run(self, units: int, most_rows: int) -> Batch:
        """Delete the next `units` hierarchies with everything that belongs to them."""
        if self._in_parts:
            # Deleted by now, or counted as kept.
            self._candidates.drop(1)
            self._in_parts = False
        chosen = self._candidates.peek(max(self._least, units))
        if not chosen:
            return Batch(0, done=self._candidates.exhausted, idle=True)
        try:
            batch = self._delete(chosen, most_rows)
        except LockConflictError as error:
            return self._locked(chosen, error)
        except (ChangedError, ForeignKeyError) as error:
            return self._without(chosen, error)
        if batch is None:
            return self._too_big(chosen)
        self._candidates.drop(len(chosen))
        return replace(batch, done=self._candidates.finished)

    @property
    def position(self) -> object:
        """Where the pass is."""
        return (self._candidates.looked_at, self._candidates.dropped, self._in_parts, len(self._guards))

    def release(self) -> None:
        """Nothing is shared with other workers."""

    def _delete(self, units: Sequence[Unit], most_rows: int) -> Batch | None:
        """Delete units in one transaction; None, and nothing done, when that is too much for one."""
        started = time.perf_counter()
        statements: list[Statement] = []
        for some in by_plan(units):
            cascade = CascadeBatch(
                self._tables, some[0].plan, some, self._guards, self._policy, self._besides
            )
            if not cascade.gather(most_rows):
                return None
            statements += cascade.statements()
        rows = self._tables.database.transact(statements, most_rows)
        if rows is None:
            return None
        seconds = time.perf_counter() - started
        return Batch(sum(rows), taken=len(units), seconds=seconds, parts=by_table(statements, rows))

    def _locked(self, units: Sequence[Unit], error: LockConflictError) -> Batch:
        """Go on without a hierarchy that others hold, found by taking on fewer. Raise the error till then."""
        self._least = 1
        waited_for = not isinstance(error, StatementTimeoutError)
        # A quarter next time: each attempt waits for the lock.
        error.units = max(1, len(units) // 2) if waited_for else len(units)
        self._locked_attempts = self._locked_attempts + 1 if len(units) == 1 and waited_for else 0
        if self._locked_attempts < LOCKED_ATTEMPTS:
            raise error
        self._locked_attempts = 0
        self._candidates.drop(1)
        return Batch(0, done=self._candidates.finished, idle=True, passed_over=True)

    def _without(self, units: Sequence[Unit], error: ChangedError | ForeignKeyError) -> Batch:
        """Go on without what is in the way: find out what it is, unit by unit if need be."""
        changed = isinstance(error, ChangedError)
        found = self._candidates.drop_changed(units) if changed else spare(self._tables, units, self._guards)
        if found:
            return Batch(0, idle=True)
        if len(units) > 1:
            return self._fewer(units)
        self._kept.add(error)
        self._candidates.drop(1)
        return Batch(0, done=self._candidates.finished, idle=True)

    def _too_big(self, units: Sequence[Unit]) -> Batch:
        if len(units) > 1:
            return self._fewer(units)
        self._in_parts = True
        cascade = CascadeBatch(self._tables, units[0].plan, units, self._guards, self._policy, self._besides)
        return Batch(0, idle=True, rest=UnitScan(cascade, self._guards, self._kept))

    def _fewer(self, units: Sequence[Unit]) -> Batch:
        self._least = 1
        return Batch(0, overflow=True, taken=len(units))


class UnitScan:
    """Deletes one hierarchy that is too big for one transaction, in several: its own row last."""

    access_path = "parts"
    start_units = START_ROWS
    most_units = MOST_ROWS
    shared: SharedScan[Any] | None = None

    def __init__(self, cascade: CascadeBatch, guards: dict[str, tuple[Condition, ...]], kept: Kept) -> None:
        self._cascade = cascade
        self._guards = guards
        self._kept = kept
        self._parts = cascade.in_parts()
        self._next: tuple[str, Delete] | None = next(self._parts, None)
        self._locked_attempts = 0

    def run(self, units: int, most_rows: int) -> Batch:
        """Delete the next `units` rows."""
        if self._next is None:
            return Batch(0, done=True, idle=True)
        table, part = self._next
        delete = self._cascade.guarded(part, table)
        limit = min(units, most_rows)
        statements: list[Statement] = [*self._cascade.checks(), replace(delete, limit=limit)]
        try:
            rows = self._cascade.tables.database.transact(statements, most_rows)
            if rows is None:
                return Batch(0, overflow=True)
            if rows[-1] < limit and not self._any_left(delete):
                self._next = next(self._parts, None)
            elif not rows[-1]:
                raise ChangedError(f"rows of {delete.table.name} cannot be deleted")
        except LockConflictError as error:
            error.units = limit
            self._locked_attempts += not isinstance(error, StatementTimeoutError)
            if self._locked_attempts < LOCKED_ATTEMPTS:
                raise
            self._next = None
            return Batch(0, done=True, idle=True, passed_over=True)
        except (ChangedError, ForeignKeyError) as error:
            return self._without(error)
        self._locked_attempts = 0
        parts = ((delete.table.name, rows[-1]),)
        return Batch(rows[-1], done=self._next is None, idle=not rows[-1], parts=parts)

    def _without(self, error: ChangedError | ForeignKeyError) -> Batch:
        if isinstance(error, ForeignKeyError) and spare(
            self._cascade.tables, self._cascade.units, self._guards
        ):
            return Batch(0, idle=True)
        self._kept.add(error)
        self._next = None
        return Batch(0, done=True, idle=True)

    @property
    def position(self) -> object:
        """Where the pass is."""
        return (self._next, len(self._guards))

    def release(self) -> None:
        """Nothing is shared with other workers."""

    def _any_left(self, delete: Delete) -> bool:
        return self._cascade.tables.database.bounded_count(delete.table, delete.selected, 1) > 0


def spare(tables: TableSet, units: Sequence[Unit], guards: dict[str, tuple[Condition, ...]]) -> bool:
    """From now on keep rows that others point at in the tables where that is foreseen; False if so already.

    Asked only when a foreign key was in the way: the guards cost more than they mostly save.
    """
    spared = {name for unit in units for name in unit.plan.spared} - set(guards)
    for name in spared:
        guards[name] = tables.database.references_guard(tables.tables[name])
    return bool(spared)


def by_table(statements: Sequence[Statement], rows: Sequence[int]) -> tuple[tuple[str, int], ...]:
    """Add the rows of statements up by table; tables without any are left out."""
    found: Counter[str] = Counter()
    for statement, number in zip(statements, rows, strict=True):
        found[statement.table.name] += number
    return tuple((name, number) for name, number in found.items() if number)


def by_plan(units: Sequence[Unit]) -> Iterator[list[Unit]]:
    """Yield lists of units that are deleted in the same way."""
    ordered = sorted(units, key=lambda unit: id(unit.plan))
    return (list(chosen) for _, chosen in groupby(ordered, key=lambda unit: id(unit.plan)))
