"""The servers that can be cleaned: URL scheme to package, and the connection to one of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cleanupctl.core.urls import DatabaseUrl
    from cleanupctl.history.databases.database import Database

SERVERS = {"sqlite": "sqlite", "postgresql": "postgresql", "mysql": "mysql"}
"""URL scheme, and the package that knows such servers; only the one that is needed is imported."""


def connect(url: DatabaseUrl) -> Database:
    """Open a connection with the driver that the URL needs. Raises HistoryUnreachableError."""
    package = import_module(f"cleanupctl.history.databases.{SERVERS[url.scheme]}.database")
    database: Database = package.connect(url)
    return database
