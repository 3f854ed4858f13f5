"""Setting removal times: absolute, cleared or calculated, chunk by chunk, instance rows last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cleanupctl.core import times
from cleanupctl.core.errors import HistoryError, InvalidValueError
from cleanupctl.history.camunda.repair.key_ranges import change
from cleanupctl.history.camunda.repair.requests import Absolute, Calculated, Progress
from cleanupctl.history.camunda.schema.definitions import (
    ENGINE_KINDS,
    Definition,
    EngineKind,
    key_of,
    load_definitions,
)
from cleanupctl.history.camunda.schema.engine_table import REMOVAL_TIME
from cleanupctl.history.camunda.schema.ownership import of_batch, of_decision, of_process, root_column
from cleanupctl.history.camunda.schema.tables import (
    BATCHES,
    DEFINITION_TABLES,
    WITH_REMOVAL_TIME,
    find_schema,
)
from cleanupctl.history.camunda.strategies.ttl import batch_ttl, definition_ttl
from cleanupctl.history.databases.conditions import Condition, both
from cleanupctl.history.databases.cutoff import as_instant
from cleanupctl.history.databases.servers import connect
from cleanupctl.history.databases.statements import Assignment, Update
from cleanupctl.history.databases.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.camunda.repair.requests import InstanceFilter
    from cleanupctl.history.camunda.schema.ownership import Belonging
    from cleanupctl.history.camunda.schema.tables import Schema

CHUNK = 500
_UPDATED_AT_ONCE = 500
_BATCH = EngineKind("process", "", BATCHES, "TYPE_", "TYPE_", "END_TIME_", "ID_", "START_TIME_")
_TABLES = (*WITH_REMOVAL_TIME, *DEFINITION_TABLES)


def set_removal_times(
    settings: CamundaSettings,
    selection: InstanceFilter,
    wanted: Absolute | Calculated,
    *,
    hierarchical: bool = False,
    chunk: int = CHUNK,
    dry_run: bool = False,
) -> Iterator[Progress]:
    """Write the removal time of what is selected; yields after each chunk of instances.

    Only rows whose value differs are touched, in small transactions, those of the instances themselves
    last: when stopped, the same call goes on where it was. With `hierarchical`, the whole tree of each
    selected instance gets what its root gets. Raises InvalidValueError, HistoryError and
    HistoryUnreachableError.
    """
    selection.check()
    if isinstance(wanted, Calculated) and selection.kind == "batch":
        _require_batch_ttl(settings, selection)
    database = connect(settings.url)
    try:
        schema = find_schema(database, settings, _TABLES)
        yield from _Repair(schema, settings, selection, wanted, hierarchical, dry_run).chunks(chunk)
    finally:
        database.close()


def _require_batch_ttl(settings: CamundaSettings, selection: InstanceFilter) -> None:
    """Refuse to calculate what would only clear: the engine's own times to live of batches are not here."""
    if settings.batch_ttl.default is None and selection.definition_key not in settings.batch_ttl.by_type:
        raise InvalidValueError(
            "the configuration has no time to live for every batch operation that is meant: add default to"
            " batch_ttl of the history, name a type of batch_ttl with --definition-key, or give --absolute"
        )


@dataclass(frozen=True, slots=True)
class _Instance:
    id: str
    root: str | None
    definition: str | None
    start: Any
    end: Any


class _Repair:
    def __init__(
        self,
        schema: Schema,
        settings: CamundaSettings,
        selection: InstanceFilter,
        wanted: Absolute | Calculated,
        hierarchical: bool,
        dry_run: bool,
    ) -> None:
        self._schema = schema
        self._settings = settings
        self._selection = selection
        self._wanted = wanted
        self._hierarchical = hierarchical
        self._dry_run = dry_run
        self._place = _BATCH if selection.kind == "batch" else ENGINE_KINDS[selection.kind]
        self._definitions: dict[str, Definition] = {}
        if not schema.has(self._place.instances, REMOVAL_TIME):
            raise HistoryError(f"{self._place.instances} has no {REMOVAL_TIME} (or is not there)")
        if isinstance(wanted, Calculated) and selection.kind != "batch":
            self._definitions = {one.id: one for one in load_definitions(schema, self._place.kind)}

    def chunks(self, size: int) -> Iterator[Progress]:
        done: set[str] = set()
        for selected in self._selected(size):
            governing, skipped = self._governing(selected, done)
            values = {one.id: self._value(one) for one in governing}
            rows: dict[str, int] = {}
            for belonging in self._belongings():
                if (
                    values
                    and belonging.known(self._schema)
                    and self._schema.has(belonging.table, REMOVAL_TIME)
                ):
                    name = self._schema.tables[belonging.table].name
                    rows[name] = rows.get(name, 0) + self._update(belonging, values)
            yield Progress(len(selected), {name: number for name, number in rows.items() if number}, skipped)

    def _belongings(self) -> Iterator[Belonging]:
        match self._selection.kind:
            case "process":
                return of_process(hierarchical=self._hierarchical)
            case "decision":
                return of_decision(hierarchical=self._hierarchical)
            case _:
                return of_batch()

    def _selected(self, size: int) -> Iterator[list[_Instance]]:
        """Walk the selected instances by their key, `size` at a time."""
        if self._selection.ids:
            for first in range(0, len(self._selection.ids), size):
                found = self._instances(self._by_ids(self._selection.ids[first : first + size]))
                if found:
                    yield found
            return
        key = self._column(self._place.instance_id)
        after = Condition("")
        while found := self._instances(after, f" ORDER BY {key} LIMIT {int(size)}"):
            yield found
            after = Condition(f"{key} > %s", (found[-1].id,))

    def _by_ids(self, ids: Sequence[str]) -> Condition:
        places = ", ".join(["%s"] * len(ids))
        return Condition(f"{self._column(self._place.instance_id)} IN ({places})", tuple(ids))

    def _instances(self, condition: Condition, end: str = "", *, chosen: bool = True) -> list[_Instance]:
        table, place = self._place.instances, self._place
        names = (
            place.instance_id, root_column(place), place.definition_id, self._place.started,
            place.ended,
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

    def _governing(self, selected: list[_Instance], done: set[str]) -> tuple[list[_Instance], int]:
        """Return the instances whose value is calculated: those selected, or their roots, each once."""
        if not self._hierarchical or self._selection.kind == "batch":
            return selected, 0
        roots = {one.root or one.id for one in selected} - done
        if self._dry_run:
            # A tree that comes again would be counted again; in a real run its rows differ no more.
            done |= roots
        if not roots:
            return [], 0
        found = self._instances(self._by_ids(sorted(roots)), chosen=False)
        gone = roots - {one.id for one in found}
        return found, sum((one.root or one.id) in gone for one in selected)

    def _value(self, instance: _Instance) -> Any:
        """Calculate what the engine would; without base time or time to live there is none."""
        if isinstance(self._wanted, Absolute):
            return None if self._wanted.time is None else self._stored(self._wanted.time, REMOVAL_TIME)
        name = self._place.started if self._wanted.base == "start" else self._place.ended
        table = self._schema.tables[self._place.instances]
        target = Target(table, table.column(name), Condition(""))
        raw = instance.start if self._wanted.base == "start" else instance.end
        base = as_instant(raw, target, self._settings.timezone, None)
        ttl = self._ttl(instance.definition or "")
        if base is None or ttl is None:
            return None
        return self._stored(times.removal_time(base, ttl, self._settings.timezone), REMOVAL_TIME)

    def _ttl(self, definition: str) -> int | None:
        """Return the days of a definition, or of a type of batch; one that is gone may be configured."""
        if self._selection.kind == "batch":
            return batch_ttl(definition, self._settings).days
        gone = Definition(self._place.kind, definition, key=key_of(definition), gone=True)
        return definition_ttl(self._definitions.get(definition, gone), self._settings).days

    def _stored(self, moment: datetime, name: str) -> Any:
        """Express an instant as the column holds it."""
        column = self._schema.tables[self._place.instances].column(name)
        return self._schema.database.stored_value(moment, column, self._settings.timezone)

    def _update(self, belonging: Belonging, values: dict[str, Any]) -> int:
        changed = self._changes(belonging, values)
        if self._dry_run:
            return len(changed)
        rows = 0
        for first in range(0, len(changed), _UPDATED_AT_ONCE):
            rows += self._write(belonging.table, changed[first : first + _UPDATED_AT_ONCE])
        return rows

    def _changes(self, belonging: Belonging, values: dict[str, Any]) -> list[tuple[str, Any]]:
        """Find the rows whose removal time differs, those of roots last."""
        schema, ids = self._schema, tuple(values)
        table, alias, joined = belonging.table, "t", ""
        for number, join in enumerate(belonging.joins):
            other = f"j{number}"
            joined += (
                f" JOIN {schema.quoted(join.table)} AS {other}"
                f" ON {other}.{schema.column(join.table, join.theirs)}"
                f" = {alias}.{schema.column(table, join.ours)}"
            )
            table, alias = join.table, other
        owner = f"{alias}.{schema.column(table, belonging.owner)}"
        key = f"t.{schema.column(belonging.table, 'ID_')}"
        removal = f"t.{schema.column(belonging.table, REMOVAL_TIME)}"
        sql = (
            f"SELECT {key}, {owner}, {removal} FROM {schema.quoted(belonging.table)} AS t{joined}"
            f" WHERE {owner} IN ({', '.join(['%s'] * len(ids))})"
        )
        found = {
            str(row[0]): values[str(row[1])]
            for row in schema.database.query(sql, ids)
            if row[2] != values[str(row[1])]
        }
        return sorted(found.items(), key=lambda change: change[0] in values)

    def _write(self, table: str, rows: list[tuple[str, Any]]) -> int:
        schema = self._schema
        key = f"t.{schema.column(table, 'ID_')}"
        where = schema.database.any_of(key, [identity for identity, _ in rows])
        different = {value for _, value in rows}
        value = Condition("%s", (different.pop(),))
        if different:
            cases = " ".join(["WHEN %s THEN %s"] * len(rows))
            value = Condition(f"CASE {key} {cases} END", tuple(value for row in rows for value in row))
        removal = Assignment(schema.tables[table].column(REMOVAL_TIME).name, value)
        return change(schema, Update(schema.tables[table], (removal,), where))
