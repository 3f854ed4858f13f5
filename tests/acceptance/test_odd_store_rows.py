"""Values in a job store that no cleanupctl has written: a sentence about the column, never a traceback."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.cli import main
from tests.support.audit import audit_configuration, audit_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.command import Command

NUMBERS = {
    "cleanupctl_job": "number, due_date, retries, suspended, priority, immediately_due, empty_runs,"
    " create_time, lock_expiration, revision",
    "cleanupctl_job_log": "state, time, duration_ms, due_date, retries, priority, process_id, removed_rows",
    "cleanupctl_property": "value",
}
TEXTS = {
    "cleanupctl_job": "id, exception_message, exception_stacktrace, lock_owner",
    "cleanupctl_job_log": "job_id, host, version, configuration, removed, stop_reason, exception_message",
}
ODD_NUMBERS = ("x", 2**62, -62135596800000, 1.5)
ODD_TEXTS = (
    b"\xff\x00",
    7,
    "x" * 20_000,
    '[{"history": 1}]',
    '[{"history": "h", "table": "t", "rows": "x"}]',
)
COMMANDS = ("jobs show 1", "jobs log", "run")
KNOWN = {0, 2, 3, 4, 5, 10, 11}


@pytest.mark.parametrize(
    ("table", "columns", "values"),
    [(table, columns, ODD_NUMBERS) for table, columns in NUMBERS.items()]
    + [(table, columns, ODD_TEXTS) for table, columns in TEXTS.items()],
)
def test_an_odd_value_is_told_or_does_not_matter(
    table: str, columns: str, values: Sequence[Any], cleanupctl: Command, tmp_path: Path,
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    audit_table(tmp_path / "audit.db", 100)
    cleanupctl.configure(audit_configuration(tmp_path / "audit.db"))
    for name, value in cleanupctl.variables().items():
        monkeypatch.setenv(name, value)
    main.run(["schedule"])
    main.run(["run"])
    pristine = (tmp_path / "jobs.db").read_bytes()
    capfd.readouterr()
    for column, odd in product(columns.split(", "), values):
        (tmp_path / "jobs.db").write_bytes(pristine)
        for one in ("jobs.db-wal", "jobs.db-shm"):
            (tmp_path / one).unlink(missing_ok=True)
        _set(tmp_path / "jobs.db", table, column, odd)
        for command in COMMANDS:
            code = main.run([*command.split(), "--format", "table"])
            said = "".join(capfd.readouterr())
            assert code in KNOWN, (column, odd, command, said[-2000:])
            assert "unexpected failure" not in said
            assert len(said) < 80_000, (column, str(odd)[:50], command)


def _set(path: Path, table: str, column: str, value: Any) -> None:
    with closing(sqlite3.connect(path)) as store, store:
        store.execute("PRAGMA ignore_check_constraints = ON")
        store.execute(f"UPDATE {table} SET {column} = ?", (value,))
