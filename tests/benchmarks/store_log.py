"""The embedded job store with a long job log: what a user waits for, against an empty log.

.venv/bin/python -m tests.benchmarks.store_log --entries 1000000
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from cleanupctl.core.store import open_store
from cleanupctl.core.urls import parse_url
from tests.benchmarks.measuring import Measurement, alternate, arguments, report
from tests.support.command import Command


def call(command: Command, *words: str) -> Measurement:
    """Run one process of cleanupctl."""
    began = time.perf_counter()
    outcome = command(*words)
    if outcome.code:
        raise RuntimeError(outcome.err)
    return Measurement(time.perf_counter() - began)


def acquire(command: Command) -> Measurement:
    """Take a due job and give it back, in an open store."""
    with open_store(parse_url(command.store or "")) as store:
        store.jobs()
        began = time.perf_counter()
        for _ in range(20):
            job = store.acquire(datetime.now(UTC), "benchmark", timedelta(minutes=1))
            if job is None:
                raise RuntimeError("no job is due")
            store.release(job)
        return Measurement((time.perf_counter() - began) / 20)


def fill(command: Command, entries: int) -> None:
    """Multiply the entries that scheduling has written."""
    path = parse_url(command.store or "").database
    with closing(sqlite3.connect(path)) as connection:
        (table,) = next(
            row
            for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
            if "log" in row[0]
        )
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] != "id"]
        columns = ", ".join(f'"{name}"' for name in names)
        connection.execute(
            f"INSERT INTO {table} ({columns}) WITH RECURSIVE s(n) AS"
            f" (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {entries})"
            f" SELECT {columns} FROM (SELECT * FROM {table} LIMIT 1), s"
        )
        connection.commit()


def main() -> None:
    """Measure and report each call."""
    parser = arguments(__doc__)
    parser.set_defaults(rounds=15)
    parser.add_argument("--entries", type=int, default=1_000_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as short, tempfile.TemporaryDirectory() as long:
        commands = {"empty log": Command(Path(short)), f"{chosen.entries:,} entries": Command(Path(long))}
        for command in commands.values():
            command("schedule")
        fill(command, chosen.entries)
        calls = {"schedule": ("schedule",), "jobs": ("jobs",), "jobs log": ("jobs", "log", "--limit", "20")}
        for name, words in calls.items():
            ways = {log: partial(call, command, *words) for log, command in commands.items()}
            results = alternate(ways, rounds=chosen.rounds)
            report(f"cleanupctl {name}", results, baseline="empty log", as_json=chosen.json)
        ways = {log: partial(acquire, command) for log, command in commands.items()}
        results = alternate(ways, rounds=chosen.rounds)
        report("Acquiring a due job, and releasing it", results, baseline="empty log", as_json=chosen.json)


if __name__ == "__main__":
    main()
