"""Whatever other hosts, servers and users write is shown, no terminal obeys it, and JSON keeps its values."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.support.audit import audit_configuration, audit_table

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.command import Command

HOSTILE = "x\x1b]0;title\x07\x1b[2J\x9b31m\u202e\u2028\nretries: 9 [bold]y[/bold]"
LIVE = set("\x1b\x07\x9b\u202e\u2028")


@pytest.fixture
def hostile(cleanupctl: Command, tmp_path: Path) -> Command:
    audit_table(tmp_path / "audit.db", 100)
    cleanupctl.configure(audit_configuration(tmp_path / "audit.db"))
    assert cleanupctl("schedule").code == 0
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as store, store:
        store.execute(
            "UPDATE cleanupctl_job SET exception_message = ?, exception_stacktrace = ?, lock_owner = ?,"
            " lock_expiration = 99999999999999, retries = 0",
            (HOSTILE,) * 3,
        )
        store.execute(
            "INSERT INTO cleanupctl_job_log (job_id, state, time, retries, priority, host, process_id,"
            " version, configuration, removed, removed_rows, stop_reason, exception_message)"
            " SELECT id, 1, 1700000000000, 3, 0, ?, 1, ?, ?, ?, 1, ?, ? FROM cleanupctl_job",
            (
                *(HOSTILE,) * 3,
                json.dumps([{"history": HOSTILE, "table": HOSTILE, "rows": 1}]),
                HOSTILE,
                HOSTILE,
            ),
        )
    with closing(sqlite3.connect(tmp_path / "audit.db")) as history, history:
        name = HOSTILE.replace('"', '""')
        history.execute(f'CREATE TABLE "{name}" (id INTEGER PRIMARY KEY, event REFERENCES audit_event)')
        history.execute(f'INSERT INTO "{name}" VALUES (1, 99)')
    return cleanupctl


@pytest.mark.parametrize("form", ["table", "json"])
def test_no_output_has_live_escapes_and_json_has_the_values(hostile: Command, form: str) -> None:
    job = hostile("jobs", "--json").data[0]["id"]
    for arguments in ("jobs", f"jobs show {job}", "jobs log", "history check", "run --dry-run", "run"):
        done = hostile(*arguments.split(), "--format", form)
        assert not LIVE & set(done.out + done.err), arguments
        assert "Traceback" not in done.err
        assert "\nretries: 9" not in done.out + done.err
        if form == "json":
            json.loads(done.out)
    assert hostile("jobs", "--json").data[0]["exceptionMessage"] == HOSTILE


@pytest.mark.parametrize("password", ["1", "null", '"', "audit"])
def test_a_password_that_is_a_word_changes_no_output(
    cleanupctl: Command, tmp_path: Path, password: str
) -> None:
    audit_table(tmp_path / "audit.db", 100)
    cleanupctl.configure(audit_configuration(tmp_path / "audit.db"))
    plain = [cleanupctl(*one.split(), "--json").data for one in ("history list", "run --dry-run")]
    cleanupctl.environment = {"SECRET": password}
    cleanupctl.configure(
        audit_configuration(tmp_path / "audit.db")
        + '[[history]]\nname = "other"\nkind = "camunda"\nurl = "mysql://audit:${SECRET}@127.0.0.1:1/audit"\n'
    )
    listed = cleanupctl("history", "list", "--json").data
    assert listed[:-1] == plain[0]
    assert listed[-1]["url"] == "mysql://audit:***@127.0.0.1:1/audit"
    assert (
        cleanupctl("run", "--dry-run", "--history", "audit", "--json").data["expired"]
        == plain[1]["expired"][:1]
    )
