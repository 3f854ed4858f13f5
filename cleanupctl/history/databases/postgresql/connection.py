"""Opening a session's connection to PostgreSQL, and looking for the session from another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import HistoryUnreachableError
from cleanupctl.core.network import CONNECT_SECONDS
from cleanupctl.history.databases.answering import ASK_SECONDS
from cleanupctl.history.databases.postgresql.errors import one_line

if TYPE_CHECKING:
    from cleanupctl.core.postgresql_connection import Connection
    from cleanupctl.core.urls import DatabaseUrl

_AT_WORK = """
SELECT pg_catalog.pg_backend_pid(),
  (SELECT state OPERATOR(pg_catalog.=) 'active' FROM pg_catalog.pg_stat_activity
   WHERE pid OPERATOR(pg_catalog.=) %s)
"""


def open_connection(url: DatabaseUrl) -> Connection:
    """Connect as the URL says; answers have to come as soon as that. Raise HistoryUnreachableError."""
    try:
        import psycopg

        from cleanupctl.core.postgresql_connection import connect
        from cleanupctl.history.databases.postgresql.cursor import Cursor, read_all_times
    except ImportError:
        raise HistoryUnreachableError(
            f"{url} needs the PostgreSQL driver: pip install 'cleanupctl[postgres]'"
        ) from None
    try:
        connection = connect(
            answer_seconds=CONNECT_SECONDS,
            autocommit=True,
            prepare_threshold=None,
            cursor_factory=Cursor,
            **_options(url),
        )
        connection.link.attach(connection.fileno())
    except (psycopg.Error, OSError, UnicodeError) as error:
        raise HistoryUnreachableError(f"{url} is not reachable: {one_line(error, url)}") from error
    read_all_times(connection)
    return connection


def _options(url: DatabaseUrl) -> dict[str, Any]:
    """Return what libpq needs to know; what is left out it finds in its own places."""
    place = {
        "dbname": url.database,
        "host": url.host,
        "port": url.port,
        "user": url.user,
        "password": url.password,
    }
    given = {name: value for name, value in place.items() if value is not None}
    return {"application_name": "cleanupctl", **dict(url.query), **given}


def is_at_work(url: DatabaseUrl, session: Connection) -> bool:
    """Ask whether the server executes a statement of `session`, on a connection of its own.

    True also where that cannot be known although the server answers: behind a pooler, or where it takes no
    more connections.
    """
    import psycopg

    from cleanupctl.core.postgresql_connection import connect

    options = _options(url) | {"connect_timeout": ASK_SECONDS}
    try:
        with connect(answer_seconds=ASK_SECONDS, autocommit=True, **options) as asking:
            own, active = asking.execute(_AT_WORK, (session.info.backend_pid,)).fetchone() or (0, None)
            return bool(own != asking.info.backend_pid or active)
    except psycopg.Error as error:
        return "FATAL" in str(error)
