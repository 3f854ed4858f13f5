"""Many processes at one job store: exactly n jobs, one executor per job, nothing half done."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.core.job import LogState
from cleanupctl.core.store import open_store
from cleanupctl.core.urls import parse_url
from tests.support.servers import connect
from tests.support.store import NOW, a_job, add, an_entry, exactly

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cleanupctl.core.store.jobstore import JobStore

PROCESSES = 8
LEASE = timedelta(minutes=5)
_SPAWN = multiprocessing.get_context("spawn")


def at_once(work: Callable[..., Any], url: str, arguments: Sequence[Any]) -> list[Any]:
    """Run `work(store, argument)` in one process each, all released at the same moment."""
    start = _SPAWN.Barrier(len(arguments))
    results = _SPAWN.Queue()
    processes = [
        _SPAWN.Process(target=_participate, args=(work, url, argument, start, results))
        for argument in arguments
    ]
    for process in processes:
        process.start()
    collected = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join(timeout=60)
        process.close()
    failed = [result for result in collected if isinstance(result, BaseException)]
    assert failed == []
    return collected


def _participate(work: Callable[..., Any], url: str, argument: Any, start: Any, results: Any) -> None:
    try:
        # So that the race is not about who imports faster.
        import cleanupctl.core.store.opening  # noqa: F401

        place = parse_url(url)
        start.wait(60)
        with open_store(place) as store:
            results.put(work(store, argument))
    except BaseException as error:  # noqa: BLE001 - the parent shall see all
        results.put(error)


def schedule(store: JobStore, count: int) -> list[int]:
    return [len(store.reconfigure(exactly(count), an_entry)) for _ in range(4)]


def execute_exclusively(store: JobStore, folder: str) -> int:
    """Take jobs, and fail if a second process has the same one at the same time."""
    executions = 0
    for _ in range(15):
        job = store.acquire(NOW, f"process {os.getpid()}", LEASE)
        if job is None:
            continue
        held = Path(folder) / job.id
        held.touch(exist_ok=False)
        time.sleep(0.002)
        held.unlink()
        assert store.finish(job, replace(job, empty_runs=job.empty_runs + 1), an_entry(job))
        executions += 1
    return executions


def take_all(store: JobStore, owner: str) -> list[str]:
    taken = []
    while (job := store.acquire(NOW, owner, LEASE)) is not None:
        taken.append(job.id)
    return taken


def test_racing_to_schedule_on_a_fresh_store_leaves_exactly_n_jobs(database_url: str) -> None:
    results = at_once(schedule, database_url, [4] * PROCESSES)
    assert results == [[4] * 4] * PROCESSES
    with open_store(parse_url(database_url)) as store:
        assert [job.number for job in store.jobs()] == [0, 1, 2, 3]
        assert Counter(entry.state for entry in store.log()) == {LogState.CREATED: 4}
        # Each call updated all four, but for the one that created them.
        assert {job.revision for job in store.jobs()} == {4 * PROCESSES}


def test_racing_with_different_n_leaves_those_of_one_call(database_url: str) -> None:
    counts = [1, 2, 3, 4, 5, 6, 7, 8]
    results = at_once(schedule, database_url, counts)
    assert sorted(results) == [[count] * 4 for count in counts]
    with open_store(parse_url(database_url)) as store:
        jobs = store.jobs()
        assert [job.number for job in jobs] == list(range(len(jobs)))
        states = Counter(entry.state for entry in store.log())
        assert states[LogState.CREATED] - states[LogState.DELETED] == len(jobs) >= 1


def test_each_job_is_acquired_by_one_process_only(database_url: str) -> None:
    with open_store(parse_url(database_url)) as store:
        jobs = store.reconfigure(exactly(8), an_entry)
    results = at_once(take_all, database_url, [f"owner {i}" for i in range(PROCESSES)])
    assert sorted(itertools.chain(*results)) == sorted(job.id for job in jobs)


def test_no_job_is_ever_under_two_executions(database_url: str, tmp_path: Path) -> None:
    with open_store(parse_url(database_url)) as store:
        store.reconfigure(exactly(2), an_entry)
    executions = sum(at_once(execute_exclusively, database_url, [str(tmp_path)] * PROCESSES))
    with open_store(parse_url(database_url)) as store:
        assert sum(job.empty_runs for job in store.jobs()) == executions >= 15
        assert len(store.log(states=[LogState.SUCCESSFUL])) == executions


_DIES_IN_MID_TRANSACTION = """
import sys, time
from cleanupctl.core.store import open_store
from cleanupctl.core.urls import parse_url
from tests.support.store import an_entry, exactly

def entry(job, state):
    if job.number == 2:
        print("half done", flush=True)
        time.sleep(600)
    return an_entry(job, state)

open_store(parse_url(sys.argv[1])).reconfigure(exactly(4), entry)
"""


def test_a_process_killed_in_mid_transaction_leaves_the_store_as_it_was(database_url: str) -> None:
    with open_store(parse_url(database_url)) as store:
        before = add(store, a_job(0))
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", _DIES_IN_MID_TRANSACTION, database_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"half done\n"
        finally:
            process.send_signal(signal.SIGKILL)
    with open_store(parse_url(database_url)) as store:
        assert store.jobs() == before
        assert store.log_count() == 1
        assert len(store.reconfigure(exactly(3), an_entry)) == 3


def test_a_conflict_is_tried_again_from_the_start(server_url: str) -> None:
    """Two transactions lock two jobs in opposite order; the database gives up the store's."""
    with open_store(parse_url(server_url)) as store, connect(server_url, autocommit=False) as other:
        add(store, a_job(0), a_job(1))
        first, second = store.jobs()
        cursor = other.cursor()
        # PostgreSQL gives up whoever has waited for a second first, MariaDB who has changed less.
        for _ in range(50):
            cursor.execute(
                "UPDATE cleanupctl_job SET empty_runs = empty_runs + 1 WHERE id = %s", (second.id,)
            )
        scheduling = threading.Thread(target=lambda: store.reconfigure(exactly(2), an_entry))
        scheduling.start()
        time.sleep(0.3)
        cursor.execute("UPDATE cleanupctl_job SET empty_runs = empty_runs + 1 WHERE id = %s", (first.id,))
        other.commit()
        scheduling.join(timeout=60)
        assert not scheduling.is_alive()
        assert [job.revision for job in store.jobs()] == [2, 2]


@pytest.mark.parametrize("schema_is_there", [True, False])
def test_opening_at_once_always_succeeds(database_url: str, schema_is_there: bool) -> None:
    if schema_is_there:
        open_store(parse_url(database_url)).close()
    assert at_once(count_jobs, database_url, range(PROCESSES)) == [0] * PROCESSES


def count_jobs(store: JobStore, _: int) -> int:
    return len(store.jobs())
