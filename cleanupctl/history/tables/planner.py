"""Histories of kind `tables`: any table with a time column and a time to live."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.core.run.cleaning import Failed, Noticed
from cleanupctl.history.cleaning.tasks import Phase, TableTask
from cleanupctl.history.databases import checks
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.cutoff import Cutoff, expiry
from cleanupctl.history.databases.dependents import dependents, paths, said
from cleanupctl.history.databases.programs import said_of_programs
from cleanupctl.history.databases.target import Target
from cleanupctl.history.tables import coverage
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


@dataclass(slots=True)
class Planned:
    """One configured table: what it means in this database, or why nothing of it can be deleted."""

    settings: TableSettings
    table: Table | None = None
    targets: list[Target] = field(default_factory=list)
    """Of the table, or of each of its partitions."""
    error: HistoryError | None = None
    kept: str | None = None
    """Which rows others have to wait for."""
    told: list[str] = field(default_factory=list)
    """What the operator should know of its times."""

    def policy(self, database: Database) -> Condition:
        """Return which rows `t` of the table have expired; the same in each of its partitions."""
        first = database.qualified(self.targets[0].table)
        found = [one.condition for one in self.targets if database.qualified(one.table) == first]
        return Condition(
            " OR ".join(f"({one.sql})" for one in found),
            tuple(value for one in found for value in one.parameters),
        )

    def places(self, database: Database) -> set[str]:
        """Return the quoted names of the table and of its partitions."""
        tables = [target.table for target in self.targets]
        return {database.qualified(one) for one in (*tables, *((self.table,) if self.table else ()))}


class TablesPlanner:
    """Plans one phase; tables that point at others come before them."""

    def __init__(self, settings: TablesSettings) -> None:
        self._settings = settings

    def __call__(self, database: Database, now: datetime) -> Iterator[Phase]:
        """Look every configured table up; what is wrong with one does not keep the others."""
        planned = self.look_up(database, now)
        events: list[Event] = []
        for one in planned:
            if one.error is not None:
                events.append(Failed(self._settings.name, one.settings.name, one.error))
            else:
                events += [Noticed(self._settings.name, message) for message in one.told]
                events += self._notices(one, database)
        sound = [one for one in planned if one.error is None]
        tasks = [
            TableTask(target, kept=one.kept)
            for one in referencing_first(sound, database)
            for target in one.targets
        ]
        yield Phase(tuple(tasks), tuple(events))

    def look_up(self, database: Database, now: datetime) -> list[Planned]:
        """Return what each configured table means. Raise HistoryUnreachableError."""
        planned = [Planned(table) for table in self._settings.tables]
        for one in planned:
            try:
                self._look_up(one, database, now)
            except HistoryUnreachableError:
                raise
            except HistoryError as error:
                one.error = error
        twice = coverage.named_twice(one.places(database) for one in planned)
        policies = {
            place: one.policy(database)
            for one in planned
            if one.targets and one.error is None
            for place in one.places(database)
        }
        for one in planned:
            if one.table is None or one.error is not None:
                continue
            if one.places(database) & twice:
                one.error = coverage.twice(one.settings.name, one.table.name)
                continue
            for number, target in enumerate(one.targets):
                one.targets[number], kept = coverage.covered(target, policies, database)
                one.kept = kept or one.kept
        return planned

    def _look_up(self, planned: Planned, database: Database, now: datetime) -> None:
        settings = planned.settings
        planned.table = database.find_table(settings.name, settings.schema or self._settings.schema)
        if planned.table is None:
            raise HistoryError(f"there is no table {settings.name} in {self._place()}; check name and schema")
        zone = self._settings.timezone
        times = time_column(database, planned.table, settings, zone, now)
        until = expiry(now, settings.ttl, zone)
        for leaf in database.leaves(planned.table):
            deletable = replace(leaf, cascade=settings.cascade == "allow")
            planned.targets += expired(database, deletable, settings, until)
        told = [*unreadable(times), *never_set(times, settings, misread_only=True)]
        planned.told = [f"{message}; {remedy}" for message, remedy in told]

    def _place(self) -> str:
        return f"history {self._settings.name} ({self._settings.url})"

    def _notices(self, planned: Planned, database: Database) -> Iterator[Event]:
        for target in planned.targets:
            if not target.indexed and target.part != WITHOUT_TIME:
                message = (
                    f"no index leads with {target.time_column.name} of table {target.label}:"
                    " each run reads the whole table once; create one:"
                    f" {database.index_statement(target.table, target.time_column)}"
                )
                yield Noticed(self._settings.name, message)
        told: set[str] = set()
        for target in planned.targets:
            found = [*checks.unindexed_references(target.table), *database.left_alone(target.table)]
            messages = [f"{one.message}: {one.remedy}" for one in found]
            messages += said_of_programs(target.table)
            if target.table.cascade and dependents(target.table):
                messages.append(f"deleting from {target.label} also {said(target.table)}")
            for message in messages:
                if message not in told:
                    told.add(message)
                    yield Noticed(self._settings.name, message)


def expired(database: Database, table: Table, settings: TableSettings, until: Cutoff) -> list[Target]:
    """Return the rows whose time is not after a cutoff; those without any by themselves, if they count."""
    column, time_format = table.column(settings.time_column), settings.time_format
    if settings.unset_time == "keep":
        condition = database.expired(column, until, table, time_format)
        return [Target(table, column, condition, time_format=time_format)]
    condition = database.expired(column, until, table, time_format, unset=True)
    if settings.unset_time == "keep-zero":
        condition = both((database.not_zero(column), condition))
        return [Target(table, column, condition, time_format=time_format)]
    # No order of the time leads through rows that have none.
    unordered = replace(table, indexed=frozenset())
    return [
        Target(table, column, condition, time_format=time_format, part="with a time"),
        Target(unordered, column, database.without_time(column), part=WITHOUT_TIME),
    ]


def referencing_first(planned: list[Planned], database: Database) -> list[Planned]:
    """Order tables so that each comes after those whose foreign keys reach it.

    Circles are left in the configured order; rows still pointed at are passed over anyway.
    """
    ordered: list[Planned] = []
    waiting = list(planned)
    while waiting:
        free = [
            one
            for one in waiting
            if not any(_points_at(other, one, database) for other in waiting if other is not one)
        ]
        chosen = free or waiting
        ordered += chosen
        waiting = [one for one in waiting if one not in chosen]
    return ordered


def _points_at(other: Planned, one: Planned, database: Database) -> bool:
    reaching = {path[-1].table for target in one.targets for path in paths(target.table)}
    return bool(reaching & other.places(database))
