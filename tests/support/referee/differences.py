"""Where cleanupctl deliberately differs from the engine: which rows it keeps or deletes, and why."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from tests.support.referee.databases import HISTORY
from tests.support.referee.laboratory import NOW, ZONE
from tests.support.servers import connect

if TYPE_CHECKING:
    from tests.support.referee.databases import Ids
    from tests.support.referee.laboratory import Experiment

_RUNNING = "(SELECT PROC_INST_ID_ FROM ACT_HI_PROCINST WHERE END_TIME_ IS NULL)"
_UNFINISHED_BATCH = "(SELECT ID_ FROM ACT_HI_BATCH WHERE END_TIME_ IS NULL)"
_WITHOUT_ROOT = ("ACT_HI_BATCH", "ACT_HI_CASEINST", "ACT_HI_CASEACTINST", "ACT_RU_TASK_METER_LOG")

# The engine deletes by the removal time alone, and a running instance has one when a person has set it.
_RUNNING_ROOT = {
    "the root process instance still runs": {
        table: f"ROOT_PROC_INST_ID_ IN {_RUNNING}" for table in HISTORY if table not in _WITHOUT_ROOT
    },
}
_OF_OPEN_CASE = (
    "SELECT d.ID_ FROM ACT_HI_DECINST d JOIN ACT_HI_CASEINST c ON c.CASE_INST_ID_ = d.CASE_INST_ID_"
    " WHERE c.CLOSE_TIME_ IS NULL"
)
# Decisions have a time to live of their own, and the engine does not ask who took them.
_OPEN_CASE = {
    "the case that took the decision is open": {
        "ACT_HI_DECINST": f"ID_ IN ({_OF_OPEN_CASE})",
        "ACT_HI_DEC_IN": f"DEC_INST_ID_ IN ({_OF_OPEN_CASE})",
        "ACT_HI_DEC_OUT": f"DEC_INST_ID_ IN ({_OF_OPEN_CASE})",
    },
}
# With base time "start" every running instance and batch has one.
_RUNNING_BATCH = {
    "the batch has not finished": {
        "ACT_HI_BATCH": "END_TIME_ IS NULL",
        "ACT_HI_JOB_LOG": f"JOB_DEF_CONFIGURATION_ IN {_UNFINISHED_BATCH}",
        "ACT_GE_BYTEARRAY": "ID_ IN (SELECT JOB_EXCEPTION_STACK_ID_ FROM ACT_HI_JOB_LOG"
        f" WHERE JOB_DEF_CONFIGURATION_ IN {_UNFINISHED_BATCH})",
    },
}
_REASONS = {"end": _RUNNING_ROOT | _OPEN_CASE, "start": _RUNNING_ROOT | _OPEN_CASE | _RUNNING_BATCH}

_CALENDAR_DAYS = "days of task metrics are those of the calendar, and not 24 hours each"


def kept(experiment: Experiment, url: str) -> dict[str, Ids]:
    """Rows of a populated database that cleanupctl keeps whatever the engine does, by reason and table."""
    found: dict[str, Ids] = {}
    with connect(url) as connection, connection.cursor() as cursor:
        for reason, tables in _REASONS[experiment.removal].items():
            found[reason] = {}
            for table, condition in tables.items():
                cursor.execute(f"SELECT ID_ FROM {table} WHERE {condition}")
                found[reason][table] = frozenset(str(row[0]) for row in cursor.fetchall())
    return found


def deleted(experiment: Experiment, url: str) -> dict[str, Ids]:
    """Rows of a populated database that cleanupctl deletes and the engine keeps, by reason and table.

    In the days after the clocks went forward 24-hour days reach back an hour further.
    """
    if experiment.removal != "end":
        # What the others measured was not in that hour.
        return {}
    expired = NOW.replace(tzinfo=None) - timedelta(days=5)
    since = (NOW.astimezone(UTC) - timedelta(days=5)).astimezone(ZONE).replace(tzinfo=None)
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT ID_, TIMESTAMP_ FROM ACT_RU_TASK_METER_LOG")
        metrics = frozenset(str(key) for key, written in cursor.fetchall() if since < written <= expired)
    return {_CALENDAR_DAYS: {"ACT_RU_TASK_METER_LOG": metrics}}
