"""Paths, names and options that a system or a driver refuses: a sentence, and never "please report it"."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cleanupctl.cli import main
from tests.support.other_user import as_nobody

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.command import Command

LONG = "a" * 300
HISTORY = (
    'timezone = "UTC"\n[[history]]\nname = "h"\nkind = "tables"\nurl = "{url}"\n{more}[[history.table]]\n'
)
TABLE = 'name = "t"\ntime_column = "c"\nttl = 9\n'
PLACES = (LONG, "~nouser/x", "a%00b", "x/" * 2100 + "y", ".", "/dev/null", "/proc/self/mem/x")


def _is_a_sentence(capfd: pytest.CaptureFixture[str], *arguments: str) -> None:
    code = main.run(arguments)
    said = "".join(capfd.readouterr())
    assert code in {0, 2, 3, 4, 10, 11}, said[-2000:]
    assert "unexpected failure" not in said
    assert "Traceback" not in said


@pytest.fixture
def here(cleanupctl: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    cleanupctl.configure(HISTORY.format(url="sqlite:///x.db", more="") + TABLE)
    for name, value in cleanupctl.variables().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(cleanupctl.folder)
    return cleanupctl


@pytest.mark.parametrize("place", PLACES)
def test_a_place_that_cannot_be(place: str, here: Command, capfd: pytest.CaptureFixture[str]) -> None:
    store = f"sqlite:///{place}"
    for arguments in (
        ("schedule", "--database", store),
        ("jobs", "--database", store),
        ("jobs", "--config", place),
        ("window", "set", "20:00", "06:00", "--config", place),
        ("config", "import", place),
        ("run", "--stop-file", place),
    ):
        _is_a_sentence(capfd, *arguments)
    here.configure(HISTORY.format(url=store, more="") + TABLE)
    _is_a_sentence(capfd, "run", "--dry-run")
    _is_a_sentence(capfd, "history", "check")
    here.configure(HISTORY.format(url="mysql://u@h/d", more=f'password_file = "{place}"\n') + TABLE)
    _is_a_sentence(capfd, "config", "check")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@%ff:1/x",
        f"postgresql://u:p@{LONG}:1/x",
        "postgresql://u:p@a..b:1/x",
        "postgresql://u:p@127.0.0.1:1/x?options=-c%20x&connect_timeout=1",
        "mysql://u:p@%ff:1/x",
        f"mysql://u:p@{LONG}:1/x",
        "mysql://u:p@127.0.0.1:1/x?connect_timeout=0",
        "mysql://u:p@127.0.0.1:1/x?ssl_cert=/nowhere",
        "mysql://%00:p@h/x",
    ],
)
def test_a_url_that_leads_nowhere(url: str, here: Command, capfd: pytest.CaptureFixture[str]) -> None:
    _is_a_sentence(capfd, "jobs", "--database", url)
    here.configure(HISTORY.format(url=url, more="") + TABLE)
    _is_a_sentence(capfd, "run", "--dry-run")


@pytest.mark.parametrize(
    "zone", ["a/" * 600 + "b", LONG, "../../etc/passwd", "/etc/passwd", ".", "a\\u0000b"]
)
def test_a_zone_that_is_a_path(zone: str, here: Command, capfd: pytest.CaptureFixture[str]) -> None:
    here.configure(f'timezone = "{zone}"\n')
    _is_a_sentence(capfd, "config", "check")


def test_folders_that_are_closed(here: Command, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for name in ("x.db", "c.toml", "stop"):
        (closed / name).touch(0o600)
    here.configure(HISTORY.format(url=f"sqlite:///{closed}/x.db", more="") + TABLE)
    here.config.chmod(0o644)
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)
    if os.geteuid() != 0:
        closed.chmod(0)
    # What is imported late must be imported before: nobody may not be able to read it.
    main.run(["run", "--dry-run"])
    main.run(["run", "--stop-file", str(closed / "stop")])
    for arguments in (
        ("run", "--dry-run"),
        ("history", "check"),
        ("jobs", "--database", f"sqlite:///{closed}/x.db"),
        ("schedule", "--database", f"sqlite:///{closed}/new/x.db"),
        ("jobs", "--config", str(closed / "c.toml")),
        ("run", "--stop-file", str(closed / "stop")),
    ):
        capfd.readouterr()
        code = as_nobody(lambda arguments=arguments: main.run(arguments))  # type: ignore[misc]
        said = "".join(capfd.readouterr())
        assert code in {2, 3, 10, 11}, (arguments, said)
        assert "permission denied" in said.lower(), (arguments, said)
