"""Few expired rows in a large table: what they cost, against reading the table once.

.venv/bin/python -m tests.benchmarks.sparse --database postgresql --rows 10000000 --expired 1000
"""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks import tables
from tests.benchmarks.datasets import SERVERS, server_of
from tests.benchmarks.measuring import Measurement, alternate, arguments, report

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def place(kind: str) -> Iterator[str]:
    """URL of an empty database."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield tables.sqlite_url(Path(folder), "table")
        return
    with server_of(kind) as server:
        yield server.create_database()


def scan(url: str) -> Measurement:
    """Read every row once."""
    began = time.perf_counter()
    tables.execute(url, "SELECT sum(length(body)) FROM audit_event WHERE body <> ''")
    return Measurement(time.perf_counter() - began)


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__)
    parser.add_argument("--database", choices=(*SERVERS, "sqlite"), default="postgresql")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--expired", type=int, default=1_000)
    chosen = parser.parse_args()
    with place(chosen.database) as url:
        tables.create(url, chosen.rows, expired=chosen.expired)
        again = (
            f"INSERT INTO audit_event SELECT -1 - id, '2024-03-01 00:00:00', body FROM audit_event"
            f" WHERE id BETWEEN {chosen.rows // 2} AND {chosen.rows // 2 + chosen.expired - 1}"
        )

        def refill() -> None:
            tables.execute(url, "DELETE FROM audit_event WHERE id < 0", again)

        tables.cleanupctl(url)
        ways = {"reading the table": partial(scan, url), "cleanupctl": partial(tables.cleanupctl, url)}
        results = alternate(ways, rounds=chosen.rounds, before=refill)
    title = f"{chosen.expired:,} expired of {chosen.rows:,} rows on {chosen.database}"
    report(title, results, baseline="reading the table", as_json=chosen.json)


if __name__ == "__main__":
    main()
