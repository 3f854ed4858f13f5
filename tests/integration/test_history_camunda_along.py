"""Tables of an engine next to others: your own that go along, another engine's, and views of its users."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cleanupctl.core.errors import HistoryError
from cleanupctl.core.run.cleaning import Failed
from cleanupctl.history.check import check
from tests.support.camunda.data import fill
from tests.support.camunda.end_time_runs import execute, settings
from tests.support.cleaning import NOW, clean
from tests.support.engine_schema import create_engine_schema
from tests.support.servers import connect


def count(url: str, table: str) -> int:
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])  # type: ignore[index]


@pytest.mark.parametrize("strategy", ["removal-time", "end-time"])
def test_rows_of_your_own_go_along_with_the_engines_only_if_they_may(
    postgresql_url: str, strategy: str
) -> None:
    create_engine_schema(postgresql_url)
    fill(postgresql_url, expired_instances=5, unexpired_instances=5, now=NOW, orphans=0, analyze=False)
    execute(
        postgresql_url,
        "CREATE TABLE ticket (instance varchar(64) REFERENCES ACT_HI_PROCINST ON DELETE CASCADE)",
        "CREATE INDEX ON ticket (instance)",
        "INSERT INTO ticket SELECT ID_ FROM ACT_HI_PROCINST",
    )
    before = count(postgresql_url, "ticket")
    configured = replace(settings(postgresql_url), strategy=strategy)
    failed = [event for event in clean(configured) if isinstance(event, Failed)]
    assert failed
    assert all("ticket (ON DELETE CASCADE)" in str(event.error) for event in failed)
    assert (count(postgresql_url, "ticket"), count(postgresql_url, "ACT_HI_PROCINST")) == (before, before)
    clean(replace(configured, cascade="allow"))
    assert count(postgresql_url, "ticket") == count(postgresql_url, "ACT_HI_PROCINST") < before


def test_engines_of_two_schemas_along_the_search_path_are_refused(postgresql_url: str) -> None:
    create_engine_schema(postgresql_url)
    name = postgresql_url.rsplit("/", 1)[1].split("?", maxsplit=1)[0]
    execute(
        postgresql_url,
        "CREATE SCHEMA second",
        "CREATE TABLE second.act_hi_procinst (LIKE public.act_hi_procinst)",
        f"ALTER DATABASE {name} SET search_path = second, public",
    )
    with pytest.raises(HistoryError, match=r"engines in the schemas second, public: set schema"):
        clean(settings(postgresql_url))
    assert any("set schema" in one.message for one in check(settings(postgresql_url), NOW).findings)
    assert not [
        one for one in clean(replace(settings(postgresql_url), schema="public")) if isinstance(one, Failed)
    ]


def test_tables_of_another_schema_are_not_mixed_with_an_engines(postgresql_url: str) -> None:
    create_engine_schema(postgresql_url)
    fill(postgresql_url, expired_instances=5, unexpired_instances=5, now=NOW, orphans=0, analyze=False)
    name = postgresql_url.rsplit("/", 1)[1].split("?", maxsplit=1)[0]
    execute(
        postgresql_url,
        "CREATE SCHEMA aside",
        "CREATE TABLE aside.act_hi_actinst AS SELECT * FROM public.act_hi_actinst",
        f"ALTER DATABASE {name} SET search_path = aside, public",
    )
    before = count(postgresql_url, "aside.act_hi_actinst")
    clean(settings(postgresql_url))
    assert (
        count(postgresql_url, "aside.act_hi_actinst")
        == before
        > count(postgresql_url, "public.act_hi_actinst")
    )
