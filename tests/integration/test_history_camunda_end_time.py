"""The end-time strategy on the engine's real schema, held against a policy written down on its own."""

from __future__ import annotations

import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.run.cleaning import BatchDeleted, Expired, Failed, Stopped
from cleanupctl.core.settings import BatchTtls, CleanupSettings, TtlOverride
from cleanupctl.core.urls import parse_url
from cleanupctl.history.camunda.strategies import cascades, end_time
from cleanupctl.history.camunda.strategies.missing_roots import unrooted_tables
from cleanupctl.history.databases.servers import connect as connect_database
from cleanupctl.history.kinds import history
from tests.support.camunda.end_time import Policy, all_rows, without
from tests.support.camunda.end_time_runs import NOW, clean, execute, filled, notices, removed, settings
from tests.support.limits import TestLimits
from tests.support.servers import connect

if TYPE_CHECKING:
    from cleanupctl.core.run.cleaning import Event


@pytest.mark.parametrize("hierarchy", ["root", "engine"])
def test_what_has_expired_goes_with_all_that_belongs_to_it_and_nothing_else(
    engine_url: str, hierarchy: str
) -> None:
    before = filled(engine_url)
    expected = Policy(before, NOW, hierarchy=hierarchy).expected()
    assert len(expected) > 12
    events = clean(settings(engine_url, hierarchy=hierarchy))
    after = all_rows(engine_url)
    assert after == without(before, expected)
    assert removed(events) == {table: len(ids) for table, ids in expected.items()}


def test_a_dry_run_counts_what_a_run_removes(engine_url: str) -> None:
    filled(engine_url, 30, 30)
    configured = settings(engine_url, batch_ttl=BatchTtls(by_type={"instance-deletion": 30}))
    counted: Counter[str] = Counter()
    with history(configured, CleanupSettings()).open() as session:
        for event in session.preview(NOW):
            if isinstance(event, Expired):
                assert event.table.upper() not in counted
                counted[event.table.upper()] = event.rows
    assert dict(counted) == removed(clean(configured))


def test_a_run_stopped_anywhere_leaves_no_row_without_its_root(engine_url: str) -> None:
    before = filled(engine_url, 40, 20)
    expected = Policy(before, NOW).expected()
    for batches in range(1, 40, 4):
        clean(
            settings(engine_url), limits=TestLimits(batches=batches), cleanup=CleanupSettings(batch_size=15)
        )
        rows = all_rows(engine_url)
        roots = rows["ACT_HI_PROCINST"]
        for table, found in rows.items():
            assert not [
                one for one, row in found.items() if row.get("ROOT_PROC_INST_ID_", None) not in {None, *roots}
            ], table
    clean(settings(engine_url))
    assert all_rows(engine_url) == without(before, expected)


def test_max_rows_is_exact_and_the_instance_goes_last(engine_url: str) -> None:
    filled(engine_url, 20, 0)
    events = clean(settings(engine_url), limits=TestLimits(rows=7))
    assert sum(removed(events).values()) == 7
    assert events[-1] == Stopped("engine", "max-rows")
    assert "ACT_HI_PROCINST" not in removed(events)


def test_an_instance_bigger_than_a_batch_goes_in_several_transactions(engine_url: str) -> None:
    before = filled(engine_url, 20, 5)
    expected = Policy(before, NOW).expected()
    events = clean(settings(engine_url), cleanup=CleanupSettings(batch_size=3))
    assert all(event.rows <= 3 for event in events if isinstance(event, BatchDeleted))
    assert all_rows(engine_url) == without(before, expected)


def test_rows_from_before_roots_were_known_go_with_their_callers(engine_url: str) -> None:
    filled(engine_url, 30, 30)
    rows = all_rows(engine_url)
    execute(
        engine_url,
        *(
            f"UPDATE {table} SET ROOT_PROC_INST_ID_ = NULL"
            for table, found in rows.items()
            if any("ROOT_PROC_INST_ID_" in row for row in found.values())
        ),
    )
    before = all_rows(engine_url)
    clean(settings(engine_url))
    assert all_rows(engine_url) == without(before, Policy(before, NOW).expected())


def test_instances_whose_root_is_gone_go_on_their_own(engine_url: str) -> None:
    rows = filled(engine_url, 30, 30)["ACT_HI_PROCINST"]
    roots = {row["ROOT_PROC_INST_ID_"] for one, row in rows.items() if row["ROOT_PROC_INST_ID_"] != one}
    assert roots
    execute(engine_url, *(f"DELETE FROM ACT_HI_PROCINST WHERE ID_ = '{root}'" for root in roots))
    before = all_rows(engine_url)
    expected = Policy(before, NOW).expected()
    assert {rows[one]["PROC_DEF_KEY_"] for one in expected["ACT_HI_PROCINST"]} > {"check"}
    clean(settings(engine_url))
    after = all_rows(engine_url)
    assert after["ACT_HI_PROCINST"] == without(before, expected)["ACT_HI_PROCINST"]
    assert after["ACT_HI_VARINST"] == without(before, expected)["ACT_HI_VARINST"]


def test_the_day_is_counted_to_the_second(engine_url: str) -> None:
    rows = filled(engine_url, 2, 0)["ACT_HI_PROCINST"]
    one = next(identity for identity, row in rows.items() if row["PROC_DEF_KEY_"] == "invoice")
    boundary = NOW.replace(tzinfo=None) - timedelta(days=30)
    for seconds, stays in ((1, True), (0, False)):
        end = boundary + timedelta(seconds=seconds)
        execute(engine_url, f"UPDATE ACT_HI_PROCINST SET END_TIME_ = '{end}' WHERE ID_ = '{one}'")
        clean(settings(engine_url))
        assert (one in all_rows(engine_url)["ACT_HI_PROCINST"]) is stays


def test_the_engines_wall_clock_decides_where_the_clocks_have_changed(engine_url: str) -> None:
    rows = filled(engine_url, 2, 0)["ACT_HI_PROCINST"]
    one = next(identity for identity, row in rows.items() if row["PROC_DEF_KEY_"] == "invoice")
    # Twenty days with a change to winter time within: 12:00 stays 12:00, an hour more than 480 hours.
    execute(
        engine_url,
        "UPDATE ACT_RE_PROCDEF SET HISTORY_TTL_ = 20",
        f"UPDATE ACT_HI_PROCINST SET END_TIME_ = '2023-10-20 12:00:00' WHERE ID_ = '{one}'",
    )
    berlin = settings(engine_url, timezone=ZoneInfo("Europe/Berlin"))
    for minute, stays in ((10 * 60 + 59, True), (11 * 60, False)):
        clean(berlin, now=datetime(2023, 11, 9, minute // 60, minute % 60, tzinfo=UTC))
        assert (one in all_rows(engine_url)["ACT_HI_PROCINST"]) is stays


def test_a_tree_stays_while_its_root_or_anything_below_it_runs(engine_url: str) -> None:
    rows = filled(engine_url, 10, 0)["ACT_HI_PROCINST"]
    trees: dict[str, list[str]] = {}
    for one, row in rows.items():
        trees.setdefault(row["ROOT_PROC_INST_ID_"], []).append(one)
    root, members = next(
        (root, found) for root, found in trees.items() if len(found) == 4 and rows[root]["END_TIME_"]
    )
    for running in (root, next(one for one in members if one != root)):
        end = rows[running]["END_TIME_"]
        execute(engine_url, f"UPDATE ACT_HI_PROCINST SET END_TIME_ = NULL WHERE ID_ = '{running}'")
        before = all_rows(engine_url)
        expected = Policy(before, NOW).expected()
        events = clean(settings(engine_url))
        after = all_rows(engine_url)
        assert after == without(before, expected)
        assert set(members) <= set(after["ACT_HI_PROCINST"])
        assert ("1 hierarchies of invoice:1:def are kept" in notices(events)) is (running != root)
        execute(engine_url, f"UPDATE ACT_HI_PROCINST SET END_TIME_ = '{end}' WHERE ID_ = '{running}'")
    execute(engine_url, f"UPDATE ACT_HI_PROCINST SET END_TIME_ = NULL WHERE ID_ = '{running}'")
    clean(settings(engine_url, include_unfinished=True))
    assert not set(members) & set(all_rows(engine_url)["ACT_HI_PROCINST"])


def test_what_has_no_definition_any_more_is_kept_and_named(engine_url: str) -> None:
    filled(engine_url, 20, 20)
    execute(engine_url, "DELETE FROM ACT_RE_PROCDEF WHERE KEY_ = 'invoice'")
    before = all_rows(engine_url)
    events = clean(settings(engine_url))
    assert all_rows(engine_url)["ACT_HI_PROCINST"] == before["ACT_HI_PROCINST"]
    finished = sum(
        1
        for one, row in before["ACT_HI_PROCINST"].items()
        if row["PROC_DEF_KEY_"] == "invoice" and row["ROOT_PROC_INST_ID_"] == one and row["END_TIME_"]
    )
    assert (
        f"{finished} finished instances in act_hi_procinst are kept: their definitions are gone (invoice)"
        in (notices(events).replace("ACT_HI_PROCINST", "act_hi_procinst"))
    )
    expected = Policy(before, NOW, default_ttl=30).expected()
    clean(settings(engine_url, default_ttl=30))
    assert all_rows(engine_url) == without(before, expected)


def test_definitions_without_a_time_to_live_are_kept_and_named(engine_url: str) -> None:
    filled(engine_url, 5, 0)
    events = clean(settings(engine_url))
    assert "they have no time to live (legacy)" in notices(events)
    assert any(row["PROC_DEF_KEY_"] == "legacy" for row in all_rows(engine_url)["ACT_HI_PROCINST"].values())


def test_an_override_comes_before_the_definitions_own_time_to_live(engine_url: str) -> None:
    before = filled(engine_url, 20, 20)
    ttls = (TtlOverride("archive", 0), TtlOverride("invoice", None), TtlOverride("claim", 100_000))
    expected = Policy(before, NOW, ttls={one.key: one.ttl for one in ttls}).expected()
    clean(settings(engine_url, ttls=ttls))
    after = all_rows(engine_url)
    assert after == without(before, expected)
    left = {
        row["PROC_DEF_KEY_"]
        for row in after["ACT_HI_PROCINST"].values()
        if row["SUPER_PROCESS_INSTANCE_ID_"] is None
    }
    assert left == {"invoice", "legacy"}


def test_batches_go_by_the_time_to_live_of_their_type(engine_url: str) -> None:
    before = filled(engine_url, 200, 200)
    types = {row["TYPE_"] for row in before["ACT_HI_BATCH"].values()}
    days = {"instance-deletion": 30, "instance-migration": 55}
    assert types == set(days)
    expected = Policy(before, NOW, batch_ttls=days).expected()
    clean(settings(engine_url, batch_ttl=BatchTtls(default=55, by_type={"instance-deletion": 30})))
    assert all_rows(engine_url) == without(before, expected)


def test_cases_go_with_their_tasks_and_decisions(engine_url: str) -> None:
    rows = filled(engine_url, 20, 0)
    case = next(iter(rows["ACT_HI_CASEINST"]))
    execute(
        engine_url,
        "INSERT INTO ACT_HI_TASKINST (ID_, CASE_INST_ID_, START_TIME_)"
        f" VALUES ('case-task', '{case}', '2024-01-01')",
        "INSERT INTO ACT_GE_BYTEARRAY (ID_, NAME_) VALUES ('content', 'content'), ('value', 'value')",
        "INSERT INTO ACT_HI_ATTACHMENT (ID_, TASK_ID_, CONTENT_ID_)"
        " VALUES ('attachment', 'case-task', 'content')",
        "INSERT INTO ACT_HI_IDENTITYLINK (ID_, TIMESTAMP_, TASK_ID_)"
        " VALUES ('link', '2024-01-01', 'case-task')",
        "INSERT INTO ACT_RU_AUTHORIZATION (ID_, REV_, TYPE_, RESOURCE_TYPE_, RESOURCE_ID_)"
        " VALUES ('permission', 1, 1, 19, 'case-task')",
        "INSERT INTO ACT_HI_DECINST (ID_, DEC_DEF_ID_, DEC_DEF_KEY_, EVAL_TIME_, CASE_INST_ID_)"
        f" VALUES ('decided', 'rating:1:dec', 'rating', '2024-06-14', '{case}')",
        "INSERT INTO ACT_HI_DEC_OUT (ID_, DEC_INST_ID_, BYTEARRAY_ID_) VALUES ('out', 'decided', 'value')",
    )
    before = all_rows(engine_url)
    expected = Policy(before, NOW).expected()
    assert {"content", "value"} <= expected["ACT_GE_BYTEARRAY"]
    clean(settings(engine_url))
    assert all_rows(engine_url) == without(before, expected)


def test_required_decisions_go_with_the_one_that_required_them(engine_url: str) -> None:
    rows = filled(engine_url, 40, 40)["ACT_HI_DECINST"]
    alone = sorted((row["EVAL_TIME_"], one) for one, row in rows.items() if row["PROC_INST_ID_"] is None)
    (_, old), (_, young) = alone[0], alone[-1]
    execute(
        engine_url,
        "INSERT INTO ACT_HI_DECINST (ID_, DEC_DEF_ID_, DEC_DEF_KEY_, EVAL_TIME_, ROOT_DEC_INST_ID_) VALUES"
        f" ('with-old', 'other:1:dec', 'other', '2024-06-14', '{old}'),"
        f" ('with-young', 'rating:1:dec', 'rating', '2020-01-01', '{young}')",
    )
    before = all_rows(engine_url)
    clean(settings(engine_url))
    after = all_rows(engine_url)
    assert after == without(before, Policy(before, NOW).expected())
    assert "with-old" not in after["ACT_HI_DECINST"]
    assert "with-young" in after["ACT_HI_DECINST"]


@pytest.mark.parametrize("strategy", ["end-time", "removal-time"])
def test_the_log_of_the_engines_own_cleanup_has_its_own_time_to_live(engine_url: str, strategy: str) -> None:
    execute(
        engine_url,
        "INSERT INTO ACT_GE_BYTEARRAY (ID_, NAME_) VALUES ('stack', 'stack')",
        "INSERT INTO ACT_HI_JOB_LOG (ID_, TIMESTAMP_, JOB_ID_, JOB_DEF_TYPE_, JOB_EXCEPTION_STACK_ID_) VALUES"
        " ('old', '2024-06-10 12:00:00', 'job', 'history-cleanup', 'stack'),"
        " ('young', '2024-06-10 12:00:01', 'job', 'history-cleanup', NULL),"
        " ('other', '2020-06-10 12:00:00', 'job', 'message', NULL)",
    )
    clean(settings(engine_url, strategy=strategy))
    assert len(all_rows(engine_url)["ACT_HI_JOB_LOG"]) == 3
    clean(settings(engine_url, strategy=strategy, cleanup_log_ttl=5))
    after = all_rows(engine_url)
    assert set(after["ACT_HI_JOB_LOG"]) == {"young", "other"}
    assert not after["ACT_GE_BYTEARRAY"]


def test_task_metrics_go_by_their_own_time_to_live(engine_url: str) -> None:
    before = filled(engine_url, 40, 40)["ACT_RU_TASK_METER_LOG"]
    clean(settings(engine_url))
    assert all_rows(engine_url)["ACT_RU_TASK_METER_LOG"] == before
    clean(settings(engine_url, task_metrics_ttl=20))
    limit = NOW.replace(tzinfo=None) - timedelta(days=20)
    left = all_rows(engine_url)["ACT_RU_TASK_METER_LOG"]
    assert left == {one: row for one, row in before.items() if row["TIMESTAMP_"] > limit}
    assert len(left) < len(before)


def test_byte_arrays_that_the_runtime_points_at_are_passed_over(engine_url: str) -> None:
    rows = filled(engine_url, 10, 0)
    expected = Policy(rows, NOW).expected()
    needed = min(expected["ACT_GE_BYTEARRAY"])
    execute(
        engine_url,
        "INSERT INTO ACT_RU_VARIABLE (ID_, REV_, TYPE_, NAME_, BYTEARRAY_ID_, VAR_SCOPE_)"
        f" VALUES ('needs', 1, 'object', 'needs', '{needed}', 'needs')",
    )
    before = all_rows(engine_url)
    expected["ACT_GE_BYTEARRAY"].discard(needed)
    clean(settings(engine_url))
    assert all_rows(engine_url) == without(before, expected)


class PatientLimits(TestLimits):
    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


@pytest.mark.parametrize("hosts", [1, 2])
def test_workers_share_the_instances_out_and_do_not_fight(engine_url: str, hosts: int) -> None:
    before = filled(engine_url, 60, 60)
    expected = Policy(before, NOW).expected()
    opened = [history(settings(engine_url), CleanupSettings(batch_size=60)) for _ in range(hosts)]
    with ThreadPoolExecutor(4) as workers:

        def work(number: int) -> list[Event]:
            with opened[number % hosts].open() as session:
                return list(session.clean(NOW, PatientLimits()))

        events = [event for found in workers.map(work, range(4)) for event in found]
    assert not [event for event in events if isinstance(event, Failed)]
    assert removed(events) == {table: len(ids) for table, ids in expected.items()}
    assert all_rows(engine_url) == without(before, expected)


def test_every_statement_can_follow_an_index(engine_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(engine_url, 20, 20)
    kind = "mysql" if engine_url.startswith("mysql") else "postgresql"
    scanned: set[str] = set()
    with connect(engine_url) as connection, connection.cursor() as cursor:
        if kind == "postgresql":
            # Tables are small here: what still reads a whole one has no index to follow.
            cursor.execute("SET enable_seqscan = off")

        def explain(sql: str, parameters: Any) -> None:
            cursor.execute(f"EXPLAIN {sql}", tuple(parameters))
            rows = cursor.fetchall()
            if kind == "postgresql":
                scanned.update(found for (line,) in rows for found in re.findall(r"Seq Scan on (\w+)", line))
            else:
                names = [column[0] for column in cursor.description or ()]
                plans = [dict(zip(names, row, strict=True)) for row in rows]
                if any(plan["table"] == "t" and plan["possible_keys"] is None for plan in plans):
                    scanned.update(re.findall(r"(ACT_\w+)`? AS t", sql))

        opened = connect_database(parse_url(engine_url))
        opened.close()
        database: Any = type(opened)
        query, transact = database.query, database.transact

        def explained_query(self: Any, sql: str, parameters: Any = ()) -> Any:
            # Those that only find out what may be read read nothing.
            if "act_" in sql.lower() and sql.startswith("SELECT") and not sql.endswith("LIMIT 0"):
                explain(sql, parameters)
            return query(self, sql, parameters)

        def explained_deletes(self: Any, statements: Any, most_rows: int) -> Any:
            for statement in statements:
                explain(*self.written(statement))
            return transact(self, statements, most_rows)

        with monkeypatch.context() as patch:
            patch.setattr(database, "query", explained_query)
            patch.setattr(database, "transact", explained_deletes)
            # Also those for rows that do not name their root, which this schema does not have.
            patch.setattr(
                end_time,
                "unrooted_tables",
                lambda schema: unrooted_tables(schema) | cascades.TABLES_OF_INSTANCES,
            )
            clean(settings(engine_url, batch_ttl=BatchTtls(default=30), cleanup_log_ttl=1))
    # Definitions, batch operations and case instances are few; what belongs to cases has no index.
    few = {"act_re_procdef", "act_re_decision_def", "act_re_case_def", "act_hi_batch", "act_hi_caseinst"}
    assert {name.lower() for name in scanned} <= few | {"act_hi_caseactinst"}
