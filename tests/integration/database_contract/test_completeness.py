"""No method of `Database`, and no scan, without a contract test."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

from cleanupctl.history import databases
from cleanupctl.history.databases.database import Database
from cleanupctl.history.databases.servers import SERVERS
from tests.support import contract

FOLDER = Path(__file__).parent


def _covered() -> set[str]:
    """What the decorators `covers(…)` of this folder name."""
    names: set[str] = set()
    for path in FOLDER.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "covers":
                names |= {one.value for one in node.args if isinstance(one, ast.Constant)}
    return names


def test_every_public_name_of_a_database_has_a_contract_test() -> None:
    public = {name for name in dir(Database) if not name.startswith("_")}
    assert public - _covered() == set()
    assert _covered() - public == set()


def test_every_class_with_a_scan_has_a_contract_test() -> None:
    scans = {
        name
        for module in walk_packages(databases.__path__, f"{databases.__name__}.")
        for name, value in vars(import_module(module.name)).items()
        if isinstance(value, type) and value.__module__ == module.name and hasattr(value, "access_path")
    }
    text = (FOLDER / "test_scans.py").read_text(encoding="utf-8")
    assert scans == {"TidRangeScan", "PrimaryKeyScan", "TimeIndexScan"}
    assert [name for name in scans if name not in text] == []


def test_the_suite_runs_on_a_server_of_every_package() -> None:
    assert {kind.package for kind in contract.SERVERS.values()} == {
        server.package for server in SERVERS.values()
    }
