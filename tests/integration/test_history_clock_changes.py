"""Rows of a table written on the nights on which clocks change: none goes before its time to live is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cleanupctl.core.settings import CleanupSettings
from cleanupctl.history.kinds import history
from tests.support.limits import TestLimits
from tests.support.table_histories import AUDIT, BERLIN, ids, run, settings

DAYS = 10


@pytest.mark.parametrize(
    ("written", "expires"),
    [
        # The first wall clock after the hour that is skipped, and the last one before it.
        ("2024-03-31 03:00:00", datetime(2024, 4, 10, 3, 0, tzinfo=BERLIN)),
        ("2024-03-31 01:59:59", datetime(2024, 4, 10, 1, 59, 59, tzinfo=BERLIN)),
        # In the hour that comes twice, of which nobody knows the pass, and right after it.
        ("2024-10-27 02:30:00", datetime(2024, 11, 6, 3, 0, tzinfo=BERLIN)),
        ("2024-10-27 03:00:00", datetime(2024, 11, 6, 3, 0, tzinfo=BERLIN)),
    ],
)
def test_a_row_goes_when_its_days_are_over_by_the_wall_clock(
    database_url: str, written: str, expires: datetime
) -> None:
    kind = "TEXT" if database_url.startswith("sqlite") else "TIMESTAMP"
    kind = "DATETIME" if database_url.startswith("mysql") else kind
    run(
        database_url,
        f"CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at {kind})",
        f"INSERT INTO audit_event VALUES (1, '{written}')",
    )
    configured = settings(database_url, replace(AUDIT, ttl=DAYS))
    left = []
    for now in (expires - timedelta(seconds=1), expires):
        with history(configured, CleanupSettings()).open() as session:
            list(session.clean(now, TestLimits()))
        left.append(ids(database_url))
    assert left == [[1], []]
