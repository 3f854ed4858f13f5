"""`cleanupctl window set` and `window clear`: the file changes as asked, or not at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.errors import assert_clear

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.command import Command

FILE = """\
# Our engine
timezone = "Europe/Berlin"  # office

[window]
start = "20:00"  # after closing
end = "06:00"

[window.sunday]
start = "00:00"
end = "24:00"
"""
SECRET = "s3cret-pa55word"


def test_set_changes_the_file_and_prints_the_next_window(cleanupctl: Command) -> None:
    cleanupctl.configure(FILE)
    outcome = cleanupctl("window", "set", "21:30", "5:00")
    assert outcome.code == 0
    assert cleanupctl.config.read_text() == FILE.replace("20:00", "21:30").replace("06:00", "05:00")
    assert outcome.data == cleanupctl("window", "show").data
    assert outcome.err == f"cleanupctl: changed {cleanupctl.config}\n"


@pytest.mark.parametrize("day", ["saturday", "Saturday", "SAT", "sat"])
def test_a_weekday_may_be_written_in_short_and_in_any_case(cleanupctl: Command, day: str) -> None:
    cleanupctl.configure(FILE)
    assert cleanupctl("window", "set", "06:00", "18:00", "--day", day).code == 0
    assert '[window.saturday]\nstart = "06:00"\nend = "18:00"\n' in cleanupctl.config.read_text()


def test_a_window_by_cron_expression_takes_the_place_of_the_general_one(cleanupctl: Command) -> None:
    cleanupctl.configure(FILE)
    assert cleanupctl("window", "set", "--cron", "0 1,13 * * *", "--duration", "2h").code == 0
    listed = cleanupctl("window", "list", "--from", "2024-02-05", "--count", "3").data
    assert [(each["start"][:16], each["rule"]) for each in listed] == [
        ("2024-02-05T01:00", "cron 1"),
        ("2024-02-05T13:00", "cron 1"),
        ("2024-02-06T01:00", "cron 1"),
    ]
    assert "20:00" not in cleanupctl.config.read_text()


def test_clear_takes_one_weekday_or_everything_away(cleanupctl: Command) -> None:
    cleanupctl.configure(FILE)
    assert cleanupctl("window", "clear", "--yes", "--day", "sun").code == 0
    assert cleanupctl.config.read_text().rstrip() == FILE.partition("[window.sunday]")[0].rstrip()
    outcome = cleanupctl("window", "clear", "--yes")
    assert (outcome.code, outcome.data["batchWindowStartTime"]) == (0, None)
    assert "[window" not in cleanupctl.config.read_text()
    again = cleanupctl("window", "clear", "--yes")
    assert (again.code, again.data) == (0, outcome.data)
    assert "nothing was changed" in again.err


def test_the_first_file_is_made_for_its_owner_alone(cleanupctl: Command, tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    outcome = cleanupctl("window", "set", "22:00", "06:00", "--config", str(path))
    assert outcome.code == 0
    assert f"created {path}" in outcome.err
    assert path.stat().st_mode & 0o777 == 0o600
    assert cleanupctl("window", "--config", str(path)).data == outcome.data


def test_a_dry_run_shows_the_difference_and_changes_nothing(cleanupctl: Command) -> None:
    cleanupctl.configure(FILE)
    arguments = ("window", "set", "20:00", "05:00", "--dry-run")
    shown = cleanupctl(*arguments, "--format", "table")
    assert (shown.code, shown.err) == (0, "")
    assert '-end = "06:00"\n+end = "05:00"\n' in shown.out
    assert cleanupctl(*arguments).data == {
        "path": str(cleanupctl.config),
        "changed": True,
        "diff": shown.out,
    }
    same = cleanupctl("window", "set", "20:00", "06:00", "--dry-run")
    assert same.data == {"path": str(cleanupctl.config), "changed": False, "diff": ""}
    assert (
        "nothing would change"
        in cleanupctl("window", "set", "20:00", "06:00", "--dry-run", "--format", "table").err
    )
    assert cleanupctl.config.read_text() == FILE


def test_a_difference_has_no_password_in_it(cleanupctl: Command) -> None:
    history = f'[[history]]\nname = "a"\nkind = "camunda"\nurl = "mysql://u:{SECRET}@h/d"\n'
    cleanupctl.configure(history + '[window]\nstart = "20:00"\n')
    for form in ("table", "json"):
        outcome = cleanupctl("window", "set", "21:00", "00:00", "--dry-run", "--format", form)
        assert outcome.code == 0
        assert "mysql://u:***@h/d" in outcome.out
        assert SECRET not in outcome.out + outcome.err


def test_people_see_the_window_that_holds_now(cleanupctl: Command) -> None:
    cleanupctl.configure(FILE)
    outcome = cleanupctl("window", "set", "00:00", "24:00", "--format", "table")
    assert "batch window: open\n" in outcome.out
    assert outcome.out.endswith("takes part:   yes\n")


def test_waiting_jobs_keep_their_due_dates_and_the_operator_is_told(cleanupctl: Command) -> None:
    cleanupctl.configure(FILE)
    cleanupctl("schedule", "--not-immediately-due")
    due = cleanupctl("jobs").data[0]["dueDate"]
    outcome = cleanupctl("window", "set", "19:00", "06:00")
    assert "keep their due dates until the next `cleanupctl schedule" in outcome.err
    assert cleanupctl("jobs").data[0]["dueDate"] == due
    assert "due dates" not in cleanupctl("window", "set", "19:00", "06:00").err


def test_reschedule_uses_the_windows_just_written(cleanupctl: Command) -> None:
    cleanupctl.configure(FILE.partition("\n[window.sunday]")[0])
    cleanupctl("schedule")
    outcome = cleanupctl("window", "set", "--cron", "30 2 29 2 *", "--duration", "1h", "--reschedule")
    assert outcome.code == 0
    assert "due dates" not in outcome.err
    window = outcome.data["batchWindowStartTime"]
    assert window[4:] == "-02-29T02:30:00.000+0100"
    assert [job["dueDate"] for job in outcome.data["jobs"]] == [window]
    assert outcome.data["jobs"] == cleanupctl("jobs").data


def test_reschedule_creates_jobs_where_there_are_none(cleanupctl: Command) -> None:
    cleanupctl.configure(FILE + "[cleanup]\nparallelism = 2\n")
    outcome = cleanupctl("window", "set", "21:00", "06:00", "--reschedule", "--format", "table")
    assert outcome.code == 0
    jobs = cleanupctl("jobs").data
    assert len(jobs) == 2
    assert all(job["id"] in outcome.out for job in jobs)


def test_without_a_window_rescheduled_jobs_are_suspended(cleanupctl: Command) -> None:
    cleanupctl.configure(FILE)
    outcome = cleanupctl("window", "clear", "--yes", "--reschedule")
    assert (outcome.code, outcome.data["jobs"]) == (0, [])
    assert not (cleanupctl.folder / "jobs.db").exists()
    cleanupctl.configure(FILE)
    cleanupctl("schedule")
    outcome = cleanupctl("window", "clear", "--yes", "--reschedule")
    assert [(job["suspended"], job["dueDate"]) for job in outcome.data["jobs"]] == [(True, None)]
    assert "suspended" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "give START and END"),
        (("22:00",), "not only 22:00"),
        (("--day", "monday"), "give START and END"),
        (("25:00", "06:00"), "START: 25:00"),
        (("24:00", "06:00"), "START: 24:00"),
        (("22:00", "06:60"), "END: 06:60"),
        (("22:00xyz", "06:00"), "START: 22:00xyz"),
        (("22:00", "06:00", "--day", "funday"), "monday, tuesday, wednesday"),
        (("22:00", "06:00", "--day", "mo"), "monday, tuesday, wednesday"),
        (("22:00", "06:00", "--cron", "0 1 * * *", "--duration", "2h"), "give one pair"),
        (("22:00", "--duration", "2h"), "give one pair"),
        (("--cron", "0 1 * * *"), "--duration is missing"),
        (("--duration", "2h"), "--cron is missing"),
        (("--cron", "0 1 * * *", "--duration", "2h", "--day", "monday"), "leave --day out"),
        (("--cron", "0 1 * *", "--duration", "2h"), "five fields"),
        (("--cron", "0 0 30 2 *", "--duration", "2h"), "30"),
        (("--cron", "0 0 1 * *", "--duration", "32d"), "31 days are the most"),
        (("--cron", "0 0 1 * *", "--duration", "soon"), "soon is not a duration"),
        (("22:00", "06:00", "--dry-run", "--reschedule"), "leave --reschedule out"),
        (("22:00", "06:00", "--database", "oracle://h/d"), "oracle"),
    ],
)
def test_what_makes_no_window_is_bad_usage_and_changes_nothing(
    cleanupctl: Command, arguments: tuple[str, ...], words: str
) -> None:
    cleanupctl.configure(FILE)
    outcome = cleanupctl("window", "set", *arguments)
    assert_clear(outcome, 2, words)
    assert outcome.out == ""
    assert cleanupctl.config.read_text() == FILE


def test_an_unusable_file_is_not_changed(cleanupctl: Command) -> None:
    broken = FILE + "[cleanup]\nparallelism = 99\n"
    cleanupctl.configure(broken)
    for arguments in (
        ("set", "22:00", "06:00"),
        ("clear", "--yes"),
        ("set", "22:00", "06:00", "--reschedule"),
    ):
        assert_clear(cleanupctl("window", *arguments), 10, str(cleanupctl.config), "parallelism")
    assert cleanupctl.config.read_text() == broken


def test_a_file_that_cannot_be_written_is_not_changed(cleanupctl: Command, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    assert_clear(cleanupctl("window", "set", "22:00", "06:00", "--config", f"{path}/config.toml"), 10)
    assert_clear(cleanupctl("window", "set", "22:00", "06:00", "--config", str(tmp_path)), 10, "folder")
    assert path.read_text() == ""


def test_a_node_that_does_not_participate_is_not_rescheduled_and_nothing_is_changed(
    cleanupctl: Command,
) -> None:
    text = FILE + "[cleanup]\nenabled = false\n"
    cleanupctl.configure(text)
    assert_clear(
        cleanupctl("window", "set", "22:00", "06:00", "--reschedule"), 10, "History cleanup is disabled"
    )
    assert cleanupctl.config.read_text() == text
    outcome = cleanupctl("window", "set", "22:00", "06:00")
    assert (outcome.code, outcome.data["enabled"]) == (0, False)


def test_who_edits_need_not_have_the_variables_of_the_service(cleanupctl: Command) -> None:
    history = '[[history]]\nname = "a"\nkind = "camunda"\nurl = "mysql://${DB_USER}@h/d"\n'
    cleanupctl.configure(FILE + history)
    outcome = cleanupctl("window", "set", "22:00", "05:00")
    assert outcome.code == 0
    assert "DB_USER" in outcome.err
    cleanupctl.environment["DB_USER"] = "cleanup"
    assert outcome.data == cleanupctl("window").data
    del cleanupctl.environment["DB_USER"]
    assert_clear(cleanupctl("window", "set", "22:00", "04:00", "--reschedule"), 10, "DB_USER")
    assert 'end = "05:00"' in cleanupctl.config.read_text()


def test_a_store_that_cannot_be_asked_does_not_undo_the_change(cleanupctl: Command) -> None:
    cleanupctl.configure(FILE)
    (cleanupctl.folder / "jobs.db").write_bytes(b"somebody's notes\n" * 100)
    outcome = cleanupctl("window", "set", "22:00", "05:00")
    assert outcome.code == 0
    assert json.loads(outcome.out)["enabled"]
    assert "jobs.db" in outcome.err
    failed = cleanupctl("window", "set", "22:00", "04:00", "--reschedule")
    assert_clear(failed, 11, "jobs.db")
    assert f"changed {cleanupctl.config}" in failed.err
