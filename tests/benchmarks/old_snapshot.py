"""Rows per second at the beginning and at the end of a run, also while another session is in its way.

.venv/bin/python -m tests.benchmarks.old_snapshot --rows 2000000
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tests.benchmarks import tables
from tests.benchmarks.datasets import Snapshot, server_of
from tests.benchmarks.measuring import Measurement, alternate, arguments, report
from tests.support.servers import connect


def with_tenths(measured: Measurement, rows_of: list[int]) -> Measurement:
    """Note how fast the last tenth of the transactions was against the first one."""
    tenth = max(1, len(rows_of) // 10)
    # The first ones are small on purpose: sizes have to be found.
    start = min(5, len(rows_of) // 10)
    first, last = slice(start, start + tenth), slice(-tenth - 1, -1)
    rates = [sum(rows_of[part]) / sum(measured.transactions[part]) for part in (first, last)]
    return replace(measured, notes=measured.notes | {"last tenth / first": round(rates[1] / rates[0], 2)})


def clean(url: str, *, snapshot_held: bool) -> Measurement:
    """Clean the table; another session may hold a snapshot from before."""
    if not snapshot_held:
        return _clean(url)
    with connect(url, autocommit=False) as other:
        other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        other.execute("SELECT count(*) FROM pg_class")
        return _clean(url)


def _clean(url: str) -> Measurement:
    rows_of: list[int] = []
    return with_tenths(tables.cleanupctl(url, rows_of), rows_of)


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--share", type=float, default=0.5, help="share of the rows that have expired")
    parser.add_argument("--in-order", action="store_true", help="the expired rows lie first, not mixed")
    chosen = parser.parse_args()
    with server_of("postgresql") as server:
        url = server.create_database()
        tables.create(url, chosen.rows, expired=int(chosen.rows * chosen.share), mixed=not chosen.in_order)
        snapshot = Snapshot(server)
        ways = {
            "alone": partial(clean, url, snapshot_held=False),
            "beside an old snapshot": partial(clean, url, snapshot_held=True),
        }
        results = alternate(ways, rounds=chosen.rounds, before=snapshot.restore)
    report("A run from beginning to end on postgresql", results, baseline="alone", as_json=chosen.json)


if __name__ == "__main__":
    main()
