"""The servers that can be cleaned: one line for each, and the connection to one of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cleanupctl.core.urls import DatabaseUrl
    from cleanupctl.history.databases.database import Database


@dataclass(frozen=True, slots=True)
class Server:
    """What is known of a kind of server before there is a connection to one."""

    package: str
    """The package beside this file that knows such servers; only the one that is needed is imported."""
    names: tuple[str, ...]
    """The products, as people call them."""
    runs_engines: bool = True
    """Whether a process engine of the Camunda 7 family can have its tables there."""


SERVERS = {
    "sqlite": Server("sqlite", ("SQLite",), runs_engines=False),
    "postgresql": Server("postgresql", ("PostgreSQL",)),
    "mysql": Server("mysql", ("MySQL", "MariaDB")),
}
"""By the scheme of the URL."""


def connect(url: DatabaseUrl) -> Database:
    """Open a connection with the driver that the URL needs. Raises HistoryUnreachableError."""
    package = import_module(f"cleanupctl.history.databases.{SERVERS[url.scheme].package}.database")
    database: Database = package.connect(url)
    return database


def runs_engines(url: DatabaseUrl) -> bool:
    """Return whether a process engine can have its tables in such a database."""
    return SERVERS[url.scheme].runs_engines


def engine_servers() -> str:
    """Name the servers that engines can have their tables on, for messages."""
    *others, last = (name for server in SERVERS.values() if server.runs_engines for name in server.names)
    return f"{', '.join(others)} or {last}"
