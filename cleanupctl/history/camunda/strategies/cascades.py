"""What goes with an instance under the end-time strategy: from its id to the rows of every table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.ownership import AUTHORIZATIONS, DECISIONS, INPUTS, OUTPUTS, ROOT
from cleanupctl.history.camunda.schema.tables import (
    BATCHES,
    BYTE_ARRAYS,
    CHILDREN,
    JOB_LOG,
    PROCESS_INSTANCES,
)
from cleanupctl.history.camunda.strategies.missing_roots import INSTANCE_PERMISSION, TASK_PERMISSION

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from cleanupctl.history.camunda.schema.tables import Schema

TOP, MEMBERS, OTHERS = "top", "members", "others"
"""Sets of ids: what was asked for, the whole hierarchy, and the hierarchy without its top."""
TASKS, EVALUATED, BYTES, JOBS = "tasks", "evaluated", "bytes", "jobs"
"""Sets of ids: user tasks, decision instances, byte arrays, and job definitions of batch operations."""

TASK_INSTANCES, CASES, CASE_ACTIVITIES = "ACT_HI_TASKINST", "ACT_HI_CASEINST", "ACT_HI_CASEACTINST"
_INSTANCE, _CASE, _TASK, _END = "PROC_INST_ID_", "CASE_INST_ID_", "TASK_ID_", "END_TIME_"
_OF_TASKS = (
    "ACT_HI_DETAIL",
    "ACT_HI_COMMENT",
    "ACT_HI_ATTACHMENT",
    "ACT_HI_IDENTITYLINK",
    "ACT_HI_OP_LOG",
)
_BYTES_OF = {
    "ACT_HI_VARINST": "BYTEARRAY_ID_",
    "ACT_HI_DETAIL": "BYTEARRAY_ID_",
    "ACT_HI_ATTACHMENT": "CONTENT_ID_",
    JOB_LOG: "JOB_EXCEPTION_STACK_ID_",
    "ACT_HI_EXT_TASK_LOG": "ERROR_DETAILS_ID_",
}
TABLES_OF_INSTANCES = frozenset((*CHILDREN, DECISIONS, AUTHORIZATIONS))
"""Tables whose rows belong to process instances."""


@dataclass(frozen=True, slots=True)
class RowSet:
    """Rows of a table that have an id of the set `ids` in a column."""

    table: str
    column: str
    ids: str
    empty: tuple[str, ...] = ()
    """Columns without a value: rows that have one are reached another way."""
    filled: tuple[str, ...] = ()
    """Columns with a value: rows that have none stay."""
    resource_type: int | None = None


@dataclass(frozen=True, slots=True)
class IdLookup:
    """More ids for the set `name`: the values of a column in the rows that are reached."""

    name: str
    column: str
    reach: RowSet
    unrooted: bool = False
    """Only ids of byte arrays that do not name their root themselves."""
    goes: bool = True
    """Whether each id stands for a row that goes."""


@dataclass(frozen=True, slots=True)
class CascadePlan:
    """How to get from the top of a hierarchy to all ids, and from these to all rows: the top's own last."""

    further: tuple[IdLookup, ...]
    rows: tuple[RowSet, ...]
    absent: tuple[RowSet, ...] = ()
    """Rows that keep everything: there must be none before the top's own rows go."""


@dataclass(slots=True)
class _Maker:
    """Leaves out what a schema does not have."""

    schema: Schema
    further: list[IdLookup] = field(default_factory=list)
    rows: list[RowSet] = field(default_factory=list)
    absent: list[RowSet] = field(default_factory=list)

    def get(
        self, name: str, column: str, *reaches: RowSet, unrooted: bool = False, goes: bool = True
    ) -> None:
        for reach in reaches:
            if self._known(reach) and self.schema.has(reach.table, column):
                self.further.append(IdLookup(name, column, self._fitting(reach), unrooted, goes))

    def delete(self, *reaches: RowSet) -> None:
        self.rows += [self._fitting(reach) for reach in reaches if self._known(reach)]

    def forbid(self, reach: RowSet) -> None:
        self.absent.append(reach)

    def recipe(self) -> CascadePlan:
        return CascadePlan(tuple(self.further), tuple(self.rows), tuple(self.absent))

    def _known(self, reach: RowSet) -> bool:
        return self.schema.has(reach.table, reach.column)

    def _fitting(self, reach: RowSet) -> RowSet:
        known = tuple(column for column in reach.empty if self.schema.has(reach.table, column))
        return replace(reach, empty=known)


def process_recipe(
    schema: Schema,
    *,
    by_root: bool,
    decisions: bool,
    unrooted: Container[str] = TABLES_OF_INSTANCES,
    unfinished: bool = True,
) -> CascadePlan:
    """Say what goes with process instances.

    With `by_root` the tree of a root, whose rows name it; rows that do not are reached by their instance,
    in the tables that are `unrooted`. `decisions` takes the decisions along that were evaluated in it.
    Without `unfinished` an instance below the top that has no end keeps everything.
    """
    make = _Maker(schema)
    by_root = by_root and schema.has(PROCESS_INSTANCES, ROOT)
    ways = _Ways(by_root, unrooted)
    named = ways.named
    if by_root:
        make.get(MEMBERS, _INSTANCE, RowSet(PROCESS_INSTANCES, ROOT, TOP))
    if not by_root or any(table in unrooted for table in (*_OF_TASKS, AUTHORIZATIONS)):
        make.get(TASKS, "ID_", *ways.to(TASK_INSTANCES))
    for table, column in _BYTES_OF.items():
        make.get(BYTES, column, *ways.to(table), unrooted=by_root)
    if decisions:
        make.get(EVALUATED, "ID_", *ways.to(DECISIONS))
        _get_values(make, EVALUATED, unrooted=by_root)
    if by_root:
        make.delete(RowSet(BYTE_ARRAYS, ROOT, TOP))
    make.delete(RowSet(BYTE_ARRAYS, "ID_", BYTES, named))
    make.delete(*ways.to_permissions())
    for table in (*_OF_TASKS, *(one for one in CHILDREN if one not in (*_OF_TASKS, INPUTS, OUTPUTS))):
        make.delete(*ways.to(table))
    if decisions:
        make.delete(*(RowSet(table, "DEC_INST_ID_", EVALUATED) for table in (INPUTS, OUTPUTS)))
        make.delete(*ways.to(DECISIONS))
    below = RowSet(PROCESS_INSTANCES, _INSTANCE, OTHERS)
    if not unfinished:
        running = RowSet(PROCESS_INSTANCES, ROOT, TOP) if by_root else below
        make.forbid(replace(running, empty=(_END,)))
        below = replace(below, filled=(_END,))
    make.delete(below, RowSet(PROCESS_INSTANCES, _INSTANCE, TOP))
    return make.recipe()


@dataclass(frozen=True, slots=True)
class _Ways:
    """The ways to what belongs to process instances; no row is on two of them."""

    by_root: bool
    unrooted: Container[str]

    @property
    def named(self) -> tuple[str, ...]:
        return (ROOT,) if self.by_root else ()

    def to(self, table: str) -> Iterator[RowSet]:
        """Yield the ways to the rows of a table: by root, by instance, by task."""
        own = "PROCESS_INSTANCE_ID_" if table == JOB_LOG else _INSTANCE
        if self.by_root:
            yield RowSet(table, ROOT, TOP)
            if table not in self.unrooted:
                return
        if table != "ACT_HI_IDENTITYLINK":
            yield RowSet(table, own, MEMBERS, self.named)
        if table in _OF_TASKS:
            yield RowSet(table, _TASK, TASKS, (*self.named, own))

    def to_permissions(self) -> Iterator[RowSet]:
        """Yield the ways to authorizations for historic instances and tasks."""
        if self.by_root:
            yield RowSet(AUTHORIZATIONS, ROOT, TOP)
            if AUTHORIZATIONS not in self.unrooted:
                return
        for ids, kind in ((TASKS, TASK_PERMISSION), (MEMBERS, INSTANCE_PERMISSION)):
            yield RowSet(AUTHORIZATIONS, "RESOURCE_ID_", ids, self.named, (), kind)


def _get_values(make: _Maker, ids: str, *, unrooted: bool = False) -> None:
    """Get the byte arrays of what went into decisions and came out of them."""
    reaches = (RowSet(table, "DEC_INST_ID_", ids) for table in (INPUTS, OUTPUTS))
    make.get(BYTES, "BYTEARRAY_ID_", *reaches, unrooted=unrooted)


def decision_recipe(schema: Schema, *, by_root: bool) -> CascadePlan:
    """Say what goes with decision instances; with `by_root` also those that a root decision required."""
    make = _Maker(schema)
    if by_root:
        make.get(MEMBERS, "ID_", RowSet(DECISIONS, "ROOT_DEC_INST_ID_", TOP))
    _get_values(make, MEMBERS)
    make.delete(RowSet(BYTE_ARRAYS, "ID_", BYTES))
    make.delete(*(RowSet(table, "DEC_INST_ID_", MEMBERS) for table in (INPUTS, OUTPUTS)))
    make.delete(*(RowSet(DECISIONS, "ID_", ids) for ids in (OTHERS, TOP)))
    return make.recipe()


def case_recipe(schema: Schema, *, decisions: bool) -> CascadePlan:
    """Say what goes with case instances; `decisions` takes those along that were evaluated in them."""
    make = _Maker(schema)
    # Tasks of cases have no process instance, and saying so leads to them by an index.
    make.get(TASKS, "ID_", RowSet(TASK_INSTANCES, _CASE, TOP, (_INSTANCE,)))
    for table in ("ACT_HI_DETAIL", "ACT_HI_VARINST"):
        make.get(BYTES, _BYTES_OF[table], RowSet(table, _CASE, TOP))
    for table in ("ACT_HI_DETAIL", "ACT_HI_ATTACHMENT"):
        make.get(BYTES, _BYTES_OF[table], RowSet(table, _TASK, TASKS, (_CASE,)))
    if decisions:
        make.get(EVALUATED, "ID_", RowSet(DECISIONS, _CASE, TOP))
        _get_values(make, EVALUATED)
    make.delete(RowSet(BYTE_ARRAYS, "ID_", BYTES))
    make.delete(*(RowSet(table, _CASE, TOP) for table in ("ACT_HI_DETAIL", "ACT_HI_VARINST")))
    make.delete(*(RowSet(table, _TASK, TASKS, (_CASE,)) for table in _OF_TASKS if table != "ACT_HI_OP_LOG"))
    make.delete(
        RowSet("ACT_HI_OP_LOG", _TASK, TASKS),
        RowSet(AUTHORIZATIONS, "RESOURCE_ID_", TASKS, resource_type=TASK_PERMISSION),
    )
    if decisions:
        make.delete(*(RowSet(table, "DEC_INST_ID_", EVALUATED) for table in (INPUTS, OUTPUTS)))
        make.delete(RowSet(DECISIONS, "ID_", EVALUATED))
    make.delete(RowSet(TASK_INSTANCES, "ID_", TASKS), RowSet(CASE_ACTIVITIES, _CASE, TOP))
    make.delete(RowSet(CASES, _CASE, TOP))
    return make.recipe()


def batch_recipe(schema: Schema) -> CascadePlan:
    """Say what goes with batch operations."""
    make = _Maker(schema)
    make.get(BYTES, _BYTES_OF[JOB_LOG], RowSet(JOB_LOG, "JOB_DEF_CONFIGURATION_", TOP))
    for column in ("SEED_JOB_DEF_ID_", "MONITOR_JOB_DEF_ID_", "BATCH_JOB_DEF_ID_"):
        make.get(JOBS, column, RowSet(BATCHES, "ID_", TOP), goes=False)
    make.delete(RowSet(BYTE_ARRAYS, "ID_", BYTES), RowSet(JOB_LOG, "JOB_DEF_CONFIGURATION_", TOP))
    # Incidents of batches have no process instance, and saying so leads to them by an index.
    make.delete(RowSet("ACT_HI_INCIDENT", "JOB_DEF_ID_", JOBS, (_INSTANCE,)), RowSet(BATCHES, "ID_", TOP))
    return make.recipe()


def cleanup_log_recipe(schema: Schema) -> CascadePlan:
    """Say what goes with job log entries."""
    make = _Maker(schema)
    make.get(BYTES, _BYTES_OF[JOB_LOG], RowSet(JOB_LOG, "ID_", TOP))
    make.delete(RowSet(BYTE_ARRAYS, "ID_", BYTES), RowSet(JOB_LOG, "ID_", TOP))
    return make.recipe()
