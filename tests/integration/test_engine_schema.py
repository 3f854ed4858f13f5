"""The engine's tables as the tests make them: complete, and without the parts left out."""

from __future__ import annotations

import pytest

from tests.support.engine_schema import CAMUNDA, OPERATON, create_engine_schema
from tests.support.servers import connect


def _tables(url: str) -> set[str]:
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT upper(table_name) FROM information_schema.tables"
            " WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
        )
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.parametrize("artifact", [CAMUNDA, OPERATON])
def test_the_whole_schema_is_created(server_url: str, artifact: str) -> None:
    create_engine_schema(server_url, artifact=artifact)
    assert {"ACT_HI_PROCINST", "ACT_HI_DECINST", "ACT_HI_CASEINST", "ACT_ID_USER"} <= _tables(server_url)


def test_decision_and_case_tables_can_be_left_out(server_url: str) -> None:
    create_engine_schema(server_url, parts=["engine"])
    tables = _tables(server_url)
    assert "ACT_HI_PROCINST" in tables
    assert not tables & {"ACT_HI_DECINST", "ACT_RE_DECISION_DEF", "ACT_HI_CASEINST", "ACT_RE_CASE_DEF"}


def test_the_tables_can_live_in_a_postgresql_schema_of_their_own(postgresql_url: str) -> None:
    create_engine_schema(postgresql_url, parts=["engine"], schema="camunda")
    with connect(postgresql_url) as connection:
        row = connection.execute(
            "SELECT to_regclass('camunda.act_hi_procinst') IS NOT NULL, to_regclass('public.act_hi_procinst')"
        ).fetchone()
    assert row == (True, None)


def test_an_unknown_part_is_refused(postgresql_url: str) -> None:
    with pytest.raises(ValueError, match="history"):
        create_engine_schema(postgresql_url, parts=["history"])
