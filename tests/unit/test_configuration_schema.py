"""The table of keys agrees with what the loader does and with the defaults of Settings."""

from dataclasses import fields

import pytest

from cleanupctl.core.configuration.schema import CONFIGURATION_KEYS, CONFIGURATION_TABLES, Key, keys_of
from cleanupctl.core.settings import CamundaSettings, CleanupSettings, TableSettings, TtlOverride


@pytest.mark.parametrize("key", CONFIGURATION_KEYS, ids=lambda key: key.path)
def test_every_example_is_accepted_and_every_key_described(key: Key) -> None:
    import tomllib

    key.parse(tomllib.loads(f"key = {key.example}")["key"])
    assert key.description.endswith(".")
    assert key.table in {table.name for table in CONFIGURATION_TABLES}


def test_paths_are_unique() -> None:
    assert len({key.path for key in CONFIGURATION_KEYS}) == len(CONFIGURATION_KEYS)


@pytest.mark.parametrize("key", keys_of("cleanup").values(), ids=lambda key: key.name)
def test_the_defaults_in_words_are_the_defaults_in_force(key: Key) -> None:
    import tomllib

    assert key.default is not None
    assert key.parse(tomllib.loads(f"key = {key.default}")["key"]) == getattr(CleanupSettings(), key.name)


def test_keys_have_the_names_of_their_fields() -> None:
    assert set(keys_of("cleanup")) == {field.name for field in fields(CleanupSettings)}
    tables = {"batch_ttls", "batch_default_ttl", "ttls"}
    history = {field.name for field in fields(CamundaSettings)} - tables
    assert set(keys_of("history")) == history | {"password_file"}
    assert set(keys_of("history.table")) == {field.name for field in fields(TableSettings)}
    assert set(keys_of("history.ttl")) == {field.name for field in fields(TtlOverride)}
