"""What goes along with deleted rows, asked of the database: whether it may, and how many rows it is."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.databases.answering import Answering
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.dependents import ALLOW, Along, dependents, said
from cleanupctl.history.databases.diagnosis import Diagnosis
from cleanupctl.history.databases.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cleanupctl.history.databases.catalogue import ForeignKey, Program, Table
    from cleanupctl.history.databases.dependents import Path

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
        for one in () if table.cascade else table.programs:
            self._require_covered(table, one)
        found = dependents(table)
        if found and not table.cascade:
            raise HistoryError(
                f"deleting from {table.name} also {said(table)}, which the policy does not cover: set"
                f" {ALLOW} for it if these rows may go along, or change the foreign keys"
            )
        for key in found:
            self._require_readable(key)

    def _require_covered(self, table: Table, program: Program) -> None:
        if program.changes:
            raise HistoryError(
                f"deleting from {table.name} runs {program.name}, which deletes or changes rows of"
                f" {', '.join(program.changes)}, which the policy does not cover: set {ALLOW} for it if these"
                " rows may go along, though they cannot be counted"
            )
        if program.hidden:
            grant = self.grant_statement(["TRIGGER"], self.qualified(table))
            raise HistoryError(
                f"deleting from {table.name} runs {program.name}, of which {self.login} may not see what it"
                f" does: {grant} Or set {ALLOW} for the table"
            )

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
        """Count what goes along with the rows `t` of a table that meet a condition, each row once.

        Stops soon after `bound` rows, and takes as long as it takes without a bound.
        """
        with self.unlimited() if bound is None else nullcontext():
            return self._count_levels(table, deleted, bound)

    def _count_levels(self, table: Table, deleted: Condition, bound: int | None) -> Along:
        along = Along()
        counted: list[Path] = []
        for path in self._reached(table, along):
            key = path[-1]
            left = None if bound is None else bound + 1 - along.total
            rows = self._count_at_end(table, deleted, path, counted, left)
            counted += [path] if rows else []
            (along.deleted if key.action == "cascade" else along.changed)[key.name] += rows
            if bound is not None and along.total > bound:
                break
        return along

    def _reached(self, table: Table, along: Along) -> Iterator[Path]:
        """Yield the paths to rows that go along, nearest first; those that are only changed come last.

        No further than to tables of which rows were found, as `along` tells when the next one is asked for.
        """
        level: list[Path] = [(key,) for key in table.references]
        changing: list[Path] = []
        for _ in range(DEEPEST):
            further: list[Path] = []
            for path in level:
                key, before = path[-1], along.total
                if key.action == "set":
                    changing.append(path)
                elif key.action == "cascade":
                    yield path
                    if along.total > before:
                        further += [(*path, one) for one in table.further.get(key.table, ())]
            level = further
        yield from changing

    def _count_at_end(
        self, table: Table, deleted: Condition, path: Path, counted: Sequence[Path], bound: int | None
    ) -> int:
        """Count the rows that a path of foreign keys leads to and none of those that were counted before."""
        rows, last = self._along_path(table, deleted, path, "d")
        again = [
            self._led_to(table, deleted, one, last)
            for one in counted
            if one[-1].table == path[-1].table and one[-1].action in ("cascade", path[-1].action)
        ]
        where = both((deleted, *again))
        end = "" if bound is None else f" LIMIT {int(bound)}"
        sql = f"SELECT count(*) FROM (SELECT 1 FROM {rows.sql} WHERE {where.sql}{end}) AS along"
        return int(self.query(sql, (*rows.parameters, *where.parameters))[0][0])

    def _along_path(self, table: Table, deleted: Condition, path: Path, prefix: str) -> tuple[Condition, str]:
        """Return what follows FROM to get from rows `t` to the end of a path, and the last alias.

        Of the table itself only rows that are not deleted anyway.
        """
        rows, before, parameters = self.rows_of(table), "t", tuple[Any, ...]()
        own, whole = self.rows_of(table), self.qualified(table)
        for place, key in enumerate(path, 1):
            source, alias = key.table, f"{prefix}{place}"
            if key.table == whole or (key.own and place == 1):
                source = f"(SELECT t.* FROM {own} WHERE ({deleted.sql}) IS NOT TRUE)"
                parameters += deleted.parameters
            rows += f" JOIN {source} AS {alias} ON {self._refers(key, alias, before)}"
            before = alias
        return Condition(rows, parameters), before

    def _led_to(self, table: Table, deleted: Condition, path: Path, row: str) -> Condition:
        """Return the condition that a path does not lead to a row of its last table, by the row's alias."""
        rows, before = self._along_path(table, deleted, path[:-1], "e")
        sql = f"{rows.sql} WHERE {self._refers(path[-1], row, before)} AND {deleted.sql}"
        return Condition(f"NOT EXISTS (SELECT 1 FROM {sql})", (*rows.parameters, *deleted.parameters))
