"""What destroys asks at a terminal, with the numbers, and needs --yes elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.terminal import terminal

if TYPE_CHECKING:
    from tests.support.command import Command

WINDOW = """
timezone = "Europe/Berlin"
[window]
start = "22:00"
end = "06:00"
"""
ENGINE = """
timezone = "Europe/Berlin"
[[history]]
name = "engine"
kind = "camunda"
url = "postgresql://nobody@127.0.0.1:1/nowhere"
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("window", "clear"),
        ("history", "orphans", "--delete"),
        ("history", "set-removal-time", "--clear", "--all"),
    ],
    ids=" ".join,
)
def test_without_a_terminal_it_has_to_be_said(cleanupctl: Command, arguments: tuple[str, ...]) -> None:
    text = WINDOW if arguments[0] == "window" else ENGINE
    cleanupctl.configure(text)
    refused = cleanupctl(*arguments)
    assert (refused.code, refused.out) == (2, "")
    assert "--yes" in refused.error["message"]
    assert cleanupctl.config.read_text() == text


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 2), ("", 2)])
def test_at_a_terminal_only_a_yes_is_one(cleanupctl: Command, answer: str, code: int) -> None:
    cleanupctl.configure(WINDOW)
    arguments = [sys.executable, "-m", "cleanupctl", "window", "clear"]
    with terminal(arguments, cleanupctl.variables(), cleanupctl.folder) as screen:
        asked = screen.read_until("[y/N]")
        assert "every batch window" in asked
        screen.type(f"{answer}\n")
        screen.read_until("was not confirmed" if code else "changed")
        assert screen.wait() == code
    assert ("[window]" in cleanupctl.config.read_text()) == bool(code)
