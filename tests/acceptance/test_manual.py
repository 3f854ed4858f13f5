"""The committed man pages: up to date, complete, clean for the real man, and their examples run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from cleanupctl.core.configuration.reader import load_settings
from cleanupctl.core.errors import ExitCode
from man.generator.configuration import EXAMPLE
from man.generator.files import FOLDERS, HOW, differences, generated_files
from man.generator.formats import FORMATS
from man.generator.pages import command_tree
from man.generator.troff import markup
from tests.support.audit import audit_configuration, audit_ids, audit_table
from tests.support.command import Command, Outcome

ROOT = Path(__file__).parents[2]
PAGES = generated_files(ROOT / "man")
COMMANDS = list(command_tree().walk())
EXAMPLES = {example.command: node for node in COMMANDS for example in node.manual.examples}

ROWS = 200
ENGINE_XML = """<bpm-platform xmlns="http://www.camunda.org/schema/1.0/BpmPlatform">
<process-engine name="default"><properties>
<property name="historyCleanupBatchWindowStartTime">22:00</property></properties>
</process-engine></bpm-platform>"""
FILES = {"bpm-platform.xml": ENGINE_XML, "application.yaml": "camunda.bpm.default-number-of-retries: 3\n"}
"""Files that examples name."""


def written(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the generator as a person does."""
    return subprocess.run(
        [sys.executable, "-m", "man.generator", *variables.pop("options", "").split(), str(folder)],
        env=os.environ | variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_generated_is_stale() -> None:
    assert differences(ROOT) == [], f"make them anew with: {HOW}"


def test_the_surroundings_of_who_generates_leave_no_trace(tmp_path: Path) -> None:
    surroundings = {
        "HOME": str(tmp_path),
        "COLUMNS": "40",
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C",
        "FORCE_COLOR": "1",
    }
    done = written(tmp_path, PYTHONHASHSEED="7", GITHUB_ACTIONS="1", **surroundings)
    assert (done.returncode, done.stderr) == (0, "")
    for folder in FOLDERS:
        names = {path.name for path in (tmp_path / folder).iterdir()}
        assert names == {path.name for path in generated_files(ROOT / folder)}
        for name in names:
            assert (tmp_path / folder / name).read_bytes() == (ROOT / folder / name).read_bytes(), HOW


def test_checking_names_what_is_stale_missing_or_left_over_and_changes_nothing(tmp_path: Path) -> None:
    assert written(tmp_path).returncode == 0
    assert written(tmp_path, options="--check").returncode == 0
    man = tmp_path / "man"
    (man / "cleanupctl.1").write_text("old")
    (man / "cleanupctl-run.1").unlink()
    (man / "cleanupctl-before.1").write_text("")
    done = written(tmp_path, options="--check")
    assert done.returncode == 1
    for sentence in (
        "man/cleanupctl.1 is stale",
        "man/cleanupctl-run.1 is not there",
        "man/cleanupctl-before.1 is not made any more",
        HOW,
    ):
        assert sentence in done.stderr
    assert (man / "cleanupctl.1").read_text() == "old"
    assert written(tmp_path).returncode == 0
    assert not (man / "cleanupctl-before.1").exists()


def test_there_is_a_page_for_each_command() -> None:
    names = {f"{node.page}.1" for node in COMMANDS} | {"cleanupctl.toml.5"}
    assert names == {page.name for page in PAGES}


@pytest.fixture(scope="module")
def scheduled(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """A table to clean and a job that is due, for each example to begin with a copy of."""
    command = Command(tmp_path_factory.mktemp("scheduled"))
    prepare(command)
    assert command("schedule").code == 0
    return command


@pytest.fixture(scope="module")
def job_id(scheduled: Command) -> str:
    (job,) = scheduled("jobs", "--json").data
    return str(job["id"])


@pytest.mark.parametrize("example", [example for example in EXAMPLES if "|" not in example])
def test_examples_run(cleanupctl: Command, scheduled: Command, job_id: str, example: str) -> None:
    shutil.copytree(scheduled.folder, cleanupctl.folder, dirs_exist_ok=True)
    cleanupctl.configure(audit_configuration(cleanupctl.folder / "audit.db"))
    program, *arguments = shlex.split(example.replace("074b", job_id[:8]))
    assert program == "cleanupctl"
    outcome = run(cleanupctl, arguments)
    documented = set(EXAMPLES[example].manual.exit_codes)
    assert outcome.code in documented - {ExitCode.UNEXPECTED, ExitCode.USAGE}, outcome.err
    assert "Traceback" not in outcome.err


def prepare(command: Command) -> None:
    audit_table(command.folder / "audit.db", ROWS)
    command.configure(audit_configuration(command.folder / "audit.db"))
    for name, text in FILES.items():
        (command.folder / name).write_text(text)


def run(command: Command, arguments: list[str]) -> Outcome:
    if "--watch" not in arguments:
        return command(*arguments, cwd=command.folder)
    process = command.start(*arguments, cwd=command.folder)
    audit, before = command.folder / "audit.db", time.monotonic()
    while len(audit_ids(audit)) == ROWS and time.monotonic() - before < 60:
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert len(audit_ids(audit)) < ROWS
    return Outcome(process.returncode, out, err)


def keys_in(value: Any) -> set[str]:
    if isinstance(value, list):
        return {key for item in value for key in keys_in(item)}
    if isinstance(value, dict):
        return set(value) | keys_in(list(value.values()))
    return set()


def test_every_key_of_the_json_output_is_described(cleanupctl: Command) -> None:
    prepare(cleanupctl)
    job_id = cleanupctl("schedule", "--json").data["id"]
    preview = cleanupctl("run", "--dry-run", "--json")
    outputs = {
        ("run",): [preview, cleanupctl("run", "--json")],
        ("jobs", "list"): [cleanupctl("jobs", "list", "--json")],
        ("jobs", "show"): [cleanupctl("jobs", "show", job_id, "--json")],
        ("jobs", "log"): [cleanupctl("jobs", "log", "--json")],
        ("history", "list"): [cleanupctl("history", "list", "--json")],
        ("config", "check"): [cleanupctl("config", "check", "--json")],
        ("config", "path"): [cleanupctl("config", "path", "--json")],
    }
    assert outputs.keys() == {path for path, format_ in FORMATS.items() if format_.keys}
    job = keys_in(outputs["jobs", "list"][0].data)
    for path, outcomes in outputs.items():
        described = set(re.findall(r"\w+", str(FORMATS[path])))
        for outcome in outcomes:
            assert outcome.code == 0, outcome.err
            found = keys_in(outcome.data)
            assert found
            assert found - (job if path != ("jobs", "list") else set()) <= described
    engine = 'name = "engine"\nkind = "camunda"\nurl = "postgresql://db/camunda"'
    cleanupctl.configure(f"[[history]]\n{engine}")
    listed = cleanupctl("history", "list", "--json").data
    assert keys_in(listed) <= set(re.findall(r"\w+", str(FORMATS["history", "list"])))


def test_the_job_object_is_described_key_by_key_in_its_order(cleanupctl: Command) -> None:
    described = [name for names, _ in FORMATS["jobs", "list"].keys for name in names.split(", ")]
    assert set(cleanupctl("schedule", "--json").data) == set(described)
    assert len(described) == 13


def test_the_example_of_a_configuration_can_be_used(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(EXAMPLE)
    for name in ("job-store", "audit"):
        (tmp_path / name).write_text(f"{name}'s password\n")
        (tmp_path / name).chmod(0o600)
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path), "ENGINE_PASSWORD": "p@ss/word"}
    settings = load_settings(config=path, database=None, environment=environment)
    assert settings.store.password == "job-store's password"
    assert [(history.name, history.url.password) for history in settings.histories] == [
        ("orders-engine", "p@ss/word"),
        ("audit", "audit's password"),
    ]
    assert settings.warnings == ()
    assert {key.rpartition(".")[2] for key in settings.given} >= {
        "parallelism",
        "closed",
        "time_format",
        "ttl",
    }


def test_every_generated_file_is_installed_where_it_is_looked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    for page in PAGES:
        assert shared[f"man/{page.name}"] == f"share/man/man{page.name[-1]}/{page.name}"
    assert shared["completions/cleanupctl.bash"] == "share/bash-completion/completions/cleanupctl"
    assert shared["completions/_cleanupctl"] == "share/zsh/site-functions/_cleanupctl"
    assert shared["completions/cleanupctl.fish"] == "share/fish/vendor_completions.d/cleanupctl.fish"
    assert all((ROOT / path).is_file() for path in shared)


@pytest.mark.parametrize(
    ("text", "troff"),
    [
        ("see `cleanupctl jobs`", r"see \fBcleanupctl jobs\fR"),
        ("with --dry-run.", r"with \fB\-\-dry\-run\fR."),
        ("see cleanupctl-run(1)", r"see \fBcleanupctl\-run\fR(1)"),
        ("time-based", r"time\-based"),
    ],
)
def test_markup_is_bold(text: str, troff: str) -> None:
    assert markup(text) == troff
