"""What a job store's URL hands to the drivers."""

from __future__ import annotations

from cleanupctl.core.store import mysql, postgresql
from cleanupctl.core.urls import parse_url


def test_postgresql_gets_what_the_url_says_and_nothing_else() -> None:
    url = parse_url("postgresql://me:p%40ss@db:5433/jobs?sslmode=verify-full&options=-csearch_path%3Dcleanup")
    assert postgresql.connect_parameters(url) == {
        "host": "db",
        "port": 5433,
        "user": "me",
        "password": "p@ss",
        "sslmode": "verify-full",
        "options": "-csearch_path=cleanup",
        "application_name": "cleanupctl",
    }


def test_what_a_postgresql_url_leaves_out_is_left_to_libpq() -> None:
    parameters = postgresql.connect_parameters(parse_url("postgresql:///jobs"))
    assert set(parameters) == {"application_name"}


def test_options_of_a_postgresql_url_overrule_the_defaults() -> None:
    url = parse_url("postgresql://db/jobs?host=/run/postgresql&connect_timeout=3&application_name=nightly")
    parameters = postgresql.connect_parameters(url)
    assert (parameters["host"], parameters["connect_timeout"], parameters["application_name"]) == (
        "/run/postgresql",
        "3",
        "nightly",
    )


def test_cockroachdb_has_a_port_of_its_own() -> None:
    assert postgresql.connect_parameters(parse_url("cockroachdb://root@db/jobs"))["port"] == 26257
    assert postgresql.connect_parameters(parse_url("cockroachdb://root@db:1/jobs"))["port"] == 1


def test_mysql_options_get_their_types() -> None:
    url = parse_url("mysql://me:p%40ss@db:3307/jobs?connect_timeout=3&unix_socket=/run/my.sock")
    parameters = mysql.connect_parameters(url)
    expected = {"host": "db", "port": 3307, "user": "me", "password": "p@ss"}
    expected |= {"unix_socket": "/run/my.sock", "connect_timeout": 3}
    assert parameters | expected == parameters


def test_what_a_mysql_url_leaves_out_is_left_to_the_driver() -> None:
    parameters = mysql.connect_parameters(parse_url("mysql:///jobs"))
    assert not {"host", "port", "user", "password"} & set(parameters)
