"""What is deleted with an instance under the end-time strategy: from its id to the rows of every table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.engine_table import KEY, ROOT, Part
from cleanupctl.history.camunda.schema.ownership import INSTANCE, ROOT_DECISION, VALUES, WITH_BYTE_ARRAYS
from cleanupctl.history.camunda.schema.tables import (
    AUTHORIZATIONS,
    BATCHES,
    BYTE_ARRAYS,
    CASE_ACTIVITIES,
    CASES,
    CHILD_TABLES,
    DECISIONS,
    ENGINE_TABLES,
    JOB_LOG,
    OF_PROCESSES,
    PROCESS_INSTANCES,
    TASK_INSTANCES,
    names,
)
from cleanupctl.history.camunda.strategies.missing_roots import INSTANCE_PERMISSION, TASK_PERMISSION
from cleanupctl.history.cleaning.cascade import MEMBERS, OTHERS, TOP, CascadePlan, IdLookup, RowSet

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from cleanupctl.history.camunda.schema.engine_table import EngineTable
    from cleanupctl.history.camunda.schema.tables import Schema

TASKS, EVALUATED, BYTES, JOBS = "tasks", "evaluated", "bytes", "jobs"
"""Sets of ids: user tasks, decision instances, byte arrays, and job definitions of batch operations."""

_END, _RESOURCE_TYPE = "END_TIME_", "RESOURCE_TYPE_"
_OF_TASKS = tuple(one for one in CHILD_TABLES if one.task_alone)
_OF_INSTANCES = tuple(one for one in CHILD_TABLES if one.part is Part.CHILD and not one.task_alone)
_OF_CASES = tuple(one for one in CHILD_TABLES if one.case and one.name != TASK_INSTANCES)
TABLES_OF_INSTANCES = frozenset(OF_PROCESSES) - {BYTE_ARRAYS, PROCESS_INSTANCES}
"""Tables whose rows belong to process instances."""


@dataclass(slots=True)
class _Builder:
    """Leaves out what a schema does not have."""

    schema: Schema
    lookups: list[IdLookup] = field(default_factory=list)
    rows: list[RowSet] = field(default_factory=list)
    absent: list[RowSet] = field(default_factory=list)

    def look_up(
        self, name: str, column: str, *sets: RowSet, unrooted: bool = False, deleted: bool = True
    ) -> None:
        """Look ids up; `unrooted` takes only byte arrays that do not name their root themselves."""
        only = None
        if unrooted and self.schema.has(BYTE_ARRAYS, ROOT):
            only = RowSet(BYTE_ARRAYS, KEY, name, (ROOT,))
        for rows in sets:
            if self._known(rows) and self.schema.has(rows.table, column):
                self.lookups.append(IdLookup(name, column, self._fitting(rows), only, deleted))

    def delete(self, *sets: RowSet) -> None:
        self.rows += [self._fitting(rows) for rows in sets if self._known(rows)]

    def forbid(self, rows: RowSet) -> None:
        self.absent.append(rows)

    def plan(self) -> CascadePlan:
        spared = tuple(name for name in (BYTE_ARRAYS,) if name in self.schema.tables)
        return CascadePlan(tuple(self.lookups), tuple(self.rows), tuple(self.absent), spared)

    def _known(self, rows: RowSet) -> bool:
        return self.schema.has(rows.table, rows.column)

    def _fitting(self, rows: RowSet) -> RowSet:
        known = tuple(column for column in rows.empty if self.schema.has(rows.table, column))
        return replace(rows, empty=known)


def process_plan(
    schema: Schema,
    *,
    by_root: bool,
    decisions: bool,
    unrooted: Container[str] = TABLES_OF_INSTANCES,
    unfinished: bool = True,
) -> CascadePlan:
    """Return what is deleted with process instances.

    With `by_root` the tree of a root, whose rows name it; rows that do not are reached by their instance,
    in the tables that are `unrooted`. `decisions` takes the decisions along that were evaluated in it.
    Without `unfinished` an instance below the top that has no end keeps everything.
    """
    builder = _Builder(schema)
    by_root = by_root and schema.has(PROCESS_INSTANCES, ROOT)
    row_sets = _RowSets(by_root, unrooted)
    if by_root:
        builder.look_up(MEMBERS, INSTANCE, RowSet(PROCESS_INSTANCES, ROOT, TOP))
    if not by_root or any(table in unrooted for table in (*names(_OF_TASKS), AUTHORIZATIONS)):
        builder.look_up(TASKS, KEY, *row_sets.of(ENGINE_TABLES[TASK_INSTANCES]))
    for table in WITH_BYTE_ARRAYS:
        for column in table.byte_arrays:
            builder.look_up(BYTES, column, *row_sets.of(table), unrooted=by_root)
    if decisions:
        builder.look_up(EVALUATED, KEY, *row_sets.of(ENGINE_TABLES[DECISIONS]))
        _look_up_values(builder, EVALUATED, unrooted=by_root)
    if by_root:
        builder.delete(RowSet(BYTE_ARRAYS, ROOT, TOP))
    builder.delete(RowSet(BYTE_ARRAYS, KEY, BYTES, row_sets.named))
    builder.delete(*row_sets.of_permissions())
    for table in (*_OF_TASKS, *_OF_INSTANCES):
        builder.delete(*row_sets.of(table))
    if decisions:
        _delete_values(builder, EVALUATED)
        builder.delete(*row_sets.of(ENGINE_TABLES[DECISIONS]))
    below = RowSet(PROCESS_INSTANCES, INSTANCE, OTHERS)
    if not unfinished:
        running = RowSet(PROCESS_INSTANCES, ROOT, TOP) if by_root else below
        builder.forbid(replace(running, empty=(_END,)))
        below = replace(below, filled=(_END,))
    builder.delete(below, RowSet(PROCESS_INSTANCES, INSTANCE, TOP))
    return builder.plan()


@dataclass(frozen=True, slots=True)
class _RowSets:
    """The rows that belong to process instances; no row is in two of these sets."""

    by_root: bool
    unrooted: Container[str]

    @property
    def named(self) -> tuple[str, ...]:
        return (ROOT,) if self.by_root else ()

    def of(self, table: EngineTable) -> Iterator[RowSet]:
        """Yield the rows of a table: by root, by instance, by task."""
        if self.by_root:
            yield RowSet(table.name, ROOT, TOP)
            if table.name not in self.unrooted:
                return
        owner = (table.owner,) if table.owner else ()
        for column in owner:
            yield RowSet(table.name, column, MEMBERS, self.named)
        if table.task and table.task_alone:
            yield RowSet(table.name, table.task, TASKS, (*self.named, *owner))

    def of_permissions(self) -> Iterator[RowSet]:
        """Yield the authorizations for historic instances and tasks."""
        if self.by_root:
            yield RowSet(AUTHORIZATIONS, ROOT, TOP)
            if AUTHORIZATIONS not in self.unrooted:
                return
        for ids, kind in ((TASKS, TASK_PERMISSION), (MEMBERS, INSTANCE_PERMISSION)):
            yield RowSet(AUTHORIZATIONS, "RESOURCE_ID_", ids, self.named, (), ((_RESOURCE_TYPE, kind),))


def _look_up_values(builder: _Builder, ids: str, *, unrooted: bool = False) -> None:
    """Look up the byte arrays of what went into decisions and came out of them."""
    for table in VALUES:
        for column in table.byte_arrays:
            builder.look_up(BYTES, column, RowSet(table.name, table.decision or "", ids), unrooted=unrooted)


def _delete_values(builder: _Builder, ids: str) -> None:
    """Delete what went into decisions and came out of them."""
    builder.delete(*(RowSet(table.name, table.decision or "", ids) for table in VALUES))


def decision_plan(schema: Schema, *, by_root: bool) -> CascadePlan:
    """Return what is deleted with decision instances; with `by_root` also those that a root required."""
    builder = _Builder(schema)
    if by_root:
        builder.look_up(MEMBERS, KEY, RowSet(DECISIONS, ROOT_DECISION, TOP))
    _look_up_values(builder, MEMBERS)
    builder.delete(RowSet(BYTE_ARRAYS, KEY, BYTES))
    _delete_values(builder, MEMBERS)
    builder.delete(*(RowSet(DECISIONS, KEY, ids) for ids in (OTHERS, TOP)))
    return builder.plan()


def case_plan(schema: Schema, *, decisions: bool) -> CascadePlan:
    """Return what is deleted with case instances; `decisions` takes along those evaluated in them."""
    builder = _Builder(schema)
    tasks, of_decisions = ENGINE_TABLES[TASK_INSTANCES], ENGINE_TABLES[DECISIONS]
    # Tasks of cases have no process instance, and saying so leads to them by an index.
    builder.look_up(TASKS, KEY, RowSet(tasks.name, tasks.case or "", TOP, (tasks.owner or "",)))
    of_cases = [(one, RowSet(one.name, one.case or "", TOP)) for one in _OF_CASES]
    of_tasks = [(one, RowSet(one.name, one.task or "", TASKS, _given(one.case))) for one in _OF_TASKS]
    for table, rows in (*of_cases, *of_tasks):
        for column in table.byte_arrays:
            builder.look_up(BYTES, column, rows)
    if decisions:
        builder.look_up(EVALUATED, KEY, RowSet(DECISIONS, of_decisions.case or "", TOP))
        _look_up_values(builder, EVALUATED)
    builder.delete(RowSet(BYTE_ARRAYS, KEY, BYTES))
    builder.delete(*(rows for _, rows in (*of_cases, *of_tasks)))
    builder.delete(RowSet(AUTHORIZATIONS, "RESOURCE_ID_", TASKS, equal=((_RESOURCE_TYPE, TASK_PERMISSION),)))
    if decisions:
        _delete_values(builder, EVALUATED)
        builder.delete(RowSet(DECISIONS, KEY, EVALUATED))
    builder.delete(RowSet(TASK_INSTANCES, KEY, TASKS))
    builder.delete(*(RowSet(name, ENGINE_TABLES[name].case or "", TOP) for name in (CASE_ACTIVITIES, CASES)))
    return builder.plan()


def _given(*columns: str | None) -> tuple[str, ...]:
    return tuple(column for column in columns if column)


def batch_plan(schema: Schema) -> CascadePlan:
    """Return what is deleted with batch operations."""
    builder = _Builder(schema)
    own = [(one, RowSet(one.name, one.batch, TOP)) for one in CHILD_TABLES if one.batch]
    for table, rows in own:
        for column in table.byte_arrays:
            builder.look_up(BYTES, column, rows)
    for column in ENGINE_TABLES[BATCHES].job_definitions:
        builder.look_up(JOBS, column, RowSet(BATCHES, KEY, TOP), deleted=False)
    builder.delete(RowSet(BYTE_ARRAYS, KEY, BYTES), *(rows for _, rows in own))
    for one in CHILD_TABLES:
        if one.job_definition:
            # Incidents of batches have no process instance, and saying so leads to them by an index.
            builder.delete(RowSet(one.name, one.job_definition, JOBS, _given(one.owner)))
    builder.delete(RowSet(BATCHES, KEY, TOP))
    return builder.plan()


def standalone_task_plan(schema: Schema) -> CascadePlan:
    """Return what is deleted with tasks that belong to no process and no case."""
    builder = _Builder(schema)
    # Nothing of them has a process instance, and saying so leads to it by an index.
    own = [
        (one, RowSet(one.name, one.task, TOP, _given(one.owner, one.case)))
        for one in CHILD_TABLES
        if one.task and one.name != TASK_INSTANCES
    ]
    for table, rows in own:
        for column in table.byte_arrays:
            builder.look_up(BYTES, column, rows)
    builder.delete(RowSet(BYTE_ARRAYS, KEY, BYTES))
    builder.delete(*(rows for _, rows in own))
    builder.delete(RowSet(AUTHORIZATIONS, "RESOURCE_ID_", TOP, equal=((_RESOURCE_TYPE, TASK_PERMISSION),)))
    builder.delete(RowSet(TASK_INSTANCES, KEY, TOP))
    return builder.plan()


def cleanup_log_plan(schema: Schema) -> CascadePlan:
    """Return what is deleted with job log entries."""
    return single_row_plan(schema, JOB_LOG)


def single_row_plan(schema: Schema, name: str) -> CascadePlan:
    """Return what is deleted with rows that nothing but their byte arrays belongs to."""
    builder = _Builder(schema)
    for column in ENGINE_TABLES[name].byte_arrays:
        builder.look_up(BYTES, column, RowSet(name, KEY, TOP))
    builder.delete(RowSet(BYTE_ARRAYS, KEY, BYTES), RowSet(name, KEY, TOP))
    return builder.plan()
