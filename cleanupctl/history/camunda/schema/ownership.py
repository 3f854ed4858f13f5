"""Which rows belong to an instance: the joins that lead from its id to the rows of every other table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.engine_table import KEY, ROOT, Part
from cleanupctl.history.camunda.schema.tables import (
    BATCHES,
    BYTE_ARRAYS,
    CHILD_TABLES,
    DECISIONS,
    ENGINE_TABLES,
    OF_PROCESSES,
    PROCESS_INSTANCES,
    TASK_INSTANCES,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.history.camunda.schema.definitions import EngineKind
    from cleanupctl.history.camunda.schema.tables import Schema

INSTANCE, ROOT_DECISION = "PROC_INST_ID_", "ROOT_DEC_INST_ID_"
VALUES = tuple(one for one in CHILD_TABLES if one.part is Part.DECISION_VALUE)
"""What went into decision instances, and what came out of them."""
WITH_BYTE_ARRAYS = tuple(one for one in ENGINE_TABLES.values() if one.part is Part.CHILD and one.byte_arrays)
"""Tables whose rows belong to an instance and refer to byte arrays, in the order in which these are looked
for."""


@dataclass(frozen=True, slots=True)
class Join:
    """From the table before (its column `ours`) to another one (its column `theirs`)."""

    ours: str
    table: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Belonging:
    """Rows of `table`; after the joins, `owner` is the column that has the id of the instance."""

    table: str
    owner: str
    joins: tuple[Join, ...] = ()

    def known(self, schema: Schema) -> bool:
        """Whether this schema has all tables and columns of the joins."""
        table = self.table
        for join in self.joins:
            if not (schema.has(table, join.ours) and schema.has(join.table, join.theirs)):
                return False
            table = join.table
        return schema.has(table, self.owner)


def of_process(*, hierarchical: bool) -> Iterator[Belonging]:
    """Yield what belongs to a process instance, or to the whole tree of a root; itself last."""
    if hierarchical:
        yield from (Belonging(table, ROOT) for table in OF_PROCESSES)
        return
    yield from (Belonging(one.name, one.owner) for one in CHILD_TABLES if one.owner)
    for one in CHILD_TABLES:
        if one.owner is None and one.task:
            yield Belonging(one.name, INSTANCE, (Join(one.task, TASK_INSTANCES, KEY),))
    for one in WITH_BYTE_ARRAYS:
        for column in one.byte_arrays:
            yield Belonging(BYTE_ARRAYS, one.owner or "", (Join(KEY, one.name, column),))
    for one in VALUES:
        decision = Join(one.decision or "", DECISIONS, KEY)
        yield Belonging(one.name, INSTANCE, (decision,))
        for column in one.byte_arrays:
            yield Belonging(BYTE_ARRAYS, INSTANCE, (Join(KEY, one.name, column), decision))
    yield Belonging(DECISIONS, INSTANCE)
    yield Belonging(PROCESS_INSTANCES, INSTANCE)


def of_decision(*, hierarchical: bool) -> Iterator[Belonging]:
    """Yield what belongs to a decision instance, or to a root decision and those it required; itself last."""
    owner = ROOT_DECISION if hierarchical else KEY
    for one in VALUES:
        decision = Join(one.decision or "", DECISIONS, KEY)
        for column in one.byte_arrays:
            yield Belonging(BYTE_ARRAYS, owner, (Join(KEY, one.name, column), decision))
        yield Belonging(one.name, owner, (decision,))
    if hierarchical:
        yield Belonging(DECISIONS, owner)
    # The root's own row does not name a root.
    yield Belonging(DECISIONS, KEY)


def of_batch() -> Iterator[Belonging]:
    """Yield what belongs to a batch operation; itself last."""
    for one in CHILD_TABLES:
        if one.batch:
            for column in one.byte_arrays:
                yield Belonging(BYTE_ARRAYS, one.batch, (Join(KEY, one.name, column),))
            yield Belonging(one.name, one.batch)
    for one in CHILD_TABLES:
        if one.job_definition:
            for column in ENGINE_TABLES[BATCHES].job_definitions:
                yield Belonging(one.name, KEY, (Join(one.job_definition, BATCHES, column),))
    yield Belonging(BATCHES, KEY)


def root_column(kind: EngineKind) -> str:
    """Return the column that has the root of an instance."""
    return ROOT_DECISION if kind.kind == "decision" else ROOT
