"""Deleting whole instances: some at a time with everything that belongs to them, in one transaction."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from cleanupctl.core.run.cleaning import Expired, Noticed, Stopped, TableFinished, TableStarted
from cleanupctl.history.cleaning.batches import AIM, Pace, after_conflict, after_overflow, next_pace
from cleanupctl.history.cleaning.candidates import Candidates
from cleanupctl.history.cleaning.cascade import CascadeBatch
from cleanupctl.history.cleaning.transactions import Outcome, Transactions, by_recipe
from cleanupctl.history.databases.cutoff import as_instant
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from datetime import datetime

    from cleanupctl.core.run.cleaning import Event, Limits
    from cleanupctl.history.camunda.schema.tables import Schema
    from cleanupctl.history.cleaning.candidates import Group
    from cleanupctl.history.cleaning.cascade import Unit
    from cleanupctl.history.cleaning.session import CleaningSession
    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.statements import Statement

START_UNITS = 10
"""Instances of the first transaction: nobody knows yet how much belongs to them."""
MOST_UNITS = 2_000
CAREFUL_GROWTH = 1.02
"""How much larger the next transaction may be than what would have been in time when one was not: what
made it slow (a cold cache, a checkpoint) mostly comes again before long."""
WAY = "instances"
ALL = 2**62
"""More rows than there are."""


def next_size(
    pace: Pace, careful: float, *, rows: int, seconds: float, longest: float, batch_size: int
) -> tuple[Pace, float]:
    """Size the next transaction as the next batch of a table, and carefully after one that took too long.

    `careful` is the number of instances that it may have then; returned is what that becomes.
    """
    pace = next_pace(pace, rows=rows, seconds=seconds, target=AIM * longest, batch_size=batch_size)
    if seconds > longest:
        return pace, float(pace.units)
    careful = min(float(MOST_UNITS), careful * CAREFUL_GROWTH)
    return replace(pace, units=max(1, min(pace.units, int(careful)))), careful


class InstanceWork:
    """Cleans one group of instances; implements `phases.Work`."""

    def __init__(
        self,
        schema: Schema,
        group: Group,
        *,
        least_units: int = 1,
        notices: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """Prepare; `least_units` keeps batches large where each costs a full scan whatever its size.

        `notices` tells at the end what the operator should know.
        """
        self.table: Table = schema.tables[group.table]
        self.part = group.part
        self.label = f"{self.table.name} ({group.part})"
        self._schema = schema
        self._group = group
        self._least = least_units
        self._notices = notices
        self._place = f"{self.table.name} by {WAY}"
        self._changed = 0
        self._referenced: list[str] = []
        """What the database said of each instance that others point at."""
        self._careful = float(MOST_UNITS)

    def clean(self, session: CleaningSession, limits: Limits) -> Generator[Event, None, str | None]:
        """Delete batch by batch, the oldest first. Raises HistoryError."""
        candidates = Candidates(self._schema, self._group)
        run = Transactions(session, self._schema, limits, table=self.table, policy=candidates.condition())
        known = limits.remembered(session.name, self._place)
        pace = Pace(START_UNITS, known or MOST_UNITS)
        yield TableStarted(session.name, self.table.name, None, WAY)
        while True:
            units = candidates.peek(max(self._least, min(pace.units, pace.most)))
            if units:
                pace = yield from self._batch(run, candidates, units, pace)
            elif candidates.exhausted:
                break
            else:
                run.stopped = limits.stop_reason()
            if run.stopped:
                yield Stopped(session.name, run.stopped)
                return run.stopped
        if known is not None and pace.most >= known:
            # A run without a time-out: let the next one try twice the size.
            limits.remember(session.name, self._place, 2 * known if 2 * known < MOST_UNITS else None)
        yield from (Noticed(session.name, message) for message in self._notices())
        if self._changed:
            yield Noticed(
                session.name,
                f"{self._changed} instances of {self.label} are kept: they changed while being deleted, and"
                " the next run looks at them again",
            )
        yield self._finished(session.name, run.rows[self.table.name])
        return None

    def _finished(self, history: str, rows: int) -> TableFinished:
        if not self._referenced:
            return TableFinished(history, self.table.name, rows)
        number = len(self._referenced)
        reason = f"{number} instances of {self.label} are still referenced: {self._referenced[0]}"
        return TableFinished(history, self.table.name, rows, number, reason)

    def _batch(
        self, run: Transactions, candidates: Candidates, units: Sequence[Unit], pace: Pace
    ) -> Generator[Event, None, Pace]:
        outcome = yield from run.run(lambda most: run.whole(units, most))
        if run.stopped or outcome.again:
            return pace
        pace = replace(pace, units=len(units))
        if outcome.conflict:
            return self._after_conflict(run, pace)
        if outcome.changed and candidates.drop_changed(units):
            return pace
        if not (outcome.overflow or outcome.changed or outcome.referenced):
            candidates.drop(len(units))
            return self._next(run, pace, outcome)
        if len(units) > 1:
            self._least = 1
            return after_overflow(pace)
        if outcome.overflow:
            outcome = yield from self._split(run, units[0])
        self._changed += outcome.changed
        if outcome.referenced:
            self._referenced.append(outcome.referenced)
        if outcome.changed or outcome.referenced or not run.stopped:
            candidates.drop(1)
        return pace

    def _next(self, run: Transactions, pace: Pace, outcome: Outcome) -> Pace:
        pace, self._careful = next_size(
            pace,
            self._careful,
            rows=outcome.rows,
            seconds=outcome.seconds,
            longest=run.session.pacing.batch_time.total_seconds(),
            batch_size=outcome.allowed,
        )
        return pace

    def _after_conflict(self, run: Transactions, pace: Pace) -> Pace:
        self._least = 1
        pace = after_conflict(pace)
        run.limits.remember(run.session.name, self._place, pace.most)
        run.wait()
        return pace

    def _split(self, run: Transactions, unit: Unit) -> Generator[Event, None, Outcome]:
        """Delete an instance that is too big for one transaction in several: its own row last.

        Returns how the last one ended.
        """
        most, done = 1, False
        pieces = run.selection([unit]).bounded(lambda: most)

        def next_piece(allowed: int) -> list[Statement]:
            nonlocal most, done
            most = allowed
            piece = next(pieces, None)
            done = piece is None
            return piece or []

        outcome = Outcome()
        while not (done or run.stopped or outcome.changed or outcome.referenced):
            outcome = yield from run.run(next_piece)
            if outcome.conflict:
                run.wait()
        return outcome

    @property
    def group(self) -> Group:
        """Which instances they are."""
        return self._group

    def chosen(self) -> Iterator[list[Unit]]:
        """Yield everything that would go, some units of one recipe at a time; deletes nothing."""
        candidates = Candidates(self._schema, self._group)
        while not candidates.exhausted or candidates.peek(1):
            units = candidates.peek(MOST_UNITS)
            yield from by_recipe(units)
            candidates.drop(len(units))

    def expired(self, session: CleaningSession) -> Iterator[Expired | Noticed]:
        """Count everything that would go, by table."""
        rows: Counter[str] = Counter()
        for chosen in self.chosen():
            selection = CascadeBatch(self._schema, chosen[0].recipe, chosen)
            selection.gather(ALL)
            for table, condition in selection.conditions():
                sql = f"SELECT count(*) FROM {self._schema.quoted(table)} AS t WHERE {condition.sql}"
                rows[table] += int(self._schema.database.query(sql, condition.parameters)[0][0])
        for table, number in rows.items():
            if number:
                oldest = self._oldest(session) if table == self._group.table else None
                found = self._schema.tables[table]
                typical = session.database.typical_costs.seconds(found)
                yield Expired(session.name, found.name, number, oldest, typical)
        yield from (Noticed(session.name, message) for message in self._notices())

    def _oldest(self, session: CleaningSession) -> datetime | None:
        """Read when the oldest instance of the group ended."""
        condition = Candidates(self._schema, self._group).condition()
        column = f"t.{self._schema.column(self._group.table, self._group.time)}"
        rows = f"{self._schema.quoted(self._group.table)} AS t WHERE {condition.sql}"
        sql = f"SELECT {column} FROM {rows} ORDER BY {column} LIMIT 1"
        found = self._schema.database.query(sql, condition.parameters)
        target = Target(self.table, self.table.column(self._group.time), condition)
        return as_instant(found[0][0], target, session.zone, None) if found else None
