"""One table of an engine on MariaDB: cleanupctl against pt-archiver (Debian percona-toolkit).

.venv/bin/python -m tests.benchmarks.archiver --instances 10000 --table ACT_HI_ACTINST
"""

from __future__ import annotations

import subprocess
import time
from functools import partial
from zoneinfo import ZoneInfo

from cleanupctl.core.run.cleaning import BatchDeleted, Failed
from cleanupctl.core.settings import CleanupSettings, TableSettings, TablesSettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history.kinds import history
from tests.benchmarks.datasets import NOW, Snapshot, engine_history, server_of
from tests.benchmarks.measuring import Measurement, alternate, arguments, report
from tests.benchmarks.tables import PatientLimits, execute
from tests.support.requirement import require


def cleanupctl(url: str, table: str) -> Measurement:
    """Clean the table with default settings."""
    only = TableSettings(table, "REMOVAL_TIME_", ttl=0)
    settings = TablesSettings(name="engine", url=parse_url(url), timezone=ZoneInfo("UTC"), tables=(only,))
    batches: list[BatchDeleted] = []
    began = time.perf_counter()
    with history(settings, CleanupSettings()).open() as session:
        for event in session.clean(NOW, PatientLimits()):
            if isinstance(event, BatchDeleted):
                batches.append(event)
            elif isinstance(event, Failed):
                raise event.error
    seconds = time.perf_counter() - began
    return Measurement(seconds, sum(one.rows for one in batches), tuple(one.seconds for one in batches))


def plain(url: str, table: str) -> Measurement:
    """One DELETE."""
    began = time.perf_counter()
    rows = execute(url, f"DELETE FROM {table} WHERE REMOVAL_TIME_ <= '{NOW:%Y-%m-%d %H:%M:%S}'")
    seconds = time.perf_counter() - began
    return Measurement(seconds, rows, (seconds,))


def archiver(url: str, table: str, limit: int, *, bulk: bool) -> Measurement:
    """Run pt-archiver, which walks the time index; `limit` rows a transaction."""
    place = parse_url(url)
    source = {"h": "127.0.0.1", "P": place.port, "u": place.user, "p": place.password, "D": place.database,
              "t": table, "A": "utf8mb4"}  # fmt: skip
    program, place_of_rows = (
        require("pt-archiver", "percona-toolkit"),
        [f"{k}={v}" for k, v in source.items()],
    )
    command = [
        program, "--source", ",".join(place_of_rows),
        "--where", f"REMOVAL_TIME_ <= '{NOW:%Y-%m-%d %H:%M:%S}'", "--purge", "--limit", str(limit),
        "--no-check-charset", "--no-version-check",
    ]  # fmt: skip
    command += ["--bulk-delete", "--commit-each"] if bulk else ["--txn-size", str(limit)]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    seconds = time.perf_counter() - began
    if execute(url, f"SELECT 1 FROM {table} WHERE REMOVAL_TIME_ <= '{NOW:%Y-%m-%d %H:%M:%S}' LIMIT 1"):
        raise RuntimeError("pt-archiver left rows behind")
    return Measurement(seconds)


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__)
    parser.add_argument("--instances", type=int, default=6_000, help="expired process instances")
    parser.add_argument("--table", default="ACT_HI_ACTINST")
    chosen = parser.parse_args()
    with server_of("mariadb") as server:
        url = engine_history(server, chosen.instances)
        snapshot = Snapshot(server)
        ways = {
            "plain DELETE": partial(plain, url, chosen.table),
            "cleanupctl": partial(cleanupctl, url, chosen.table),
            "pt-archiver, bulk of 1000": partial(archiver, url, chosen.table, 1_000, bulk=True),
            "pt-archiver, bulk of 10000": partial(archiver, url, chosen.table, 10_000, bulk=True),
            "pt-archiver, row by row": partial(archiver, url, chosen.table, 1_000, bulk=False),
        }
        results = alternate(ways, rounds=chosen.rounds, before=snapshot.restore)
    report(f"{chosen.table} on MariaDB", results, baseline="plain DELETE", as_json=chosen.json)


if __name__ == "__main__":
    main()
