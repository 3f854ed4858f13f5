"""`history check` on the engine's real schema: each planted fault is found, with the remedy that mends it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.urls import parse_url
from cleanupctl.history.check import check
from tests.support.camunda.end_time_runs import execute
from tests.support.camunda.histories import settings
from tests.support.servers import connect

if TYPE_CHECKING:
    from cleanupctl.history.databases.findings import Checked, Finding
    from tests.support.servers import DatabaseServer

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)
DEFINITION = (
    "INSERT INTO ACT_RE_PROCDEF (ID_, KEY_, VERSION_, HISTORY_TTL_) VALUES ('order:1:x', 'order', 1, {ttl})"
)


def instance(name: str, *, end: str | None, removal: str | None, start: str = "2024-01-01 10:00:00") -> str:
    values = ", ".join("NULL" if value is None else f"'{value}'" for value in (end, removal))
    return (
        "INSERT INTO ACT_HI_PROCINST (ID_, PROC_INST_ID_, ROOT_PROC_INST_ID_, PROC_DEF_ID_, START_TIME_,"
        f" END_TIME_, REMOVAL_TIME_) VALUES ('{name}', '{name}', '{name}', 'order:1:x', '{start}', {values})"
    )


def found(checked: Checked, message: str, severity: str | None = None) -> Finding:
    matching = [finding for finding in checked.findings if message in finding.message]
    assert len(matching) == 1, [finding.message for finding in checked.findings]
    assert severity is None or matching[0].severity == severity
    return matching[0]


def messages(checked: Checked) -> list[str]:
    return [finding.message for finding in checked.findings]


@pytest.fixture
def sound_url(engine_postgresql_url: str) -> str:
    """A database of an engine with which nothing is wrong."""
    return _sound(engine_postgresql_url)


@pytest.fixture
def each_sound_url(engine_url: str, request: pytest.FixtureRequest) -> str:
    """The same once on each kind, for what depends on it; the user may look at transactions."""
    if engine_url.startswith("mysql"):
        server: DatabaseServer = request.getfixturevalue("mariadb_server")
        execute(server.admin_url, f"GRANT PROCESS ON *.* TO '{parse_url(engine_url).user}'@'%'")
    return _sound(engine_url)


def _sound(url: str) -> str:
    execute(
        url,
        DEFINITION.format(ttl=5),
        instance("done", end="2024-01-01 11:00:00", removal="2024-01-06 11:00:00"),
    )
    return url


def test_nothing_is_found_where_nothing_is_wrong(each_sound_url: str) -> None:
    for strategy in ("removal-time", "end-time"):
        checked = check(replace(settings(each_sound_url), strategy=strategy), NOW)  # type: ignore[arg-type]
        assert messages(checked) == []
        assert checked.schema_version == "7.24.0"


def test_a_missing_index_is_found_and_its_statement_mends_it(each_sound_url: str) -> None:
    on = " ON ACT_HI_DETAIL" if each_sound_url.startswith("mysql") else ""
    execute(each_sound_url, f"DROP INDEX ACT_IDX_HI_DETAIL_RM_TIME{on}")
    finding = found(check(settings(each_sound_url), NOW), "no index leads with")
    assert finding.table is not None
    assert finding.table.upper() == "ACT_HI_DETAIL"
    execute(each_sound_url, finding.remedy or "")
    assert messages(check(settings(each_sound_url), NOW)) == []


def test_a_missing_index_of_the_end_time_strategy_is_found(sound_url: str) -> None:
    ending = replace(settings(sound_url), strategy="end-time")
    execute(sound_url, "DROP INDEX ACT_IDX_HI_OP_LOG_PROCINST")
    execute(sound_url, found(check(ending, NOW), "no index leads with").remedy or "")
    assert messages(check(ending, NOW)) == []


def test_missing_tables_are_found(sound_url: str) -> None:
    execute(sound_url, "DROP TABLE ACT_HI_DEC_OUT", "DROP TABLE ACT_HI_COMMENT")
    checked = check(settings(sound_url), NOW)
    found(checked, "there is no table ACT_HI_DEC_OUT", "hint")
    found(checked, "there is no table ACT_HI_COMMENT", "warning")


def test_another_database_is_an_error(server_url: str) -> None:
    checked = check(settings(server_url), NOW)
    found(checked, "this is no engine's database", "error")
    assert checked.failed


def test_old_columns_are_found(sound_url: str) -> None:
    execute(
        sound_url,
        "ALTER TABLE ACT_HI_VARINST DROP COLUMN REMOVAL_TIME_",
        "UPDATE ACT_GE_SCHEMA_LOG SET VERSION_ = '7.9.0'",
    )
    checked = check(settings(sound_url), NOW)
    found(checked, "removal times came with 7.10", "warning")
    found(checked, "it has no column REMOVAL_TIME_", "error")


def test_a_time_column_of_another_type_is_found(sound_url: str) -> None:
    execute(sound_url, "ALTER TABLE ACT_HI_COMMENT ALTER COLUMN REMOVAL_TIME_ TYPE text")
    found(check(settings(sound_url), NOW), "not a date with a time of day", "error")


def test_definitions_without_time_to_live_are_found(engine_postgresql_url: str) -> None:
    execute(engine_postgresql_url, DEFINITION.format(ttl="NULL"))
    found(check(settings(engine_postgresql_url), NOW), "no definition has a time to live", "warning")
    ending = replace(settings(engine_postgresql_url), strategy="end-time")
    found(check(ending, NOW), "no definition has a time to live", "error")


def test_removal_times_that_are_missing_altogether_are_an_error(engine_postgresql_url: str) -> None:
    execute(
        engine_postgresql_url,
        DEFINITION.format(ttl=5),
        instance("a", end="2024-01-01 11:00:00", removal=None),
    )
    found(check(settings(engine_postgresql_url), NOW), "none has a removal time", "error")


def test_some_missing_removal_times_are_counted(sound_url: str) -> None:
    execute(sound_url, *(instance(f"x{i}", end="2024-01-01 11:00:00", removal=None) for i in range(3)))
    found(check(settings(sound_url), NOW), "3 finished instances have no removal time", "warning")


def test_removal_times_of_running_instances_are_found(sound_url: str) -> None:
    execute(sound_url, instance("running", end=None, removal="2024-01-06 11:00:00"))
    found(check(settings(sound_url), NOW), "kept until they end", "hint")
    everything = replace(settings(sound_url), include_unfinished=True)
    found(check(everything, NOW), "removed while they run", "warning")


def test_the_engines_own_cleanup_is_found_alive_and_dead(sound_url: str) -> None:
    job = (
        "INSERT INTO ACT_RU_JOB (ID_, TYPE_, HANDLER_TYPE_, RETRIES_, DUEDATE_, SUSPENSION_STATE_)"
        " VALUES ('{0}', 'ever-living', 'history-cleanup', {1}, '2024-06-15 20:00:00', 1)"
    )
    execute(sound_url, job.format("a", 3))
    alive = found(check(settings(sound_url), NOW), "is active on this database: 1 job", "warning")
    assert "2024-06-15T20:00:00.000+0000" in alive.message
    execute(sound_url, "UPDATE ACT_RU_JOB SET RETRIES_ = 0")
    found(check(settings(sound_url), NOW), "retries of 1 of its 1 jobs are used up", "warning")


def test_a_wrong_time_zone_is_found_by_rows_from_the_future(sound_url: str) -> None:
    execute(sound_url, instance("new", end=None, removal=None, start="2024-06-15 14:00:00"))
    assert "set timezone" in str(found(check(settings(sound_url), NOW), "in the future", "warning").remedy)
    berlin = replace(settings(sound_url), timezone=ZoneInfo("Europe/Berlin"))
    assert messages(check(berlin, NOW)) == []


def test_a_cascade_on_history_is_found(each_sound_url: str) -> None:
    like_the_engine = " CHARACTER SET utf8 COLLATE utf8_bin" if each_sound_url.startswith("mysql") else ""
    execute(
        each_sound_url,
        "CREATE TABLE note (id varchar(64) PRIMARY KEY, instance varchar(64),"
        " FOREIGN KEY (instance) REFERENCES ACT_HI_PROCINST (ID_) ON DELETE CASCADE)" + like_the_engine,
    )
    found(check(settings(each_sound_url), NOW), "ON DELETE CASCADE", "error")
    allowed = replace(settings(each_sound_url), cascade="allow")
    found(check(allowed, NOW), "ON DELETE CASCADE", "hint")


def test_a_foreign_key_of_a_table_that_is_not_the_engines_is_found(sound_url: str) -> None:
    execute(
        sound_url,
        "CREATE TABLE ticket (id varchar(64) PRIMARY KEY, instance varchar(64) REFERENCES ACT_HI_PROCINST)",
    )
    found(check(settings(sound_url), NOW), "ticket points at it: the rows that it points at stay", "warning")
    ending = replace(settings(sound_url), strategy="end-time")
    found(check(ending, NOW), "the instances whose rows it points at stay", "warning")


def test_long_transactions_of_others_are_found(each_sound_url: str) -> None:
    with connect(each_sound_url, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE ACT_HI_PROCINST SET BUSINESS_KEY_ = 'held'")
        time.sleep(2.1)  # the servers count whole seconds
        checked = check(settings(each_sound_url), NOW, long_transaction=timedelta(seconds=1))
        connection.rollback()
    finding = found(checked, "has had a transaction open for", "warning")
    assert "end it" in str(finding.remedy)


def test_missing_privileges_are_found_and_the_grant_mends_them(
    each_sound_url: str, request: pytest.FixtureRequest
) -> None:
    kind = "postgresql" if each_sound_url.startswith("postgresql") else "mariadb"
    server: DatabaseServer = request.getfixturevalue(f"{kind}_server")
    reader = f"reader_{kind}_{parse_url(each_sound_url).database[-6:]}"
    database = parse_url(each_sound_url).database
    admin = server.url(server.administrator, server.password, database)
    if kind == "postgresql":
        grant = [
            f"CREATE ROLE {reader} LOGIN PASSWORD 'secret'",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}",
        ]
    else:
        grant = [
            f"CREATE USER '{reader}'@'%' IDENTIFIED BY 'secret'",
            f"GRANT SELECT ON {database}.* TO '{reader}'@'%'",
        ]
    execute(admin, *grant)
    try:
        url = server.url(reader, "secret", database)
        checked = check(settings(url), NOW)
        denied = [one for one in checked.findings if one.severity == "error"]
        assert {"has no DELETE privilege" in finding.message for finding in denied} == {True}
        assert len(denied) == 19
        execute(admin, *(finding.remedy or "" for finding in denied))
        assert not check(settings(url), NOW).failed
    finally:
        execute(
            admin,
            *(
                [f"DROP OWNED BY {reader}", f"DROP ROLE {reader}"]
                if kind == "postgresql"
                else [f"DROP USER '{reader}'@'%'"]
            ),
        )


def test_tables_that_the_user_may_not_see_are_a_matter_of_privileges(
    engine_mariadb_url: str, mariadb_server: DatabaseServer
) -> None:
    database = parse_url(engine_mariadb_url).database
    execute(
        mariadb_server.admin_url,
        "CREATE USER 'blind'@'%' IDENTIFIED BY 'secret'",
        f"GRANT SELECT, DELETE ON {database}.ACT_HI_PROCINST TO 'blind'@'%'",
    )
    try:
        checked = check(settings(mariadb_server.url("blind", "secret", database)), NOW)
        finding = found(checked, "blind has no SELECT and no DELETE privilege on ACT_HI_DETAIL", "error")
        assert finding.remedy == f"GRANT SELECT, DELETE ON `{database}`.`ACT_HI_DETAIL` TO 'blind'@'%';"
    finally:
        execute(mariadb_server.admin_url, "DROP USER 'blind'@'%'")


def test_a_storage_engine_without_transactions_is_found(engine_mariadb_url: str) -> None:
    execute(engine_mariadb_url, "ALTER TABLE ACT_HI_DETAIL ENGINE = MyISAM")
    finding = found(check(settings(engine_mariadb_url), NOW), "the storage engine is MyISAM", "error")
    execute(engine_mariadb_url, finding.remedy or "")
    assert "MyISAM" not in str(messages(check(settings(engine_mariadb_url), NOW)))


def test_autovacuum_turned_off_is_found(engine_postgresql_url: str) -> None:
    execute(engine_postgresql_url, "ALTER TABLE ACT_HI_DETAIL SET (autovacuum_enabled = false)")
    finding = found(
        check(settings(engine_postgresql_url), NOW), "autovacuum is off for this table", "warning"
    )
    execute(engine_postgresql_url, finding.remedy or "")
    assert messages(check(settings(engine_postgresql_url), NOW)) == []


def test_tables_in_another_schema_are_told(engine_postgresql_url: str) -> None:
    execute(
        engine_postgresql_url,
        "CREATE SCHEMA elsewhere",
        "ALTER TABLE ACT_HI_PROCINST SET SCHEMA elsewhere",
    )
    remedy: Any = found(check(settings(engine_postgresql_url), NOW), "no engine's database", "error").remedy
    assert 'set schema = "elsewhere"' in remedy


def test_a_schema_that_the_user_may_not_use_is_found(
    engine_postgresql_url: str, postgresql_server: DatabaseServer
) -> None:
    database = parse_url(engine_postgresql_url).database
    admin = postgresql_server.url(postgresql_server.administrator, postgresql_server.password, database)
    execute(
        admin,
        "CREATE ROLE outsider LOGIN PASSWORD 'secret'",
        "ALTER SCHEMA public RENAME TO engine",
        "REVOKE ALL ON SCHEMA engine FROM PUBLIC",
        "GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA engine TO outsider",
    )
    try:
        outsider = replace(settings(postgresql_server.url("outsider", "secret", database)), schema="engine")
        finding = found(check(outsider, NOW), "outsider may not use schema engine", "error")
        execute(admin, finding.remedy or "")
        assert not check(outsider, NOW).failed
    finally:
        execute(admin, "DROP OWNED BY outsider", "DROP ROLE outsider")
