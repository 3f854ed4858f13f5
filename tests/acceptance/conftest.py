"""Fixtures of the acceptance tests: cleanupctl as a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.command import Command

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def cleanupctl(tmp_path: Path) -> Command:
    """The command with an empty folder of its own as home, configuration and store."""
    return Command(tmp_path)
