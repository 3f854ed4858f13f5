"""The engine's tables whose rows belong to an instance, one row each.

They stand in the order in which byte arrays are looked for; `order` says in which order rows are deleted:
for one worker those that belong to others of the list come first.
"""

from __future__ import annotations

from cleanupctl.history.camunda.schema.engine_table import REMOVAL_TIME, ROOT, EngineTable, Part

CHILD_TABLES = (
    EngineTable(
        name="ACT_HI_VARINST",
        part=Part.CHILD,
        order=2,
        owner="PROC_INST_ID_",
        root=ROOT,
        task="TASK_ID_",
        case="CASE_INST_ID_",
        byte_arrays=("BYTEARRAY_ID_",),
        removal_time=REMOVAL_TIME,
        written="CREATE_TIME_",
        indexes={
            REMOVAL_TIME: "ACT_IDX_HI_VARINST_RM_TIME",
            "PROC_INST_ID_": "ACT_IDX_HI_PROCVAR_PROC_INST",
        },
        later={
            (7, 10): "ROOT_PROC_INST_ID_ CREATE_TIME_ REMOVAL_TIME_",
        },
        other_columns=(
            "EXECUTION_ID_ ACT_INST_ID_ CASE_EXECUTION_ID_ NAME_ VAR_TYPE_ REV_ DOUBLE_ LONG_ TEXT_ "
            "TEXT2_ PROC_DEF_KEY_ PROC_DEF_ID_ CASE_DEF_KEY_ CASE_DEF_ID_ TENANT_ID_ STATE_"
        ),
    ),
    EngineTable(
        name="ACT_HI_DETAIL",
        part=Part.CHILD,
        order=1,
        owner="PROC_INST_ID_",
        root=ROOT,
        task="TASK_ID_",
        task_alone=True,
        case="CASE_INST_ID_",
        byte_arrays=("BYTEARRAY_ID_",),
        removal_time=REMOVAL_TIME,
        written="TIME_",
        indexes={
            REMOVAL_TIME: "ACT_IDX_HI_DETAIL_RM_TIME",
            "PROC_INST_ID_": "ACT_IDX_HI_DETAIL_PROC_INST",
        },
        later={
            (7, 10): "ROOT_PROC_INST_ID_ REMOVAL_TIME_",
            (7, 13): "INITIAL_",
        },
        other_columns=(
            "TYPE_ EXECUTION_ID_ CASE_EXECUTION_ID_ ACT_INST_ID_ VAR_INST_ID_ NAME_ VAR_TYPE_ REV_ "
            "DOUBLE_ LONG_ TEXT_ TEXT2_ PROC_DEF_KEY_ PROC_DEF_ID_ CASE_DEF_KEY_ CASE_DEF_ID_ "
            "SEQUENCE_COUNTER_ TENANT_ID_ OPERATION_ID_"
        ),
    ),
    EngineTable(
        name="ACT_HI_DEC_IN",
        part=Part.DECISION_VALUE,
        order=12,
        component="decision",
        since=(7, 4),
        root=ROOT,
        decision="DEC_INST_ID_",
        byte_arrays=("BYTEARRAY_ID_",),
        removal_time=REMOVAL_TIME,
        written="CREATE_TIME_",
        indexes={
            REMOVAL_TIME: "ACT_IDX_HI_DEC_IN_RM_TIME",
            "DEC_INST_ID_": "ACT_IDX_HI_DEC_IN_INST",
        },
        later={
            (7, 10): "CREATE_TIME_ ROOT_PROC_INST_ID_ REMOVAL_TIME_",
        },
        other_columns="CLAUSE_ID_ CLAUSE_NAME_ VAR_TYPE_ DOUBLE_ LONG_ TEXT_ TEXT2_ TENANT_ID_",
    ),
    EngineTable(
        name="ACT_HI_DEC_OUT",
        part=Part.DECISION_VALUE,
        order=13,
        component="decision",
        since=(7, 4),
        root=ROOT,
        decision="DEC_INST_ID_",
        byte_arrays=("BYTEARRAY_ID_",),
        removal_time=REMOVAL_TIME,
        written="CREATE_TIME_",
        indexes={
            REMOVAL_TIME: "ACT_IDX_HI_DEC_OUT_RM_TIME",
            "DEC_INST_ID_": "ACT_IDX_HI_DEC_OUT_INST",
        },
        later={
            (7, 10): "CREATE_TIME_ ROOT_PROC_INST_ID_ REMOVAL_TIME_",
        },
        other_columns=(
            "CLAUSE_ID_ CLAUSE_NAME_ RULE_ID_ RULE_ORDER_ VAR_NAME_ VAR_TYPE_ DOUBLE_ LONG_ TEXT_ "
            "TEXT2_ TENANT_ID_"
        ),
    ),
    EngineTable(
        name="ACT_HI_ATTACHMENT",
        part=Part.CHILD,
        order=4,
        owner="PROC_INST_ID_",
        root=ROOT,
        task="TASK_ID_",
        task_alone=True,
        byte_arrays=("CONTENT_ID_",),
        removal_time=REMOVAL_TIME,
        written="CREATE_TIME_",
        indexes={
            REMOVAL_TIME: "ACT_IDX_HI_ATTACHMENT_RM_TIME",
            "PROC_INST_ID_": "ACT_IDX_HI_ATTACHMENT_PROCINST",
        },
        later={
            (7, 10): "ROOT_PROC_INST_ID_ CREATE_TIME_ REMOVAL_TIME_",
        },
        other_columns="REV_ USER_ID_ NAME_ DESCRIPTION_ TYPE_ URL_ TENANT_ID_",
    ),
    EngineTable(
        name="ACT_HI_JOB_LOG",
        part=Part.CHILD,
        order=10,
        since=(7, 3),
        owner="PROCESS_INSTANCE_ID_",
        root=ROOT,
        batch="JOB_DEF_CONFIGURATION_",
        byte_arrays=("JOB_EXCEPTION_STACK_ID_",),
        removal_time=REMOVAL_TIME,
        written="TIMESTAMP_",
        indexes={
            REMOVAL_TIME: "ACT_IDX_HI_JOB_LOG_RM_TIME",
            "PROCESS_INSTANCE_ID_": "ACT_IDX_HI_JOB_LOG_PROCINST",
            "JOB_DEF_CONFIGURATION_": "ACT_IDX_HI_JOB_LOG_JOB_CONF",
        },
        later={
            (7, 10): "ROOT_PROC_INST_ID_ REMOVAL_TIME_",
            (7, 13): "FAILED_ACT_ID_ HOSTNAME_",
            (7, 22): "BATCH_ID_",
        },
        other_columns=(
            "JOB_ID_ JOB_DUEDATE_ JOB_RETRIES_ JOB_EXCEPTION_MSG_ JOB_STATE_ JOB_DEF_ID_ "
            "JOB_DEF_TYPE_ ACT_ID_ EXECUTION_ID_ PROCESS_DEF_ID_ PROCESS_DEF_KEY_ DEPLOYMENT_ID_ "
            "SEQUENCE_COUNTER_ JOB_PRIORITY_ TENANT_ID_"
        ),
    ),
    EngineTable(
        name="ACT_HI_EXT_TASK_LOG",
        part=Part.CHILD,
        order=9,
        since=(7, 7),
        owner="PROC_INST_ID_",
        root=ROOT,
        byte_arrays=("ERROR_DETAILS_ID_",),
        removal_time=REMOVAL_TIME,
        written="TIMESTAMP_",
        indexes={
            REMOVAL_TIME: "ACT_HI_EXT_TASK_LOG_RM_TIME",
            "PROC_INST_ID_": "ACT_HI_EXT_TASK_LOG_PROCINST",
        },
        later={
            (7, 10): "ROOT_PROC_INST_ID_ REMOVAL_TIME_",
        },
        other_columns=(
            "EXT_TASK_ID_ RETRIES_ TOPIC_NAME_ WORKER_ID_ PRIORITY_ ERROR_MSG_ ACT_ID_ ACT_INST_ID_ "
            "EXECUTION_ID_ PROC_DEF_ID_ PROC_DEF_KEY_ TENANT_ID_ STATE_ REV_"
        ),
    ),
    EngineTable(
        name="ACT_HI_COMMENT",
        part=Part.CHILD,
        order=3,
        owner="PROC_INST_ID_",
        root=ROOT,
        task="TASK_ID_",
        task_alone=True,
        removal_time=REMOVAL_TIME,
        written="TIME_",
        indexes={
            REMOVAL_TIME: "ACT_IDX_HI_COMMENT_RM_TIME",
            "PROC_INST_ID_": "ACT_IDX_HI_COMMENT_PROCINST",
        },
        later={
            (7, 10): "ROOT_PROC_INST_ID_ REMOVAL_TIME_",
            (7, 23): "REV_",
        },
        other_columns="TYPE_ USER_ID_ ACTION_ MESSAGE_ FULL_MSG_ TENANT_ID_",
    ),
    EngineTable(
        name="ACT_HI_IDENTITYLINK",
        part=Part.CHILD,
        order=5,
        since=(7, 5),
        root=ROOT,
        task="TASK_ID_",
        task_alone=True,
        removal_time=REMOVAL_TIME,
        written="TIMESTAMP_",
        indexes={
            REMOVAL_TIME: "ACT_IDX_HI_IDENT_LINK_RM_TIME",
            "TASK_ID_": "ACT_IDX_HI_IDENT_LINK_TASK",
        },
        later={
            (7, 10): "ROOT_PROC_INST_ID_ REMOVAL_TIME_",
        },
        other_columns=(
            "TYPE_ USER_ID_ GROUP_ID_ PROC_DEF_ID_ OPERATION_TYPE_ ASSIGNER_ID_ PROC_DEF_KEY_ TENANT_ID_"
        ),
    ),
    EngineTable(
        name="ACT_HI_TASKINST",
        part=Part.CHILD,
        order=6,
        owner="PROC_INST_ID_",
        root=ROOT,
        case="CASE_INST_ID_",
        removal_time=REMOVAL_TIME,
        written="START_TIME_",
        indexes={
            REMOVAL_TIME: "ACT_IDX_HI_TASK_INST_RM_TIME",
            "PROC_INST_ID_": "ACT_IDX_HI_TASKINST_PROCINST",
        },
        later={
            (7, 10): "ROOT_PROC_INST_ID_ REMOVAL_TIME_",
            (7, 22): "TASK_STATE_",
        },
        other_columns=(
            "PROC_DEF_ID_ TASK_DEF_KEY_ EXECUTION_ID_ CASE_DEF_ID_ CASE_EXECUTION_ID_ ACT_INST_ID_ "
            "NAME_ PARENT_TASK_ID_ DESCRIPTION_ OWNER_ ASSIGNEE_ END_TIME_ DURATION_ DELETE_REASON_ "
            "PRIORITY_ DUE_DATE_ FOLLOW_UP_DATE_ PROC_DEF_KEY_ CASE_DEF_KEY_ TENANT_ID_"
        ),
    ),
    EngineTable(
        name="ACT_HI_ACTINST",
        part=Part.CHILD,
        order=7,
        owner="PROC_INST_ID_",
        root=ROOT,
        task="TASK_ID_",
        links=("CALL_PROC_INST_ID_",),
        removal_time=REMOVAL_TIME,
        written="START_TIME_",
        indexes={
            REMOVAL_TIME: "ACT_IDX_HI_ACT_INST_RM_TIME",
            "PROC_INST_ID_": "ACT_IDX_HI_ACT_INST_PROCINST",
        },
        later={
            (7, 10): "ROOT_PROC_INST_ID_ REMOVAL_TIME_",
        },
        other_columns=(
            "PARENT_ACT_INST_ID_ PROC_DEF_ID_ EXECUTION_ID_ ACT_ID_ ACT_NAME_ ACT_TYPE_ ASSIGNEE_ "
            "END_TIME_ DURATION_ ACT_INST_STATE_ PROC_DEF_KEY_ CALL_CASE_INST_ID_ SEQUENCE_COUNTER_ "
            "TENANT_ID_"
        ),
    ),
    EngineTable(
        name="ACT_HI_INCIDENT",
        part=Part.CHILD,
        order=8,
        owner="PROC_INST_ID_",
        root=ROOT,
        job_definition="JOB_DEF_ID_",
        removal_time=REMOVAL_TIME,
        written="CREATE_TIME_",
        indexes={
            REMOVAL_TIME: "ACT_IDX_HI_INCIDENT_RM_TIME",
            "PROC_INST_ID_": "ACT_IDX_HI_INCIDENT_PROCINST",
        },
        later={
            (7, 10): "ROOT_PROC_INST_ID_ REMOVAL_TIME_",
            (7, 12): "HISTORY_CONFIGURATION_",
            (7, 13): "FAILED_ACTIVITY_ID_",
            (7, 15): "ANNOTATION_",
        },
        other_columns=(
            "PROC_DEF_ID_ EXECUTION_ID_ END_TIME_ INCIDENT_MSG_ INCIDENT_TYPE_ ACTIVITY_ID_ "
            "CAUSE_INCIDENT_ID_ ROOT_CAUSE_INCIDENT_ID_ CONFIGURATION_ INCIDENT_STATE_ PROC_DEF_KEY_ "
            "TENANT_ID_"
        ),
    ),
    EngineTable(
        name="ACT_HI_OP_LOG",
        part=Part.CHILD,
        order=11,
        owner="PROC_INST_ID_",
        root=ROOT,
        task="TASK_ID_",
        task_alone=True,
        removal_time=REMOVAL_TIME,
        written="TIMESTAMP_",
        indexes={
            REMOVAL_TIME: "ACT_IDX_HI_OP_LOG_RM_TIME",
            "PROC_INST_ID_": "ACT_IDX_HI_OP_LOG_PROCINST",
        },
        later={
            (7, 10): "ROOT_PROC_INST_ID_ REMOVAL_TIME_",
            (7, 11): "CATEGORY_ EXTERNAL_TASK_ID_",
            (7, 12): "ANNOTATION_",
        },
        other_columns=(
            "PROC_DEF_ID_ PROC_DEF_KEY_ EXECUTION_ID_ CASE_DEF_ID_ CASE_INST_ID_ CASE_EXECUTION_ID_ "
            "USER_ID_ OPERATION_TYPE_ OPERATION_ID_ ENTITY_TYPE_ PROPERTY_ ORG_VALUE_ NEW_VALUE_ "
            "JOB_ID_ JOB_DEF_ID_ DEPLOYMENT_ID_ BATCH_ID_ TENANT_ID_"
        ),
    ),
)
