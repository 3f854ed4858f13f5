"""Each condition that keeps rows of an engine, on rows that it alone keeps."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.run.cleaning import Expired
from cleanupctl.core.settings import CleanupSettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history.camunda.schema.tables import find_schema
from cleanupctl.history.camunda.strategies import missing_roots
from cleanupctl.history.camunda.strategies.end_time import INSTANCE_TABLES
from cleanupctl.history.databases.servers import connect as connect_database
from cleanupctl.history.kinds import history
from tests.support.camunda.end_time_runs import clean, notices, removed, settings
from tests.support.camunda.histories import settings as removal_time_settings
from tests.support.camunda.inserting import AHEAD, OLD, definition, ids, insert, instance
from tests.support.cleaning import NOW

if TYPE_CHECKING:
    from typing import Any


def test_a_batch_that_has_not_finished_keeps_its_log_and_the_stack_traces_of_its_jobs(
    engine_url: str,
) -> None:
    for batch, end in (("open", None), ("done", OLD)):
        insert(engine_url, "ACT_HI_BATCH", batch, START_TIME_=OLD, END_TIME_=end, REMOVAL_TIME_=OLD)
        insert(engine_url, "ACT_GE_BYTEARRAY", f"{batch}-stack", REMOVAL_TIME_=OLD)
        insert(
            engine_url,
            "ACT_HI_JOB_LOG",
            f"{batch}-job",
            TIMESTAMP_=OLD,
            JOB_ID_="job",
            JOB_DEF_CONFIGURATION_=batch,
            JOB_EXCEPTION_STACK_ID_=f"{batch}-stack",
            REMOVAL_TIME_=OLD,
        )
    clean(removal_time_settings(engine_url))
    assert ids(engine_url, "ACT_HI_BATCH") == {"open"}
    assert ids(engine_url, "ACT_HI_JOB_LOG") == {"open-job"}
    assert ids(engine_url, "ACT_GE_BYTEARRAY") == {"open-stack"}


def test_an_instance_that_runs_below_an_ended_root_keeps_its_row(engine_url: str) -> None:
    instance(engine_url, "root", REMOVAL_TIME_=OLD)
    instance(engine_url, "called", root="root", end=None, REMOVAL_TIME_=OLD)
    instance(engine_url, "other", REMOVAL_TIME_=OLD)
    clean(removal_time_settings(engine_url))
    left = ids(engine_url, "ACT_HI_PROCINST")
    assert "called" in left
    assert "other" not in left


@pytest.mark.parametrize(
    ("end", "removal", "noticed"), [(OLD, None, True), (OLD, AHEAD, False), (None, None, False)]
)
def test_finished_instances_without_a_removal_time_are_noticed_and_no_others(
    engine_url: str, end: str | None, removal: str | None, noticed: bool
) -> None:
    instance(engine_url, "one", end=end, REMOVAL_TIME_=removal)
    said = notices(clean(removal_time_settings(engine_url)))
    assert ("finished process instances without a removal time" in said) is noticed


@pytest.mark.parametrize("strategy", ["removal-time", "end-time"])
def test_only_the_removal_time_strategy_prefers_the_removal_time_of_a_log_entry_to_the_configured_days(
    engine_url: str, strategy: str
) -> None:
    entry = {"TIMESTAMP_": OLD, "JOB_ID_": "job", "JOB_DEF_TYPE_": "history-cleanup"}
    insert(engine_url, "ACT_HI_JOB_LOG", "dated", **entry, REMOVAL_TIME_=AHEAD)
    insert(engine_url, "ACT_HI_JOB_LOG", "undated", **entry)
    clean(settings(engine_url, strategy=strategy, cleanup_log_ttl=5))
    assert ids(engine_url, "ACT_HI_JOB_LOG") == ({"dated"} if strategy == "removal-time" else set())


@pytest.mark.parametrize(
    ("owner", "end"),
    [
        ({"PROC_INST_ID_": "one"}, None),
        ({"PROC_INST_ID_": "deleted", "ROOT_PROC_INST_ID_": "one"}, None),
        ({"PROC_INST_ID_": "deleted", "ROOT_PROC_INST_ID_": "one"}, OLD),
        ({"CASE_INST_ID_": "one"}, None),
    ],
    ids=["instance", "root", "ended-root", "case"],
)
def test_a_decision_stays_as_long_as_what_it_was_evaluated_in(
    engine_url: str, owner: dict[str, str], end: str | None
) -> None:
    definition(engine_url, 5, decision=True)
    if "CASE_INST_ID_" in owner:
        insert(engine_url, "ACT_HI_CASEINST", "one", CASE_INST_ID_="one", CASE_DEF_ID_="c", CREATE_TIME_=OLD)
    else:
        instance(engine_url, "one", end=end)
    decision = {"DEC_DEF_ID_": "rating:1", "DEC_DEF_KEY_": "rating", "EVAL_TIME_": OLD}
    insert(engine_url, "ACT_HI_DECINST", "owned", **decision, **owner)
    insert(engine_url, "ACT_HI_DECINST", "left over", **decision, PROC_INST_ID_="deleted")
    clean(settings(engine_url))
    assert ids(engine_url, "ACT_HI_DECINST") == {"owned"}


@pytest.mark.parametrize("include_unfinished", [False, True])
def test_a_decision_of_a_tree_whose_root_is_gone_stays_while_a_part_of_it_runs_unless_asked_for(
    engine_postgresql_url: str, include_unfinished: bool
) -> None:
    url = engine_postgresql_url
    definition(url, 5, decision=True)
    instance(url, "member", root="lost", end=None)
    decision = {"DEC_DEF_ID_": "rating:1", "DEC_DEF_KEY_": "rating", "EVAL_TIME_": OLD}
    of = {"PROC_INST_ID_": "deleted", "ROOT_PROC_INST_ID_": "lost"}
    insert(url, "ACT_HI_DECINST", "evaluated", **decision, **of)
    clean(settings(url, include_unfinished=include_unfinished))
    assert ids(url, "ACT_HI_DECINST") == (set() if include_unfinished else {"evaluated"})


@pytest.mark.parametrize("hierarchy", ["root", "engine"])
def test_permissions_for_other_things_with_the_id_of_an_instance_or_task_stay(
    engine_url: str, hierarchy: str
) -> None:
    definition(engine_url, 5)
    instance(engine_url, "one")
    insert(
        engine_url, "ACT_HI_TASKINST", "task", PROC_INST_ID_="one", ROOT_PROC_INST_ID_="one", START_TIME_=OLD
    )
    # 8 is a process instance that runs, 7 a task, 20 and 19 are their histories.
    for kind, resource in ((8, "one"), (7, "task"), (20, "one"), (19, "task"), (20, "task"), (19, "one")):
        insert(
            engine_url,
            "ACT_RU_AUTHORIZATION",
            f"{kind} {resource}",
            REV_=1,
            TYPE_=1,
            RESOURCE_TYPE_=kind,
            RESOURCE_ID_=resource,
        )
    clean(settings(engine_url, hierarchy=hierarchy))
    assert not ids(engine_url, "ACT_HI_PROCINST")
    assert ids(engine_url, "ACT_RU_AUTHORIZATION") == {"8 one", "7 task", "20 task", "19 one"}


def _unrooted(url: str) -> tuple[frozenset[str], list[tuple[Any, ...]]]:
    """Return the tables that are searched by instance, and what the database answered on the way."""
    configured = settings(url)
    database = connect_database(parse_url(url))
    answers: list[tuple[Any, ...]] = []
    query = database.query

    def noted(sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        answers.extend(found := query(sql, parameters))
        return found

    try:
        schema = find_schema(database, configured, INSTANCE_TABLES)
        database.query = noted  # type: ignore[method-assign]
        return missing_roots.unrooted_tables(schema), answers
    finally:
        database.close()


def test_where_more_rows_without_a_root_are_than_are_looked_at_some_may_belong_to_an_instance(
    engine_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        insert(engine_url, "ACT_HI_JOB_LOG", f"of nothing {number}", TIMESTAMP_=OLD, JOB_ID_="job")
    assert "ACT_HI_JOB_LOG" not in _unrooted(engine_url)[0]
    monkeypatch.setattr(missing_roots, "MOST_LOOKED_AT", 3)
    found, answers = _unrooted(engine_url)
    assert "ACT_HI_JOB_LOG" in found
    assert max(seen for seen, _ in answers) == 3


def _some_rows_without_roots(url: str) -> None:
    """Insert a tree whose rows name it, by half: those of one table, and the permissions, do not."""
    definition(url, 5)
    instance(url, "one")
    insert(url, "ACT_HI_TASKINST", "task", PROC_INST_ID_="one", ROOT_PROC_INST_ID_="one", START_TIME_=OLD)
    variable = {"PROC_INST_ID_": "one", "NAME_": "x", "CREATE_TIME_": OLD}
    insert(url, "ACT_GE_BYTEARRAY", "named bytes", ROOT_PROC_INST_ID_="one")
    insert(url, "ACT_GE_BYTEARRAY", "bytes")
    insert(url, "ACT_HI_VARINST", "named", **variable, ROOT_PROC_INST_ID_="one", BYTEARRAY_ID_="named bytes")
    insert(url, "ACT_HI_VARINST", "variable", **variable, BYTEARRAY_ID_="bytes")
    permission = {"REV_": 1, "TYPE_": 1, "RESOURCE_TYPE_": 20, "RESOURCE_ID_": "one"}
    insert(url, "ACT_RU_AUTHORIZATION", "named", **permission, USER_ID_="a", ROOT_PROC_INST_ID_="one")
    insert(url, "ACT_RU_AUTHORIZATION", "permission", **permission, USER_ID_="b")


def test_rows_with_and_without_a_root_are_counted_once_and_deleted_once(engine_url: str) -> None:
    _some_rows_without_roots(engine_url)
    configured = settings(engine_url)
    with history(configured, CleanupSettings()).open() as session:
        counted = Counter(
            {one.table.upper(): one.rows for one in session.preview(NOW) if isinstance(one, Expired)}
        )
    expected = {
        "ACT_HI_PROCINST": 1,
        "ACT_HI_TASKINST": 1,
        "ACT_GE_BYTEARRAY": 2,
        "ACT_HI_VARINST": 2,
        "ACT_RU_AUTHORIZATION": 2,
    }
    assert dict(+counted) == expected
    assert removed(clean(configured)) == expected


def test_a_tree_without_roots_on_its_rows_is_told_to_run_when_only_a_called_instance_does(
    engine_url: str,
) -> None:
    definition(engine_url, 5)
    instance(engine_url, "caller", ROOT_PROC_INST_ID_=None)
    instance(engine_url, "called", end=None, ROOT_PROC_INST_ID_=None, SUPER_PROCESS_INSTANCE_ID_="caller")
    insert(
        engine_url,
        "ACT_HI_ACTINST",
        "call",
        PROC_DEF_ID_="order:1",
        PROC_INST_ID_="caller",
        EXECUTION_ID_="caller",
        ACT_ID_="call",
        ACT_TYPE_="callActivity",
        CALL_PROC_INST_ID_="called",
        START_TIME_=OLD,
        END_TIME_=OLD,
    )
    said = notices(clean(settings(engine_url)))
    assert ids(engine_url, "ACT_HI_PROCINST") == {"caller", "called"}
    assert "1 hierarchies of order:1 are kept: their root has ended" in said
