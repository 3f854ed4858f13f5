"""What of an engine's history is cleanable, by definition and batch type: finished and expired instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.history.camunda.report.sampling import sample_rows
from cleanupctl.history.camunda.schema.definitions import ENGINE_KINDS, definitions_with_history
from cleanupctl.history.camunda.schema.engine_table import REMOVAL_TIME
from cleanupctl.history.camunda.schema.tables import BATCHES, PROCESS_INSTANCES
from cleanupctl.history.camunda.strategies.removal_time import running_guards
from cleanupctl.history.camunda.strategies.ttl import batch_ttl, definition_ttl, expiry
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.cutoff import cutoff
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.report.counts import Census
    from cleanupctl.history.camunda.report.sampling import Sample
    from cleanupctl.history.camunda.schema.definitions import Definition
    from cleanupctl.history.camunda.schema.engine_table import Kind
    from cleanupctl.history.camunda.schema.tables import Schema

EXACT_ROWS = 200_000
"""Tables up to this size (by statistics) are counted exactly also when estimates would do."""


@dataclass(frozen=True, slots=True)
class Cleanable:
    """Instances of one definition that have finished, and how many of them may go."""

    definition: Definition
    ttl: int | None
    """Days that count for it, from the database or from the configuration."""
    finished: int
    cleanable: int
    estimated: bool


@dataclass(frozen=True, slots=True)
class CleanableBatches:
    """Batch operations of one type that have finished, and how many of them may go."""

    type: str
    ttl: int | None
    finished: int
    cleanable: int


@dataclass(frozen=True, slots=True)
class Reporting:
    """One history at one moment (aware); `exact` counts every row, however long it takes."""

    settings: CamundaSettings
    schema: Schema
    now: datetime
    exact: bool
    sizes: dict[str, int]
    """Rows by table name without prefix, from the statistics."""
    keeps_running: bool = False
    """Whether some running instance has a removal time that is past: its rows stay."""

    def counts(self, table: str) -> bool:
        """Whether the rows of a table are counted and not estimated."""
        return self.exact or self.sizes.get(table, 0) <= EXACT_ROWS

    def counts_what_goes_along(self, table: str) -> bool:
        """Whether the rows that go with instances are counted: that takes a query for some of them each."""
        return self.exact or self.sizes.get(table, 0) <= EXACT_ROWS // 10

    def number(self, table: str, column: str, condition: Condition) -> int:
        """Count or estimate the rows that meet a condition; `column` is that of the index to use."""
        found = self.schema.tables[table]
        target = Target(found, found.column(column), condition)
        if not self.counts(table):
            estimate = self.schema.database.estimate(target)
            if estimate is not None:
                return estimate
        return self.schema.database.count(target)[0]


def cleanable(
    report: Reporting, kind: Kind, census: Census | None = None, sample: Sample | None = None
) -> Iterator[Cleanable]:
    """Yield the cleanable report of the definitions of one kind; those that are gone at the end.

    Under the end-time strategy `census` has what a run would delete, and `sample` an estimate of it for
    process instances that are too many to be counted; under the other one a sample is taken here.
    """
    place = ENGINE_KINDS[kind]
    if place.instances not in report.schema.tables:
        return
    removable = removable_rows(report, place.instances)
    if removable is not None and not report.counts(place.instances):
        sample = sample_rows(report, kind, removable)
    for definition in definitions_with_history(report.schema, kind):
        ttl = _ttl(report, definition)
        finished = report.number(place.instances, place.ended, _finished(report, definition))
        if census is not None and place.instances not in census.uncounted:
            number, counted = census.instances[place.instances, definition.id], True
        elif sample is not None and (census is None or kind == "process"):
            number, counted = sample.cleanable(definition.id, finished), False
        elif census is None:
            number, counted = _expired(report, definition), True
        else:
            number, counted = _past(report, definition, ttl), False
        yield Cleanable(definition, ttl, finished, number, not (counted and report.counts(place.instances)))


def _ttl(report: Reporting, definition: Definition) -> int | None:
    """Return the days that count: what the configuration says counts under the end-time strategy only."""
    if report.settings.strategy == "removal-time":
        return definition.ttl
    return definition_ttl(definition, report.settings).days


def _of(report: Reporting, definition: Definition) -> Condition:
    identity = report.schema.column(
        ENGINE_KINDS[definition.kind].instances, ENGINE_KINDS[definition.kind].definition_id
    )
    return Condition(f"t.{identity} = %s", (definition.id,))


def _finished(report: Reporting, definition: Definition) -> Condition:
    place = ENGINE_KINDS[definition.kind]
    ended = report.schema.column(place.instances, place.ended)
    return both((_of(report, definition), Condition(f"t.{ended} IS NOT NULL")))


def _expired(report: Reporting, definition: Definition) -> int:
    """Count what the removal-time strategy would delete of a definition."""
    place = ENGINE_KINDS[definition.kind]
    removable = removable_rows(report, place.instances)
    if removable is None:
        return 0
    return report.number(place.instances, place.ended, both((_of(report, definition), removable)))


def _past(report: Reporting, definition: Definition, ttl: int | None) -> int:
    """Estimate what the end-time strategy would delete of a definition, each instance by its own end."""
    if ttl is None:
        return 0
    place = ENGINE_KINDS[definition.kind]
    table = report.schema.tables[place.instances]
    until = expiry(report.now, ttl, report.settings.timezone)
    past = report.schema.database.expired(table.column(place.ended), until, table, None)
    return report.number(place.instances, place.ended, both((_of(report, definition), past)))


def removable_rows(report: Reporting, name: str) -> Condition | None:
    """Say which rows of a table the removal-time strategy would delete; None when it has no such column.

    What keeps rows all the same is left out where they are only estimated.
    """
    schema, settings = report.schema, report.settings
    if settings.strategy != "removal-time" or not schema.has(name, REMOVAL_TIME):
        return None
    table = schema.tables[name]
    moment = cutoff(report.now, settings.timezone)
    conditions = [schema.database.expired(table.column(REMOVAL_TIME), moment, table, None)]
    if name in (PROCESS_INSTANCES, BATCHES) and not settings.include_unfinished:
        conditions.append(Condition(f"t.{schema.column(name, 'END_TIME_')} IS NOT NULL"))
    if report.counts(name):
        if report.keeps_running:
            conditions += running_guards(schema, name)
        conditions += schema.database.references_guard(table)
    return both(conditions)


def cleanable_batches(report: Reporting) -> Iterator[CleanableBatches]:
    """Yield the cleanable report of batch operations by type; their table is small: always counted."""
    schema = report.schema
    if BATCHES not in schema.tables:
        return
    name, end = schema.column(BATCHES, "TYPE_"), schema.column(BATCHES, "END_TIME_")
    rows = f"{schema.quoted(BATCHES)} AS t WHERE t.{end} IS NOT NULL"
    sql = f"SELECT t.{name}, count(*) FROM {rows} GROUP BY t.{name}"
    table = schema.tables[BATCHES]
    for type_, finished in sorted(schema.database.query(sql)):
        due = _due_batches(report, type_)
        own = Condition(f"t.{name} = %s AND t.{end} IS NOT NULL", (type_,))
        target = Target(table, table.column("END_TIME_"), both((own, due)) if due else own)
        expired = schema.database.count(target)[0] if due else 0
        yield CleanableBatches(
            str(type_), batch_ttl(str(type_), report.settings).days, int(finished), expired
        )


def _due_batches(report: Reporting, type_: str) -> Condition | None:
    zone, table = report.settings.timezone, report.schema.tables[BATCHES]
    if report.settings.strategy == "removal-time":
        if not report.schema.has(BATCHES, REMOVAL_TIME):
            return None
        column, until = table.column(REMOVAL_TIME), cutoff(report.now, zone)
    else:
        ttl = batch_ttl(type_, report.settings).days
        if ttl is None:
            return None
        column, until = table.column("END_TIME_"), expiry(report.now, ttl, zone)
    return report.schema.database.expired(column, until, table, None)
