"""Tasks for rows with everything that belongs to them in other tables, deleted or kept together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cleanupctl.core.run.cleaning import Expired, Noticed
from cleanupctl.history.cleaning.candidates import Candidates
from cleanupctl.history.cleaning.cascade import CascadeBatch
from cleanupctl.history.cleaning.cascade_scans import MOST_UNITS, CascadeScan, Kept, by_plan
from cleanupctl.history.cleaning.tasks import Task
from cleanupctl.history.databases.cutoff import as_instant
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
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
            yield from by_plan(units)
            candidates.drop(len(units))

    def preview(self, worker: Worker) -> Iterator[Expired | Noticed]:
        """Count everything that would be deleted, by table."""
        self._require_deletable(worker.database)
        rows: Counter[str] = Counter()
        for chosen in self.chosen():
            cascade = CascadeBatch(self._tables, chosen[0].plan, chosen)
            cascade.gather(ALL)
            for table, condition in cascade.conditions():
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
