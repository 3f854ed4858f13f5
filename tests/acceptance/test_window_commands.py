"""`cleanupctl window`: what it tells of the batch windows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cleanupctl.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.command import Command

NIGHTS = """\
timezone = "Europe/Berlin"
[window]
start = "20:00"
end = "06:00"
[window.saturday]
start = "06:00"
end = "06:00"
[window.sunday]
closed = true
"""
CRON_AND_SATURDAY = """\
timezone = "Europe/Berlin"
[window]
cron = "30 1 * * *"
duration = "2h30m"
[window.saturday]
start = "20:00"
end = "06:00"
[window.wednesday]
closed = true
"""


@pytest.fixture
def window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Window:
    """`cleanupctl window` in this process, with a configuration and a job store of the test's own."""
    monkeypatch.setenv("CLEANUPCTL_DATABASE", f"sqlite:///{tmp_path}/jobs.db")
    monkeypatch.setenv("CLEANUPCTL_CONFIG", str(tmp_path / "config.toml"))
    return Window(tmp_path / "config.toml", capsys)


class Window:
    def __init__(self, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.config = config
        self._capsys = capsys

    def configure(self, text: str) -> None:
        self.config.write_text(text)
        self.config.chmod(0o600)

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        code = main.run(["window", *arguments])
        captured = self._capsys.readouterr()
        return code, captured.out, captured.err

    def data(self, *arguments: str) -> Any:
        code, out, err = self(*arguments)
        assert (code, err) == (0, "")
        return json.loads(out)

    def lines(self, *arguments: str) -> list[str]:
        code, out, err = self(*arguments, "--format", "table")
        assert (code, err) == (0, "")
        return [line.strip() for line in out.splitlines() if line.strip()]

    def error(self, *arguments: str) -> tuple[int, str]:
        code, out, err = self(*arguments)
        assert out == ""
        return code, json.loads(err)["message"]


# ---- show


def test_show_is_the_engines_object_and_nothing_else(cleanupctl: Command) -> None:
    cleanupctl.configure(NIGHTS)
    outcome = cleanupctl("window", "show", "--at", "2024-02-07T21:00")
    assert (outcome.code, outcome.err) == (0, "")
    assert json.dumps(outcome.data) == (
        '{"batchWindowStartTime": "2024-02-07T20:00:00.000+0100",'
        ' "batchWindowEndTime": "2024-02-08T06:00:00.000+0100", "enabled": true}'
    )
    assert cleanupctl("window", "--at", "2024-02-07T21:00").out == outcome.out


def test_show_has_nulls_without_a_window_and_tells_of_participation(window: Window) -> None:
    window.configure("[cleanup]\nenabled = false\n")
    assert window.data("show") == {
        "batchWindowStartTime": None,
        "batchWindowEndTime": None,
        "enabled": False,
    }


@pytest.mark.parametrize(
    "at",
    ["2024-02-07T21:00", "2024-02-07T20:00+00:00", "2024-02-07T21:00:00.000+0100", "2024-02-07T20:00Z"],
)
def test_show_answers_for_any_instant(window: Window, at: str) -> None:
    window.configure(NIGHTS)
    assert window.data("show", "--at", at)["batchWindowStartTime"] == "2024-02-07T20:00:00.000+0100"


@pytest.mark.parametrize("at", ["noon", "2024-02-30", "25:00", "1066-10-14", ""])
def test_an_instant_that_is_none_is_bad_usage(window: Window, at: str) -> None:
    window.configure(NIGHTS)
    code, message = window.error("show", "--at", at)
    assert code == 2
    assert f"{at or repr('')} is not a time" in message


def test_show_tells_people_whether_it_is_open_and_for_how_long(window: Window) -> None:
    window.configure(NIGHTS)
    assert window.lines("show", "--at", "2024-02-07T23:30") == [
        "at:           Wed 2024-02-07 23:30 +0100 (Europe/Berlin)",
        "batch window: open",
        "opened:       Wed 2024-02-07 20:00 +0100",
        "closes:       Thu 2024-02-08 06:00 +0100",
        "length:       10 h",
        "closes in:    6 h 30 min",
        "rule:         every day (20:00-06:00)",
        "takes part:   yes",
    ]


def test_show_tells_people_when_it_opens_and_that_the_clocks_change(window: Window) -> None:
    window.configure(NIGHTS + "[cleanup]\nenabled = false\n")
    assert window.lines("show", "--at", "2024-03-30T05:59:30") == [
        "at:           Sat 2024-03-30 05:59:30 +0100 (Europe/Berlin)",
        "batch window: open",
        "opened:       Fri 2024-03-29 20:00 +0100",
        "closes:       Sat 2024-03-30 06:00 +0100",
        "length:       10 h",
        "closes in:    30 s",
        "rule:         every day (20:00-06:00)",
        "takes part:   no: [cleanup] enabled is false",
    ]
    window.configure(NIGHTS.replace('start = "06:00"', 'start = "23:00"'))
    assert window.lines("show", "--at", "2024-03-30T20:59:00")[1:8] == [
        "batch window: closed",
        "opens:        Sat 2024-03-30 23:00 +0100",
        "closes:       Sun 2024-03-31 06:00 +0200",
        "length:       6 h",
        "opens in:     2 h 1 min",
        "rule:         saturday (23:00-06:00)",
        "clocks:       +1 h",
    ]


def test_show_says_how_to_set_a_window_where_there_is_none(window: Window) -> None:
    window.configure("")
    code, out, err = window("show", "--format", "table")
    assert code == 0
    assert "batch window: none" in out
    assert "cleanupctl window set 22:00 06:00" in err


def test_explain_adds_every_rule_of_every_day_that_was_looked_at(window: Window) -> None:
    window.configure(CRON_AND_SATURDAY)
    shown = window.data("show", "--explain", "--at", "2024-02-07T12:00")
    assert list(shown) == ["batchWindowStartTime", "batchWindowEndTime", "enabled", "explanation"]
    explanation = shown["explanation"]
    assert {key: explanation[key] for key in ("at", "open", "rule")} == {
        "at": "2024-02-07T12:00:00.000+0100",
        "open": False,
        "rule": "cron 1",
    }
    assert [
        (day["date"], day["weekday"], [(rule["rule"], rule["verdict"]) for rule in day["rules"]])
        for day in explanation["days"]
    ] == [
        ("2024-02-06", "tuesday", [("cron 1", "over")]),
        ("2024-02-07", "wednesday", [("wednesday", "closed"), ("cron 1", "replaced")]),
        ("2024-02-08", "thursday", [("cron 1", "next")]),
    ]
    assert explanation["days"][2]["rules"] == [
        {
            "rule": "cron 1",
            "verdict": "next",
            "reason": "is the next to open",
            "start": shown["batchWindowStartTime"],
            "end": shown["batchWindowEndTime"],
        }
    ]


def test_explain_is_a_table_for_people(window: Window) -> None:
    window.configure(CRON_AND_SATURDAY)
    lines = window.lines("show", "--explain", "--at", "2024-03-31T05:00")
    assert "rule:         saturday (20:00-06:00)" in lines
    assert [" ".join(line.split()) for line in lines[-3:]] == [
        "Sat 2024-03-30 saturday 20:00 +0100 to Sun 06:00 +0200 is open",
        "Sat 2024-03-30 cron 1 the weekday has an entry of its own",
        "Sun 2024-03-31 cron 1 01:30 +0100 to 05:00 +0200 is over",
    ]


# ---- list


def spans(window: Window, start: str, until: str) -> list[str]:
    """Openings in short: weekday, start, end, seconds, rule, clock change."""
    return [
        f"{each['weekday'][:3]} {each['start'][:16]}{each['start'][-5:]} {each['end'][:16]}{each['end'][-5:]}"
        f" {each['lengthSeconds']} {each['rule']} {each['clockChangeSeconds']}"
        f"{' moved' if each['startMoved'] else ''}"
        for each in window.data("list", "--from", start, "--until", until)
    ]


def test_a_year_of_windows_with_both_nights_of_the_clock_change(window: Window) -> None:
    window.configure(CRON_AND_SATURDAY)
    year = window.data("list", "--from", "2024-01-01", "--until", "2025-01-01")
    by_day = [each["weekday"] for each in year]
    # 2024 begins on a Monday and has 53 Mondays and Tuesdays; Sunday's cron window is cut by nothing
    assert {day: by_day.count(day) for day in sorted(set(by_day))} == {
        "monday": 53,
        "tuesday": 53,
        "thursday": 52,
        "friday": 52,
        "saturday": 52,
        "sunday": 52,
    }
    assert {each["lengthSeconds"] for each in year if each["rule"] == "cron 1"} == {9000}
    changing = [each["start"][:10] for each in year if each["clockChangeSeconds"]]
    assert changing == ["2024-03-30", "2024-03-31", "2024-10-26", "2024-10-27"]
    assert spans(window, "2024-03-28T12:00", "2024-04-02") == [
        "fri 2024-03-29T01:30+0100 2024-03-29T04:00+0100 9000 cron 1 0",
        "sat 2024-03-30T20:00+0100 2024-03-31T06:00+0200 32400 saturday 3600",
        "sun 2024-03-31T01:30+0100 2024-03-31T05:00+0200 9000 cron 1 3600",
        "mon 2024-04-01T01:30+0200 2024-04-01T04:00+0200 9000 cron 1 0",
    ]
    assert spans(window, "2024-10-24T12:00", "2024-10-30") == [
        "fri 2024-10-25T01:30+0200 2024-10-25T04:00+0200 9000 cron 1 0",
        "sat 2024-10-26T20:00+0200 2024-10-27T06:00+0100 39600 saturday -3600",
        "sun 2024-10-27T01:30+0200 2024-10-27T03:00+0100 9000 cron 1 -3600",
        "mon 2024-10-28T01:30+0100 2024-10-28T04:00+0100 9000 cron 1 0",
        "tue 2024-10-29T01:30+0100 2024-10-29T04:00+0100 9000 cron 1 0",
    ]


CHANGING_NIGHTS = [
    # New York: 02:00 becomes 03:00 on 10 March 2024, 02:00 becomes 01:00 on 3 November
    (
        "America/New_York",
        ("01:30", "02:30"),
        "2024-03-09",
        "2024-03-11",
        [
            "sat 2024-03-09T01:30-0500 2024-03-09T02:30-0500 3600 general 0",
            "sun 2024-03-10T01:30-0500 2024-03-10T03:00-0400 1800 general 0",
        ],
    ),
    (
        "America/New_York",
        ("02:30", "05:00"),
        "2024-03-09",
        "2024-03-11",
        [
            "sat 2024-03-09T02:30-0500 2024-03-09T05:00-0500 9000 general 0",
            "sun 2024-03-10T03:00-0400 2024-03-10T05:00-0400 7200 general 0 moved",
        ],
    ),
    (
        "America/New_York",
        ("22:00", "01:30"),
        "2024-11-02T12:00",
        "2024-11-04",
        [
            "sat 2024-11-02T22:00-0400 2024-11-03T01:30-0500 16200 general -3600",
            "sun 2024-11-03T22:00-0500 2024-11-04T01:30-0500 12600 general 0",
        ],
    ),
    (
        "America/New_York",
        ("01:30", "02:30"),
        "2024-11-02T12:00",
        "2024-11-04",
        ["sun 2024-11-03T01:30-0400 2024-11-03T02:30-0500 7200 general -3600"],
    ),
    # Lord Howe Island: 02:00 becomes 01:30 on 7 April 2024, 02:00 becomes 02:30 on 6 October
    (
        "Australia/Lord_Howe",
        ("22:00", "01:45"),
        "2024-04-06T12:00",
        "2024-04-08",
        [
            "sat 2024-04-06T22:00+1100 2024-04-07T01:45+1030 15300 general -1800",
            "sun 2024-04-07T22:00+1030 2024-04-08T01:45+1030 13500 general 0",
        ],
    ),
    (
        "Australia/Lord_Howe",
        ("02:15", "04:00"),
        "2024-10-05",
        "2024-10-07",
        [
            "sat 2024-10-05T02:15+1030 2024-10-05T04:00+1030 6300 general 0",
            "sun 2024-10-06T02:30+1100 2024-10-06T04:00+1100 5400 general 0 moved",
        ],
    ),
]


@pytest.mark.parametrize(("zone", "times", "start", "until", "expected"), CHANGING_NIGHTS)
def test_the_nights_of_the_clock_change_elsewhere(
    window: Window, zone: str, times: tuple[str, str], start: str, until: str, expected: list[str]
) -> None:
    window.configure(f'timezone = "{zone}"\n[window]\nstart = "{times[0]}"\nend = "{times[1]}"\n')
    assert spans(window, start, until) == expected


def test_list_begins_with_the_open_window_and_stops_after_seven(window: Window) -> None:
    window.configure(NIGHTS)
    listed = window.data("list", "--from", "2024-02-05T21:00")
    assert len(listed) == 7
    assert listed[0] == {
        "start": "2024-02-05T20:00:00.000+0100",
        "end": "2024-02-06T06:00:00.000+0100",
        "weekday": "monday",
        "lengthSeconds": 36000,
        "rule": "general",
        "clockChangeSeconds": 0,
        "startMoved": False,
    }
    assert listed[5]["rule"] == "saturday"
    assert len(window.data("list")) == 7
    assert len(window.data("list", "--count", "2", "--from", "2024-02-05", "--until", "2024-03-05")) == 2


def test_list_for_people_has_a_mark_where_the_clocks_change(window: Window) -> None:
    window.configure(NIGHTS.replace("closed = true", 'start = "02:30"\nend = "05:00"'))
    assert window.lines("list", "--from", "2024-03-30T12:00", "--count", "3")[2:] == [
        "Sat 2024-03-30 06:00 +0100   Sun 06:00 +0200     23 h   +1 h          saturday",
        "Sun 2024-03-31 03:00 +0200       05:00 +0200      2 h   start moved   sunday",
        "Mon 2024-04-01 20:00 +0200   Tue 06:00 +0200     10 h                 general",
    ]


def test_list_without_windows_is_empty_and_says_so_to_people(window: Window) -> None:
    window.configure("")
    assert window.data("list") == []
    for arguments in (("list", "--format", "table"), ("list", "--calendar")):
        code, out, err = window(*arguments)
        assert (code, out) == (0, "")
        assert "cleanupctl window set" in err


def test_a_list_in_which_nothing_opens_says_so_to_people(window: Window) -> None:
    window.configure(NIGHTS)
    code, out, err = window(
        "list", "--from", "2024-02-04T12:00", "--until", "2024-02-05", "--format", "table"
    )
    assert (code, out) == (0, "")
    assert "no batch window opens before 2024-02-05" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--count", "0"), "--count"),
        (("--count", "10001"), "--count"),
        (("--until", "2024-02-01", "--from", "2024-02-01"), "--until must be later than --from"),
        (("--until", "2124-02-03", "--from", "2024-02-01"), "100 years"),
        (("--until", "9998-12-31", "--from", "9998-11-01"), "9998-12-01"),
        (("--from", "soon"), "soon is not a time"),
        (("--until", "soon"), "soon is not a time"),
    ],
)
def test_a_list_without_an_end_or_a_beginning_is_refused(
    window: Window, arguments: tuple[str, ...], words: str
) -> None:
    window.configure(NIGHTS)
    code, message = window.error("list", *arguments)
    assert code == 2
    assert words in message


def test_a_list_that_is_cut_says_so(window: Window) -> None:
    window.configure('timezone = "UTC"\n[window]\ncron = "*/2 * * * *"\nduration = "1m"\n')
    code, out, err = window("list", "--from", "2024-01-01", "--until", "2024-03-01")
    assert code == 0
    assert len(json.loads(out)) == 10_000
    assert "the first 10000" in err
    assert len(window.data("list", "--from", "2024-01-01", "--until", "2024-01-02")) == 720


def test_the_calendar_has_whole_days_with_all_their_windows(window: Window) -> None:
    window.configure(CRON_AND_SATURDAY)
    code, out, err = window("list", "--calendar", "--from", "2024-03-29T12:00", "--until", "2024-04-01")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "  2024-03         0     3     6     9     12    15    18    21    24",
        "  Fri 2024-03-29  ···█████········································  cron 1",
        "  Sat 2024-03-30  ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░████████  saturday",
        "  Sun 2024-03-31* ████xx██████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  cron 1",
        "",
        "* Sun 2024-03-31 has 23 h, 02:00-03:00 is skipped",
        "█ open  · closed  ░ closed, weekend  > today  x skipped",
        "wall clock of Europe/Berlin",
    ]
    rows = window("list", "--calendar", "--from", "2024-02-05", "--count", "3")[1].splitlines()[1:-3]
    assert [row[2:16] for row in rows] == [
        "Mon 2024-02-05",
        "Tue 2024-02-06",
        "Wed 2024-02-07",
        "Thu 2024-02-08",
    ]
    assert len(window.data("list", "--calendar", "--json", "--count", "3")) == 3


def test_the_calendar_is_ascii_where_the_encoding_cannot_do_more(cleanupctl: Command) -> None:
    cleanupctl.configure(NIGHTS)
    cleanupctl.environment["PYTHONIOENCODING"] = "ascii"
    outcome = cleanupctl("window", "list", "--calendar")
    assert outcome.code == 0
    assert "########" in outcome.out
    assert outcome.out.isascii()
