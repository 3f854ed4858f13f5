"""Peak memory of the whole process `cleanupctl run`, with few and with many expired rows.

.venv/bin/python -m tests.benchmarks.memory --database postgresql --rows 100000 10000000
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from tests.benchmarks import tables
from tests.benchmarks.datasets import SERVERS
from tests.benchmarks.measuring import Measurement, alternate, arguments, report
from tests.benchmarks.sparse import place
from tests.support.command import Command

PROGRAM = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "cleanupctl", *sys.argv[1:]], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)
"""
CONFIGURATION = """
timezone = "UTC"
[[history]]
name = "audit"
kind = "tables"
url = "{url}"
[[history.table]]
name = "audit_event"
time_column = "created_at"
ttl = "P1D"
"""


def run(url: str) -> Measurement:
    """Schedule and run; every row of the table has expired."""
    with tempfile.TemporaryDirectory() as folder:
        command = Command(Path(folder))
        command.configure(CONFIGURATION.format(url=url))
        command("schedule")
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "run"],
            env=command.variables(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
        )  # fmt: skip
        seconds = time.perf_counter() - began
    return Measurement(seconds, notes={"peak MiB": int(done.stdout.split()[-1]) / 1024})


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__)
    parser.set_defaults(rounds=1)
    parser.add_argument("--database", choices=(*SERVERS, "sqlite"), default="postgresql")
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 2_000_000])
    chosen = parser.parse_args()
    with place(chosen.database) as url:
        ways = {f"{rows:,} rows": partial(_filled_run, url, rows) for rows in chosen.rows}
        results = alternate(ways, rounds=chosen.rounds)
    report(
        f"Peak memory of `cleanupctl run` on {chosen.database}",
        results, baseline=f"{chosen.rows[0]:,} rows", as_json=chosen.json,
    )  # fmt: skip


def _filled_run(url: str, rows: int) -> Measurement:
    tables.create(url, rows, expired=rows // 2)
    measured = run(url)
    tables.execute(url, "DROP TABLE audit_event")
    return measured


if __name__ == "__main__":
    main()
