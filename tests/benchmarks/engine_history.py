"""Cleaning an engine's history: cleanupctl, plain DELETEs, the engine's statements, and the real engine.

.venv/bin/python -m tests.benchmarks.engine_history --database postgresql --instances 20000
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cleanupctl.core.run.cleaning import BatchDeleted, Failed
from cleanupctl.core.settings import CamundaSettings, CleanupSettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history.camunda.schema.tables import CHILDREN, ROOTS, SHARED
from cleanupctl.history.kinds import history
from tests.benchmarks.datasets import NOW, SERVERS, Snapshot, engine_history, server_of
from tests.benchmarks.measuring import Measurement, alternate, arguments, report
from tests.benchmarks.plot import plot
from tests.benchmarks.real_engine import own_cleanup, real_engine
from tests.support.limits import TestLimits
from tests.support.servers import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleanupctl.core.run.cleaning import History

TABLES = (*CHILDREN, *SHARED, *ROOTS)
ENGINE_ROWS = 500
BEST_JOBS = {"postgresql": 8, "mariadb": 4}
"""Degree of parallelism at which the real engine was the fastest, of 1, 2, 4 and 8 on two cores."""


class PatientLimits(TestLimits):
    """No limits, but a pause is a pause."""

    __test__ = False

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


def cleanupctl(url: str, workers: int, strategy: str = "removal-time") -> Measurement:
    """Clean with cleanupctl's default settings, in as many threads as jobs would have."""
    settings = CamundaSettings(name="engine", url=parse_url(url), timezone=ZoneInfo("UTC"), strategy=strategy)
    batches: list[tuple[float, BatchDeleted]] = []
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
    return Measurement(
        seconds,
        sum(one.rows for _, one in batches),
        tuple(one.seconds for _, one in batches),
        pace=tuple((at - began, one.rows) for at, one in sorted(batches, key=itemgetter(0))),
    )


def _work(shared: History, batches: list[tuple[float, BatchDeleted]], failures: list[object]) -> None:
    try:
        with shared.open() as session:
            for event in session.clean(NOW, PatientLimits()):
                if isinstance(event, BatchDeleted):
                    batches.append((time.perf_counter(), event))
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
    rows, transactions, pace = 0, [], []
    began = time.perf_counter()
    with connect(url, autocommit=False) as connection, connection.cursor() as cursor:
        full = True
        while full:
            started, full, removed = time.perf_counter(), False, 0
            for table in TABLES:
                cursor.execute(text.format(table, ENGINE_ROWS), (_wall(),))
                removed += cursor.rowcount
                full = full or cursor.rowcount == ENGINE_ROWS
            connection.commit()
            ended = time.perf_counter()
            transactions.append(ended - started)
            pace.append((ended - began, removed))
            rows += removed
    return Measurement(time.perf_counter() - began, rows, tuple(transactions), pace=tuple(pace))


def _wall() -> object:
    return NOW.replace(tzinfo=None)


def expired(url: str) -> int:
    """Rows of all tables whose removal time is past."""
    found = 0
    with connect(url) as connection, connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table} WHERE REMOVAL_TIME_ <= %s", (_wall(),))
            found += cursor.fetchone()[0]
    return found


def complete(way: Callable[[], Measurement], url: str, rows: int) -> Measurement:
    """Refuse a way that left something or took too much; outside of its time."""
    measured = way()
    if left := expired(url):
        raise RuntimeError(f"{left} expired rows were left")
    if measured.rows not in {0, rows}:
        raise RuntimeError(f"{measured.rows} rows went instead of {rows}")
    return replace(measured, rows=rows)


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__)
    parser.add_argument("--database", choices=SERVERS, default="postgresql")
    parser.add_argument("--instances", type=int, default=10_000, help="expired process instances")
    parser.add_argument("--jobs", type=int, nargs="*", default=[1, 2], help="degrees of parallelism")
    parser.add_argument(
        "--without-engine", action="store_true", help="leave out the slow engine and its statements"
    )
    parser.add_argument(
        "--real-engine-jobs", type=int, nargs="*",
        help="degrees of parallelism of the real engine's own cleanup (needs Java and Maven), instead of"
        " the one that was best; none: without",
    )  # fmt: skip
    parser.add_argument("--interleaved", action="store_true", help="rows to go and to stay lie mixed")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the result (needs pygal)")
    chosen = parser.parse_args()
    if chosen.plot and not find_spec("pygal"):
        parser.error("--plot needs pygal: pip install 'pygal>=3,<4'")
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(server_of(chosen.database))
        url = engine_history(server, chosen.instances, interleaved=chosen.interleaved)
        rows = expired(url)
        snapshot = Snapshot(server)
        ways: dict[str, Callable[[], Measurement]] = {"plain DELETE": partial(plain, url)}
        for jobs in chosen.jobs:
            ways[f"cleanupctl, {_jobs(jobs)}"] = partial(cleanupctl, url, jobs)
        if not chosen.without_engine:
            ways["engine's statements"] = partial(engine, url)
            degrees = chosen.real_engine_jobs
            degrees = [BEST_JOBS[chosen.database]] if degrees is None else degrees
            driver = stack.enter_context(real_engine()) if degrees else None
            for jobs in degrees if driver else ():
                ways[f"the real engine, {_jobs(jobs)}"] = partial(own_cleanup, driver, url, jobs)
        results = alternate(
            {name: partial(complete, way, url, rows) for name, way in ways.items()},
            rounds=chosen.rounds,
            before=snapshot.restore,
        )
    title = f"Engine history on {chosen.database}, {chosen.instances:,} expired instances"
    report(title, results, baseline="plain DELETE", as_json=chosen.json)
    if chosen.plot:
        plot(chosen.plot, title, results, baseline="plain DELETE")


def _jobs(count: int) -> str:
    return f"{count} job{'s' if count > 1 else ''}"


if __name__ == "__main__":
    main()
