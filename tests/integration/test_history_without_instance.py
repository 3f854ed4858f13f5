"""History that belongs to no instance has times to live of its own, and nothing else goes by them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.core.settings import WithoutInstanceTtls
from cleanupctl.history.camunda.schema.tables import CLEANED, find_schema
from cleanupctl.history.camunda.strategies.registry import strategy_of
from cleanupctl.history.camunda.strategies.without_instance import kept_without_instance
from cleanupctl.history.databases.servers import connect
from tests.support.camunda.histories import settings
from tests.support.camunda.maintenance import carry_out, counted
from tests.support.camunda.rich_instance import ENDED, insert_rows, rich_rows, rows_left

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.core.settings import CamundaSettings, Strategy
    from tests.support.camunda.rich_instance import Row

ALL = WithoutInstanceTtls(tasks=30, job_log=30, operation_log=30, incidents=30)
each_strategy = pytest.mark.parametrize("strategy", ["removal-time", "end-time"])


def rows(ended: str | None = ENDED) -> Iterator[Row]:
    """Everything that belongs to no instance; `ended` is when."""
    at = ended or ENDED
    yield "ACT_HI_TASKINST", {"ID_": "task", "START_TIME_": ENDED, "END_TIME_": ended}
    of_task = {"TASK_ID_": "task"}
    yield "ACT_HI_COMMENT", {"ID_": "comment", "TIME_": at, **of_task}
    yield "ACT_HI_IDENTITYLINK", {"ID_": "link", "TIMESTAMP_": at, **of_task}
    yield "ACT_HI_OP_LOG", {"ID_": "of-task", "TIMESTAMP_": at, "ENTITY_TYPE_": "Task", **of_task}
    for name in ("file", "value", "stack"):
        yield "ACT_GE_BYTEARRAY", {"ID_": name, "TYPE_": 3, "CREATE_TIME_": at}
    yield "ACT_HI_ATTACHMENT", {"ID_": "a", "CONTENT_ID_": "file", "CREATE_TIME_": at, **of_task}
    yield (
        "ACT_HI_VARINST",
        {"ID_": "v", "NAME_": "v", "BYTEARRAY_ID_": "value", "CREATE_TIME_": at, **of_task},
    )
    permission = {"REV_": 1, "TYPE_": 1, "USER_ID_": "demo", "RESOURCE_TYPE_": 19, "RESOURCE_ID_": "task"}
    yield "ACT_RU_AUTHORIZATION", {"ID_": "may", **permission}
    job = {"TIMESTAMP_": at, "JOB_ID_": "j", "JOB_DEF_TYPE_": "timer-start-event"}
    yield "ACT_HI_JOB_LOG", {"ID_": "timer", "JOB_EXCEPTION_STACK_ID_": "stack", **job}
    yield "ACT_HI_OP_LOG", {"ID_": "operation", "TIMESTAMP_": at, "ENTITY_TYPE_": "JobDefinition"}
    incident = {"CREATE_TIME_": ENDED, "INCIDENT_TYPE_": "x", "INCIDENT_STATE_": 1}
    yield "ACT_HI_INCIDENT", {"ID_": "incident", "END_TIME_": ended, **incident}


def run(of: CamundaSettings) -> dict[str, int]:
    planned = counted(of, strategy_of(of).plan)
    done = carry_out(of, strategy_of(of).plan)
    assert +planned == +done
    return dict(done)


def with_ttls(url: str, strategy: Strategy, ttls: WithoutInstanceTtls = ALL) -> CamundaSettings:
    return replace(settings(url), strategy=strategy, without_instance_ttl=ttls)


@each_strategy
def test_everything_without_an_instance_goes_by_its_time_to_live(engine_url: str, strategy: Strategy) -> None:
    mine = insert_rows(engine_url, rows())
    others = insert_rows(engine_url, rich_rows("p", None))
    run(with_ttls(engine_url, strategy, WithoutInstanceTtls()))
    assert rows_left(engine_url) == mine | others
    run(with_ttls(engine_url, strategy))
    assert rows_left(engine_url) == others


@each_strategy
@pytest.mark.parametrize("ended", ["2024-06-14 10:00:00", None], ids=["young", "open"])
def test_what_is_young_or_open_stays(engine_url: str, strategy: Strategy, ended: str | None) -> None:
    mine = insert_rows(engine_url, rows(ended))
    expected = mine if ended else mine - {
        ("ACT_HI_JOB_LOG", "timer"), ("ACT_GE_BYTEARRAY", "stack"), ("ACT_HI_OP_LOG", "operation"),
    }  # fmt: skip
    run(with_ttls(engine_url, strategy))
    assert rows_left(engine_url) == expected


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("ACT_HI_JOB_LOG", {"JOB_ID_": "j", "TIMESTAMP_": ENDED, "JOB_DEF_TYPE_": "history-cleanup"}),
        ("ACT_HI_JOB_LOG", {"JOB_ID_": "j", "TIMESTAMP_": ENDED, "JOB_DEF_CONFIGURATION_": "batch"}),
        ("ACT_HI_JOB_LOG", {"JOB_ID_": "j", "TIMESTAMP_": ENDED, "PROCESS_INSTANCE_ID_": "p"}),
        ("ACT_HI_OP_LOG", {"TIMESTAMP_": ENDED, "BATCH_ID_": "batch"}),
        ("ACT_HI_OP_LOG", {"TIMESTAMP_": ENDED, "DEPLOYMENT_ID_": "d"}),
        ("ACT_HI_OP_LOG", {"TIMESTAMP_": ENDED, "TASK_ID_": "t"}),
        ("ACT_HI_OP_LOG", {"TIMESTAMP_": ENDED, "CASE_INST_ID_": "c"}),
        ("ACT_HI_OP_LOG", {"TIMESTAMP_": ENDED, "REMOVAL_TIME_": "2034-01-01 00:00:00"}),
        ("ACT_HI_INCIDENT", {
            "CREATE_TIME_": ENDED, "END_TIME_": ENDED, "INCIDENT_TYPE_": "x", "INCIDENT_STATE_": 1,
            "JOB_DEF_ID_": "seed"}),
        ("ACT_HI_TASKINST", {"START_TIME_": ENDED, "END_TIME_": ENDED, "CASE_INST_ID_": "c"}),
        ("ACT_HI_TASKINST", {"START_TIME_": ENDED, "END_TIME_": ENDED, "ROOT_PROC_INST_ID_": "p"}),
    ],
)  # fmt: skip
def test_what_belongs_to_anything_stays(engine_url: str, table: str, values: dict[str, Any]) -> None:
    batch = {"ID_": "batch", "TYPE_": "x", "START_TIME_": ENDED, "SEED_JOB_DEF_ID_": "seed"}
    insert_rows(engine_url, iter([("ACT_HI_BATCH", batch)]))
    mine = insert_rows(engine_url, iter([(table, {"ID_": "one", **values})]))
    run(with_ttls(engine_url, "removal-time"))
    assert rows_left(engine_url) == mine


def test_what_is_kept_for_ever_is_counted(engine_url: str) -> None:
    insert_rows(engine_url, rows())
    insert_rows(engine_url, rich_rows("p", None))
    of = with_ttls(engine_url, "end-time", WithoutInstanceTtls(job_log=30))
    database = connect(of.url)
    try:
        found = kept_without_instance(find_schema(database, of, CLEANED), of)
    finally:
        database.close()
    assert found == {"ended tasks": 1, "operation log entries": 1, "closed incidents": 1}
