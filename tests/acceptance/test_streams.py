"""Streams that are full, closed or only know ASCII: the work is done, job log and exit code are right."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.audit import audit_configuration, audit_ids, audit_table

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.command import Command

EXPIRED, ROWS = 110, 200
FILES = 6
"""So many may be open: enough to start, too few for two databases."""


def shell(cleanupctl: Command, line: str) -> subprocess.CompletedProcess[str]:
    """Have a shell run a line, in which CMD is the program."""
    line = line.replace("CMD", f"{sys.executable} -m cleanupctl")
    return subprocess.run(
        ["bash", "-c", line],
        env=cleanupctl.variables(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def site(cleanupctl: Command, tmp_path: Path) -> Command:
    """A history whose table has no index, which is worth a notice."""
    audit_table(tmp_path / "audit.db", ROWS)
    cleanupctl.configure(audit_configuration(tmp_path / "audit.db") + "[cleanup]\nparallelism = 2\n")
    cleanupctl("schedule")
    return cleanupctl


@pytest.mark.parametrize(
    "streams",
    [
        ">/dev/full",
        "2>/dev/full",
        ">/dev/full 2>&1",
        "2>&1 | true; exit ${PIPESTATUS[0]}",
        ">&-",
        "2>&-",
        "<&- >&- 2>&-",
    ],
)
def test_a_run_does_its_work_whatever_its_streams_are(site: Command, tmp_path: Path, streams: str) -> None:
    done = shell(site, f"CMD run {streams}")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert audit_ids(tmp_path / "audit.db") == list(range(ROWS - EXPIRED))
    assert {job["exceptionMessage"] for job in site("jobs").data} == {None}
    log = site("jobs", "log").data
    assert [one["state"] for one in log if one["state"] != "created"] == ["successful"] * 2
    # A descriptor that was closed is none that a database gets: nothing was written into one.
    assert site("jobs").code == 0


def test_what_could_not_be_written_is_told_where_that_is_possible(site: Command) -> None:
    done = shell(site, "CMD jobs >/dev/full")
    assert done.returncode == 0
    assert done.stderr == "cleanupctl: standard output could not be written: No space left on device\n"


@pytest.mark.parametrize("command", ["--help", "jobs --help", "--version", "jobs", "config show"])
@pytest.mark.parametrize("streams", [">/dev/full", ">&-", "2>&-", "2>/dev/full"])
def test_no_command_ends_with_a_traceback_for_want_of_a_stream(
    site: Command, command: str, streams: str
) -> None:
    done = shell(site, f"CMD {command} {streams}")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr + done.stdout


def test_ascii_output_is_escaped_and_json_stays_valid(cleanupctl: Command) -> None:
    cleanupctl.configure('timezone = "prüfung 🧹"\n')
    cleanupctl.environment |= {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    told = cleanupctl("config", "show", "--json")
    assert told.code == 10
    assert told.err.isascii()
    assert "prüfung 🧹" in json.loads(told.err)["faults"][0]
    text = cleanupctl("config", "show", "--format", "table")
    assert text.code == 10
    assert "pr\\u00fcfung \\ud83e\\uddf9" in text.err


def test_too_few_open_files_are_one_sentence_and_the_job_is_free(site: Command) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))

    outcome = site("run", preexec_fn=few)
    assert outcome.code in (1, 3, 11), outcome.err
    assert "Traceback" not in outcome.err, outcome.err
    assert {one["state"] for one in site("jobs").data if "state" in one} <= {"due", "waiting", "suspended"}
    assert site("run").code == 0


def test_no_file_gets_the_number_of_a_closed_stream(site: Command, tmp_path: Path) -> None:
    # What is written to the stream would be written into it: a database, perhaps.
    number = tmp_path / "number"
    program = (
        "from cleanupctl.cli.output import secure_streams; secure_streams(); "
        f"opened = open({str(number)!r}, 'w'); opened.write(str(opened.fileno()))"
    )
    done = shell(site, f'{sys.executable} -c "{program}" <&- >&- 2>&-')
    assert done.returncode == 0
    assert int(number.read_text()) > 2
