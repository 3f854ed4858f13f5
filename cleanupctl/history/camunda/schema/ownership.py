"""Which rows belong to an instance: the way from its id to the rows of every other table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.history.camunda.schema.tables import (
    BATCHES,
    BYTE_ARRAYS,
    CHILDREN,
    JOB_LOG,
    PROCESS_INSTANCES,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.history.camunda.schema.definitions import EngineKind
    from cleanupctl.history.camunda.schema.tables import Schema

ROOT = "ROOT_PROC_INST_ID_"
AUTHORIZATIONS = "ACT_RU_AUTHORIZATION"
DECISIONS, INPUTS, OUTPUTS = "ACT_HI_DECINST", "ACT_HI_DEC_IN", "ACT_HI_DEC_OUT"
_BY_OTHERS = {"ACT_HI_IDENTITYLINK", INPUTS, OUTPUTS}
_BYTES = {
    "ACT_HI_VARINST": "BYTEARRAY_ID_",
    "ACT_HI_DETAIL": "BYTEARRAY_ID_",
    "ACT_HI_ATTACHMENT": "CONTENT_ID_",
    JOB_LOG: "JOB_EXCEPTION_STACK_ID_",
    "ACT_HI_EXT_TASK_LOG": "ERROR_DETAILS_ID_",
}


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
        """Whether this schema has all tables and columns of the way."""
        table = self.table
        for join in self.joins:
            if not (schema.has(table, join.ours) and schema.has(join.table, join.theirs)):
                return False
            table = join.table
        return schema.has(table, self.owner)


def of_process(*, hierarchical: bool) -> Iterator[Belonging]:
    """Yield what belongs to a process instance, or to the whole tree of a root; itself last."""
    if hierarchical:
        for table in (*CHILDREN, BYTE_ARRAYS, AUTHORIZATIONS, DECISIONS, PROCESS_INSTANCES):
            yield Belonging(table, ROOT)
        return
    for table in CHILDREN:
        if table not in _BY_OTHERS:
            yield Belonging(table, "PROCESS_INSTANCE_ID_" if table == JOB_LOG else "PROC_INST_ID_")
    task = Join("TASK_ID_", "ACT_HI_TASKINST", "ID_")
    yield Belonging("ACT_HI_IDENTITYLINK", "PROC_INST_ID_", (task,))
    for table, column in _BYTES.items():
        owner = "PROCESS_INSTANCE_ID_" if table == JOB_LOG else "PROC_INST_ID_"
        yield Belonging(BYTE_ARRAYS, owner, (Join("ID_", table, column),))
    decision = Join("DEC_INST_ID_", DECISIONS, "ID_")
    for table in (INPUTS, OUTPUTS):
        yield Belonging(table, "PROC_INST_ID_", (decision,))
        yield Belonging(BYTE_ARRAYS, "PROC_INST_ID_", (Join("ID_", table, "BYTEARRAY_ID_"), decision))
    yield Belonging(DECISIONS, "PROC_INST_ID_")
    yield Belonging(PROCESS_INSTANCES, "PROC_INST_ID_")


def of_decision(*, hierarchical: bool) -> Iterator[Belonging]:
    """Yield what belongs to a decision instance, or to a root decision and those it required; itself last."""
    owner = "ROOT_DEC_INST_ID_" if hierarchical else "ID_"
    decision = Join("DEC_INST_ID_", DECISIONS, "ID_")
    for table in (INPUTS, OUTPUTS):
        yield Belonging(BYTE_ARRAYS, owner, (Join("ID_", table, "BYTEARRAY_ID_"), decision))
        yield Belonging(table, owner, (decision,))
    if hierarchical:
        yield Belonging(DECISIONS, owner)
    # The root's own row does not name a root.
    yield Belonging(DECISIONS, "ID_")


def of_batch() -> Iterator[Belonging]:
    """Yield what belongs to a batch operation; itself last."""
    yield Belonging(BYTE_ARRAYS, "JOB_DEF_CONFIGURATION_", (Join("ID_", JOB_LOG, "JOB_EXCEPTION_STACK_ID_"),))
    yield Belonging(JOB_LOG, "JOB_DEF_CONFIGURATION_")
    for column in ("SEED_JOB_DEF_ID_", "MONITOR_JOB_DEF_ID_", "BATCH_JOB_DEF_ID_"):
        yield Belonging("ACT_HI_INCIDENT", "ID_", (Join("JOB_DEF_ID_", BATCHES, column),))
    yield Belonging(BATCHES, "ID_")


def root_column(place: EngineKind) -> str:
    """Name the column that has the root of an instance."""
    return "ROOT_DEC_INST_ID_" if place.kind == "decision" else ROOT
