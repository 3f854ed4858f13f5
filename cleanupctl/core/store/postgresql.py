"""A job store in PostgreSQL or CockroachDB, by psycopg 3."""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from cleanupctl.core.postgresql_session import fix_search_path
from cleanupctl.core.store import failures
from cleanupctl.core.store.dialect import Connected, Dialect
from cleanupctl.core.store.failures import Failure, store_error
from cleanupctl.core.store.peewee_import import peewee

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cleanupctl.core.urls import DatabaseUrl

_SCHEMAS_WITH_STORE = """
SELECT n.nspname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = 'cleanupctl_property' AND n.nspname = ANY(%s::text[])
"""
_SCHEMA_LOCK = 0x636C65616E757063  # "cleanupc": any number will do that nothing else uses

_FAILURES = {
    "40001": Failure.CONFLICT,
    "40P01": Failure.CONFLICT,
    "42P01": Failure.MISSING_TABLE,
    "55P03": Failure.LOCKED,
    "28P01": Failure.LOGIN,
    "28000": Failure.LOGIN,
    "3D000": Failure.UNKNOWN_DATABASE,
    "3F000": Failure.PRIVILEGES,
    "42501": Failure.PRIVILEGES,
    "25006": Failure.READ_ONLY,
    "53100": Failure.FULL,
    "53300": Failure.UNREACHABLE,
}


class _Adapter(peewee.Psycopg3Adapter):
    """peewee's adapter, but the driver is imported when it is needed, not with peewee."""

    pooled: bool | None = None
    """Whether a pooler is between; None: each connection finds out."""
    schema: str | None = None
    """Where the tables are, once there has been a connection."""

    def check_driver(self) -> None:
        """Leave the check to the dialect, which has imported the driver."""

    def connect(self, db: peewee.Database, **parameters: Any) -> Any:
        """Open a psycopg connection; behind a pooler the server would not know our prepared statements."""
        from cleanupctl.core.postgresql_connection import connect

        connection = connect(
            answer_seconds=failures.ANSWER_SECONDS,
            dbname=db.database,
            prepare_threshold=None,
            autocommit=True,
            **parameters,
        )
        try:
            schemas = fix_search_path(connection, pooled=self.pooled).schemas
            if self.schema is None:
                self.schema = _schema(connection, schemas)
        except BaseException:
            connection.close()
            raise
        return connection


class _Database(peewee.PostgresqlDatabase):
    psycopg2_adapter = psycopg3_adapter = _Adapter


class _CockroachAdapter(_Adapter):
    # Its numbers of sessions are never those of its protocol.
    pooled = False


class _CockroachDatabase(peewee.PostgresqlDatabase):
    psycopg2_adapter = psycopg3_adapter = _CockroachAdapter


def _schema(connection: Any, schemas: Sequence[str]) -> str | None:
    """Return the schema of the search path that has the store's tables, or where they are created."""
    found = {row[0] for row in connection.execute(_SCHEMAS_WITH_STORE, (list(schemas),)).fetchall()}
    return next((schema for schema in schemas if schema in found), schemas[0] if schemas else None)


class Postgresql(Dialect):
    """PostgreSQL 12 or newer."""

    clock = "CAST(EXTRACT(EPOCH FROM pg_catalog.clock_timestamp()) * 1000 AS BIGINT)"
    # A server may default to a snapshot per transaction, which would be older than the lock.
    begin: ClassVar[tuple[str, ...]] = ("READ COMMITTED",)
    database_class: ClassVar[type[peewee.PostgresqlDatabase]] = _Database
    # In this transaction only: behind a pooler the connection is not ours alone.
    limit_waiting = f"SET LOCAL lock_timeout = '{failures.LOCK_WAIT_SECONDS}s'"

    def database(self, url: DatabaseUrl) -> peewee.Database:
        """Return the database; the query part of `url` goes to libpq."""
        try:
            importlib.import_module("psycopg")
        except ImportError as error:
            raise store_error(url, Failure.DRIVER) from error
        return self.database_class(url.database, **connect_parameters(url))

    def schema(self, database: Any) -> str | None:
        """Return the schema that the connection has found."""
        found: str | None = database._adapter.schema
        return found

    def classify(self, error: BaseException) -> Failure:
        """Go by SQLSTATE, which libpq does not give when connecting fails."""
        state: str | None = getattr(error, "sqlstate", None)
        if state is not None:
            gone = state.startswith(("08", "57P", "25P03"))
            return _FAILURES.get(state, Failure.UNREACHABLE if gone else Failure.OTHER)
        if type(error).__name__ == "ProgrammingError":
            return Failure.OPTION
        if type(error).__name__ == "DataError":
            return Failure.OTHER
        if "password" in str(error):
            return Failure.LOGIN
        unknown = 'FATAL:  database "' in str(error) and "does not exist" in str(error)
        return Failure.UNKNOWN_DATABASE if unknown else Failure.UNREACHABLE

    def reason(self, error: BaseException) -> str:
        """Return the server's first line without its details."""
        primary: str | None = getattr(getattr(error, "diag", None), "message_primary", None)
        return primary or str(error).removeprefix("connection failed: ")

    @contextmanager
    def creating(self, session: Connected) -> Iterator[None]:
        """Hold an advisory lock for the length of the transaction."""
        with session.transaction():
            session.database.execute_sql("SELECT pg_catalog.pg_advisory_xact_lock(%s)", (_SCHEMA_LOCK,))
            yield


class Cockroachdb(Postgresql):
    """CockroachDB, whose transactions are serializable and ask to be repeated."""

    begin = ()
    database_class = _CockroachDatabase

    @contextmanager
    def creating(self, session: Connected) -> Iterator[None]:
        """Rely on IF NOT EXISTS: there are no advisory locks, and each statement stands alone."""
        yield


def connect_parameters(url: DatabaseUrl) -> dict[str, Any]:
    """Return psycopg's keyword arguments, without the database's name.

    What is left out (host, user, password …) libpq finds in its own places, such as ~/.pgpass.
    """
    parameters: dict[str, Any] = {
        "host": url.host,
        "port": url.port or (26257 if url.scheme == "cockroachdb" else None),
        "user": url.user,
        "password": url.password,
        "application_name": "cleanupctl",
        **dict(url.query),
    }
    return {name: value for name, value in parameters.items() if value is not None}
