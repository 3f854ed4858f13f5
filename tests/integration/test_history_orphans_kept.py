"""What the policy, the engine or tables of others keep is no orphan, whatever it has lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.core.errors import HistoryError
from cleanupctl.core.settings import TtlOverride
from cleanupctl.history.camunda.repair.orphans import OrphansPlanner, count_orphans
from cleanupctl.history.camunda.strategies.registry import strategy_of
from tests.support.camunda.histories import query, settings
from tests.support.camunda.maintenance import carry_out
from tests.support.camunda.rich_instance import ENDED, insert_rows, rich_rows, rows_left

if TYPE_CHECKING:
    from cleanupctl.core.settings import CamundaSettings

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)
OLD_UUID, YOUNG_UUID = "6bd3f5a0-a8b4-11ee-8c90-0242ac120002", "0c2b3d40-2a80-11ef-8c90-0242ac120002"
"""Made on 2024-01-01 and on 2024-06-15."""


def insert(url: str, table: str, **values: Any) -> None:
    insert_rows(url, iter([(table, values)]))


def removed(of: CamundaSettings) -> dict[str, int]:
    """Remove the orphans, and see that counting them said the same."""
    said = {one.table.upper(): one.rows for one in count_orphans(of, NOW) if one.rows}
    done = {table: rows for table, rows in carry_out(of, OrphansPlanner(of)).items() if rows}
    assert said == done
    return done


def detail(url: str, name: str, **values: Any) -> None:
    own = {"TYPE_": "VariableUpdate", "NAME_": "v", "TIME_": ENDED, "ROOT_PROC_INST_ID_": "gone"}
    insert(url, "ACT_HI_DETAIL", **{"ID_": name, **own, **values})


def decision(url: str, name: str, **values: Any) -> None:
    own = {
        "DEC_DEF_ID_": "rating:1:a", "DEC_DEF_KEY_": "rating", "EVAL_TIME_": ENDED, "PROC_INST_ID_": "gone",
        "ROOT_PROC_INST_ID_": "gone",
    }  # fmt: skip
    insert(url, "ACT_HI_DECINST", **{"ID_": name, **own, **values})
    value = {"DEC_INST_ID_": name, "ROOT_PROC_INST_ID_": "gone", "CREATE_TIME_": ENDED}
    insert(url, "ACT_HI_DEC_IN", ID_=f"{name}-in", **value)


def byte_array(url: str, name: str, **values: Any) -> None:
    insert(url, "ACT_GE_BYTEARRAY", **{"ID_": name, "TYPE_": 3, "CREATE_TIME_": ENDED, **values})


def test_all_that_an_instance_left_behind_is_removed_at_once(engine_url: str) -> None:
    of = replace(settings(engine_url), default_ttl=30)
    insert_rows(engine_url, rich_rows("p", None))
    for table in ("ACT_HI_PROCINST", "ACT_RU_AUTHORIZATION"):
        query(engine_url, f"DELETE FROM {table}")
    carry_out(of, OrphansPlanner(of))
    assert rows_left(engine_url) == set()


def test_a_removal_time_to_come_keeps(engine_url: str) -> None:
    later = "2034-01-01 00:00:00"
    detail(engine_url, "held", REMOVAL_TIME_=later)
    detail(engine_url, "past", REMOVAL_TIME_="2024-02-01 00:00:00")
    detail(engine_url, "lost")
    byte_array(engine_url, "held", REMOVAL_TIME_=later)
    byte_array(engine_url, "lost")
    decision(engine_url, "decided", REMOVAL_TIME_=later)
    of = replace(settings(engine_url), default_ttl=30)
    assert removed(of) == {"ACT_HI_DETAIL": 2, "ACT_GE_BYTEARRAY": 1}


@pytest.mark.parametrize("days", [3650, None], ids=["long", "none"])
@pytest.mark.parametrize("by", ["definition", "override"])
def test_decisions_whose_process_went_first_stay_for_a_time_of_their_own(
    engine_url: str, by: str, days: int | None
) -> None:
    decision(engine_url, "d")
    detail(engine_url, "lost")
    of = replace(settings(engine_url), strategy="end-time", hierarchy="engine")
    if by == "override":
        of = replace(of, ttls=(TtlOverride("rating", days),))
    else:
        insert(
            engine_url, "ACT_RE_DECISION_DEF", ID_="rating:1:a", KEY_="rating", VERSION_=1,
            HISTORY_TTL_=days,
        )  # fmt: skip
    assert removed(of) == {"ACT_HI_DETAIL": 1}
    carry_out(of, strategy_of(of).plan)
    assert rows_left(engine_url) == {("ACT_HI_DECINST", "d"), ("ACT_HI_DEC_IN", "d-in")}
    expired = replace(settings(engine_url), ttls=(TtlOverride("rating", 30),))
    assert removed(expired) == {"ACT_HI_DECINST": 1, "ACT_HI_DEC_IN": 1}


def test_rows_of_definitions_with_a_longer_time_to_live_stay_as_long(engine_url: str) -> None:
    insert(engine_url, "ACT_RE_PROCDEF", ID_="long:1:a", KEY_="long", VERSION_=1, HISTORY_TTL_=3650,
           STARTABLE_=True)  # fmt: skip
    for key in ("long", "never", "gone", "short"):
        detail(engine_url, key, PROC_DEF_ID_=f"{key}:1:a", PROC_DEF_KEY_=key)
    overrides = TtlOverride("never", None), TtlOverride("gone", 3650), TtlOverride("short", 30)
    of = replace(settings(engine_url), ttls=overrides, default_ttl=3650)
    assert removed(of) == {"ACT_HI_DETAIL": 1}
    assert rows_left(engine_url) == {("ACT_HI_DETAIL", key) for key in ("long", "never", "gone")}


@pytest.mark.parametrize("action", ["CASCADE", "SET NULL", "RESTRICT"])
def test_what_a_table_of_the_users_points_at_stays_with_it(engine_url: str, action: str) -> None:
    collation = "" if engine_url.startswith("postgres") else " CHARACTER SET utf8 COLLATE utf8_bin"
    query(
        engine_url,
        f"CREATE TABLE contract (id int PRIMARY KEY, document varchar(64){collation},"
        f" FOREIGN KEY (document) REFERENCES ACT_GE_BYTEARRAY (ID_) ON DELETE {action})",
    )
    byte_array(engine_url, "signed")
    byte_array(engine_url, "lost")
    query(engine_url, "INSERT INTO contract VALUES (1, 'signed')")
    of = settings(engine_url)
    if action == "RESTRICT":
        assert removed(of) == {"ACT_GE_BYTEARRAY": 1}
    else:
        # Nothing of the table goes at all, as in a run.
        with pytest.raises(HistoryError):
            carry_out(of, OrphansPlanner(of))
    assert query(engine_url, "SELECT document FROM contract") == [("signed",)]
    assert ("ACT_GE_BYTEARRAY", "signed") in rows_left(engine_url)


def test_the_licence_key_that_a_property_names_stays(engine_url: str) -> None:
    byte_array(engine_url, "licence")
    query(engine_url, "INSERT INTO ACT_GE_PROPERTY VALUES ('camunda-license-key-id', 'licence', 1)")
    byte_array(engine_url, "picture")
    query(engine_url, "INSERT INTO ACT_ID_INFO (ID_, USER_ID_, KEY_, VALUE_)"
                      " VALUES ('i', 'demo', 'picture', 'picture')")  # fmt: skip
    assert removed(settings(engine_url)) == {}


def test_rows_without_a_time_are_orphans_when_their_id_proves_their_age(engine_url: str) -> None:
    for name in (OLD_UUID, YOUNG_UUID, "4711"):
        byte_array(engine_url, name, CREATE_TIME_=None)
        insert(engine_url, "ACT_HI_VARINST", ID_=name, NAME_="v", ROOT_PROC_INST_ID_="gone")
    assert removed(settings(engine_url)) == {"ACT_GE_BYTEARRAY": 1, "ACT_HI_VARINST": 1}
    left = {("ACT_GE_BYTEARRAY", one) for one in (YOUNG_UUID, "4711")}
    assert rows_left(engine_url) == left | {("ACT_HI_VARINST", one) for one in (YOUNG_UUID, "4711")}


def test_rows_whose_own_instance_runs_or_is_there_are_none(engine_url: str) -> None:
    insert(engine_url, "ACT_RU_EXECUTION", ID_="runs", REV_=1, PROC_INST_ID_="runs", IS_ACTIVE_=True,
           SUSPENSION_STATE_=1)  # fmt: skip
    detail(engine_url, "of-runs", PROC_INST_ID_="runs")
    insert(engine_url, "ACT_HI_CASEINST", ID_="c", CASE_INST_ID_="c", CASE_DEF_ID_="x", CREATE_TIME_=ENDED)
    detail(engine_url, "of-case", CASE_INST_ID_="c")
    detail(engine_url, "lost", PROC_INST_ID_="gone")
    assert removed(settings(engine_url)) == {"ACT_HI_DETAIL": 1}
