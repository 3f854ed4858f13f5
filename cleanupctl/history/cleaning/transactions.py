"""One transaction after the other that deletes instances, within the limits of a run."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from cleanupctl.core.run.cleaning import BatchDeleted
from cleanupctl.history.camunda.schema.tables import BYTE_ARRAYS
from cleanupctl.history.cleaning.batches import LOCK_ATTEMPTS, LOCK_PAUSE_SECONDS
from cleanupctl.history.cleaning.cascade import CascadeBatch
from cleanupctl.history.databases.errors import ChangedError, ForeignKeyError, LockConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from cleanupctl.core.errors import HistoryError
    from cleanupctl.core.run.cleaning import Event, Limits
    from cleanupctl.history.camunda.schema.tables import Schema
    from cleanupctl.history.cleaning.cascade import Unit
    from cleanupctl.history.cleaning.session import CleaningSession
    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.conditions import Condition
    from cleanupctl.history.databases.statements import Statement


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a transaction ended."""

    rows: int = 0
    seconds: float = 0.0
    allowed: int = 0
    """Rows it could have taken."""
    overflow: bool = False
    """It would have been more than allowed, and nothing was done."""
    conflict: bool = False
    """Others were in the way, and nothing was done."""
    again: bool = False
    """Nothing was done, and the same can be done now."""
    changed: bool = False
    """What was to go is not as it was, and nothing was done."""
    referenced: str = ""
    """What the database says of a row that others point at: nothing was done."""


class Transactions:
    """Runs transactions in a session and tells of them; `stopped` says why there are no more."""

    def __init__(
        self, session: CleaningSession, schema: Schema, limits: Limits, *, table: Table, policy: Condition
    ) -> None:
        """Prepare; `table` has the instances' own rows, and `policy` says which of them may go."""
        self.session = session
        self.limits = limits
        self.stopped: str | None = None
        self.rows: Counter[str] = Counter()
        """Deleted rows by table."""
        self.guards: dict[str, tuple[Condition, ...]] = {}
        """What keeps a row, by table: filled when a foreign key is in the way."""
        self._schema = schema
        self._table = table
        self._policy = policy
        self._conflicts = 0

    def whole(self, units: Sequence[Unit], most: int) -> list[Statement] | None:
        """Write what deletes the units; None when that is more rows than one transaction may take."""
        found: list[Statement] = []
        for chosen in by_recipe(units):
            selection = self.selection(chosen)
            if not selection.gather(most):
                return None
            found += selection.statements()
        return found

    def selection(self, units: Sequence[Unit]) -> CascadeBatch:
        """Select what belongs to units of one recipe."""
        return CascadeBatch(self._schema, units[0].recipe, units, self.guards, self._policy)

    def run(self, write: Callable[[int], list[Statement] | None]) -> Generator[Event, None, Outcome]:
        """Run in one transaction what `write` makes of the number of rows it may delete.

        Raises HistoryError, also when others have been in the way for too long.
        """
        self.stopped = self.limits.stop_reason()
        most = self._schema.database.most_rows(self.session.pacing.batch_size)
        allowed = 0 if self.stopped else self.limits.reserve(most)
        if not allowed:
            self.stopped = self.stopped or "max-rows"
            return Outcome()
        started = time.perf_counter()
        rows: list[int] | None = []
        try:
            deletes = write(allowed)
            rows = self._schema.database.transact(deletes, allowed) if deletes is not None else None
        except (LockConflictError, ForeignKeyError, ChangedError) as error:
            return self._undone(error)
        finally:
            self.limits.settle(allowed, sum(rows or ()))
        if deletes is None or rows is None:
            return Outcome(overflow=True)
        self._conflicts = 0
        seconds = time.perf_counter() - started
        if deletes:
            yield self._event(deletes, rows, seconds)
        return Outcome(sum(rows), seconds, allowed)

    def _undone(self, error: HistoryError) -> Outcome:
        """Say how to go on; raises the error when that would be of no use."""
        if isinstance(error, ChangedError):
            return Outcome(changed=True)
        if isinstance(error, ForeignKeyError):
            if self.guards:
                return Outcome(referenced=error.message)
            table = self._schema.tables[BYTE_ARRAYS]
            self.guards[BYTE_ARRAYS] = self._schema.database.references_guard(table)
            return Outcome(again=True)
        self._conflicts += 1
        if self._conflicts > LOCK_ATTEMPTS:
            raise error
        return Outcome(conflict=True)

    def wait(self) -> None:
        """Wait for those who are in the way, longer each time."""
        self.limits.pause(LOCK_PAUSE_SECONDS * 2**self._conflicts * random.uniform(0.5, 1.5))  # noqa: S311 jitter

    def _event(self, statements: list[Statement], rows: list[int], seconds: float) -> BatchDeleted:
        by_table: Counter[str] = Counter()
        for statement, number in zip(statements, rows, strict=True):
            by_table[statement.table.name] += number
        self.rows += by_table
        parts = tuple((name, number) for name, number in by_table.items() if number)
        return BatchDeleted(self.session.name, self._table.name, sum(rows), seconds, parts)


def by_recipe(units: Sequence[Unit]) -> Iterator[list[Unit]]:
    """Yield lists of units that are deleted in the same way."""
    ordered = sorted(units, key=lambda unit: id(unit.recipe))
    return (list(chosen) for _, chosen in groupby(ordered, key=lambda unit: id(unit.recipe)))
