"""The engine's tables that cleanup only reads, and the names of those that it never asks."""

from __future__ import annotations

from cleanupctl.history.camunda.schema.engine_table import ROOT, EngineTable, Part

RUNTIME_TABLES = (
    EngineTable(
        name="ACT_RE_PROCDEF",
        part=Part.DEFINITION,
        kind="process",
        ttl="HISTORY_TTL_",
        later={
            (7, 10): "STARTABLE_",
        },
        other_columns=(
            "REV_ CATEGORY_ NAME_ KEY_ VERSION_ DEPLOYMENT_ID_ RESOURCE_NAME_ DGRM_RESOURCE_NAME_ "
            "HAS_START_FORM_KEY_ SUSPENSION_STATE_ TENANT_ID_ VERSION_TAG_"
        ),
    ),
    EngineTable(
        name="ACT_RE_DECISION_DEF",
        part=Part.DEFINITION,
        component="decision",
        since=(7, 4),
        kind="decision",
        ttl="HISTORY_TTL_",
        other_columns=(
            "REV_ CATEGORY_ NAME_ KEY_ VERSION_ DEPLOYMENT_ID_ RESOURCE_NAME_ DGRM_RESOURCE_NAME_ "
            "TENANT_ID_ DEC_REQ_ID_ DEC_REQ_KEY_ VERSION_TAG_"
        ),
    ),
    EngineTable(
        name="ACT_RE_CASE_DEF",
        part=Part.DEFINITION,
        component="case",
        kind="case",
        ttl="HISTORY_TTL_",
        other_columns=(
            "REV_ CATEGORY_ NAME_ KEY_ VERSION_ DEPLOYMENT_ID_ RESOURCE_NAME_ DGRM_RESOURCE_NAME_ TENANT_ID_"
        ),
    ),
    EngineTable(
        name="ACT_RU_EXECUTION",
        part=Part.RUNTIME,
        owner="PROC_INST_ID_",
        root=ROOT,
        later={
            (7, 10): "ROOT_PROC_INST_ID_",
            (7, 23): "PROC_DEF_KEY_",
        },
        other_columns=(
            "REV_ BUSINESS_KEY_ PARENT_ID_ PROC_DEF_ID_ SUPER_EXEC_ SUPER_CASE_EXEC_ CASE_INST_ID_ "
            "ACT_ID_ ACT_INST_ID_ IS_ACTIVE_ IS_CONCURRENT_ IS_SCOPE_ IS_EVENT_SCOPE_ "
            "SUSPENSION_STATE_ CACHED_ENT_STATE_ SEQUENCE_COUNTER_ TENANT_ID_"
        ),
    ),
    EngineTable(
        name="ACT_RU_VARIABLE",
        part=Part.RUNTIME,
        byte_arrays=("BYTEARRAY_ID_",),
        later={
            (7, 13): "PROC_DEF_ID_",
            (7, 14): "BATCH_ID_",
        },
        other_columns=(
            "REV_ TYPE_ NAME_ EXECUTION_ID_ PROC_INST_ID_ CASE_EXECUTION_ID_ CASE_INST_ID_ TASK_ID_ "
            "DOUBLE_ LONG_ TEXT_ TEXT2_ VAR_SCOPE_ SEQUENCE_COUNTER_ IS_CONCURRENT_LOCAL_ TENANT_ID_"
        ),
    ),
    EngineTable(
        name="ACT_RU_JOB",
        part=Part.RUNTIME,
        byte_arrays=("EXCEPTION_STACK_ID_", "HANDLER_CFG_"),
        later={
            (7, 10): "CREATE_TIME_",
            (7, 12): "REPEAT_OFFSET_",
            (7, 13): "FAILED_ACT_ID_",
            (7, 17): "LAST_FAILURE_LOG_ID_",
            (7, 21): "ROOT_PROC_INST_ID_",
            (7, 22): "BATCH_ID_",
        },
        other_columns=(
            "REV_ TYPE_ LOCK_EXP_TIME_ LOCK_OWNER_ EXCLUSIVE_ EXECUTION_ID_ PROCESS_INSTANCE_ID_ "
            "PROCESS_DEF_ID_ PROCESS_DEF_KEY_ RETRIES_ EXCEPTION_MSG_ DUEDATE_ REPEAT_ HANDLER_TYPE_ "
            "DEPLOYMENT_ID_ SUSPENSION_STATE_ JOB_DEF_ID_ SEQUENCE_COUNTER_ PRIORITY_ TENANT_ID_"
        ),
    ),
    EngineTable(
        name="ACT_RU_EXT_TASK",
        part=Part.RUNTIME,
        since=(7, 4),
        byte_arrays=("ERROR_DETAILS_ID_",),
        later={
            (7, 17): "LAST_FAILURE_LOG_ID_",
            (7, 21): "CREATE_TIME_",
        },
        other_columns=(
            "REV_ WORKER_ID_ TOPIC_NAME_ RETRIES_ ERROR_MSG_ LOCK_EXP_TIME_ SUSPENSION_STATE_ "
            "EXECUTION_ID_ PROC_INST_ID_ PROC_DEF_ID_ PROC_DEF_KEY_ ACT_ID_ ACT_INST_ID_ TENANT_ID_ "
            "PRIORITY_"
        ),
    ),
    EngineTable(
        name="ACT_RU_BATCH",
        part=Part.RUNTIME,
        since=(7, 5),
        byte_arrays=("CONFIGURATION_",),
        later={
            (7, 10): "CREATE_USER_ID_",
            (7, 18): "START_TIME_ EXEC_START_TIME_",
        },
        other_columns=(
            "REV_ TYPE_ TOTAL_JOBS_ JOBS_CREATED_ JOBS_PER_SEED_ INVOCATIONS_PER_JOB_ "
            "SEED_JOB_DEF_ID_ BATCH_JOB_DEF_ID_ MONITOR_JOB_DEF_ID_ SUSPENSION_STATE_ TENANT_ID_"
        ),
    ),
    EngineTable(
        name="ACT_ID_USER",
        part=Part.RUNTIME,
        component="identity",
        byte_arrays=("PICTURE_ID_",),
        other_columns="REV_ FIRST_ LAST_ EMAIL_ PWD_ SALT_ LOCK_EXP_TIME_ ATTEMPTS_",
    ),
    EngineTable(
        name="ACT_ID_INFO",
        part=Part.RUNTIME,
        component="identity",
        byte_arrays=("VALUE_",),
        other_columns="REV_ USER_ID_ TYPE_ KEY_ PASSWORD_ PARENT_ID_",
    ),
    EngineTable(
        name="ACT_GE_PROPERTY",
        part=Part.RUNTIME,
        key="NAME_",
        # The licence key is a byte array, and nothing but a property has its id.
        byte_arrays=("VALUE_",),
        other_columns="REV_",
    ),
    EngineTable(
        name="ACT_GE_SCHEMA_LOG",
        part=Part.RUNTIME,
        since=(7, 11),
        other_columns="TIMESTAMP_ VERSION_",
    ),
)

UNRELATED_TABLES = frozenset(
    (
        "ACT_ID_GROUP",
        "ACT_ID_MEMBERSHIP",
        "ACT_ID_TENANT",
        "ACT_ID_TENANT_MEMBER",
        "ACT_RE_CAMFORMDEF",
        "ACT_RE_DECISION_REQ_DEF",
        "ACT_RE_DEPLOYMENT",
        "ACT_RU_CASE_EXECUTION",
        "ACT_RU_CASE_SENTRY_PART",
        "ACT_RU_EVENT_SUBSCR",
        "ACT_RU_FILTER",
        "ACT_RU_IDENTITYLINK",
        "ACT_RU_INCIDENT",
        "ACT_RU_JOBDEF",
        "ACT_RU_METER_LOG",
        "ACT_RU_TASK",
    )
)
"""Neither history nor referring to a byte array: looked at once, so that a new table is noticed."""
