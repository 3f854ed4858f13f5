"""Which rows the removal-time strategy deletes, said once more: also where a history is not whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.referee.databases import HISTORY
from tests.support.referee.laboratory import NOW

if TYPE_CHECKING:
    from tests.support.camunda.end_time import Row, Rows

WALL_CLOCK = NOW.replace(tzinfo=None)


def running_trees(rows: Rows) -> set[str]:
    """Roots of the trees in which anything runs: an instance has no end, or the runtime knows it."""
    open_ones = {
        str(row["ROOT_PROC_INST_ID_"]) for row in rows["ACT_HI_PROCINST"].values() if row["END_TIME_"] is None
    }
    # Executions within an instance name no root.
    roots = (row["ROOT_PROC_INST_ID_"] for row in rows["ACT_RU_EXECUTION"].values())
    return open_ones | {str(root) for root in roots if root}


CONTENTS = (
    ("ACT_HI_VARINST", "BYTEARRAY_ID_"),
    ("ACT_HI_DETAIL", "BYTEARRAY_ID_"),
    ("ACT_HI_DEC_IN", "BYTEARRAY_ID_"),
    ("ACT_HI_DEC_OUT", "BYTEARRAY_ID_"),
    ("ACT_HI_ATTACHMENT", "CONTENT_ID_"),
    ("ACT_HI_JOB_LOG", "JOB_EXCEPTION_STACK_ID_"),
    ("ACT_HI_EXT_TASK_LOG", "ERROR_DETAILS_ID_"),
)
"""Tables whose rows refer to byte arrays, and the column that does."""


def expired_by_removal_time(rows: Rows) -> dict[str, set[str]]:
    """Ids of the rows whose removal time is past, unless anything in their tree runs, by table."""
    running = running_trees(rows)

    def has_expired(row: Row) -> bool:
        removal = row.get("REMOVAL_TIME_")
        return bool(removal and removal <= WALL_CLOCK and row.get("ROOT_PROC_INST_ID_") not in running)

    found = {table: {one for one, row in rows[table].items() if has_expired(row)} for table in HISTORY}
    # What has no removal time keeps its root.
    found["ACT_HI_PROCINST"] -= {
        str(row["ROOT_PROC_INST_ID_"])
        for table in HISTORY
        if table != "ACT_GE_BYTEARRAY"
        for row in rows[table].values()
        if row.get("ROOT_PROC_INST_ID_") and row["REMOVAL_TIME_"] is None
    }
    # Contents without a removal time are deleted with the rows that refer to them.
    contents = {rows[table][one].get(column) for table, column in CONTENTS for one in found.get(table, ())}
    undated = {
        one
        for one, row in rows["ACT_GE_BYTEARRAY"].items()
        if one in contents and row.get("REMOVAL_TIME_") is None
    }
    found["ACT_GE_BYTEARRAY"] = found.get("ACT_GE_BYTEARRAY", set()) | undated
    return {table: ids for table, ids in found.items() if ids}


def of_tree(rows: Rows, root: str) -> dict[str, set[str]]:
    """Ids of the rows that name a root, by table."""
    found = {
        table: {one for one, row in rows[table].items() if row.get("ROOT_PROC_INST_ID_") == root}
        for table in HISTORY
    }
    return {table: ids for table, ids in found.items() if ids}
