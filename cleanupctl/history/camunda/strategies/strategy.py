"""What a strategy is: run, dry run, report, explain and check ask one and so cannot disagree."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from cleanupctl.history.camunda.schema.engine_table import REMOVAL_TIME
from cleanupctl.history.camunda.schema.tables import ENGINE_TABLES, TASK_METRICS
from cleanupctl.history.camunda.strategies import cascades, orphan_rules
from cleanupctl.history.camunda.strategies.kept_below import nothing_kept_below
from cleanupctl.history.camunda.strategies.missing_roots import unrooted_tables
from cleanupctl.history.camunda.strategies.task_metrics import WRITTEN, task_metrics
from cleanupctl.history.camunda.strategies.ttl import definition_ttl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.schema.definitions import Definition
    from cleanupctl.history.camunda.schema.engine_table import Kind
    from cleanupctl.history.camunda.schema.tables import Schema
    from cleanupctl.history.camunda.strategies.eligibility import Chooser
    from cleanupctl.history.camunda.strategies.explained import Answer, Facts, InstanceKind
    from cleanupctl.history.camunda.strategies.ttl import EffectiveTtl
    from cleanupctl.history.cleaning.cascade import CascadePlan
    from cleanupctl.history.cleaning.hierarchies import CascadeTask
    from cleanupctl.history.cleaning.tasks import Phase
    from cleanupctl.history.databases.conditions import Condition
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.findings import Finding, Severity
    from cleanupctl.history.databases.target import Target


class Strategy(ABC):
    """Decides what of an engine's history has expired. Instants are aware."""

    name: ClassVar[str]
    """As in the configuration."""
    by_instance: ClassVar[bool]
    """Whether whole instances are deleted, by their end and the time to live that counts now; otherwise
    each row is, by the removal time on it."""
    tables: ClassVar[tuple[str, ...]]
    """What a run has to look up, without prefix."""
    checked: ClassVar[tuple[str, ...]]
    """Tables from which a run deletes, without prefix."""
    without_ttl: ClassVar[Severity]
    """How bad it is that no definition has a time to live."""
    keeps_referenced: ClassVar[str]
    """What stays because a foreign key of a table that is not the engine's points at it."""

    def __init__(self, settings: CamundaSettings) -> None:
        self.settings = settings

    @abstractmethod
    def plan(self, database: Database, now: datetime) -> Iterator[Phase]:
        """Yield what a run deletes, each phase planned when the one before has ended. Raise HistoryError."""

    @abstractmethod
    def ttl(self, definition: Definition) -> EffectiveTtl:
        """Return the time to live that counts for instances of a definition."""

    @abstractmethod
    def due_batches(self, schema: Schema, type_: str, now: datetime) -> Condition | None:
        """Return which batch operations of a type have expired; None when there can be none."""

    def expired_rows(self, schema: Schema, name: str, now: datetime, *, guarded: bool) -> Target | None:
        """Return the rows of a table that are deleted each by its own time; None when none are.

        Not `guarded` leaves out what keeps rows all the same.
        """
        del guarded
        return task_metrics(schema, self.settings, now) if name == TASK_METRICS else None

    def expired_contents(self, schema: Schema, name: str, now: datetime) -> Iterator[Target]:
        """Yield the rows of a table that are deleted by the time of rows which refer to them."""
        del schema, name, now
        return iter(())

    def unfinished(self, schema: Schema, name: str) -> tuple[Condition, ...]:
        """Return what holds for rows which nothing that runs keeps, where each row is deleted by itself."""
        del schema, name
        return ()

    def older_than(self, schema: Schema, moment: datetime, name: str, column: str) -> Condition:
        """Return what holds for rows written before a moment (aware), by a column or by their id."""
        return orphan_rules.older_than(schema, self.settings, moment, name, column)

    def keeps_no_orphan(self, schema: Schema, now: datetime, name: str, written: str) -> Iterator[Condition]:
        """Yield what holds for rows that the policy does not keep for themselves, whatever they belong to."""
        return orphan_rules.kept_by_nothing(schema, self.settings, now, name, written)

    def without_decision(self, schema: Schema, now: datetime, column: str) -> Condition:
        """Return what holds for rows whose decision, by the id in a column, is gone or may go."""
        return orphan_rules.without_decision(schema, self.settings, now, column)

    def configured_ttl(self, definition: Definition) -> EffectiveTtl:
        """Return the time to live that a removal time is calculated with."""
        return definition_ttl(definition, self.settings)

    def keeps_nothing_below(self, schema: Schema, kind: Kind, *, by_root: bool) -> Iterator[Condition]:
        """Yield what holds for instances `t` below which the configuration keeps nothing for ever.

        Not `by_root` asks only for what is part of the instance itself.
        """
        return nothing_kept_below(schema, self.settings, kind, by_root=by_root)

    def belonging(self, schema: Schema, kind: InstanceKind, *, whole: bool) -> CascadePlan:
        """Return which rows belong to an instance of a kind, or to the `whole` hierarchy of a root."""
        match kind:
            case "process":
                unrooted = unrooted_tables(schema) if whole else cascades.TABLES_OF_INSTANCES
                return cascades.process_plan(schema, by_root=whole, decisions=True, unrooted=unrooted)
            case "decision":
                return cascades.decision_plan(schema, by_root=whole)
            case "case":
                return cascades.case_plan(schema, decisions=True)
            case "batch":
                return cascades.batch_plan(schema)

    def nothing_undated(self, schema: Schema, name: str) -> Iterator[Condition]:
        """Yield what holds for instances to which no row belongs that has no time and keeps them."""
        del schema, name
        return iter(())

    def cascades(self, schema: Schema, now: datetime) -> Iterator[CascadeTask]:
        """Yield what is deleted with all that belongs to it, without the notices of a run.

        Raise HistoryError.
        """
        del schema, now
        return iter(())

    def of_definitions(
        self, schema: Schema, definitions: Sequence[Definition], now: datetime
    ) -> Iterator[CascadeTask]:
        """Yield what deletes the instances of some definitions, all of one kind."""
        del schema, definitions, now
        return iter(())

    def eligibility(self, schema: Schema, kind: InstanceKind) -> Chooser | None:
        """Return what chooses among expired instances of a kind; None when no whole instances are deleted."""
        del schema, kind
        return None

    def keeps_whole(self, schema: Schema, kind: Kind) -> Iterator[Condition]:
        """Yield what has to hold for instances `t`, besides what they are, that whole ones may be deleted."""
        del schema, kind
        return iter(())

    @abstractmethod
    def answer(self, facts: Facts, zone: ZoneInfo) -> Answer:
        """Return when an instance expires and why; `zone` is that of the engine's wall clock."""

    def notes(self, facts: Facts) -> Iterator[str]:
        """Yield what is good to know of an instance, but keeps nothing."""
        del facts
        return iter(())

    def required_indexes(self, name: str) -> tuple[str, ...]:
        """Return the columns of a table that an index has to lead with."""
        if name == TASK_METRICS:
            return () if self.settings.task_metrics_ttl is None else (WRITTEN,)
        return tuple(
            column
            for column in ENGINE_TABLES[name].indexes
            if (column == REMOVAL_TIME) is not self.by_instance
        )

    def check_table(self, schema: Schema, name: str) -> Iterator[Finding]:
        """Yield what makes a table unfit for this strategy."""
        del schema, name
        return iter(())

    def check_rows(self, schema: Schema) -> Iterator[Finding]:
        """Yield what this strategy does with some rows that one may not expect; stop at the first of them."""
        del schema
        return iter(())
