"""Histories of kind `tables`: any table with a time column and a time to live."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.core.run.cleaning import Failed, Noticed
from cleanupctl.history.cleaning.tasks import Phase, TableTask
from cleanupctl.history.databases.cutoff import Cutoff, expiry
from cleanupctl.history.databases.target import Target
from cleanupctl.history.tables.times import never_set, time_column, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cleanupctl.core.run.cleaning import Event
    from cleanupctl.core.settings import TableSettings, TablesSettings
    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.database import Database

WITHOUT_TIME = "without a time"
"""The part of a table whose rows have no time at all."""


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
                found, told = self._targets(database, table, now)
            except HistoryUnreachableError:
                raise
            except HistoryError as error:
                events.append(Failed(self._settings.name, table.name, error))
                continue
            targets += found
            events += [Noticed(self._settings.name, message) for message in told]
            events += self._notices(found, database)
        tasks = tuple(TableTask(target) for target in referencing_first(targets, database))
        yield Phase(tasks, tuple(events))

    def _targets(
        self, database: Database, settings: TableSettings, now: datetime
    ) -> tuple[list[Target], list[str]]:
        """Return what of a table has expired, and what is to be told of its times."""
        table = database.find_table(settings.name, settings.schema or self._settings.schema)
        if table is None:
            raise HistoryError(f"there is no table {settings.name} in {self._place()}; check name and schema")
        zone = self._settings.timezone
        times = time_column(database, table, settings, zone, now)
        until = expiry(now, settings.ttl, zone)
        targets: list[Target] = []
        for leaf in database.leaves(table):
            targets += expired(database, leaf, settings, until)
        told = [*unreadable(times), *never_set(times, misread_only=True)]
        return targets, [f"{message}; {remedy}" for message, remedy in told]

    def _place(self) -> str:
        return f"history {self._settings.name} ({self._settings.url})"

    def _notices(self, targets: list[Target], database: Database) -> list[Event]:
        notices: list[Event] = []
        for target in targets:
            if not target.indexed and target.part != WITHOUT_TIME:
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


def expired(database: Database, table: Table, settings: TableSettings, until: Cutoff) -> list[Target]:
    """Return the rows whose time is not after a cutoff; those without any by themselves, if they count."""
    column, time_format = table.column(settings.time_column), settings.time_format
    if settings.unset_time == "keep":
        condition = database.expired(column, until, table, time_format)
        return [Target(table, column, condition, time_format=time_format)]
    condition = database.expired(column, until, table, time_format, unset=True)
    # No order of the time leads through rows that have none.
    unordered = replace(table, indexed=frozenset())
    return [
        Target(table, column, condition, time_format=time_format, part="with a time"),
        Target(unordered, column, database.without_time(column), part=WITHOUT_TIME),
    ]


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
