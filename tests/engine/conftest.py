"""Fixtures of the tests with real engines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.referee.laboratory import Laboratory
from tests.support.referee.report import REPORT, report

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def laboratory(request: pytest.FixtureRequest) -> Iterator[Laboratory]:
    """Populated databases and cleaned copies, made when first asked for."""
    made = Laboratory(lambda server: request.getfixturevalue(f"{server}_server"))
    try:
        yield made
    finally:
        made.close()
        if REPORT in os.environ:
            Path(os.environ[REPORT]).write_text(report(made.results))
