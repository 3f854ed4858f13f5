"""Processes killed while they clean an engine's history: what stays is whole, and the next run finishes."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.camunda_data import fill
from tests.camunda_policy import checksums, expired_counts
from tests.command import Command
from tests.integration.test_workers import keep_for_an_hour
from tests.servers import connect

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
