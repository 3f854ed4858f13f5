"""Which dialect a job store's URL asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleanupctl.core.store.dialect import Dialect
    from cleanupctl.core.urls import DatabaseUrl


def dialect_of(url: DatabaseUrl) -> Dialect:
    """Return the dialect that `url` asks for; only its own module is imported."""
    return _DIALECTS[url.scheme]()


def _sqlite() -> Dialect:
    from cleanupctl.core.store.sqlite import Sqlite

    return Sqlite()


def _postgresql() -> Dialect:
    from cleanupctl.core.store.postgresql import Postgresql

    return Postgresql()


def _cockroachdb() -> Dialect:
    from cleanupctl.core.store.postgresql import Cockroachdb

    return Cockroachdb()


def _mysql() -> Dialect:
    from cleanupctl.core.store.mysql import Mysql

    return Mysql()


_DIALECTS: dict[str, Callable[[], Dialect]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "cockroachdb": _cockroachdb,
    "mysql": _mysql,
}
