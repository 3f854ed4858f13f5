"""A cursor that works alike on every kind of database."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from cleanupctl.core.urls import parse_url
from tests.support.servers import connect

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def database(url: str) -> Iterator[Any]:
    place = parse_url(url)
    if place.server.is_file:
        with closing(sqlite3.connect(place.database, isolation_level=None, timeout=30)) as connection:
            yield connection.cursor()
    else:
        with connect(url) as connection:
            yield connection.cursor()
