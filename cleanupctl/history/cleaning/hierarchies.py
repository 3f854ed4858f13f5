"""Tasks for rows with everything that belongs to them in other tables, deleted or kept together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cleanupctl.core.run.cleaning import Expired, Noticed
from cleanupctl.history.cleaning.candidates import Candidates
from cleanupctl.history.cleaning.cascade import CascadeBatch
from cleanupctl.history.cleaning.cascade_scans import MOST_UNITS, CascadeScan, Kept, by_plan
from cleanupctl.history.cleaning.tasks import Task
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.cutoff import as_instant
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from cleanupctl.history.cleaning.candidates import Group
    from cleanupctl.history.cleaning.cascade import Unit
    from cleanupctl.history.cleaning.workers import Worker
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.table_set import TableSet

ALL = 2**62
"""More rows than there are."""


class CascadeTask(Task):
    """The hierarchies of one group."""

    cautious = True

    def __init__(
        self,
        tables: TableSet,
        group: Group,
        *,
        least_units: int = 1,
        notices: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """Prepare; `least_units` keeps batches large where each costs a full scan whatever its size.

        `notices` tells at the end what the operator should know.
        """
        self.table = tables.tables[group.table]
        self.part = group.part
        self.label = f"{self.table.name} ({group.part})"
        self.group = group
        self._tables = tables
        self._least = least_units
        self._notices = notices
        self._kept = Kept()

    def begin(self, database: Database) -> CascadeScan:
        """Start with the oldest."""
        self._require_deletable(database)
        return CascadeScan(self._tables, self.group, self._kept, self._least)

    def _require_deletable(self, database: Database) -> None:
        """Raise HistoryError for a table of the hierarchies whose rows may not be deleted, or not alone."""
        names = {rows.table for plan in self.group.eligibility.plans for rows in plan.rows}
        for name in sorted(names & set(self._tables.tables)):
            database.require_deletable(self._tables.tables[name])

    def notices(self) -> Iterator[str]:
        """Say what was kept, apart from what is referenced."""
        yield from self._notices()
        if self._kept.changed:
            yield (
                f"{self._kept.changed} {self.group.noun} of {self.label} are kept: they changed while being"
                " deleted, and the next run looks at them again"
            )

    def skipped(self, database: Database) -> tuple[int, str | None]:
        """Return how many units other tables point at, and what the database said of the first."""
        del database
        referenced = self._kept.referenced
        if not referenced:
            return 0, None
        number = len(referenced)
        return number, f"{number} {self.group.noun} of {self.label} are still referenced: {referenced[0]}"

    def chosen(self) -> Iterator[list[Unit]]:
        """Yield everything that would be deleted, some units of one plan at a time; deletes nothing."""
        candidates = Candidates(self._tables, self.group)
        while not candidates.exhausted or candidates.peek(1):
            units = candidates.peek(MOST_UNITS)
            for some in by_plan(units):
                yield from self._unreferenced(some)
            candidates.drop(len(units))

    def _unreferenced(self, units: list[Unit]) -> Iterator[list[Unit]]:
        """Yield the units without those that a foreign key of others keeps, with all that belongs to them."""
        plan = units[0].plan
        guards = {
            rows.table: self._tables.database.references_guard(self._tables.tables[rows.table])
            for rows in plan.rows
            if rows.table not in plan.spared
        }
        if not any(guards.values()):
            yield units
            return
        cascade = CascadeBatch(self._tables, plan, units)
        cascade.gather(ALL)
        if not any(self._referenced(table, condition, guards) for table, condition in cascade.conditions()):
            yield units
        elif len(units) > 1:
            middle = len(units) // 2
            for some in (units[:middle], units[middle:]):
                yield from self._unreferenced(some)

    def _referenced(
        self, table: str, condition: Condition, guards: Mapping[str, tuple[Condition, ...]]
    ) -> bool:
        """Return whether any of some rows of a table is kept by its guards."""
        guard = both(guards.get(table, ()))
        kept = both((condition, Condition(f"NOT ({guard.sql})", guard.parameters)))
        return (
            bool(guard.sql) and self._tables.database.bounded_count(self._tables.tables[table], kept, 1) > 0
        )

    def preview(self, worker: Worker) -> Iterator[Expired | Noticed]:
        """Count everything that would be deleted, by table."""
        self._require_deletable(worker.database)
        rows: Counter[str] = Counter()
        for chosen in self.chosen():
            plan = chosen[0].plan
            cascade = CascadeBatch(self._tables, plan, chosen)
            cascade.gather(ALL)
            for table, reached in cascade.conditions():
                condition = reached
                if table in plan.spared:
                    # Those that others still need stay there.
                    guards = worker.database.references_guard(self._tables.tables[table])
                    condition = both((reached, *guards))
                sql = f"SELECT count(*) FROM {self._tables.quoted(table)} AS t WHERE {condition.sql}"
                rows[table] += int(self._tables.database.query(sql, condition.parameters)[0][0])
        for table, number in rows.items():
            if number:
                oldest = self._oldest(worker) if table == self.group.table else None
                found = self._tables.tables[table]
                typical = worker.database.typical_costs.seconds(found)
                yield Expired(worker.history, found.name, number, oldest, typical)
        yield from (Noticed(worker.history, message) for message in self._notices())

    def _oldest(self, worker: Worker) -> datetime | None:
        """Read the time of the oldest row of the group."""
        condition = Candidates(self._tables, self.group).condition()
        column = f"t.{self._tables.column(self.group.table, self.group.time)}"
        rows = f"{self._tables.quoted(self.group.table)} AS t WHERE {condition.sql}"
        sql = f"SELECT {column} FROM {rows} ORDER BY {column} LIMIT 1"
        found = self._tables.database.query(sql, condition.parameters)
        target = Target(self.table, self.table.column(self.group.time), condition)
        return as_instant(found[0][0], target, worker.zone, None) if found else None
