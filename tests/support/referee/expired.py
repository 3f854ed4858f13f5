"""Which rows of a populated database have expired under the end-time strategy, computed on its own.

The engine's own rules are held against this, and then the strategy of cleanupctl.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.support.referee.databases import HISTORY
from tests.support.referee.laboratory import NOW, TIMES_TO_LIVE
from tests.support.servers import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.referee.databases import Ids

    Rule = Callable[[datetime, int], bool]

WALL_CLOCK = NOW.replace(tzinfo=None)

BYTES = {
    "ACT_HI_DETAIL": "BYTEARRAY_ID_",
    "ACT_HI_VARINST": "BYTEARRAY_ID_",
    "ACT_HI_ATTACHMENT": "CONTENT_ID_",
    "ACT_HI_JOB_LOG": "JOB_EXCEPTION_STACK_ID_",
    "ACT_HI_EXT_TASK_LOG": "ERROR_DETAILS_ID_",
    "ACT_HI_DEC_IN": "BYTEARRAY_ID_",
    "ACT_HI_DEC_OUT": "BYTEARRAY_ID_",
}
_HISTORIC_TASK, _HISTORIC_PROCESS_INSTANCE = 19, 20


def whole_days(end: datetime, ttl: int) -> bool:
    """Whether `ttl` whole days have passed on the engine's wall clock."""
    return end + timedelta(days=ttl) <= WALL_CLOCK


def midnights(end: datetime, ttl: int) -> bool:
    """Whether `ttl` midnights have passed: the engine's rule on MariaDB."""
    return (WALL_CLOCK.date() - end.date()).days >= ttl


@dataclass(frozen=True)
class Instance:
    """A process instance of the history, with its definition's time to live in days."""

    id: str
    root: str
    end: datetime | None
    ttl: int | None


def instances(url: str) -> list[Instance]:
    """Every process instance."""
    rows = _rows(
        url,
        "SELECT p.PROC_INST_ID_, p.ROOT_PROC_INST_ID_, p.END_TIME_, d.HISTORY_TTL_"
        " FROM ACT_HI_PROCINST p LEFT JOIN ACT_RE_PROCDEF d ON d.ID_ = p.PROC_DEF_ID_",
    )
    return [Instance(*row) for row in rows]


def expired(found: list[Instance], rule: Rule) -> frozenset[str]:
    """Ids of the instances whose own end and time to live are past."""
    return _past([(one.id, one.end, one.ttl) for one in found], rule)


def expired_trees(found: list[Instance], rule: Rule = whole_days) -> frozenset[str]:
    """Ids of the instances whose root's end and time to live are past."""
    roots = expired([one for one in found if one.root == one.id], rule)
    return frozenset(one.id for one in found if one.root in roots)


def expired_rows(url: str, processes: frozenset[str], rule: Rule) -> Ids:
    """Ids of the rows that go with these process instances, and of expired decisions, cases and the rest."""
    decisions = _expired_ids(
        url,
        "SELECT i.ID_, i.EVAL_TIME_, d.HISTORY_TTL_ FROM ACT_HI_DECINST i"
        " JOIN ACT_RE_DECISION_DEF d ON d.ID_ = i.DEC_DEF_ID_",
        rule,
    )
    cases = _expired_ids(
        url,
        "SELECT i.ID_, i.CLOSE_TIME_, d.HISTORY_TTL_ FROM ACT_HI_CASEINST i"
        " JOIN ACT_RE_CASE_DEF d ON d.ID_ = i.CASE_DEF_ID_",
        rule,
    )
    batches = _rows(url, "SELECT ID_, END_TIME_, TYPE_ FROM ACT_HI_BATCH")
    past_batches = _past([(key, end, _batch_days(kind)) for key, end, kind in batches], rule)
    metrics = _rows(url, "SELECT ID_, TIMESTAMP_ FROM ACT_RU_TASK_METER_LOG")
    past_metrics = _past([(key, time, _days("task_metrics_ttl")) for key, time in metrics], rule)
    conditions = _of_instances("PROC_INST_ID_", processes) + _of_instances("CASE_INST_ID_", cases)
    conditions += [
        ("ACT_HI_JOB_LOG", f"PROCESS_INSTANCE_ID_ IN {_list(processes)}"),
        ("ACT_HI_DEC_IN", f"DEC_INST_ID_ IN {_list(decisions)}"),
        ("ACT_HI_DEC_OUT", f"DEC_INST_ID_ IN {_list(decisions)}"),
        ("ACT_HI_JOB_LOG", f"JOB_DEF_CONFIGURATION_ IN {_list(past_batches)}"),
        *_of_batch_jobs(past_batches),
        (
            "ACT_RU_AUTHORIZATION",
            f"RESOURCE_TYPE_ = {_HISTORIC_PROCESS_INSTANCE} AND RESOURCE_ID_ IN {_list(processes)}",
        ),
    ]
    found: dict[str, frozenset[str]] = dict.fromkeys(HISTORY, frozenset())
    found |= {
        "ACT_HI_DECINST": decisions,
        "ACT_HI_BATCH": past_batches,
        "ACT_RU_TASK_METER_LOG": past_metrics,
    }
    for table, condition in conditions:
        found[table] |= ids_where(url, table, condition)
    for table, column in BYTES.items():
        found["ACT_GE_BYTEARRAY"] |= bytes_of(url, table, column, found[table])
    return found


def ids_where(url: str, table: str, condition: str) -> frozenset[str]:
    """Ids of the rows of a table for which a condition holds."""
    return frozenset(str(row[0]) for row in _rows(url, f"SELECT ID_ FROM {table} WHERE {condition}"))


def bytes_of(url: str, table: str, column: str, rows: frozenset[str]) -> frozenset[str]:
    """Ids of the byte arrays that rows refer to."""
    sql = f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL AND ID_ IN {_list(rows)}"
    return frozenset(str(row[0]) for row in _rows(url, sql))


def _of_instances(column: str, among: frozenset[str]) -> list[tuple[str, str]]:
    """Conditions of what belongs to process or case instances directly and through their tasks."""
    own = f"{column} IN {_list(among)}"
    by_task = f"TASK_ID_ IN (SELECT ID_ FROM ACT_HI_TASKINST WHERE {own})"
    tables = ["ACT_HI_DETAIL", "ACT_HI_VARINST", "ACT_HI_TASKINST"]
    if column == "PROC_INST_ID_":
        tables += ["ACT_HI_COMMENT", "ACT_HI_ATTACHMENT", "ACT_HI_ACTINST", "ACT_HI_INCIDENT"]
        tables += ["ACT_HI_EXT_TASK_LOG", "ACT_HI_PROCINST"]
    else:
        tables += ["ACT_HI_CASEACTINST", "ACT_HI_CASEINST"]
    linked = ("ACT_HI_DETAIL", "ACT_HI_COMMENT", "ACT_HI_ATTACHMENT", "ACT_HI_IDENTITYLINK")
    return [(table, own) for table in tables] + [(table, by_task) for table in linked]


def _of_batch_jobs(batches: frozenset[str]) -> list[tuple[str, str]]:
    columns = ("SEED_JOB_DEF_ID_", "MONITOR_JOB_DEF_ID_", "BATCH_JOB_DEF_ID_")
    return [
        (
            "ACT_HI_INCIDENT",
            f"JOB_DEF_ID_ IN (SELECT {column} FROM ACT_HI_BATCH WHERE ID_ IN {_list(batches)})",
        )
        for column in columns
    ]


def _batch_days(kind: str) -> int:
    ttl = TIMES_TO_LIVE["batch_ttls"].get(kind)
    return int(ttl.strip("PD")) if ttl else _days("batch_ttl")


def _days(name: str) -> int:
    return int(TIMES_TO_LIVE[name].strip("PD"))


def _expired_ids(url: str, sql: str, rule: Rule) -> frozenset[str]:
    return _past(_rows(url, sql), rule)


def _past(rows: list[Any], rule: Rule) -> frozenset[str]:
    return frozenset(
        str(key) for key, end, ttl in rows if end is not None and ttl is not None and rule(end, ttl)
    )


def _list(values: frozenset[str]) -> str:
    return "(" + ", ".join(f"'{value}'" for value in sorted(values) or [""]) + ")"


def _rows(url: str, sql: str) -> list[Any]:
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())
