"""How many instances of each definition would be deleted, estimated from some of them.

The planner's statistics know nothing of call hierarchies, where the end of the root decides over all, nor
that instances of a definition without a time to live have no removal time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cleanupctl.history.camunda.schema.definitions import ENGINE_KINDS, definitions_with_history
from cleanupctl.history.camunda.schema.engine_table import ROOT
from cleanupctl.history.camunda.schema.tables import PROCESS_INSTANCES
from cleanupctl.history.camunda.strategies.eligibility import SUPER, above_of
from cleanupctl.history.camunda.strategies.lookups import lookup
from cleanupctl.history.cleaning.cascade import MOST_IDS
from cleanupctl.history.databases.conditions import both

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cleanupctl.history.camunda.report.scope import ReportScope
    from cleanupctl.history.camunda.schema.engine_table import Kind
    from cleanupctl.history.cleaning.hierarchies import CascadeTask
    from cleanupctl.history.databases.conditions import Condition

_STARTS = tuple(f"{number:02x}" for number in range(0, 256, 4))
"""Where in the order of the ids some rows are taken: those of the engine are hexadecimal or decimal."""
_AT_EACH = 100
_DEEPEST = 20
"""Callers followed upwards where rows do not name their root."""
_PROCESS = ENGINE_KINDS["process"]
_INSTANCE, _DEFINITION, _END = _PROCESS.instance_id, _PROCESS.definition_id, _PROCESS.ended
_COLUMNS = (_INSTANCE, ROOT, SUPER, _DEFINITION, _END)
_Row = dict[str, Any]


@dataclass(slots=True)
class Sample:
    """What was seen."""

    rows: int = 0
    finished: Counter[str] = field(default_factory=Counter)
    """By id of the definition."""
    deleted: Counter[str] = field(default_factory=Counter)

    def cleanable(self, definition: str, finished: int) -> int:
        """Estimate how many of the finished instances of a definition would be deleted."""
        seen, deleted = self.finished[definition], self.deleted[definition]
        if not seen:
            # A definition that is so rare is taken to be like the others.
            seen, deleted = self.finished.total(), self.deleted.total()
        return min(finished, round(finished * deleted / seen)) if seen else 0


def sample_processes(scope: ReportScope) -> Sample:
    """Sample some thousand instances all over the table, and at what decides over them."""
    rows = _some(scope)
    known = _with_thoseabove_of(scope, rows)
    tops = {identity: _top(identity, known) for identity in rows}
    deleted = _deleted(scope, [known[top] for top in set(tops.values())])
    sample = Sample(len(rows))
    for identity, row in rows.items():
        if row[_END] is not None:
            sample.finished[str(row[_DEFINITION])] += 1
        if tops[identity] in deleted:
            sample.deleted[str(row[_DEFINITION])] += 1
    return sample


def sample_rows(scope: ReportScope, kind: Kind, removable: Condition) -> Sample:
    """Sample some thousand instances all over their table; those that are `removable` would be deleted."""
    schema, engine_kind = scope.schema, ENGINE_KINDS[kind]
    definition, ended, key = (
        f"t.{schema.column(engine_kind.instances, name)}"
        for name in (engine_kind.definition_id, engine_kind.ended, "ID_")
    )
    seen: dict[str, tuple[str, bool, bool]] = {}
    for start in _STARTS:
        sql = (
            f"SELECT {key}, {definition}, {ended} IS NOT NULL, CASE WHEN {removable.sql} THEN 1 ELSE 0 END"
            f" FROM {schema.quoted(engine_kind.instances)} AS t WHERE {key} >= %s"
            f" ORDER BY {key} LIMIT {_AT_EACH}"
        )
        found = schema.database.query(sql, (*removable.parameters, start))
        seen |= {str(row[0]): (str(row[1]), bool(row[2]), bool(row[3])) for row in found}
    sample = Sample(len(seen))
    for identity, finished, deleted in seen.values():
        sample.finished[identity] += finished
        sample.deleted[identity] += deleted
    return sample


def _some(scope: ReportScope) -> dict[str, _Row]:
    schema = scope.schema
    key = f"t.{schema.column(PROCESS_INSTANCES, 'ID_')}"
    columns = ", ".join(_column(scope, name) for name in _COLUMNS)
    rows: dict[str, _Row] = {}
    for start in _STARTS:
        sql = (
            f"SELECT {columns} FROM {schema.quoted(PROCESS_INSTANCES)} AS t WHERE {key} >= %s"
            f" ORDER BY {key} LIMIT {_AT_EACH}"
        )
        rows |= {str(row[0]): _row(row) for row in schema.database.query(sql, (start,))}
    return rows


def _column(scope: ReportScope, name: str) -> str:
    schema = scope.schema
    return f"t.{schema.column(PROCESS_INSTANCES, name)}" if schema.has(PROCESS_INSTANCES, name) else "NULL"


def _row(values: tuple[Any, ...]) -> _Row:
    return dict(zip(_COLUMNS, values, strict=True))


def _with_thoseabove_of(scope: ReportScope, rows: dict[str, _Row]) -> dict[str, _Row]:
    """Add whatever is above the rows in their hierarchies, as far as that is there."""
    known = dict(rows)
    names = tuple(name for name in _COLUMNS if scope.schema.has(PROCESS_INSTANCES, name))
    for _ in range(_DEEPEST):
        wanted = {above for row in known.values() if (above := above_of(row)) is not None} - set(known)
        found = [
            dict.fromkeys(_COLUMNS) | dict(zip(names, row, strict=True))
            for row in lookup(scope.schema, PROCESS_INSTANCES, names, _INSTANCE, sorted(wanted))
        ]
        if not found:
            break
        known |= {str(row[_INSTANCE]): row for row in found}
    return known


def _top(identity: str, known: dict[str, _Row]) -> str:
    for _ in range(_DEEPEST):
        above = above_of(known[identity])
        if above is None or above not in known:
            break
        identity = above
    return identity


def _deleted(scope: ReportScope, tops: Iterable[_Row]) -> set[str]:
    """Ask which of the tops a run would take, by its own conditions and rules."""
    ids: dict[str, list[str]] = {}
    for row in tops:
        ids.setdefault(str(row[_DEFINITION]), []).append(str(row[_INSTANCE]))
    known = definitions_with_history(scope.schema, "process", scope.settings)
    definitions = [one for one in known if one.id in ids]
    tasks = scope.strategy.of_definitions(scope.schema, definitions, scope.now)
    parts = {one.part: ids[one.id] for one in definitions}
    return {one for task in tasks for one in _chosen(scope, task, parts[task.group.part])}


def _chosen(scope: ReportScope, task: CascadeTask, ids: list[str]) -> Iterator[str]:
    schema, group = scope.schema, task.group
    table = schema.tables[group.table]
    expired = schema.database.expired(table.column(group.time), group.until, table, None)
    columns = ", ".join(_column(scope, name) for name in _COLUMNS)
    for start in range(0, len(ids), MOST_IDS):
        key = f"t.{schema.column(group.table, group.key)}"
        some = schema.database.any_of(key, ids[start : start + MOST_IDS])
        where = both((some, *group.conditions, *group.besides, expired))
        sql = f"SELECT {columns} FROM {schema.quoted(group.table)} AS t WHERE {where.sql}"
        rows = [_row(row) for row in schema.database.query(sql, where.parameters)]
        yield from (unit.id for unit in group.eligibility(rows))
