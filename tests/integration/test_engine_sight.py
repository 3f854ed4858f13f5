"""What a login cannot see of an engine's tables is not absent: nothing is deleted, and the GRANT is told."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.errors import HistoryError
from cleanupctl.core.urls import parse_url
from cleanupctl.history.camunda.explain.facts import load_facts
from cleanupctl.history.camunda.repair.orphans import count_orphans
from cleanupctl.history.camunda.report.report import full_report
from cleanupctl.history.check import check
from tests.support.camunda.end_time_runs import execute
from tests.support.camunda.histories import query, settings
from tests.support.cleaning import NOW, clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.databases.findings import Finding
    from tests.support.servers import DatabaseServer

INSTANCE = (
    "INSERT INTO ACT_HI_PROCINST (ID_, PROC_INST_ID_, ROOT_PROC_INST_ID_, PROC_DEF_ID_, PROC_DEF_KEY_,"
    " START_TIME_, END_TIME_, REMOVAL_TIME_)"
    " VALUES ('{0}', '{0}', '{0}', 'order:1:x', 'order', '2020-01-01', {1}, '2020-02-01')"
)
ACTIVITY = (
    "INSERT INTO ACT_HI_ACTINST (ID_, PROC_INST_ID_, ROOT_PROC_INST_ID_, EXECUTION_ID_, PROC_DEF_ID_,"
    " ACT_ID_, ACT_TYPE_, START_TIME_, REMOVAL_TIME_) VALUES"
    " ('{0}a', '{0}', '{0}', '{0}', 'order:1:x', 'pack', 'userTask', '2020-01-01', '2020-02-01')"
)
LONG = "INSERT INTO ACT_RE_PROCDEF (ID_, KEY_, VERSION_, HISTORY_TTL_) VALUES ('order:1:x', 'order', 1, 3650)"


def rows(url: str) -> list[int]:
    return [
        query(url, f"SELECT count(*) FROM {table}")[0][0] for table in ("ACT_HI_PROCINST", "ACT_HI_ACTINST")
    ]


@contextmanager
def login(
    engine_url: str, server: DatabaseServer, grants: Callable[[str], str | None], host: str = "%"
) -> Iterator[str]:
    """Yield the URL of a login on MariaDB with what `grants` says for each table."""
    database = parse_url(engine_url).database
    tables = [row[0] for row in query(engine_url, "SHOW TABLES")]
    given = [(table, grants(table.upper())) for table in tables]
    execute(
        server.admin_url,
        f"CREATE USER 'some'@'{host}' IDENTIFIED BY 'secret'",
        *(f"GRANT {what} ON {database}.{table} TO 'some'@'{host}'" for table, what in given if what),
    )
    try:
        yield server.url("some", "secret", database)
    finally:
        execute(server.admin_url, f"DROP USER 'some'@'{host}'")


def errors(configured: CamundaSettings) -> list[Finding]:
    """Return what a check finds wrong, apart from foreign keys that the login cannot see."""
    found = [one for one in check(configured, NOW).findings if one.severity == "error"]
    return [one for one in found if "foreign keys" not in one.message]


def refused(act: Callable[[], object]) -> str:
    """Return the GRANTs that a refusal tells."""
    with pytest.raises(HistoryError) as error:
        act()
    assert "nothing is deleted" in error.value.message
    return error.value.message.split("; run ")[1]


def everything(configured: CamundaSettings) -> list[Callable[[], object]]:
    return [
        lambda: clean(configured),
        lambda: clean(replace(configured, strategy="end-time", default_ttl=30)),
        lambda: full_report(configured, NOW, exact=True),
        lambda: load_facts(replace(configured, strategy="end-time"), "p"),
    ]


@pytest.mark.parametrize("host", ["%", "127.0.0.1"])
@pytest.mark.parametrize("hidden", ["ACT_HI_VARINST", "ACT_HI_DECINST"])
def test_a_history_table_without_privileges_stops_everything_until_it_is_granted(
    engine_mariadb_url: str, mariadb_server: DatabaseServer, hidden: str, host: str
) -> None:
    url = engine_mariadb_url
    execute(url, LONG, INSTANCE.format("p", "'2020-01-02'"), ACTIVITY.format("p"))

    def grants(table: str) -> str | None:
        return None if table == hidden else "SELECT, DELETE"

    with login(url, mariadb_server, grants, host) as limited:
        told = {refused(act) for act in everything(settings(limited))}
        assert len(told) == 1
        assert rows(url) == [1, 1]
        findings = errors(settings(limited))
        assert [one.table for one in findings] == [hidden]
        execute(mariadb_server.admin_url, *told.pop().split(";")[:1])
        clean(replace(settings(limited), strategy="end-time", default_ttl=30))
        assert rows(url) == [1, 1]
        assert [one for one in count_orphans(settings(limited), NOW) if one.rows] == []
        execute(mariadb_server.admin_url, *(one.remedy or "" for one in findings))
        database = parse_url(url).database
        execute(mariadb_server.admin_url, f"GRANT REFERENCES ON {database}.* TO 'some'@'{host}'")
        assert not check(settings(limited), NOW).failed
        clean(settings(limited))
        assert rows(url) == [0, 0]


@pytest.mark.parametrize("granted", ["SELECT (ID_, KEY_)", None])
def test_a_definition_that_the_login_may_not_read_is_not_missing(
    engine_mariadb_url: str, mariadb_server: DatabaseServer, granted: str | None
) -> None:
    url = engine_mariadb_url
    execute(url, LONG, INSTANCE.format("p", "'2020-01-02'"))

    def grants(table: str) -> str | None:
        if table == "ACT_RE_PROCDEF":
            return granted
        return "SELECT, DELETE"

    with login(url, mariadb_server, grants) as limited:
        configured = replace(settings(limited), strategy="end-time", default_ttl=30)
        told = refused(lambda: clean(configured))
        assert rows(url) == [1, 0]
        assert [one.table for one in errors(configured)] == ["ACT_RE_PROCDEF"]
        execute(mariadb_server.admin_url, told)
        clean(configured)
        assert rows(url) == [1, 0]


def test_a_column_that_says_whether_an_instance_runs_must_be_readable(
    engine_mariadb_url: str, mariadb_server: DatabaseServer
) -> None:
    url = engine_mariadb_url
    execute(url, INSTANCE.format("p", "NULL"), ACTIVITY.format("p"))
    known = "ID_, PROC_INST_ID_, ROOT_PROC_INST_ID_, PROC_DEF_ID_, START_TIME_, REMOVAL_TIME_"

    def grants(table: str) -> str | None:
        return f"SELECT ({known}), DELETE" if table == "ACT_HI_PROCINST" else "SELECT, DELETE"

    with login(url, mariadb_server, grants) as limited:
        execute(mariadb_server.admin_url, refused(lambda: clean(settings(limited))))
        clean(settings(limited))
    assert rows(url) == [1, 1]


def test_orphans_are_not_looked_for_where_executions_cannot_be_read(
    engine_mariadb_url: str, mariadb_server: DatabaseServer
) -> None:
    url = engine_mariadb_url
    execute(url, ACTIVITY.format("p"))

    def grants(table: str) -> str | None:
        return None if table == "ACT_RU_EXECUTION" else "SELECT, DELETE"

    with login(url, mariadb_server, grants) as limited:
        told = refused(lambda: list(count_orphans(settings(limited), NOW)))
        warned = [one for one in check(settings(limited), NOW).findings if one.table == "ACT_RU_EXECUTION"]
        assert [(one.severity, one.remedy) for one in warned] == [("warning", told)]
        execute(mariadb_server.admin_url, told)
        assert [one.rows for one in count_orphans(settings(limited), NOW) if one.rows] == [1]


@pytest.mark.parametrize("table", ["ACT_HI_PROCINST", "ACT_RE_PROCDEF", "ACT_HI_VARINST"])
def test_rows_that_a_policy_hides_are_not_absent(
    engine_postgresql_url: str, postgresql_server: DatabaseServer, table: str
) -> None:
    url = engine_postgresql_url
    execute(url, LONG, INSTANCE.format("p", "NULL"), ACTIVITY.format("p"))
    server = postgresql_server
    database = parse_url(url).database
    admin = server.url(server.administrator, server.password, database)
    execute(
        admin,
        "CREATE ROLE some_tenant LOGIN PASSWORD 'secret'",
        "GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA public TO some_tenant",
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY own ON {table} TO some_tenant USING (TENANT_ID_ = 'a')",
    )
    try:
        limited = settings(server.url("some_tenant", "secret", database))
        # The removal-time strategy does not ask definitions.
        for act in everything(limited)[table == "ACT_RE_PROCDEF" :]:
            with pytest.raises(HistoryError, match="row-level security hides rows of"):
                act()
        findings = [one for one in check(limited, NOW).findings if one.severity == "error"]
        assert [one.message for one in findings] == [
            f"row-level security hides rows of {table.lower()} from some_tenant"
        ]
        execute(admin, *(one.remedy or "" for one in findings))
        clean(limited)
        assert rows(url) == [1, 1]
    finally:
        execute(admin, "DROP OWNED BY some_tenant", "DROP ROLE some_tenant")


@pytest.mark.parametrize("table", ["ACT_ID_USER", "ACT_RE_PROCDEF", "ACT_HI_CASEINST"])
def test_rows_that_a_view_leaves_out_are_not_absent(engine_url: str, table: str) -> None:
    url = engine_url
    execute(url, LONG, INSTANCE.format("p", "'2020-01-02'"), ACTIVITY.format("p"))
    if table == "ACT_ID_USER":
        word = "CONSTRAINT" if url.startswith("postgresql") else "FOREIGN KEY"
        execute(
            url,
            f"ALTER TABLE ACT_ID_MEMBERSHIP DROP {word} ACT_FK_MEMB_USER",
            f"ALTER TABLE ACT_ID_TENANT_MEMBER DROP {word} ACT_FK_TENANT_MEMB_USER",
        )
    execute(
        url,
        "INSERT INTO ACT_GE_BYTEARRAY (ID_, CREATE_TIME_) VALUES ('picture', '2020-01-01')",
        "INSERT INTO ACT_ID_USER (ID_, PICTURE_ID_) VALUES ('ann', 'picture')",
        f"ALTER TABLE {table} RENAME TO behind",
        f"CREATE VIEW {table} AS SELECT * FROM behind WHERE ID_ = 'other'",
    )
    by_end = replace(settings(url), strategy="end-time", default_ttl=30)
    acts: dict[str, list[Callable[[], object]]] = {
        "ACT_ID_USER": [lambda: list(count_orphans(settings(url), NOW))],
        "ACT_RE_PROCDEF": [lambda: clean(by_end), lambda: full_report(by_end, NOW, exact=True)],
        "ACT_HI_CASEINST": [lambda: clean(settings(url)), lambda: clean(by_end)],
    }
    for act in acts[table]:
        with pytest.raises(HistoryError, match=f"(?i){table} may leave rows out"):
            act()
    findings = [one for one in check(by_end, NOW).findings if "may leave rows out" in one.message]
    assert {(one.table or "").upper() for one in findings} == {table}
    if table == "ACT_ID_USER":
        report = full_report(settings(url), NOW, exact=True)
        assert [(one.rows, "may leave rows out" in one.reason) for one in report.orphans] == [(None, True)]
    execute(url, f"DROP VIEW {table}", f"CREATE VIEW {table} AS SELECT * FROM behind")
    assert [one for one in count_orphans(settings(url), NOW) if one.rows] == []
    assert not [one for one in check(by_end, NOW).findings if "may leave rows out" in one.message]
