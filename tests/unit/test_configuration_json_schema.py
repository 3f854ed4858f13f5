"""The JSON Schema of the configuration file: nothing that can be used is marked, most of the rest is."""

from __future__ import annotations

import copy
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cleanupctl.core.configuration.json_schema import configuration_schema
from cleanupctl.core.configuration.reader import check_text
from cleanupctl.core.configuration.schema import CONFIGURATION_KEYS, CONFIGURATION_TABLES, Key, Table
from cleanupctl.core.errors import ConfigurationError, InvalidValueError
from cleanupctl.core.times import DURATION_PATTERN, TTL_PATTERN
from man.generator.configuration import EXAMPLE

SCHEMA = configuration_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

ENGINE = {"name": "engine", "kind": "camunda", "url": "mysql://u@h/d"}
TABLE = {"name": "event", "time_column": "at", "ttl": 30}
AUDIT = {"name": "audit", "kind": "tables", "url": "mysql://u@h/d", "table": [TABLE]}
AROUND: dict[str, dict[str, Any]] = {
    "": {},
    "job_store": {"job_store": {"url": "mysql://u@h/d"}},
    "cleanup": {"cleanup": {}},
    "throttle": {"throttle": {}},
    "window": {"window": {}},
    "window.entry": {"window": {"entry": [{"cron": "0 1 * * *", "duration": "1h"}]}},
    "window.DAY": {"window": {"monday": {}}},
    "history": {"history": [ENGINE]},
    "history.batch_ttl": {"history": [ENGINE | {"batch_ttl": {}}]},
    "history.without_instance_ttl": {"history": [ENGINE | {"without_instance_ttl": {}}]},
    "history.ttl": {"history": [ENGINE | {"ttl": [{"key": "invoice", "ttl": "none"}]}]},
    "history.table": {"history": [AUDIT]},
}
"""A file that has the table, and what it cannot be without, by the name of the table."""
WITH = {
    "window.end": {"start": "20:00"},
    "window.cron": {"duration": "1h"},
    "window.duration": {"cron": "0 1 * * *"},
    "window.DAY.end": {"start": "20:00"},
}
"""Keys that another cannot be without."""


def inside(document: dict[str, Any], table: str) -> dict[str, Any]:
    """Find the table in a file made from AROUND."""
    found: Any = document
    for name in filter(None, table.split(".")):
        found = found["monday" if name == "DAY" else name]
        found = found[0] if isinstance(found, list) else found
    return found


def document_with(key: Key, value: object) -> dict[str, Any]:
    document = copy.deepcopy(AROUND[key.table])
    name = "set-variables" if key.name == "TYPE" else key.name
    inside(document, key.table).update(WITH.get(key.path, {}) | {name: value})
    return document


def reader_accepts(document: dict[str, Any]) -> bool:
    try:
        check_text(Path("config.toml"), tomlkit.dumps(document))
    except ConfigurationError:
        return False
    return True


def test_it_is_a_json_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_it_describes_every_key_with_its_default_and_an_example() -> None:
    text = str(SCHEMA)
    for key in CONFIGURATION_KEYS:
        assert repr(key.description)[1:-1] in text
    batch_time = SCHEMA["$defs"]["cleanup"]["properties"]["batch_time"]
    assert (batch_time["default"], batch_time["examples"]) == ("250ms", ["100ms"])
    assert "Default: no limit." in SCHEMA["$defs"]["throttle"]["properties"]["max_load"]["description"]
    tables = SCHEMA["$defs"]["history-tables"]
    assert tables["required"] == ["name", "kind", "url", "table"]
    assert "strategy" not in tables["properties"]


@pytest.mark.parametrize("text", [EXAMPLE, *re.findall(r"```toml\n(.*?)```", README, re.DOTALL)])
def test_the_examples_of_the_manual_are_valid(text: str) -> None:
    VALIDATOR.validate(tomllib.loads(text))


def test_there_is_a_file_around_every_table() -> None:
    assert list(AROUND) == [table.name for table in CONFIGURATION_TABLES]


@pytest.mark.parametrize("key", CONFIGURATION_KEYS, ids=lambda key: key.path)
def test_reader_and_schema_accept_every_key_and_refuse_another_type(key: Key) -> None:
    document = document_with(key, key.declared.example)
    assert reader_accepts(document)
    VALIDATOR.validate(document)
    for wrong in ([1], {"a": 1}, [], {}, 1.5 if "number" not in str(key.type.schema) else "1.5"):
        document = document_with(key, wrong)
        assert not reader_accepts(document), wrong
        assert not VALIDATOR.is_valid(document), wrong


@pytest.mark.parametrize("key", [key for key in CONFIGURATION_KEYS if key.required], ids=lambda key: key.path)
def test_reader_and_schema_miss_a_key_that_must_be_there(key: Key) -> None:
    document = document_with(key, key.declared.example)
    del inside(document, key.table)[key.name]
    assert not reader_accepts(document)
    assert not VALIDATOR.is_valid(document)


@pytest.mark.parametrize("table", CONFIGURATION_TABLES, ids=lambda table: table.name or "top")
def test_reader_and_schema_refuse_an_unknown_key(table: Table) -> None:
    document = copy.deepcopy(AROUND[table.name])
    inside(document, table.name)["no_such_key"] = 1
    # batch operations may have types of an application's own
    known = table.name == "history.batch_ttl"
    assert reader_accepts(document) == VALIDATOR.is_valid(document) == known


@pytest.mark.parametrize(
    "history",
    [
        AUDIT | {"strategy": "end-time"},
        AUDIT | {"ttl": [{"key": "a", "ttl": 1}]},
        AUDIT | {"table": []},
        {name: value for name, value in AUDIT.items() if name != "table"},
        ENGINE | {"table": [TABLE]},
        ENGINE | {"kind": "flowable"},
    ],
)
def test_reader_and_schema_know_what_belongs_to_which_kind(history: dict[str, Any]) -> None:
    assert not reader_accepts({"history": [history]})
    assert not VALIDATOR.is_valid({"history": [history]})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("cleanup.parallelism", 9),
        ("cleanup.parallelism", True),
        ("cleanup.strategy", "endtime"),
        ("cleanup.batch_time", "1x"),
        ("cleanup.batch_time", ""),
        ("cleanup.job_log_ttl", "P1M"),
        ("throttle.duty_cycle", 0),
        ("throttle.duty_cycle", 1.01),
        ("window.start", "25:00"),
        ("window.start", "24:00"),
        ("window.end", "24:01"),
        ("window.DAY.start", "8 pm"),
        ("history.name", "job-log"),
        ("history.name", "a b"),
        ("history.timezone", ""),
        ("history.task_metrics_ttl", "none"),
        ("history.batch_ttl.default", "none"),
        ("history.table.time_format", "nanoseconds"),
    ],
)
def test_an_editor_marks_what_is_out_of_range_or_written_wrongly(path: str, value: object) -> None:
    key = next(key for key in CONFIGURATION_KEYS if key.path == path)
    assert not reader_accepts(document_with(key, value))
    assert not VALIDATOR.is_valid(document_with(key, value))


VALUES = st.one_of(
    st.text(max_size=12),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.integers(-3, 12),
    st.floats(),
    st.from_regex(DURATION_PATTERN, fullmatch=True),
    st.from_regex(TTL_PATTERN, fullmatch=True),
    st.from_regex(r"[0-2]?\d:[0-6]\d(Z|[+-][01]\d:?[0-6]\d)?", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9._ -]{1,6}", fullmatch=True),
    st.sampled_from(
        [
            "none",
            "",
            " ",
            "24:00",
            "24:00Z",
            "root",
            "end-time",
            "process",
            "seconds",
            "camunda",
            "UTC",
            "job-log",
        ]
    ),
    st.sampled_from([key.declared.example for key in CONFIGURATION_KEYS]),
)


@given(value=VALUES)
def test_what_the_reader_accepts_of_a_key_the_schema_accepts(value: object) -> None:
    for key in CONFIGURATION_KEYS:
        try:
            key.type.parse(value)
        except InvalidValueError:
            continue
        assert Draft202012Validator(key.type.schema).is_valid(value), key.path
