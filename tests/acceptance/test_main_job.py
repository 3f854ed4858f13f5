"""The main job as an operator does it: schedule, look, run, look again."""

from __future__ import annotations

import re
import signal
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.support.audit import audit_configuration, audit_ids, audit_table
from tests.support.camunda.data import fill
from tests.support.camunda.policy import checksums, expired_counts
from tests.support.servers import connect

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.command import Command
    from tests.support.servers import DatabaseServer

JOB_KEYS = [
    "id",
    "jobDefinitionId",
    "processInstanceId",
    "processDefinitionId",
    "processDefinitionKey",
    "executionId",
    "exceptionMessage",
    "retries",
    "dueDate",
    "suspended",
    "priority",
    "tenantId",
    "createTime",
]


def test_schedule_prints_exactly_the_engines_job_object(cleanupctl: Command) -> None:
    cleanupctl.configure('timezone = "Europe/Berlin"\n')
    outcome = cleanupctl("schedule")
    assert (outcome.code, outcome.err) == (0, "")
    assert list(outcome.data) == JOB_KEYS
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0[12]00", outcome.data["dueDate"])
    assert outcome.data["dueDate"] == outcome.data["createTime"]
    assert (outcome.data["retries"], outcome.data["suspended"], outcome.data["priority"]) == (3, False, 0)
    assert outcome.data["id"][14] == "1", "a time-based UUID"
    assert cleanupctl("jobs").data == [outcome.data]


def test_not_immediately_due_is_the_start_of_the_window(cleanupctl: Command) -> None:
    cleanupctl.configure('timezone = "UTC"\n[window]\nstart = "00:00"\nend = "00:00"\n')
    today = datetime.now(UTC).date()
    job = cleanupctl("schedule", "--not-immediately-due").data
    assert job["dueDate"][:10] in {str(today), str(datetime.now(UTC).date())}
    assert job["dueDate"].endswith("T00:00:00.000+0000")


def test_rescheduling_keeps_the_job_and_resets_it(cleanupctl: Command) -> None:
    first = cleanupctl("schedule").data
    cleanupctl("jobs", "retries", first["id"][:12], "0")
    cleanupctl("jobs", "suspend", "--all")
    again = cleanupctl("schedule").data
    assert again["id"] == first["id"]
    assert (again["retries"], again["suspended"]) == (3, False)
    assert again["createTime"] == first["createTime"]


def test_a_changed_parallelism_adds_and_removes_jobs(cleanupctl: Command) -> None:
    counts = []
    for parallelism in (3, 8, 2):
        cleanupctl.configure(f"[cleanup]\nparallelism = {parallelism}\n")
        cleanupctl("schedule")
        counts.append(len(cleanupctl("jobs").data))
    assert counts == [3, 8, 2]
    outcomes = [entry["state"] for entry in cleanupctl("jobs", "log").data]
    assert (outcomes.count("created"), outcomes.count("deleted")) == (8, 6)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mariadb"])
def test_ten_processes_that_schedule_at_once_leave_exactly_the_jobs(
    kind: str, cleanupctl: Command, request: pytest.FixtureRequest
) -> None:
    cleanupctl.store = request.getfixturevalue(f"{kind}_url")
    cleanupctl.configure("[cleanup]\nparallelism = 4\n")
    processes = [cleanupctl.start("schedule") for _ in range(10)]
    printed = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * 10, printed
    assert len(cleanupctl("jobs").data) == 4


def test_a_run_removes_exactly_what_has_expired_and_says_so(cleanupctl: Command, tmp_path: Path) -> None:
    audit_table(tmp_path / "audit.db", 200)
    cleanupctl.configure(audit_configuration(tmp_path / "audit.db"))
    cleanupctl("schedule")
    outcome = cleanupctl("run")
    assert outcome.code == 0
    assert outcome.data["removed"] == [{"history": "audit", "table": "audit_event", "rows": 110}]
    assert (outcome.data["executions"], outcome.data["incomplete"]) == (1, False)
    assert audit_ids(tmp_path / "audit.db") == list(range(90))
    (last, *_) = cleanupctl("jobs", "log").data
    assert (last["state"], last["removedRows"], last["stopReason"]) == ("successful", 110, "finished")
    assert cleanupctl("run").data["executions"] == 0


def test_a_dry_run_deletes_nothing_and_needs_no_job(cleanupctl: Command, tmp_path: Path) -> None:
    audit_table(tmp_path / "audit.db", 200)
    cleanupctl.configure(audit_configuration(tmp_path / "audit.db"))
    outcome = cleanupctl("run", "--dry-run")
    assert outcome.code == 0
    assert outcome.data["expiredRows"] == 110
    assert len(audit_ids(tmp_path / "audit.db")) == 200
    assert not (tmp_path / "jobs.db").exists()


def test_an_estimate_says_how_long_the_backlog_takes_and_whether_the_windows_are_enough(
    cleanupctl: Command, tmp_path: Path
) -> None:
    audit_table(tmp_path / "audit.db", 15_000)
    cleanupctl.configure(
        audit_configuration(tmp_path / "audit.db") + '[window]\nstart = "20:00"\nend = "06:00"\n'
    )
    assert cleanupctl("run", "--estimate").code == 2
    unmeasured = cleanupctl("run", "--dry-run", "--estimate")
    assert (unmeasured.code, "assumed, not measured" in unmeasured.err) == (0, True)
    assert unmeasured.data["assumedShare"] == 1
    cleanupctl("schedule")
    cleanupctl("run", "--max-rows", "5000")
    outcome = cleanupctl("run", "--dry-run", "--estimate")
    assert outcome.code == 0
    assert outcome.data["backlogRows"] == 15_000 - 90 - 5_000
    assert outcome.data["inflowRowsPerDay"] == 1
    assert outcome.data["openSecondsPerDay"] == pytest.approx(36_000, rel=0.01)
    assert outcome.data["secondsOfWork"] == pytest.approx(
        outcome.data["backlogRows"] / outcome.data["rowsPerSecond"], abs=0.5
    )
    assert (outcome.data["assumedShare"], "assumed" in outcome.err) == (0, False)
    assert (outcome.data["keepsUp"], outcome.data["parallelismNeeded"]) == (True, 1)
    assert len(audit_ids(tmp_path / "audit.db")) == 10_000


def test_without_a_history_the_job_log_is_cleaned_and_it_says_how_to_add_one(cleanupctl: Command) -> None:
    cleanupctl("schedule")
    outcome = cleanupctl("run")
    assert outcome.code == 0
    assert "no history is configured" in outcome.err
    assert "[[history]]" in outcome.err
    assert outcome.data["executions"] == 1


def test_max_rows_and_fail_if_incomplete(cleanupctl: Command, tmp_path: Path) -> None:
    audit_table(tmp_path / "audit.db", 200)
    cleanupctl.configure(audit_configuration(tmp_path / "audit.db"))
    cleanupctl("schedule")
    outcome = cleanupctl("run", "--max-rows", "10", "--fail-if-incomplete")
    assert outcome.code == 5
    assert outcome.data["removedRows"] == 10
    assert outcome.error["type"] == "IncompleteError"
    assert cleanupctl("run").data["removedRows"] == 100


def test_only_the_named_history_is_cleaned_and_the_job_stays_due(cleanupctl: Command, tmp_path: Path) -> None:
    audit_table(tmp_path / "audit.db", 100)
    cleanupctl.configure(audit_configuration(tmp_path / "audit.db"))
    cleanupctl("schedule")
    assert cleanupctl("run", "--history", "job-log").data["removedRows"] == 0
    assert cleanupctl("run", "--history", "nothing").code == 4
    assert cleanupctl("run").data["removedRows"] == 10


@pytest.mark.parametrize("parallelism", [1, 3])
def test_sigterm_ends_a_run_at_the_end_of_a_batch(
    parallelism: int, cleanupctl: Command, tmp_path: Path
) -> None:
    audit_table(tmp_path / "audit.db", 30_000)
    configured = audit_configuration(tmp_path / "audit.db")
    slow = f'[cleanup]\nbatch_size = 1\nbatch_time = "10ms"\nparallelism = {parallelism}\n'
    cleanupctl.configure(configured + slow)
    cleanupctl("schedule")
    process = cleanupctl.start("run")
    while len(audit_ids(tmp_path / "audit.db")) == 30_000:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert '"signal"' in out
    left = audit_ids(tmp_path / "audit.db")
    assert 90 < len(left) < 30_000
    assert set(range(90)) <= set(left)
    assert [job["suspended"] for job in cleanupctl("jobs").data] == [False] * parallelism


def test_watch_runs_a_job_that_becomes_due_and_ends_at_sigint(cleanupctl: Command, tmp_path: Path) -> None:
    audit_table(tmp_path / "audit.db", 100)
    cleanupctl.configure(audit_configuration(tmp_path / "audit.db"))
    process = cleanupctl.start("run", "--watch")
    time.sleep(1.0)
    cleanupctl("schedule")
    deadline = time.monotonic() + 30
    while len(audit_ids(tmp_path / "audit.db")) > 90 and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert audit_ids(tmp_path / "audit.db") == list(range(90))


def _keep_for_another_hour(url: str, now: datetime) -> None:
    """Nothing that is kept now may expire while the test is running."""
    with connect(url) as connection, connection.cursor() as cursor:
        for table in expired_counts(url, now):
            cursor.execute(
                f"UPDATE {table} SET REMOVAL_TIME_ = REMOVAL_TIME_ + INTERVAL '1' HOUR"
                " WHERE REMOVAL_TIME_ > %s",
                (now.replace(tzinfo=None),),
            )


@pytest.mark.parametrize("parallelism", [1, 2])
def test_an_engines_history_is_cleaned_from_the_command_line(
    engine_url: str, parallelism: int, cleanupctl: Command
) -> None:
    now = datetime.now(UTC)
    fill(engine_url, expired_instances=100, unexpired_instances=100, now=now)
    _keep_for_another_hour(engine_url, now)
    before, expired = checksums(engine_url, now), sum(expired_counts(engine_url, now).values())
    cleanupctl.configure(
        f"""
timezone = "UTC"
[cleanup]
parallelism = {parallelism}
[[history]]
name = "orders-engine"
kind = "camunda"
url = "{engine_url}"
"""
    )
    cleanupctl("schedule")
    outcome = cleanupctl("run")
    assert outcome.code == 0, outcome.err
    assert outcome.data["removedRows"] == expired
    assert outcome.data["executions"] == parallelism
    assert checksums(engine_url, now) == before
    assert not any(expired_counts(engine_url, now).values())


def test_the_job_store_can_be_a_shared_server(server_url: str, cleanupctl: Command) -> None:
    cleanupctl.store = server_url
    first = cleanupctl("schedule").data
    assert cleanupctl("run").data["executions"] == 1
    details = cleanupctl("jobs", "show", first["id"]).data
    assert details["state"] == "suspended"
    assert details["partition"] == {"number": 1, "of": 1, "minuteFrom": 0, "minuteTo": 59}


def test_a_server_that_goes_away_fails_the_job_and_the_next_run_finishes(
    postgresql_server: DatabaseServer, postgresql_url: str, cleanupctl: Command
) -> None:
    with connect(postgresql_url) as connection:
        connection.execute("CREATE TABLE audit_event (id int, created_at timestamp)")
        connection.execute("INSERT INTO audit_event VALUES (1, '2020-01-01')")
    cleanupctl.configure(
        f"""
[[history]]
name = "audit"
kind = "tables"
url = "{postgresql_url}"
[[history.table]]
name = "audit_event"
time_column = "created_at"
ttl = 90
"""
    )
    cleanupctl("schedule")
    postgresql_server.stop()
    try:
        outcome = cleanupctl("run")
    finally:
        postgresql_server.start()
    assert outcome.code == 11
    assert outcome.error["type"] == "HistoryUnreachableError"
    (job,) = cleanupctl("jobs").data
    assert job["retries"] == 2
    assert "is not reachable" in job["exceptionMessage"]
    cleanupctl("schedule")
    assert cleanupctl("run").data["removedRows"] == 1
