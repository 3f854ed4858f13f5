"""Rows of decisions, batches, task metrics and cases in the engine's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.camunda.sql import DECISIONS, Rows, Sql, by_k

if TYPE_CHECKING:
    from collections.abc import Iterator


def decision_rows(sql: Sql, what: str) -> Iterator[Rows]:
    """A decision with two inputs and an output: in some process instances, or evaluated on its own."""
    inside = what == "process"
    where = "mod(position, 10) = 4" if inside else "TRUE"
    place = {
        "TENANT_ID_": "tenant",
        "ROOT_PROC_INST_ID_": "root_id" if inside else "NULL",
        "REMOVAL_TIME_": sql.time("removal"),
    }
    process = {"PROC_DEF_KEY_": "definition", "PROC_DEF_ID_": "definition_id", "PROC_INST_ID_": "id"}
    yield Rows(
        "ACT_HI_DECINST",
        {
            **place,
            **(process if inside else {}),
            "DEC_DEF_ID_": "'rating:1:dec'",
            "DEC_DEF_KEY_": "'rating'",
            "DEC_DEF_NAME_": "'Rating'",
            "EVAL_TIME_": sql.time(),
        },
        what,
        where=where,
        number=DECISIONS,
    )
    value = {
        **place,
        "DEC_INST_ID_": sql.id(DECISIONS, "0", "start + step"),
        "CLAUSE_ID_": "concat('clause-', k)",
        "VAR_TYPE_": by_k("'object'", "'string'"),
        "TEXT_": "CASE WHEN k > 0 THEN 'gold' END",
        "CREATE_TIME_": sql.time(),
    }
    for table, count, number in (("ACT_HI_DEC_IN", 2, 16), ("ACT_HI_DEC_OUT", 1, 17)):
        yield Rows(table, value, what, count, where, bytes_where="k = 0", number=number)


def other_rows(sql: Sql) -> Iterator[Rows]:
    """Rows of batches and task metrics."""
    kept = {"TENANT_ID_": "tenant", "REMOVAL_TIME_": sql.time("removal")}
    seed, monitor, work = (sql.id(18, str(k), "start") for k in range(3))
    yield Rows(
        "ACT_HI_BATCH",
        {
            **kept,
            "ID_": "id",
            "TYPE_": "CASE WHEN mod(position, 2) = 0 THEN 'instance-deletion' ELSE 'instance-migration' END",
            "TOTAL_JOBS_": "3",
            "JOBS_PER_SEED_": "100",
            "INVOCATIONS_PER_JOB_": "1",
            "SEED_JOB_DEF_ID_": seed,
            "MONITOR_JOB_DEF_ID_": monitor,
            "BATCH_JOB_DEF_ID_": work,
            "CREATE_USER_ID_": "'demo'",
            "START_TIME_": sql.time("start"),
            "EXEC_START_TIME_": sql.time("start"),
            "END_TIME_": sql.time("ending"),
        },
        "batch",
    )
    yield Rows(
        "ACT_HI_JOB_LOG",
        {
            **kept,
            "TIMESTAMP_": sql.time(),
            "JOB_ID_": sql.id(19, "0", "start"),
            "JOB_STATE_": by_k("0", "2", "1"),
            "JOB_DEF_ID_": work,
            "JOB_DEF_TYPE_": "'instance-deletion'",
            "JOB_DEF_CONFIGURATION_": "id",
            "BATCH_ID_": "id",
            "HOSTNAME_": "'engine-1'",
        },
        "batch",
        count=3,
        bytes_where="k = 2",
        bytes_column="JOB_EXCEPTION_STACK_ID_",
        number=20,
    )
    yield Rows(
        "ACT_HI_INCIDENT",
        {
            **kept,
            "CREATE_TIME_": sql.time(),
            "INCIDENT_TYPE_": "'failedJob'",
            "INCIDENT_STATE_": "1",
            "JOB_DEF_ID_": work,
        },
        "batch",
        where="mod(position, 4) = 1",
        number=21,
    )
    yield Rows(
        "ACT_HI_OP_LOG",
        {
            **kept,
            "TIMESTAMP_": sql.time(),
            "USER_ID_": "'demo'",
            "OPERATION_TYPE_": "'Delete'",
            "ENTITY_TYPE_": "'ProcessInstance'",
            "BATCH_ID_": "id",
            "CATEGORY_": "'Operator'",
        },
        "batch",
        number=22,
    )
    yield Rows(
        "ACT_RU_TASK_METER_LOG",
        {"ASSIGNEE_HASH_": "mod(number, 7)", "TIMESTAMP_": sql.time("ending")},
        "task",
    )


def case_rows(sql: Sql) -> Iterator[Rows]:
    """Rows of case instances: they have no removal time and stay."""
    inside = {"CASE_DEF_ID_": "'claim:1:case'", "CASE_INST_ID_": "id", "TENANT_ID_": "tenant"}
    times = {"CREATE_TIME_": sql.time("start"), "DURATION_": "(ending - start) / 1000"}
    yield Rows(
        "ACT_HI_CASEINST",
        {**inside, **times, "ID_": "id", "CLOSE_TIME_": sql.time("ending"), "STATE_": "3"},
        "case",
    )
    yield Rows(
        "ACT_HI_CASEACTINST",
        {
            **inside,
            **times,
            "CASE_ACT_ID_": "concat('plan-item-', k)",
            "CASE_ACT_TYPE_": "'humanTask'",
            "END_TIME_": sql.time("ending"),
        },
        "case",
        count=2,
    )
    yield Rows(
        "ACT_HI_VARINST",
        {
            **inside,
            "NAME_": "'claimant'",
            "VAR_TYPE_": "'string'",
            "TEXT_": "'demo'",
            "CREATE_TIME_": sql.time(),
        },
        "case",
        number=23,
    )
