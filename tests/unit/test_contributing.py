"""What CONTRIBUTING tells is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / ".github" / "CONTRIBUTING.md").read_text("utf-8")
ROOMS = ("", "cleanupctl", "cleanupctl/history", "cleanupctl/cli")
"""Paths are told from the project's folder, or from one of its rooms."""


def _paths() -> list[str]:
    code = {
        re.sub(r"/NAME(\.py)?", "", word)
        for quoted in re.findall(r"`([^`\n]+)`", TEXT)
        for word in quoted.split()
    }
    return sorted(
        word for word in code if re.fullmatch(r"[\w./]*/[\w./]*", word) and not word.startswith(".venv")
    )


@pytest.mark.parametrize("path", _paths())
def test_every_path_that_contributing_names_is_there(path: str) -> None:
    server = path.replace("SERVER", "sqlite")
    assert any((ROOT / room / server).exists() or (ROOT / room / f"{server}.py").exists() for room in ROOMS)
