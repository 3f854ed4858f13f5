"""What others created in a schema of the search path is never run with our login's rights."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import cleanupctl
from cleanupctl.core.store import open_store
from cleanupctl.core.urls import parse_url
from cleanupctl.history.databases.servers import connect
from tests.support.command import Command
from tests.support.cursors import database as cursor_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers import DatabaseServer

CALL = re.compile(r"(?<!\w)([a-z_]{3,})\(", re.IGNORECASE)
UNQUALIFIED = re.compile(rf"(?<![\w.]){CALL.pattern}", re.IGNORECASE)
GRAMMAR = {"ANY", "ARRAY", "COALESCE", "EXTRACT", "OPERATOR"}
"""What looks like a call and is none: nobody can create another one."""
ARGUMENTS = ("name", "oid", "varchar", "integer", "timestamp", "name, varchar", "varchar, varchar")
"""Types that the server's own functions take only after a conversion, or that ours take exactly."""
OPERATORS = ("=", "<>", "<", "<=", ">", ">=")


def _texts(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def _lay_traps(server: DatabaseServer, url: str) -> None:
    """Let another user of the database create what a careless session would call."""
    name = parse_url(url).database
    called = {one.lower() for text in _texts(Path(cleanupctl.__file__).parent) for one in CALL.findall(text)}
    with cursor_of(url) as cursor:
        cursor.execute("SELECT DISTINCT proname FROM pg_proc WHERE proname = ANY(%s)", (list(called),))
        functions = [row[0] for row in cursor.fetchall()]
    assert {"lower", "min", "pg_relation_size"} < set(functions)
    administrator = server.url(server.administrator, server.password, name)
    body = "LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$"
    with cursor_of(administrator) as cursor:
        cursor.execute(f"CREATE ROLE {name}_other; GRANT ALL ON SCHEMA public TO {name}_other")
        cursor.execute(f"SET ROLE {name}_other")
        for function in functions:
            for arguments in ARGUMENTS:
                cursor.execute(f'CREATE FUNCTION public."{function}"({arguments}) RETURNS boolean {body}')
        for number, operator in enumerate(OPERATORS):
            cursor.execute(f"CREATE FUNCTION public.trap{number}(varchar, varchar) RETURNS boolean {body}")
            cursor.execute(
                f"CREATE OPERATOR public.{operator}"
                f" (FUNCTION = public.trap{number}, LEFTARG = varchar, RIGHTARG = varchar)"
            )


EVENTS = """
timezone = "UTC"
[[history]]
name = "h"
kind = "tables"
url = "{url}"
[[history.table]]
name = "event"
time_column = "at"
ttl = 30
"""
"""A configuration that cleans one table."""


def test_functions_and_operators_of_others_are_never_called(
    postgresql_server: DatabaseServer, postgresql_url: str, tmp_path: Path
) -> None:
    with cursor_of(postgresql_url) as cursor:
        cursor.execute("CREATE TABLE event (id varchar(40) PRIMARY KEY, at timestamp)")
        cursor.execute("CREATE TABLE note (id varchar(40) PRIMARY KEY, event varchar(40) REFERENCES event)")
        cursor.execute(
            "INSERT INTO event VALUES ('a', '2020-01-01'), ('b', '2020-01-01'), ('c', '2999-01-01')"
        )
        cursor.execute("INSERT INTO note VALUES ('n', 'b')")
    _lay_traps(postgresql_server, postgresql_url)
    cleanupctl = Command(tmp_path, store=postgresql_url)
    cleanupctl.configure(EVENTS.format(url=postgresql_url))
    for arguments in (
        "schedule",
        "jobs",
        "run --dry-run",
        "history check",
        "history report",
        "run",
        "jobs log",
    ):
        done = cleanupctl(*arguments.split())
        assert (done.code, "trapped" in done.out + done.err) == (0, False), (arguments, done.out, done.err)
    with cursor_of(postgresql_url) as cursor:
        cursor.execute("SELECT id FROM event ORDER BY id")
        assert [row[0] for row in cursor.fetchall()] == ["b", "c"]


def test_every_session_looks_names_up_in_the_servers_own_schema(postgresql_url: str) -> None:
    url = parse_url(postgresql_url)
    history = connect(url)
    with open_store(url) as store:
        seen = [
            history.query("SHOW search_path"),
            store._session.database.execute_sql("SHOW search_path").fetchall(),
        ]
    history.close()
    assert seen == [[("pg_catalog, pg_temp",)]] * 2


def test_functions_of_the_server_are_called_by_their_schema() -> None:
    folder = Path(cleanupctl.__file__).parent / "history" / "databases" / "postgresql"
    texts = [text for text in _texts(folder) if re.search(r"\b(SELECT|FROM|WHERE)\b", text)]
    assert {one.upper() for text in texts for one in UNQUALIFIED.findall(text)} <= GRAMMAR


def test_tables_of_the_old_search_path_are_found(postgresql_url: str) -> None:
    name = parse_url(postgresql_url).database
    with cursor_of(postgresql_url) as cursor:
        cursor.execute("CREATE SCHEMA aside")
        cursor.execute(f"ALTER DATABASE {name} SET search_path = aside, public")
    with open_store(parse_url(postgresql_url)) as store:
        assert store.jobs() == []
    with cursor_of(postgresql_url) as cursor:
        cursor.execute("SELECT to_regclass('aside.cleanupctl_job') IS NOT NULL")
        assert cursor.fetchone()[0]
        cursor.execute(f"ALTER DATABASE {name} SET search_path = public, aside")
    with open_store(parse_url(postgresql_url)) as store:
        assert store.jobs() == []
    with cursor_of(postgresql_url) as cursor:
        cursor.execute("SELECT to_regclass('public.cleanupctl_job') IS NULL")
        assert cursor.fetchone()[0]


def test_keys_are_compared_as_the_foreign_key_does(postgresql_url: str, tmp_path: Path) -> None:
    with cursor_of(postgresql_url) as cursor:
        cursor.execute("CREATE EXTENSION citext")
        cursor.execute("CREATE TABLE event (id citext PRIMARY KEY, at timestamp)")
        cursor.execute(
            "CREATE TABLE note (id int PRIMARY KEY, at timestamp,"
            " event citext REFERENCES event ON DELETE CASCADE)"
        )
        cursor.execute("INSERT INTO event VALUES ('Spring', '2020-01-01'), ('Autumn', '2020-01-01')")
        cursor.execute("INSERT INTO note VALUES (1, '2999-01-01', 'SPRING')")
    cleanupctl = Command(tmp_path, store=f"sqlite:///{tmp_path}/jobs.db")
    cleanupctl.configure(
        EVENTS.format(url=postgresql_url)
        + """[[history.table]]
name = "note"
time_column = "at"
ttl = 30
"""
    )
    assert cleanupctl("schedule").code == 0
    done = cleanupctl("run")
    assert done.code == 0, done.out + done.err
    with cursor_of(postgresql_url) as cursor:
        cursor.execute("SELECT id::text FROM event UNION SELECT id::text FROM note")
        assert sorted(row[0] for row in cursor.fetchall()) == ["1", "Spring"]
