"""Fixtures of the tests with real databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.store import open_store
from cleanupctl.core.urls import parse_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.core.store.jobstore import JobStore


@pytest.fixture
def store(database_url: str) -> Iterator[JobStore]:
    with open_store(parse_url(database_url)) as opened:
        yield opened
