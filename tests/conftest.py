"""Fixtures for every test: real databases, started when first asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support.mysql_server import MySQLServer
from tests.support.newer_servers import MariaDB11Server, PostgreSQL18Server
from tests.support.proxy import Proxy
from tests.support.requirement import programs_allowed
from tests.support.servers import DatabaseServer, MariaDBServer, PostgreSQLServer

if TYPE_CHECKING:
    from collections.abc import Iterator

_MARKS_BY_FIXTURE = {
    "postgresql_server": "postgresql",
    "mariadb_server": "mariadb",
    "mysql_server": "mysql",
    "postgresql18_server": "postgresql18",
    "mariadb11_server": "mariadb11",
    "engine_postgresql_url": "schema",
    "engine_mariadb_url": "schema",
}
_SERVERS = {"postgresql", "mariadb", "mysql", "postgresql18", "mariadb11"}
_NEEDY = {*_SERVERS, "schema", "engine"}
"""Marks of tests that need more than Python."""

_ENGINE_MODULES = {"tests.support.engine_schema", "tests.support.camunda.data"}
_ENGINE_TESTS = Path(__file__).parent / "engine"


# A busy machine is no failure: properties say what is true, not how fast it is found out.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by what they use, so that `-m "not server"` needs few marks kept by hand."""
    for item in items:
        for mark in sorted(_marks(item)):
            item.add_marker(mark)
        if any(item.get_closest_marker(mark) for mark in _NEEDY):
            item.add_marker("server")


def _marks(item: pytest.Item) -> Iterator[str]:
    fixtures = set(getattr(item, "fixturenames", ()))
    yield from (mark for fixture, mark in _MARKS_BY_FIXTURE.items() if fixture in fixtures)
    if "request" in fixtures:
        # The parameter names the fixture that the test asks for.
        yield from _SERVERS & {str(value) for value in _parameters(item).values()}
    if _ENGINE_TESTS in item.path.parents:
        yield "engine"


def _parameters(item: pytest.Item) -> dict[str, object]:
    called = getattr(item, "callspec", None)
    return {} if called is None else dict(called.params)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Let only a test with the mark `server` ask for a program: the others run where there is none."""
    with programs_allowed(item.get_closest_marker("server") is not None):
        return (yield)


def _running(server: DatabaseServer) -> Iterator[DatabaseServer]:
    try:
        server.start()
        yield server
    finally:
        server.close()


def _database(server: DatabaseServer) -> Iterator[str]:
    url = server.create_database()
    try:
        yield url
    finally:
        server.drop_database(url)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[DatabaseServer]:
    """A PostgreSQL server for the whole session."""
    yield from _running(PostgreSQLServer())


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[DatabaseServer]:
    """A MariaDB server for the whole session."""
    yield from _running(MariaDBServer())


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[DatabaseServer]:
    """A MySQL 8 server for the whole session."""
    yield from _running(MySQLServer())


@pytest.fixture(scope="session")
def postgresql18_server() -> Iterator[DatabaseServer]:
    """A PostgreSQL 18 server for the whole session."""
    yield from _running(PostgreSQL18Server())


@pytest.fixture(scope="session")
def mariadb11_server() -> Iterator[DatabaseServer]:
    """A MariaDB 11.4 server for the whole session."""
    yield from _running(MariaDB11Server())


@pytest.fixture
def postgresql18_url(postgresql18_server: PostgreSQL18Server) -> Iterator[str]:
    """URL of an empty PostgreSQL 18 database of this test alone."""
    yield from _database(postgresql18_server)


@pytest.fixture
def mariadb11_url(mariadb11_server: MariaDB11Server) -> Iterator[str]:
    """URL of an empty MariaDB 11.4 database of this test alone."""
    yield from _database(mariadb11_server)


@pytest.fixture
def postgresql_url(postgresql_server: PostgreSQLServer) -> Iterator[str]:
    """URL of an empty PostgreSQL database of this test alone."""
    yield from _database(postgresql_server)


@pytest.fixture
def mariadb_url(mariadb_server: MariaDBServer) -> Iterator[str]:
    """URL of an empty MariaDB database of this test alone."""
    yield from _database(mariadb_server)


@pytest.fixture
def mysql_url(mysql_server: MySQLServer) -> Iterator[str]:
    """URL of an empty MySQL 8 database of this test alone."""
    yield from _database(mysql_server)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of an SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'test.sqlite3'}"


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.postgresql),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ]
)
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of an empty database, once on each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(
    params=[
        pytest.param("postgresql", marks=pytest.mark.postgresql),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ]
)
def server_url(request: pytest.FixtureRequest) -> str:
    """URL of an empty database, once on each kind of server."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def proxy(server_url: str) -> Iterator[Proxy]:
    """A path to an empty database on each kind of server, which can stall."""
    with Proxy(server_url) as path:
        yield path


@pytest.fixture
def engine_postgresql_url(postgresql_url: str) -> str:
    """URL of a PostgreSQL database with the engine's empty tables."""
    return _with_engine_schema(postgresql_url)


@pytest.fixture
def engine_mariadb_url(mariadb_url: str) -> str:
    """URL of a MariaDB database with the engine's empty tables."""
    return _with_engine_schema(mariadb_url)


@pytest.fixture(
    params=[
        pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.schema]),
        pytest.param("mariadb", marks=[pytest.mark.mariadb, pytest.mark.schema]),
    ]
)
def engine_url(request: pytest.FixtureRequest) -> str:
    """URL of a database with the engine's empty tables, once on each kind."""
    url: str = request.getfixturevalue(f"engine_{request.param}_url")
    return url


def _with_engine_schema(url: str) -> str:
    from tests.support.engine_schema import create_engine_schema

    create_engine_schema(url)
    return url
