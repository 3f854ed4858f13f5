"""How far `run --dry-run --estimate` is from the run that follows it, in percent.

.venv/bin/python -m tests.benchmarks.estimate --database postgresql --instances 6000 --jobs 1 2
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cleanupctl.core.urls import parse_url
from tests.benchmarks import tables
from tests.benchmarks.datasets import SERVERS, Snapshot, engine_history, server_of
from tests.benchmarks.measuring import arguments
from tests.support.command import Command

if TYPE_CHECKING:
    from collections.abc import Callable

ENGINE = '[[history]]\nname = "engine"\nkind = "camunda"\nurl = "{url}"\n'
TABLE = (
    '[[history]]\nname = "audit"\nkind = "tables"\nurl = "{url}"\n'
    '[[history.table]]\nname = "audit_event"\ntime_column = "created_at"\nttl = "P{days}D"\n'
)


@dataclass(frozen=True)
class Comparison:
    """One estimate, and the run that followed; times in seconds."""

    known: str
    """What the job log had."""
    jobs: int
    backlog: int
    estimated: float
    real: float

    @property
    def error(self) -> float:
        """By how many percent the estimate was too long (above 0) or too short."""
        return 100 * (self.estimated / self.real - 1)


@dataclass(frozen=True)
class Position:
    """A database with a backlog that can be put back."""

    configuration: str
    restore: Callable[[], None]


def compare(place: Position, jobs: int, first_rows: int) -> list[Comparison]:
    """Estimate without any execution, after a short one, and after one of the whole backlog."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        command = Command(Path(folder))
        command.configure(f"[cleanup]\nparallelism = {jobs}\n{place.configuration}")
        place.restore()
        call(command, "schedule")
        found += estimate_and_run(command, "nothing", jobs)
    with tempfile.TemporaryDirectory() as folder:
        command = Command(Path(folder))
        command.configure(f"[cleanup]\nparallelism = {jobs}\n{place.configuration}")
        place.restore()
        call(command, "schedule")
        call(command, "run", "--max-rows", str(first_rows))
        found += estimate_and_run(command, f"a run of {first_rows:,} rows", jobs)
        place.restore()
        call(command, "schedule")
        found += estimate_and_run(command, "the run before, too", jobs)
    return found


def estimate_and_run(command: Command, known: str, jobs: int) -> list[Comparison]:
    """Compare; nothing when the estimate is refused."""
    outcome = command("run", "--dry-run", "--estimate")
    if outcome.code:
        print(f"no estimate with {known}: {outcome.error['message']}", file=sys.stderr)
    real = call(command, "run")
    if outcome.code:
        return []
    said = outcome.data
    assert said["backlogRows"] >= real["removedRows"] > 0, (said, real)
    one = Comparison(known, jobs, said["backlogRows"], said["secondsOfWork"], real["seconds"])
    print(f"{known}: {one.estimated:.2f} s estimated, {one.real:.2f} s real", file=sys.stderr)
    return [one]


def call(command: Command, *words: str) -> dict[str, object]:
    """Run and insist on success."""
    outcome = command(*words)
    if outcome.code:
        raise RuntimeError(outcome.err)
    return dict(outcome.data)


def report(found: list[Comparison], *, as_json: bool) -> None:
    """Print the median error of each case, and the worst."""
    cases: dict[tuple[str, int], list[Comparison]] = {}
    for one in found:
        cases.setdefault((one.known, one.jobs), []).append(one)
    if as_json:
        print(json.dumps([asdict(one) | {"error": round(one.error, 1)} for one in found], indent=2))
        return
    print("\nthe job log has            jobs    backlog  estimated s   real s  error %  worst %")
    for (known, jobs), all_of in cases.items():
        middle = sorted(all_of, key=lambda one: one.error)[len(all_of) // 2]
        worst = max((one.error for one in all_of), key=abs)
        print(
            f"{known:<26}{jobs:>5}{middle.backlog:>11,}{middle.estimated:>13.2f}{middle.real:>9.2f}"
            f"{middle.error:>+9.1f}{worst:>+9.1f}"
        )


@contextlib.contextmanager
def engine_place(kind: str, instances: int):
    """An engine's history."""
    with server_of(kind) as server:
        url = engine_history(server, instances, now=datetime.now(UTC).replace(microsecond=0))
        yield Position(ENGINE.format(url=url), Snapshot(server).restore)


@contextlib.contextmanager
def sqlite_place(rows: int):
    """A table in a file."""
    with tempfile.TemporaryDirectory() as folder:
        saved, used = (tables.sqlite_url(Path(folder), name) for name in ("saved", "used"))
        tables.create(saved, rows, expired=rows // 2)
        tables.execute(saved, "PRAGMA wal_checkpoint(TRUNCATE)")

        def restore() -> None:
            for old in Path(folder).glob("used.db*"):
                old.unlink()
            shutil.copyfile(parse_url(saved).database, parse_url(used).database)

        days = (datetime.now(UTC) - tables.NOW + timedelta(days=10)).days
        yield Position(TABLE.format(url=used, days=days), restore)


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__)
    parser.add_argument("--database", choices=(*SERVERS, "sqlite"), default="postgresql")
    parser.add_argument("--instances", type=int, default=6_000, help="expired process instances")
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="rows of the SQLite table; half have expired"
    )
    parser.add_argument("--jobs", type=int, nargs="*", default=[1], help="degrees of parallelism")
    parser.add_argument("--first-rows", type=int, default=10_000, help="rows of the short run before")
    chosen = parser.parse_args()
    sqlite = chosen.database == "sqlite"
    with sqlite_place(chosen.rows) if sqlite else engine_place(chosen.database, chosen.instances) as place:
        found = [
            one
            for _ in range(chosen.rounds)
            for jobs in chosen.jobs
            for one in compare(place, jobs, chosen.first_rows)
        ]
    report(found, as_json=chosen.json)


if __name__ == "__main__":
    main()
