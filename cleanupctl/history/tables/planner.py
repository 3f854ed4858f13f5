"""Histories of kind `tables`: any table with a time column and a time to live."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.core.run.cleaning import Failed, Noticed
from cleanupctl.history.cleaning.tasks import Phase, TableTask
from cleanupctl.history.databases.cutoff import expiry
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cleanupctl.core.run.cleaning import Event
    from cleanupctl.core.settings import TableSettings, TablesSettings
    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.database import Database


class TablesPlanner:
    """Plans one phase; tables that point at others come before them."""

    def __init__(self, settings: TablesSettings) -> None:
        self._settings = settings

    def __call__(self, database: Database, now: datetime) -> Iterator[Phase]:
        """Look every configured table up; what is wrong with one does not keep the others."""
        targets: list[Target] = []
        events: list[Event] = []
        for table in self._settings.tables:
            try:
                found = self._targets(database, table, now)
            except HistoryUnreachableError:
                raise
            except HistoryError as error:
                events.append(Failed(self._settings.name, table.name, error))
                continue
            targets += found
            events += self._notices(found, database)
        tasks = tuple(TableTask(target) for target in referencing_first(targets, database))
        yield Phase(tasks, tuple(events))

    def _targets(self, database: Database, settings: TableSettings, now: datetime) -> list[Target]:
        table = database.find_table(settings.name, settings.schema or self._settings.schema)
        if table is None:
            raise HistoryError(f"there is no table {settings.name} in {self._place()}; check name and schema")
        until = expiry(now, settings.ttl, self._settings.timezone)
        targets = []
        for leaf in database.leaves(table):
            column = leaf.column(settings.time_column)
            condition = database.expired(column, until, leaf, settings.time_format)
            targets.append(Target(leaf, column, condition, time_format=settings.time_format))
        return targets

    def _place(self) -> str:
        return f"history {self._settings.name} ({self._settings.url})"

    def _notices(self, targets: list[Target], database: Database) -> list[Event]:
        notices: list[Event] = []
        for target in targets:
            if not target.indexed:
                message = (
                    f"no index leads with {target.time_column.name} of table {target.label}:"
                    " each run reads the whole table once; create one:"
                    f" {database.index_statement(target.table, target.time_column)}"
                )
                notices.append(Noticed(self._settings.name, message))
            for reference in target.table.references:
                if reference.action == "cascade":
                    message = (
                        f"deleting from {target.label} also deletes the rows of {reference.table}"
                        " that point at it (ON DELETE CASCADE)"
                    )
                    notices.append(Noticed(self._settings.name, message))
        return notices


def referencing_first(targets: list[Target], database: Database) -> list[Target]:
    """Order targets so that a table comes after those whose foreign keys point at it.

    Circles are left in the configured order; rows still pointed at are passed over anyway.
    """
    ordered: list[Target] = []
    waiting = [replace(target) for target in targets]
    while waiting:
        names = {database.qualified(target.table) for target in waiting}
        free = [target for target in waiting if not _pointed_at(target.table, names, database)]
        chosen = free or waiting
        ordered += chosen
        waiting = [target for target in waiting if target not in chosen]
    return ordered


def _pointed_at(table: Table, names: set[str], database: Database) -> bool:
    return bool({reference.table for reference in table.references} & (names - {database.qualified(table)}))
