"""Processes and cases that call each other stay while anything of their hierarchy runs, by each strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.history.camunda.explain.facts import load_facts
from tests.support.camunda.end_time_runs import clean, execute, settings
from tests.support.camunda.histories import query
from tests.support.camunda.histories import settings as by_removal_time
from tests.support.servers import connect

if TYPE_CHECKING:
    from collections.abc import Callable

OLD = "2023-01-10 08:00:00"


def process(url: str, name: str, *, root: str | None = None, end: str | None = OLD, **links: Any) -> None:
    values = {
        "ID_": name, "PROC_INST_ID_": name, "ROOT_PROC_INST_ID_": root or name, "PROC_DEF_ID_": "order:1:d",
        "PROC_DEF_KEY_": "order", "START_TIME_": OLD, "END_TIME_": end, **links,
    }  # fmt: skip
    insert(url, "ACT_HI_PROCINST", values)


def case(url: str, name: str, *, end: str | None = OLD, **links: Any) -> None:
    values = {
        "ID_": name, "CASE_INST_ID_": name, "CASE_DEF_ID_": "claim:1:d", "CREATE_TIME_": OLD,
        "CLOSE_TIME_": end, **links,
    }  # fmt: skip
    insert(url, "ACT_HI_CASEINST", values)


def insert(url: str, table: str, values: dict[str, Any]) -> None:
    with connect(url) as connection, connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(values))
        cursor.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))


def left(url: str) -> set[str]:
    return {
        row[0]
        for table in ("ACT_HI_PROCINST", "ACT_HI_CASEINST")
        for row in query(url, f"SELECT ID_ FROM {table}")
    }


def called_by_open_case(url: str) -> None:
    case(url, "c", end=None)
    process(url, "p", SUPER_CASE_INSTANCE_ID_="c", CASE_INST_ID_="c")
    process(url, "below", root="p", SUPER_PROCESS_INSTANCE_ID_="p")


def member_of_open_case(url: str) -> None:
    case(url, "c", end=None)
    process(url, "p", CASE_INST_ID_="c")


def case_of_a_running_process(url: str) -> None:
    process(url, "p", end=None)
    case(url, "c", SUPER_PROCESS_INSTANCE_ID_="p")


def case_that_called_a_running_process(url: str) -> None:
    case(url, "c")
    process(url, "p", end=None, SUPER_CASE_INSTANCE_ID_="c")


def case_called_by_an_open_one(url: str) -> None:
    case(url, "above", end=None)
    case(url, "c", SUPER_CASE_INSTANCE_ID_="above")
    process(url, "p", SUPER_CASE_INSTANCE_ID_="c")


def case_that_called_an_open_one(url: str) -> None:
    case(url, "c")
    case(url, "below", end=None, SUPER_CASE_INSTANCE_ID_="c")


def chain_down_to_an_open_case(url: str) -> None:
    process(url, "p")
    process(url, "q", root="p", SUPER_PROCESS_INSTANCE_ID_="p")
    case(url, "c", SUPER_PROCESS_INSTANCE_ID_="q")
    process(url, "r", SUPER_CASE_INSTANCE_ID_="c")
    case(url, "deep", end=None, SUPER_PROCESS_INSTANCE_ID_="r")


def sibling_that_runs(url: str) -> None:
    case(url, "c")
    process(url, "p", SUPER_CASE_INSTANCE_ID_="c")
    process(url, "q", end=None, CASE_INST_ID_="c")


def called_instance_that_names_itself(url: str) -> None:
    process(url, "p")
    process(url, "q", end=None, SUPER_PROCESS_INSTANCE_ID_="p")
    process(url, "left", end=None, SUPER_PROCESS_INSTANCE_ID_="lost")


def grandchild_of_a_lost_root(url: str) -> None:
    process(url, "caller", root="lost", end=None, SUPER_PROCESS_INSTANCE_ID_="lost")
    process(url, "grandchild", root="lost", SUPER_PROCESS_INSTANCE_ID_="caller")


EVERY = [
    called_by_open_case, member_of_open_case, case_of_a_running_process, case_that_called_a_running_process,
    case_called_by_an_open_one, case_that_called_an_open_one, chain_down_to_an_open_case, sibling_that_runs,
    called_instance_that_names_itself, grandchild_of_a_lost_root,
]  # fmt: skip


@pytest.mark.parametrize("make", EVERY, ids=lambda make: make.__name__)
def test_a_hierarchy_stays_whole_until_nothing_in_it_runs(
    engine_postgresql_url: str, make: Callable[[str], None]
) -> None:
    _stays_until_it_has_ended(engine_postgresql_url, make)


def test_hierarchies_stay_whole_on_mariadb_too(engine_mariadb_url: str) -> None:
    _stays_until_it_has_ended(engine_mariadb_url, chain_down_to_an_open_case)


def _stays_until_it_has_ended(url: str, make: Callable[[str], None]) -> None:
    execute(
        url,
        "INSERT INTO ACT_RE_PROCDEF (ID_, KEY_, VERSION_, HISTORY_TTL_) VALUES ('order:1:d', 'order', 1, 5)",
        "INSERT INTO ACT_RE_CASE_DEF (ID_, KEY_, VERSION_, HISTORY_TTL_) VALUES ('claim:1:d', 'claim', 1, 5)",
    )
    process(url, "gone")
    case(url, "gone-too")
    make(url)
    before = left(url) - {"gone", "gone-too"}
    configured = settings(url)
    clean(configured)
    assert left(url) == before
    ended = [one for one in before if one in {"p", "c"}]
    for one in ended:
        facts = load_facts(configured, one)
        assert facts is not None
        assert facts.tree_runs or facts.root.end is None, one
    clean(settings(url, hierarchy="engine"))
    assert left(url) < before
    make_ended = (
        "UPDATE ACT_HI_PROCINST SET END_TIME_ = START_TIME_ WHERE END_TIME_ IS NULL",
        "UPDATE ACT_HI_CASEINST SET CLOSE_TIME_ = CREATE_TIME_ WHERE CLOSE_TIME_ IS NULL",
    )
    execute(url, *make_ended)
    clean(configured)
    clean(configured)
    assert left(url) == set()


ACTIVITIES = (
    "INSERT INTO ACT_HI_ACTINST (ID_, PROC_INST_ID_, ROOT_PROC_INST_ID_, EXECUTION_ID_, PROC_DEF_ID_,"
    " ACT_ID_, ACT_TYPE_, START_TIME_, REMOVAL_TIME_) SELECT ID_, ID_, ROOT_PROC_INST_ID_, ID_,"
    f" 'order:1:d', 'pack', 'userTask', '{OLD}', '{OLD}' FROM ACT_HI_PROCINST"
)
WITH_PROCESSES = [
    called_by_open_case, case_called_by_an_open_one, chain_down_to_an_open_case, sibling_that_runs,
    called_instance_that_names_itself,
]  # fmt: skip


@pytest.mark.parametrize("make", WITH_PROCESSES, ids=lambda make: make.__name__)
def test_by_removal_time_nothing_of_a_hierarchy_goes_until_nothing_in_it_runs(
    engine_postgresql_url: str, make: Callable[[str], None]
) -> None:
    _rows_stay_until_it_has_ended(engine_postgresql_url, make)


def test_rows_of_hierarchies_stay_on_mariadb_too(engine_mariadb_url: str) -> None:
    _rows_stay_until_it_has_ended(engine_mariadb_url, chain_down_to_an_open_case)


def _rows_stay_until_it_has_ended(url: str, make: Callable[[str], None]) -> None:
    process(url, "gone")
    case(url, "other")
    make(url)
    execute(url, f"UPDATE ACT_HI_PROCINST SET REMOVAL_TIME_ = '{OLD}'", ACTIVITIES)
    before = [left(url) - {"gone"}, activities(url) - {"gone"}]
    configured = by_removal_time(url)
    clean(configured)
    assert [left(url), activities(url)] == before
    for one in before[1] & {"p", "q"}:
        facts = load_facts(configured, one)
        assert facts is not None
        assert facts.tree_runs or facts.root.end is None, one
    execute(
        url,
        "UPDATE ACT_HI_PROCINST SET END_TIME_ = START_TIME_ WHERE END_TIME_ IS NULL",
        "UPDATE ACT_HI_CASEINST SET CLOSE_TIME_ = CREATE_TIME_ WHERE CLOSE_TIME_ IS NULL",
    )
    clean(configured)
    assert not before[1] & left(url)
    assert not activities(url)


def activities(url: str) -> set[str]:
    return {row[0] for row in query(url, "SELECT ID_ FROM ACT_HI_ACTINST")}


def test_what_was_evaluated_in_an_open_case_stays_by_removal_time(engine_url: str) -> None:
    for name, end in (("open", None), ("closed", OLD)):
        case(engine_url, name, end=end)
        decision = {
            "DEC_DEF_ID_": "rate:1:d",
            "DEC_DEF_KEY_": "rate",
            "EVAL_TIME_": OLD,
            "REMOVAL_TIME_": OLD,
        }
        insert(engine_url, "ACT_HI_DECINST", {"ID_": name, "CASE_INST_ID_": name, **decision})
        for table in ("ACT_HI_DEC_IN", "ACT_HI_DEC_OUT"):
            values = {"ID_": name, "DEC_INST_ID_": name, "CREATE_TIME_": OLD, "REMOVAL_TIME_": OLD}
            insert(engine_url, table, values)
    clean(by_removal_time(engine_url))
    for table in ("ACT_HI_DECINST", "ACT_HI_DEC_IN", "ACT_HI_DEC_OUT"):
        assert query(engine_url, f"SELECT ID_ FROM {table}") == [("open",)], table
