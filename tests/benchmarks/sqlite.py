"""SQLite in WAL mode: cleanupctl against one DELETE, and how long a concurrent writer has to wait.

.venv/bin/python -m tests.benchmarks.sqlite --rows 1000000
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cleanupctl.core.urls import parse_url
from tests.benchmarks import tables
from tests.benchmarks.measuring import Measurement, alternate, arguments, report

if TYPE_CHECKING:
    from collections.abc import Callable


def beside_a_writer(url: str, clean: Callable[[str], Measurement]) -> Measurement:
    """Clean while another connection writes a row a hundred times a second; note its waits."""
    ended, waits = threading.Event(), []

    def write() -> None:
        with closing(sqlite3.connect(parse_url(url).database, isolation_level=None, timeout=60)) as other:
            while not ended.wait(0.01):
                started = time.perf_counter()
                other.execute("INSERT INTO beside VALUES (1)")
                waits.append(time.perf_counter() - started)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        measured = clean(url)
    finally:
        ended.set()
        writer.join()
    return replace(
        measured, notes=measured.notes | {"writes": len(waits), "longest wait": round(max(waits), 3)}
    )


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table; half have expired")
    parser.add_argument("--in-order", action="store_true", help="the expired rows lie first, not mixed")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        saved, used = (tables.sqlite_url(Path(folder), name) for name in ("saved", "used"))
        tables.create(saved, chosen.rows, expired=chosen.rows // 2, mixed=not chosen.in_order)
        tables.execute(saved, "CREATE TABLE beside (n INTEGER)", "PRAGMA wal_checkpoint(TRUNCATE)")

        def restore() -> None:
            for old in Path(folder).glob("used.db*"):
                old.unlink()
            shutil.copyfile(parse_url(saved).database, parse_url(used).database)
            # Else the first checkpoint would wait for the copy to reach the disk.
            with Path(parse_url(used).database).open("rb+") as copy:
                os.fsync(copy.fileno())

        ways = {
            "plain DELETE": partial(tables.plain, used),
            "cleanupctl": partial(tables.cleanupctl, used),
            "plain DELETE beside a writer": partial(beside_a_writer, used, tables.plain),
            "cleanupctl beside a writer": partial(beside_a_writer, used, tables.cleanupctl),
        }
        results = alternate(ways, rounds=chosen.rounds, before=restore)
    report(f"SQLite, {chosen.rows:,} rows", results, baseline="plain DELETE", as_json=chosen.json)


if __name__ == "__main__":
    main()
