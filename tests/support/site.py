"""A place where several workers clean one history, and what must be true there whatever is killed."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from tests.support.command import Command
from tests.support.cursors import database

if TYPE_CHECKING:
    from pathlib import Path


WORKERS = 3
LEASE_SECONDS = 2.0
SURVIVORS = 300
EXPIRED = 12_000

SLOW = 'batch_size = 10\nbatch_time = "10ms"\n'


class Site:
    """A history with rows to go and rows to stay, and the workers on it."""

    def __init__(self, url: str, store: str, folder: Path) -> None:
        self.url = url
        self.command = Command(folder, store=store)
        kind = "DATETIME" if url.startswith("mysql") else "TIMESTAMP"
        with database(url) as cursor:
            cursor.execute(
                f"CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at {kind} NULL, what TEXT)"
            )
            cursor.execute("CREATE INDEX audit_event_created ON audit_event (created_at)")
            rows = ", ".join(f"({n}, '2999-01-01 00:00:00', 'stays {n}')" for n in range(SURVIVORS))
            cursor.execute(f"INSERT INTO audit_event VALUES {rows}")
        self.next_id = SURVIVORS
        self.command.configure(
            f"""
timezone = "UTC"
[cleanup]
parallelism = {WORKERS}
lease = "{LEASE_SECONDS:.0f}s"
{SLOW}[[history]]
name = "audit"
kind = "tables"
url = "{url}"
[[history.table]]
name = "audit_event"
time_column = "created_at"
ttl = 90
"""
        )

    def lease(self, length: str) -> None:
        """Change the lease: on a machine busy with other things a short one is lost by who is alive."""
        whole = self.command.config.read_text()
        self.command.configure(re.sub(r'lease = "\w+"', f'lease = "{length}"', whole))

    def wait_for_deletions(self, before: int) -> None:
        """Return when rows have gone."""
        while self.expired() == before:
            time.sleep(0.02)

    def hurry(self) -> None:
        """Let the runs from now on take batches of the default size."""
        text = self.command.config.read_text()
        assert SLOW in text
        self.command.configure(text.replace(SLOW, ""))

    def finish(self) -> None:
        """Let the next run remove the rest."""
        self.lease("60s")
        self.hurry()
        outcome = self.command("run")
        assert outcome.code == 0, outcome.err
        assert self.expired() == 0

    def fill(self, rows: int = EXPIRED) -> None:
        """Make sure that there is enough to delete, before, between and behind the rows that stay."""
        missing = rows - self.expired()
        if missing <= 0:
            return
        values = [f"({self.next_id + n}, '2020-01-01 00:00:00', 'goes')" for n in range(missing)]
        self.next_id += missing
        with database(self.url) as cursor:
            for start in range(0, missing, 500):
                cursor.execute("INSERT INTO audit_event VALUES " + ", ".join(values[start : start + 500]))

    def count(self, condition: str) -> int:
        with database(self.url) as cursor:
            cursor.execute(f"SELECT count(*) FROM audit_event WHERE {condition}")
            return int(cursor.fetchone()[0])

    def expired(self) -> int:
        return self.count("created_at < '2024-01-01 00:00:00'")

    def check(self, jobs: list[str]) -> None:
        """Whatever was killed: every row that stays is there, and every job."""
        assert self.count("created_at > '2024-01-01 00:00:00' AND what LIKE 'stays %'") == SURVIVORS
        assert [job["id"] for job in self.command("jobs").data] == jobs
