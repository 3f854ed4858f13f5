"""Every error an operator can meet: one clear sentence, the documented exit code, nothing lost."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cleanupctl.cli import main
from cleanupctl.core.store import failures
from cleanupctl.core.store.jobstore import JobStore
from cleanupctl.core.urls import parse_url
from tests.support.audit import audit_configuration, audit_ids, audit_table
from tests.support.command import Outcome
from tests.support.errors import SECRET, assert_clear
from tests.support.other_user import as_nobody

if TYPE_CHECKING:
    from tests.support.command import Command


def test_an_unknown_command_or_option_is_bad_usage(cleanupctl: Command) -> None:
    assert_clear(cleanupctl("scheduel"), 2, "scheduel", "cleanupctl --help")
    assert_clear(cleanupctl("run", "--max-rows", "many"), 2, "--max-rows", "cleanupctl run --help")


def test_bad_values_name_what_is_wrong(cleanupctl: Command) -> None:
    assert_clear(cleanupctl("run", "--max-runtime", "soon"), 2, "soon")
    assert_clear(cleanupctl("window", "show", "--at", "25:00"), 2, "25:00")
    assert_clear(cleanupctl("jobs", "log", "--since", "yesterday-ish"), 2, "yesterday-ish")
    assert_clear(cleanupctl("jobs", "--database", "oracle://db/x"), 2, "oracle")
    assert_clear(cleanupctl("run", "--watch", "--dry-run"), 2, "exclude each other")
    assert_clear(cleanupctl("run", "--watch", "--history", "job-log"), 2, "exclude each other")


def test_an_option_of_a_group_is_not_lost_before_its_command(cleanupctl: Command) -> None:
    assert_clear(cleanupctl("window", "--at", "2026-01-01", "list"), 2, "--at", "after the command")
    assert cleanupctl("window", "--json", "list").code == 0


def test_an_unknown_job_is_not_found(cleanupctl: Command) -> None:
    cleanupctl("schedule")
    for arguments in (
        ("show", "zz"),
        ("suspend", "zz"),
        ("activate", "zz"),
        ("retries", "zz", "1"),
        ("log", "zz"),
    ):
        assert_clear(cleanupctl("jobs", *arguments), 4, "zz")


def test_there_is_nothing_to_schedule_without_window_or_job(cleanupctl: Command) -> None:
    assert_clear(cleanupctl("schedule", "--not-immediately-due"), 4, "cleanupctl window set 22:00 06:00")


def test_without_a_window_existing_jobs_become_suspended(cleanupctl: Command) -> None:
    cleanupctl("schedule")
    outcome = cleanupctl("schedule", "--not-immediately-due")
    assert outcome.code == 0
    assert (outcome.data["suspended"], outcome.data["dueDate"]) == (True, None)
    assert "no batch window is configured" in outcome.err


def test_a_node_that_does_not_participate_refuses_to_schedule_and_run(cleanupctl: Command) -> None:
    cleanupctl.configure("[cleanup]\nenabled = false\n")
    for arguments in (("schedule",), ("run",), ("run", "--watch"), ("run", "--dry-run")):
        outcome = cleanupctl(*arguments)
        assert_clear(
            outcome, 10, "History cleanup is disabled for this node", "enabled", str(cleanupctl.config)
        )
    assert cleanupctl("window").data["enabled"] is False


def test_all_faults_of_a_configuration_come_at_once_with_their_places(cleanupctl: Command) -> None:
    cleanupctl.configure(
        """
[cleanup]
parallelism = 9
batchsize = 5
[window]
start = "25:00"
[[history]]
name = "audit"
kind = "tables"
url = "sqlite:///audit.db"
[[history.table]]
name = "t"
time_column = "c"
ttl = "P1M"
"""
    )
    outcome = cleanupctl("schedule")
    assert_clear(outcome, 10, str(cleanupctl.config))
    faults = outcome.error["faults"]
    assert [fault.split(",")[0] for fault in faults] == ["line 3", "line 4", "line 6", "line 14"]
    assert not (cleanupctl.folder / "jobs.db").exists()


def test_broken_toml_says_where(cleanupctl: Command) -> None:
    cleanupctl.configure("[cleanup\nparallelism = 1\n")
    assert_clear(cleanupctl("jobs"), 10, "line 1")


def test_a_named_configuration_that_is_not_there_is_an_error(cleanupctl: Command) -> None:
    assert_clear(cleanupctl("jobs", "--config", "/nonexistent/c.toml"), 10, "/nonexistent/c.toml")


def test_an_unreachable_or_refusing_store_is_named_without_its_password(
    cleanupctl: Command, server_url: str
) -> None:
    url = parse_url(server_url)
    wrong = f"{url.scheme}://{url.user}:{SECRET}@{url.host}:{url.port}/{url.database}"
    outcome = cleanupctl("jobs", "--database", wrong)
    assert_clear(outcome, 11, "***", url.user or "")
    assert "everybody on this host can see the password in --database" in outcome.err
    cleanupctl.environment = {"CLEANUPCTL_DATABASE": wrong}
    outcome = cleanupctl("jobs")
    assert_clear(outcome, 11, "***", url.user or "")
    assert "everybody" not in outcome.err
    gone = f"{url.scheme}://{url.user}:{SECRET}@127.0.0.1:1/{url.database}"
    assert_clear(cleanupctl("schedule", "--database", gone), 11, "***")


def test_a_wrong_password_of_a_history_is_not_echoed_anywhere(cleanupctl: Command, server_url: str) -> None:
    url = parse_url(server_url)
    cleanupctl.configure(
        f"""
[[history]]
name = "engine"
kind = "camunda"
url = "{url.scheme}://{url.user}:{SECRET}@{url.host}:{url.port}/{url.database}"
"""
    )
    cleanupctl("schedule")
    assert_clear(cleanupctl("run"), 11, "engine", "***")
    for arguments in (("jobs",), ("jobs", "log"), ("history",), ("config", "show"), ("run", "--dry-run")):
        outcome = cleanupctl(*arguments)
        assert SECRET not in outcome.out + outcome.err
    job = cleanupctl("jobs").data[0]
    assert SECRET not in json.dumps(cleanupctl("jobs", "show", job["id"]).data)


def test_a_missing_table_fails_and_the_others_are_cleaned(cleanupctl: Command, tmp_path: Path) -> None:
    audit_table(tmp_path / "audit.db", 100)
    cleanupctl.configure(
        audit_configuration(tmp_path / "audit.db")
        + '[[history.table]]\nname = "gone"\ntime_column = "at"\nttl = 1\n'
    )
    cleanupctl("schedule")
    outcome = cleanupctl("run")
    assert_clear(outcome, 3, "there is no table gone")
    assert outcome.data["removedRows"] == 10
    assert audit_ids(tmp_path / "audit.db") == list(range(90))


def test_a_job_without_retries_is_said_until_somebody_acts(cleanupctl: Command) -> None:
    cleanupctl("schedule")
    cleanupctl("jobs", "retries", cleanupctl("jobs").data[0]["id"], "0")
    assert_clear(cleanupctl("run"), 3, "no retries left", "cleanupctl schedule")
    assert "no retries left" in cleanupctl("jobs").err
    cleanupctl("schedule")
    assert cleanupctl("run").code == 0
    assert cleanupctl("jobs").err == ""


def test_an_unexpected_failure_is_traced_without_passwords(
    cleanupctl: Command, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    cleanupctl.configure(
        f'[[history]]\nname = "engine"\nkind = "camunda"\nurl = "postgresql://u:{SECRET}@127.0.0.1:1/x"\n'
    )

    def leak(_store: object) -> None:
        raise ZeroDivisionError(f"in postgresql://u:{SECRET}@127.0.0.1:1/x")

    monkeypatch.setattr(JobStore, "jobs", leak)
    store = cleanupctl.store or ""
    assert main.run(["schedule", "--config", str(cleanupctl.config), "--database", store]) == 0
    assert main.run(["jobs", "--config", str(cleanupctl.config), "--database", store]) == 1
    said = capfd.readouterr().err
    assert "Traceback" in said
    assert "***" in said
    assert SECRET not in said


def test_a_corrupt_store_is_left_as_it_is(cleanupctl: Command) -> None:
    path = cleanupctl.folder / "jobs.db"
    content = b"this is not a database, but somebody's notes\n" * 100
    path.write_bytes(content)
    assert_clear(cleanupctl("schedule"), 11, str(path))
    assert path.read_bytes() == content


def test_a_store_of_a_newer_version_is_left_alone(cleanupctl: Command) -> None:
    cleanupctl("schedule")
    with closing(sqlite3.connect(cleanupctl.folder / "jobs.db")) as connection, connection:
        changed = connection.execute(
            "UPDATE cleanupctl_property SET value = 999 WHERE name = 'schema_version'"
        ).rowcount
    assert changed == 1
    assert_clear(cleanupctl("jobs"), 11, "999", "newer")


def test_a_locked_store_is_said_and_nothing_is_lost(
    cleanupctl: Command, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cleanupctl("schedule")
    monkeypatch.setattr(failures, "LOCK_WAIT_SECONDS", 1)
    arguments = ["schedule", "--json", "--config", "/dev/null", "--database", cleanupctl.store or ""]
    with closing(sqlite3.connect(cleanupctl.folder / "jobs.db", isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        code = main.run(arguments)
        connection.execute("ROLLBACK")
    assert_clear(Outcome(code, *capfd.readouterr()), 11, "lock")
    assert len(cleanupctl("jobs").data) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="drops privileges, which only root can")
def test_a_read_only_store_folder_is_said(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ["schedule", "--config", "/dev/null", "--database"]
    # What nobody may not read has to be imported before.
    assert main.run([*arguments, f"sqlite:///{tmp_path}/jobs.db"]) == 0
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        folder.chmod(0o555)
        assert as_nobody(lambda: main.run([*arguments, f"sqlite:///{folder}/jobs.db"])) == 11
    finally:
        folder.rmdir()
    assert f"{folder}" in capfd.readouterr().err


def test_a_missing_driver_names_the_extra(cleanupctl: Command, tmp_path: Path) -> None:
    (tmp_path / "blocked").mkdir()
    for name in ("psycopg", "pymysql"):
        (tmp_path / "blocked" / f"{name}.py").write_text("raise ImportError\n")
    cleanupctl.environment = {"PYTHONPATH": str(tmp_path / "blocked")}
    assert_clear(cleanupctl("jobs", "--database", "postgresql://db/x"), 11, "cleanupctl[postgres]")
    assert_clear(cleanupctl("jobs", "--database", "mysql://db/x"), 11, "cleanupctl[mysql]")


def test_errors_are_sentences_when_the_output_is_a_table(cleanupctl: Command) -> None:
    outcome = cleanupctl("jobs", "show", "zz", "--format", "table")
    assert (
        outcome.err == "cleanupctl: there is no job store" + outcome.err.partition("there is no job store")[2]
    )
    assert outcome.err.splitlines()[-1] == "cleanupctl: no job has the id 'zz': `cleanupctl jobs` lists them"


def test_a_reader_that_closes_the_pipe_is_no_error(cleanupctl: Command) -> None:
    cleanupctl("schedule")
    process = cleanupctl.start("jobs")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
