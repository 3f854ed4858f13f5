"""What goes along with deleted rows, asked of the database: whether it may, and how many rows it is."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.databases.answering import Answering
from cleanupctl.history.databases.dependents import ALLOW, Along, dependents, said
from cleanupctl.history.databases.diagnosis import Diagnosis
from cleanupctl.history.databases.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleanupctl.history.databases.catalogue import ForeignKey, Table
    from cleanupctl.history.databases.conditions import Condition

DEEPEST = 12
"""Foreign keys in a row that are followed while counting: rows that refer to each other have no end."""


class GoingAlong(Answering, Dialect, Diagnosis):
    """The part of a database that knows foreign keys which do more than forbid."""

    @abstractmethod
    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement outside a transaction and return its rows; errors are translated."""

    def require_deletable(self, table: Table) -> None:
        """Raise HistoryError for a table whose rows may not be deleted, or not without others."""
        if table.refusal is not None:
            raise HistoryError(f"{table.name} {table.refusal}")
        if table.unseen is not None and not table.cascade:
            raise HistoryError(f"{table.name}: {table.unseen}")
        found = dependents(table)
        if found and not table.cascade:
            raise HistoryError(
                f"deleting from {table.name} also {said(table)}, which the policy does not cover: set"
                f" {ALLOW} for it if these rows may go along, or change the foreign keys"
            )
        for key in found:
            self._require_readable(key)

    def _require_readable(self, key: ForeignKey) -> None:
        if key.hidden:
            grant = self.grant_statement(["SELECT"], key.table)
            raise HistoryError(
                f"{self.login} may not read {key.name}, whose foreign key has to be followed: {grant}"
            )

    def references_guard(self, table: Table) -> tuple[Condition, ...]:
        """Return conditions that hold for rows that no foreign key keeps. Raise HistoryError."""
        for key in (*table.references, *(one for keys in table.further.values() for one in keys)):
            self._require_readable(key)
        return super().references_guard(table)

    def count_along(self, table: Table, deleted: Condition, bound: int | None = None) -> Along:
        """Count what goes along with the rows `t` of a table that meet a condition.

        Stops soon after `bound` rows, and takes as long as it takes without a bound. A row to which two
        foreign keys lead is counted twice.
        """
        with self.unlimited() if bound is None else nullcontext():
            return self._count_levels(table, deleted, bound)

    def _count_levels(self, table: Table, deleted: Condition, bound: int | None) -> Along:
        along = Along()
        level: list[tuple[ForeignKey, ...]] = [(key,) for key in table.references]
        for _ in range(DEEPEST):
            further: list[tuple[ForeignKey, ...]] = []
            for path in level:
                key = path[-1]
                if key.action == "restrict":
                    continue
                left = None if bound is None else bound + 1 - along.total
                rows = self._count_at_end(table, deleted, path, left)
                (along.deleted if key.action == "cascade" else along.changed)[key.name] += rows
                if bound is not None and along.total > bound:
                    return along
                if rows and key.action == "cascade":
                    further += [(*path, one) for one in table.further.get(key.table, ())]
            level = further
        return along

    def _count_at_end(
        self, table: Table, deleted: Condition, path: Sequence[ForeignKey], bound: int | None
    ) -> int:
        """Count the rows that a path of foreign keys leads to; of the table itself only those not deleted."""
        rows = own = self.rows_of(table)
        parameters, before = deleted.parameters, "t"
        for place, key in enumerate(path, 1):
            source, alias = key.table, f"d{place}"
            if key.own and place == 1:
                source = f"(SELECT t.* FROM {own} WHERE ({deleted.sql}) IS NOT TRUE)"
                parameters = (*deleted.parameters, *parameters)
            rows += f" JOIN {source} AS {alias} ON {self._refers(key, alias, before)}"
            before = alias
        end = "" if bound is None else f" LIMIT {int(bound)}"
        sql = f"SELECT count(*) FROM (SELECT 1 FROM {rows} WHERE {deleted.sql}{end}) AS along"
        return int(self.query(sql, parameters)[0][0])
