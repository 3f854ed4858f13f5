"""A process instance with everything that can hang on one, as the REST interfaces of the engine leave it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.servers import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDED = "2024-01-01 10:00:00"
Row = tuple[str, dict[str, object]]


def rich_rows(name: str, removal: str | None, root: str | None = None) -> Iterator[Row]:
    """Rows of an ended instance that can be reached; their ids begin with its name."""
    own = {"ROOT_PROC_INST_ID_": root or name, "REMOVAL_TIME_": removal}
    inside = {**own, "PROC_INST_ID_": name}
    task = f"{name}-task"
    numbers = iter(range(100))

    def content() -> Iterator[Row]:
        yield (
            "ACT_GE_BYTEARRAY",
            {"ID_": f"{name}-b{next(numbers)}", "TYPE_": 3, "CREATE_TIME_": ENDED, **own},
        )

    def with_content(table: str, column: str, **values: object) -> Iterator[Row]:
        (array,) = content()
        yield array
        yield table, {"ID_": f"{array[1]['ID_']}-of", column: array[1]["ID_"], **own, **values}

    yield (
        "ACT_HI_PROCINST",
        {
            "ID_": name, "PROC_DEF_ID_": "order:1:a", "PROC_DEF_KEY_": "order", "START_TIME_": ENDED,
            "END_TIME_": ENDED, **inside,
        },
    )  # fmt: skip
    placed = {"PROC_DEF_ID_": "order:1:a", "EXECUTION_ID_": name, "START_TIME_": ENDED, "END_TIME_": ENDED}
    yield "ACT_HI_TASKINST", {"ID_": task, **placed, **inside}
    act = {"ACT_ID_": "a", "ACT_TYPE_": "userTask"}
    yield "ACT_HI_ACTINST", {"ID_": f"{name}-act", **placed, **act, **inside}
    of_task, of_instance = {"TASK_ID_": task}, {"PROC_INST_ID_": name}
    for where, values in (("task", of_task), ("instance", of_instance)):
        yield "ACT_HI_COMMENT", {"ID_": f"{name}-comment-{where}", "TIME_": ENDED, **own, **values}
        yield (
            "ACT_HI_OP_LOG",
            {"ID_": f"{name}-log-{where}", "TIMESTAMP_": ENDED, "ENTITY_TYPE_": "Task", **own, **values},
        )
        yield from with_content("ACT_HI_ATTACHMENT", "CONTENT_ID_", CREATE_TIME_=ENDED, **values)
        yield from with_content(
            "ACT_HI_DETAIL", "BYTEARRAY_ID_", TYPE_="VariableUpdate", NAME_="v", TIME_=ENDED, **values
        )
    yield "ACT_HI_IDENTITYLINK", {"ID_": f"{name}-link", "TIMESTAMP_": ENDED, **own, **of_task}
    yield from with_content("ACT_HI_VARINST", "BYTEARRAY_ID_", NAME_="v", CREATE_TIME_=ENDED, **of_instance)
    yield from with_content(
        "ACT_HI_JOB_LOG", "JOB_EXCEPTION_STACK_ID_", TIMESTAMP_=ENDED, JOB_ID_="j", PROCESS_INSTANCE_ID_=name
    )
    yield from with_content(
        "ACT_HI_EXT_TASK_LOG", "ERROR_DETAILS_ID_", TIMESTAMP_=ENDED, EXT_TASK_ID_="e", STATE_=1,
        **of_instance,
    )  # fmt: skip
    incident = {"CREATE_TIME_": ENDED, "END_TIME_": ENDED, "INCIDENT_TYPE_": "x", "INCIDENT_STATE_": 1}
    yield "ACT_HI_INCIDENT", {"ID_": f"{name}-incident", **incident, **inside}
    for kind, resource in ((20, name), (19, task)):
        yield (
            "ACT_RU_AUTHORIZATION",
            {
                "ID_": f"{name}-may-{kind}", "REV_": 1, "TYPE_": 1, "USER_ID_": "demo",
                "RESOURCE_TYPE_": kind, "RESOURCE_ID_": resource, **own,
            },
        )  # fmt: skip
    decision = f"{name}-decision"
    evaluated = {"DEC_DEF_ID_": "rating:1:a", "DEC_DEF_KEY_": "rating", "EVAL_TIME_": ENDED}
    yield "ACT_HI_DECINST", {"ID_": decision, **evaluated, **inside}
    for table in ("ACT_HI_DEC_IN", "ACT_HI_DEC_OUT"):
        yield from with_content(table, "BYTEARRAY_ID_", DEC_INST_ID_=decision, CREATE_TIME_=ENDED)


def insert_rows(url: str, rows: Iterator[Row]) -> set[tuple[str, str]]:
    """Insert rows; return their tables and ids."""
    found = set()
    with connect(url) as connection, connection.cursor() as cursor:
        for table, values in rows:
            marks = ", ".join(["%s"] * len(values))
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values())
            )
            found.add((table, str(values["ID_"])))
    return found


TABLES = tuple(dict.fromkeys(table for table, _ in rich_rows("x", None)))


def rows_left(url: str, condition: str = "1 = 1") -> set[tuple[str, str]]:
    """Return tables and ids of the rows that meet a condition."""
    with connect(url) as connection, connection.cursor() as cursor:
        found = set()
        for table in TABLES:
            cursor.execute(f"SELECT ID_ FROM {table} WHERE {condition}")
            found |= {(table, str(row[0])) for row in cursor.fetchall()}
        return found
