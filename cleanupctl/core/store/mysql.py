"""A job store in MySQL or MariaDB, by PyMySQL."""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import InvalidValueError
from cleanupctl.core.mysql_options import mysql_options
from cleanupctl.core.mysql_session import SQL_MODE, assignments
from cleanupctl.core.store import failures
from cleanupctl.core.store.dialect import Connected, Dialect
from cleanupctl.core.store.failures import Failure, store_error
from cleanupctl.core.store.peewee_import import peewee

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.core.urls import DatabaseUrl

_FAILURES = {
    1213: Failure.CONFLICT,
    1020: Failure.CONFLICT,
    1684: Failure.CONFLICT,  # another node of a cluster is creating the same tables
    1146: Failure.MISSING_TABLE,
    1205: Failure.LOCKED,
    1045: Failure.LOGIN,
    1698: Failure.LOGIN,
    1049: Failure.UNKNOWN_DATABASE,
    1044: Failure.PRIVILEGES,
    1142: Failure.PRIVILEGES,
    1143: Failure.PRIVILEGES,
    1227: Failure.PRIVILEGES,
    1290: Failure.READ_ONLY,
    1836: Failure.READ_ONLY,
    1021: Failure.FULL,
    1114: Failure.FULL,
    0: Failure.UNREACHABLE,
    1040: Failure.UNREACHABLE,
    1047: Failure.UNREACHABLE,  # a Galera node that takes no work at present
    1053: Failure.UNREACHABLE,
    1129: Failure.UNREACHABLE,
    1130: Failure.UNREACHABLE,
    4031: Failure.UNREACHABLE,
}
_CLIENT_ERRORS = range(2000, 2100)


class _Database(peewee.MySQLDatabase):
    def _connect(self) -> Any:
        # As peewee does it, but the driver is imported when it is needed, not with peewee.
        from cleanupctl.core.mysql_connection import connect

        return connect(
            answer_seconds=failures.ANSWER_SECONDS,
            database=self.database,
            autocommit=True,
            **self.connect_params,
        )


class Mysql(Dialect):
    """MySQL 8 or MariaDB 10.5, or newer, with InnoDB."""

    # NOW() and UNIX_TIMESTAMP(NOW()) would go through the time zone of the session.
    clock = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000"
    # Owners are compared byte by byte, as everywhere else.
    table_settings = ("ENGINE=InnoDB", "DEFAULT CHARSET=utf8mb4", "COLLATE=utf8mb4_bin")

    def database(self, url: DatabaseUrl) -> peewee.Database:
        """Return the database. A TEXT of 64 KiB may be too short for a stack trace."""
        try:
            driver = importlib.import_module("pymysql")
        except ImportError as error:
            raise store_error(url, Failure.DRIVER) from error
        # Without FOUND_ROWS an update that changes nothing looks as if it had found nothing.
        flags = driver.constants.CLIENT.FOUND_ROWS
        return _Database(
            url.database, field_types={"TEXT": "LONGTEXT"}, client_flag=flags, **connect_parameters(url)
        )

    def classify(self, error: BaseException) -> Failure:
        """Go by the error number of server or client."""
        if isinstance(error, RuntimeError):  # PyMySQL's way to say that it lacks cryptography
            return Failure.DRIVER
        if isinstance(error, (OSError, LookupError)):  # no such certificate, no such charset
            return Failure.OPTION
        number = error.args[0] if error.args else None
        if number in _CLIENT_ERRORS:
            return Failure.UNREACHABLE
        return _FAILURES.get(number, Failure.OTHER)  # type: ignore[arg-type]  # a missing number is not found

    def reason(self, error: BaseException) -> str:
        """Return the message without its number."""
        return str(error.args[-1]) if len(error.args) == 2 and type(error) is not OSError else str(error)

    @contextmanager
    def creating(self, session: Connected) -> Iterator[None]:
        """Hold a named lock: creating a table commits, so a transaction would not do."""
        name = f"cleanupctl.{session.url.database}"[:64]
        wait = failures.LOCK_WAIT_SECONDS
        row = session.database.execute_sql("SELECT GET_LOCK(%s, %s)", (name, wait)).fetchone()
        if row[0] != 1:
            raise store_error(session.url, Failure.LOCKED)
        try:
            yield
        finally:
            session.database.execute_sql("SELECT RELEASE_LOCK(%s)", (name,))


def connect_parameters(url: DatabaseUrl) -> dict[str, Any]:
    """Return PyMySQL's keyword arguments, without the database's name. Raises StoreError."""
    wait = failures.LOCK_WAIT_SECONDS
    parameters: dict[str, Any] = {
        "host": url.host,
        "port": url.port,
        "user": url.user,
        "password": url.password,
        "sql_mode": SQL_MODE,
        "init_command": f"SET {assignments(innodb_lock_wait_timeout=wait, lock_wait_timeout=wait)}",
    }
    try:
        parameters |= mysql_options(url)
    except InvalidValueError as error:
        raise store_error(url, Failure.OPTION, error.message) from None
    return {name: value for name, value in parameters.items() if value is not None}
