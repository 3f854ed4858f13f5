"""The engine's tables are named in one room, so that a new one is one new row."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import cleanupctl

ROOT = Path(cleanupctl.__file__).parent
SCHEMA = ROOT / "history" / "camunda" / "schema"
ELSEWHERE = sorted(path for path in ROOT.rglob("*.py") if SCHEMA not in path.parents)


def table_names(source: str) -> list[str]:
    """Strings of a module that start with the name of an engine's table; docstrings may mention them."""
    return [
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("ACT_")
    ]


@pytest.mark.parametrize("path", ELSEWHERE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_table_of_the_engine_is_named_outside_of_its_room(path: Path) -> None:
    assert table_names(path.read_text(encoding="utf-8")) == []


def test_a_table_that_is_named_is_noticed() -> None:
    assert table_names('name = "ACT_HI_PROCINST"') == ["ACT_HI_PROCINST"]
    assert table_names('sql = f"ACT_{name}"') == ["ACT_"]
