"""The end-time strategy of engine histories: instances whose end and time to live are past, as of now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError
from cleanupctl.core.run.cleaning import Noticed
from cleanupctl.history.camunda.schema.definitions import (
    ENGINE_KINDS,
    INSTANCE_TABLES,
    definitions_with_history,
    instances_of,
)
from cleanupctl.history.camunda.schema.engine_table import KEY
from cleanupctl.history.camunda.schema.tables import (
    BATCHES,
    CASE_ACTIVITIES,
    CASE_TABLES,
    CLEANED,
    find_schema,
)
from cleanupctl.history.camunda.strategies import cascades, end_time_rule
from cleanupctl.history.camunda.strategies.cascades import TABLES_OF_INSTANCES
from cleanupctl.history.camunda.strategies.cleanup_log import cleanup_log
from cleanupctl.history.camunda.strategies.eligibility import (
    ByCase,
    ByRootDecision,
    ByRootProcess,
    PerInstance,
)
from cleanupctl.history.camunda.strategies.kept_for_ever import kept_for_ever
from cleanupctl.history.camunda.strategies.missing_roots import unrooted_tables
from cleanupctl.history.camunda.strategies.strategy import Strategy
from cleanupctl.history.camunda.strategies.task_metrics import task_metrics
from cleanupctl.history.camunda.strategies.ttl import (
    DEFINITION,
    NONE,
    OVERRIDE,
    batch_ttl,
)
from cleanupctl.history.camunda.strategies.without_instance import without_instance
from cleanupctl.history.cleaning.candidates import Group
from cleanupctl.history.cleaning.hierarchies import CascadeTask
from cleanupctl.history.cleaning.tasks import Phase, TableTask
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.cutoff import expiry
from cleanupctl.history.databases.servers import engine_servers, runs_engines

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.core.run.cleaning import Event
    from cleanupctl.history.camunda.schema.definitions import Definition
    from cleanupctl.history.camunda.schema.engine_table import Kind
    from cleanupctl.history.camunda.schema.tables import Schema
    from cleanupctl.history.camunda.strategies.eligibility import Chooser
    from cleanupctl.history.camunda.strategies.explained import Answer, Facts, InstanceKind
    from cleanupctl.history.camunda.strategies.ttl import EffectiveTtl
    from cleanupctl.history.databases.cutoff import Cutoff
    from cleanupctl.history.databases.database import Database

UNITS_BY_SCAN = 500
"""Cases deleted at a time where no index leads to what belongs to them: each batch reads a whole table."""


class EndTime(Strategy):
    """The end-time strategy: processes, decisions, cases, batches, task metrics, the cleanup's log."""

    name = "end-time"
    by_instance = True
    tables = INSTANCE_TABLES
    checked = (*CLEANED, *CASE_TABLES)
    without_ttl = "error"
    keeps_referenced = "the instances whose rows it points at stay"

    def plan(self, database: Database, now: datetime) -> Iterator[Phase]:
        """Yield one phase for each kind. Raise HistoryError."""
        if not runs_engines(self.settings.url):
            raise HistoryError(f'strategy = "end-time" needs {engine_servers()}')
        schema = find_schema(database, self.settings, self.tables)
        yield Phase(events=tuple(self._missing(schema)))
        for kind in ENGINE_KINDS:
            if schema.has(ENGINE_KINDS[kind].instances, ENGINE_KINDS[kind].ended):
                yield self._definitions(schema, kind, now)
        yield Phase(tuple(self._batches(schema, now)))
        metrics = task_metrics(schema, self.settings, now)
        log = cleanup_log(schema, self.settings, now)
        others = without_instance(schema, self.settings, now)
        yield Phase((*([TableTask(metrics)] if metrics else []), *log, *others))

    def _missing(self, schema: Schema) -> Iterator[Event]:
        missing = [name for name in self.tables if name not in schema.tables]
        if missing:
            yield Noticed(
                self.settings.name,
                f"this schema has no {', '.join(missing)}; the other tables are cleaned",
            )

    def cascades(self, schema: Schema, now: datetime) -> Iterator[CascadeTask]:
        """Yield all that a run does by instances, without the notices of a run."""
        for kind in ENGINE_KINDS:
            if schema.has(ENGINE_KINDS[kind].instances, ENGINE_KINDS[kind].ended):
                yield from self.of_definitions(
                    schema, definitions_with_history(schema, kind, self.settings), now
                )
        yield from self._batches(schema, now)
        yield from cleanup_log(schema, self.settings, now)
        yield from without_instance(schema, self.settings, now)

    def of_definitions(
        self, schema: Schema, definitions: Sequence[Definition], now: datetime
    ) -> Iterator[CascadeTask]:
        """Yield one task for each definition, all of one kind, that has a time to live."""
        processes = any(one.kind == "process" for one in definitions)
        by_root = processes and self.settings.hierarchy == "root"
        unrooted = unrooted_tables(schema) if by_root else frozenset[str]()
        for definition in definitions:
            ttl = self.ttl(definition)
            if ttl.days is not None:
                until = expiry(now, ttl.days, self.settings.timezone)
                conditions = _of_definition(schema, definition, ttl)
                yield self._task(schema, definition, until, conditions, unrooted)

    def _definitions(self, schema: Schema, kind: Kind, now: datetime) -> Phase:
        definitions = definitions_with_history(schema, kind, self.settings)
        endless = [one for one in definitions if self.ttl(one).source == NONE]
        tasks = tuple(self.of_definitions(schema, definitions, now))
        return Phase(tasks, tuple(kept_for_ever(schema, self.settings, kind, endless)))

    def _task(
        self,
        schema: Schema,
        definition: Definition,
        until: Cutoff,
        conditions: tuple[Condition, ...],
        unrooted: frozenset[str],
    ) -> CascadeTask:
        kind = ENGINE_KINDS[definition.kind]
        chosen = self.eligibility(schema, definition.kind, unrooted)
        whole = tuple(self.keeps_whole(schema, definition.kind))
        group = Group(
            kind.instances,
            definition.part,
            kind.ended,
            until,
            conditions,
            kind.instance_id,
            chosen.columns,
            chosen,
            KEY,
            "instances",
            whole,
        )

        def notices() -> Iterator[str]:
            if isinstance(chosen, ByRootProcess | ByCase) and chosen.kept:
                yield (
                    f"{chosen.kept} hierarchies of {group.part} are kept: their root has ended, but an"
                    " instance below it, or a case, still runs (include_unfinished = true removes them)"
                )
            if whole:
                table = schema.tables[kind.instances]
                past = schema.database.expired(table.column(kind.ended), until, table, None)
                without = both(whole)
                kept = Condition(f"NOT ({without.sql})", without.parameters)
                number = schema.database.bounded_count(table, both((*conditions, past, kept)))
                if number:
                    yield (
                        f"{number} hierarchies of {group.part} are kept: something below them is of a"
                        ' definition with ttl = "none", and a hierarchy is deleted as a whole'
                    )

        least = _least_units(schema) if definition.kind == "case" else 1
        return CascadeTask(schema, group, least_units=least, notices=notices)

    def keeps_whole(self, schema: Schema, kind: Kind) -> Iterator[Condition]:
        """Yield what has to hold for instances `t` besides: nothing of a tree is to be kept for ever."""
        if self.settings.hierarchy == "root":
            yield from self.keeps_nothing_below(schema, kind, by_root=True)

    def eligibility(
        self, schema: Schema, kind: InstanceKind, unrooted: Container[str] = TABLES_OF_INSTANCES
    ) -> Chooser:
        """Return what chooses among expired instances of a kind, with what is deleted along with each.

        `unrooted` are the tables with rows that do not name their root.
        """
        by_root = self.settings.hierarchy == "root"
        match kind:
            case "process":
                return self._of_processes(schema, unrooted, by_root=by_root)
            case "decision" if by_root:
                plan = cascades.decision_plan(schema, by_root=True)
                return ByRootDecision(schema, plan, include_unfinished=self.settings.include_unfinished)
            case "decision":
                return PerInstance(KEY, cascades.decision_plan(schema, by_root=False))
            case "case" if by_root and not self.settings.include_unfinished:
                return ByCase(schema, cascades.case_plan(schema, decisions=True))
            case "case":
                key = ENGINE_KINDS["case"].instance_id
                return PerInstance(key, cascades.case_plan(schema, decisions=by_root))
            case "batch":
                return PerInstance(KEY, cascades.batch_plan(schema))

    def _of_processes(self, schema: Schema, unrooted: Container[str], *, by_root: bool) -> Chooser:
        unfinished = self.settings.include_unfinished
        alone = cascades.process_plan(schema, by_root=False, decisions=by_root, unfinished=unfinished)
        if not by_root:
            return PerInstance(ENGINE_KINDS["process"].instance_id, alone)
        tree = cascades.process_plan(
            schema, by_root=True, decisions=True, unrooted=unrooted, unfinished=unfinished
        )
        return ByRootProcess(schema, tree, alone, include_unfinished=unfinished)

    def _batches(self, schema: Schema, now: datetime) -> Iterator[CascadeTask]:
        if not schema.has(BATCHES, "END_TIME_"):
            return
        column = f"t.{schema.column(BATCHES, 'TYPE_')}"
        types = schema.database.query(
            f"SELECT DISTINCT {column} FROM {schema.quoted(BATCHES)} AS t ORDER BY 1"
        )
        eligibility = self.eligibility(schema, "batch")
        for (type_,) in types:
            days = batch_ttl(str(type_), self.settings).days
            if days is not None:
                until = expiry(now, days, self.settings.timezone)
                condition = Condition(f"{column} = %s", (type_,))
                group = Group(
                    BATCHES,
                    str(type_),
                    "END_TIME_",
                    until,
                    (condition,),
                    "ID_",
                    (),
                    eligibility,
                    "ID_",
                    "instances",
                )
                yield CascadeTask(schema, group)

    def ttl(self, definition: Definition) -> EffectiveTtl:
        """Return the days that count now: of the configuration, or of the definition."""
        return self.configured_ttl(definition)

    def due_batches(self, schema: Schema, type_: str, now: datetime) -> Condition | None:
        """Return which batch operations of a type have expired, by the time to live of the configuration."""
        days = batch_ttl(type_, self.settings).days
        if days is None:
            return None
        table = schema.tables[BATCHES]
        until = expiry(now, days, self.settings.timezone)
        return schema.database.expired(table.column("END_TIME_"), until, table, None)

    def answer(self, facts: Facts, zone: ZoneInfo) -> Answer:
        """Return when an instance expires: by the end and the time to live of what governs it."""
        return end_time_rule.answer(facts, zone)

    def notes(self, facts: Facts) -> Iterator[str]:
        """Yield what is deleted along with the instance, or what it is deleted along with."""
        return end_time_rule.notes(facts)


def _of_definition(schema: Schema, definition: Definition, ttl: EffectiveTtl) -> tuple[Condition, ...]:
    """Return what makes a row an instance of a definition whose time to live is still the one that counts."""
    engine_kind = ENGINE_KINDS[definition.kind]
    own = instances_of(schema, definition)
    if ttl.source == OVERRIDE or not schema.has(engine_kind.definitions, "HISTORY_TTL_"):
        return (own,)
    identity, days = (schema.column(engine_kind.definitions, name) for name in ("ID_", "HISTORY_TTL_"))
    row = f"EXISTS (SELECT 1 FROM {schema.quoted(engine_kind.definitions)} AS d WHERE d.{identity} = %s"
    if ttl.source == DEFINITION:
        return own, Condition(f"{row} AND d.{days} = %s)", (definition.id, ttl.days))
    # The default counts as long as the engine has nothing to say: one that was set during the run protects.
    return own, Condition(f"NOT {row} AND d.{days} IS NOT NULL)", (definition.id,))


def _least_units(schema: Schema) -> int:
    table = schema.tables.get(CASE_ACTIVITIES)
    indexed = table is None or table.column("CASE_INST_ID_").name in table.indexed
    return 1 if indexed else UNITS_BY_SCAN
