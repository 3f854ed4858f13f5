"""Triggers and rules that run when rows are deleted: told, and refused where they change other rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.run.cleaning import Failed, Noticed
from cleanupctl.core.settings import CleanupSettings, TableSettings, TablesSettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history.check import check
from cleanupctl.history.databases.programs import tables_changed
from cleanupctl.history.kinds import history
from tests.support.cleaning import NOW, clean
from tests.support.table_histories import AUDIT, fill, ids, kind_for, run, settings

if TYPE_CHECKING:
    from tests.support.servers import DatabaseServer

ALLOWED = replace(AUDIT, cascade="allow")
ADDS = "INSERT INTO line (id) VALUES ({old}.id + 1000)"
DELETES = "DELETE FROM line WHERE id = {old}.id"
SETS = "UPDATE line SET what = 'gone' WHERE id = {old}.id"


def trigger(url: str, body: str, table: str = "audit_event") -> None:
    """Make a trigger that does something for each deleted row of a table."""
    text = body.format(old="OLD")
    if url.startswith("postgresql"):
        run(
            url,
            "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql SET search_path = public"
            f" AS $$BEGIN {text}; RETURN OLD; END$$",
            f"CREATE TRIGGER act AFTER DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION act()",
        )
    elif url.startswith("sqlite"):
        run(url, f"CREATE TRIGGER act AFTER DELETE ON {table} BEGIN {text}; END")
    else:
        run(url, f"CREATE TRIGGER act AFTER DELETE ON {table} FOR EACH ROW {text}")


def filled(url: str) -> None:
    fill(url, 200, kind=kind_for(url))
    run(
        url,
        "CREATE TABLE line (id INTEGER PRIMARY KEY, what VARCHAR(40))",
        "INSERT INTO line SELECT id, 'here' FROM audit_event",
    )


def told(configured: TablesSettings) -> tuple[list[str], list[str]]:
    """What a dry run tells of triggers and rules, and what it fails with."""
    with history(configured, CleanupSettings()).open() as session:
        events = list(session.preview(NOW))
    notices = [one.message for one in events if isinstance(one, Noticed) and " runs the " in one.message]
    return notices, [str(one.error) for one in events if isinstance(one, Failed)]


def found(configured: TablesSettings, severity: str) -> list[str]:
    findings = check(configured, NOW).findings
    return [one.message for one in findings if one.severity == severity and " runs the " in one.message]


def test_a_trigger_that_adds_rows_is_told_and_the_table_is_cleaned(database_url: str) -> None:
    filled(database_url)
    trigger(database_url, ADDS)
    configured = settings(database_url, AUDIT)
    (notice,), failures = told(configured)
    assert "the trigger act of " in notice
    assert failures == found(configured, "error") == []
    assert found(configured, "hint") == [notice]
    clean(configured)
    assert ids(database_url) == list(range(90))
    assert len(ids(database_url, "line")) == 200 + 110


@pytest.mark.parametrize("body", [DELETES, SETS])
def test_a_trigger_that_deletes_or_changes_rows_needs_leave(database_url: str, body: str) -> None:
    filled(database_url)
    trigger(database_url, body)
    configured = settings(database_url, AUDIT)
    _, (refused,) = told(configured)
    assert "the trigger act of" in refused
    assert "rows of line" in refused
    assert found(configured, "error") == [refused]
    assert [str(one.error) for one in clean(configured) if isinstance(one, Failed)] == [refused]
    assert len(ids(database_url)) == len(ids(database_url, "line")) == 200
    allowed = settings(database_url, ALLOWED)
    (notice,), failures = told(allowed)
    assert "deletes or changes rows of line" in notice
    assert failures == []
    clean(allowed)
    assert ids(database_url) == list(range(90))
    run(database_url, "DELETE FROM line WHERE what <> 'here'")
    assert ids(database_url, "line") == list(range(90))


def test_a_rule_counts_as_a_trigger_does(postgresql_url: str) -> None:
    filled(postgresql_url)
    run(postgresql_url, f"CREATE RULE act AS ON DELETE TO audit_event DO ALSO {DELETES.format(old='OLD')}")
    _, (refused,) = told(settings(postgresql_url, AUDIT))
    assert "the rule act of public.audit_event" in refused
    run(
        postgresql_url,
        "CREATE OR REPLACE RULE act AS ON DELETE TO audit_event DO ALSO NOTIFY gone",
    )
    (notice,), failures = told(settings(postgresql_url, AUDIT))
    assert notice.endswith("runs the rule act of public.audit_event")
    assert failures == []


def test_triggers_of_rows_that_go_along_count_too_even_where_these_have_a_policy(database_url: str) -> None:
    filled(database_url)
    run(
        database_url,
        f"CREATE TABLE part (id INTEGER PRIMARY KEY, at {kind_for(database_url)} NULL, event INTEGER,"
        " FOREIGN KEY (event) REFERENCES audit_event (id) ON DELETE CASCADE)",
        "INSERT INTO part SELECT id, created_at, id FROM audit_event",
    )
    trigger(database_url, DELETES, "part")
    part = TableSettings("part", "at", ttl=90)
    _, failures = told(settings(database_url, AUDIT, part))
    if database_url.startswith("mysql"):
        # Rows that a foreign key deletes run no trigger.
        assert len(failures) == 1
        return
    assert len(failures) == 2
    assert all("the trigger act of" in one for one in failures)


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("DELETE FROM shop.line WHERE 1 = 1", ("shop.line",)),
        ('delete\n from only "line"; UPDATE `note` n SET x = 1', ('"line"', "`note`")),
        ("UPDATE OR IGNORE [line] SET a = 1", ("[line]",)),
        ("UPDATE line AS l SET a = 1; DELETE l FROM line AS l", ("line",)),
        ("TRUNCATE TABLE line", ("line",)),
        ("IF TG_OP = 'DELETE' THEN INSERT INTO log VALUES (OLD.id, 'DELETE FROM line'); END IF", ()),
        ("-- DELETE FROM line\n/* UPDATE line SET a = 1 */ SELECT 1 FOR UPDATE", ()),
        ("INSERT INTO deleted (id) SELECT OLD.id", ()),
    ],
)
def test_tables_are_seen_in_a_text_that_deletes_or_changes_rows(text: str, tables: tuple[str, ...]) -> None:
    assert tables_changed(text) == tables


def test_a_login_that_may_see_no_triggers_is_told_what_shows_them(
    mariadb_server: DatabaseServer, mariadb_url: str
) -> None:
    filled(mariadb_url)
    trigger(mariadb_url, DELETES)
    name = parse_url(mariadb_url).database
    admin = mariadb_server.url(mariadb_server.administrator, mariadb_server.password, name)
    run(
        admin,
        f"CREATE USER '{name}_x'@'%' IDENTIFIED BY 'Secret-1'",
        f"GRANT SELECT, DELETE ON {name}.audit_event TO '{name}_x'@'%'",
        f"GRANT REFERENCES ON {name}.* TO '{name}_x'@'%'",
    )
    try:
        configured = settings(mariadb_server.url(f"{name}_x", "Secret-1", name), AUDIT)
        (unread,) = found(configured, "error")
        assert "may not see what it does: GRANT TRIGGER ON" in unread
        assert [str(one.error) for one in clean(configured) if isinstance(one, Failed)] == [unread]
        (hint,) = [one for one in check(configured, NOW).findings if "may not see triggers" in one.message]
        assert hint.severity == "hint"
        run(admin, str(hint.remedy))
        (seen,) = found(configured, "error")
        assert "rows of line" in seen
    finally:
        run(admin, f"DROP USER '{name}_x'@'%'")
    assert not [
        one for one in check(settings(mariadb_url, AUDIT), NOW).findings if "may not see" in one.message
    ]
