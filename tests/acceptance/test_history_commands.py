"""`cleanupctl history …` as a process: what it prints and its exit codes."""

from __future__ import annotations

import sqlite3
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.support.camunda.data import fill
from tests.support.servers import connect
from tests.support.terminal import terminal

if TYPE_CHECKING:
    from tests.support.command import Command


@pytest.fixture
def audit(cleanupctl: Command) -> Command:
    """A history of one table in an SQLite file."""
    connection = sqlite3.connect(cleanupctl.folder / "audit.db")
    with connection:
        connection.execute("CREATE TABLE event (id integer PRIMARY KEY, created_at text)")
        connection.execute("CREATE INDEX event_created_at ON event (created_at)")
    connection.close()
    cleanupctl.configure(
        f"""\
timezone = "UTC"
[[history]]
name = "audit"
kind = "tables"
url = "sqlite:///{cleanupctl.folder}/audit.db"
[[history.table]]
name = "event"
time_column = "created_at"
ttl = "P30D"
"""
    )
    return cleanupctl


def test_check_ends_with_0_when_nothing_is_wrong(audit: Command) -> None:
    done = audit("history", "check", "--format", "table")
    assert (done.code, done.out) == (0, "audit: nothing found, everything is as it should be\n")
    assert audit("history", "check", "--json").data == [
        {"history": "audit", "reachable": True, "schemaVersion": None, "findings": []}
    ]


def test_check_ends_with_3_and_says_what_is_wrong(audit: Command) -> None:
    audit.configure(audit.config.read_text().replace("created_at", "changed_at"))
    done = audit("history", "check", "audit", "--json")
    assert done.code == 3
    (found,) = done.data[0]["findings"]
    assert (found["severity"], found["table"]) == ("error", "event")
    assert "has no column changed_at" in found["message"]
    assert done.error["message"] == "errors in history audit: cleanup cannot do all its work"


def test_check_ends_with_11_when_a_history_is_not_reachable_and_checks_the_others(audit: Command) -> None:
    gone = '[[history]]\nname = "gone"\nkind = "camunda"\nurl = "postgresql://nobody@127.0.0.1:1/gone"\n'
    # The one that is gone comes first, and the other one has an error of its own.
    text = audit.config.read_text().replace("created_at", "changed_at")
    audit.configure(text.replace("[[history]]", f"{gone}[[history]]"))
    done = audit("history", "check", "--json")
    assert (done.code, done.error["code"]) == (11, 11)
    assert [(one["history"], one["reachable"], len(one["findings"])) for one in done.data] == [
        ("gone", False, 1),
        ("audit", True, 1),
    ]
    assert done.error["message"] == (
        "history gone is not reachable; errors in history audit: cleanup cannot do all its work"
    )


def test_list_shows_every_key_of_a_history_and_no_secret(cleanupctl: Command) -> None:
    cleanupctl.configure(
        """\
timezone = "UTC"
[[history]]
name = "orders"
kind = "camunda"
url = "mysql://cleanup:hidden@db/camunda"
replica_url = "mysql://cleanup:hidden@standby/camunda"
strategy = "end-time"
hierarchy = "engine"
include_unfinished = true
default_ttl = "P90D"
task_metrics_ttl = "P10D"
cleanup_log_ttl = "P5D"
batch_ttl = { default = "P7D", set-job-retries = "none" }
[[history.ttl]]
key = "invoice"
tenant = "north"
kind = "process"
ttl = "P30D"
[[history]]
name = "audit"
kind = "tables"
url = "sqlite:////nowhere/audit.db"
[[history.table]]
name = "event"
time_column = "created_at"
time_format = "seconds"
ttl = "P30D"
"""
    )
    done = cleanupctl("history", "list", "--json")
    engine, audit = done.data
    assert engine == {
        "name": "orders",
        "kind": "camunda",
        "url": "mysql://cleanup:***@db/camunda",
        "replicaUrl": "mysql://cleanup:***@standby/camunda",
        "timezone": "UTC",
        "schema": None,
        "tablePrefix": "",
        "strategy": "end-time",
        "hierarchy": "engine",
        "includeUnfinished": True,
        "defaultTimeToLive": 90,
        "timesToLive": [{"key": "invoice", "kind": "process", "tenantId": "north", "timeToLive": 30}],
        "batchDefaultTimeToLive": 7,
        "batchTimesToLive": [{"batchType": "set-job-retries", "timeToLive": None}],
        "taskMetricsTimeToLive": 10,
        "cleanupLogTimeToLive": 5,
    }
    assert audit["tables"] == [
        {
            "name": "event",
            "schema": None,
            "timeColumn": "created_at",
            "timeFormat": "seconds",
            "timeToLive": 30,
        }
    ]
    assert "hidden" not in done.out + cleanupctl("history", "list", "--format", "table").out


def test_an_unknown_history_is_exit_4(audit: Command) -> None:
    done = audit("history", "check", "orders")
    assert done.code == 4
    assert done.error["message"] == "no history is called orders; configured are audit"


@pytest.fixture
def engine(cleanupctl: Command, engine_postgresql_url: str) -> Command:
    """An engine's history with something of everything."""
    fill(engine_postgresql_url, expired_instances=40, unexpired_instances=20, now=datetime.now(UTC))
    cleanupctl.configure(
        f"""\
timezone = "UTC"
[[history]]
name = "orders"
kind = "camunda"
url = "{engine_postgresql_url}"
"""
    )
    return cleanupctl


def test_report_has_the_keys_of_the_engines_rest_api(engine: Command) -> None:
    (shown,) = engine("history", "report", "orders", "--json").data
    assert list(shown["processes"][0])[:8] == [
        "processDefinitionId",
        "processDefinitionKey",
        "processDefinitionName",
        "processDefinitionVersion",
        "historyTimeToLive",
        "finishedProcessInstanceCount",
        "cleanableProcessInstanceCount",
        "tenantId",
    ]
    assert set(shown["batches"][0]) == {
        "batchType",
        "historyTimeToLive",
        "finishedBatchesCount",
        "cleanableBatchesCount",
    }
    (compact,) = engine("history", "report", "--json", "--compact").data
    assert len(compact["processes"]) < len(shown["processes"])
    assert all(one["cleanableProcessInstanceCount"] for one in compact["processes"])


def test_report_for_people_says_whether_it_counted(engine: Command) -> None:
    done = engine("history", "report", "orders", "--format", "table")
    assert done.code == 0
    assert done.out.startswith("orders (removal-time; ~ marks estimates; --exact counts)")
    assert "invoice" in done.out
    assert "WITHOUT REMOVAL TIME" in done.out
    exact = engine("history", "report", "orders", "--format", "table", "--exact")
    assert exact.out.startswith("orders (removal-time; every row counted)")


def test_a_history_that_is_not_reachable_keeps_no_other_from_being_reported(
    engine: Command, engine_postgresql_url: str
) -> None:
    gone = '[[history]]\nname = "gone"\nkind = "camunda"\nurl = "postgresql://nobody@127.0.0.1:1/gone"\n'
    engine.configure(engine.config.read_text().replace("[[history]]", f"{gone}[[history]]"))
    done = engine("history", "report", "--json")
    assert (done.code, [one["history"] for one in done.data]) == (11, ["orders"])
    with connect(engine_postgresql_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT min(PROC_INST_ID_) FROM ACT_HI_PROCINST")
        instance = cursor.fetchone()[0]
    assert engine("history", "explain", instance, "--json").data["id"] == instance
    assert engine("history", "explain", "nobody").code == 11


def test_report_is_about_engines_only(audit: Command) -> None:
    done = audit("history", "report", "audit")
    assert done.code == 2
    assert "is of kind tables" in done.error["message"]


def test_explain_says_why_an_instance_is_kept(engine: Command, engine_postgresql_url: str) -> None:
    with connect(engine_postgresql_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT PROC_INST_ID_ FROM ACT_HI_PROCINST WHERE END_TIME_ IS NULL LIMIT 1")
        running = cursor.fetchone()[0]
    shown = engine("history", "explain", running, "--json").data
    assert (shown["history"], shown["kind"], shown["fate"]) == ("orders", "process", "kept")
    assert "still running" in shown["obstacles"][0]
    done = engine("history", "explain", running, "--format", "table")
    assert "it is kept" in done.out
    assert "in the way:" in done.out


def test_explain_of_an_unknown_id_is_exit_4(engine: Command) -> None:
    done = engine("history", "explain", "nobody")
    assert done.code == 4
    assert "has the id nobody in history orders" in done.error["message"]


def test_ttl_is_shown_and_set(engine: Command) -> None:
    shown = {one["key"]: one for one in engine("history", "ttl", "--json").data}
    assert (shown["legacy"]["historyTimeToLive"], shown["legacy"]["source"]) == (None, "none")
    looked = engine("history", "ttl", "set", "legacy", "P30D", "--dry-run", "--json").data
    assert (looked["dryRun"], looked["definitions"][0]["previousHistoryTimeToLive"]) == (True, None)
    done = engine("history", "ttl", "set", "legacy", "P30D", "--format", "table")
    assert (done.code, "P30D" in done.out) == (0, True)
    shown = {one["key"]: one for one in engine("history", "ttl", "--json").data}
    assert (shown["legacy"]["historyTimeToLive"], shown["legacy"]["source"]) == (30, "definition")
    assert engine("history", "ttl", "set", "legacy", "P1M").code == 2
    assert engine("history", "ttl", "set", "legacy", "P1D", "--version", "7").code == 4
    assert engine("history", "ttl", "set", "legacy", "").code == 2
    assert engine("history", "ttl", "set", "nobody", "P30D").code == 4


def test_ttl_shows_batches_metrics_and_the_cleanup_log_with_their_sources(engine: Command) -> None:
    text = engine.config.read_text()
    engine.configure(
        f'{text}default_ttl = "P90D"\ntask_metrics_ttl = "P9D"\n'
        'batch_ttl = { default = "P7D", instance-deletion = "P3D" }\n'
    )
    done = engine("history", "ttl", "--json").data
    shown = {(one["kind"], one["key"]): (one["historyTimeToLive"], one["source"]) for one in done}
    assert shown["process", "legacy"] == (90, "default")
    assert shown["process", "invoice"] == (30, "definition")
    assert shown["batch", "instance-deletion"] == (3, "override")
    assert shown["batch", "instance-migration"] == (7, "default")
    assert shown["task-metrics", None] == (9, "override")
    assert shown["cleanup-log", None] == (None, "none")
    done = engine("history", "ttl", "--format", "table")
    assert "HISTORY_TTL_" in done.out
    assert "counts for set-removal-time --calculate only" in done.err


def test_set_removal_time_looks_first_and_then_does_the_same(engine: Command) -> None:
    engine("history", "ttl", "set", "legacy", "P30D")
    command = ("history", "set-removal-time", "--calculate", "--without", "--finished-before", "2100-01-01")
    looked = engine(*command, "--hierarchical", "--dry-run", "--json")
    assert (looked.code, looked.data["dryRun"]) == (0, True)
    assert looked.data["changed"]
    done = engine(*command, "--hierarchical", "--json", "--yes").data
    assert done["changed"] == looked.data["changed"]
    shown = engine(*command, "--hierarchical", "--format", "table", "--yes")
    assert "0 rows changed" in shown.err


def test_set_removal_time_refuses_what_is_not_clear(engine: Command) -> None:
    nothing = engine("history", "set-removal-time", "--clear")
    assert nothing.code == 2
    assert "no instance is selected" in nothing.error["message"]
    both = engine("history", "set-removal-time", "--clear", "--calculate", "--all")
    assert both.code == 2
    assert "one of --absolute TIME, --clear and --calculate" in both.error["message"]


def test_the_question_at_a_terminal_says_how_many_rows_would_go(engine: Command) -> None:
    arguments = [sys.executable, "-m", "cleanupctl", "history", "orphans", "--delete"]
    with terminal(arguments, engine.variables(), engine.folder) as screen:
        assert "remove 2 rows" in screen.read_until("[y/N]")
        screen.type("n\n")
        assert screen.wait() == 2
    assert sum(one["rows"] for one in engine("history", "orphans", "--json").data[0]["orphans"]) == 2


def test_orphans_are_counted_and_removed_only_when_asked_to(engine: Command) -> None:
    def rows(*options: str) -> tuple[bool, int]:
        (one,) = engine("history", "orphans", "--json", *options).data
        return one["deleted"], sum(found["rows"] for found in one["orphans"])

    assert rows() == (False, 2)
    assert rows("--delete", "--dry-run") == (False, 2)
    assert rows("--delete", "--yes") == (True, 2)
    entry = engine("jobs", "log", "--json").data[0]
    assert (entry["operation"], entry["jobId"], entry["removedRows"]) == ("orphans", None, 2)
    assert " orphans " in engine("jobs", "log", "--format", "table").out
    assert engine("history", "orphans", "--format", "table").out == "no orphans\n"
