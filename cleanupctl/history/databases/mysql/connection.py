"""Opening a session's connection to MySQL, looking for the session from another one, and ending it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import HistoryUnreachableError, InvalidValueError
from cleanupctl.core.mysql_options import mysql_options
from cleanupctl.core.mysql_session import SQL_MODE
from cleanupctl.core.network import CONNECT_SECONDS
from cleanupctl.history.databases.answering import ASK_SECONDS, CANCEL_SECONDS
from cleanupctl.history.databases.mysql.errors import one_line

if TYPE_CHECKING:
    from cleanupctl.core.mysql_connection import Connection
    from cleanupctl.core.urls import DatabaseUrl

_AT_WORK = "SELECT CONNECTION_ID(), (SELECT COMMAND FROM information_schema.PROCESSLIST WHERE ID = %s)"


def open_connection(url: DatabaseUrl) -> Connection:
    """Connect as the URL says; answers have to come as soon as that. Raise HistoryUnreachableError."""
    try:
        import pymysql

        from cleanupctl.core.mysql_connection import connect
        from cleanupctl.history.databases.mysql.cursor import Cursor
    except ImportError:
        raise HistoryUnreachableError(
            f"{url} needs the MySQL driver: pip install 'cleanupctl[mysql]'"
        ) from None
    try:
        options = connection_options(url)
        connection = connect(answer_seconds=CONNECT_SECONDS, autocommit=True, cursorclass=Cursor, **options)
        connection.link.attach(connection.socket.fileno())
    except (pymysql.MySQLError, InvalidValueError, LookupError, OSError, UnicodeError) as error:
        raise HistoryUnreachableError(f"{url} is not reachable: {one_line(error, url)}") from error
    return connection


def connection_options(url: DatabaseUrl) -> dict[str, Any]:
    """Return a URL as PyMySQL's connect takes it. Raise InvalidValueError for unknown options."""
    options: dict[str, Any] = {"charset": "utf8mb4", "sql_mode": SQL_MODE} | mysql_options(url)
    if url.host:
        options["host"] = url.host
    if url.port:
        options["port"] = url.port
    return options | {"user": url.user, "password": url.password or "", "database": url.database}


def is_at_work(url: DatabaseUrl, session: Connection) -> bool:
    """Ask whether the server executes a statement of `session`, on a connection of its own.

    True also where that cannot be known although the server answers: behind a proxy, or where it takes no
    more connections.
    """
    import pymysql

    try:
        with _briefly(url, ASK_SECONDS) as asking, asking.cursor() as cursor:
            cursor.execute(_AT_WORK, (session.number,))
            own, command = cursor.fetchone() or (0, None)
            return bool(own != asking.number or command not in (None, "Sleep"))
    except pymysql.MySQLError as error:
        # Numbers from 2000 on are those of the client: nobody has answered.
        return bool(error.args) and isinstance(error.args[0], int) and 0 < error.args[0] < 2000


def cancel(url: DatabaseUrl, session: Connection) -> None:
    """End the statement of `session`, if the server can be reached for that. Raise PyMySQL's errors."""
    with _briefly(url, CANCEL_SECONDS) as ending, ending.cursor() as cursor:
        cursor.execute(f"KILL QUERY {session.number}")


def _briefly(url: DatabaseUrl, seconds: float) -> Connection:
    from cleanupctl.core.mysql_connection import connect

    limits = {"connect_timeout": seconds, "read_timeout": seconds, "write_timeout": seconds}
    return connect(answer_seconds=seconds, autocommit=True, **(connection_options(url) | limits))
