"""The rooms keep to themselves: imports point one way, the core has no clock, one room writes."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cleanupctl

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(cleanupctl.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))

PEEWEE = {"peewee", "playhouse"}
FORBIDDEN_IMPORTS = {
    "cleanupctl.core": {"cleanupctl.cli", "cleanupctl.history", "cleanupctl.__main__"} | PEEWEE,
    "cleanupctl.history": {"cleanupctl.cli", "cleanupctl.__main__", "cleanupctl.core.store"} | PEEWEE,
}
INTERFACE_LIBRARIES = {"typer", "click", "rich"}
MAY_KNOW_PEEWEE = "cleanupctl.core.store"
MAY_WRITE = "cleanupctl.cli.output"
CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
CLOCKS |= {"time.localtime", "time.gmtime", "time.strftime", "time.ctime"}
STREAMS = {"sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__"}
WRITERS = {"print", "pprint", "echo", "secho"}


def _within(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


def _imported(tree: ast.AST, module: str) -> Iterator[str]:
    """Full names of what a module imports, also inside functions and for type checking only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.split(".")[: -node.level] if node.level else []
            source = ".".join([*package, *([node.module] if node.module else [])])
            yield from (f"{source}.{alias.name}" for alias in node.names)


def _dotted(node: ast.AST) -> str:
    """`a.b.c` for an attribute of an attribute, "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return ""


def _layer_faults(tree: ast.AST, module: str) -> Iterator[str]:
    for room, forbidden in FORBIDDEN_IMPORTS.items():
        if not _within(module, room):
            continue
        allowed = PEEWEE if _within(module, MAY_KNOW_PEEWEE) else set()
        for name in _imported(tree, module):
            if any(_within(name, other) for other in (forbidden | INTERFACE_LIBRARIES) - allowed):
                yield f"{module} imports {name}"


def _clock_faults(tree: ast.AST, module: str) -> Iterator[str]:
    if not any(_within(module, room) for room in FORBIDDEN_IMPORTS):
        return
    yield from (f"{module} imports {name}" for name in _imported(tree, module) if name in CLOCKS)
    for node in ast.walk(tree):
        name = _dotted(node)
        if any(name == clock or name.endswith(f".{clock}") for clock in CLOCKS):
            yield f"{module}:{node.lineno} reads a clock: {name}"  # type: ignore[attr-defined]


def _writing_faults(tree: ast.AST, module: str) -> Iterator[str]:
    if _within(module, MAY_WRITE):
        return
    yield from (f"{module} imports {name}" for name in _imported(tree, module) if name in STREAMS)
    for node in ast.walk(tree):
        if _dotted(node) in STREAMS:
            yield f"{module}:{node.lineno} uses {_dotted(node)}"  # type: ignore[attr-defined]
        if isinstance(node, ast.Call) and _dotted(node.func).rpartition(".")[2] in WRITERS:
            yield f"{module}:{node.lineno} writes: {_dotted(node.func)}"


RULES = [_layer_faults, _clock_faults, _writing_faults]


def _faults(source: str, module: str) -> list[str]:
    tree = ast.parse(source)
    return [fault for rule in RULES for fault in rule(tree, module)]


def _module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)


@pytest.mark.parametrize("path", MODULES, ids=_module_name)
def test_a_module_keeps_to_its_room(path: Path) -> None:
    assert _faults(path.read_text(encoding="utf-8"), _module_name(path)) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("cleanupctl.core.job", "from cleanupctl.cli import output"),
        ("cleanupctl.core.job", "import cleanupctl.history.camunda"),
        ("cleanupctl.core.job", "from cleanupctl import history"),
        ("cleanupctl.core.job", "from ..history import camunda"),
        ("cleanupctl.core.job", "def f():\n    import peewee"),
        ("cleanupctl.core.job", "from rich.table import Table"),
        ("cleanupctl.core.store.session", "import typer"),
        ("cleanupctl.history.tables.planner", "from cleanupctl.core.store import models"),
        ("cleanupctl.history.tables.planner", "from cleanupctl.cli.output import show"),
        ("cleanupctl.core.job", "import datetime\nx = datetime.datetime.now(datetime.UTC)"),
        ("cleanupctl.core.job", "def f(clock=datetime.now): ..."),
        ("cleanupctl.history.tables.planner", "from time import time"),
        ("cleanupctl.history.tables.planner", "print('done')"),
        ("cleanupctl.cli.commands.run", "typer.echo('done')"),
        ("cleanupctl.cli.commands.run", "import sys\nsys.stderr.write('done')"),
        ("cleanupctl.__main__", "from sys import stdout"),
    ],
)
def test_what_a_room_must_not_do_is_noticed(module: str, source: str) -> None:
    assert _faults(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("cleanupctl.core.store", "import peewee"),
        ("cleanupctl.core.store.models", "from playhouse.postgres_ext import BinaryJSONField"),
        ("cleanupctl.history.tables.planner", "from cleanupctl.core.run.cleaning import Limits"),
        ("cleanupctl.history.tables.planner", "import time\nstart = time.monotonic()"),
        ("cleanupctl.cli.commands.run", "from cleanupctl.history import camunda\nnow = datetime.now(UTC)"),
        ("cleanupctl.cli.output", "import sys\nsys.stdout.write('done')"),
    ],
)
def test_what_a_room_may_do_is_let_be(module: str, source: str) -> None:
    assert _faults(source, module) == []
