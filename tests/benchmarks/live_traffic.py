"""How long live statements take, alone and beside a run on the same table: p50, p99 and the longest.

.venv/bin/python -m tests.benchmarks.live_traffic --clients 4 --jobs 1
"""

from __future__ import annotations

import contextlib
import json
import random
import statistics
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.datasets import SERVERS, Snapshot, server_of
from tests.benchmarks.measuring import Measurement, Results, alternate, arguments, percentile
from tests.support.command import Command
from tests.support.servers import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = {"postgresql": 4_000_000, "mariadb": 600_000}
"""For a run of several seconds."""

WARMING_SECONDS = 1.0
ALONE_SECONDS = 8.0
THINKING_SECONDS = 0.005
CONFIGURATION = (
    '[[history]]\nname = "live"\nkind = "tables"\nurl = "{url}"\n'
    '[[history.table]]\nname = "event"\ntime_column = "created_at"\nttl = 30\n'
)


class Client(threading.Thread):
    """Writes, changes and reads rows that stay, one transaction after the other."""

    def __init__(self, url: str, number: int) -> None:
        super().__init__()
        self.url = url
        self.number = number
        self.times: list[tuple[float, float]] = []
        """When each statement was begun, and how long it took."""
        self.ending = threading.Event()

    def run(self) -> None:
        """Go on until told to end."""
        chance = random.Random(self.number)
        key = 100_000_000 + self.number * 10_000_000
        with connect(self.url) as connection, connection.cursor() as cursor:
            while not self.ending.is_set():
                key += 1
                kept = 3 * chance.randrange(10_000)
                for statement, parameters in (
                    ("INSERT INTO event VALUES (%s, '2030-01-01 00:00:00', 'live')", (key,)),
                    ("UPDATE event SET what = %s WHERE id = %s", (f"changed {key}", kept)),
                    ("SELECT what FROM event WHERE id = %s", (kept,)),
                ):
                    started = time.perf_counter()
                    cursor.execute(statement, parameters)
                    self.times.append((started, time.perf_counter() - started))
                time.sleep(THINKING_SECONDS)


def fill(url: str, rows: int) -> None:
    """Two of three rows have expired."""
    mysql = url.startswith("mysql")
    number, source = (
        ("seq", f"seq_0_to_{rows - 1}") if mysql else ("n", f"generate_series(0, {rows - 1}) AS s(n)")
    )
    with connect(url) as connection, connection.cursor() as cursor:
        kind = "DATETIME" if mysql else "TIMESTAMP"
        cursor.execute(f"CREATE TABLE event (id INTEGER PRIMARY KEY, created_at {kind}, what VARCHAR(80))")
        moment = (
            f"CASE WHEN {number} % 3 = 0 THEN TIMESTAMP '2030-01-01 00:00:00'"
            " ELSE TIMESTAMP '2020-01-01 00:00:00' END"
        )
        cursor.execute(f"INSERT INTO event SELECT {number}, {moment}, '{'x' * 60}' FROM {source}")
        cursor.execute("CREATE INDEX event_created ON event (created_at)")
        cursor.execute("ANALYZE TABLE event" if mysql else "VACUUM ANALYZE event")


def statements(clients: list[Client], since: float, until: float) -> list[float]:
    """Seconds of all clients' statements that were begun within a time."""
    return [took for client in clients for begun, took in client.times if since <= begun <= until]


@contextlib.contextmanager
def traffic(url: str, count: int) -> Iterator[list[Client]]:
    """Clients at work; ended afterwards."""
    clients = [Client(url, number) for number in range(count)]
    for client in clients:
        client.start()
    try:
        yield clients
    finally:
        for client in clients:
            client.ending.set()
        for client in clients:
            client.join()


def alone(url: str, count: int) -> Measurement:
    """Traffic and nothing else."""
    with traffic(url, count) as clients:
        time.sleep(WARMING_SECONDS)
        since = time.perf_counter()
        time.sleep(ALONE_SECONDS)
        until = time.perf_counter()
    return measurement(statements(clients, since, until), until - since, {})


def beside(url: str, count: int, configuration: str) -> Measurement:
    """Traffic while one `cleanupctl run` deletes; its start-up does not count."""
    with tempfile.TemporaryDirectory() as folder:
        command = Command(Path(folder))
        command.configure(configuration.format(url=url))
        command("schedule")
        with traffic(url, count) as clients:
            time.sleep(WARMING_SECONDS)
            outcome = command("run")
            until = time.perf_counter()
    if outcome.code:
        raise RuntimeError(outcome.err)
    since = until - outcome.data["seconds"]
    notes = {"removed": outcome.data["removedRows"], "removed/s": outcome.data["rowsPerSecond"]}
    return measurement(statements(clients, since, until), until - since, notes)


def measurement(took: list[float], seconds: float, notes: dict[str, Any]) -> Measurement:
    """Sum up: milliseconds, and how many statements a second there were."""
    parts = {
        "p50 ms": statistics.median(took),
        "p99 ms": percentile(took, 0.99) or 0.0,
        "longest ms": max(took),
    }
    figures = {name: round(1000 * value, 2) for name, value in parts.items()}
    return Measurement(seconds, notes={"statements/s": round(len(took) / seconds)} | figures | notes)


def report_traffic(kind: str, results: Results, *, as_json: bool) -> None:
    """Print the medians over the rounds, and how many times those beside are those alone."""
    medians = {
        way: {name: statistics.median(one.notes[name] for one in found) for name in found[0].notes}
        for way, found in results.items()
    }
    ratios = {name: round(medians["beside"][name] / value, 2) for name, value in medians["alone"].items()}
    if as_json:
        print(json.dumps({"database": kind} | medians | {"ratio": ratios}))
        return
    run = medians["beside"]
    print(f"\n{kind}: {run['removed']:,.0f} rows removed, {run['removed/s']:,.0f} a second\n")
    print(f"{'statements':<14}{'alone':>10}{'beside':>10}{'ratio':>8}")
    for name, ratio in ratios.items():
        print(f"{name:<14}{medians['alone'][name]:>10,}{run[name]:>10,}{ratio:>8}")


def main() -> None:
    """Measure both servers, or one."""
    parser = arguments(__doc__)
    parser.add_argument("--database", choices=SERVERS, help="only this one")
    parser.add_argument("--rows", type=int, help="rows of the table; two thirds have expired")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=1, help="degree of parallelism")
    chosen = parser.parse_args()
    configuration = f"[cleanup]\nparallelism = {chosen.jobs}\n{CONFIGURATION}"
    for kind in [chosen.database] if chosen.database else SERVERS:
        with server_of(kind) as server:
            url = server.create_database()
            fill(url, chosen.rows or ROWS[kind])
            ways = {
                "alone": partial(alone, url, chosen.clients),
                "beside": partial(beside, url, chosen.clients, configuration),
            }
            results = alternate(ways, rounds=chosen.rounds, before=Snapshot(server).restore)
        report_traffic(kind, results, as_json=chosen.json)


if __name__ == "__main__":
    main()
