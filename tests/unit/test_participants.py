"""Other hosts with another configuration are found in the job log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cleanupctl.core.job import LogEntry, LogState
from cleanupctl.core.jobs.participants import Participant, differing
from cleanupctl.core.jobs.schedule import Origin

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)
HERE = Origin("here", 1, "1.0", "aaaaaaaaaaaa")


def entry(host: str, configuration: str, hours_ago: int) -> LogEntry:
    return LogEntry(
        job_id="x",
        state=LogState.SUCCESSFUL,
        time=NOW - timedelta(hours=hours_ago),
        due_date=None,
        retries=3,
        priority=0,
        host=host,
        process_id=1,
        version="1.0",
        configuration=configuration,
    )


def test_only_other_hosts_whose_last_execution_differs_are_named() -> None:
    entries = [
        entry("here", "cccccccccccc", 1),
        entry("same", "aaaaaaaaaaaa", 2),
        entry("other", "bbbbbbbbbbbb", 3),
        entry("same", "bbbbbbbbbbbb", 4),
        entry("other", "aaaaaaaaaaaa", 5),
    ]
    assert differing(entries, HERE) == [Participant("other", "1.0", "bbbbbbbbbbbb", NOW - timedelta(hours=3))]
