"""What is said of the engine's tables, held against the schema scripts of every version of the engines."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from cleanupctl.history.camunda.schema.engine_table import EVER, Part
from cleanupctl.history.camunda.schema.runtime_tables import UNRELATED_TABLES
from cleanupctl.history.camunda.schema.tables import BYTE_ARRAY_COLUMNS, ENGINE_TABLES
from tests.support.engine_scripts import CAMUNDA_VERSIONS, FORKS, scripts_of

if TYPE_CHECKING:
    from cleanupctl.history.camunda.schema.engine_table import EngineTable, Version

pytestmark = pytest.mark.schema

ENGINES = [*((artifact, version) for version, artifact in CAMUNDA_VERSIONS.items()), *FORKS.items()]
NEWEST = [artifact for artifact, version in ENGINES if version == max(CAMUNDA_VERSIONS)]
FIRST_WITH_COLUMNS = (7, 9)
"""Older schemas are only asked for their tables; `later` counts from here."""
MAY_NAME_BYTE_ARRAYS = re.compile(r"BYTE_?ARRAY|_STACK_ID_|DETAILS_ID_|CONTENT_ID_|PICTURE_ID_")
IN_NO_SCRIPT = {("ACT_HI_BATCH", "CONFIGURATION_")}
"""Asked for all the same where byte arrays are told from orphans."""


def each(*engines: tuple[str, Version]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("artifact", "version"), engines, ids=[artifact for artifact, _ in engines]
    )


def expected(table: EngineTable, version: Version) -> set[str]:
    """Columns that a table should have in a version."""
    columns = {column for column in table.columns if (table.name, column) not in IN_NO_SCRIPT}
    return {column for column in columns if (table.column_since(column) or EVER) <= version}


@each(*ENGINES)
def test_every_table_of_the_scripts_is_known(artifact: str, version: Version) -> None:
    del version
    assert set(scripts_of(artifact).tables) - set(ENGINE_TABLES) - UNRELATED_TABLES == set()


@each(*ENGINES)
def test_a_table_is_there_from_its_first_version_on(artifact: str, version: Version) -> None:
    said = {name for name, table in ENGINE_TABLES.items() if table.since <= version}
    assert said == set(scripts_of(artifact).tables) - UNRELATED_TABLES


@each(*(one for one in ENGINES if one[1] >= FIRST_WITH_COLUMNS))
def test_every_column_is_mentioned_and_there_from_its_first_version_on(
    artifact: str, version: Version
) -> None:
    scripts = scripts_of(artifact).tables
    found = {name: scripts[name].columns for name in ENGINE_TABLES if name in scripts}
    assert found == {name: expected(ENGINE_TABLES[name], version) for name in found}


@each(*ENGINES)
def test_what_may_be_left_out_is_what_has_scripts_of_its_own(artifact: str, version: Version) -> None:
    del version
    scripts = scripts_of(artifact).tables
    found = {name: scripts[name].component for name in ENGINE_TABLES if name in scripts}
    assert found == {name: ENGINE_TABLES[name].component for name in found}


@each(*ENGINES)
def test_every_column_that_refers_to_byte_arrays_is_said_to(artifact: str, version: Version) -> None:
    del version
    scripts = scripts_of(artifact)
    by_name = {
        (name, column)
        for name, table in scripts.tables.items()
        for column in table.columns
        if MAY_NAME_BYTE_ARRAYS.search(column)
    }
    assert (by_name | scripts.byte_array_keys) - set(BYTE_ARRAY_COLUMNS) == set()


@pytest.mark.parametrize("artifact", NEWEST)
def test_the_indexes_that_cleanup_needs_are_in_the_newest_scripts(artifact: str) -> None:
    wanted = {
        index: (name, column)
        for name, table in ENGINE_TABLES.items()
        for column, index in table.indexes.items()
    }
    indexes = scripts_of(artifact).indexes
    assert {index: indexes.get(index) for index in wanted} == wanted


def test_the_rows_that_are_deleted_have_an_order_without_ties() -> None:
    deleted = [one.order for one in ENGINE_TABLES.values() if one.part not in (Part.DEFINITION, Part.RUNTIME)]
    assert sorted(deleted) == list(range(1, len(deleted) + 1))


def test_no_table_is_called_unrelated_and_described_too() -> None:
    assert set(ENGINE_TABLES) & UNRELATED_TABLES == set()
    assert all(name in chain.from_iterable(scripts_of(a).tables for a in NEWEST) for name in UNRELATED_TABLES)
