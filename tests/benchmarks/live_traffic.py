"""How long live statements take, alone and beside a run on the same table: p50, p99 and the longest.

python -m tests.benchmarks.live_traffic [--rows 600000] [--clients 4] [--json]
"""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.datasets import SERVERS, server_of
from tests.benchmarks.measuring import arguments, percentile
from tests.command import Command
from tests.servers import connect

ALONE_SECONDS = 10.0
THINKING_SECONDS = 0.005


class Client(threading.Thread):
    """Writes, changes and reads rows that stay, one transaction after the other."""

    def __init__(self, url: str, number: int) -> None:
        super().__init__()
        self.url = url
        self.number = number
        self.times: list[float] = []
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
                    self.times.append(time.perf_counter() - started)
                time.sleep(THINKING_SECONDS)


def fill(url: str, rows: int) -> None:
    """Two of three rows have expired."""
    kind = "DATETIME" if url.startswith("mysql") else "TIMESTAMP"
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE event (id INTEGER PRIMARY KEY, created_at {kind}, what VARCHAR(80))")
        cursor.execute("CREATE INDEX event_created ON event (created_at)")
        for start in range(0, rows, 5000):
            values = ", ".join(
                f"({n}, '{'2020-01-01' if n % 3 else '2030-01-01'} 00:00:00', '{'x' * 60}')"
                for n in range(start, min(start + 5000, rows))
            )
            cursor.execute(f"INSERT INTO event VALUES {values}")
        cursor.execute("ANALYZE TABLE event" if url.startswith("mysql") else "ANALYZE event")


def figures(clients: list[Client]) -> dict[str, float]:
    """Put the times of all clients together, in milliseconds."""
    times = [value for client in clients for value in client.times]
    parts = {"p50": statistics.median(times), "p99": percentile(times, 0.99) or 0.0, "longest": max(times)}
    return {"statements": len(times)} | {name: round(1000 * value, 2) for name, value in parts.items()}


def traffic(url: str, count: int) -> list[Client]:
    """Start the clients."""
    clients = [Client(url, number) for number in range(count)]
    for client in clients:
        client.start()
    return clients


def end(clients: list[Client]) -> dict[str, float]:
    """End the clients and sum up."""
    for client in clients:
        client.ending.set()
    for client in clients:
        client.join()
    return figures(clients)


def measure(kind: str, rows: int, count: int) -> dict[str, Any]:
    """Traffic alone, then beside one run with default settings."""
    with server_of(kind) as server, tempfile.TemporaryDirectory() as folder:
        url = server.create_database()
        fill(url, rows)
        clients = traffic(url, count)
        time.sleep(ALONE_SECONDS)
        alone = end(clients)
        with connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM event WHERE id >= 100000000")
        command = Command(Path(folder))
        command.configure(
            f'[[history]]\nname = "live"\nkind = "tables"\nurl = "{url}"\n'
            '[[history.table]]\nname = "event"\ntime_column = "created_at"\nttl = 30\n'
        )
        command("schedule")
        clients = traffic(url, count)
        outcome = command("run")
        beside = end(clients)
        return {
            "kind": kind,
            "alone_ms": alone,
            "beside_ms": beside,
            "removed": outcome.data["removedRows"],
            "rows_per_second": outcome.data["rowsPerSecond"],
        }


def main() -> None:
    """Measure both servers."""
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=600_000)
    parser.add_argument("--clients", type=int, default=4)
    options = parser.parse_args()
    for kind in SERVERS:
        found = measure(kind, options.rows, options.clients)
        if options.json:
            print(json.dumps(found))
            continue
        print(f"{kind}: {found['removed']:,} rows removed, {found['rows_per_second']:,} a second")
        for name in ("alone_ms", "beside_ms"):
            print(f"  {name}: {found[name]}")


if __name__ == "__main__":
    main()
