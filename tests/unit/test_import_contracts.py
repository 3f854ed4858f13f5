"""Imports point one way, from floor to floor, and never lead back: the contracts of pyproject.toml hold.

Imports for type checking only and imports inside functions count.
"""

from __future__ import annotations

import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

from cleanupctl.cli.app import COMMANDS
from cleanupctl.history.databases.servers import SERVERS
from cleanupctl.history.kinds import KINDS

ROOT = Path(__file__).parents[2]

REGISTRIES = {
    "cleanupctl.cli.app": [f"cleanupctl.cli.commands.{module}" for module in COMMANDS.values()],
    "cleanupctl.history.kinds": [kind.module for kind in KINDS.values()],
    "cleanupctl.history.databases.servers": [
        f"cleanupctl.history.databases.{server.package}.database" for server in SERVERS.values()
    ],
}
"""What is imported by its name, only when it is needed."""

Edges = dict[str, set[str]]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Every module of the program with what it imports, what is imported by name (commands, kinds) too."""
    found = grimp.build_graph("cleanupctl", cache_dir=None)
    for module in COMMANDS.values():
        found.add_import(importer="cleanupctl.cli.app", imported=f"cleanupctl.cli.commands.{module}")
    for kind in KINDS.values():
        found.add_import(importer="cleanupctl.history.kinds", imported=kind.module)
    return found


def _modules(graph: grimp.ImportGraph) -> Edges:
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def _rooms(graph: grimp.ImportGraph, package: str) -> Edges:
    """The rooms and single modules of a package, each with those it imports from."""
    rooms = graph.find_children(package)
    return {
        room: {
            other
            for other in rooms - {room}
            if graph.direct_import_exists(importer=room, imported=other, as_packages=True)
        }
        for room in rooms
    }


def _reachable(edges: Edges, start: str) -> set[str]:
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        for other in edges[ahead.pop()] - seen:
            seen.add(other)
            ahead.append(other)
    return seen


def _circles(edges: Edges) -> set[frozenset[str]]:
    """The sets of modules each of which leads to every other."""
    leads_to = {module: _reachable(edges, module) for module in edges}
    return {
        frozenset(other for other in leads_to[module] if module in leads_to[other])
        for module in edges
        if module in leads_to[module]
    }


def _floors(edges: Edges) -> int:
    sorter = TopologicalSorter(edges)
    sorter.prepare()
    floors = 0
    while sorter.is_active():
        sorter.done(*sorter.get_ready())
        floors += 1
    return floors


def test_no_module_leads_back_to_itself(graph: grimp.ImportGraph) -> None:
    assert _circles(_modules(graph)) == set()


@pytest.mark.parametrize(
    ("package", "most"), [("cleanupctl", 4), ("cleanupctl.core", 8), ("cleanupctl.history", 6)]
)
def test_the_rooms_of_a_package_stand_on_few_floors(
    graph: grimp.ImportGraph, package: str, most: int
) -> None:
    rooms = _rooms(graph, package)
    try:
        floors = _floors(rooms)
    except CycleError as error:
        pytest.fail(f"{package} has a circle: {' → '.join(error.args[1])}")
    print(f"{package}: {len(rooms)} rooms on {floors} floors")
    assert floors <= most


def test_a_circle_is_noticed(graph: grimp.ImportGraph) -> None:
    graph.add_import(importer="cleanupctl.core.errors", imported="cleanupctl.core.settings")
    try:
        assert any("cleanupctl.core.errors" in circle for circle in _circles(_modules(graph)))
        with pytest.raises(CycleError):
            _floors(_rooms(graph, "cleanupctl.core"))
    finally:
        graph.remove_import(importer="cleanupctl.core.errors", imported="cleanupctl.core.settings")


def test_the_contracts_of_the_project_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [program, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout
