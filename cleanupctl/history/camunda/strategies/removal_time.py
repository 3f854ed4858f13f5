"""The removal-time strategy of engine histories: rows whose own removal time is past."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from cleanupctl.core.run.cleaning import Noticed
from cleanupctl.history.camunda.schema.engine_table import REMOVAL_TIME
from cleanupctl.history.camunda.schema.tables import (
    BATCHES,
    BYTE_ARRAYS,
    CASES,
    CHILDREN,
    CLEANED,
    DECISIONS,
    PROCESS_INSTANCES,
    ROOTS,
    SHARED,
    WITH_REMOVAL_TIME,
    Schema,
    find_schema,
)
from cleanupctl.history.camunda.strategies import removal_time_checks, removal_time_rule, undated
from cleanupctl.history.camunda.strategies.children import children_guards
from cleanupctl.history.camunda.strategies.cleanup_log import cleanup_log
from cleanupctl.history.camunda.strategies.connected import connected_guards
from cleanupctl.history.camunda.strategies.strategy import Strategy
from cleanupctl.history.camunda.strategies.task_metrics import task_metrics
from cleanupctl.history.camunda.strategies.ttl import DEFINITION, NONE, EffectiveTtl
from cleanupctl.history.camunda.strategies.unfinished import unfinished_guards
from cleanupctl.history.camunda.strategies.without_instance import without_instance
from cleanupctl.history.cleaning.tasks import LateTask, Phase, TableTask
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.cutoff import Cutoff, cutoff
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cleanupctl.core.run.cleaning import Event
    from cleanupctl.history.camunda.schema.definitions import Definition
    from cleanupctl.history.camunda.schema.tables import Schema
    from cleanupctl.history.camunda.strategies.explained import Answer, Facts
    from cleanupctl.history.cleaning.hierarchies import CascadeTask
    from cleanupctl.history.databases.database import Database
    from cleanupctl.history.databases.findings import Finding


class RemovalTime(Strategy):
    """The removal-time strategy: rows whose removal time is not after now, the roots' last."""

    name = "removal-time"
    by_instance = False
    tables = (*CLEANED, CASES)
    checked = CLEANED
    without_ttl = "warning"
    keeps_referenced = "the rows that it points at stay"

    def plan(self, database: Database, now: datetime) -> Iterator[Phase]:
        """Yield children, shared tables, roots, and what has its own time to live. Raise HistoryError."""
        schema = find_schema(database, self.settings, self.tables)
        moment = cutoff(now, self.settings.timezone)
        unchanged = database.unchanged_guard()
        yield Phase(events=(*self._notices(schema), *self._left_behind(schema, moment)))
        # Mostly there are none, and each of these reads the table of contents from one end to the other.
        contents = tuple(one for one in self._contents(schema, moment) if database.any_left(one.target))
        yield Phase(contents)
        yield self._phase(schema, CHILDREN, moment)
        yield self._phase(schema, SHARED, moment, needs_earlier=True)
        if unchanged is None:
            # What others have committed meanwhile comes before its roots too.
            yield self._late(schema, (*CHILDREN, *SHARED), moment)
        yield self._phase(schema, ROOTS, moment, needs_earlier=True, unchanged=unchanged)
        if unchanged is None:
            # And what they have committed with a root just before that was deleted goes with it.
            yield self._late(schema, (*CHILDREN, *SHARED, DECISIONS), moment, needs_earlier=False)
        metrics = task_metrics(schema, self.settings, now)
        yield Phase((*([TableTask(metrics)] if metrics else []), *self.cascades(schema, now)))

    def cascades(self, schema: Schema, now: datetime) -> Iterator[CascadeTask]:
        """Yield the log of the engine's own cleanup, and history without an instance."""
        yield from cleanup_log(schema, self.settings, now, without_removal_time=True)
        yield from without_instance(schema, self.settings, now)

    def expired_contents(self, schema: Schema, name: str, now: datetime) -> Iterator[Target]:
        """Yield contents without a removal time that go with what refers to them."""
        if name == BYTE_ARRAYS:
            yield from (one.target for one in self._contents(schema, cutoff(now, self.settings.timezone)))

    def _late(
        self, schema: Schema, names: tuple[str, ...], moment: Cutoff, *, needs_earlier: bool = True
    ) -> Phase:
        targets = self._targets(schema, names, moment)
        late = tuple(LateTask(one) for _, one in targets if schema.database.any_left(one))
        return Phase(late, needs_earlier=needs_earlier, again=True)

    def _notices(self, schema: Schema) -> Iterator[Event]:
        name = self.settings.name
        missing = [table for table in WITH_REMOVAL_TIME if table not in schema.tables]
        if missing:
            yield Noticed(name, f"this schema has no {', '.join(missing)}; the other tables are cleaned")
        old = [
            table
            for table in WITH_REMOVAL_TIME
            if table in schema.tables and not schema.has(table, REMOVAL_TIME)
        ]
        if old:
            yield Noticed(
                name, f"no {REMOVAL_TIME} in {', '.join(old)} (engine before 7.10): they are left alone"
            )
        unindexed = [
            table
            for key, table in schema.tables.items()
            if schema.has(key, REMOVAL_TIME) and table.column(REMOVAL_TIME).name not in table.indexed
        ]
        if unindexed:
            names = ", ".join(table.name for table in unindexed)
            create = "; ".join(
                schema.database.index_statement(table, table.column(REMOVAL_TIME)) for table in unindexed
            )
            yield Noticed(
                name,
                f"no index leads with {REMOVAL_TIME} in {names}: each run reads the whole table once;"
                f" create one each: {create}",
            )
        if self._ages_without_removal_time(schema):
            yield Noticed(
                name,
                "there are finished process instances without a removal time: this strategy keeps them"
                " (their definitions had no time to live when they ran)",
            )

    def _left_behind(self, schema: Schema, moment: Cutoff) -> Iterator[Event]:
        rows = undated.rows_left_behind(schema, moment)
        if rows:
            yield Noticed(
                self.settings.name,
                f"{undated.left_behind_text(schema, rows)}; cleanupctl history set-removal-time --calculate"
                " --hierarchical with the id of the root gives them its removal time",
            )

    def _contents(self, schema: Schema, moment: Cutoff) -> Iterator[undated.ContentsTask]:
        """Yield what deletes contents without a removal time, while the rows that refer to them are there."""
        yield from undated.contents_without_time(
            schema,
            moment,
            self.unfinished(schema, BYTE_ARRAYS),
            include_unfinished=self.settings.include_unfinished,
        )

    def _ages_without_removal_time(self, schema: Schema) -> bool:
        if not schema.has(PROCESS_INSTANCES, REMOVAL_TIME):
            return False
        removal = schema.column(PROCESS_INSTANCES, REMOVAL_TIME)
        end = schema.column(PROCESS_INSTANCES, "END_TIME_")
        table = schema.quoted(PROCESS_INSTANCES)
        sql = f"SELECT 1 FROM {table} AS t WHERE t.{removal} IS NULL AND t.{end} IS NOT NULL LIMIT 1"
        return bool(schema.database.query(sql))

    def _phase(
        self,
        schema: Schema,
        names: tuple[str, ...],
        moment: Cutoff,
        *,
        needs_earlier: bool = False,
        unchanged: Condition | None = None,
    ) -> Phase:
        tasks = (
            TableTask(one, look=partial(self._looked, schema, name, moment, one))
            for name, one in self._targets(schema, names, moment, unchanged)
        )
        return Phase(tuple(tasks), needs_earlier=needs_earlier)

    def _looked(self, schema: Schema, name: str, moment: Cutoff, target: Target) -> Target:
        """Return what a look counts: it knows already what a run finds out once children are deleted."""
        return replace(target, guards=tuple(self._guards(schema, name, moment, look=True)))

    def _targets(
        self, schema: Schema, names: tuple[str, ...], moment: Cutoff, unchanged: Condition | None = None
    ) -> Iterator[tuple[str, Target]]:
        """Yield what has expired with the names of the tables."""
        for name in names:
            if not schema.has(name, REMOVAL_TIME):
                continue
            guards = (*self._guards(schema, name, moment, look=False), *((unchanged,) if unchanged else ()))
            for leaf in schema.database.leaves(schema.tables[name]):
                column = leaf.column(REMOVAL_TIME)
                condition = schema.database.expired(column, moment, leaf, None)
                if not self.settings.include_unfinished and name in (PROCESS_INSTANCES, BATCHES):
                    end = schema.column(name, "END_TIME_")
                    condition = Condition(f"{condition.sql} AND t.{end} IS NOT NULL", condition.parameters)
                yield name, Target(leaf, column, condition, guards)

    def unfinished(
        self, schema: Schema, name: str, expired: Condition | None = None
    ) -> tuple[Condition, ...]:
        """Return what holds for rows of trees, and of batch operations, in which nothing runs."""
        if self.settings.include_unfinished:
            return ()
        return (*unfinished_guards(schema, name, expired), *connected_guards(schema, name))

    def nothing_undated(self, schema: Schema, name: str) -> Iterator[Condition]:
        """Yield what holds for root instances below which every row has a removal time."""
        return undated.nothing_undated(schema) if name == PROCESS_INSTANCES else iter(())

    def _guards(self, schema: Schema, name: str, moment: Cutoff, *, look: bool) -> Iterator[Condition]:
        """Yield what keeps expired rows all the same."""
        table = schema.tables[name]
        expired = schema.database.expired(table.column(REMOVAL_TIME), moment, table, None)
        yield from self.unfinished(schema, name, expired)
        if name not in CHILDREN:
            yield from children_guards(schema, name, moment if look else None)
        if name == PROCESS_INSTANCES:
            yield from undated.nothing_undated(schema, undated.rows_left_behind(schema, moment))
        if look:
            yield from schema.database.references_guard(table)

    def ttl(self, definition: Definition) -> EffectiveTtl:
        """Return the days that the engine used: those of the definition, whatever the configuration says."""
        return EffectiveTtl(definition.ttl, NONE if definition.ttl is None else DEFINITION)

    def due_batches(self, schema: Schema, type_: str, now: datetime) -> Condition | None:
        """Return which batch operations have expired, of any type."""
        del type_
        return self._expired(schema, BATCHES, now)

    def expired_rows(self, schema: Schema, name: str, now: datetime, *, guarded: bool) -> Target | None:
        """Return the rows whose removal time is past."""
        expired = self._expired(schema, name, now)
        if expired is None:
            return super().expired_rows(schema, name, now, guarded=guarded)
        table, conditions = schema.tables[name], [expired]
        if name in (PROCESS_INSTANCES, BATCHES) and not self.settings.include_unfinished:
            conditions.append(Condition(f"t.{schema.column(name, 'END_TIME_')} IS NOT NULL"))
        if guarded:
            conditions += self._guards(schema, name, cutoff(now, self.settings.timezone), look=True)
        return Target(table, table.column(REMOVAL_TIME), both(conditions))

    def _expired(self, schema: Schema, name: str, now: datetime) -> Condition | None:
        if not schema.has(name, REMOVAL_TIME):
            return None
        table = schema.tables[name]
        until = cutoff(now, self.settings.timezone)
        return schema.database.expired(table.column(REMOVAL_TIME), until, table, None)

    def answer(self, facts: Facts, zone: ZoneInfo) -> Answer:
        """Return when an instance expires: by the removal time on its own row."""
        return removal_time_rule.answer(facts, zone)

    def check_table(self, schema: Schema, name: str) -> Iterator[Finding]:
        """Yield a finding when the table has no removal time, or one that is none."""
        return removal_time_checks.check_table(schema, name)

    def check_rows(self, schema: Schema) -> Iterator[Finding]:
        """Yield findings about finished instances without a removal time, running ones with one, cases."""
        return removal_time_checks.check_rows(schema, self.settings)
