"""Every fault of a configuration file is told, all at once, with its line, its key and a way to mend it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanupctl.core.configuration.reader import load_settings
from cleanupctl.core.errors import ConfigurationError, ExitCode
from tests.support.other_user import NOBODY, as_nobody

if TYPE_CHECKING:
    from cleanupctl.core.settings import Settings


def load(path: Path) -> Settings:
    return load_settings(config=path, database=None, environment={"NUMBER": "1"}, is_root=True)


def faults_of(tmp_path: Path, text: str | bytes) -> tuple[str, ...]:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    error = caught.value
    assert error.path == path
    assert error.exit_code == ExitCode.CONFIGURATION
    count = len(error.faults)
    assert error.message == f"{path} cannot be used: {count} fault{'' if count == 1 else 's'}"
    return error.faults


CAMUNDA = '[[history]]\nname = "a"\nkind = "camunda"\nurl = "mysql://u@h/d"\n'
TABLES = '[[history]]\nname = "a"\nkind = "tables"\nurl = "mysql://u@h/d"\n'
TABLE = '[[history.table]]\nname = "t"\ntime_column = "c"\nttl = 1\n'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        # unknown keys and tables
        ("[cleanup]\nbatch_sise = 1", "line 2, cleanup.batch_sise: no such key; did you mean batch_size?"),
        ("[claenup]\n", "line 1, claenup: no such table; did you mean cleanup?"),
        (
            "paralelism = 1",
            "line 1, paralelism: no such key here; parallelism belongs under [cleanup]",
        ),
        (
            '[cleanup]\ntimezone = "UTC"',
            "line 2, cleanup.timezone: no such key here; timezone belongs before the first table",
        ),
        ("[window.Monday]\nclosed = true", "line 1, window.Monday: no such table; did you mean monday?"),
        (
            "xyz = 1",
            "line 1, xyz: no such key; known are timezone, job_store, cleanup, throttle, window, history",
        ),
        (
            CAMUNDA + "password = 'geheim'",
            "line 5, history[1].password: no such key; did you mean password_file?",
        ),
        (
            '[cleanup]\n"a b" = 1',
            'line 2, cleanup."a b": no such key; known are enabled, strategy, parallelism,',
        ),
        # types
        (
            "[cleanup]\nparallelism = true",
            "line 2, cleanup.parallelism: true is not a whole number; choose 1 to 8 jobs",
        ),
        (
            "[cleanup]\nparallelism = 1.5",
            "line 2, cleanup.parallelism: 1.5 is not a whole number; choose 1 to 8 jobs",
        ),
        (
            '[cleanup]\nretries = "3"',
            'line 2, cleanup.retries: "3" is not a whole number; choose 0 or more attempts, such as 3',
        ),
        ("[cleanup]\nenabled = 1", "line 2, cleanup.enabled: 1 is neither true nor false: write one of them"),
        ("[cleanup]\nretries = [1]", "line 2, cleanup.retries: a list is not 0 or more: write retries = 5"),
        (
            "[cleanup.retries]",
            "line 1, cleanup.retries: a table is not 0 or more: write retries = 5",
        ),
        ("cleanup = 3", "line 1, cleanup: this is not a table: write [cleanup] once, with its keys below"),
        ("[[window]]", "line 1, window: a list is not a table: write [window] once, with its keys below"),
        ("window.monday = 3", "line 1, window.monday: this is not a table: write [window.monday] once,"),
        (
            "[history]\nname = 'a'",
            "line 1, history: this is a list of tables: write [[history]] before the keys of each",
        ),
        (
            TABLES + "[history.table]\nname = 'a'",
            "line 5, history[1].table: this is a list of tables: write [[history.table]] before",
        ),
        ("[window]\nentry = [1]", "line 2, window.entry: this is a list of tables: write [[window.entry]]"),
        ("timezone = 1", 'line 1, timezone: 1 is not text: write it in quotes, "…"'),
        ('timezone = ""', "line 1, timezone: is empty: write a value, or leave the key out"),
        (
            'timezone = "Europe/Berlni"',
            'line 1, timezone: "Europe/Berlni" is not an IANA time zone; did you mean Europe/Berlin?',
        ),
        ('timezone = "+02:00"', 'line 1, timezone: "+02:00" is not an IANA time zone; write a name such as'),
        ('timezone = "Europe"', 'line 1, timezone: "Europe" is not an IANA time zone'),
        ('timezone = "../UTC"', 'line 1, timezone: "../UTC" is not an IANA time zone'),
        # limits
        (
            "[cleanup]\n\nparallelism = 9",
            "line 3, cleanup.parallelism: 9 is more than 8; choose 1 to 8 jobs",
        ),
        ("[cleanup]\nparallelism = 0", "line 2, cleanup.parallelism: 0 is less than 1; choose 1 to 8 jobs"),
        (
            "[cleanup]\nbatch_size = 0",
            "line 2, cleanup.batch_size: 0 is less than 1; choose 1 to 1000000 rows",
        ),
        (
            "[cleanup]\nbatch_size = 1000001",
            "line 2, cleanup.batch_size: 1000001 is more than 1000000; choose 1 to 1000000 rows",
        ),
        (
            '[cleanup]\nbatch_time = "9ms"',
            'line 2, cleanup.batch_time: "9ms" is too short; choose "10ms" to "60s"',
        ),
        ('[cleanup]\nbatch_time = "61s"', 'line 2, cleanup.batch_time: "61s" is too long; choose "10ms" to'),
        (
            "[cleanup]\nbatch_time = 250",
            "line 2, cleanup.batch_time: 250 is not a duration in quotes; choose",
        ),
        (
            '[cleanup]\nbatch_time = "soon"',
            "line 2, cleanup.batch_time: soon is not a duration: write one such",
        ),
        ("[cleanup]\nretries = -1", "line 2, cleanup.retries: -1 is less than 0; choose 0 or more attempts"),
        ("[cleanup]\njob_priority = 2147483648", "line 2, cleanup.job_priority: 2147483648 is more than"),
        (
            '[cleanup]\nstrategy = "endtime"',
            'line 2, cleanup.strategy: "endtime" is unknown; did you mean end-time?',
        ),
        (
            '[cleanup]\nstrategy = "x"',
            'line 2, cleanup.strategy: "x" is unknown; write one of removal-time, end-time',
        ),
        (
            '[cleanup]\njob_log_ttl = "P1M"',
            "line 2, cleanup.job_log_ttl: P1M is not a time to live: write days",
        ),
        ('[cleanup]\njob_log_ttl = ""', 'line 2, cleanup.job_log_ttl: is empty: write "P30D" or 30'),
        (
            "[cleanup]\njob_log_ttl = -5",
            "line 2, cleanup.job_log_ttl: -5 is not a time to live: it must not be",
        ),
        ("[cleanup]\njob_log_ttl = true", "line 2, cleanup.job_log_ttl: true is not a time to live: write"),
        # the job store
        (
            '[job_store]\nurl = "oracle://x"',
            "line 2, job_store.url: unknown kind of database 'oracle' in the URL",
        ),
        ("[job_store]\nurl = 1", "line 2, job_store.url: is not text: write it in quotes"),
        (
            '[job_store]\npassword_file = "x"',
            "line 2, job_store.password_file: there is no url it belongs to: write one, or remove it",
        ),
        (
            '[job_store]\nurl = "mysql://u:${NOT_SET}@h/d"',
            "line 2, job_store.url: the URL names the environment variable NOT_SET, which is not set",
        ),
        (
            '[job_store]\nurl = "sqlite:///x"\npassword_file = "x"',
            "line 3, job_store.password_file: an SQLite database has no password: remove password_file",
        ),
        (
            '[job_store]\nurl = "mysql://u:geheim@h/d"\npassword_file = "x"',
            "line 3, job_store.password_file: the URL has a password already: remove it there, or remove",
        ),
        # windows
        (
            "[window]\nstart = 20:00:00",
            'line 2, window.start: 20:00:00 is not a time of day in quotes: write "HH:mm"',
        ),
        (
            '[window]\nstart = "25:00"',
            "line 2, window.start: 25:00 is not a time of day: the hour goes from 0 to 23",
        ),
        (
            '[window]\nstart = "24:00"',
            "line 2, window.start: 24:00 is not a time of day to start at: 24:00 is only",
        ),
        ('[window]\nend = "06:00"', "line 2, window.end: there is no start: write one too, or remove end"),
        ("[window.monday]", "line 1, window.monday: this day has no window: write a start, or closed = true"),
        (
            "[window.monday]\nclosed = false",
            "line 1, window.monday: this day has no window: write a start, or closed = true",
        ),
        (
            '[window.monday]\nend = "06:00"',
            "line 2, window.monday.end: there is no start: write one too, or remove end",
        ),
        (
            '[window.monday]\nclosed = true\nstart = "06:00"',
            "line 3, window.monday.start: the day is closed: remove start, or closed",
        ),
        (
            '[window]\ncron = "0 1 * * *"',
            "line 2, window.cron: there is no duration: a window by cron expression has both",
        ),
        (
            '[window]\nduration = "1h"',
            "line 2, window.duration: there is no cron: a window by cron expression has both",
        ),
        ('[window]\ncron = "0 25 * * *"\nduration = "1h"', "line 2, window.cron: "),
        (
            '[window]\ncron = "0 1 * * *"\nduration = "1x"',
            "line 3, window.duration: 1x is not a duration: write",
        ),
        (
            '[window]\nstart = "20:00"\ncron = "0 1 * * *"\nduration = "1h"',
            "line 2, window.start: a general window is either start and end or cron expressions: remove",
        ),
        (
            '[window]\nstart = "20:00"\n[[window.entry]]\ncron = "0 1 * * *"\nduration = "1h"',
            "line 2, window.start: a general window is either start and end or cron expressions: remove",
        ),
        (
            '[[window.entry]]\ncron = "0 1 * * *"',
            'line 1, window.entry[1]: duration is missing: write duration = "90m"',
        ),
        # histories
        (
            TABLES,
            "line 1, history[1]: names no table: write [[history.table]] with name, time_column",
        ),
        (TABLES + "table = []", "line 1, history[1]: names no table: write [[history.table]] with name,"),
        (
            TABLES + '[[history.table]]\nname = "t"\nttl = 1',
            'line 5, history[1].table[1]: time_column is missing: write time_column = "created_at"',
        ),
        (
            TABLES + '[[history.table]]\nname = "t"\ntime_column = "c"',
            'line 5, history[1].table[1]: ttl is missing: write ttl = "P90D"',
        ),
        (
            CAMUNDA + TABLES.replace('"a"', '"b"') + TABLE.replace("ttl = 1", 'ttl = "P1M"'),
            "line 12, history[2].table[1].ttl: P1M is not a time to live: write days as P30D or 30",
        ),
        (
            TABLES + TABLE + TABLE.replace("ttl = 1", "ttl = 2"),
            "line 10, history[1].table[2].name: this table stands above already: each needs one time to live",
        ),
        (
            TABLES + TABLE + 'time_format = "nanoseconds"',
            'line 9, history[1].table[1].time_format: "nanoseconds" is unknown; did you mean seconds?',
        ),
        (
            CAMUNDA + CAMUNDA,
            "line 6, history[2].name: history[1] has this name too: choose another",
        ),
        (
            CAMUNDA.replace('"a"', '"job-log"'),
            "line 2, history[1].name: job-log is the job log of the job store itself: choose another name",
        ),
        (
            CAMUNDA.replace('"a"', '"a b"'),
            'line 2, history[1].name: "a b" is not a name: write up to 64 letters',
        ),
        (
            '[[history]]\nkind = "camunda"\nurl = "mysql://u@h/d"',
            "line 1, history[1]: name is missing: write name =",
        ),
        (
            '[[history]]\nname = "a"\nurl = "mysql://u@h/d"',
            "line 1, history[1]: kind is missing: write kind =",
        ),
        ('[[history]]\nname = "a"\nkind = "camunda"', "line 1, history[1]: url is missing: write url = "),
        (
            CAMUNDA.replace("camunda", "flowable"),
            'line 3, history[1].kind: "flowable" is unknown; write one of camunda, tables',
        ),
        (
            TABLES + "include_unfinished = true\n" + TABLE,
            'line 5, history[1].include_unfinished: belongs to histories of kind "camunda" only: remove it,',
        ),
        (
            TABLES + 'strategy = "end-time"\n' + TABLE,
            'line 5, history[1].strategy: belongs to histories of kind "camunda" only: remove it,',
        ),
        (
            CAMUNDA + TABLE,
            'line 5, history[1].table: belongs to histories of kind "tables" only: remove it,',
        ),
        (
            CAMUNDA + 'schema = "a\\u0007b"',
            "line 5, history[1].schema: has a control character in it: remove it",
        ),
    ],
)
def test_a_fault_has_its_line_its_key_and_a_way_to_mend_it(tmp_path: Path, text: str, fault: str) -> None:
    faults = faults_of(tmp_path, text)
    assert any(each.startswith(fault) for each in faults), faults
    assert "geheim" not in str(faults)


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
paralelism = 3
[window]
end = "06:00"
[cleanup]
parallelism = 9
batch_size = true
[[history]]
name = "job-log"
kind = "tables"
url = "mysql://cleanup:geh#eim@db/audit"
[[history.table]]
name = "audit_event"
ttl = "P1M"
"""
    faults = faults_of(tmp_path, text)
    places = [fault.partition(": ")[0] for fault in faults]
    assert places == [
        "line 1, paralelism",
        "line 3, window.end",
        "line 5, cleanup.parallelism",
        "line 6, cleanup.batch_size",
        "line 8, history[1].name",
        "line 10, history[1].url",
        "line 11, history[1].table[1]",
        "line 13, history[1].table[1].ttl",
    ]
    assert "eim" not in str(faults)


def test_a_fault_in_an_inline_table_has_its_line_too(tmp_path: Path) -> None:
    text = 'window = { start = "20:00",  saturday = { start = "x" } }\nhistory = [\n  { name = "a" },\n]\n'
    faults = faults_of(tmp_path, text)
    assert faults[0].startswith("line 1, window.saturday.start: x is not a time of day")
    assert faults[1].startswith("line 3, history[1]: kind is missing")


# password files


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "cannot be read: no such file or directory"),
        (b"", "is empty: write the password into it"),
        (b"\n", "is empty: write the password into it"),
        (b"one\ntwo\n", "has more than the password: leave one line in it"),
        (b"geheim\xff", "is not UTF-8 text"),
        (b"x" * 20_000, "has more than the password: leave one line in it"),
    ],
)
def test_an_unusable_password_file_is_a_fault(tmp_path: Path, content: bytes | None, fault: str) -> None:
    if content is not None:
        (tmp_path / "password").write_bytes(content)
    (found,) = faults_of(tmp_path, CAMUNDA + 'password_file = "password"')
    assert found == f"line 5, history[1].password_file: {tmp_path}/password {fault}"


def test_a_password_file_may_not_be_a_folder_and_its_variables_must_be_set(tmp_path: Path) -> None:
    (found,) = faults_of(tmp_path, CAMUNDA + 'password_file = "."')
    assert found.endswith("cannot be read: it is a folder")
    (found,) = faults_of(tmp_path, CAMUNDA + 'password_file = "${NOT_SET}/x"')
    assert found.endswith("password_file: names the environment variable NOT_SET, which is not set")


# the file itself


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[window]\nstart = "20:00', "line 2, column 15: this is not TOML: unterminated string"),
        ("[window]\nstart = 8pm", "line 2, column 10: this is not TOML: expected newline or end of document"),
        ("[window]\nstart = evening", "line 2, column 9: this is not a TOML value: text needs quotes"),
        ("timezone\n", "line 1, column 9: this is not TOML: expected '=' after a key in a key/value pair"),
        ("[window]\n[window]\n", "line 2, column 8: the table [window] stands twice: join the two"),
        ('a = 1\na = "geheim"', "line 2, column 13: this key or table stands twice: keep one"),
        ("a = " + "9" * 5000, "this is not TOML: exceeds the limit"),
        ("a = " + "[" * 20_000, "lists or tables are nested too deeply"),
    ],
)
def test_what_is_not_toml_is_told_with_line_and_column(tmp_path: Path, text: str, fault: str) -> None:
    (found,) = faults_of(tmp_path, text)
    assert found.startswith(fault)
    assert "geheim" not in found


def test_what_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    (found,) = faults_of(tmp_path, "# ok\n# für\n".encode("latin-1"))
    assert found == "line 2: this is not UTF-8 text: save the file in UTF-8"


def test_a_byte_order_mark_and_windows_line_ends_are_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b'\xef\xbb\xbftimezone = "UTC"\r\n[cleanup]\r\nretries = 7\r\n')
    assert load(path).cleanup.retries == 7


def test_an_empty_file_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.touch()
    assert load(path).path == path


def test_a_folder_and_a_huge_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: it is a folder"):
        load(tmp_path)
    huge = tmp_path / "huge.toml"
    huge.write_bytes(b"#" * 1_000_001)
    with pytest.raises(ConfigurationError, match="cannot be read: it has more than 1000000 bytes"):
        load(huge)
    with pytest.raises(ConfigurationError, match="cannot be read: embedded null byte"):
        load(Path("a\0b"))


@pytest.mark.skipif(os.geteuid() != 0, reason="changes the owner of a folder")
def test_a_file_without_permission_cannot_be_read(tmp_path: Path) -> None:
    folder = Path("/tmp") / f"cleanupctl-test-{os.getpid()}"
    folder.mkdir()
    path = folder / "config.toml"
    try:
        path.touch()
        path.chmod(0)
        os.chown(folder, NOBODY, NOBODY)
        with pytest.raises(ConfigurationError) as caught:
            as_nobody(lambda: load(path))
    finally:
        path.unlink()
        folder.rmdir()
    assert caught.value.message == f"{path} cannot be read: permission denied"


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_content_fails_in_any_other_way(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "random.toml"
    path.write_bytes(b'timezone = "UTC"\n' + content)
    try:
        load(path)
    except ConfigurationError as error:
        assert error.faults
