"""Histories of kind `tables` on real databases: exactly the expired rows go."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.core.errors import HistoryUnreachableError
from cleanupctl.core.run.cleaning import (
    BatchDeleted,
    Expired,
    Failed,
    Noticed,
    Stopped,
    TableFinished,
    TableStarted,
)
from cleanupctl.core.settings import CleanupSettings, TableSettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history.kinds import history
from tests.support.cleaning import NOW, clean, deleted
from tests.support.cursors import database
from tests.support.limits import TestLimits
from tests.support.table_histories import AUDIT, BERLIN, fill, ids, kind_for, settings

if TYPE_CHECKING:
    from cleanupctl.core.run.cleaning import Event


@pytest.mark.parametrize("indexed", [True, False], ids=["indexed", "unindexed"])
def test_exactly_the_rows_older_than_the_ttl_go(database_url: str, indexed: bool) -> None:
    fill(database_url, 200, indexed=indexed, kind=kind_for(database_url))
    events = clean(settings(database_url, AUDIT))
    # Row n is n + 0.5 days old: rows 0 to 89 are younger than 90 days.
    assert ids(database_url) == list(range(90))
    assert deleted(events) == 110
    assert [event.rows for event in events if isinstance(event, TableFinished)] == [110]


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
@pytest.mark.parametrize("ttl", [20, 180], ids=["dense", "sparse"])
def test_no_transaction_deletes_more_than_the_batch_size(
    database_url: str, batch_size: int, ttl: int
) -> None:
    fill(database_url, 200, kind=kind_for(database_url))
    events = clean(
        settings(database_url, TableSettings("audit_event", "created_at", ttl=ttl)),
        cleanup=CleanupSettings(batch_size=batch_size),
    )
    assert max(event.rows for event in events if isinstance(event, BatchDeleted)) <= batch_size
    assert ids(database_url) == list(range(ttl))


def test_many_rows_of_the_same_moment_go_in_batches(database_url: str) -> None:
    fill(database_url, 50, kind=kind_for(database_url), days=0)
    with database(database_url) as cursor:
        cursor.execute("UPDATE audit_event SET created_at = '2020-01-01 00:00:00' WHERE id < 30")
        # Many young rows make the index the better way.
        mark = "?" if database_url.startswith("sqlite") else "%s"
        cursor.executemany(
            f"INSERT INTO audit_event VALUES ({mark}, '2024-06-14 00:00:00', 'young')",
            [(number,) for number in range(100, 3000)],
        )
        if database_url.startswith("postgresql"):
            cursor.execute("ANALYZE audit_event")
    events = clean(settings(database_url, AUDIT), cleanup=CleanupSettings(batch_size=7))
    assert [event.access_path for event in events if isinstance(event, TableStarted)] == ["index"]
    assert [event.rows for event in events if isinstance(event, BatchDeleted) if event.rows] == [
        7,
        7,
        7,
        7,
        2,
    ]
    assert len(ids(database_url)) == 20 + 2900


def test_rows_without_a_time_stay(database_url: str) -> None:
    fill(database_url, 100, kind=kind_for(database_url))
    with database(database_url) as cursor:
        cursor.execute("UPDATE audit_event SET created_at = NULL WHERE id >= 98")
    clean(settings(database_url, AUDIT))
    assert ids(database_url) == [*range(90), 98, 99]


def test_max_rows_is_never_passed(database_url: str) -> None:
    fill(database_url, 200, kind=kind_for(database_url))
    events = clean(settings(database_url, AUDIT), limits=TestLimits(rows=25))
    assert deleted(events) == 25
    assert events[-1] == Stopped("audit", "max-rows")


def test_a_stop_between_batches_keeps_what_is_committed_and_a_rerun_finishes(database_url: str) -> None:
    fill(database_url, 200, kind=kind_for(database_url))
    configured = settings(database_url, AUDIT)
    events = clean(configured, limits=TestLimits(batches=2), cleanup=CleanupSettings(batch_size=10))
    assert events[-1] == Stopped("audit", "signal")
    assert len(ids(database_url)) == 200 - deleted(events) > 90
    clean(configured)
    assert ids(database_url) == list(range(90))


def test_preview_counts_and_deletes_nothing(database_url: str) -> None:
    fill(database_url, 200, kind=kind_for(database_url))
    with history(settings(database_url, AUDIT), CleanupSettings()).open() as session:
        found = list(session.preview(NOW))
    assert found == [Expired("audit", "audit_event", 110, NOW - timedelta(days=199.5) + timedelta(hours=1))]
    assert len(ids(database_url)) == 200


def test_a_missing_table_is_reported_and_the_others_are_cleaned(database_url: str) -> None:
    fill(database_url, 200, kind=kind_for(database_url))
    events = clean(settings(database_url, TableSettings("no_such", "created_at", ttl=1), AUDIT))
    failures = [event for event in events if isinstance(event, Failed)]
    assert [event.table for event in failures] == ["no_such"]
    assert "there is no table no_such in history audit" in str(failures[0].error)
    assert ids(database_url) == list(range(90))


def test_a_missing_column_names_those_that_exist(database_url: str) -> None:
    fill(database_url, 10, kind=kind_for(database_url))
    events = clean(settings(database_url, TableSettings("audit_event", "createdat", ttl=1)))
    (failure,) = [event for event in events if isinstance(event, Failed)]
    assert "has no column createdat; it has id, created_at, what" in str(failure.error)
    assert len(ids(database_url)) == 10


def test_a_column_that_is_no_time_is_refused(server_url: str) -> None:
    fill(server_url, 10, kind=kind_for(server_url))
    events = clean(settings(server_url, TableSettings("audit_event", "what", ttl=1)))
    (failure,) = [event for event in events if isinstance(event, Failed)]
    assert "which is not a time" in str(failure.error)
    assert len(ids(server_url)) == 10


def test_the_statement_in_the_notice_creates_the_missing_index(database_url: str) -> None:
    fill(database_url, 10, indexed=False, kind=kind_for(database_url))
    notices = [event.message for event in clean(settings(database_url, AUDIT)) if isinstance(event, Noticed)]
    with database(database_url) as cursor:
        cursor.execute(notices[0].partition("create one: ")[2])
    assert not [event for event in clean(settings(database_url, AUDIT)) if isinstance(event, Noticed)]


def test_a_table_without_index_on_its_time_is_noticed(database_url: str) -> None:
    fill(database_url, 10, indexed=False, kind=kind_for(database_url))
    notices = [event.message for event in clean(settings(database_url, AUDIT)) if isinstance(event, Noticed)]
    assert any("no index leads with created_at of table audit_event" in message for message in notices)
    assert any("create one: CREATE INDEX " in message and "audit_event" in message for message in notices)


@pytest.mark.parametrize(("unit", "factor"), [("seconds", 1), ("milliseconds", 1000)])
def test_epoch_columns_are_compared_in_their_unit(database_url: str, unit: str, factor: int) -> None:
    with database(database_url) as cursor:
        cursor.execute("CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at BIGINT)")
        for number in range(20):
            moment = int((NOW - timedelta(days=number + 0.5)).timestamp() * factor)
            cursor.execute(f"INSERT INTO audit_event VALUES ({number}, {moment})")
    clean(settings(database_url, TableSettings("audit_event", "created_at", ttl=10, time_format=unit)))
    assert ids(database_url) == list(range(10))


def test_an_epoch_column_of_unknown_unit_is_refused(server_url: str) -> None:
    with database(server_url) as cursor:
        cursor.execute("CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at BIGINT)")
        cursor.execute("INSERT INTO audit_event VALUES (1, 1)")
    (failure,) = [e for e in clean(settings(server_url, AUDIT)) if isinstance(e, Failed)]
    assert 'time_format = "seconds"' in str(failure.error)
    assert ids(server_url) == [1]


def test_a_date_expires_when_the_whole_day_has(server_url: str) -> None:
    with database(server_url) as cursor:
        cursor.execute("CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at DATE)")
        for number in range(20):
            day = (NOW - timedelta(days=number)).date()
            cursor.execute(f"INSERT INTO audit_event VALUES ({number}, '{day}')")
    clean(settings(server_url, TableSettings("audit_event", "created_at", ttl=10)))
    assert ids(server_url) == list(range(11))


def test_an_instant_column_is_compared_as_an_instant(server_url: str) -> None:
    kind = "TIMESTAMP" if server_url.startswith("mysql") else "TIMESTAMPTZ"
    with database(server_url) as cursor:
        cursor.execute(f"CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at {kind} NULL)")
        if server_url.startswith("mysql"):
            cursor.execute("SET time_zone = '+00:00'")
        zone = "" if server_url.startswith("mysql") else "+00:00"
        edge = NOW - timedelta(days=10)
        for number, minutes in enumerate((-1, 0, 1)):
            moment = (edge + timedelta(minutes=minutes)).replace(tzinfo=None)
            cursor.execute(f"INSERT INTO audit_event VALUES ({number}, '{moment}{zone}')")
    clean(settings(server_url, TableSettings("audit_event", "created_at", ttl=10)))
    assert ids(server_url) == [2]


def test_a_row_that_a_foreign_key_points_at_is_passed_over_and_reported(database_url: str) -> None:
    fill(database_url, 200, kind=kind_for(database_url))
    with database(database_url) as cursor:
        cursor.execute(
            "CREATE TABLE receipt (id INTEGER PRIMARY KEY, event_id INTEGER, FOREIGN KEY (event_id)"
            " REFERENCES audit_event (id))"
        )
        cursor.execute("INSERT INTO receipt VALUES (1, 150), (2, 10)")
    events = clean(settings(database_url, AUDIT))
    assert ids(database_url) == [*range(90), 150]
    (finished,) = [event for event in events if isinstance(event, TableFinished)]
    assert (finished.rows, finished.skipped) == (109, 1)
    assert "receipt" in (finished.reason or "")


def test_tables_that_point_at_each_other_are_cleaned_children_first(database_url: str) -> None:
    fill(database_url, 200, kind=kind_for(database_url))
    kind = kind_for(database_url)
    with database(database_url) as cursor:
        cursor.execute(
            f"CREATE TABLE receipt (id INTEGER PRIMARY KEY, event_id INTEGER, at {kind} NULL,"
            " FOREIGN KEY (event_id) REFERENCES audit_event (id))"
        )
        cursor.execute("INSERT INTO receipt SELECT id, id, created_at FROM audit_event")
    events = clean(settings(database_url, AUDIT, TableSettings("receipt", "at", ttl=90)))
    assert ids(database_url) == ids(database_url, "receipt") == list(range(90))
    assert not [event for event in events if isinstance(event, TableFinished) and event.skipped]


def test_a_table_that_points_at_itself_is_cleaned_to_the_end(database_url: str) -> None:
    fill(database_url, 200, kind=kind_for(database_url))
    with database(database_url) as cursor:
        if database_url.startswith("sqlite"):
            cursor.execute("ALTER TABLE audit_event ADD COLUMN parent INTEGER REFERENCES audit_event (id)")
        else:
            cursor.execute("ALTER TABLE audit_event ADD COLUMN parent INTEGER")
            cursor.execute("ALTER TABLE audit_event ADD FOREIGN KEY (parent) REFERENCES audit_event (id)")
        # Every row points at the next older one: only the youngest of the expired can go at first.
        cursor.execute("UPDATE audit_event SET parent = id + 1 WHERE id < 199 AND id >= 150")
    clean(settings(database_url, AUDIT), cleanup=CleanupSettings(batch_size=10))
    assert ids(database_url) == list(range(90))


def test_a_composite_key_is_walked_to_its_end(database_url: str) -> None:
    kind = kind_for(database_url)
    rowid = " WITHOUT ROWID" if database_url.startswith("sqlite") else ""
    with database(database_url) as cursor:
        cursor.execute(
            f"CREATE TABLE part (tenant VARCHAR(10), id INTEGER, created_at {kind} NULL,"
            f" PRIMARY KEY (tenant, id)){rowid}"
        )
        wall = NOW.astimezone(BERLIN).replace(tzinfo=None)
        for number in range(120):
            moment = wall - timedelta(days=number + 0.5)
            cursor.execute(f"INSERT INTO part VALUES ('t{number % 3}', {number}, '{moment}')")
    clean(
        settings(database_url, TableSettings("part", "created_at", ttl=30)),
        cleanup=CleanupSettings(batch_size=7),
    )
    assert ids(database_url, "part") == list(range(30))


def test_names_are_taken_from_the_catalogue_and_quoted(database_url: str) -> None:
    quote = "`" if database_url.startswith("mysql") else '"'
    name = "Odd %s; na'me"
    with database(database_url) as cursor:
        cursor.execute(
            f"CREATE TABLE {quote}{name}{quote}"
            f" (id INTEGER PRIMARY KEY, {quote}at %{quote} {kind_for(database_url)})"
        )
        cursor.execute(
            f"INSERT INTO {quote}{name}{quote} VALUES (1, '2020-01-01 00:00:00'), (2, '2024-06-15 00:00:00')"
        )
    clean(settings(database_url, TableSettings(name, "at %", ttl=30)))
    with database(database_url) as cursor:
        cursor.execute(f"SELECT id FROM {quote}{name}{quote}")
        assert [row[0] for row in cursor.fetchall()] == [2]


def test_an_unreachable_server_is_one_clear_error_without_the_password(server_url: str) -> None:
    url = server_url.replace(":" + str(parse_url(server_url).port), ":1")
    with (
        pytest.raises(HistoryUnreachableError, match="is not reachable") as caught,
        history(settings(url, AUDIT), CleanupSettings()).open(),
    ):
        pass
    assert (parse_url(server_url).password or "?") not in str(caught.value)


def test_a_wrong_password_is_never_echoed(server_url: str) -> None:
    configured = settings(server_url, AUDIT)
    wrong = replace(configured, url=configured.url.with_password("Wr0ng-Secret"))
    with pytest.raises(HistoryUnreachableError) as caught, history(wrong, CleanupSettings()).open():
        pass
    assert "Wr0ng-Secret" not in str(caught.value)


class TestSQLite:
    """Times in SQLite are whatever was stored."""

    def test_a_missing_file_is_an_error_and_is_not_created(self, tmp_path: Any) -> None:
        path = tmp_path / "gone.db"
        with (
            pytest.raises(HistoryUnreachableError, match="there is no file"),
            history(settings(f"sqlite:///{path}", AUDIT), CleanupSettings()).open(),
        ):
            pass
        assert not path.exists()

    def test_texts_with_an_offset_are_compared_as_instants(self, sqlite_url: str) -> None:
        # The cutoff is 2024-06-05 12:00 UTC, 14:00 in Berlin.
        values = [
            "2024-06-05T11:59:00Z",
            "2024-06-05T12:01:00Z",
            "2024-06-05T20:59:00+09:00",
            "2024-06-05T21:01:00+09:00",
            "2024-06-06 01:59:00+14:00",
            "2024-06-05 13:59:00",
            "2024-06-05T14:01:00",
            "2024-06-04",
            "2024-06-05",
            "not a date",
            "",
        ]
        with database(sqlite_url) as cursor:
            cursor.execute("CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at TEXT)")
            cursor.executemany("INSERT INTO audit_event VALUES (?, ?)", list(enumerate(values)))
        clean(settings(sqlite_url, TableSettings("audit_event", "created_at", ttl=10)))
        left = [values[number] for number in ids(sqlite_url)]
        assert left == [
            "2024-06-05T12:01:00Z",
            "2024-06-05T21:01:00+09:00",
            "2024-06-05T14:01:00",
            "2024-06-05",
            "not a date",
            "",
        ]

    def test_numbers_in_a_text_column_never_count_as_older_than_every_date(self, sqlite_url: str) -> None:
        with database(sqlite_url) as cursor:
            cursor.execute("CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at DATETIME)")
            cursor.executemany(
                "INSERT INTO audit_event VALUES (?, ?)", [(n, "2024-06-01 00:00:00") for n in range(500)]
            )
            cursor.execute("UPDATE audit_event SET created_at = 99999999999 WHERE id = 250")
        clean(settings(sqlite_url, TableSettings("audit_event", "created_at", ttl=1)))
        assert ids(sqlite_url) == [250]

    @pytest.mark.parametrize("indexed", [True, False], ids=["indexed", "unindexed"])
    def test_what_is_no_date_stays_whatever_it_sorts_before(self, sqlite_url: str, indexed: bool) -> None:
        # SQLite's date functions take most of these: times of day and Julian day numbers are no dates here.
        odd: list[Any] = ["12:00", "12:00:00-05:00", "1234567", "123e-5", "1234-5.0", "-2000-01-01", "now"]
        odd += ["2020-13-01", "2020-01-01 and so on", "2020-01-01 25:00", "202\u0660-01-01", "2020-01-", ""]
        odd += [b"2020-01-01", None]
        with database(sqlite_url) as cursor:
            cursor.execute("CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at TEXT)")
            if indexed:
                cursor.execute("CREATE INDEX audit_event_created ON audit_event (created_at)")
            # What is stored is looked at in the first and the last rows: the blob lies between them.
            dates = [f"2020-01-01 00:00:{n % 60:02}" for n in range(200)]
            values = [*dates[:100], *odd, *dates[100:]]
            cursor.executemany("INSERT INTO audit_event VALUES (?, ?)", list(enumerate(values)))
        clean(settings(sqlite_url, AUDIT))
        assert [values[number] for number in ids(sqlite_url)] == odd

    def test_more_rows_than_a_batch_that_stay_at_one_moment_do_not_hold_up_the_others(
        self, sqlite_url: str
    ) -> None:
        fill(sqlite_url, 100)
        with database(sqlite_url) as cursor:
            cursor.execute("UPDATE audit_event SET created_at = '2023-12-30 25:00' WHERE id > 91 AND id < 97")
        clean(settings(sqlite_url, AUDIT), cleanup=CleanupSettings(batch_size=2))
        assert ids(sqlite_url) == [*range(90), *range(92, 97)]

    def test_values_of_different_types_are_refused(self, sqlite_url: str) -> None:
        with database(sqlite_url) as cursor:
            cursor.execute("CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at)")
            cursor.execute("INSERT INTO audit_event VALUES (1, 1000), (2, '2020-01-01')")
        (failure,) = [e for e in clean(settings(sqlite_url, AUDIT)) if isinstance(e, Failed)]
        assert "different types" in str(failure.error)
        assert ids(sqlite_url) == [1, 2]


class TestPostgreSQL:
    """Partitions and schemas."""

    def test_a_partitioned_table_is_cleaned_partition_by_partition(self, postgresql_url: str) -> None:
        with database(postgresql_url) as cursor:
            cursor.execute("CREATE TABLE part (id int, created_at timestamp) PARTITION BY RANGE (created_at)")
            cursor.execute(
                "CREATE TABLE part_old PARTITION OF part FOR VALUES FROM ('2020-01-01') TO ('2024-01-01')"
            )
            cursor.execute(
                "CREATE TABLE part_new PARTITION OF part FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')"
            )
            cursor.execute(
                "INSERT INTO part SELECT n, timestamp '2024-06-15' - n * interval '1 day'"
                " FROM generate_series(1, 400) n"
            )
        clean(settings(postgresql_url, TableSettings("part", "created_at", ttl=30)))
        assert ids(postgresql_url, "part") == list(range(1, 30))

    def test_a_schema_that_is_not_in_the_search_path_is_named(self, postgresql_url: str) -> None:
        with database(postgresql_url) as cursor:
            cursor.execute("CREATE SCHEMA archive")
            cursor.execute("CREATE TABLE archive.event (id int, created_at timestamp)")
            cursor.execute("INSERT INTO archive.event VALUES (1, '2020-01-01'), (2, '2024-06-15')")
        missing = clean(settings(postgresql_url, TableSettings("event", "created_at", ttl=30)))
        assert [type(event) for event in missing] == [Failed]
        clean(settings(postgresql_url, TableSettings("event", "created_at", ttl=30, schema="archive")))
        assert ids(postgresql_url, "archive.event") == [2]

    def test_a_view_is_refused(self, postgresql_url: str) -> None:
        with database(postgresql_url) as cursor:
            cursor.execute("CREATE VIEW seen AS SELECT now()::timestamp AS at")
        (failure,) = clean(settings(postgresql_url, TableSettings("seen", "at", ttl=30)))
        assert isinstance(failure, Failed)
        assert "is a view" in str(failure.error)


def test_workers_of_one_process_share_the_rows_and_count_none_twice(
    database_url: str,
) -> None:
    fill(database_url, 3000, kind=kind_for(database_url), days=0.1)
    shared = history(settings(database_url, AUDIT), CleanupSettings(batch_size=40))
    found: list[Event] = []

    def work() -> None:
        with shared.open() as session:
            found.extend(session.clean(NOW, TestLimits()))

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not [event for event in found if isinstance(event, Failed)]
    assert deleted(found) == 3000 - 895
    assert ids(database_url) == list(range(895))
