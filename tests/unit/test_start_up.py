"""What a short call loads: nothing that it does not need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import Command

HEAVY = {
    "pydantic", "psycopg", "pymysql", "rich", "croniter", "tomlkit", "yaml", "defusedxml",
    "cleanupctl.core.run.executor", "cleanupctl.history", "man.generator",
}  # fmt: skip
PROGRAM = """
import sys
from cleanupctl.cli.main import run
code = run(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""


def loaded(folder: Path, *arguments: str) -> set[str]:
    """Names of the modules that are there at the end of a call."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=Command(folder).variables(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("schedule",),
        ("schedule", "--immediately-due", "--format", "json"),
        ("jobs", "--json"),
    ],
    ids=" ".join,
)
def test_a_short_call_loads_nothing_it_does_not_need(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert loaded(tmp_path, *arguments) & HEAVY == set()


def test_plain_texts_and_paths_are_read_without_pydantic(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('timezone = "UTC"\n')
    (tmp_path / "own.toml").chmod(0o600)
    options = ("--config", str(tmp_path / "own.toml"), "--database", f"sqlite:///{tmp_path}/jobs.db")
    assert loaded(tmp_path, "schedule", *options) & HEAVY == set()


def test_other_commands_are_not_loaded(tmp_path: Path) -> None:
    assert "cleanupctl.cli.commands.window.group" not in loaded(tmp_path, "schedule")


def test_a_value_that_is_none_of_the_choices_is_still_refused(tmp_path: Path) -> None:
    outcome = Command(tmp_path)("jobs", "--format", "xml")
    assert outcome.code == 2
    assert "'auto', 'table'" in outcome.err
