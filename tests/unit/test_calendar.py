"""The picture of batch windows shows each day's wall clock as it is, also where the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanupctl.cli.views.calendar import ASCII, BLOCKS, Strokes, draw_calendar
from cleanupctl.core.times import resolve
from cleanupctl.core.windows.rules import midnight
from tests.support.windows import BERLIN, windows

if TYPE_CHECKING:
    from cleanupctl.core.windows.windows import BatchWindows

LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
HAVANA = ZoneInfo("America/Havana")
SANTIAGO = ZoneInfo("America/Santiago")
APIA = ZoneInfo("Pacific/Apia")
DAY = timedelta(days=1)


def picture(
    configured: BatchWindows,
    first: str,
    last: str,
    *,
    strokes: Strokes = BLOCKS,
    today: str = "1999-01-01",
) -> list[str]:
    """The lines from the first to the last day, as the command draws them."""
    days = (date.fromisoformat(first), date.fromisoformat(last))
    start, end = (resolve(midnight(day), configured.zone) for day in (days[0], days[1] + DAY))
    occurrences = configured.occurrences(start, until=end)
    return list(draw_calendar(occurrences, days, configured.zone, date.fromisoformat(today), strokes))


def test_a_week_has_a_row_a_day_and_nights_go_on_in_the_next_row() -> None:
    configured = windows(("22:00", "06:15"), saturday=("06:00", "06:00"), wednesday=None)
    assert picture(configured, "2024-02-28", "2024-03-05", today="2024-03-01") == [
        "  2024-02         0     3     6     9     12    15    18    21    24",
        "  Wed 2024-02-28  ████████████▌···································",
        "  Thu 2024-02-29  ············································████  general",
        "",
        "  2024-03         0     3     6     9     12    15    18    21    24",
        "> Fri 2024-03-01  ████████████▌·······························████  general",
        "  Sat 2024-03-02  ████████████████████████████████████████████████  saturday",
        "  Sun 2024-03-03  ████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░████  general",
        "  Mon 2024-03-04  ████████████▌·······························████  general",
        "  Tue 2024-03-05  ████████████▌·······························████  general",
        "",
        "█ open  · closed  ░ closed, weekend  > today",
        "wall clock of Europe/Berlin",
    ]


def test_a_night_that_skips_an_hour_crosses_it_out() -> None:
    configured = windows(("23:00", "04:00"), sunday=("12:00", "12:10"))
    assert picture(configured, "2024-03-30", "2024-03-31")[1:] == [
        "  Sat 2024-03-30  ████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░██  general",
        "  Sun 2024-03-31* ████xx██░░░░░░░░░░░░░░░░▌░░░░░░░░░░░░░░░░░░░░░░░  sunday",
        "",
        "* Sun 2024-03-31 has 23 h, 02:00-03:00 is skipped",
        "█ open  · closed  ░ closed, weekend  > today  x skipped",
        "wall clock of Europe/Berlin",
    ]


def test_an_hour_that_passes_twice_is_shaded_where_only_one_of_the_two_is_open() -> None:
    configured = windows(("02:30", "04:00"))
    assert picture(configured, "2024-10-27", "2024-10-27")[1:] == [
        "  Sun 2024-10-27* ░░░░▒███░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  general",
        "",
        "* Sun 2024-10-27 has 25 h, 02:00-03:00 passes twice",
        "█ open  · closed  ░ closed, weekend  > today  ▒ passes twice, open once",
        "wall clock of Europe/Berlin",
    ]


def test_clocks_that_change_by_half_an_hour_have_their_own_cells() -> None:
    configured = windows(("01:45", "03:00"), zone=LORD_HOWE)
    rows = {
        row[6:17]: row[18:28]
        for month in ("2024-04-06", "2024-10-05")
        for row in picture(configured, month, (date.fromisoformat(month) + DAY).isoformat())[1:3]
    }
    assert rows == {
        "2024-04-06 ": "░░░▐██░░░░",
        "2024-04-07*": "░░░▒██░░░░",  # 01:45 comes first before the clocks go back from 02:00 to 01:30
        "2024-10-05 ": "░░░▐██░░░░",
        "2024-10-06*": "░░░▐x█░░░░",
    }


@pytest.mark.parametrize(
    ("zone", "day", "cells", "change"),
    [
        (SANTIAGO, "2024-09-08", "xx████", "has 23 h, 00:00-01:00 is skipped"),
        (SANTIAGO, "2024-04-06", "██████", "has 25 h, 23:00-24:00 passes twice"),
        (HAVANA, "2024-11-03", "██████", "has 25 h, 00:00-01:00 passes twice"),
        (APIA, "2011-12-30", "xxxxxx", "has 0 h, 00:00-24:00 is skipped"),
    ],
)
def test_clocks_may_change_at_midnight(zone: ZoneInfo, day: str, cells: str, change: str) -> None:
    lines = picture(windows(("00:00", "00:00"), zone=zone), day, day)
    assert lines[1][18:24] == cells
    assert lines[3].endswith(change)


def test_the_shortest_window_is_still_seen() -> None:
    configured = windows(None, ("7 12 * * *", "1s"))
    assert picture(configured, "2024-02-05", "2024-02-05")[1].count("▌") == 1


def test_rules_are_named_once_on_the_days_on_which_their_windows_start() -> None:
    configured = windows(None, ("0 */6 * * *", "1h"), ("0 23 * * *", "2h"))
    rows = picture(configured, "2024-02-05", "2024-02-05")
    assert rows[1] == "  Mon 2024-02-05  ██··········██··········██··········██········██  cron 1, cron 2"


def test_without_block_characters_it_is_drawn_in_ascii() -> None:
    configured = windows(("02:30", "04:00"), saturday=("20:00", "23:45"))
    lines = picture(configured, "2024-10-25", "2024-10-27", strokes=ASCII)
    assert lines[1:4] == [
        "  Fri 2024-10-25  .....###........................................  general",
        "  Sat 2024-10-26  ----------------------------------------########  saturday",
        "  Sun 2024-10-27* ----+###----------------------------------------  general",
    ]
    assert "".join(lines).isascii()


@pytest.mark.parametrize(
    ("encoding", "strokes"),
    [("utf-8", BLOCKS), ("cp437", BLOCKS), ("ascii", ASCII), ("iso-8859-1", ASCII), ("no-such-code", ASCII)],
)
def test_the_encoding_decides_on_the_characters(encoding: str, strokes: Strokes) -> None:
    assert Strokes.for_encoding(encoding) is strokes


CELLS = {
    ("open", "open"): "#",
    ("closed", "closed"): ".",
    ("skipped", "skipped"): "x",
    ("partly", "partly"): "+",
}
quarters = st.integers(0, 47).map(lambda number: f"{number // 2:02}:{number % 2 * 30:02}")
changes = st.sampled_from(
    [
        (BERLIN, date(2024, 3, 31)),
        (BERLIN, date(2024, 10, 27)),
        (LORD_HOWE, date(2024, 4, 7)),
        (LORD_HOWE, date(2024, 10, 6)),
        (HAVANA, date(2024, 3, 10)),
        (HAVANA, date(2024, 11, 3)),
        (BERLIN, date(2024, 6, 9)),
    ]
)


def minute_by_minute(configured: BatchWindows, day: date) -> str:
    """The cells of a day, asked of the windows for each minute that passes."""
    seen: dict[int, list[bool]] = {}
    instant = datetime.combine(day, datetime.min.time(), UTC) - DAY
    for _ in range(3 * 24 * 60):
        local = instant.astimezone(configured.zone)
        if local.date() == day:
            quarter = (local.hour * 60 + local.minute) // 15
            seen.setdefault(quarter, []).append(configured.current(instant) is not None)
        instant += timedelta(minutes=1)
    states = []
    for quarter in range(96):
        asked = set(seen.get(quarter, ()))
        states.append(
            {frozenset(): "skipped", frozenset({True}): "open", frozenset({False}): "closed"}.get(
                frozenset(asked), "partly"
            )
        )
    return "".join(CELLS[pair] for pair in zip(states[::2], states[1::2], strict=True))


@settings(max_examples=15, deadline=None)
@given(quarters, quarters, changes)
def test_every_cell_says_what_the_windows_say_of_its_minutes(
    start: str, end: str, change: tuple[ZoneInfo, date]
) -> None:
    zone, day = change
    configured = windows((start, end), zone=zone)
    row = picture(configured, day.isoformat(), day.isoformat(), strokes=ASCII)[1]
    assert row[18:66].replace("-", ".") == minute_by_minute(configured, day)
