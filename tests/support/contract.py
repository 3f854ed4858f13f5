"""A database of every server with the same tables in it, and what a contract test holds of its methods."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

from cleanupctl.core.urls import parse_url
from cleanupctl.history.databases.cutoff import Cutoff, cutoff
from cleanupctl.history.databases.servers import connect
from cleanupctl.history.databases.target import Target
from tests.support.cursors import database as raw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.conditions import Condition
    from cleanupctl.history.databases.database import Database
    from tests.support.servers import DatabaseServer

Test = TypeVar("Test", bound="Callable[..., None]")

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Kind:
    """How a test talks to a server without any of our code."""

    package: str
    """The package of ours that knows it."""
    product: str
    """What it is, whatever its version."""
    wall: str
    """Type of a column with date and time of day."""
    instant: str
    """Type of a column with moments."""
    quote: str = '"'
    bound: str = "%s"
    analyze: str = "ANALYZE"


_POSTGRESQL = Kind("postgresql", "postgresql", "TIMESTAMP", "TIMESTAMPTZ")
_MYSQL = Kind("mysql", "mysql", "DATETIME", "TIMESTAMP NULL", quote="`", analyze="ANALYZE TABLE")
_MARIADB = replace(_MYSQL, product="mariadb")
SERVERS = {
    "sqlite": Kind("sqlite", "sqlite", "DATETIME", "DATETIME", bound="?"),
    "postgresql": _POSTGRESQL,
    "postgresql18": _POSTGRESQL,
    "mariadb": _MARIADB,
    "mariadb11": _MARIADB,
    "mysql": _MYSQL,
}
"""Every server that can be cleaned, by the name of its fixtures."""


def covers(*names: str) -> Callable[[Test], Test]:
    """Say which public names of `Database` a test holds; those that are methods have to be called in it."""

    def covering(test: Test) -> Test:
        test.covered = names  # type: ignore[attr-defined]
        return test

    return covering


@dataclass
class Place:
    """One database of one server."""

    server: str
    """Key of SERVERS."""
    url: str
    database: Database
    process: DatabaseServer | None
    """What runs the server; None for SQLite."""
    covered: Sequence[str] = ()
    """What the test says it covers."""
    called: set[str] = field(default_factory=set)
    """What of it has been called, on any session."""

    def __post_init__(self) -> None:
        self._record(self.database)

    def _record(self, database: Database) -> None:
        for name in self.covered:
            if callable(getattr(database, name)):
                setattr(database, name, self._noting(name, getattr(database, name)))
            else:
                self.called.add(name)

    def _noting(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*values: Any, **named: Any) -> Any:
            self.called.add(name)
            return method(*values, **named)

        return noted

    @property
    def kind(self) -> Kind:
        """How to talk to the server."""
        return SERVERS[self.server]

    @property
    def product(self) -> str:
        """Name of the server's product, whatever its version."""
        return self.kind.product

    @property
    def family(self) -> str:
        """Name of the package that knows the server."""
        return self.kind.package

    @property
    def is_file(self) -> bool:
        """Whether there is no server at all: nobody logs in, and one session at a time writes."""
        return self.process is None

    @property
    def moment(self) -> Cutoff:
        """The cutoff at NOW."""
        return cutoff(NOW, ZONE)

    def type_of(self, kind: str) -> str:
        """Type of a column with times of a kind, `integer` or `text`."""
        same = {"integer": "BIGINT", "text": "VARCHAR(200)", "date": "DATE"}
        return same.get(kind) or str(getattr(self.kind, kind))

    def quoted(self, name: str) -> str:
        """Quote an identifier without any of our code."""
        mark = self.kind.quote
        return mark + name.replace(mark, mark * 2) + mark

    def run(self, *statements: str) -> None:
        """Run statements on a connection of their own, without any of our code."""
        with raw(self.url) as cursor:
            for statement in statements:
                cursor.execute(statement)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a query likewise."""
        with raw(self.url) as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows to a table, whose name is quoted."""
        marks = ", ".join([self.kind.bound] * len(rows[0]))
        name = table.replace("%", "%%") if self.kind.bound == "%s" else table
        with raw(self.url) as cursor:
            cursor.execute("BEGIN")
            cursor.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
            cursor.execute("COMMIT")

    def events(
        self,
        number: int,
        expired: int,
        *,
        name: str = "event",
        columns: Sequence[str] = ("id", "at", "what"),
        indexed: bool = True,
        key: bool = True,
        same_time: bool = False,
    ) -> Target:
        """Make a table of `number` rows, of which the first `expired` lie before NOW, a minute each."""
        table, (identity, at, what) = self.quoted(name), [self.quoted(one) for one in columns]
        wall = self.moment.wall
        self.run(
            f"CREATE TABLE {table} ({identity} INTEGER {'PRIMARY KEY' if key else 'NOT NULL'},"
            f" {at} {self.type_of('wall')}, {what} VARCHAR(200))"
        )
        if indexed:
            self.run(f"CREATE INDEX event_at ON {table} ({at})")
        if number:
            times = [wall + timedelta(minutes=n - expired + 1) for n in range(number)]
            if same_time:
                times = [wall if moment <= wall else moment for moment in times]
            self.insert(table, [(n, str(moment), "x" * 50) for n, moment in enumerate(times)])
        self.analyze(table)
        return self.target(self.table(name), columns[1])

    def analyze(self, table: str) -> None:
        """Have the server look at a table, whose name is quoted, for its statistics."""
        if not self.is_file:
            self.run(f"{self.kind.analyze} {table}")

    def table(self, name: str) -> Table:
        """Look a table up that is there."""
        found = self.database.find_table(name)
        assert found is not None
        return found

    def target(self, table: Table, column: str, *guards: Condition) -> Target:
        """What of a table has expired at NOW."""
        time = table.column(column)
        return Target(table, time, self.database.expired(time, self.moment, table, None), guards)

    def ids(self, table: str = "event", column: str = "id") -> list[int]:
        """The ids that a table has, in order."""
        name = self.quoted(column)
        return [row[0] for row in self.rows(f"SELECT {name} FROM {self.quoted(table)} ORDER BY {name}")]

    @contextmanager
    def another(self, url: str | None = None) -> Iterator[Database]:
        """Another session of ours, with the same login unless a URL is given."""
        opened = connect(parse_url(url or self.url))
        self._record(opened)
        try:
            yield opened
        finally:
            opened.close()

    @property
    def admin_url(self) -> str:
        """URL of this database for a login that may do everything."""
        assert self.process is not None
        name = parse_url(self.url).database
        return self.process.url(self.process.administrator, self.process.password, name)

    def administrate(self, *statements: str) -> None:
        """Run statements as a login that may do everything."""
        with raw(self.admin_url) as cursor:
            for statement in statements:
                cursor.execute(statement)

    @contextmanager
    def stranger(self) -> Iterator[str]:
        """URL of a login that may connect to this database and nothing else."""
        assert self.process is not None
        name = parse_url(self.url).database
        login, password = f"{name}_x", "Secret-1"
        if self.family == "mysql":
            # Without any privilege in a database one may not even connect to it.
            self.administrate(
                f"CREATE TABLE {name}.known (n INTEGER)",
                f"CREATE USER '{login}'@'%' IDENTIFIED BY '{password}'",
                f"GRANT SELECT ON {name}.known TO '{login}'@'%'",
            )
            drop = [f"DROP USER '{login}'@'%'"]
        else:
            self.administrate(f"CREATE ROLE {login} LOGIN PASSWORD '{password}'")
            drop = [f"DROP OWNED BY {login}", f"DROP ROLE {login}"]
        try:
            yield self.process.url(login, password, name)
        finally:
            self.administrate(*drop)
