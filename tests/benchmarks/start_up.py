"""Start-up of whole processes: cleanupctl against a Python that only imports Typer, every driver installed.

.venv/bin/python -m tests.benchmarks.start_up
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.measuring import Measurement, alternate, arguments, report
from tests.support.command import Command

CALLS = {
    "cleanupctl schedule": ("schedule",),
    "cleanupctl jobs": ("jobs",),
    "cleanupctl --help": ("--help",),
}


def process(*command: str, environment: dict[str, str]) -> Measurement:
    """Run one process to its end, its output thrown away."""
    began = time.perf_counter()
    subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return Measurement(time.perf_counter() - began)


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__)
    parser.set_defaults(rounds=25)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = Command(Path(folder))
        command("schedule")  # creates the job store
        environment = command.variables()
        python = sys.executable
        ways = {
            "python -c pass": lambda: process(python, "-c", "pass", environment=environment),
            "import typer": lambda: process(python, "-c", "import typer", environment=environment),
        }
        for name, words in CALLS.items():
            ways[name] = lambda words=words: process(
                python, "-m", "cleanupctl", *words, environment=environment
            )
        results = alternate(ways, rounds=chosen.rounds)
    report("Start-up of a process", results, baseline="import typer", as_json=chosen.json)


if __name__ == "__main__":
    main()
