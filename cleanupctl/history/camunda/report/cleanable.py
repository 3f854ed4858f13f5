"""What of an engine's history is cleanable, by definition and batch type: finished and expired instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.history.camunda.report.sampling import sample_rows
from cleanupctl.history.camunda.schema.definitions import ENGINE_KINDS, definitions_with_history, instances_of
from cleanupctl.history.camunda.schema.tables import BATCHES
from cleanupctl.history.camunda.strategies.ttl import batch_ttl
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.cutoff import expiry
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.history.camunda.report.counts import ExactCounts
    from cleanupctl.history.camunda.report.sampling import Sample
    from cleanupctl.history.camunda.report.scope import ReportScope
    from cleanupctl.history.camunda.schema.definitions import Definition
    from cleanupctl.history.camunda.schema.engine_table import Kind


@dataclass(frozen=True, slots=True)
class Cleanable:
    """Instances of one definition that have finished, and how many of them a run would delete."""

    definition: Definition
    ttl: int | None
    """Days that count for it, from the database or from the configuration."""
    finished: int
    cleanable: int
    estimated: bool


@dataclass(frozen=True, slots=True)
class CleanableBatches:
    """Batch operations of one type that have finished, and how many of them a run would delete."""

    type: str
    ttl: int | None
    finished: int
    cleanable: int


def cleanable(
    scope: ReportScope, kind: Kind, counts: ExactCounts | None = None, sample: Sample | None = None
) -> Iterator[Cleanable]:
    """Yield the cleanable report of the definitions of one kind; those that were deleted at the end.

    Where whole instances are deleted, `counts` has what a run would delete, and `sample` an estimate of it
    for process instances that are too many to be counted; otherwise a sample is taken here.
    """
    engine_kind = ENGINE_KINDS[kind]
    if engine_kind.instances not in scope.schema.tables:
        return
    removable = scope.expired_rows(engine_kind.instances)
    if removable is not None and not scope.is_counted(engine_kind.instances):
        sample = sample_rows(scope, kind, removable.condition)
    for definition in definitions_with_history(scope.schema, kind, scope.settings):
        ttl = scope.strategy.ttl(definition).days
        finished = scope.number(engine_kind.instances, engine_kind.ended, _finished(scope, definition))
        if counts is not None and engine_kind.instances not in counts.uncounted:
            number, counted = counts.of(engine_kind.instances, definition), True
        elif sample is not None and (counts is None or kind == "process"):
            number, counted = sample.cleanable(definition.id, finished), False
        elif counts is None:
            number, counted = _expired(scope, definition), True
        else:
            number, counted = _past(scope, definition, ttl), False
        yield Cleanable(
            definition, ttl, finished, number, not (counted and scope.is_counted(engine_kind.instances))
        )


def _finished(scope: ReportScope, definition: Definition) -> Condition:
    engine_kind = ENGINE_KINDS[definition.kind]
    ended = scope.schema.column(engine_kind.instances, engine_kind.ended)
    return both((instances_of(scope.schema, definition), Condition(f"t.{ended} IS NOT NULL")))


def _expired(scope: ReportScope, definition: Definition) -> int:
    """Count the instances of a definition that are deleted each by its own removal time."""
    engine_kind = ENGINE_KINDS[definition.kind]
    removable = scope.expired_rows(engine_kind.instances)
    if removable is None:
        return 0
    condition = both((instances_of(scope.schema, definition), removable.condition))
    return scope.number(engine_kind.instances, engine_kind.ended, condition)


def _past(scope: ReportScope, definition: Definition, ttl: int | None) -> int:
    """Estimate the instances of a definition that are past their own end and time to live."""
    if ttl is None:
        return 0
    engine_kind = ENGINE_KINDS[definition.kind]
    table = scope.schema.tables[engine_kind.instances]
    until = expiry(scope.now, ttl, scope.settings.timezone)
    past = scope.schema.database.expired(table.column(engine_kind.ended), until, table, None)
    return scope.number(
        engine_kind.instances, engine_kind.ended, both((instances_of(scope.schema, definition), past))
    )


def cleanable_batches(scope: ReportScope) -> Iterator[CleanableBatches]:
    """Yield the cleanable report of batch operations by type; their table is small: always counted."""
    schema = scope.schema
    if BATCHES not in schema.tables:
        return
    name, end = schema.column(BATCHES, "TYPE_"), schema.column(BATCHES, "END_TIME_")
    rows = f"{schema.quoted(BATCHES)} AS t WHERE t.{end} IS NOT NULL"
    sql = f"SELECT t.{name}, count(*) FROM {rows} GROUP BY t.{name}"
    table = schema.tables[BATCHES]
    for type_, finished in sorted(schema.database.query(sql)):
        due = scope.strategy.due_batches(schema, str(type_), scope.now)
        own = Condition(f"t.{name} = %s AND t.{end} IS NOT NULL", (type_,))
        target = Target(table, table.column("END_TIME_"), both((own, due)) if due else own)
        expired = schema.database.count(target)[0] if due else 0
        yield CleanableBatches(str(type_), batch_ttl(str(type_), scope.settings).days, int(finished), expired)
