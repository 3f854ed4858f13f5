"""The scans of PostgreSQL: ranges of the heap's blocks, or ranges of the time index."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.errors import LockConflictError, StatementTimeoutError
from cleanupctl.history.databases.scan import Batch
from cleanupctl.history.databases.shared_scan import Chunk, SharedScan
from cleanupctl.history.databases.some_rows import delete_some, delete_unlocked
from cleanupctl.history.databases.statements import delete_within

if TYPE_CHECKING:
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.target import Target

START_BLOCKS = 128
MOST_BLOCKS = 16_384
START_ROWS = 2_000
MOST_ROWS = 100_000


class SharedHeapScan(SharedScan[int]):
    """How far a heap has been scanned, in blocks, up to where it ended when the scan began."""

    def __init__(self, target: Target, blocks: int) -> None:
        super().__init__(target, 0, empty=blocks == 0)
        self.end = blocks
        self.densest = 0.0
        """Most rows a block that a transaction has deleted so far; infinite where that proved no measure."""


class TidRangeScan:
    """Reads the heap once, range by range of blocks; dead rows and others' old snapshots cost nothing."""

    access_path = "sweep"
    start_units = START_BLOCKS
    most_units = MOST_BLOCKS

    def __init__(self, database: Database, shared: SharedHeapScan) -> None:
        self.shared: SharedScan[Any] | None = shared
        self._shared = shared
        self._database = database
        self._chunk: Chunk[int] | None = None
        self._moves = 0
        self._table = database.rows_of(shared.target.table, only=True)
        self._target = _without_index(shared.target)

    def run(self, units: int, most_rows: int) -> Batch:
        """Delete what has expired in the next `units` blocks."""
        if self._chunk is None:
            self._chunk = self._shared.take(partial(self._cut, units))
        chunk = self._chunk
        if chunk is None:
            return Batch(0, done=True, idle=True)
        start, end = chunk.start, min(chunk.start + units, chunk.end)
        if (end - start) * self._shared.densest > most_rows:
            end = self._fitting(start, end, most_rows)
        try:
            rows = self._delete(start, end, most_rows)
            if rows is None and end - start > 1:
                self._shared.densest = math.inf
                end = self._fitting(start, end, most_rows)
                rows = self._delete(start, end, most_rows)
        except LockConflictError as error:
            delete = delete_within(self._shared.target, _blocks(start, end))
            rows, more = delete_unlocked(self._database, delete, most_rows, error)
            if more:
                return Batch(rows)
            self._shared.postpone(replace(chunk, start=start, end=end))
        if rows is None:
            return self._part_of_block(start, most_rows) if end - start == 1 else Batch(0, overflow=True)
        self._shared.densest = max(self._shared.densest, rows / (end - start))
        self._moves += 1
        self._chunk = replace(chunk, start=end) if end < chunk.end else None
        if self._chunk is None:
            self._shared.complete()
        return Batch(rows, done=self._chunk is None and self._shared.spent, looked_at=end - start)

    @property
    def position(self) -> object:
        """Where the pass is."""
        return self._moves

    def release(self) -> None:
        """Return the chunk that was taken and not finished, for other workers."""
        if self._chunk is not None:
            self._shared.complete(self._chunk)
            self._chunk = None

    def _cut(self, units: int, start: int) -> tuple[int, bool]:
        end = min(start + units, self._shared.end)
        return end, end == self._shared.end

    def _delete(self, start: int, end: int, most_rows: int) -> int | None:
        return self._database.delete(delete_within(self._target, _blocks(start, end)), most_rows)

    def _fitting(self, start: int, end: int, most_rows: int) -> int:
        """Find where a batch has to end so as to have `most_rows` at most, or one block.

        Where expired rows lie in bands no density of the batches before says how many come next. Reading
        them costs a small part of deleting them, and of rolling that back.
        """
        inside = both((_blocks(start, end), self._shared.target.condition))
        found = self._database.query(
            f"SELECT t.ctid FROM {self._table} WHERE {inside.sql} ORDER BY t.ctid LIMIT 1 OFFSET {most_rows}",
            inside.parameters,
        )
        # A row's address is written (block,number).
        return max(start + 1, int(found[0][0][1:].split(",")[0])) if found else end

    def _part_of_block(self, block: int, most_rows: int) -> Batch:
        """Delete some rows of a single block that holds more than a transaction may delete."""
        delete = delete_within(self._target, _blocks(block, block + 1))
        return Batch(delete_some(self._database, delete, most_rows)[0])


def _without_index(target: Target) -> Target:
    """Return a target whose time index the planner has no use for.

    It counts what the guards cost for each row of the blocks, as if none were told apart by its time before,
    and would rather read all expired rows of the table in each batch.
    """
    if not target.guards:
        return target
    return replace(target, condition=replace(target.condition, sql=f"({target.condition.sql}) IS TRUE"))


def _blocks(start: int, end: int) -> Condition:
    return Condition("t.ctid >= %s::tid AND t.ctid < %s::tid", (f"({start},0)", f"({end},0)"))


class TimeIndexScan:
    """Scans the time index from the oldest row on, range by range of time.

    The ranges move along, so that no batch reads again the entries of rows already deleted, which
    stay in the index as long as any other session has an old snapshot.
    """

    access_path = "index"
    start_units = START_ROWS
    most_units = MOST_ROWS

    def __init__(self, database: Database, shared: SharedScan[Any]) -> None:
        self.shared: SharedScan[Any] | None = shared
        self._shared = shared
        self._database = database
        self._target = shared.target
        self._chunk: Chunk[Any] | None = None
        self._moves = 0
        self._size = 0
        self._column = f"t.{database.quote(self._target.time_column.name)}"
        self._table = database.rows_of(self._target.table, only=True)

    def run(self, units: int, most_rows: int) -> Batch:
        """Delete the next `units` expired rows, oldest first, and those of the same time as the last."""
        units = min(units, most_rows)
        if self._chunk is None:
            self._chunk = self._shared.take(partial(self._cut, units))
            self._size = units
        chunk = self._chunk
        if chunk is None:
            return Batch(0, done=True, idle=True)
        end = self._boundary(units, chunk) if units < self._size else chunk.end
        delete = delete_within(self._target, self._between(Chunk(chunk.start, end)))
        try:
            rows = self._database.delete(delete, most_rows)
        except StatementTimeoutError as error:
            error.units = units
            raise
        except LockConflictError as error:
            rows, more = delete_unlocked(self._database, delete, most_rows, error)
            if more:
                return Batch(rows)
            self._shared.postpone(replace(chunk, end=end))
        if rows is None:
            if units > 1:
                return Batch(0, overflow=True)
            return Batch(delete_some(self._database, delete, most_rows)[0])
        self._moves += 1
        self._chunk = replace(chunk, start=end) if end != chunk.end else None
        if self._chunk is None:
            self._shared.complete()
        return Batch(rows, done=self._chunk is None and self._shared.spent)

    @property
    def position(self) -> object:
        """Where the pass is."""
        return self._moves

    def release(self) -> None:
        """Return the chunk that was taken and not finished, for other workers."""
        if self._chunk is not None:
            self._shared.complete(self._chunk)
            self._chunk = None

    def _cut(self, units: int, start: Any) -> tuple[Any, bool]:
        end = self._boundary(units, Chunk(start, None))
        return end, end is None

    def _boundary(self, units: int, chunk: Chunk[Any]) -> Any:
        """Return the time of the last of the first `units` rows of a chunk; its end when it has fewer."""
        # Without the guards: they cost more to ask than the rows they keep back.
        inside = both((self._between(chunk), self._target.condition))
        found = self._database.query(
            f"SELECT {self._column} FROM {self._table} WHERE {inside.sql}"
            f" ORDER BY {self._column} LIMIT 1 OFFSET {units - 1}",
            inside.parameters,
        )
        return found[0][0] if found else chunk.end

    def _between(self, chunk: Chunk[Any]) -> Condition:
        parts = []
        if chunk.start is not None:
            parts.append(Condition(f"{self._column} > %s", (chunk.start,)))
        if chunk.end is not None:
            parts.append(Condition(f"{self._column} <= %s", (chunk.end,)))
        return both(parts)
