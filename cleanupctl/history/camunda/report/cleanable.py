"""What of an engine's history is cleanable, by definition and batch type: finished and expired instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.history.camunda.report.sampling import sample_rows
from cleanupctl.history.camunda.schema.definitions import ENGINE_KINDS, definitions_with_history
from cleanupctl.history.camunda.schema.tables import BATCHES
from cleanupctl.history.camunda.strategies.ttl import batch_ttl, expiry
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.history.camunda.report.counts import Census
    from cleanupctl.history.camunda.report.sampling import Sample
    from cleanupctl.history.camunda.report.scope import ReportScope
    from cleanupctl.history.camunda.schema.definitions import Definition
    from cleanupctl.history.camunda.schema.engine_table import Kind


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


def cleanable(
    report: ReportScope, kind: Kind, census: Census | None = None, sample: Sample | None = None
) -> Iterator[Cleanable]:
    """Yield the cleanable report of the definitions of one kind; those that are gone at the end.

    Under the end-time strategy `census` has what a run would delete, and `sample` an estimate of it for
    process instances that are too many to be counted; under the other one a sample is taken here.
    """
    place = ENGINE_KINDS[kind]
    if place.instances not in report.schema.tables:
        return
    removable = report.expired_rows(place.instances)
    if removable is not None and not report.counts(place.instances):
        sample = sample_rows(report, kind, removable.condition)
    for definition in definitions_with_history(report.schema, kind):
        ttl = report.strategy.ttl(definition).days
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


def _of(report: ReportScope, definition: Definition) -> Condition:
    identity = report.schema.column(
        ENGINE_KINDS[definition.kind].instances, ENGINE_KINDS[definition.kind].definition_id
    )
    return Condition(f"t.{identity} = %s", (definition.id,))


def _finished(report: ReportScope, definition: Definition) -> Condition:
    place = ENGINE_KINDS[definition.kind]
    ended = report.schema.column(place.instances, place.ended)
    return both((_of(report, definition), Condition(f"t.{ended} IS NOT NULL")))


def _expired(report: ReportScope, definition: Definition) -> int:
    """Count what the removal-time strategy would delete of a definition."""
    place = ENGINE_KINDS[definition.kind]
    removable = report.expired_rows(place.instances)
    if removable is None:
        return 0
    condition = both((_of(report, definition), removable.condition))
    return report.number(place.instances, place.ended, condition)


def _past(report: ReportScope, definition: Definition, ttl: int | None) -> int:
    """Estimate what the end-time strategy would delete of a definition, each instance by its own end."""
    if ttl is None:
        return 0
    place = ENGINE_KINDS[definition.kind]
    table = report.schema.tables[place.instances]
    until = expiry(report.now, ttl, report.settings.timezone)
    past = report.schema.database.expired(table.column(place.ended), until, table, None)
    return report.number(place.instances, place.ended, both((_of(report, definition), past)))


def cleanable_batches(report: ReportScope) -> Iterator[CleanableBatches]:
    """Yield the cleanable report of batch operations by type; their table is small: always counted."""
    schema = report.schema
    if BATCHES not in schema.tables:
        return
    name, end = schema.column(BATCHES, "TYPE_"), schema.column(BATCHES, "END_TIME_")
    rows = f"{schema.quoted(BATCHES)} AS t WHERE t.{end} IS NOT NULL"
    sql = f"SELECT t.{name}, count(*) FROM {rows} GROUP BY t.{name}"
    table = schema.tables[BATCHES]
    for type_, finished in sorted(schema.database.query(sql)):
        due = report.strategy.due_batches(schema, str(type_), report.now)
        own = Condition(f"t.{name} = %s AND t.{end} IS NOT NULL", (type_,))
        target = Target(table, table.column("END_TIME_"), both((own, due)) if due else own)
        expired = schema.database.count(target)[0] if due else 0
        yield CleanableBatches(
            str(type_), batch_ttl(str(type_), report.settings).days, int(finished), expired
        )
