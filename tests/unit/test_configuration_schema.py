"""Each key of the configuration file is declared once, and what is told of it is what is in force."""

from __future__ import annotations

import tomllib
from dataclasses import MISSING
from typing import TYPE_CHECKING, Any, get_args

import pytest

from cleanupctl.core.configuration.reader import load_settings
from cleanupctl.core.configuration.schema import (
    CONFIGURATION_KEYS,
    CONFIGURATION_TABLES,
    Key,
    default_value,
    keys_of,
    kind_of,
    table_of,
)
from cleanupctl.core.settings import HISTORY_KINDS, CleanupSettings, HistoryKind
from cleanupctl.core.settings.declaration import declared_keys
from cleanupctl.core.settings.declaration import key as declare
from cleanupctl.core.settings.values import TEXT
from cleanupctl.history.kinds import KINDS

if TYPE_CHECKING:
    from pathlib import Path

WITH_DEFAULT = [key for key in CONFIGURATION_KEYS if default_value(key) is not None]


def toml_value(text: str) -> Any:
    return tomllib.loads(f"key = {text}")["key"]


@pytest.mark.parametrize("key", CONFIGURATION_KEYS, ids=lambda key: key.path)
def test_every_example_is_accepted_and_every_key_described(key: Key) -> None:
    key.type.parse(toml_value(key.example))
    assert key.description.endswith(".")
    assert key.table in {table.name for table in CONFIGURATION_TABLES}


def test_paths_are_unique() -> None:
    assert len({key.path for key in CONFIGURATION_KEYS}) == len(CONFIGURATION_KEYS)


@pytest.mark.parametrize("key", WITH_DEFAULT, ids=lambda key: key.path)
def test_a_default_in_words_is_the_default_in_force(key: Key) -> None:
    assert key.default is not None
    record: Any = table_of(key.table).record
    in_force = record.__dataclass_fields__[key.name].default
    assert key.type.parse(toml_value(key.default)) == in_force


def test_a_default_that_no_value_says_is_none_or_comes_from_elsewhere() -> None:
    inherited = {
        key.path for key in CONFIGURATION_KEYS if key.declared.otherwise and key.declared.default is not None
    }
    # each of these has a test of its own for what it inherits
    assert inherited == {"timezone", "history.timezone", "history.strategy", "history.batch_ttl.TYPE"}


def test_a_default_of_none_cannot_be_declared_without_words() -> None:
    with pytest.raises(TypeError, match="said in words"):
        declare(TEXT, "Something.", default=None, example="x")
    assert declare(TEXT, "Something.", example="x").default is MISSING


def test_a_value_of_every_key_is_written_so_that_it_is_read_as_the_same() -> None:
    for key in CONFIGURATION_KEYS:
        parsed = key.type.parse(toml_value(key.example))
        assert key.type.parse(key.type.write(parsed)) == parsed


def test_a_narrowed_field_keeps_its_key() -> None:
    for record in HISTORY_KINDS.values():
        assert "kind" in dict(declared_keys(record))


def test_every_kind_has_its_settings_and_its_module() -> None:
    assert set(get_args(HistoryKind)) == set(HISTORY_KINDS)
    assert {name: kind_of(record) for name, record in HISTORY_KINDS.items()} == {
        name: name for name in HISTORY_KINDS
    }
    assert set(KINDS) == set(HISTORY_KINDS.values())
    for kind in KINDS.values():
        assert callable(kind.load().planner)
        assert callable(kind.load().check)


def test_keys_of_one_kind_say_so_and_common_ones_come_first() -> None:
    keys = keys_of("history")
    assert [key.name for key in keys.values() if key.kind is None] == [
        "name",
        "kind",
        "url",
        "password_file",
        "replica_url",
        "timezone",
        "schema",
    ]
    assert {key.kind for key in list(keys.values())[7:]} == {"camunda"}
    assert [table_of(f"history.{name}").kind for name in ("batch_ttl", "ttl", "table")] == [
        "camunda",
        "camunda",
        "tables",
    ]


def test_the_digest_is_that_of_the_values_whatever_their_order(tmp_path: Path) -> None:
    def digest(text: str) -> str:
        path = tmp_path / "config.toml"
        path.write_text(text)
        return load_settings(config=path, database="sqlite:////x", environment={}, is_root=True).digest

    one = digest('timezone = "UTC"\n[cleanup]\nretries = 5\nparallelism = 2\n[throttle]\nmax_load = 3\n')
    other = digest('timezone = "UTC"\n[throttle]\nmax_load = 3.0\n[cleanup]\nparallelism = 2\nretries = 5\n')
    assert one == other != digest('timezone = "UTC"\n')
    assert digest('timezone = "UTC"\n[cleanup]\nretries = 3') == digest('timezone = "UTC"\n')
    assert CleanupSettings().retries == 3
