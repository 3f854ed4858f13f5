"""Which modules are changed, and which tests have to notice: the quick ones, and some with servers."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]

_SCANS = tuple(f"tests/integration/database_contract/test_{name}.py" for name in ("scans", "rechecks"))
_CONTRACT = ("tests/integration/database_contract",)
_CASCADES = (
    "tests/integration/test_instance_conditions.py",
    "tests/integration/test_history_camunda_end_time.py",
    "tests/integration/test_end_time_transactions.py",
    "tests/integration/test_cascades.py",
)
_ENGINE = ("tests/integration/test_instance_conditions.py", "tests/integration/test_history_camunda.py")
_REPAIR = (
    "tests/integration/test_history_repair.py",
    "tests/integration/test_history_repair_orphans.py",
    "tests/integration/test_history_orphans_kept.py",
)

_TESTS: dict[str, tuple[str, ...]] = {
    "databases/cutoff.py": (
        "tests/unit/test_cutoff.py",
        "tests/integration/database_contract/test_times.py",
        "-k",
        "test_cutoff or sqlite",
    ),
    "databases/statements.py": (*_CONTRACT, "-k", "sqlite or postgresql"),
    "databases/key_scans.py": (
        "tests/integration/database_contract/test_scans.py",
        "-k",
        "sqlite or mariadb",
    ),
    "databases/postgresql/": (*_SCANS, "tests/integration/test_inheritance.py", "-k", "postgresql"),
    "databases/mysql/": (*_CONTRACT, "-k", "mariadb or mysql"),
    "databases/sqlite/": (*_CONTRACT, "-k", "sqlite"),
    "databases/programs.py": ("tests/integration/test_history_programs.py", "-k", "not mariadb"),
    "databases/some_rows.py": ("tests/integration/database_contract/test_locked_rows.py", "-k", "postgresql"),
    "databases/": _CONTRACT,
    "cleaning/progress.py": ("tests/integration/test_history_no_progress.py", "-k", "pass"),
    "cleaning/turns.py": ("tests/integration/test_writing_turns.py",),
    "cleaning/cascade": (*_CASCADES, "-k", "postgresql"),
    "cleaning/": (*_CASCADES, "tests/unit/test_batches.py", "tests/unit/test_phases.py", "-k", "not mariadb"),
    "camunda/strategies/callers.py": ("tests/integration/test_callers.py", "-k", "postgresql"),
    "camunda/strategies/connected.py": (
        "tests/integration/test_callers.py",
        "-k",
        "by_removal_time and not mariadb",
    ),
    "camunda/strategies/children.py": (
        "tests/integration/test_unfinished_trees.py",
        "-k",
        "foreign_key and postgresql",
    ),
    "camunda/strategies/undated.py": ("tests/integration/test_history_undated.py", "-k", "postgresql"),
    "camunda/strategies/orphan_rules.py": (*_REPAIR, "-k", "postgresql"),
    "camunda/strategies/removal_time.py": (
        *_ENGINE,
        "tests/integration/test_history_report.py",
        "tests/integration/test_history_undated.py",
        "tests/integration/test_unfinished_trees.py",
        "-k",
        "postgresql",
    ),
    "camunda/strategies/unfinished.py": (
        "tests/integration/test_unfinished_trees.py",
        "tests/integration/test_unfinished_batches.py",
        "-k",
        "postgresql",
    ),
    "camunda/strategies/": (*_CASCADES, "-k", "postgresql"),
    "camunda/repair/": (*_REPAIR, "-k", "postgresql"),
}
"""By the beginning of a module's path; the first that fits counts. Words from -k on are pytest's."""

_HISTORY = "cleanupctl/history"


def modules() -> list[str]:
    """Return the modules that delete or say what is deleted, by path."""
    rooms = [f"{_HISTORY}/{room}" for room in ("cleaning", "camunda/strategies", "camunda/repair")]
    found = [path for room in rooms for path in sorted((ROOT / room).glob("*.py"))]
    databases = ROOT / _HISTORY / "databases"
    found += [databases / f"{name}.py" for name in ("statements", "shared_scan", "key_scans", "cutoff")]
    found += [*sorted(databases.glob("*/database.py")), *sorted(databases.glob("*/scans.py"))]
    return [str(path.relative_to(ROOT)) for path in found if path.name != "__init__.py"]


def tests_of(module: str) -> tuple[str, ...]:
    """Return what pytest is told for the mutants of a module."""
    name = module.removeprefix(f"{_HISTORY}/")
    return next(tests for start, tests in _TESTS.items() if name.startswith(start))
