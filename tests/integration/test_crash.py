"""Processes killed at any instant: nothing goes that should stay, no job is lost, the next run finishes.

CLEANUPCTL_TESTS_KILLS says how many processes to kill on each kind of database; a few by default.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.job import LogState
from cleanupctl.core.store import open_store
from cleanupctl.core.urls import parse_url
from tests.support.site import EXPIRED, LEASE_SECONDS, WORKERS, Site

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

KILLS = int(os.environ.get("CLEANUPCTL_TESTS_KILLS", "3"))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mariadb"])
def test_killed_workers_lose_nothing_and_the_next_run_finishes(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue(f"{kind}_url")
    store = f"sqlite:///{tmp_path}/jobs.db" if kind == "sqlite" else url
    site = Site(url, store, tmp_path)
    site.fill()
    site.command("schedule")
    jobs = [job["id"] for job in site.command("jobs").data]
    chance = random.Random(int(os.environ.get("CLEANUPCTL_TESTS_SEED", "1")))
    killed = working = 0
    while killed < KILLS:
        site.fill()
        before = site.expired()
        workers = [site.command.start("run") for _ in range(WORKERS)]
        if not working or chance.random() < 0.5:
            # However long a process takes to begin here: these are killed while they delete.
            site.wait_for_deletions(before)
            time.sleep(chance.uniform(0, 0.5))
        else:
            time.sleep(chance.uniform(0.05, 2.5))
        for worker in workers:
            killed += worker.poll() is None
            worker.kill()
            worker.communicate()
            time.sleep(chance.uniform(0, 0.1))
        working += site.expired() < before
        site.check(jobs)
        # A killed process cannot give its lease back; it ends by itself.
        time.sleep(LEASE_SECONDS)
        if all(job["suspended"] for job in site.command("jobs").data):
            site.command("schedule")
    site.command("schedule")
    site.finish()
    site.check(jobs)
    assert all(job["retries"] == 3 for job in site.command("jobs").data)


def test_a_job_whose_process_was_killed_is_taken_over_without_a_new_schedule(
    sqlite_url: str, tmp_path: Path
) -> None:
    site = Site(sqlite_url, f"sqlite:///{tmp_path}/jobs.db", tmp_path)
    site.fill()
    site.command("schedule")
    before = site.expired()
    worker = site.command.start("run")
    site.wait_for_deletions(before)
    worker.kill()
    worker.communicate()
    assert site.expired() > 0
    time.sleep(LEASE_SECONDS)
    site.finish()
    site.check([job["id"] for job in site.command("jobs").data])


def suspend_between_transactions(worker: subprocess.Popen[str], paths: list[str]) -> None:
    """Stop a process while it holds the lock of none of these SQLite files."""
    while True:
        worker.send_signal(signal.SIGSTOP)
        try:
            for path in paths:
                with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            worker.send_signal(signal.SIGCONT)
            time.sleep(0.01)
        else:
            return


def test_a_process_suspended_beyond_its_lease_deletes_and_writes_nothing_more(
    sqlite_url: str, tmp_path: Path
) -> None:
    site = Site(sqlite_url, f"sqlite:///{tmp_path}/jobs.db", tmp_path)
    one_slow_job = site.command.config.read_text().replace("parallelism = 3", "parallelism = 1")
    site.command.configure(f"{one_slow_job}\n[throttle]\nrows_per_second = 500\n")
    site.fill()
    site.command("schedule")
    worker = site.command.start("run")
    try:
        site.wait_for_deletions(EXPIRED)
        suspend_between_transactions(worker, [parse_url(sqlite_url).database, f"{tmp_path}/jobs.db"])
        left = site.expired()
        time.sleep(LEASE_SECONDS)
        with open_store(parse_url(site.command.store or "")) as store:
            taken = store.acquire(datetime.now(UTC), "another host", timedelta(minutes=5))
            assert taken is not None
            worker.send_signal(signal.SIGCONT)
            out, errors = worker.communicate(timeout=60)
            assert worker.returncode == 0, errors
            assert json.loads(out)["stopReasons"] == ["lease-lost"]
            # Nothing of the other one's job was overwritten, and it can end it.
            assert store.jobs() == [taken]
            assert site.expired() == left
            (entry,) = store.log(states=[LogState.SUCCESSFUL])
            assert (entry.stop_reason, entry.removed[0].rows) == ("lease-lost", EXPIRED - left)
            assert store.release(taken)
    finally:
        worker.kill()
        worker.communicate()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_history_whose_server_dies_in_mid_run_fails_the_job_and_the_next_run_finishes(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server = request.getfixturevalue(f"{kind}_server")
    site = Site(request.getfixturevalue(f"{kind}_url"), f"sqlite:///{tmp_path}/jobs.db", tmp_path)
    site.fill()
    site.command("schedule")
    jobs = [job["id"] for job in site.command("jobs").data]
    worker = site.command.start("run")
    site.wait_for_deletions(EXPIRED)
    server.kill()
    _, errors = worker.communicate(timeout=60)
    server.start()
    assert worker.returncode == 11, errors
    assert "Traceback" not in errors
    site.check(jobs)
    assert {job["retries"] for job in site.command("jobs").data} == {2}
    site.command("schedule")
    site.finish()
    site.check(jobs)


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_job_store_that_is_away_for_a_moment_costs_no_record(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server = request.getfixturevalue(f"{kind}_server")
    site = Site(f"sqlite:///{tmp_path}/audit.db", request.getfixturevalue(f"{kind}_url"), tmp_path)
    site.command.configure(site.command.config.read_text().replace("parallelism = 3", "parallelism = 1"))
    site.lease("30s")
    site.fill(4000)
    site.command("schedule")
    worker = site.command.start("run")
    site.wait_for_deletions(4000)
    server.stop()
    assert worker.poll() is None
    time.sleep(0.5)
    server.start()
    out, errors = worker.communicate(timeout=120)
    assert worker.returncode == 0, errors
    assert site.expired() == 0
    (last, *_) = site.command("jobs", "log").data
    assert (last["state"], last["removedRows"]) == ("successful", 4000), out
