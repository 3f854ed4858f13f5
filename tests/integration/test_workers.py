"""Several processes on one store and one history: every expired row goes once, every other row stays."""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.store import open_store
from cleanupctl.core.urls import parse_url
from tests.support.camunda.data import fill
from tests.support.camunda.policy import checksums, expired_counts, keep_for_an_hour
from tests.support.command import Command

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

PARALLELISM = 4
ROWS_PER_SECOND = 4000
"""Slow enough for every process to find something left once all have begun."""


def start_each_with_its_share(command: Command, processes: int) -> list[subprocess.Popen[str]]:
    """Start processes that all hold jobs at the same time: alone, the first one would take every job.

    Each is stopped once it has its jobs and goes on when all have theirs: on a busy machine the first one
    would otherwise be done before the last one has begun.
    """
    workers: list[subprocess.Popen[str]] = []
    try:
        with open_store(parse_url(command.store or "")) as store:
            jobs = [job.id for job in store.suspend(None, True)]
            for number in range(processes):
                share = jobs[number::processes]
                store.suspend(share, False)
                workers.append(command.start("run"))
                while not all(job.lock_owner for job in store.jobs() if job.id in share):
                    assert workers[-1].poll() is None, "a worker ended before it took its jobs"
                    time.sleep(0.02)
                workers[-1].send_signal(signal.SIGSTOP)
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGCONT)
    return workers


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_that_share_a_history_remove_each_row_once(
    processes: int, postgresql_url: str, engine_postgresql_url: str, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    fill(engine_postgresql_url, expired_instances=3000, unexpired_instances=300, now=now, referenced_bytes=5)
    keep_for_an_hour(engine_postgresql_url, now)
    before, expired = checksums(engine_postgresql_url, now), expired_counts(engine_postgresql_url, now)
    command = Command(tmp_path, store=postgresql_url)
    # Batches so small that everybody gets some, and that many meet on a table.
    command.configure(
        f"""
timezone = "UTC"
[cleanup]
parallelism = {PARALLELISM}
batch_size = 200
[throttle]
rows_per_second = {ROWS_PER_SECOND}
[[history]]
name = "engine"
kind = "camunda"
url = "{engine_postgresql_url}"
"""
    )
    command("schedule")
    workers = start_each_with_its_share(command, processes)
    for worker in workers:
        _, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, errors
    assert checksums(engine_postgresql_url, now) == before
    assert not any(expired_counts(engine_postgresql_url, now).values())
    entries = [entry for entry in command("jobs", "log").data if entry["state"] == "successful"]
    removed: dict[str, int] = {}
    for part in (part for entry in entries for part in entry["removed"]):
        removed[part["table"].upper()] = removed.get(part["table"].upper(), 0) + part["rows"]
    assert removed == {table.upper(): rows for table, rows in expired.items() if rows}
    assert len({entry["jobId"] for entry in entries}) == PARALLELISM
    assert len({entry["processId"] for entry in entries if entry["removedRows"]}) == processes
