"""Rows that a process instance leaves in the engine's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.camunda.sql import (
    ATTACHMENTS,
    DETAILS,
    EXTERNAL_TASKS,
    JOBS,
    TASKS,
    VARIABLES,
    Rows,
    Sql,
    by_k,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


def process_rows(sql: Sql) -> Iterator[Rows]:
    """Rows of process instances: 15 to 20 for each."""
    own = {
        "PROC_DEF_KEY_": "definition",
        "PROC_DEF_ID_": "definition_id",
        "ROOT_PROC_INST_ID_": "root_id",
        "TENANT_ID_": "tenant",
        "REMOVAL_TIME_": sql.time("removal"),
    }
    placed = {**own, "PROC_INST_ID_": "id"}
    inside = {**placed, "EXECUTION_ID_": "id"}
    without_definition = {key: own[key] for key in ("ROOT_PROC_INST_ID_", "TENANT_ID_", "REMOVAL_TIME_")}
    task = sql.id(TASKS, "0", "start + step * 3")
    open_task = "ending IS NULL AND k = 2"
    until = sql.time("at + step")
    yield Rows(
        "ACT_HI_PROCINST",
        {
            **placed,
            "ID_": "id",
            "BUSINESS_KEY_": "concat('order-', number)",
            "START_TIME_": sql.time("start"),
            "END_TIME_": sql.time("ending"),
            "DURATION_": "(ending - start) / 1000",
            "START_USER_ID_": "'demo'",
            "START_ACT_ID_": "'start'",
            "END_ACT_ID_": "CASE WHEN ending IS NOT NULL THEN 'end' END",
            "SUPER_PROCESS_INSTANCE_ID_": "super_id",
            "STATE_": "CASE WHEN ending IS NULL THEN 'ACTIVE' ELSE 'COMPLETED' END",
        },
    )
    yield Rows(
        "ACT_HI_ACTINST",
        {
            **inside,
            "PARENT_ACT_INST_ID_": "id",
            "ACT_ID_": by_k("'start'", "'check'", "'approve'", "'book'", "'end'"),
            "ACT_NAME_": by_k("'Start'", "'Check'", "'Approve'", "'Book'", "'End'"),
            "ACT_TYPE_": by_k(
                "'startEvent'", "'callActivity'", "'userTask'", "'serviceTask'", "'noneEndEvent'"
            ),
            "TASK_ID_": f"CASE WHEN k = 2 THEN {task} END",
            "CALL_PROC_INST_ID_": "CASE WHEN k = 1 THEN called_id END",
            "ASSIGNEE_": "CASE WHEN k = 2 THEN 'demo' END",
            "START_TIME_": sql.time(),
            "END_TIME_": f"CASE WHEN NOT ({open_task}) THEN {until} END",
            "DURATION_": f"CASE WHEN NOT ({open_task}) THEN step / 1000 END",
            "ACT_INST_STATE_": "CASE WHEN ending IS NULL THEN 0 ELSE 4 END",
            "SEQUENCE_COUNTER_": "k + 1",
        },
        count=5,
        where="ending IS NOT NULL OR k < 3",
    )
    yield Rows(
        "ACT_HI_TASKINST",
        {
            **inside,
            "ID_": task,
            "TASK_DEF_KEY_": "'approve'",
            "ACT_INST_ID_": sql.id(2, "2", "start + step * 3"),
            "NAME_": "'Approve'",
            "ASSIGNEE_": "'demo'",
            "START_TIME_": sql.time("start + step * 3"),
            "END_TIME_": f"CASE WHEN ending IS NOT NULL THEN {sql.time('start + step * 4')} END",
            "DELETE_REASON_": "CASE WHEN ending IS NOT NULL THEN 'completed' END",
            "PRIORITY_": "50",
            "TASK_STATE_": "CASE WHEN ending IS NULL THEN 'Created' ELSE 'Completed' END",
        },
        number=TASKS,
    )
    value = {
        "NAME_": by_k("'customer'", "'amount'", "'order'"),
        "VAR_TYPE_": by_k("'string'", "'long'", "'object'"),
        "REV_": "0",
        "LONG_": "CASE WHEN k = 1 THEN number END",
        "TEXT_": "CASE WHEN k = 0 THEN concat('customer ', number) END",
        "ACT_INST_ID_": "id",
    }
    yield Rows(
        "ACT_HI_VARINST",
        {**inside, **value, "CREATE_TIME_": sql.time(), "STATE_": "'CREATED'"},
        count=3,
        bytes_where="k = 2 AND mod(position, 3) = 0",
        number=VARIABLES,
    )
    yield Rows(
        "ACT_HI_DETAIL",
        {
            **inside,
            **value,
            "TYPE_": "'VariableUpdate'",
            "VAR_INST_ID_": sql.id(VARIABLES),
            "TIME_": sql.time(),
            "SEQUENCE_COUNTER_": "k + 1",
            "INITIAL_": "TRUE",
        },
        count=3,
        bytes_where="k = 2 AND mod(position, 3) = 0",
        number=DETAILS,
    )
    yield Rows(
        "ACT_HI_IDENTITYLINK",
        {
            **own,
            "TIMESTAMP_": sql.time("start + step * 3"),
            "TYPE_": "'candidate'",
            "GROUP_ID_": "'accounting'",
            "TASK_ID_": task,
            "OPERATION_TYPE_": "'add'",
        },
    )
    yield Rows(
        "ACT_HI_JOB_LOG",
        {
            **{key: value for key, value in own.items() if not key.startswith("PROC_")},
            "TIMESTAMP_": sql.time(),
            "JOB_ID_": sql.id(JOBS + 64, "0", "start"),
            "JOB_RETRIES_": "3",
            "JOB_STATE_": by_k("0", "2", "1"),
            "JOB_EXCEPTION_MSG_": "CASE WHEN k = 2 THEN 'connection refused' END",
            "JOB_DEF_TYPE_": "'async-continuation'",
            "ACT_ID_": "'book'",
            "EXECUTION_ID_": "id",
            "PROCESS_INSTANCE_ID_": "id",
            "PROCESS_DEF_ID_": "definition_id",
            "PROCESS_DEF_KEY_": "definition",
            "SEQUENCE_COUNTER_": "k + 1",
            "HOSTNAME_": "'engine-1'",
        },
        count=3,
        where="(k < 2 AND mod(position, 2) = 0) OR (k = 2 AND mod(position, 10) = 4)",
        bytes_where="k = 2",
        bytes_column="JOB_EXCEPTION_STACK_ID_",
        number=JOBS,
    )
    yield Rows(
        "ACT_HI_EXT_TASK_LOG",
        {
            **inside,
            "TIMESTAMP_": sql.time(),
            "EXT_TASK_ID_": sql.id(EXTERNAL_TASKS + 64, "0", "start"),
            "TOPIC_NAME_": "'booking'",
            "WORKER_ID_": "CASE WHEN k > 0 THEN 'worker-1' END",
            "RETRIES_": "3",
            "ACT_ID_": "'book'",
            "STATE_": by_k("0", "2", "1"),
            "ERROR_MSG_": "CASE WHEN k = 2 THEN 'booking refused' END",
        },
        count=3,
        where="(k < 2 AND mod(position, 5) = 2) OR (k = 2 AND mod(position, 10) = 2)",
        bytes_where="k = 2",
        bytes_column="ERROR_DETAILS_ID_",
        number=EXTERNAL_TASKS,
    )
    yield Rows(
        "ACT_HI_INCIDENT",
        {
            **inside,
            "CREATE_TIME_": sql.time(),
            "END_TIME_": f"CASE WHEN ending IS NOT NULL THEN {until} END",
            "INCIDENT_MSG_": "'connection refused'",
            "INCIDENT_TYPE_": "'failedJob'",
            "ACTIVITY_ID_": "'book'",
            "CONFIGURATION_": sql.id(JOBS + 64, "0", "start"),
            "INCIDENT_STATE_": "CASE WHEN ending IS NULL THEN 0 ELSE 1 END",
        },
        where="mod(position, 10) = 4",
    )
    yield Rows(
        "ACT_HI_OP_LOG",
        {
            **inside,
            "TASK_ID_": task,
            "USER_ID_": "'demo'",
            "TIMESTAMP_": sql.time(),
            "OPERATION_TYPE_": "'Claim'",
            "OPERATION_ID_": "id",
            "ENTITY_TYPE_": "'Task'",
            "PROPERTY_": "'assignee'",
            "NEW_VALUE_": "'demo'",
            "CATEGORY_": "'TaskWorker'",
        },
        where="mod(position, 2) = 1",
    )
    on_task = {**without_definition, "PROC_INST_ID_": "id", "TASK_ID_": task, "USER_ID_": "'demo'"}
    yield Rows(
        "ACT_HI_COMMENT",
        {
            **on_task,
            "TYPE_": "'comment'",
            "TIME_": sql.time(),
            "ACTION_": "'AddComment'",
            "MESSAGE_": "'looks right'",
            "FULL_MSG_": sql.content(),
        },
        where="mod(position, 5) = 0",
    )
    yield Rows(
        "ACT_HI_ATTACHMENT",
        {
            **on_task,
            "REV_": "1",
            "NAME_": "'invoice.pdf'",
            "TYPE_": "'application/pdf'",
            "URL_": "CASE WHEN mod(position, 10) = 6 THEN 'file:///invoice.pdf' END",
            "CREATE_TIME_": sql.time(),
        },
        where="mod(position, 5) = 1",
        bytes_where="mod(position, 10) = 1",
        bytes_column="CONTENT_ID_",
        number=ATTACHMENTS,
    )
    yield Rows(
        "ACT_RU_AUTHORIZATION",
        {
            "REV_": "1",
            "TYPE_": "1",
            "USER_ID_": "'demo'",
            "RESOURCE_TYPE_": by_k("20", "19"),  # historic process instance, historic task
            "RESOURCE_ID_": f"CASE WHEN k = 0 THEN id ELSE {task} END",
            "PERMS_": "2",
            "REMOVAL_TIME_": own["REMOVAL_TIME_"],
            "ROOT_PROC_INST_ID_": "root_id",
        },
        count=2,
        where="mod(position, 10) = 3",
    )
