"""The committed completion scripts, each loaded in its real shell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cleanupctl.cli.completion.shells import ANSWER_WITHIN_SECONDS, COMPLETION_FILES, SHELLS
from tests.support import shells
from tests.support.audit import audit_configuration
from tests.support.shells import SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.command import Command

    Shell = Callable[[Command, str], str]

OFFERS = [
    ("cleanupctl ", ["schedule", "run", "jobs", "window", "history", "config"]),
    ("cleanupctl jobs ", ["list", "show", "log", "suspend", "activate", "retries"]),
    ("cleanupctl run --", ["--dry-run", "--max-rows", "--history", "--config", "--json", "--help"]),
    ("cleanupctl schedule --", ["--immediately-due", "--not-immediately-due"]),
    ("cleanupctl jobs --format ", ["auto", "table", "json"]),
    ("cleanupctl jobs log --outcome ", ["created", "failed", "successful", "deleted"]),
    ("cleanupctl window set 20:00 06:00 --day ", ["monday", "sunday"]),
    ("cleanupctl run --dry-run --history ", ["audit", "job-log"]),
]

every_shell = pytest.mark.parametrize(
    "shell",
    [pytest.param(shell, marks=pytest.mark.server) for shell in (shells.bash, shells.zsh, shells.fish)],
)


def words(shown: str) -> set[str]:
    return set(re.findall(r"[^\s|]+", shown))


@pytest.fixture
def configured(cleanupctl: Command) -> Command:
    cleanupctl.configure(audit_configuration(cleanupctl.folder / "audit.db"))
    return cleanupctl


def ask(command: Command, line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What the program itself answers to zsh."""
    return subprocess.run(
        [sys.executable, *variables.pop("options", "").split(), "-m", "cleanupctl"],
        env=command.variables()
        | {"_CLEANUPCTL_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": line}
        | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@every_shell
@pytest.mark.parametrize(("line", "candidates"), OFFERS, ids=[line for line, _ in OFFERS])
def test_shells_offer_what_can_come_next(
    configured: Command, shell: Shell, line: str, candidates: list[str]
) -> None:
    assert words(shell(configured, line)) >= set(candidates)


@every_shell
def test_what_was_begun_is_completed_and_nothing_else_offered(configured: Command, shell: Shell) -> None:
    shown = words(shell(configured, "cleanupctl sch"))
    assert "schedule" in shown
    assert "jobs" not in shown


@every_shell
def test_ids_of_jobs_come_from_the_job_store(configured: Command, shell: Shell) -> None:
    job_id = configured("schedule", "--json").data["id"]
    assert job_id in words(shell(configured, "cleanupctl jobs show "))
    assert job_id in words(shell(configured, "cleanupctl jobs suspend --json "))


@every_shell
def test_options_before_the_command_say_where_ids_and_names_are(cleanupctl: Command, shell: Shell) -> None:
    other = cleanupctl.folder / "other.toml"
    other.write_text(audit_configuration(cleanupctl.folder / "audit.db").replace('"audit"', '"elsewhere"'))
    store = f"sqlite:///{cleanupctl.folder}/other.db"
    job_id = cleanupctl("--database", store, "schedule", "--json").data["id"]
    assert "elsewhere" in words(shell(cleanupctl, "cleanupctl --config other.toml run --history "))
    assert job_id in words(shell(cleanupctl, f"cleanupctl --database {store} jobs show "))


@pytest.mark.server
def test_a_value_after_an_equals_sign_is_completed(configured: Command) -> None:
    assert words(shells.bash(configured, "cleanupctl schedule --format=t")) == {"table"}
    assert "--format=table" in words(shells.zsh(configured, "cleanupctl schedule --format=t"))
    assert "--format=table" in words(shells.fish(configured, "cleanupctl schedule --format=t"))


@pytest.mark.server
@pytest.mark.parametrize("line", ["cleanupctl --config ", "cleanupctl run --stop-file "])
def test_files_are_completed_where_a_file_is_wanted(configured: Command, line: str) -> None:
    assert "compopt -o default" in shells.bash(configured, line)
    assert "config.toml" in words(shells.zsh(configured, line))
    assert "config.toml" in words(shells.fish(configured, line))


@every_shell
def test_no_files_are_offered_where_none_is_wanted(configured: Command, shell: Shell) -> None:
    shown = shell(configured, "cleanupctl run --max-runtime ")
    assert "config.toml" not in shown
    assert "compopt" not in shown


@pytest.mark.parametrize(
    "line",
    [
        "cleanupctl run --history ",
        "cleanupctl jobs show ",
        "cleanupctl jobs log --limit many ",
        "cleanupctl nonsense --more ",
        "cleanupctl jobs show 'unfinished ",
    ],
)
def test_an_error_offers_nothing_and_says_nothing(cleanupctl: Command, line: str) -> None:
    cleanupctl.configure("this is [[ no TOML")
    answer = ask(cleanupctl, line)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "Error" not in answer.stdout


def test_a_job_store_that_does_not_answer_is_not_waited_for(cleanupctl: Command) -> None:
    import socket
    import time

    with socket.create_server(("127.0.0.1", 0)) as silent:
        cleanupctl.store = f"mysql://cleanup@127.0.0.1:{silent.getsockname()[1]}/jobs"
        started = time.monotonic()
        answer = ask(cleanupctl, "cleanupctl jobs show ")
    assert (answer.returncode, answer.stdout.strip(), answer.stderr) == (0, "", "")
    assert time.monotonic() - started < ANSWER_WITHIN_SECONDS + 5


def test_completing_asks_no_job_store_into_being(cleanupctl: Command) -> None:
    ask(cleanupctl, "cleanupctl jobs show ")
    assert not (cleanupctl.folder / "jobs.db").exists()


def test_answering_imports_nothing_slow(configured: Command) -> None:
    answer = ask(configured, "cleanupctl run --", options="-X importtime")
    imported = {line.rpartition("|")[2].strip() for line in answer.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & {"rich", "pydantic", "peewee", "croniter", "tomlkit", "psycopg", "pymysql"}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_program_prints_the_committed_script(cleanupctl: Command, shell: str) -> None:
    printed = ask(cleanupctl, "", _CLEANUPCTL_COMPLETE=f"source_{shell}").stdout
    assert printed.rstrip("\n") == (SCRIPTS / COMPLETION_FILES[shell]).read_text().rstrip("\n")


def test_zsh_finds_the_script_by_its_first_line() -> None:
    assert (SCRIPTS / "_cleanupctl").read_text().startswith("#compdef cleanupctl\n")


def test_no_variable_means_no_completion(cleanupctl: Command) -> None:
    assert "_CLEANUPCTL_COMPLETE" not in os.environ
    assert cleanupctl("--version").out.startswith("cleanupctl ")
