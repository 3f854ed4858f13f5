"""The test house itself: servers check passwords, keep their data and leave nothing behind."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

import psycopg
import pymysql
import pytest

from cleanupctl.core.urls import parse_url
from tests.support import requirement
from tests.support.servers import MariaDBServer, PostgreSQLServer, ServerStartError, connect

if TYPE_CHECKING:
    from pathlib import Path


def test_each_kind_of_database_takes_a_table(database_url: str) -> None:
    place = parse_url(database_url)
    opened = (
        contextlib.closing(sqlite3.connect(place.database))
        if place.scheme == "sqlite"
        else connect(database_url)
    )
    with opened as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE t (n integer)")
        cursor.execute("INSERT INTO t VALUES (7)")
        cursor.execute("SELECT n FROM t")
        assert list(cursor.fetchall()) == [(7,)]


def test_postgresql_refuses_a_wrong_password(postgresql_url: str) -> None:
    place = parse_url(postgresql_url)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(
            host=place.host, port=place.port, user=place.user, password="wrong", dbname=place.database
        )


def test_mariadb_refuses_a_wrong_password(mariadb_url: str) -> None:
    place = parse_url(mariadb_url)
    with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
        pymysql.connect(host=place.host, port=place.port or 0, user=place.user, password="wrong")


def test_mysql_is_mysql_8_and_refuses_a_wrong_password(mysql_url: str) -> None:
    place = parse_url(mysql_url)
    with connect(mysql_url) as connection:
        assert connection.get_server_info().startswith("8.0.")
    with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
        pymysql.connect(host=place.host, port=place.port or 0, user=place.user, password="wrong")


def test_postgresql_answers_on_its_socket(postgresql_server: PostgreSQLServer, postgresql_url: str) -> None:
    place = parse_url(postgresql_url)
    with psycopg.connect(
        host=str(postgresql_server.socket_directory),
        port=place.port,
        user=place.user,
        password=place.password,
        dbname=place.database,
    ) as connection:
        assert connection.execute("SELECT inet_server_addr()").fetchone() == (None,)


def test_mariadb_answers_on_its_socket(mariadb_server: MariaDBServer, mariadb_url: str) -> None:
    with connect(f"{mariadb_url}?unix_socket={mariadb_server.socket}") as connection:
        assert connection.host_info == "Localhost via UNIX socket"


@pytest.mark.parametrize("ending", ["stop", "kill"])
@pytest.mark.parametrize(
    "fixture",
    [
        pytest.param("postgresql", marks=pytest.mark.postgresql),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
        pytest.param("mysql", marks=pytest.mark.mysql),
    ],
)
def test_a_server_comes_back_with_its_data(request: pytest.FixtureRequest, fixture: str, ending: str) -> None:
    server = request.getfixturevalue(f"{fixture}_server")
    url = request.getfixturevalue(f"{fixture}_url")
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (n integer)")
        cursor.execute("INSERT INTO kept VALUES (1)")
    getattr(server, ending)()
    with pytest.raises((psycopg.OperationalError, pymysql.err.OperationalError)), connect(url):
        pass
    server.start()
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT n FROM kept")
        assert list(cursor.fetchall()) == [(1,)]


def test_databases_of_two_tests_are_apart(postgresql_server: PostgreSQLServer, postgresql_url: str) -> None:
    other = postgresql_server.create_database()
    try:
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connect(postgresql_url) as connection:
            connection.execute(f"CREATE ROLE {parse_url(other).database}_intruder")
    finally:
        postgresql_server.drop_database(other)
    with pytest.raises(psycopg.OperationalError), connect(other):
        pass


def test_a_server_that_cannot_start_shows_its_log_and_leaves_nothing(
    postgresql_server: PostgreSQLServer,
) -> None:
    server = PostgreSQLServer()
    try:
        server.port = postgresql_server.port
        with pytest.raises(ServerStartError, match="could not bind"):
            server.start()
        assert not server.running
    finally:
        server.close()
    assert not server.folder.exists()


@pytest.mark.server
def test_a_missing_program_skips_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(requirement.REQUIRE_ALL, raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"no-such-shell is not installed \(Debian package nsh\)"):
        requirement.require("no-such-shell", "nsh")


@pytest.mark.server
def test_a_missing_program_fails_where_everything_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(requirement.REQUIRE_ALL, "1")
    with pytest.raises(pytest.fail.Exception, match="Debian package nsh"):
        requirement.require("no-such-shell", "nsh")


def test_a_program_off_the_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "some-server"
    program.touch(0o755)
    monkeypatch.setenv("PATH", "/nowhere")
    assert requirement.find("some-server", tmp_path) == str(program)
