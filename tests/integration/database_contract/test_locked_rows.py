"""Rows that another session holds: the others are deleted, and these are passed over and told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cleanupctl.history.databases.errors import LockConflictError
from tests.support.contract import covers
from tests.support.cursors import database as raw

if TYPE_CHECKING:
    from cleanupctl.history.databases.scan import Batch, Scan
    from tests.support.contract import Place

ROWS = 400


def ended(scan: Scan, units: int = 50) -> list[Batch]:
    """Run a scan to its end."""
    batches = [scan.run(units, 1_000)]
    while not batches[-1].done:
        batches.append(scan.run(units, 1_000))
        assert len(batches) < ROWS, "the scan does not end"
    return batches


def passed_over(scan: Scan, batches: list[Batch]) -> bool:
    shared = scan.shared is not None and scan.shared.passed_over
    return shared or any(batch.passed_over for batch in batches)


@pytest.mark.parametrize(
    ("expired", "indexed", "same_time"), [(20, True, False), (300, False, False), (60, True, True)]
)
@covers("scan", "passes_over_locked")
def test_a_row_that_another_session_holds_stops_no_scan(
    place: Place, expired: int, *, indexed: bool, same_time: bool
) -> None:
    scan = place.database.scan(place.events(ROWS, expired, indexed=indexed, same_time=same_time))
    with raw(place.url) as holder:
        holder.execute("BEGIN IMMEDIATE" if place.is_file else "BEGIN")
        holder.execute("UPDATE event SET what = 'held' WHERE id = 7")
        if not place.database.passes_over_locked:
            place.database.query("PRAGMA busy_timeout = 100")
            with pytest.raises(LockConflictError):
                scan.run(50, 1_000)
            holder.execute("ROLLBACK")
            return
        batches = ended(scan)
        assert sum(batch.rows for batch in batches) == expired - 1
        assert passed_over(scan, batches)
        holder.execute("ROLLBACK")
    assert place.ids() == [7, *range(expired, ROWS)]


@covers("scan", "passes_over_locked")
def test_a_row_that_was_held_for_a_while_is_deleted_at_the_end_of_the_scan(place: Place) -> None:
    scan = place.database.scan(place.events(ROWS, 300, indexed=False))
    with raw(place.url) as holder:
        holder.execute("BEGIN IMMEDIATE" if place.is_file else "BEGIN")
        holder.execute("UPDATE event SET what = 'held' WHERE id = 3")
        if place.database.passes_over_locked:
            scan.run(1, 1_000)
        holder.execute("ROLLBACK")
    batches = ended(scan)
    assert not passed_over(scan, batches)
    assert place.ids() == list(range(300, ROWS))
