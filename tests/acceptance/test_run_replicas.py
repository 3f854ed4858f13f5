"""`run` beside replicas that fall behind: it waits for them, and says so."""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.core.urls import parse_url
from cleanupctl.history.databases.replicas import NOT_REPLICATING
from cleanupctl.history.databases.servers import connect as open_database
from tests.support.clusters import Replica, Source, Standby
from tests.support.servers import connect
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.command import Command
    from tests.support.servers import PostgreSQLServer

EXPIRED = 8_000


def site(cleanupctl: Command, url: str, more: str = "") -> None:
    """Make a table with rows to go, and a run slow enough to be held back."""
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at TIMESTAMP NULL)")
        for start in range(0, EXPIRED, 4000):
            rows = ", ".join(f"({n}, '2020-01-01 00:00:00')" for n in range(start, start + 4000))
            cursor.execute(f"INSERT INTO audit_event VALUES {rows}")
    cleanupctl.configure(
        f"""
timezone = "UTC"
[throttle]
rows_per_second = 2000
max_replica_lag = "1s"
[[history]]
name = "audit"
kind = "tables"
url = "{url}"
{more}
[[history.table]]
name = "audit_event"
time_column = "created_at"
ttl = 90
"""
    )
    cleanupctl("schedule")


def left(url: str) -> int:
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_event")
        return int(cursor.fetchone()[0])


def following(server: PostgreSQLServer) -> bool:
    with connect(server.admin_url) as connection:
        streaming = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
        return bool(connection.execute(streaming).fetchone()[0] == 1)


@pytest.fixture(scope="module")
def standby(postgresql_server: PostgreSQLServer) -> Iterator[Standby]:
    with closing(Standby(postgresql_server)) as server:
        server.start()
        yield server


def held_back(cleanupctl: Command, url: str, errors: Path, release: Callable[[], None]) -> Any:
    """Run until it waits for a replica, see that it does wait, then let it go on to the end."""
    with errors.open("w") as file:
        process = cleanupctl.start("run", stderr=file)
        wait_until(lambda: "waiting: replica-lag" in errors.read_text())
        time.sleep(0.5)  # a batch of another worker may have been under way
        waiting = left(url)
        time.sleep(1.5)
        assert 0 < left(url) == waiting
        assert process.poll() is None
        release()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, errors.read_text()
    assert left(url) == 0
    return json.loads(out)


def test_a_run_waits_for_a_standby_that_falls_behind(
    cleanupctl: Command,
    postgresql_url: str,
    postgresql_server: PostgreSQLServer,
    standby: Standby,
    tmp_path: Path,
) -> None:
    site(cleanupctl, postgresql_url)
    wait_until(lambda: following(postgresql_server))
    with connect(postgresql_server.admin_url) as connection:
        outcome = cleanupctl("run")
        assert outcome.code == 3
        assert "GRANT pg_monitor" in outcome.err
        assert left(postgresql_url) == EXPIRED
        connection.execute(f"GRANT pg_monitor TO {parse_url(postgresql_url).user}")
    cleanupctl("schedule")
    standby.pause(True)
    try:
        summary = held_back(cleanupctl, postgresql_url, tmp_path / "errors", lambda: standby.pause(False))
    finally:
        standby.pause(False)
    assert summary["waitedSeconds"]["replica-lag"] >= 2


@pytest.mark.server
def test_a_run_waits_for_a_replica_that_does_not_replicate_yet(cleanupctl: Command, tmp_path: Path) -> None:
    with closing(Source()) as source, closing(Replica(source)) as replica:
        source.start()
        replica.start()
        url = source.create_database("audit")
        shared = replica.url(source.administrator, source.password, "mysql")
        site(cleanupctl, url, f'replica_url = "{shared}"')
        summary = held_back(cleanupctl, url, tmp_path / "errors", replica.follow)
        assert summary["removedRows"] == EXPIRED


def test_a_run_waits_for_a_standby_that_is_away_as_its_slot_tells(
    cleanupctl: Command, postgresql_url: str, postgresql_server: PostgreSQLServer, tmp_path: Path
) -> None:
    site(cleanupctl, postgresql_url)
    with connect(postgresql_server.admin_url) as connection:
        connection.execute(f"GRANT pg_monitor TO {parse_url(postgresql_url).user}")
        connection.execute("SELECT pg_create_physical_replication_slot('away', true)")
        back = "SELECT pg_drop_replication_slot('away')"
        try:
            held_back(cleanupctl, postgresql_url, tmp_path / "errors", lambda: connection.execute(back))
        finally:
            connection.execute(f"{back} WHERE EXISTS (SELECT FROM pg_replication_slots)")


def test_a_standby_that_was_there_and_is_away_is_too_far_behind(
    postgresql_server: PostgreSQLServer, standby: Standby
) -> None:
    database = open_database(parse_url(postgresql_server.admin_url))
    with closing(database), closing(database.replica_lag(None)) as lag:
        wait_until(lambda: lag.seconds() == 0 and following(postgresql_server))
        assert lag.seconds() == 0
        standby.stop()
        try:
            wait_until(lambda: lag.seconds() == NOT_REPLICATING)
        finally:
            standby.start()
        wait_until(lambda: lag.seconds() < NOT_REPLICATING)
