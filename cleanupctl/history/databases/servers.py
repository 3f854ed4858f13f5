"""The servers that can be cleaned: one line for each, and the connection to one of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from cleanupctl.core import urls
from cleanupctl.core.errors import HistoryError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.core.urls import DatabaseUrl
    from cleanupctl.history.databases.database import Database


@dataclass(frozen=True, slots=True)
class Server:
    """What cleaning knows of a kind of server before there is a connection to one."""

    package: str
    """The package beside this file that knows such servers; only the one that is needed is imported."""
    runs_engines: bool = True
    """Whether a process engine of the Camunda 7 family can have its tables there."""


SERVERS = {
    "sqlite": Server("sqlite", runs_engines=False),
    "postgresql": Server("postgresql"),
    "mysql": Server("mysql"),
}
"""By the scheme of the URL, whose other spellings and names are in `core.urls`."""


def connect(url: DatabaseUrl) -> Database:
    """Open a connection with the driver that the URL needs. Raise HistoryUnreachableError or HistoryError."""
    package = import_module(f"cleanupctl.history.databases.{_server(url).package}.database")
    database: Database = package.connect(url)
    return database


def runs_engines(url: DatabaseUrl) -> bool:
    """Return whether a process engine can have its tables in such a database. Raise HistoryError."""
    return _server(url).runs_engines


def engine_schemes() -> dict[str, str]:
    """Return how URLs of servers that run engines may begin, and the scheme that each spelling means."""
    return {
        spelling: server.scheme
        for server in _engine_servers()
        for spelling in (server.scheme, *server.spellings)
    }


def engine_servers(last: str = "or") -> str:
    """Return the names of the servers that engines can have their tables on, for messages."""
    names = [name for server in _engine_servers() for name in server.names]
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


def _engine_servers() -> Iterator[urls.Server]:
    return (urls.SERVERS[scheme] for scheme, server in SERVERS.items() if server.runs_engines)


def _server(url: DatabaseUrl) -> Server:
    if url.scheme not in SERVERS:
        names = ", ".join(name for scheme in SERVERS for name in urls.SERVERS[scheme].names)
        raise HistoryError(
            f"{url} is a {url.server.names[0]} database; those that can be cleaned are {names}"
        )
    return SERVERS[url.scheme]
