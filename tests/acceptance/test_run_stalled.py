"""`run` on a network path that stalls half-open: it ends soon after it is told to, and the job is free."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.support.audit import audit_configuration, audit_ids, audit_table
from tests.support.command import Command
from tests.support.proxy import Proxy
from tests.support.servers import connect
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

EXPIRED = 6_000
ENDS_WITHIN = 25
"""Seconds after which it would have been killed, on a machine as busy as can be: seven are normal."""


def history_at(cleanupctl: Command, url: str, through: str) -> None:
    """Make a table with rows to go, and a run that takes some seconds for them."""
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at TIMESTAMP NULL)")
        rows = ", ".join(f"({n}, '2020-01-01 00:00:00')" for n in range(EXPIRED))
        cursor.execute(f"INSERT INTO audit_event VALUES {rows}")
    cleanupctl.configure(
        'timezone = "UTC"\n[throttle]\nrows_per_second = 500\n'
        "[cleanup]\nbatch_size = 100\n"
        f'[[history]]\nname = "audit"\nkind = "tables"\nurl = "{through}"\n'
        '[[history.table]]\nname = "audit_event"\ntime_column = "created_at"\nttl = 90\n'
    )
    cleanupctl("schedule")


def rows_of(url: str) -> int:
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM audit_event")
        return len(cursor.fetchall())


def ended(process: subprocess.Popen[str]) -> tuple[int, Any, str]:
    """Wait until the run has ended by itself; return its exit code, its summary and its complaints."""
    try:
        out, errors = process.communicate(timeout=ENDS_WITHIN)
    finally:
        process.kill()
    assert "Traceback" not in errors, errors
    return process.returncode, json.loads(out or "null"), errors


def free(cleanupctl: Command) -> bool:
    return cleanupctl("jobs", "show", cleanupctl("jobs").data[0]["id"]).data["lockOwner"] is None


def test_a_signal_ends_a_run_whose_history_does_not_answer(
    cleanupctl: Command, server_url: str, proxy: Proxy
) -> None:
    history_at(cleanupctl, server_url, proxy.url)
    process = cleanupctl.start("run")
    wait_until(lambda: rows_of(server_url) < EXPIRED)
    proxy.stall()
    process.send_signal(signal.SIGTERM)
    code, summary, errors = ended(process)
    assert code == 0, errors
    assert summary["stopReasons"] == ["signal"]
    assert free(cleanupctl)
    entry = cleanupctl("jobs", "log").data[0]
    assert (entry["state"], entry["stopReason"]) == ("successful", "signal")
    assert entry["removedRows"] > 0


def test_the_longest_runtime_ends_a_run_whose_history_cannot_be_connected_to(
    cleanupctl: Command, mariadb_url: str
) -> None:
    with Proxy(mariadb_url) as path:
        history_at(cleanupctl, mariadb_url, path.url)
        path.stall()
        code, summary, errors = ended(cleanupctl.start("run", "--max-runtime", "1s"))
    assert code in (0, 11), errors
    assert summary["removedRows"] == 0
    assert free(cleanupctl)


def test_a_signal_ends_a_watch_whose_store_does_not_answer(tmp_path: Path, postgresql_url: str) -> None:
    audit_table(tmp_path / "audit.db", 3_000)
    with Proxy(postgresql_url) as path:
        cleanupctl = Command(tmp_path, store=path.url)
        cleanupctl.configure(
            audit_configuration(tmp_path / "audit.db")
            + '[throttle]\nrows_per_second = 500\n[cleanup]\nlease = "8s"\nbatch_size = 50\n'
        )
        cleanupctl("schedule")
        process = cleanupctl.start("run", "--watch")
        wait_until(lambda: len(audit_ids(tmp_path / "audit.db")) < 3_000)
        path.stall()
        process.send_signal(signal.SIGTERM)
        code, _, errors = ended(process)
    assert code == 0
    assert "free again when its lease ends" in errors
    direct = Command(tmp_path, store=postgresql_url)
    wait_until(lambda: _lease_is_over(direct))
    assert direct("run").data["executions"] == 1
    assert audit_ids(tmp_path / "audit.db") == list(range(90))


def _lease_is_over(cleanupctl: Command) -> bool:
    until = cleanupctl("jobs", "show", cleanupctl("jobs").data[0]["id"]).data["lockExpirationTime"]
    return until is None or datetime.strptime(until, "%Y-%m-%dT%H:%M:%S.%f%z") < datetime.now(UTC)
