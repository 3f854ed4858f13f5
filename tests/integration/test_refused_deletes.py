"""What a server refuses is told of the table it is about, by a check before a run and by the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.store import open_store
from cleanupctl.core.urls import parse_url
from tests.support.command import Command
from tests.support.cursors import database
from tests.support.servers import connect
from tests.support.table_histories import fill, ids, kind_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.servers import DatabaseServer


def _command(folder: Path, url: str, *tables: str) -> Command:
    command = Command(folder)
    lines = [f'timezone = "UTC"\n[[history]]\nname = "h"\nkind = "tables"\nurl = "{url}"\n']
    lines += [f'[[history.table]]\nname = "{one}"\ntime_column = "created_at"\nttl = 90\n' for one in tables]
    command.configure("".join(lines))
    assert command("schedule").code == 0
    return command


def _errors(command: Command) -> list[str]:
    checked = command("history", "check", "--json")
    found = [one["message"] for one in checked.data[0]["findings"] if one["severity"] == "error"]
    assert checked.code == (3 if found else 0)
    return found


def test_a_table_without_replica_identity_fails_alone(
    postgresql_server: DatabaseServer, postgresql_url: str, tmp_path: Path
) -> None:
    fill(postgresql_url, 100)
    name = parse_url(postgresql_url).database
    admin = postgresql_server.url(postgresql_server.administrator, postgresql_server.password, name)
    with database(admin) as cursor:
        cursor.execute("CREATE TABLE published AS SELECT * FROM audit_event")
        cursor.execute(f"ALTER TABLE published OWNER TO {name}_owner")
        cursor.execute("CREATE PUBLICATION feed FOR TABLE published")
    command = _command(tmp_path, postgresql_url, "published", "audit_event")
    (told,) = _errors(command)
    assert "nothing can be deleted from it" in told
    assert "replica identity" in told
    done = command("run")
    assert done.code == 3
    assert [one["table"] for one in done.data["failures"]] == ["published"]
    assert "not reachable" not in done.err
    assert ids(postgresql_url) != list(range(100))
    assert ids(postgresql_url, "published") == list(range(100))


def test_a_login_that_may_only_read_is_told_where_to_write(postgresql_url: str, tmp_path: Path) -> None:
    fill(postgresql_url, 100)
    name = parse_url(postgresql_url).database
    with database(postgresql_url) as cursor:
        cursor.execute(f"ALTER ROLE {name}_owner SET default_transaction_read_only = on")
    told = _errors(_command(tmp_path, postgresql_url, "audit_event"))
    assert any("read-only transaction; nothing can be deleted there: name the primary" in one for one in told)


def test_a_server_that_takes_no_writes_is_told_of(
    mariadb_server: DatabaseServer, mariadb_url: str, tmp_path: Path
) -> None:
    fill(mariadb_url, 100, kind="DATETIME")
    with database(mariadb_server.admin_url) as cursor:
        cursor.execute("SET GLOBAL read_only = 1")
        try:
            told = _errors(_command(tmp_path, mariadb_url, "audit_event"))
        finally:
            cursor.execute("SET GLOBAL read_only = 0")
    assert any("--read-only option" in one and "in the URL that takes writes" in one for one in told)


def test_a_grant_on_the_partitioned_table_alone_is_told_of(
    postgresql_server: DatabaseServer, postgresql_url: str, tmp_path: Path
) -> None:
    name = parse_url(postgresql_url).database
    with database(postgresql_url) as cursor:
        cursor.execute("CREATE TABLE event (id int, created_at timestamp) PARTITION BY RANGE (created_at)")
        cursor.execute("CREATE TABLE event_old PARTITION OF event DEFAULT")
    admin = postgresql_server.url(postgresql_server.administrator, postgresql_server.password, name)
    with database(admin) as cursor:
        cursor.execute(f"CREATE ROLE {name}_x LOGIN PASSWORD 'Secret-1'")
        cursor.execute(f"GRANT SELECT, DELETE ON event TO {name}_x")
    try:
        command = _command(tmp_path, postgresql_server.url(f"{name}_x", "Secret-1", name), "event")
        assert any("permission denied for table event_old" in one for one in _errors(command))
    finally:
        with database(admin) as cursor:
            cursor.execute(f"DROP OWNED BY {name}_x; DROP ROLE {name}_x")


def test_the_index_of_a_partitioned_table_can_be_created_as_it_is_told(
    postgresql_url: str, tmp_path: Path
) -> None:
    with database(postgresql_url) as cursor:
        cursor.execute("CREATE TABLE event (id int, created_at timestamp) PARTITION BY RANGE (created_at)")
        cursor.execute("CREATE TABLE event_old PARTITION OF event DEFAULT")
    command = _command(tmp_path, postgresql_url, "event")
    findings = command("history", "check", "--json").data[0]["findings"]
    (remedy,) = [one["remedy"] for one in findings if "no index leads" in one["message"]]
    with database(postgresql_url) as cursor:
        cursor.execute(remedy)
    assert not command("history", "check", "--json").data[0]["findings"]


def test_a_trigger_that_names_its_table_without_a_schema_is_told_how_to(
    postgresql_url: str, tmp_path: Path
) -> None:
    fill(postgresql_url, 100)
    with database(postgresql_url) as cursor:
        cursor.execute("CREATE TABLE gone (id int)")
        cursor.execute(
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN INSERT INTO gone VALUES (OLD.id); RETURN OLD; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER note BEFORE DELETE ON audit_event FOR EACH ROW EXECUTE FUNCTION note()"
        )
    command = _command(tmp_path, postgresql_url, "audit_event")
    done = command("run")
    assert done.code == 3
    assert "ALTER FUNCTION … SET search_path" in done.error["message"]
    with database(postgresql_url) as cursor:
        cursor.execute("ALTER FUNCTION note() SET search_path = public")
    command("schedule")
    assert command("run").code == 0
    assert ids(postgresql_url, "gone")


@pytest.mark.parametrize("length", [70_000])
def test_what_a_server_says_at_length_is_shortened(postgresql_url: str, tmp_path: Path, length: int) -> None:
    fill(postgresql_url, 100)
    with database(postgresql_url) as cursor:
        cursor.execute(
            "CREATE FUNCTION talk() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '%', repeat('x', {length}); END $$"
        )
        cursor.execute(
            "CREATE TRIGGER talk BEFORE DELETE ON audit_event FOR EACH ROW EXECUTE FUNCTION talk()"
        )
    command = _command(tmp_path, postgresql_url, "audit_event")
    done = command("run")
    assert done.code == 3
    said = command("jobs").data[0]["exceptionMessage"]
    assert "characters left out" in said
    assert max(map(len, (said, done.err, done.out))) < 6_000


@pytest.fixture
def ascii_url(postgresql_server: DatabaseServer, postgresql_url: str) -> Iterator[str]:
    """URL of a database that knows of no encoding."""
    name = f"{parse_url(postgresql_url).database}_ascii"
    with connect(postgresql_server.admin_url) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    yield postgresql_server.url(postgresql_server.administrator, postgresql_server.password, name)
    with connect(postgresql_server.admin_url) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_database_without_an_encoding_is_a_history_and_a_store(ascii_url: str, tmp_path: Path) -> None:
    fill(ascii_url, 100, kind=kind_for(ascii_url))
    command = _command(tmp_path, ascii_url, "audit_event")
    command.store = ascii_url
    assert command("schedule").code == 0
    assert not _errors(command)
    done = command("run")
    assert done.code == 0, done.err
    assert done.data["removedRows"] > 0
    assert command("jobs", "log").data[0]["removed"][0]["table"] == "audit_event"
    with open_store(parse_url(ascii_url)) as store:
        assert all(isinstance(job.id, str) for job in store.jobs())
