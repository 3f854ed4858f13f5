"""Times that mean something else: no unit is guessed, zeros never expire, what cannot be meant is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.run.cleaning import Expired, Failed, Noticed
from cleanupctl.core.settings import CleanupSettings, TableSettings
from cleanupctl.history.check import check
from cleanupctl.history.kinds import history
from tests.support.cleaning import NOW, clean
from tests.support.cursors import database
from tests.support.table_histories import AUDIT, BERLIN, ids, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cleanupctl.history.databases.findings import Finding

DAYS = timedelta(days=1)


def fill(url: str, kind: str, values: Sequence[Any], *, indexed: bool = True) -> None:
    """Make `audit_event` with these times, the first of which has the id 0."""
    mark = "?" if url.startswith("sqlite") else "%s"
    with database(url) as cursor:
        if url.startswith("mysql"):
            cursor.execute("SET sql_mode = '', time_zone = '+00:00'")
        cursor.execute(f"CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at {kind} NULL)")
        if indexed:
            cursor.execute("CREATE INDEX audit_event_created ON audit_event (created_at)")
        cursor.executemany(f"INSERT INTO audit_event VALUES ({mark}, {mark})", list(enumerate(values)))


def preview(url: str, table: TableSettings) -> list[Any]:
    with history(settings(url, table), CleanupSettings()).open() as session:
        return list(session.preview(NOW))


def findings(url: str, table: TableSettings, now: datetime = NOW) -> list[Finding]:
    return [one for one in check(settings(url, table), now).findings if one.table]


def refused(url: str, table: TableSettings) -> str:
    """Return why a table is refused: by the run, by the dry run and by the check alike, and nothing goes."""
    before = ids(url)
    (failure,) = [event for event in clean(settings(url, table)) if isinstance(event, Failed)]
    (counted,) = preview(url, table)
    (error,) = [one for one in findings(url, table) if one.severity == "error"]
    assert isinstance(counted, Failed)
    assert str(failure.error) == str(counted.error) == error.message
    assert ids(url) == before
    return str(failure.error)


def seconds(days: float) -> float:
    return (NOW - days * DAYS).timestamp()


@pytest.mark.parametrize(
    "form",
    [
        lambda days: 2440587.5 + seconds(days) / 86400,
        lambda days: seconds(days) - 978307200,
        lambda days: int(f"{NOW - days * DAYS:%Y%m%d}"),
        lambda days: int(seconds(days) // 86400),
        lambda days: int(seconds(days) // 60),
        lambda days: int(seconds(days)),
    ],
    ids=["julian", "since 2001", "yyyymmdd", "days", "minutes", "seconds"],
)
@pytest.mark.parametrize("indexed", [True, False])
def test_no_unit_of_a_number_is_guessed(
    sqlite_url: str, form: Callable[[int], float], *, indexed: bool
) -> None:
    fill(sqlite_url, "NUMERIC", [form(days) for days in range(200)], indexed=indexed)
    reason = refused(sqlite_url, AUDIT)
    assert 'say what it counts with time_format = "seconds"' in reason
    assert f"its newest value {int(form(0))} is as seconds " in reason


@pytest.mark.parametrize(
    ("unit", "number"),
    [
        ("seconds", lambda moment: moment.timestamp()),
        ("milliseconds", lambda moment: moment.timestamp() * 1000),
        ("microseconds", lambda moment: moment.timestamp() * 10**6),
        ("days", lambda moment: moment.timestamp() // 86400),
        ("julian-day", lambda moment: moment.timestamp() / 86400 + 2440587.5),
    ],
)
@pytest.mark.parametrize("indexed", [True, False])
def test_each_unit_deletes_what_is_older_than_the_ttl(
    database_url: str, unit: str, number: Callable[[datetime], float], *, indexed: bool
) -> None:
    moments = [NOW - (days + 0.75) * DAYS for days in range(20)]
    fill(database_url, "BIGINT", [int(number(moment)) for moment in moments], indexed=indexed)
    clean(settings(database_url, replace(AUDIT, ttl=10, time_format=unit)))
    # A whole Julian day is its noon, six hours before the moment.
    assert ids(database_url) == list(range(9 if unit == "julian-day" else 10))


@pytest.mark.parametrize(
    ("really", "configured"),
    [(1, "milliseconds"), (1000, "seconds"), (1000, "microseconds"), (10**6, "milliseconds"), (1, "days")],
)
@pytest.mark.parametrize("indexed", [True, False])
def test_a_wrong_unit_is_refused_with_what_the_right_one_makes_of_it(
    database_url: str, really: int, configured: str, *, indexed: bool
) -> None:
    fill(
        database_url,
        "BIGINT",
        [0, *(int(seconds(days) * really) for days in range(200))],
        indexed=indexed,
    )
    reason = refused(database_url, replace(AUDIT, time_format=configured))
    assert f"{int(seconds(0) * really)}, which is " in reason
    assert " 2024-06-15 12:00" in reason
    assert "set time_format to what the column counts" in reason


def test_seconds_since_2001_are_no_seconds(database_url: str) -> None:
    fill(database_url, "BIGINT", [int(seconds(days)) - 978307200 for days in range(200)])
    assert "31 years before now" in refused(database_url, replace(AUDIT, time_format="seconds"))


def test_the_sentence_of_a_refusal_cures_it(database_url: str) -> None:
    fill(database_url, "BIGINT", [int(seconds(days)) for days in range(200)])
    reason = refused(database_url, replace(AUDIT, time_format="milliseconds"))
    assert "as seconds 2024-06-15 12:00" in reason
    clean(settings(database_url, replace(AUDIT, time_format="seconds")))
    assert ids(database_url) == list(range(90))


@pytest.mark.parametrize("configured", ["seconds", "milliseconds"])
def test_a_program_that_changed_its_unit_loses_no_young_row(database_url: str, configured: str) -> None:
    old = [int(seconds(days)) for days in range(60, 200)]
    fill(database_url, "BIGINT", [*old, *(int(seconds(days) * 1000) for days in range(60))])
    clean(settings(database_url, replace(AUDIT, time_format=configured)))
    assert set(range(30)) | set(range(140, 200)) <= set(ids(database_url))


def _type(url: str, kind: str) -> str:
    mysql = url.startswith("mysql")
    return {
        "wall": "DATETIME" if mysql else "TIMESTAMP",
        "instant": "TIMESTAMP" if mysql else "TIMESTAMPTZ",
    }.get(kind, "DATE")


KINDS = ["wall", "instant", "date"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("indexed", [True, False])
def test_a_table_that_is_eight_years_old_is_cleaned_and_one_of_twenty_is_refused(
    server_url: str, kind: str, *, indexed: bool
) -> None:
    def made(years: int) -> list[str]:
        return [f"{NOW - (365 * years + days) * DAYS:%Y-%m-%d %H:%M:%S}" for days in range(5)]

    fill(server_url, _type(server_url, kind), made(8), indexed=indexed)
    clean(settings(server_url, AUDIT))
    assert ids(server_url) == []
    with database(server_url) as cursor:
        cursor.execute("DROP TABLE audit_event")
    fill(server_url, _type(server_url, kind), made(21), indexed=indexed)
    assert "21 years before now (2024-06-15 12:00)" in refused(server_url, AUDIT)
    clean(settings(server_url, replace(AUDIT, implausible_times="allow")))
    assert ids(server_url) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("indexed", [True, False])
def test_zeros_of_calendars_and_infinities_are_kept_and_break_nothing(
    server_url: str, kind: str, *, indexed: bool
) -> None:
    young, old = f"{NOW - DAYS:%Y-%m-%d}", f"{NOW - 100 * DAYS:%Y-%m-%d}"
    zeros = ["1970-01-01 00:00:01", "1970-01-01 12:00:00"]
    if server_url.startswith("postgres"):
        zeros += ["-infinity", "0044-03-15 BC", "0001-01-01", "1899-12-30", "infinity", "20000-01-01"]
    else:
        zeros += ["0000-00-00 00:00:00"]
        zeros += ["1000-01-01 00:00:00", "9999-12-31 00:00:00"] if kind != "instant" else []
    # Many of them: more than a batch of the index has.
    fill(server_url, _type(server_url, kind), [young, old, *zeros, *zeros[2:3] * 3000], indexed=indexed)
    counted = [event for event in preview(server_url, AUDIT) if isinstance(event, Expired)]
    assert [one.rows for one in counted] == [1]
    kept = ids(server_url)
    events = clean(settings(server_url, AUDIT))
    assert not [event for event in events if isinstance(event, Failed)]
    assert set(kept) - set(ids(server_url)) == {1}
    (hint,) = [one for one in findings(server_url, AUDIT) if "counts as not set" in one.message]
    assert hint.severity == "hint"
    assert hint.remedy == 'set unset_time = "expired" for the table if such rows may be deleted'


@pytest.mark.parametrize("kind", KINDS)
def test_with_unset_time_expired_they_go_and_rows_without_a_time_too(server_url: str, kind: str) -> None:
    zeros = ["1970-01-01 00:00:01", "1970-01-01 12:00:00", None, None]
    if server_url.startswith("postgres"):
        zeros += ["-infinity", "0044-03-15 BC", "0001-01-01"]
    else:
        zeros += ["0000-00-00 00:00:00"]
    young, old = f"{NOW - DAYS:%Y-%m-%d}", f"{NOW - 100 * DAYS:%Y-%m-%d}"
    table = replace(AUDIT, unset_time="expired")
    fill(server_url, _type(server_url, kind), [young, old, *zeros])
    (counted,) = preview(server_url, table)
    assert counted.rows == 1 + len(zeros)
    clean(settings(server_url, table))
    assert ids(server_url) == [0]


@pytest.mark.parametrize("unset", ["keep", "expired"])
@pytest.mark.parametrize("indexed", [True, False])
def test_zero_and_negative_numbers_expire_only_if_asked_for(
    database_url: str, unset: str, *, indexed: bool
) -> None:
    zeros = [0, 0, -1, -(2**31), 2**63 - 1, None]
    values = [*zeros, int(seconds(1) * 1000), int(seconds(100) * 1000)]
    fill(database_url, "BIGINT", values, indexed=indexed)
    table = replace(AUDIT, time_format="milliseconds", unset_time=unset)
    clean(settings(database_url, table))
    assert ids(database_url) == ([4, 6] if unset == "expired" else [0, 1, 2, 3, 4, 5, 6])


def test_a_table_where_nothing_was_ever_set_is_neither_refused_nor_emptied(database_url: str) -> None:
    fill(database_url, "BIGINT", [0] * 50)
    table = replace(AUDIT, time_format="milliseconds")
    assert not [event for event in clean(settings(database_url, table)) if isinstance(event, Failed)]
    assert len(ids(database_url)) == 50
    (hint,) = findings(database_url, table)
    assert (hint.severity, "50 rows of table audit_event have a created_at before" in hint.message) == (
        "hint",
        True,
    )


def test_a_table_where_all_rows_never_expire_is_no_reason_to_refuse(database_url: str) -> None:
    fill(database_url, "BIGINT", [2**63 - 1, 253402300799])
    table = replace(AUDIT, time_format="seconds")
    assert not [event for event in clean(settings(database_url, table)) if isinstance(event, Failed)]
    assert ids(database_url) == [0, 1]


TEXTS = {
    "offset without colon": "%Y-%m-%dT%H:%M:%S+0000",
    "UTC behind": "%Y-%m-%d %H:%M:%S UTC",
    "basic": "%Y%m%dT%H%M%SZ",
    "digits": "%Y%m%d%H%M%S",
    "dots": "%d.%m.%Y",
    "slashes": "%m/%d/%Y %H:%M",
    "comma": "%Y-%m-%d %H:%M:%S,123",
    "words": "%a, %d %b %Y %H:%M:%S GMT",
}


@pytest.mark.parametrize("form", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("indexed", [True, False])
def test_texts_that_are_no_iso_times_stay_and_are_told(sqlite_url: str, form: str, *, indexed: bool) -> None:
    texts = [(NOW - days * DAYS).strftime(form) for days in range(200)]
    iso = [f"{NOW - days * DAYS:%Y-%m-%d %H:%M:%S}" for days in range(200)]
    fill(sqlite_url, "TEXT", [*texts, *iso], indexed=indexed)
    events = clean(settings(sqlite_url, AUDIT))
    assert ids(sqlite_url) == list(range(200 + 90))
    told = [event.message for event in (*events, *preview(sqlite_url, AUDIT)) if isinstance(event, Noticed)]
    told += [f"{one.message}; {one.remedy}" for one in findings(sqlite_url, AUDIT)]
    sentences = [one for one in told if "no time in ISO 8601, such as '" in one]
    assert len(sentences) == 3
    assert all("store 2026-11-27 10:00:00, and Z or an offset" in one for one in sentences)


def test_a_table_written_in_utc_and_read_in_a_zone_is_found(database_url: str) -> None:
    kind = "DATETIME" if not database_url.startswith("postgres") else "TIMESTAMP"
    stored = [NOW - minutes * timedelta(minutes=1) for minutes in range(100)]
    fill(database_url, kind, [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in stored])
    (warning,) = findings(database_url, AUDIT)
    assert warning.severity == "warning"
    assert "2 h 0 min ago, read as Europe/Berlin, and as UTC it would be now" in warning.message
    assert warning.remedy is not None and 'timezone = "UTC"' in warning.remedy
    cured = settings(database_url, AUDIT, zone=ZoneInfo("UTC"))
    assert not [one for one in check(cured, NOW).findings if one.table]


def test_a_table_that_is_written_now_and_then_is_not_called_wrong(database_url: str) -> None:
    kind = "DATETIME" if not database_url.startswith("postgres") else "TIMESTAMP"
    stored = [NOW - days * DAYS for days in range(100)]
    fill(database_url, kind, [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in stored])
    assert findings(database_url, AUDIT) == []


def test_a_number_configured_for_a_column_of_times_is_refused(server_url: str) -> None:
    fill(server_url, _type(server_url, "wall"), [f"{NOW:%Y-%m-%d}"])
    assert "leave time_format out" in refused(server_url, replace(AUDIT, time_format="milliseconds"))


def test_a_time_to_live_beyond_all_calendars_deletes_nothing(database_url: str) -> None:
    kind = "DATETIME" if not database_url.startswith("postgres") else "TIMESTAMP"
    fill(database_url, kind, [f"{NOW - 1000 * days * DAYS:%Y-%m-%d}" for days in range(10)])
    table = replace(AUDIT, ttl=2**31 - 1)
    assert not [event for event in clean(settings(database_url, table)) if isinstance(event, Failed)]
    assert len(ids(database_url)) == 10


def test_partitions_are_judged_together(postgresql_url: str) -> None:
    """An old partition is not refused for its age while the table is written."""
    with database(postgresql_url) as cursor:
        cursor.execute(
            "CREATE TABLE audit_event (id INTEGER, created_at TIMESTAMP, PRIMARY KEY (id, created_at))"
            " PARTITION BY RANGE (created_at)"
        )
        cursor.execute("CREATE INDEX ON audit_event (created_at)")
        for name, start, end in (("old", "2000-01-01", "2001-01-01"), ("new", "2024-01-01", "2025-01-01")):
            cursor.execute(
                f"CREATE TABLE audit_{name} PARTITION OF audit_event FOR VALUES FROM ('{start}') TO ('{end}')"
            )
        cursor.execute("INSERT INTO audit_event VALUES (1, '2000-06-01'), (2, '2024-06-14')")
    clean(settings(postgresql_url, AUDIT, zone=BERLIN))
    assert ids(postgresql_url) == [2]


EARLY = ["1950-05-01 10:00:00", "1979-12-31 23:00:00"]


def _wall_type(url: str) -> str:
    return {"sqlite": "TEXT", "postgresql": "TIMESTAMP"}.get(url.partition(":")[0], "DATETIME")


@pytest.mark.parametrize("indexed", [True, False])
def test_times_before_1980_are_real_where_that_is_said_and_zeros_are_none(
    database_url: str, *, indexed: bool
) -> None:
    zeros = {"sqlite": ["", "0000-00-00"], "postgresql": ["-infinity", "0044-03-15 BC"]}
    none = [None, *zeros.get(database_url.partition(":")[0], ["0000-00-00 00:00:00"] * 2)]
    fill(database_url, _wall_type(database_url), [f"{NOW - DAYS:%Y-%m-%d}", *EARLY, *none], indexed=indexed)
    notices = [event.message for event in clean(settings(database_url, AUDIT)) if isinstance(event, Noticed)]
    assert len(ids(database_url)) == 6
    assert [one for one in notices if 'unset_time = "keep-zero" for the table if these are real times' in one]
    real = replace(AUDIT, unset_time="keep-zero")
    (counted,) = [one for one in preview(database_url, real) if isinstance(one, Expired)]
    assert counted.rows == 2
    assert not [one for one in findings(database_url, real) if "counts as not set" in one.message]
    clean(settings(database_url, real))
    assert ids(database_url) == [0, 3, 4, 5]


def test_an_archive_that_ends_before_1980_is_refused_with_what_lets_it_be_cleaned(database_url: str) -> None:
    fill(database_url, _wall_type(database_url), EARLY)
    said = refused(database_url, AUDIT)
    assert 'implausible_times = "allow"' in said
    assert said.endswith('and unset_time = "keep-zero", since what lies before 1980 counts as not set')
    clean(settings(database_url, replace(AUDIT, implausible_times="allow", unset_time="keep-zero")))
    assert ids(database_url) == []


def test_numbers_of_times_before_1980_are_real_where_that_is_said(database_url: str) -> None:
    fill(database_url, "BIGINT", [-(10**9), -1, 0, 10**8, None, int(seconds(1))])
    table = replace(AUDIT, time_format="seconds", unset_time="keep-zero")
    clean(settings(database_url, table))
    assert ids(database_url) == [2, 4, 5]
