"""Signals, the stop file, the service manager, and other hosts: `run` as a service."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.support.audit import audit_configuration, audit_ids, audit_table
from tests.support.camunda.data import fill
from tests.support.command import Command
from tests.support.servers import connect
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.support.servers import DatabaseServer

SLOW = '[cleanup]\nbatch_size = 1\nbatch_time = "10ms"\n'


def end(process: subprocess.Popen[str]) -> tuple[str, str]:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    return process.communicate(timeout=60)


def test_a_second_signal_aborts_at_once_even_inside_a_long_delete(
    cleanupctl: Command, postgresql_url: str
) -> None:
    with connect(postgresql_url) as connection:
        connection.execute("CREATE TABLE audit_event (id int PRIMARY KEY, created_at timestamp)")
        connection.execute("INSERT INTO audit_event VALUES (1, '2020-01-01')")
        connection.execute(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_sleep(30); RETURN OLD; END'"
        )
        connection.execute(
            "CREATE TRIGGER slow BEFORE DELETE ON audit_event FOR EACH ROW EXECUTE FUNCTION slow()"
        )
    cleanupctl.configure(
        f'[[history]]\nname = "audit"\nkind = "tables"\nurl = "{postgresql_url}"\n'
        '[[history.table]]\nname = "audit_event"\ntime_column = "created_at"\nttl = 90\n'
    )
    cleanupctl("schedule")
    process = cleanupctl.start("run")
    with connect(postgresql_url) as connection:
        sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        wait_until(lambda: connection.execute(sleeping).fetchone()[0] == 1)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert process.poll() is None, "the first signal waits for the end of the batch"
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode == 143
        assert time.monotonic() - started < 5
        assert connection.execute("SELECT count(*) FROM audit_event").fetchone()[0] == 1


def test_a_stop_file_ends_a_run_at_the_end_of_a_batch(cleanupctl: Command, tmp_path: Path) -> None:
    audit_table(tmp_path / "audit.db", 30_000)
    cleanupctl.configure(audit_configuration(tmp_path / "audit.db") + SLOW)
    cleanupctl("schedule")
    process = cleanupctl.start("run", "--stop-file", str(tmp_path / "stop"))
    wait_until(lambda: len(audit_ids(tmp_path / "audit.db")) < 30_000)
    (tmp_path / "stop").touch()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert '"stop-file"' in out
    assert 90 < len(audit_ids(tmp_path / "audit.db")) < 30_000


def test_sighup_reloads_the_configuration_and_keeps_the_old_one_when_the_new_is_unusable(
    cleanupctl: Command, tmp_path: Path
) -> None:
    audit_table(tmp_path / "audit.db", 200)
    configured = audit_configuration(tmp_path / "audit.db")
    cleanupctl.configure(configured.replace("P90D", "P150D"))
    errors = (tmp_path / "errors").open("w+")
    cleanupctl("schedule")
    process = cleanupctl.start("run", "--watch", stderr=errors)

    def said(text: str) -> bool:
        return text in (tmp_path / "errors").read_text()

    try:
        wait_until(lambda: audit_ids(tmp_path / "audit.db") == list(range(150)))
        cleanupctl.configure("nonsense = 1\n")
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: said("the one from before stays in force"))
        assert said("nonsense")
        cleanupctl.configure(configured)
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: said("configuration reloaded"))
        cleanupctl("schedule")
        process.send_signal(signal.SIGHUP)  # it would find the schedule by itself, some seconds later
        wait_until(lambda: audit_ids(tmp_path / "audit.db") == list(range(90)))
    finally:
        end(process)
        errors.close()
    assert process.returncode == 0


def test_a_service_manager_hears_that_it_is_ready_alive_and_stopping(
    cleanupctl: Command, tmp_path: Path
) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        cleanupctl.environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        process = cleanupctl.start("run", "--watch")
        heard = [manager.recv(4096).decode()]
        while heard.count("WATCHDOG=1") < 2:
            heard.append(manager.recv(4096).decode())
        process.send_signal(signal.SIGTERM)
        while "STOPPING=1" not in heard:
            heard.append(manager.recv(4096).decode())
        process.communicate(timeout=60)
    assert heard[0].startswith("READY=1")
    assert process.returncode == 0


def test_a_host_with_another_configuration_is_noticed(cleanupctl: Command, tmp_path: Path) -> None:
    cleanupctl("schedule")
    cleanupctl("run")
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection, connection:
        connection.execute("UPDATE cleanupctl_job_log SET host = 'host-b', configuration = 'ffffffffffff'")
    cleanupctl("schedule")
    for outcome in (cleanupctl("run"), cleanupctl("jobs")):
        assert outcome.code == 0
        assert "host host-b runs with another configuration (ffffffffffff" in outcome.err


def test_a_job_store_that_is_restarted_is_waited_for(
    postgresql_url: str, postgresql_server: DatabaseServer, tmp_path: Path
) -> None:
    audit_table(tmp_path / "audit.db", 200)
    cleanupctl = Command(tmp_path, store=postgresql_url)
    cleanupctl.configure(audit_configuration(tmp_path / "audit.db"))
    cleanupctl("schedule")
    errors = tmp_path / "errors"
    with errors.open("w") as file:
        process = cleanupctl.start("run", "--watch", stderr=file)
        try:
            # Until the run is over: one that goes on waits for the store by itself, and says nothing.
            wait_until(lambda: "successful" in {one["state"] for one in cleanupctl("jobs", "log").data})
            postgresql_server.stop()
            # A reload wakes it up: it would look by itself every ten seconds.
            process.send_signal(signal.SIGHUP)
            wait_until(lambda: "trying again until it is back" in errors.read_text())
            postgresql_server.start()
            process.send_signal(signal.SIGHUP)
            wait_until(lambda: "the job store is back" in errors.read_text())
            (tmp_path / "audit.db").unlink()
            audit_table(tmp_path / "audit.db", 300)
            cleanupctl("schedule")
            process.send_signal(signal.SIGHUP)
            wait_until(lambda: audit_ids(tmp_path / "audit.db") == list(range(90)))
        finally:
            postgresql_server.start()
            end(process)
    assert process.returncode == 0
    assert "Traceback" not in errors.read_text()


def test_a_signal_ends_what_a_person_does_at_the_end_of_a_batch(
    cleanupctl: Command, engine_postgresql_url: str
) -> None:
    url = engine_postgresql_url
    fill(url, expired_instances=5, unexpired_instances=0, now=datetime.now(UTC), orphans=60)
    cleanupctl.configure(
        f'timezone = "UTC"\n[throttle]\nrows_per_second = 5\n[[history]]\nname = "engine"\nkind = "camunda"\n'
        f'url = "{url}"\n'
    )
    process = cleanupctl.start("history", "orphans", "--delete", "--yes", "--fail-if-incomplete")
    with connect(url) as connection:
        left = "SELECT count(*) FROM ACT_HI_DETAIL"
        before = connection.execute(left).fetchone()[0]
        wait_until(lambda: connection.execute(left).fetchone()[0] < before)
        out, errors = end(process)
        deleted = before - connection.execute(left).fetchone()[0]
    assert process.returncode == 5, errors
    assert 0 < deleted < 60
    assert "orphans stopped before it was finished: signal" in errors
    (found,) = json.loads(out)
    assert sum(one["rows"] for one in found["orphans"]) == deleted
    entry = cleanupctl("jobs", "log", "--json").data[0]
    assert (entry["operation"], entry["stopReason"], entry["removedRows"]) == ("orphans", "signal", deleted)
