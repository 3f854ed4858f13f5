"""Which time to live counts, and what the configuration may say about it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.configuration.reader import load_settings
from cleanupctl.core.configuration.serialize import settings_document
from cleanupctl.core.errors import ConfigurationError
from cleanupctl.core.settings import BatchTtls, CamundaSettings, TtlOverride, WithoutInstanceTtls
from cleanupctl.core.settings.histories import BATCH_TYPES
from cleanupctl.core.urls import parse_url
from cleanupctl.history.camunda.strategies.ttl import EffectiveTtl, batch_ttl, effective_ttl

if TYPE_CHECKING:
    from pathlib import Path

    from cleanupctl.core.settings import DefinitionKind

HISTORY = '[[history]]\nname = "engine"\nkind = "camunda"\nurl = "mysql://u@h/d"\n'


def settings(**values: object) -> CamundaSettings:
    url = parse_url("mysql://u@h/d")
    return CamundaSettings(name="engine", url=url, timezone=ZoneInfo("UTC"), **values)  # type: ignore[arg-type]


def chosen(
    days: int | None, of: CamundaSettings, tenant: str | None = None, kind: DefinitionKind = "process"
) -> EffectiveTtl:
    return effective_ttl(days, key="invoice", tenant=tenant, kind=kind, settings=of)


def test_the_definition_says_it_then_the_default_then_nobody() -> None:
    assert chosen(5, settings(default_ttl=30)) == EffectiveTtl(5, "definition")
    assert chosen(0, settings(default_ttl=30)) == EffectiveTtl(0, "definition")
    assert chosen(None, settings(default_ttl=30)) == EffectiveTtl(30, "default")
    assert chosen(None, settings()) == EffectiveTtl(None, "none")


def test_an_override_comes_first_and_the_one_that_says_most_holds() -> None:
    of = settings(
        default_ttl=30,
        ttls=(
            TtlOverride("invoice", 1),
            TtlOverride("invoice", 2, kind="process"),
            TtlOverride("invoice", 3, tenant="north"),
            TtlOverride("invoice", None, tenant="north", kind="decision"),
            TtlOverride("order", 9),
        ),
    )
    assert chosen(5, of, kind="case") == EffectiveTtl(1, "override")
    assert chosen(5, of) == EffectiveTtl(2, "override")
    assert chosen(5, of, "south") == EffectiveTtl(2, "override")
    assert chosen(5, of, "north") == EffectiveTtl(3, "override")
    assert chosen(5, of, "north", "decision") == EffectiveTtl(None, "override")


def test_batch_operations_have_a_time_to_live_by_type() -> None:
    of = settings(batch_ttl=BatchTtls(default=5, by_type={"instance-migration": 10, "own-type": None}))
    assert batch_ttl("instance-migration", of) == EffectiveTtl(10, "override")
    assert batch_ttl("own-type", of) == EffectiveTtl(None, "override")
    assert batch_ttl("set-variables", of) == EffectiveTtl(5, "default")
    assert batch_ttl("set-variables", settings()) == EffectiveTtl(None, "none")


def load(tmp_path: Path, text: str) -> CamundaSettings:
    path = tmp_path / "config.toml"
    path.write_text(HISTORY + text)
    loaded = load_settings(config=path, database=None, environment={}, is_root=True)
    return loaded.histories[0]


def test_the_configuration_says_all_times_to_live(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        'default_ttl = "P365D"\nhierarchy = "engine"\ncleanup_log_ttl = 7\n'
        '[history.batch_ttl]\ndefault = "P30D"\ninstance-migration = 0\narchive-orders = "none"\n'
        '[history.without_instance_ttl]\ntasks = "P9D"\njob_log = 8\noperation_log = 7\nincidents = 6\n'
        '[[history.ttl]]\nkey = "invoice"\nttl = "P90D"\n'
        '[[history.ttl]]\nkey = "rating"\ntenant = "north"\nkind = "decision"\nttl = "none"\n',
    )
    assert (found.default_ttl, found.hierarchy, found.cleanup_log_ttl) == (365, "engine", 7)
    assert (found.batch_ttl.default, dict(found.batch_ttl.by_type)) == (
        30,
        {"instance-migration": 0, "archive-orders": None},
    )
    own = WithoutInstanceTtls(tasks=9, job_log=8, operation_log=7, incidents=6)
    assert found.without_instance_ttl == own
    assert found.ttls == (TtlOverride("invoice", 90), TtlOverride("rating", None, "north", "decision"))


def test_every_known_type_of_batch_operation_is_taken(tmp_path: Path) -> None:
    assert len(BATCH_TYPES) == 14
    found = load(tmp_path, "[history.batch_ttl]\n" + "".join(f'{name} = "P1D"\n' for name in BATCH_TYPES))
    assert set(found.batch_ttl.by_type) == set(BATCH_TYPES)


def test_the_document_shows_what_was_configured(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        HISTORY + '[history.batch_ttl]\nset-variables = "none"\n[[history.ttl]]\nkey = "a"\nttl = 3\n'
    )
    loaded = load_settings(config=path, database=None, environment={}, is_root=True)
    document = settings_document(loaded)["history"][0]
    assert document["batch_ttl"] == {"default": None, "set-variables": "none"}
    assert document["ttl"] == [{"key": "a", "ttl": "P3D", "tenant": None, "kind": None}]
    assert document["hierarchy"] == "root"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            '[history.batch_ttl]\ninstance-migratoin = "P1D"',
            "batch_ttl.instance-migratoin: no such type of batch operation; did you mean instance-migration?",
        ),
        ('[history.batch_ttl]\nset-variables = "P1M"', "batch_ttl.set-variables: P1M is not a time to live"),
        ('[history.batch_ttl]\ndefault = "none"', "batch_ttl.default: none is not a time to live"),
        ("batch_ttl = 5", "batch_ttl: this is not a table"),
        ('[[history.ttl]]\nkey = "a"', "ttl[1]: ttl is missing"),
        (
            '[[history.ttl]]\nkey = "a"\nttl = 1\n[[history.ttl]]\nkey = "a"\nttl = 2',
            "ttl[2].key: this definition stands above already",
        ),
        ('[[history.ttl]]\nkey = "a"\nttl = 1\nkind = "form"', 'ttl[1].kind: "form" is unknown'),
        ('hierarchy = "tree"', 'hierarchy: "tree" is unknown'),
        ("default_ttl = -1", "default_ttl: -1 is not a time to live"),
    ],
)
def test_a_fault_names_its_place_and_the_way_out(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text)
    assert len(caught.value.faults) == 1
    assert f"history[1].{fault}" in caught.value.faults[0]


@pytest.mark.parametrize("table", ["[history.batch_ttl]\ndefault = 1", '[[history.ttl]]\nkey = "a"\nttl = 1'])
def test_histories_of_single_tables_have_none_of_this(tmp_path: Path, table: str) -> None:
    text = '[[history.table]]\nname = "t"\ntime_column = "c"\nttl = 1\n'
    path = tmp_path / "config.toml"
    path.write_text(HISTORY.replace('"camunda"', '"tables"') + text + table)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(config=path, database=None, environment={}, is_root=True)
    assert 'belongs to histories of kind "camunda" only' in caught.value.faults[0]


def test_a_prefix_may_name_the_schema(tmp_path: Path) -> None:
    for text, expected in (
        ('table_prefix = "PRE_"\n', (None, "PRE_")),
        ('table_prefix = "engine."\n', ("engine", "")),
        ('table_prefix = "engine.PRE_"\n', ("engine", "PRE_")),
        ('schema = "engine"\ntable_prefix = "engine.PRE_"\n', ("engine", "PRE_")),
    ):
        found = load(tmp_path, text)
        assert (found.schema, found.table_prefix) == expected
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, 'schema = "public"\ntable_prefix = "engine.PRE_"\n')
    assert "names schema engine, and schema says public" in " ".join(caught.value.faults)
