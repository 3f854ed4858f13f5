"""The lock file covers what pyproject.toml asks for, so that installing from it needs nothing else."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
LOCKED = dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", LOCK, re.MULTILINE))


def _asked_for() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *(line for extra in extras.values() for line in extra)]
    return [line for line in asked if not line.startswith(project["name"])]


@pytest.mark.parametrize("line", _asked_for())
def test_a_requirement_is_locked_at_a_version_it_allows(line: str) -> None:
    requirement = Requirement(line)
    assert requirement.name.lower() in LOCKED
    assert LOCKED[requirement.name.lower()] in requirement.specifier


def test_every_locked_package_has_its_hashes_and_no_address() -> None:
    assert len(LOCKED) == len(re.findall(r"^[a-z0-9].* \\\n    --hash=sha256:", LOCK, re.MULTILINE)) > 40
    assert "://" not in LOCK
