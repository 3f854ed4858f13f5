"""Processes killed while they clean an engine's history: what stays is whole, and the next run finishes."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.support.camunda.data import fill
from tests.support.camunda.end_time import Policy, all_rows, without
from tests.support.camunda.policy import checksums, expired_counts, keep_for_an_hour
from tests.support.command import Command
from tests.support.servers import connect

if TYPE_CHECKING:
    from pathlib import Path

WORKERS = 3
LEASE_SECONDS = 2


def test_workers_killed_on_an_engines_history_leave_no_row_without_its_root(
    postgresql_url: str, engine_postgresql_url: str, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    url = engine_postgresql_url
    fill(url, expired_instances=1500, unexpired_instances=300, now=now, orphans=0)
    keep_for_an_hour(url, now)
    before, at_first = checksums(url, now), sum(expired_counts(url, now).values())
    command = Command(tmp_path, store=postgresql_url)
    command.configure(
        f"""
timezone = "UTC"
[cleanup]
parallelism = {WORKERS}
lease = "{LEASE_SECONDS}s"
batch_size = 50
[throttle]
rows_per_second = 1000
[[history]]
name = "engine"
kind = "camunda"
url = "{url}"
"""
    )
    command("schedule")
    jobs = [job["id"] for job in command("jobs").data]
    chance = random.Random(2)
    for _ in range(3):
        workers = [command.start("run") for _ in range(WORKERS)]
        time.sleep(chance.uniform(1, 2.5))
        for worker in workers:
            worker.kill()
            worker.communicate()
        assert checksums(url, now) == before
        assert rows_without_root(url) == 0
        assert [job["id"] for job in command("jobs").data] == jobs
        time.sleep(LEASE_SECONDS)
    assert 0 < sum(expired_counts(url, now).values()) < at_first, "the kills came too early or too late"
    command.configure(command.config.read_text().replace("rows_per_second = 1000", ""))
    command("schedule")
    outcome = command("run")
    assert outcome.code == 0, outcome.err
    assert checksums(url, now) == before
    assert not any(expired_counts(url, now).values())


def test_workers_killed_by_end_time_leave_nothing_but_whole_instances(
    postgresql_url: str, engine_postgresql_url: str, tmp_path: Path
) -> None:
    now, url = datetime.now(UTC), engine_postgresql_url
    # What expires at that moment or a second later has done so by now, the rest is days away from it.
    earlier = now - timedelta(minutes=10)
    fill(url, expired_instances=600, unexpired_instances=60, now=earlier, interleaved=True, orphans=0)
    before = all_rows(url)
    expected = Policy(before, now).expected()
    command = Command(tmp_path, store=postgresql_url)
    # The instances of a hierarchy have more rows than a batch may have: they are killed half-way, too.
    command.configure(
        f"""
timezone = "UTC"
[cleanup]
strategy = "end-time"
parallelism = 2
lease = "{LEASE_SECONDS}s"
batch_size = 40
[throttle]
rows_per_second = 2000
[[history]]
name = "engine"
kind = "camunda"
url = "{url}"
"""
    )
    command("schedule")
    chance = random.Random(3)
    for _ in range(3):
        workers = [command.start("run") for _ in range(2)]
        left = count_instances(url)
        while count_instances(url) > left - 20:
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 0.3))
        for worker in workers:
            worker.kill()
            worker.communicate()
        after = all_rows(url)
        gone = {table: found.keys() - after[table].keys() for table, found in before.items()}
        assert after == without(before, gone)
        assert all(ids <= expected.get(table, set()) for table, ids in gone.items())
        assert rows_without_root(url) == 0
        time.sleep(LEASE_SECONDS)
    assert gone["ACT_HI_PROCINST"] < expected["ACT_HI_PROCINST"], "the kills came too late"
    command.configure(command.config.read_text().replace("rows_per_second = 2000", ""))
    command("schedule")
    outcome = command("run")
    assert outcome.code == 0, outcome.err
    assert all_rows(url) == without(before, expected)


def count_instances(url: str) -> int:
    """Count process instances."""
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM act_hi_procinst")
        return int(cursor.fetchone()[0])


def rows_without_root(url: str) -> int:
    """Count activities and variables whose root instance is gone."""
    with connect(url) as connection, connection.cursor() as cursor:
        found = 0
        for table in ("act_hi_actinst", "act_hi_varinst", "act_ge_bytearray"):
            cursor.execute(
                f"SELECT count(*) FROM {table} c WHERE c.root_proc_inst_id_ IS NOT NULL AND NOT EXISTS"
                " (SELECT 1 FROM act_hi_procinst p WHERE p.proc_inst_id_ = c.root_proc_inst_id_)"
            )
            found += cursor.fetchone()[0]
    return found
