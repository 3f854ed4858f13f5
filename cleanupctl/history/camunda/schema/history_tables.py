"""The engine's tables of instances, and of what belongs to none or to several of them, one row each."""

from __future__ import annotations

from cleanupctl.history.camunda.schema.child_tables import CHILD_TABLES
from cleanupctl.history.camunda.schema.engine_table import (
    REMOVAL_TIME,
    ROOT,
    EngineTable,
    InstanceColumns,
    Part,
)

HISTORY_TABLES = (
    *CHILD_TABLES,
    EngineTable(
        name="ACT_GE_BYTEARRAY",
        part=Part.SHARED,
        order=14,
        root=ROOT,
        removal_time=REMOVAL_TIME,
        written="CREATE_TIME_",
        indexes={
            REMOVAL_TIME: "ACT_IDX_BYTEARRAY_RM_TIME",
        },
        later={
            (7, 10): "TYPE_ CREATE_TIME_ ROOT_PROC_INST_ID_ REMOVAL_TIME_",
        },
        other_columns="REV_ NAME_ DEPLOYMENT_ID_ BYTES_ GENERATED_ TENANT_ID_",
    ),
    EngineTable(
        name="ACT_RU_AUTHORIZATION",
        part=Part.SHARED,
        order=15,
        root=ROOT,
        removal_time=REMOVAL_TIME,
        indexes={
            REMOVAL_TIME: "ACT_IDX_AUTH_RM_TIME",
        },
        later={
            (7, 13): "REMOVAL_TIME_ ROOT_PROC_INST_ID_",
        },
        other_columns="REV_ TYPE_ GROUP_ID_ USER_ID_ RESOURCE_TYPE_ RESOURCE_ID_ PERMS_",
    ),
    EngineTable(
        name="ACT_HI_DECINST",
        part=Part.ROOT,
        order=16,
        component="decision",
        since=(7, 4),
        owner="PROC_INST_ID_",
        root=ROOT,
        case="CASE_INST_ID_",
        links=("ROOT_DEC_INST_ID_",),
        removal_time=REMOVAL_TIME,
        written="EVAL_TIME_",
        kind="decision",
        instances=InstanceColumns(
            id="ID_",
            definition="DEC_DEF_ID_",
            definition_key="DEC_DEF_KEY_",
            started="EVAL_TIME_",
            ended="EVAL_TIME_",
        ),
        indexes={
            REMOVAL_TIME: "ACT_IDX_HI_DEC_INST_RM_TIME",
            "ROOT_DEC_INST_ID_": "ACT_IDX_HI_DEC_INST_ROOT_ID",
        },
        later={
            (7, 10): "REMOVAL_TIME_ ROOT_PROC_INST_ID_",
        },
        other_columns=(
            "DEC_DEF_NAME_ PROC_DEF_KEY_ PROC_DEF_ID_ CASE_DEF_KEY_ CASE_DEF_ID_ ACT_INST_ID_ ACT_ID_ "
            "COLLECT_VALUE_ USER_ID_ TENANT_ID_ DEC_REQ_ID_ DEC_REQ_KEY_"
        ),
    ),
    EngineTable(
        name="ACT_HI_BATCH",
        part=Part.ROOT,
        order=17,
        since=(7, 5),
        job_definitions=("SEED_JOB_DEF_ID_", "MONITOR_JOB_DEF_ID_", "BATCH_JOB_DEF_ID_"),
        byte_arrays=("CONFIGURATION_",),
        removal_time=REMOVAL_TIME,
        written="START_TIME_",
        instances=InstanceColumns(
            id="ID_", definition="TYPE_", definition_key="TYPE_", started="START_TIME_", ended="END_TIME_"
        ),
        indexes={
            REMOVAL_TIME: "ACT_HI_BAT_RM_TIME",
        },
        later={
            (7, 10): "CREATE_USER_ID_ REMOVAL_TIME_",
            (7, 18): "EXEC_START_TIME_",
        },
        other_columns="TOTAL_JOBS_ JOBS_PER_SEED_ INVOCATIONS_PER_JOB_ TENANT_ID_",
    ),
    EngineTable(
        name="ACT_HI_PROCINST",
        part=Part.ROOT,
        order=18,
        owner="PROC_INST_ID_",
        root=ROOT,
        links=("SUPER_PROCESS_INSTANCE_ID_",),
        removal_time=REMOVAL_TIME,
        written="START_TIME_",
        kind="process",
        instances=InstanceColumns(
            id="PROC_INST_ID_",
            definition="PROC_DEF_ID_",
            definition_key="PROC_DEF_KEY_",
            started="START_TIME_",
            ended="END_TIME_",
        ),
        indexes={
            REMOVAL_TIME: "ACT_IDX_HI_PRO_INST_RM_TIME",
            ROOT: "ACT_IDX_HI_PRO_INST_ROOT_PI",
            "END_TIME_": "ACT_IDX_HI_PRO_INST_END",
        },
        later={
            (7, 10): "REMOVAL_TIME_ ROOT_PROC_INST_ID_",
            (7, 22): "RESTARTED_PROC_INST_ID_",
        },
        other_columns=(
            "BUSINESS_KEY_ DURATION_ START_USER_ID_ START_ACT_ID_ END_ACT_ID_ CASE_INST_ID_ "
            "DELETE_REASON_ SUPER_CASE_INSTANCE_ID_ TENANT_ID_ STATE_"
        ),
    ),
    EngineTable(
        name="ACT_HI_CASEINST",
        part=Part.CASE,
        order=20,
        component="case",
        case="CASE_INST_ID_",
        written="CREATE_TIME_",
        kind="case",
        instances=InstanceColumns(
            id="CASE_INST_ID_", definition="CASE_DEF_ID_", started="CREATE_TIME_", ended="CLOSE_TIME_"
        ),
        indexes={
            "CLOSE_TIME_": "ACT_IDX_HI_CAS_I_CLOSE",
        },
        other_columns=(
            "BUSINESS_KEY_ DURATION_ STATE_ CREATE_USER_ID_ SUPER_CASE_INSTANCE_ID_ "
            "SUPER_PROCESS_INSTANCE_ID_ TENANT_ID_"
        ),
    ),
    EngineTable(
        name="ACT_HI_CASEACTINST",
        part=Part.CASE,
        order=19,
        component="case",
        case="CASE_INST_ID_",
        written="CREATE_TIME_",
        other_columns=(
            "PARENT_ACT_INST_ID_ CASE_DEF_ID_ CASE_ACT_ID_ TASK_ID_ CALL_PROC_INST_ID_ "
            "CALL_CASE_INST_ID_ CASE_ACT_NAME_ CASE_ACT_TYPE_ END_TIME_ DURATION_ STATE_ REQUIRED_ "
            "TENANT_ID_"
        ),
    ),
    EngineTable(
        name="ACT_RU_TASK_METER_LOG",
        part=Part.OWN_TTL,
        order=21,
        since=(7, 15),
        written="TIMESTAMP_",
        indexes={
            "TIMESTAMP_": "ACT_IDX_TASK_METER_LOG_TIME",
        },
        other_columns="ASSIGNEE_HASH_",
    ),
)
"""Every table whose rows cleanup deletes."""
