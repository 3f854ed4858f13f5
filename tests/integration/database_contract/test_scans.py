"""Every access path: the rows that have expired are deleted once, no others, in batches that fit.

PostgreSQL: TidRangeScan and TimeIndexScan of its package. MySQL, MariaDB and SQLite: PrimaryKeyScan and
TimeIndexScan, which follow keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.databases.conditions import Condition
from tests.support.contract import covers

if TYPE_CHECKING:
    from cleanupctl.history.databases.scan import Batch, Scan
    from tests.support.contract import Place

ROWS = 1_000


def ended(scan: Scan, units: int, most_rows: int) -> list[Batch]:
    """Run a scan to its end."""
    batches = []
    while True:
        batches.append(scan.run(units, most_rows))
        if batches[-1].done:
            return batches
        units = max(1, units // 2) if batches[-1].overflow else units
        assert len(batches) < 2 * ROWS, "the scan does not end"


def name_of(place: Place, path: str) -> str:
    if path == "index":
        return "TimeIndexScan"
    return "TidRangeScan" if place.product == "postgresql" else "PrimaryKeyScan"


@pytest.mark.parametrize(
    ("expired", "indexed", "path"),
    [(20, True, "index"), (900, True, "sweep"), (20, False, "sweep"), (0, True, "index")],
    ids=["few", "most", "no index", "none"],
)
@covers("scan")
def test_the_access_path_is_chosen_by_what_has_expired_and_takes_exactly_that(
    place: Place, expired: int, indexed: bool, path: str
) -> None:
    # SQLite follows the index also where much has expired, if the rows lie in its order: these do.
    target = place.events(ROWS, expired, indexed=indexed)
    if place.is_file and indexed:
        path = "index"
    scan = place.database.scan(target)
    assert (type(scan).__name__, scan.access_path) == (name_of(place, path), path)
    assert 0 < scan.start_units <= scan.most_units
    batches = ended(scan, 100, 100)
    assert sum(batch.rows for batch in batches) == expired
    assert max(batch.rows for batch in batches) <= 100
    assert place.ids() == list(range(expired, ROWS))


@pytest.mark.parametrize("expired", [20, 900])
@pytest.mark.parametrize("indexed", [True, False])
@covers("scan", "references_guard")
def test_rows_that_a_guard_keeps_stay_whatever_the_access_path(
    place: Place, expired: int, indexed: bool
) -> None:
    place.events(ROWS, expired, indexed=indexed)
    place.run("CREATE TABLE part (event INTEGER, FOREIGN KEY (event) REFERENCES event (id))")
    place.insert("part", [(3,), (17,)])
    table = place.table("event")
    scan = place.database.scan(place.target(table, "at", *place.database.references_guard(table)))
    assert sum(batch.rows for batch in ended(scan, 64, 100)) == expired - 2
    assert place.ids() == [3, 17, *range(expired, ROWS)]


@covers("scan")
def test_more_rows_of_one_time_than_a_batch_may_delete_are_taken_in_several(place: Place) -> None:
    target = place.events(ROWS, 100, same_time=True)
    scan = place.database.scan(target)
    batches = ended(scan, 30, 30)
    assert sum(batch.rows for batch in batches) == 100
    assert max(batch.rows for batch in batches) <= 30
    assert place.ids() == list(range(100, ROWS))


@covers("scan")
def test_a_batch_that_would_delete_too_much_is_rolled_back_or_cut(place: Place) -> None:
    target = place.events(ROWS, 900, indexed=False)
    scan = place.database.scan(target)
    batch = scan.run(500, 10)
    assert batch.rows <= 10
    assert batch.overflow == (batch.rows == 0)
    assert len(place.ids()) == ROWS - batch.rows
    ended(scan, 8, 10)
    assert place.ids() == list(range(900, ROWS))


@pytest.mark.parametrize("expired", [20, 900])
@covers("scan", "join")
def test_workers_that_join_a_scan_take_each_row_once(place: Place, expired: int) -> None:
    # Along the index rows are shared out only where they do not lie in the order of their key.
    target = place.events(ROWS, expired, indexed=expired == 20 and place.product == "postgresql")
    first = place.database.scan(target)
    assert first.access_path == ("index" if target.indexed else "sweep")
    assert first.shared is not None
    with place.another() as other:
        second = other.join(first.shared)
        assert type(second) is type(first)
        found = 0
        for _ in range(ROWS):
            batches = [scan.run(8, 100) for scan in (first, second)]
            found += sum(batch.rows for batch in batches)
            if first.shared.finished:
                break
        assert found == expired
    assert place.ids() == list(range(expired, ROWS))


@covers("scan", "join")
def test_what_a_worker_releases_is_taken_by_another(place: Place) -> None:
    target = place.events(ROWS, 900, indexed=False)
    first = place.database.scan(target)
    assert first.shared is not None
    # It takes a chunk, and deletes only a part of it: more would be too much for one transaction.
    first.run(400, 50)
    first.release()
    assert not first.shared.finished
    second = place.database.join(first.shared)
    ended(second, 4, 50)
    assert first.shared.finished
    assert place.ids() == list(range(900, ROWS))


@covers("scan")
def test_a_table_without_a_key_is_scanned_by_its_index_or_where_rows_have_addresses(place: Place) -> None:
    target = place.events(ROWS, 20, key=False)
    ended(place.database.scan(target), 50, 50)
    assert place.ids() == list(range(20, ROWS))


@covers("scan")
def test_a_table_with_neither_key_nor_index_is_refused_where_each_batch_would_read_all_of_it(
    place: Place,
) -> None:
    target = place.events(ROWS, 20, key=False, indexed=False)
    if place.family == "mysql":
        with pytest.raises(HistoryError, match="neither a primary key nor an index on at"):
            place.database.scan(target)
        return
    ended(place.database.scan(target), 50, 50)
    assert place.ids() == list(range(20, ROWS))


@covers("scan")
def test_rows_of_one_time_that_a_guard_keeps_hide_none_behind_them(place: Place) -> None:
    place.events(ROWS, 100, same_time=True)
    table = place.table("event")
    guard = Condition("(t.id >= 60 OR t.id = 3)")
    batches = ended(place.database.scan(place.target(table, "at", guard)), 30, 30)
    assert sum(batch.rows for batch in batches) == 41
    assert place.ids() == [*(n for n in range(60) if n != 3), *range(100, ROWS)]


@covers("layout_of")
def test_what_moves_rows_is_seen(place: Place) -> None:
    table = place.events(5, 5).table
    before = place.database.layout_of(table)
    place.run("DELETE FROM event WHERE id < 3")
    assert place.database.layout_of(table) == before
    place.run(
        "OPTIMIZE TABLE event" if place.family == "mysql" else f"VACUUM {'' if place.is_file else 'FULL'}"
    )
    assert (place.database.layout_of(table) == before) is (before is None)
    assert (before is None) is (place.family == "mysql")
