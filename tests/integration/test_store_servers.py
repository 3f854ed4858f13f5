"""Job stores on servers: log-in, privileges, lost connections, and sentences without passwords."""

from __future__ import annotations

import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.core.errors import StoreError
from cleanupctl.core.store import open_store
from cleanupctl.core.store.postgresql import Postgresql
from cleanupctl.core.store.sqlite import Sqlite
from cleanupctl.core.urls import DatabaseUrl, parse_url
from tests.support.servers import connect
from tests.support.store import a_job, add, an_entry, exactly

if TYPE_CHECKING:
    from cleanupctl.core.store.jobstore import JobStore
    from tests.support.servers import MariaDBServer, PostgreSQLServer


def refused(url: DatabaseUrl) -> str:
    """Return the message with which `url` is refused; neither it nor the traceback has the password."""
    with pytest.raises(StoreError) as error:
        open_store(url)
    for secret in url.secrets():
        assert secret not in "".join(traceback.format_exception(error.value))
    assert str(url) in error.value.message
    assert "\n" not in error.value.message
    assert error.value.exit_code == 11
    return error.value.message


def test_a_wrong_password(server_url: str) -> None:
    message = refused(parse_url(server_url).with_password("wr0ng-secret"))
    assert "refuses the log-in" in message


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_an_unknown_database(kind: str, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue(f"{kind}_server")
    message = refused(replace(parse_url(server.admin_url), database="nowhere"))
    assert "does not exist: create the database first" in message


def test_a_server_that_does_not_answer(server_url: str) -> None:
    message = refused(replace(parse_url(server_url), port=1))
    assert "cannot be reached" in message
    assert "refused" in message


def test_a_host_that_does_not_exist(server_url: str) -> None:
    assert "cannot be reached" in refused(replace(parse_url(server_url), host="host.invalid"))


def test_an_option_that_the_driver_does_not_know(server_url: str) -> None:
    message = refused(replace(parse_url(server_url), query=(("sslmod", "require"),)))
    assert "sslmod" in message.partition("option that cannot be used")[2]


def test_encryption_that_cannot_be_had(server_url: str) -> None:
    if server_url.startswith("postgresql"):
        option, reason = ("sslmode", "require"), "does not support SSL"
    else:
        option, reason = ("ssl_ca", "/nowhere.pem"), "no such file"
    assert reason in refused(replace(parse_url(server_url), query=(option,)))


def test_a_role_that_may_not_create_tables(postgresql_url: str, postgresql_server: PostgreSQLServer) -> None:
    url = parse_url(postgresql_url)
    with connect(replace_database(postgresql_server.admin_url, url.database)) as admin:
        admin.execute("CREATE ROLE guest LOGIN PASSWORD 'gu3st'")
    try:
        guest = replace(url, user="guest", password="gu3st")
        assert "privileges are missing" in refused(guest)
        with open_store(guest, create=False) as store:
            assert store.missing
        open_store(url).close()
        assert "permission denied for table cleanupctl_property" in refused(guest)
    finally:
        with connect(postgresql_server.admin_url) as admin:
            admin.execute("DROP ROLE guest")


def test_a_user_that_may_only_read(mariadb_url: str, mariadb_server: MariaDBServer) -> None:
    url = parse_url(mariadb_url)
    open_store(url).close()
    with connect(mariadb_server.admin_url) as admin, admin.cursor() as cursor:
        cursor.execute("CREATE USER guest@'%' IDENTIFIED BY 'gu3st'")
        try:
            guest = replace(url, user="guest", password="gu3st")
            assert "privileges are missing" in refused(guest)
            cursor.execute(f"GRANT SELECT ON {url.database}.* TO guest@'%'")
            with open_store(guest) as store:
                assert store.jobs() == []
                with pytest.raises(StoreError, match="privileges are missing"):
                    store.reconfigure(exactly(1), an_entry)
        finally:
            cursor.execute("DROP USER guest@'%'")


def test_a_connection_that_was_closed_while_idle_is_made_again(server_url: str) -> None:
    with open_store(parse_url(server_url)) as store, connect(server_url) as other, other.cursor() as cursor:
        stored = add(store, a_job())
        end_connection(store, cursor)
        assert store.jobs() == stored
        assert len(store.reconfigure(exactly(2), an_entry)) == 2


def test_a_connection_lost_in_mid_transaction_is_one_sentence(server_url: str) -> None:
    url = parse_url(server_url)
    with open_store(url) as store, connect(server_url) as other, other.cursor() as cursor:

        def decide(jobs: object) -> object:
            end_connection(store, cursor)
            return exactly(1)([])

        with pytest.raises(StoreError, match="cannot be reached"):
            store.reconfigure(decide, an_entry)  # type: ignore[arg-type]
        assert store.jobs() == []


def test_waiting_for_another_transaction_ends(server_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cleanupctl.core.store.failures.LOCK_WAIT_SECONDS", 1)
    monkeypatch.setattr(Postgresql, "limit_waiting", "SET LOCAL lock_timeout = '1s'")
    with open_store(parse_url(server_url)) as store, connect(server_url, autocommit=False) as other:
        other.cursor().execute("UPDATE cleanupctl_property SET value = value")
        with pytest.raises(StoreError, match="locked by another process"):
            store.reconfigure(exactly(1), an_entry)
        other.rollback()
        assert len(store.reconfigure(exactly(1), an_entry)) == 1


def test_a_store_half_created_by_a_process_that_died_is_completed(server_url: str) -> None:
    url = parse_url(server_url)

    def indexes(store: JobStore) -> set[str]:
        session = store._session
        schema = session.dialect.schema(session.database)
        return {one.name for one in session.database.get_indexes("cleanupctl_job_log", schema=schema)}

    with open_store(url) as store:
        names = indexes(store)
    of = " ON cleanupctl_job_log" if url.scheme == "mysql" else ""
    with connect(server_url) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX cleanupctl_job_log_time_id{of}")
        cursor.execute("DROP TABLE cleanupctl_property")
    with open_store(url) as store:
        assert indexes(store) == names
        assert len(store.reconfigure(exactly(1), an_entry)) == 1


def test_the_session_of_a_transaction_isolated_by_default_still_sees_what_it_waited_for(
    postgresql_url: str, postgresql_server: PostgreSQLServer
) -> None:
    url = parse_url(postgresql_url)
    with connect(postgresql_server.admin_url) as admin:
        admin.execute(f"ALTER DATABASE {url.database} SET default_transaction_isolation = 'serializable'")
    with open_store(url) as store:
        level: list[str] = []

        def decide(jobs: object) -> object:
            level.extend(store._session.database.execute_sql("SHOW transaction_isolation").fetchone())
            return exactly(1)([])

        store.reconfigure(decide, an_entry)  # type: ignore[arg-type]
    assert level == ["read committed"]


def test_the_socket_of_a_server_reaches_it_too(server_url: str, request: pytest.FixtureRequest) -> None:
    url = parse_url(server_url)
    if url.scheme == "mysql":
        option = ("unix_socket", str(request.getfixturevalue("mariadb_server").socket))
    else:
        option = ("host", str(request.getfixturevalue("postgresql_server").socket_directory))
    port = None if url.scheme == "mysql" else url.port
    with open_store(replace(url, host=None, port=port, query=(option,))) as store:
        assert store.jobs() == []


def test_the_clock_of_a_session_in_another_zone_is_the_same(mariadb_url: str) -> None:
    with open_store(parse_url(mariadb_url)) as store, open_store(parse_url("sqlite:///:memory:")) as here:
        store._session.database.execute_sql("SET time_zone = '+09:30'")
        (there,) = store._session.database.execute_sql(f"SELECT {store._session.dialect.clock}").fetchone()
        (local,) = here._session.database.execute_sql(f"SELECT {Sqlite.clock}").fetchone()
    assert abs(there - local) < 60_000


def replace_database(url: str, database: str) -> str:
    return f"{url.rpartition('/')[0]}/{database}"


def end_connection(store: JobStore, cursor: Any) -> None:
    """Have the server end the store's connection."""
    connection = store._session.database.connection()
    if store.url.scheme == "postgresql":
        cursor.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
    else:
        cursor.execute("KILL %s", (connection.thread_id(),))
