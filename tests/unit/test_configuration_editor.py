"""Edits of the batch windows change what they should, and nothing else of the file."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanupctl.core.configuration.editing.editor import (
    ClearWindow,
    SetCronWindow,
    SetDailyWindow,
    WindowChange,
    edit_window,
    editable_configuration,
)
from cleanupctl.core.errors import ConfigurationError, InvalidValueError

if TYPE_CHECKING:
    from pathlib import Path

FILE = """\
# Our engine
timezone = "Europe/Berlin"   # office

[window]
# at night
start = "20:00"     # after closing
end   = "06:00"

# Saturday is quiet
[window.saturday]
start = "06:00" # early
end = "06:00"

# Histories below
[[history]]
name = "a"
kind = "camunda"
url = "mysql://u:geheim@h/d"
# the end
"""


def edited(tmp_path: Path, text: str, *changes: WindowChange) -> str:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode())
    for change in changes:
        result = edit_window(path, change)
    assert path.read_bytes() == result.after.encode()
    return result.after


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


def test_a_general_window_is_changed_in_place(tmp_path: Path) -> None:
    after = edited(tmp_path, FILE, SetDailyWindow("21:00", "5:30"))
    assert after == replaced(FILE, ('"20:00"', '"21:00"'), ('end   = "06:00"', 'end   = "05:30"'))


def test_a_weekday_is_changed_in_place(tmp_path: Path) -> None:
    after = edited(tmp_path, FILE, SetDailyWindow("07:00", "24:00", "saturday"))
    assert after == replaced(FILE, ('"06:00" # early\nend = "06:00"', '"07:00" # early\nend = "24:00"'))


def test_a_new_weekday_comes_after_the_others_and_before_the_comment_of_what_follows(tmp_path: Path) -> None:
    after = edited(tmp_path, FILE, SetDailyWindow("01:00", "02:00", "monday"))
    new = '\n[window.monday]\nstart = "01:00"\nend = "02:00"\n'
    assert after == replaced(FILE, ("\n# Histories below", new + "\n# Histories below"))


def test_a_cron_window_replaces_start_and_end_and_keeps_comments_and_weekdays(tmp_path: Path) -> None:
    after = edited(tmp_path, FILE, SetCronWindow("0 22 * * 1-5", "6h"))
    assert after == replaced(
        FILE,
        (
            'start = "20:00"     # after closing\nend   = "06:00"\n',
            'cron = "0 22 * * 1-5"\nduration = "6h"\n',
        ),
    )


def test_start_and_end_replace_every_cron_window(tmp_path: Path) -> None:
    text = """\
[window]
cron = "0 1 * * *"
duration = "1h"

# monthly
[[window.entry]]
cron = "0 2 * * *"
duration = "1h"

[[window.entry]]
cron = "0 3 * * *"
duration = "1h"

[window.friday]
closed = true
"""
    after = edited(tmp_path, text, SetDailyWindow("20:00", "06:00"))
    assert after == (
        '[window]\nstart = "20:00"\nend = "06:00"\n\n# monthly\n\n[window.friday]\nclosed = true\n'
    )


def test_clearing_a_weekday_removes_its_table_only(tmp_path: Path) -> None:
    after = edited(tmp_path, FILE, ClearWindow("saturday"))
    assert after == replaced(FILE, ('[window.saturday]\nstart = "06:00" # early\nend = "06:00"\n\n', "\n"))


def test_clearing_everything_keeps_the_comments_between_the_tables(tmp_path: Path) -> None:
    after = edited(tmp_path, FILE, ClearWindow())
    assert "window" not in {key for key, value in tomllib.loads(after).items() if value}
    for comment in (
        "# Our engine",
        "# office",
        "# at night",
        "# Saturday is quiet",
        "# Histories below",
        "# the end",
    ):
        assert comment in after


def test_a_closed_weekday_is_opened_by_setting_it(tmp_path: Path) -> None:
    after = edited(
        tmp_path, "[window.sunday]\nclosed = true # rest\n", SetDailyWindow("1:00", "2:00", "sunday")
    )
    assert after == '[window.sunday]\nstart = "01:00"\nend = "02:00"\n'


def test_setting_what_is_set_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    before = path.stat()
    for change in (
        SetDailyWindow("20:00", "06:00"),
        SetDailyWindow("6:00", "6:00", "saturday"),
        ClearWindow("monday"),
    ):
        result = edit_window(path, change)
        assert not result.changed
        assert result.diff() == ""
    assert path.stat() == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment",
        "[cleanup]\nretries = 3",
        "[cleanup]\nretries = 3 # three\n# end comment",
        "[window]\n[cleanup]\nretries = 3\n",
        'window.start = "20:00"\nwindow.saturday.start = "06:00"\n[cleanup]\nretries = 3\n',
        'window = {start = "20:00", saturday = {start = "1:00"}} # inline\n[cleanup]\nretries = 3\n',
        "window = {}\n[cleanup]\nretries = 3\n",
        '[window]\nsaturday = {closed = true}\nmonday.start = "01:00"\n# c\n[cleanup]\nretries = 3\n',
        '[window]\nentry = [{cron = "0 1 * * *", duration = "1h"}, # one\n]\n',
        '[window.saturday]\nstart = "06:00"\n\n# between\n[cleanup]\nretries = 3\n\n[window]\nstart="1:00"\n',
        '["window"."saturday"]\n"start" = \'06:00\'\n',
        '[window]\r\nstart = "20:00" # crlf\r\n\r\n# next\r\n[cleanup]\r\nretries = 3\r\n',
        '[[history]]\nname="a"\nkind="tables"\nurl="""\nmysql://u@h/d"""\n[[history.table]]\nname="t"\n'
        'time_column="c"\nttl=1',
        "[window]\nstart = \"\"\"20:00\"\"\"\nend = '''06:00'''\n# c\n[window.monday] # d\n# e\n"
        "closed = true # f\n# g",
    ],
)
def test_every_way_to_write_windows_can_be_edited(tmp_path: Path, text: str) -> None:
    for changes in (
        [SetDailyWindow("21:00", "05:00")],
        [SetDailyWindow("21:00", "05:00", "saturday")],
        [SetDailyWindow("21:00", "05:00", "tuesday")],
        [SetCronWindow("0 4 * * *", "2h")],
        [ClearWindow("saturday")],
        [ClearWindow("monday")],
        [ClearWindow()],
        [ClearWindow(), SetDailyWindow("21:00", "05:00"), SetDailyWindow("1:00", "2:00", "monday")],
        [SetDailyWindow("1:00", "2:00", "monday"), SetCronWindow("0 4 * * *", "2h"), ClearWindow("monday")],
    ):
        after = edited(tmp_path, text, *changes)
        window = tomllib.loads(after).pop("window", {})
        others = {key: value for key, value in tomllib.loads(after).items() if key != "window"}
        assert others == {key: value for key, value in tomllib.loads(text).items() if key != "window"}
        if isinstance(changes[-1], SetDailyWindow) and changes[-1].day is None:
            assert (window["start"], window["end"]) == ("21:00", "05:00")
        if isinstance(changes[-1], ClearWindow):
            assert window == {} if changes[-1].day is None else changes[-1].day not in window
        assert ("\r\n" in text) == ("\r\n" in after)
        assert "\n" not in after.replace("\r\n", "") if "\r\n" in text else "\r" not in after


comments = st.lists(st.sampled_from(["# one", "", "# two [x]", "  # three = 3"]), max_size=3)
tables = st.sampled_from(
    [
        '[window]\nstart = "20:00"\nend = "06:00"',
        "[window]",
        '[window]\ncron = "0 1 * * *"\nduration = "1h"',
        '[window.monday]\nstart = "1:00"',
        "[window.saturday]\nclosed = true",
        "[cleanup]\nretries = 4",
        '[job_store]\nurl = "sqlite:///x"',
        '[[history]]\nname = "a"\nkind = "camunda"\nurl = "sqlite:///y"',
    ]
)
changes = st.one_of(
    st.builds(
        SetDailyWindow,
        st.sampled_from(["20:00", "21:00"]),
        st.sampled_from(["06:00", "24:00"]),
        st.sampled_from([None, "monday", "friday"]),
    ),
    st.just(SetCronWindow("0 2 * * *", "3h")),
    st.builds(ClearWindow, st.sampled_from([None, "monday", "saturday"])),
)


@given(st.lists(st.tuples(comments, tables), max_size=6), comments, st.lists(changes, min_size=1, max_size=4))
def test_any_edits_of_any_file_keep_every_comment_and_every_other_table(
    tmp_path_factory: pytest.TempPathFactory,
    parts: list[tuple[list[str], str]],
    end: list[str],
    edits: list[WindowChange],
) -> None:
    unique = {table.partition("\n")[0]: (lines, table) for lines, table in parts}
    text = "\n".join([line for lines, table in unique.values() for line in (*lines, table)] + end)
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(text)
    for edit in edits:
        result = edit_window(path, edit)
    after = result.after
    assert [line for line in after.split("\n") if line.strip().startswith("#")] == [
        line for line in text.split("\n") if line.strip().startswith("#")
    ]
    before, now = tomllib.loads(text), tomllib.loads(after)
    assert {k: v for k, v in now.items() if k != "window"} == {
        k: v for k, v in before.items() if k != "window"
    }
    assert list({k: 0 for k in before if k != "window"}) == list({k: 0 for k in now if k != "window"})


# what is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (SetDailyWindow("25:00", "06:00"), "25:00 is not a time of day"),
        (SetDailyWindow("24:00", "06:00"), "24:00 is only an end"),
        (SetDailyWindow("20:00", "late"), "late is not a time of day"),
        (SetDailyWindow("20:00", "06:00", "munday"), '"munday" is not a weekday; did you mean sunday'),
        (ClearWindow("x"), '"x" is not a weekday; write one of monday, tuesday'),
        (SetCronWindow("0 25 * * *", "1h"), "25"),
        (SetCronWindow("0 1 * * *", "soon"), "soon is not a duration"),
    ],
)
def test_an_invalid_change_is_bad_usage_and_changes_nothing(
    tmp_path: Path, change: WindowChange, message: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    with pytest.raises(InvalidValueError) as caught:
        edit_window(path, change)
    assert message in caught.value.message
    assert path.read_text() == FILE


def test_an_unusable_file_is_not_edited_and_its_faults_are_told(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    text = FILE + "paralelism = 3\n[cleanup]\nretries = true\n"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        edit_window(path, SetDailyWindow("20:00", "06:00"))
    assert [fault.partition(":")[0] for fault in caught.value.faults] == [
        "line 20, history[1].paralelism",
        "line 22, cleanup.retries",
    ]
    assert path.read_text() == text


def test_not_even_an_edit_that_would_mend_it_touches_an_unusable_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    for text in ('[window]\nend = "06:00"\n', "[window\n"):
        path.write_text(text)
        with pytest.raises(ConfigurationError, match="cannot be used: 1 fault"):
            edit_window(path, SetDailyWindow("20:00", "06:00"))
        assert path.read_text() == text


def test_the_variables_and_password_files_of_the_service_are_not_needed(tmp_path: Path) -> None:
    text = '[job_store]\nurl = "mysql://u@${HOST}:${PORT}/${DATABASE}"\npassword_file = "/run/none"\n'
    after = edited(tmp_path, text, SetDailyWindow("20:00", "06:00"))
    assert after == text + '\n[window]\nstart = "20:00"\nend = "06:00"\n'


# dry run, diff, place


def test_a_dry_run_tells_the_difference_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    result = edit_window(path, SetDailyWindow("21:00", "06:00"), dry_run=True)
    assert result.changed
    assert path.read_text() == FILE
    assert f"--- {path}\n+++ {path}\n" in result.diff()
    assert '-start = "20:00"     # after closing\n+start = "21:00"     # after closing\n' in result.diff()
    missing = tmp_path / "new" / "config.toml"
    result = edit_window(missing, SetDailyWindow("21:00", "06:00"), dry_run=True)
    assert '+[window]\n+start = "21:00"\n+end = "06:00"\n' in result.diff()
    assert not missing.parent.exists()


@pytest.mark.parametrize(
    "url", ["mysql://u:geheim@h/d", "mysql://u:ge@h:eim/geheim@h/d", "mysql://u@h/d?sslpassword=geheim&x=1"]
)
def test_a_diff_shows_no_password(tmp_path: Path, url: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'# url = "{url}"\nwindow.start = "20:00"\njob_store.url = "mysql://u@h/d" # {url}\n')
    diff = edit_window(path, SetDailyWindow("21:00", "06:00"), dry_run=True).diff()
    assert "# url" in diff
    assert "geheim" not in diff


def test_the_file_in_force_is_edited_and_else_the_users_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configuration"))
    user = tmp_path / "configuration" / "cleanupctl" / "config.toml"
    assert editable_configuration({}) == user
    named = tmp_path / "named.toml"
    assert editable_configuration({"CLEANUPCTL_CONFIG": str(named)}) == named
    assert editable_configuration({}, config=named) == named
    edit_window(user, SetDailyWindow("20:00", "06:00"))
    assert user.read_text() == '[window]\nstart = "20:00"\nend = "06:00"\n'
    assert editable_configuration({}) == user
