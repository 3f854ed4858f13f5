"""`run` on a host whose clock is wrong, and servers whose clocks are not: nothing goes before its time."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.command import Command
from tests.support.requirement import missing
from tests.support.servers import connect

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def wrong_clock(cleanupctl: Command) -> Iterator[Path]:
    """A file that says how far the clock of the commands is off, such as `+400d`; not that of servers."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found or shutil.which("faketime") is None:
        missing("libfaketime is not installed (Debian package faketime)")
    off = cleanupctl.folder / "off"
    off.write_text("+0\n")
    cleanupctl.environment |= {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME_TIMESTAMP_FILE": str(off),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    yield off


def history_at(cleanupctl: Command, url: str, more: str = "") -> None:
    """Make a table with one expired row and one of today."""
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at TIMESTAMP NULL)")
        cursor.execute("INSERT INTO audit_event VALUES (1, '2020-01-01 00:00:00'), (2, CURRENT_TIMESTAMP)")
    cleanupctl.configure(
        f'timezone = "UTC"\n{more}\n[[history]]\nname = "audit"\nkind = "tables"\nurl = "{url}"\n'
        '[[history.table]]\nname = "audit_event"\ntime_column = "created_at"\nttl = 1\n'
    )


def ids(url: str) -> list[int]:
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM audit_event ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.server
@pytest.mark.parametrize(("off", "direction"), [("+400d", "ahead of"), ("-400d", "behind")])
def test_a_history_whose_server_has_another_time_is_refused(
    cleanupctl: Command, wrong_clock: Path, server_url: str, off: str, direction: str
) -> None:
    history_at(cleanupctl, server_url)
    wrong_clock.write_text(f"{off}\n")
    cleanupctl("schedule")
    outcome = cleanupctl("run")
    assert outcome.code == 3, outcome.err
    assert f"days {direction} that of its database" in outcome.err
    assert ids(server_url) == [1, 2]
    checked = cleanupctl("history", "check", "--json")
    assert checked.code == 3
    assert f"days {direction} that of its database" in checked.out
    dry = cleanupctl("run", "--dry-run")
    assert dry.code == 3
    assert f"days {direction} that of its database" in dry.err


@pytest.mark.server
def test_of_clocks_that_are_a_little_apart_the_earlier_counts(
    cleanupctl: Command, wrong_clock: Path, postgresql_url: str
) -> None:
    history_at(cleanupctl, postgresql_url, '[cleanup]\nmax_clock_skew = "1d"')
    with connect(postgresql_url) as connection:
        connection.execute("UPDATE audit_event SET created_at = now() - interval '18 hours' WHERE id = 2")
    wrong_clock.write_text("+12h\n")
    cleanupctl("schedule")
    outcome = cleanupctl("run")
    assert outcome.code == 0, outcome.err
    assert "ahead of that of its database; the earlier of the two counts" in outcome.err
    assert ids(postgresql_url) == [2]
    findings = cleanupctl("history", "check", "--json").data[0]["findings"]
    assert [one["severity"] for one in findings if "clock" in one["message"]] == ["warning"]


@pytest.mark.server
def test_jobs_of_a_store_on_a_server_go_by_its_clock(
    tmp_path: Path, cleanupctl: Command, wrong_clock: Path, postgresql_url: str
) -> None:
    ahead = Command(tmp_path, cleanupctl.environment, store=postgresql_url)
    ahead.configure("")
    wrong_clock.write_text("+2d\n")
    ahead("schedule")
    right = Command(tmp_path, store=postgresql_url)
    outcome = right("run")
    assert outcome.data["executions"] == 1, outcome.err
    # The job log has the times of the store: its own rows are cleaned by a time to live, too.
    wrong_clock.write_text("+400d\n")
    ahead("schedule")
    refused = ahead("run")
    assert refused.code == 3
    assert "ahead of that of the job store" in refused.err
    assert len(right("jobs", "log").data) > 1


@pytest.mark.server
def test_what_was_given_while_the_clock_was_ahead_does_not_last_until_then(
    cleanupctl: Command, wrong_clock: Path
) -> None:
    cleanupctl.configure('timezone = "UTC"\n[window]\nstart = "00:00"\nend = "00:00"\n')
    cleanupctl("schedule")
    wrong_clock.write_text("+730d\n")
    assert cleanupctl("run").code == 0
    wrong_clock.write_text("+0\n")
    outcome = cleanupctl("run")
    assert "which nobody whose clock is right can have given" in outcome.err
    assert outcome.data["executions"] == 1
    assert "right" not in cleanupctl("run").err
