"""The strategies of engine histories: one object for each name that a configuration may give."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

import cleanupctl
from cleanupctl.core.settings import CamundaSettings
from cleanupctl.core.settings import Strategy as StrategyName
from cleanupctl.core.urls import parse_url
from cleanupctl.history.camunda.schema.tables import ENGINE_TABLES
from cleanupctl.history.camunda.strategies.registry import STRATEGIES, strategy_of

NAMES = get_args(StrategyName)
SETTINGS = CamundaSettings(
    name="engine",
    url=parse_url("postgresql://localhost/engine"),
    timezone=ZoneInfo("UTC"),
    task_metrics_ttl=1,
)


def comparisons(source: str) -> list[str]:
    """Comparisons of a module in which a strategy's name stands."""
    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Compare | ast.Match)
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and part.value in NAMES
    ]


def test_every_name_of_the_configuration_has_a_strategy() -> None:
    assert set(STRATEGIES) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_index_that_a_strategy_requires_has_a_name(name: StrategyName) -> None:
    strategy = STRATEGIES[name](SETTINGS)
    required = {table: strategy.required_indexes(table) for table in strategy.checked}
    assert all(
        column in ENGINE_TABLES[table].indexes for table, columns in required.items() for column in columns
    )
    assert any(required.values())


def test_both_strategies_require_their_own_indexes_and_that_of_task_metrics() -> None:
    required = {
        name: {(table, column) for table in one.checked for column in one(SETTINGS).required_indexes(table)}
        for name, one in STRATEGIES.items()
    }
    assert required["removal-time"] & required["end-time"] == {("ACT_RU_TASK_METER_LOG", "TIMESTAMP_")}
    assert strategy_of(SETTINGS).name == "removal-time"


def test_nothing_compares_a_strategy_by_its_name() -> None:
    root = Path(cleanupctl.__file__).parent
    found = {str(path): comparisons(path.read_text(encoding="utf-8")) for path in root.rglob("*.py")}
    assert {path: ones for path, ones in found.items() if ones} == {}
    assert comparisons('if settings.strategy == "end-time": ...')
