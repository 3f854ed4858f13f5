"""When a row has expired, and how a moment is stored: by the kind of the column, on the server's terms."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.core.errors import HistoryError
from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.cutoff import SET_FROM, as_instant
from cleanupctl.history.databases.statements import Assignment, Update
from cleanupctl.history.databases.target import Target
from tests.support.contract import NOW, ZONE, covers

if TYPE_CHECKING:
    from datetime import datetime

    from tests.support.contract import Place

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def _stored(place: Place, kind: str, moment: datetime) -> Any:
    match kind:
        case "wall":
            return moment.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")
        case "instant":
            # MySQL reads what has no offset in the zone of the session, which is UTC here.
            return moment.strftime("%Y-%m-%d %H:%M:%S") + ("" if place.family == "mysql" else "+00:00")
        case "date":
            return moment.astimezone(ZONE).strftime("%Y-%m-%d")
        case "seconds":
            return int(moment.timestamp())
        case _:
            return int(moment.timestamp() * 1000)


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        ("wall", SECOND),
        ("instant", SECOND),
        ("seconds", SECOND),
        ("milliseconds", timedelta(milliseconds=1)),
        ("date", DAY),
    ],
)
@covers("expired", "count")
def test_a_row_has_expired_from_the_cutoff_on_and_a_day_once_it_has_passed(
    place: Place, kind: str, step: timedelta
) -> None:
    number = kind in ("seconds", "milliseconds")
    place.run(
        f"CREATE TABLE entry (id INTEGER PRIMARY KEY, at {place.type_of('integer' if number else kind)})"
    )
    moments = [NOW - 2 * step, NOW - step, NOW, NOW + step, NOW + 2 * step, None]
    place.insert("entry", [(n, one and _stored(place, kind, one)) for n, one in enumerate(moments)])
    table = place.table("entry")
    time_format = kind if number else None
    condition = place.database.expired(table.column("at"), place.moment, table, time_format)
    target = Target(table, table.column("at"), condition, time_format=time_format)
    rows, oldest = place.database.count(target)
    assert rows == (2 if kind == "date" else 3)
    found = as_instant(oldest, target, ZONE, time_format)
    assert found is not None
    whole = (NOW - 2 * step).astimezone(ZONE)
    assert found == (whole.replace(hour=0) if kind == "date" else whole)


@covers("expired")
def test_a_column_that_is_no_time_is_refused(place: Place) -> None:
    place.run(
        "CREATE TABLE entry (id INTEGER PRIMARY KEY, at BLOB)"
        if place.family != "postgresql"
        else "CREATE TABLE entry (id INTEGER PRIMARY KEY, at BYTEA)"
    )
    table = place.table("entry")
    with pytest.raises(HistoryError, match=r"column at of table entry is of type .*, which is not a time"):
        place.database.expired(table.column("at"), place.moment, table, None)


@covers("expired")
def test_a_number_without_a_unit_is_refused_whatever_its_rows_look_like(place: Place) -> None:
    place.run(f"CREATE TABLE entry (id INTEGER PRIMARY KEY, at {place.type_of('integer')})")
    place.insert("entry", [(1, 1_700_000_000), (2, 1_710_000_000)])
    table = place.table("entry")
    with pytest.raises(HistoryError, match="say what it counts with time_format"):
        place.database.expired(table.column("at"), place.moment, table, None)


@pytest.mark.parametrize("kind", ["wall", "instant", "date", "seconds", "milliseconds"])
@covers("expired", "unset", "without_time")
def test_a_time_before_1980_means_that_none_was_set_and_expires_only_if_asked_for(
    place: Place, kind: str
) -> None:
    number = kind in ("seconds", "milliseconds")
    place.run(
        f"CREATE TABLE entry (id INTEGER PRIMARY KEY, at {place.type_of('integer' if number else kind)})"
    )
    moments = [_stored(place, kind, SET_FROM - DAY), _stored(place, kind, SET_FROM + DAY), None]
    place.insert("entry", list(enumerate([*moments, *([0, -1] if number else [])])))
    table, time_format = place.table("entry"), kind if number else None
    column = table.column("at")

    def rows(condition: Condition) -> set[int]:
        return {
            row[0]
            for row in place.database.query(
                f"SELECT id FROM {place.database.qualified(table)} AS t WHERE {condition.sql}",
                condition.parameters,
            )
        }

    unset = {0, 3, 4} if number else {0}
    database = place.database
    assert rows(database.expired(column, place.moment, table, time_format)) == {1}
    assert rows(database.expired(column, place.moment, table, time_format, unset=True)) == {1, *unset}
    assert rows(database.unset(column, table, time_format)) == unset
    assert rows(database.without_time(column)) == {2}


@covers("unreadable")
def test_only_texts_can_be_unreadable_as_times(place: Place) -> None:
    place.run("CREATE TABLE entry (id INTEGER PRIMARY KEY, at VARCHAR(40))")
    texts = ["2024-01-01 10:00:00", "2024-01-01", "2024-01-01T10:00:00.5Z", "", "0000-00-00", None]
    odd = ["2024-01-01T10:00:00+0000", "20240101T100000Z", "27.11.2023", "11/27/2023", "1700000000"]
    place.insert("entry", list(enumerate([*texts, *odd])))
    condition = place.database.unreadable(place.table("entry").column("at"))
    if not place.is_file:
        assert condition is None
        return
    assert condition is not None
    found = place.database.query(f"SELECT id FROM entry AS t WHERE {condition.sql}", condition.parameters)
    assert {row[0] for row in found} == set(range(len(texts), len(texts) + len(odd)))


@pytest.mark.parametrize("kind", ["wall", "instant"])
@covers("stored_value", "transact")
def test_a_moment_that_is_stored_is_read_as_the_same_moment(place: Place, kind: str) -> None:
    place.run(f"CREATE TABLE entry (id INTEGER PRIMARY KEY, at {place.type_of(kind)})")
    place.insert("entry", [(1, None)])
    table = place.table("entry")
    column = table.column("at")
    moment = NOW.replace(microsecond=700_000)
    value = place.database.stored_value(moment.astimezone(ZONE), column, ZONE)
    update = Update(table, (Assignment("at", Condition("%s", (value,))),), Condition("t.id = 1"))
    place.database.transact([update], 1)
    ((raw,),) = place.database.query(f"SELECT at FROM {place.database.qualified(table)}")
    read = as_instant(raw, Target(table, column, Condition("")), ZONE, None)
    # Columns of MySQL without fractions would round up: a second too early is none too late.
    assert read == (moment.replace(microsecond=0) if place.family == "mysql" else moment)
    assert read.tzinfo is not None
    assert read.astimezone(UTC) <= moment


@covers("not_zero")
def test_zeros_are_told_from_early_times(place: Place) -> None:
    place.run(f"CREATE TABLE early (id INTEGER PRIMARY KEY, at {place.type_of('wall')}, n BIGINT)")
    place.insert("early", [(1, "1950-01-01 00:00:00", -5), (2, None, None), (3, "2024-01-01 00:00:00", 0)])
    table = place.table("early")
    for column, found in (("at", 2), ("n", 1)):
        assert place.database.bounded_count(table, place.database.not_zero(table.column(column))) == found
