"""Tests share what stands in tests/support/ and in the conftest files, and nothing else."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
MODULES = sorted(TESTS.rglob("test_*.py"))
SHORT = 2
"""Lines; a helper as short as that may stand twice."""


def _name(path: Path) -> str:
    return ".".join(path.relative_to(TESTS.parent).with_suffix("").parts)


def _imported(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "tests are imported by their full names"
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=_name)
def test_nothing_is_imported_from_a_test_module(path: Path) -> None:
    tests = {_name(module) for module in MODULES} | {"tests.conftest"}
    assert not _imported(ast.parse(path.read_text(encoding="utf-8"))) & tests


def test_a_helper_stands_once() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in MODULES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            is_helper = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("test_")
            if is_helper and (node.end_lineno or 0) - node.lineno >= SHORT:
                places[ast.dump(node)].append(f"{_name(path)}.{node.name}")
    assert [where for where in places.values() if len(where) > 1] == []
