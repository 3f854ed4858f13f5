"""A table that others write to while a run cleans it."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cleanupctl.core.settings import CleanupSettings, TableSettings, TablesSettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history.kinds import history
from tests.support.cleaning import NOW
from tests.support.limits import TestLimits
from tests.support.servers import connect

if TYPE_CHECKING:
    from cleanupctl.core.run.cleaning import Event


EXPIRED = 60_000


class Sleeping(TestLimits):
    """Limits whose pauses take time, as in a real run."""

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


def fill(url: str) -> None:
    kind = "DATETIME(3)" if url.startswith("mysql") else "TIMESTAMP"
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE event (id INTEGER PRIMARY KEY, created_at {kind} NULL, what VARCHAR(80))"
        )
        cursor.execute("CREATE INDEX event_created ON event (created_at)")
        rows = [
            (n, "2020-01-01 00:00:00" if n % 3 else "2024-06-15 00:00:00", "x" * 60) for n in range(EXPIRED)
        ]
        for start in range(0, EXPIRED, 5000):
            cursor.execute("START TRANSACTION")
            cursor.executemany("INSERT INTO event VALUES (%s, %s, %s)", rows[start : start + 5000])
            cursor.execute("COMMIT")
        if url.startswith("postgresql"):
            cursor.execute("ANALYZE event")


def clean(url: str, limits: TestLimits) -> list[Event]:
    configured = TablesSettings(
        name="live",
        url=parse_url(url),
        timezone=ZoneInfo("UTC"),
        tables=(TableSettings("event", "created_at", ttl=30),),
    )
    with history(configured, CleanupSettings(batch_size=2000)).open() as session:
        return list(session.clean(NOW, limits))


def expired_left(url: str) -> int:
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM event WHERE created_at < '2024-01-01 00:00:00'")
        return int(cursor.fetchone()[0])


class Changing(threading.Thread):
    """Changes pairs of expired rows, the later one first: the other way round than they are deleted."""

    def __init__(self, url: str, rows: range = range(EXPIRED)) -> None:
        super().__init__()
        self.url = url
        self.rows = rows
        self.longest = 0.0
        self.errors: list[Exception] = []
        self.ending = threading.Event()

    def run(self) -> None:
        chance = random.Random(3)
        with connect(self.url, autocommit=False) as connection, connection.cursor() as cursor:
            while not self.ending.is_set():
                earlier = chance.choice(self.rows)
                later = earlier + 150
                try:
                    for number in (later, earlier):
                        started = time.perf_counter()
                        cursor.execute("UPDATE event SET what = 'changed' WHERE id = %s", (number,))
                        self.longest = max(self.longest, time.perf_counter() - started)
                        time.sleep(0.02)
                    connection.commit()
                except Exception as error:  # noqa: BLE001 - the test looks at all of them
                    self.errors.append(error)
                    connection.rollback()
