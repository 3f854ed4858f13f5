"""A history in a Galera cluster: failed certifications are tried again, write sets stay small."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.run.cleaning import BatchDeleted, Failed
from cleanupctl.history.databases.mysql.database import GALERA_ROWS
from tests.support.clusters import GaleraCluster
from tests.support.command import Command
from tests.support.servers import connect
from tests.support.traffic import EXPIRED, Changing, Sleeping, clean, expired_left, fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GOING = EXPIRED * 2 // 3

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def cluster() -> Iterator[GaleraCluster]:
    with closing(GaleraCluster()) as nodes:
        nodes.start()
        yield nodes


@pytest.fixture
def urls(cluster: GaleraCluster) -> Iterator[list[str]]:
    """URLs of one filled database on each node."""
    first = cluster.nodes[0]
    url = first.create_database()
    fill(url)
    everywhere = [url.replace(f":{first.port}/", f":{node.port}/") for node in cluster.nodes]
    wait_for(everywhere, EXPIRED)
    yield everywhere
    first.drop_database(url)


def rows(url: str) -> int:
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM event")
        return int(cursor.fetchone()[0])


def wait_for(urls: list[str], number: int) -> None:
    deadline = time.monotonic() + 30
    while [rows(url) for url in urls] != [number] * len(urls):
        assert time.monotonic() < deadline, "the nodes do not agree"
        time.sleep(0.1)


def test_a_run_beside_writers_on_other_nodes_removes_each_row_once(urls: list[str]) -> None:
    writers = [Changing(url) for url in urls[1:] for _ in range(2)]
    for writer in writers:
        writer.start()
    limits = Sleeping()
    events = clean(urls[0], limits)
    for writer in writers:
        writer.ending.set()
        writer.join()
    failed = [error for writer in writers for error in writer.errors]
    assert limits.sizes or failed, "no certification failed: the test shows nothing"
    assert all("Deadlock found" in str(error) for error in failed)
    assert not [event for event in events if isinstance(event, Failed)]
    events += clean(urls[0], limits)
    batches = [event for event in events if isinstance(event, BatchDeleted)]
    assert sum(batch.rows for batch in batches) == GOING
    assert max(batch.rows for batch in batches) <= GALERA_ROWS
    waits = [round(writer.longest, 2) for writer in writers]
    print(
        f"rows {GOING}, batches {len(batches)}, sizes {limits.sizes}, writers undone {len(failed)},"
        f" longest waits {waits}, run's pauses {limits.pauses}"
    )
    assert expired_left(urls[0]) == 0
    wait_for(urls, EXPIRED - GOING)


def test_a_write_set_larger_than_the_cluster_takes_is_tried_with_fewer_rows(
    urls: list[str], cluster: GaleraCluster
) -> None:
    limits = Sleeping()
    with connect(cluster.nodes[0].admin_url) as connection, connection.cursor() as cursor:
        cursor.execute("SET GLOBAL wsrep_max_ws_rows = 700")
        cursor.execute("SELECT @@wsrep_max_ws_size")
        (before,) = cursor.fetchone()
        cursor.execute("SET GLOBAL wsrep_max_ws_size = 20000")
        try:
            events = clean(urls[0], limits)
        finally:
            cursor.execute("SET GLOBAL wsrep_max_ws_rows = 0")
            cursor.execute("SET GLOBAL wsrep_max_ws_size = %s", (before,))
    assert not [event for event in events if isinstance(event, Failed)]
    assert limits.sizes, "no write set was refused"
    assert max(event.rows for event in events if isinstance(event, BatchDeleted)) <= 350
    wait_for(urls, EXPIRED - GOING)


def test_workers_on_different_nodes_remove_each_row_once(urls: list[str]) -> None:
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda url: clean(url, Sleeping()), urls))
    events = [event for part in found for event in part]
    assert not [event for event in events if isinstance(event, Failed)]
    assert sum(event.rows for event in events if isinstance(event, BatchDeleted)) == GOING
    wait_for(urls, EXPIRED - GOING)


class Rejecting(Sleeping):
    """Limits that make a node refuse work for a while, once some batches have gone."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.asked = 0

    def stop_reason(self) -> str | None:
        self.asked += 1
        if self.asked == 5:
            self.reject("ALL")
            threading.Timer(1.5, self.reject, ["NONE"]).start()
        return None

    def reject(self, what: str) -> None:
        with connect(self.url) as connection, connection.cursor() as cursor:
            cursor.execute(f"SET GLOBAL wsrep_reject_queries = {what}")


def test_a_node_that_takes_no_work_for_a_while_is_waited_for(urls: list[str], cluster: GaleraCluster) -> None:
    limits = Rejecting(cluster.nodes[0].admin_url)
    events = clean(urls[0], limits)
    assert not [event for event in events if isinstance(event, Failed)]
    assert limits.sizes, "the node never refused"
    wait_for(urls, EXPIRED - GOING)


def at_once(commands: list[Command], argument: str) -> None:
    processes = [command.start(argument) for command in commands]
    ended = [(process.communicate(timeout=120)[1], process.returncode) for process in processes]
    assert [code for _, code in ended] == [0] * len(commands), ended


def test_a_job_store_in_a_cluster_is_the_same_from_every_node(urls: list[str], tmp_path: Path) -> None:
    commands = []
    for number, url in enumerate(urls):
        folder = tmp_path / str(number)
        folder.mkdir()
        command = Command(folder, store=url)
        command.configure(
            f"""
[cleanup]
parallelism = 3
batch_size = 500
[[history]]
name = "live"
kind = "tables"
url = "{url}"
[[history.table]]
name = "event"
time_column = "created_at"
ttl = 30
"""
        )
        commands.append(command)
    at_once([command for command in commands for _ in range(2)], "schedule")
    at_once(commands, "run")
    wait_for(urls, 0)
    jobs, log = commands[1]("jobs").data, commands[2]("jobs", "log").data
    assert len(jobs) == 3
    ran = [entry for entry in log if entry["state"] == "successful"]
    assert sorted(entry["jobId"] for entry in ran) == sorted(job["id"] for job in jobs)
    assert sum(entry["removedRows"] for entry in ran) == EXPIRED
