"""Which rows of an engine have another removal time than they should, some instances at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cleanupctl.core import times
from cleanupctl.core.errors import HistoryError
from cleanupctl.history.camunda.repair.reached import reached
from cleanupctl.history.camunda.repair.requests import Absolute, Calculated
from cleanupctl.history.camunda.schema.definitions import (
    ENGINE_KINDS,
    TENANT,
    EngineKind,
    load_definitions,
    missing_definition,
)
from cleanupctl.history.camunda.schema.engine_table import KEY, REMOVAL_TIME
from cleanupctl.history.camunda.schema.ownership import root_column
from cleanupctl.history.camunda.schema.tables import BATCHES
from cleanupctl.history.camunda.strategies.registry import strategy_of
from cleanupctl.history.camunda.strategies.ttl import batch_ttl
from cleanupctl.history.cleaning.changes import RowChange, unchanged
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.cutoff import as_instant
from cleanupctl.history.databases.statements import Assignment, Update
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.repair.reached import Reached
    from cleanupctl.history.camunda.repair.requests import InstanceFilter
    from cleanupctl.history.camunda.schema.definitions import Definition
    from cleanupctl.history.camunda.schema.tables import Schema
    from cleanupctl.history.cleaning.cascade import CascadePlan

_BATCH = EngineKind("process", "", BATCHES, "TYPE_", "TYPE_", "END_TIME_", "ID_", "START_TIME_")


@dataclass(slots=True)
class Selected:
    """How many instances were looked at."""

    instances: int = 0
    skipped: int = 0
    """Instances whose root is gone, so that nothing tells the tree's removal time."""


@dataclass(frozen=True, slots=True)
class _Instance:
    id: str
    root: str | None
    definition: str | None
    start: Any
    end: Any
    key: str | None = None
    """Of the definition, as the row has it."""
    tenant: str | None = None


class RemovalTimeChanges:
    """Finds the rows whose removal time differs, some instances at a time; implements `changes.Changes`."""

    def __init__(
        self,
        schema: Schema,
        settings: CamundaSettings,
        selection: InstanceFilter,
        wanted: Absolute | Calculated,
        hierarchical: bool,
        dry_run: bool,
        chunk: int,
        selected: Selected,
    ) -> None:
        self._schema = schema
        self._settings = settings
        self._strategy = strategy_of(settings)
        self._selection = selection
        self._wanted = wanted
        self._hierarchical = hierarchical
        self._dry_run = dry_run
        self._size = chunk
        self._selected = selected
        self._place = _BATCH if selection.kind == "batch" else ENGINE_KINDS[selection.kind]
        self._definitions: dict[str, Definition] = {}
        self._done: set[str] = set()
        self._ids_read = 0
        self._last: str | None = None
        if not schema.has(self._place.instances, REMOVAL_TIME):
            raise HistoryError(f"{self._place.instances} has no {REMOVAL_TIME} (or is not there)")
        self.table = schema.tables[self._place.instances]
        if isinstance(wanted, Calculated) and selection.kind != "batch":
            self._definitions = {one.id: one for one in load_definitions(schema, self._place.kind)}
        self._reached = tuple(one for one in reached(self._plan()) if schema.has(one.table, REMOVAL_TIME))

    def read(self) -> list[RowChange] | None:
        """Return what has to be changed for the next instances, their own rows last."""
        size = self._size
        instances = self._next(size)
        if not instances:
            return None
        governing, skipped = self._governing(instances)
        kept = self._kept_for_ever(governing)
        values = {one.id: None if one.id in kept else self._value(one) for one in governing}
        changes: dict[tuple[str, str], RowChange] = {}
        for one in self._reached if values else ():
            for change in self._changes(one, values):
                # A row that several lead to comes where the last of them has it.
                changes.pop((change.table, change.id), None)
                changes[change.table, change.id] = change
        self._advance(instances, size)
        self._selected.instances += len(instances)
        self._selected.skipped += skipped
        return list(changes.values())

    def read_less(self) -> None:
        """Look at half as many instances at a time."""
        self._size = max(1, self._size // 2)

    def _next(self, size: int) -> list[_Instance]:
        """Read the next instances: those with the next ids, or the next by their key."""
        ids = self._selection.ids
        if not ids:
            key = self._column(self._place.instance_id)
            after = Condition("") if self._last is None else Condition(f"{key} > %s", (self._last,))
            return self._instances(after, f" ORDER BY {key} LIMIT {int(size)}")
        while self._ids_read < len(ids):
            found = self._instances(self._by_ids(ids[self._ids_read : self._ids_read + size]))
            if found:
                return found
            self._ids_read += size
        return []

    def _advance(self, instances: list[_Instance], size: int) -> None:
        self._ids_read += size
        self._last = instances[-1].id

    def _plan(self) -> CascadePlan:
        """Return what is deleted with the instances: the same rows get their removal time."""
        return self._strategy.belonging(self._schema, self._selection.kind, whole=self._hierarchical)

    def _by_ids(self, ids: Sequence[str]) -> Condition:
        places = ", ".join(["%s"] * len(ids))
        return Condition(f"{self._column(self._place.instance_id)} IN ({places})", tuple(ids))

    def _instances(self, condition: Condition, end: str = "", *, chosen: bool = True) -> list[_Instance]:
        table, place = self._place.instances, self._place
        names = (
            place.instance_id, root_column(place), place.definition_id, self._place.started,
            place.ended, place.definition_key or "", TENANT,
        )  # fmt: skip
        columns = ", ".join(self._column(n) if self._schema.has(table, n) else "NULL" for n in names)
        where = both((condition, *(self._conditions() if chosen else ()))).sql or "1 = 1"
        parameters = both((condition, *(self._conditions() if chosen else ()))).parameters
        sql = f"SELECT {columns} FROM {self._schema.quoted(table)} AS t WHERE {where}{end}"
        return [_Instance(str(row[0]), *row[1:]) for row in self._schema.database.query(sql, parameters)]

    def _conditions(self) -> Iterator[Condition]:
        selection, place = self._selection, self._place
        if selection.definition_key is not None:
            yield Condition(f"{self._column(place.definition_key or '')} = %s", (selection.definition_key,))
        if selection.tenant is not None:
            yield Condition(f"{self._column('TENANT_ID_')} = %s", (selection.tenant,))
        for moment, comparison in ((selection.finished_after, ">="), (selection.finished_before, "<=")):
            if moment is not None:
                yield Condition(
                    f"{self._column(place.ended)} {comparison} %s", (self._stored(moment, place.ended),)
                )
        if selection.without:
            yield Condition(f"{self._column(REMOVAL_TIME)} IS NULL")

    def _column(self, name: str) -> str:
        return f"t.{self._schema.column(self._place.instances, name)}"

    def _governing(self, selected: list[_Instance]) -> tuple[list[_Instance], int]:
        """Return the instances whose value is calculated: those selected, or their roots, each once."""
        if not self._hierarchical or self._selection.kind == "batch":
            return selected, 0
        roots = {one.root or one.id for one in selected} - self._done
        if self._dry_run:
            # A tree that comes again would be counted again; in a real run its rows differ no more.
            self._done |= roots
        if not roots:
            return [], 0
        found = self._instances(self._by_ids(sorted(roots)), chosen=False)
        gone = roots - {one.id for one in found}
        return found, sum((one.root or one.id) in gone for one in selected)

    def _kept_for_ever(self, instances: list[_Instance]) -> set[str]:
        """Return those that have a part which an override keeps for ever: a tree is deleted as a whole."""
        if self._selection.kind == "batch" or not isinstance(self._wanted, Calculated) or not instances:
            return set()
        conditions = tuple(
            self._strategy.keeps_nothing_below(self._schema, self._selection.kind, by_root=self._hierarchical)
        )
        if not conditions:
            return set()
        without = both(conditions)
        by_id = self._by_ids([one.id for one in instances])
        kept = both((by_id, Condition(f"NOT ({without.sql})", without.parameters)))
        return {one.id for one in self._instances(kept, chosen=False)}

    def _value(self, instance: _Instance) -> Any:
        """Calculate what the engine would; without base time or time to live there is none."""
        if isinstance(self._wanted, Absolute):
            return None if self._wanted.time is None else self._stored(self._wanted.time, REMOVAL_TIME)
        name = self._place.started if self._wanted.base == "start" else self._place.ended
        table = self._schema.tables[self._place.instances]
        target = Target(table, table.column(name), Condition(""))
        raw = instance.start if self._wanted.base == "start" else instance.end
        base = as_instant(raw, target, self._settings.timezone, None)
        ttl = self._ttl(instance)
        if base is None or ttl is None:
            return None
        return self._stored(times.removal_time(base, ttl, self._settings.timezone), REMOVAL_TIME)

    def _ttl(self, instance: _Instance) -> int | None:
        """Return the days of a definition, or of a type of batch; one that is gone may be configured."""
        identity = instance.definition or ""
        if self._selection.kind == "batch":
            return batch_ttl(identity, self._settings).days
        gone = missing_definition(self._place.kind, identity, instance.key, instance.tenant)
        return self._strategy.configured_ttl(self._definitions.get(identity, gone)).days

    def _stored(self, moment: datetime, name: str) -> Any:
        """Express an instant as the column holds it."""
        column = self._schema.tables[self._place.instances].column(name)
        return self._schema.database.stored_value(moment, column, self._settings.timezone)

    def _changes(self, rows: Reached, values: dict[str, Any]) -> list[RowChange]:
        """Find the rows whose removal time differs, those of roots last."""
        found = [
            RowChange(rows.table, str(key), values[str(owner)], removal)
            for owner, key, removal in rows.query(self._schema, (KEY, REMOVAL_TIME), tuple(values))
            if removal != values[str(owner)]
        ]
        return sorted(found, key=lambda change: change.id in values)

    def update(self, table: str, changes: Sequence[RowChange]) -> Update:
        """Return what sets the removal times of rows of one table."""
        schema = self._schema
        key = f"t.{schema.column(table, KEY)}"
        removal = f"t.{schema.column(table, REMOVAL_TIME)}"
        different = {one.value for one in changes}
        value = Condition("%s", (different.pop(),))
        if different:
            cases = " ".join(["WHEN %s THEN %s"] * len(changes))
            bound = tuple(part for one in changes for part in (one.id, one.value))
            value = Condition(f"CASE {key} {cases} END", bound)
        assignment = Assignment(schema.tables[table].column(REMOVAL_TIME).name, value)
        named = schema.database.any_of(key, [one.id for one in changes])
        where = both((named, unchanged(key, removal, changes)))
        return Update(schema.tables[table], (assignment,), where)
