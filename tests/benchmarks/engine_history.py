"""Cleaning an engine's history: cleanupctl, one plain DELETE per table, and the engine's own statements.

.venv/bin/python -m tests.benchmarks.engine_history --database postgresql --instances 20000
"""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cleanupctl.core.cleaning import BatchDeleted, Failed
from cleanupctl.core.settings import CleanupSettings, HistorySettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history import history
from cleanupctl.history.camunda.schema import CHILDREN, ROOTS, SHARED
from tests.benchmarks.datasets import NOW, SERVERS, Snapshot, engine_history, server_of
from tests.benchmarks.measuring import Measurement, alternate, arguments, report
from tests.limits import TestLimits
from tests.servers import connect

if TYPE_CHECKING:
    from cleanupctl.core.cleaning import History

TABLES = (*CHILDREN, *SHARED, *ROOTS)
ENGINE_ROWS = 500


class PatientLimits(TestLimits):
    """No limits, but a pause is a pause."""

    __test__ = False

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


def cleanupctl(url: str, workers: int) -> Measurement:
    """Clean with cleanupctl's default settings, in as many threads as jobs would have."""
    settings = HistorySettings(name="engine", kind="camunda", url=parse_url(url), timezone=ZoneInfo("UTC"))
    batches: list[BatchDeleted] = []
    failures: list[object] = []
    began = time.perf_counter()
    shared = history(settings, CleanupSettings())
    threads = [
        threading.Thread(target=_work, args=(shared, batches, failures)) for _ in range(max(1, workers))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if failures:
        raise RuntimeError(f"cleanupctl failed: {failures}")
    return Measurement(seconds, sum(one.rows for one in batches), tuple(one.seconds for one in batches))


def _work(shared: History, batches: list[BatchDeleted], failures: list[object]) -> None:
    try:
        with shared.open() as session:
            for event in session.clean(NOW, PatientLimits()):
                if isinstance(event, BatchDeleted):
                    batches.append(event)
                if isinstance(event, Failed):
                    failures.append(event)
    except Exception as error:  # noqa: BLE001  (raised by the thread that started this one)
        failures.append(error)


def plain(url: str) -> Measurement:
    """One DELETE and one transaction per table: as fast as a single statement can be."""
    rows, transactions = 0, []
    began = time.perf_counter()
    with connect(url) as connection, connection.cursor() as cursor:
        for table in TABLES:
            started = time.perf_counter()
            cursor.execute(f"DELETE FROM {table} WHERE REMOVAL_TIME_ <= %s", (_wall(),))
            transactions.append(time.perf_counter() - started)
            rows += cursor.rowcount
    return Measurement(time.perf_counter() - began, rows, tuple(transactions))


def engine(url: str) -> Measurement:
    """The engine's statements without the engine: 500 rows of each table, all in one transaction."""
    where = "REMOVAL_TIME_ <= %s"
    if parse_url(url).scheme == "postgresql":
        text = "DELETE FROM {0} WHERE ID_ IN (SELECT ID_ FROM {0} WHERE " + where + " LIMIT {1})"
    else:
        text = "DELETE FROM {0} WHERE " + where + " LIMIT {1}"
    rows, transactions = 0, []
    began = time.perf_counter()
    with connect(url, autocommit=False) as connection, connection.cursor() as cursor:
        full = True
        while full:
            started, full = time.perf_counter(), False
            for table in TABLES:
                cursor.execute(text.format(table, ENGINE_ROWS), (_wall(),))
                rows += cursor.rowcount
                full = full or cursor.rowcount == ENGINE_ROWS
            connection.commit()
            transactions.append(time.perf_counter() - started)
    return Measurement(time.perf_counter() - began, rows, tuple(transactions))


def _wall() -> object:
    return NOW.replace(tzinfo=None)


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__)
    parser.add_argument("--database", choices=SERVERS, default="postgresql")
    parser.add_argument("--instances", type=int, default=10_000, help="expired process instances")
    parser.add_argument("--jobs", type=int, nargs="*", default=[1, 2], help="degrees of parallelism")
    parser.add_argument("--without-engine", action="store_true", help="leave the slow engine statements out")
    parser.add_argument("--interleaved", action="store_true", help="rows to go and to stay lie mixed")
    chosen = parser.parse_args()
    with server_of(chosen.database) as server:
        url = engine_history(server, chosen.instances, interleaved=chosen.interleaved)
        snapshot = Snapshot(server)
        ways = {"plain DELETE": partial(plain, url)}
        for jobs in chosen.jobs:
            ways[f"cleanupctl, {jobs} job{'s' if jobs > 1 else ''}"] = partial(cleanupctl, url, jobs)
        if not chosen.without_engine:
            ways["engine's statements"] = partial(engine, url)
        results = alternate(ways, rounds=chosen.rounds, before=snapshot.restore)
    title = f"Engine history on {chosen.database}, {chosen.instances:,} expired instances"
    report(title, results, baseline="plain DELETE", as_json=chosen.json)


if __name__ == "__main__":
    main()
