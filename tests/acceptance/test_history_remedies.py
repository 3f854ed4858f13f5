"""What `history check` and `history explain` tell to do is done as it stands there, and helps."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.camunda.histories import query
from tests.support.camunda.rich_instance import ENDED, insert_rows, rich_rows, rows_left
from tests.support.engine_schema import create_engine_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.command import Command

KEY = re.compile(r'set (\w+) = ("[^"]*"|\w+)')
"""A key of the configuration with the value that a text tells to give it."""
COMMAND = re.compile(r"cleanupctl (.*?)(?=,|;| \(|\. | gives | sets | keeps |$)")


@pytest.fixture
def engine(cleanupctl: Command, engine_url: str) -> Iterator[Command]:
    configure(cleanupctl, engine_url)
    yield cleanupctl


def configure(cleanupctl: Command, url: str, more: str = "") -> None:
    cleanupctl.configure(f"""
timezone = "UTC"
[[history]]
name = "engine"
kind = "camunda"
url = "{url}"
{more}
""")


def definition(url: str, key: str, days: int | None) -> None:
    values = {"ID_": f"{key}:1:a", "KEY_": key, "VERSION_": 1, "HISTORY_TTL_": days, "STARTABLE_": True}
    insert_rows(url, iter([("ACT_RE_PROCDEF", values)]))


def carry_out(engine: Command, text: str) -> Any:
    """Do what a text tells, one command after the other; return what the last one changed."""
    commands = COMMAND.findall(text)
    assert commands
    for one in commands:
        asks = ["--yes"] if "set-removal-time" in one or "--delete" in one else []
        done = engine(*shlex.split(one), "--json", *asks)
        assert done.code == 0, done.err
    return done.data["changed"] if isinstance(done.data, dict) and "changed" in done.data else done.data


def remedies(engine: Command, of: str) -> list[str]:
    findings = engine("history", "check", "--json").data[0]["findings"]
    return [one["remedy"] for one in findings if one["remedy"] and of in one["remedy"]]


def findings(engine: Command) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = engine("history", "check", "--json").data[0]["findings"]
    return found


def closed_case(url: str) -> None:
    case = {
        "ID_": "c",
        "CASE_INST_ID_": "c",
        "CASE_DEF_ID_": "d",
        "CREATE_TIME_": ENDED,
        "CLOSE_TIME_": ENDED,
    }
    insert_rows(url, iter([("ACT_HI_CASEINST", case)]))


def running_with_a_removal_time(url: str) -> None:
    insert_rows(url, rich_rows("runs", ENDED))
    query(url, "UPDATE ACT_HI_PROCINST SET END_TIME_ = NULL")


def tables_elsewhere(url: str) -> None:
    query(url, "CREATE SCHEMA aside")
    for (name,) in query(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        query(url, f"ALTER TABLE {name} SET SCHEMA aside")


def removal_times_missing(url: str) -> None:
    for table in ("ACT_HI_PROCINST", "ACT_HI_ACTINST"):
        query(url, f"ALTER TABLE {table} DROP COLUMN REMOVAL_TIME_")


def old_version(url: str) -> None:
    query(url, "DELETE FROM ACT_GE_SCHEMA_LOG")
    query(url, "UPDATE ACT_GE_PROPERTY SET VALUE_ = '7.9.0' WHERE NAME_ = 'schema.version'")


@pytest.mark.parametrize(
    ("plant", "said", "before"),
    [
        (old_version, "removal times came with 7.10", ""),
        (closed_case, "case instances have no removal time", ""),
        (running_with_a_removal_time, "is removed while they run", "include_unfinished = true"),
        (tables_elsewhere, "not the right schema", ""),
        (removal_times_missing, "it has no column REMOVAL_TIME_", ""),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_key_that_check_tells_to_set_mends_what_it_found(
    cleanupctl: Command, engine_postgresql_url: str, plant: Callable[[str], None], said: str, before: str
) -> None:
    plant(engine_postgresql_url)
    configure(cleanupctl, engine_postgresql_url, before)
    (remedy, *_) = [one["remedy"] for one in findings(cleanupctl) if said in one["message"]]
    (key,) = KEY.findall(remedy)[:1]
    configure(cleanupctl, engine_postgresql_url, " = ".join(key))
    assert not [one for one in findings(cleanupctl) if said in one["message"]]


def test_the_remedy_for_history_without_an_instance_removes_it(engine: Command, engine_url: str) -> None:
    insert_rows(
        engine_url, iter([("ACT_HI_TASKINST", {"ID_": "t", "START_TIME_": ENDED, "END_TIME_": ENDED})])
    )
    (remedy,) = remedies(engine, "times to live in")
    table = re.search(r"\[history\.\w+\]", remedy)
    assert table
    configure(engine, engine_url, f'{table[0]}\ntasks = "P1D"')
    assert not remedies(engine, "times to live in")
    run(engine)
    assert rows_left(engine_url) == set()


def test_the_remedies_for_a_foreign_key_of_others_let_rows_go(engine: Command, engine_url: str) -> None:
    insert_rows(engine_url, rich_rows("root", "2024-02-01 10:00:00"))
    query(engine_url, "CREATE TABLE contract AS SELECT ID_ FROM ACT_HI_VARINST")
    foreign_key = "ADD CONSTRAINT kept FOREIGN KEY (ID_) REFERENCES ACT_HI_VARINST (ID_)"
    query(engine_url, f"ALTER TABLE contract {foreign_key}")
    (remedy,) = remedies(engine, "ON DELETE")
    assert "remove old rows of" in remedy
    query(engine_url, "ALTER TABLE contract DROP CONSTRAINT kept")
    query(engine_url, f"ALTER TABLE contract {foreign_key} ON DELETE CASCADE")
    (key,) = KEY.findall(remedy)
    configure(engine, engine_url, " = ".join(key))
    for statement in remedies(engine, "CREATE INDEX"):
        query(engine_url, statement)
    assert not [one for one in findings(engine) if one["severity"] != "hint"]
    run(engine)
    assert rows_left(engine_url) == set()
    assert query(engine_url, "SELECT * FROM contract") in ([], ())


def run(engine: Command) -> None:
    assert engine("schedule").code == 0
    assert engine("run", "--json").code == 0


@pytest.mark.parametrize("days", [30, None], ids=["with-days", "without"])
def test_the_remedy_for_missing_removal_times_keeps_hierarchies_together(
    engine: Command, engine_url: str, days: int | None
) -> None:
    insert_rows(engine_url, rich_rows("root", None))
    insert_rows(engine_url, rich_rows("called", None, root="root"))
    definition(engine_url, "order", days)
    definition(engine_url, "short", 1)
    query(engine_url, "UPDATE ACT_HI_PROCINST SET PROC_DEF_ID_ = 'short:1:a', PROC_DEF_KEY_ = 'short'"
                      " WHERE ID_ = 'called'")  # fmt: skip
    (remedy,) = remedies(engine, "set-removal-time")
    assert carry_out(engine, remedy)
    times = {
        row[0]
        for table in sorted({table for table, _ in rich_rows("root", None)})
        for row in query(engine_url, f"SELECT DISTINCT REMOVAL_TIME_ FROM {table}")
    }
    assert [one and f"{one:%Y-%m-%d}" for one in times] == ["2024-01-31"]
    assert not remedies(engine, "set-removal-time")
    run(engine)
    assert rows_left(engine_url) == set()


def test_instances_whose_root_still_runs_are_no_finding(engine: Command, engine_url: str) -> None:
    definition(engine_url, "order", 30)
    insert_rows(engine_url, rich_rows("root", None))
    insert_rows(engine_url, rich_rows("called", None, root="root"))
    query(engine_url, "UPDATE ACT_HI_PROCINST SET END_TIME_ = NULL WHERE ID_ = 'root'")
    assert remedies(engine, "set-removal-time") == []


def test_the_remedy_for_definitions_without_a_time_to_live_gives_them_one(
    engine: Command, engine_url: str
) -> None:
    definition(engine_url, "order", None)
    assert carry_out(engine, remedies(engine, "history ttl")[0])
    assert query(engine_url, "SELECT HISTORY_TTL_ FROM ACT_RE_PROCDEF") == [(30,)]
    assert remedies(engine, "history ttl") == []


@pytest.mark.parametrize("asked", ["root", "called", "root-decision"])
def test_what_explain_tells_about_an_instance_without_a_removal_time_helps(
    engine: Command, engine_url: str, asked: str
) -> None:
    definition(engine_url, "order", 30)
    insert_rows(engine_url, rich_rows("root", None))
    insert_rows(engine_url, rich_rows("called", None, root="root"))
    said = engine("history", "explain", asked, "--json").data
    assert said["fate"] == "kept"
    assert carry_out(engine, said["obstacles"][0])
    assert engine("history", "explain", asked, "--json").data["fate"] == "due"
    run(engine)
    assert rows_left(engine_url) == set()


def test_what_explain_tells_about_rows_without_a_removal_time_below_a_root_helps(
    engine: Command, engine_url: str
) -> None:
    definition(engine_url, "order", 30)
    insert_rows(engine_url, rich_rows("root", "2024-02-01 10:00:00"))
    query(engine_url, "UPDATE ACT_HI_VARINST SET REMOVAL_TIME_ = NULL")
    said = engine("history", "explain", "root", "--json").data
    assert said["fate"] == "kept"
    assert carry_out(engine, said["obstacles"][0])
    assert engine("history", "explain", "root", "--json").data["fate"] == "due"
    run(engine)
    assert rows_left(engine_url) == set()


def test_explain_does_not_say_kept_when_the_rows_of_an_instance_have_removal_times(
    engine: Command, engine_url: str
) -> None:
    mine = insert_rows(engine_url, rich_rows("root", "2024-02-01 10:00:00"))
    query(engine_url, "UPDATE ACT_HI_PROCINST SET REMOVAL_TIME_ = NULL")
    said = engine("history", "explain", "root", "--json").data
    assert (said["fate"], said["expires"][:10]) == ("due", "2024-02-01")
    assert carry_out(engine, said["rule"])
    assert engine("history", "explain", "root", "--json").data["fate"] == "kept"
    run(engine)
    assert rows_left(engine_url) == mine


@pytest.mark.schema
def test_check_is_content_with_a_schema_of_7_12(cleanupctl: Command, postgresql_url: str) -> None:
    create_engine_schema(postgresql_url, artifact="org.camunda.bpm:camunda-engine:7.12.0")
    cleanupctl.configure(f"""
[[history]]
name = "engine"
kind = "camunda"
url = "{postgresql_url}"
""")
    done = cleanupctl("history", "check", "--json")
    assert done.code == 0
    severities = {one["table"].upper(): one["severity"] for one in done.data[0]["findings"] if one["table"]}
    assert severities["ACT_RU_AUTHORIZATION"] == "hint"
