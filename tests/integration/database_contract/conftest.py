"""The database that a contract test is about: the same test body on every server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.urls import parse_url
from cleanupctl.history.databases.servers import connect
from tests.support.contract import SERVERS, Place

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=SERVERS)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """An empty database, once on each server; what the test says it covers has to be called."""
    server: str = request.param
    url: str = request.getfixturevalue(f"{server}_url")
    is_file = parse_url(url).server.is_file
    if is_file:
        Path(parse_url(url).database).touch()
    process = None if is_file else request.getfixturevalue(f"{server}_server")
    database = connect(parse_url(url))
    found = Place(server, url, database, process, getattr(request.function, "covered", ()))
    yield found
    database.close()
    assert set(found.covered) - found.called == set(), "a test has to call what it says it covers"
