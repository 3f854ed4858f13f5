"""The engine's tables are named in one room, a row says all of a table, and every list takes a new one up."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cleanupctl
from cleanupctl.history.camunda.schema.engine_table import Part
from cleanupctl.history.camunda.schema.tables import ENGINE_TABLES

if TYPE_CHECKING:
    from cleanupctl.history.camunda.schema.engine_table import EngineTable

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


NEEDED = {
    Part.CHILD: ("root", "removal_time", "written"),
    Part.DECISION_VALUE: ("root", "removal_time", "written", "decision"),
    Part.SHARED: ("root", "removal_time"),
    Part.ROOT: ("removal_time", "written", "instances"),
    Part.CASE: ("case",),
    Part.OWN_TTL: ("written", "indexes"),
    Part.DEFINITION: ("kind", "ttl"),
    Part.RUNTIME: (),
}
"""What must be said of a table so that nothing of it is overlooked."""


@pytest.mark.parametrize("table", ENGINE_TABLES.values(), ids=lambda table: table.name)
def test_a_row_says_what_its_part_needs(table: EngineTable) -> None:
    assert [name for name in NEEDED[table.part] if not getattr(table, name)] == []
    assert table.part is not Part.CHILD or table.owner or table.task_alone
    assert not table.task_alone or table.task
    assert not table.removal_time or table.removal_time in table.indexes


NEW_TABLE = """
from cleanupctl.history.camunda.schema import child_tables
from cleanupctl.history.camunda.schema.engine_table import REMOVAL_TIME, ROOT, EngineTable, Part

child_tables.CHILD_TABLES += (
    EngineTable(
        name="ACT_HI_NEW", part=Part.CHILD, order=99, owner="PROC_INST_ID_", root=ROOT, written="TIME_",
        byte_arrays=("CONTENT_ID_",), removal_time=REMOVAL_TIME,
        indexes={REMOVAL_TIME: "ACT_IDX_NEW_RM_TIME", "PROC_INST_ID_": "ACT_IDX_NEW_PROCINST"},
    ),
)

from cleanupctl.history.camunda.repair import orphans, removal_times
from cleanupctl.history.camunda.report.report import MEASURED
from cleanupctl.history.camunda.schema import definitions
from cleanupctl.history.camunda.repair.reached import reached
from cleanupctl.history.camunda.strategies import cascades
from cleanupctl.history.camunda.strategies.registry import STRATEGIES

class Everything:
    tables = definitions.ENGINE_TABLES
    has = staticmethod(lambda table, column: True)

def reached_by(by_root):
    return [one.table for one in reached(cascades.process_plan(Everything, by_root=by_root, decisions=True))]

lists = {
    "removal-time tables": STRATEGIES["removal-time"].tables,
    "end-time tables": STRATEGIES["end-time"].tables,
    "checked": STRATEGIES["end-time"].checked,
    "measured": MEASURED,
    "explained": definitions.INSTANCE_TABLES,
    "cascade": cascades.TABLES_OF_INSTANCES,
    "removal times": reached_by(False),
    "removal times of trees": reached_by(True),
    "orphans": orphans.WITH_ROOT,
    "owners of byte arrays": orphans.OWNERS,
    "repaired": removal_times._TABLES,
}
print([name for name, tables in lists.items() if "ACT_HI_NEW" not in tables])
"""


def test_a_new_table_is_one_row_that_every_list_takes_up() -> None:
    done = subprocess.run([sys.executable, "-c", NEW_TABLE], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
