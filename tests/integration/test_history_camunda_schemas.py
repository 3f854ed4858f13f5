"""Engine histories under other names: prefixes, schemas, letter case, and engines of years ago."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.core.run.cleaning import Noticed
from tests.support.camunda.data import fill
from tests.support.camunda.end_time import Policy, all_rows, without
from tests.support.camunda.end_time_runs import NOW, clean, execute, settings
from tests.support.engine_schema import create_engine_schema
from tests.support.servers import connect

if TYPE_CHECKING:
    from tests.support.camunda.end_time import Rows

OLD = "org.camunda.bpm:camunda-engine:7.10.0"
STRATEGIES = ("removal-time", "end-time")


def expected(rows: Rows, strategy: str) -> dict[str, set[str]]:
    """Ids of what goes; nothing of what fills these tables runs with a removal time that is past."""
    if strategy == "end-time":
        return Policy(rows, NOW).expected()
    now = NOW.replace(tzinfo=None)
    return {
        table: {
            one
            for one, row in found.items()
            if (row.get("REMOVAL_TIME_") or NOW.replace(year=9999, tzinfo=None)) <= now
        }
        for table, found in rows.items()
    }


def fill_some(url: str, **where: Any) -> None:
    fill(
        url, expired_instances=20, unexpired_instances=20, now=NOW, interleaved=True, orphans=0,
        analyze=False, **where,
    )  # fmt: skip


def rename_tables(url: str, prefix: str, *, lower: bool) -> None:
    with connect(url) as connection, connection.cursor() as cursor:
        place = "current_schema()" if url.startswith("postgresql") else "database()"
        cursor.execute(f"SELECT table_name FROM information_schema.tables WHERE table_schema = {place}")
        for (name,) in cursor.fetchall():
            new = prefix + (name.lower() if lower else name)
            if new != name:
                cursor.execute(f"ALTER TABLE {name} RENAME TO {new}")


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(("prefix", "lower"), [("PRE_", False), ("", True)])
def test_tables_are_found_with_a_prefix_and_in_either_case(
    engine_url: str, strategy: str, prefix: str, lower: bool
) -> None:
    fill_some(engine_url)
    rename_tables(engine_url, prefix, lower=lower)
    before = all_rows(engine_url, prefix=prefix)
    clean(settings(engine_url, strategy=strategy, table_prefix=prefix))
    assert all_rows(engine_url, prefix=prefix) == without(before, expected(before, strategy))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_schema_that_is_configured_is_cleaned_and_no_other(postgresql_url: str, strategy: str) -> None:
    for schema in ("public", "engine"):
        create_engine_schema(postgresql_url, schema=schema)
        fill_some(postgresql_url, schema=schema)
    public, engine = (all_rows(postgresql_url, schema=schema) for schema in ("public", "engine"))
    clean(settings(postgresql_url, strategy=strategy, schema="engine"))
    assert all_rows(postgresql_url, schema="public") == public
    assert all_rows(postgresql_url, schema="engine") == without(engine, expected(engine, strategy))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_engine_of_years_ago_is_cleaned_with_the_columns_it_has(server_url: str, strategy: str) -> None:
    create_engine_schema(server_url, artifact=OLD)
    fill_some(server_url)
    before = all_rows(server_url)
    events = clean(settings(server_url, strategy=strategy, task_metrics_ttl=1))
    after = all_rows(server_url)
    gone = expected(before, strategy)
    assert sum(map(len, gone.values())) > 100
    assert after == without(before, gone)
    notices = " ".join(event.message for event in events if isinstance(event, Noticed))
    assert ("ACT_RU_TASK_METER_LOG" in notices) is (strategy == "end-time")


def test_rows_that_an_older_engine_wrote_have_no_root(server_url: str) -> None:
    create_engine_schema(server_url, artifact=OLD)
    fill_some(server_url)
    tables = [
        table
        for table, rows in all_rows(server_url).items()
        if any("ROOT_PROC_INST_ID_" in row for row in rows.values())
    ]
    execute(server_url, *(f"UPDATE {table} SET ROOT_PROC_INST_ID_ = NULL" for table in tables))
    before = all_rows(server_url)
    clean(settings(server_url))
    assert all_rows(server_url) == without(before, Policy(before, NOW).expected())
