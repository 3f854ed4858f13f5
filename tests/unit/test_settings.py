"""One configuration file, its environment and the options become one Settings."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.configuration.file import configuration_places
from cleanupctl.core.configuration.reader import load_settings
from cleanupctl.core.configuration.serialize import settings_document
from cleanupctl.core.errors import ConfigurationError, InvalidValueError
from cleanupctl.core.settings import CleanupSettings, Settings
from cleanupctl.core.times import TimeOfDay
from cleanupctl.core.windows.windows import DailyWindow

if TYPE_CHECKING:
    from collections.abc import Mapping

EXAMPLE = """\
timezone = "Europe/Berlin"        # IANA; default: the system's
[job_store]
url = "postgresql://jobs@db/jobs"
[cleanup]
enabled = true                    # participation of this node
strategy = "removal-time"         # or "end-time"
parallelism = 2
batch_size = 5000
batch_time = "100ms"
retries = 5
job_priority = -1
job_log_ttl = "none"
[window]
start = "20:00"
end = "06:00"
[window.saturday]
start = "06:00"
end = "06:00"                     # equal: 24 hours
[window.sunday]
closed = true
[[history]]
name = "orders-engine"
kind = "camunda"
url = "postgresql://cleanup@db/camunda"
timezone = "America/New_York"
schema = "engine"
table_prefix = "PROD_"
strategy = "end-time"
include_unfinished = true
task_metrics_ttl = "P540D"
[[history]]
name = "audit"
kind = "tables"
url = "mysql://cleanup@db/audit"
schema = "one"
[[history.table]]
name = "audit_event"
time_column = "created_at"
ttl = "P90D"
[[history.table]]
name = "access"
time_column = "at"
ttl = 7
schema = "two"
time_format = "milliseconds"
"""


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configuration"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def load(
    tmp_path: Path,
    text: str | None = None,
    *,
    database: str | None = None,
    environment: Mapping[str, str] | None = None,
    is_root: bool = False,
) -> Settings:
    path = None
    if text is not None:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
    return load_settings(
        config=path,
        database=database,
        environment=environment or {},
        is_root=is_root,
        system_configuration=tmp_path / "etc" / "config.toml",
    )


def test_without_any_file_everything_has_a_default(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.path is None
    assert settings.cleanup == CleanupSettings()
    assert settings.cleanup.batch_time == timedelta(milliseconds=250)
    assert not settings.windows.configured
    assert settings.histories == ()
    assert settings.store.database == str(tmp_path / "state" / "cleanupctl" / "jobs.db")
    assert settings.store_origin == "default"
    assert settings.given == frozenset()


def test_every_key_arrives(tmp_path: Path) -> None:
    settings = load(tmp_path, EXAMPLE)
    assert settings.path == tmp_path / "config.toml"
    assert settings.timezone.key == settings.windows.zone.key == "Europe/Berlin"
    assert str(settings.store) == "postgresql://jobs@db/jobs"
    assert settings.cleanup == CleanupSettings(
        enabled=True,
        strategy="removal-time",
        parallelism=2,
        batch_size=5000,
        batch_time=timedelta(milliseconds=100),
        retries=5,
        job_priority=-1,
        job_log_ttl=None,
    )
    assert settings.windows.general == DailyWindow(TimeOfDay(20), TimeOfDay(6))
    assert settings.windows.weekdays == {5: DailyWindow(TimeOfDay(6), TimeOfDay(6)), 6: None}
    engine, audit = settings.histories
    assert (engine.name, engine.kind, str(engine.url)) == (
        "orders-engine",
        "camunda",
        "postgresql://cleanup@db/camunda",
    )
    assert (engine.timezone.key, engine.schema, engine.table_prefix) == (
        "America/New_York",
        "engine",
        "PROD_",
    )
    assert (engine.strategy, engine.include_unfinished, engine.task_metrics_ttl) == ("end-time", True, 540)
    assert (audit.name, audit.kind, audit.timezone.key) == ("audit", "tables", "Europe/Berlin")
    event, access = audit.tables
    assert (event.name, event.time_column, event.ttl, event.schema, event.time_format) == (
        "audit_event",
        "created_at",
        90,
        "one",
        None,
    )
    assert (access.ttl, access.schema, access.time_format) == (7, "two", "milliseconds")


def test_a_history_takes_the_strategy_of_cleanup_unless_it_has_its_own(tmp_path: Path) -> None:
    text = (
        '[cleanup]\nstrategy = "end-time"\n[[history]]\nname = "a"\nkind = "camunda"\nurl = "mysql://u@h/d"\n'
    )
    assert load(tmp_path, text).histories[0].strategy == "end-time"
    assert load(tmp_path, text + 'strategy = "removal-time"\n').histories[0].strategy == "removal-time"


def test_an_end_left_out_is_midnight_and_24_00_is_allowed(tmp_path: Path) -> None:
    settings = load(tmp_path, '[window]\nstart = "20:00"\nend = "24:00"\n[window.monday]\nstart = "21:00"')
    assert settings.windows.general == DailyWindow(TimeOfDay(20), TimeOfDay(24))
    assert settings.windows.weekdays[0] == DailyWindow(TimeOfDay(21), TimeOfDay(0))


def test_cron_windows_single_and_several(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        """\
[window]
cron = "0 22 * * 1-5"
duration = "6h"
[[window.entry]]
cron = "0 12 1 * *"
duration = "90m"
[[window.entry]]
cron = "0 6 * * 6"
duration = "PT2H"
[window.monday]
closed = true
""",
    )
    assert [(cron.expression, cron.duration) for cron in settings.windows.crons] == [
        ("0 22 * * 1-5", timedelta(hours=6)),
        ("0 12 1 * *", timedelta(minutes=90)),
        ("0 6 * * 6", timedelta(hours=2)),
    ]
    assert settings.windows.weekdays == {0: None}


# where the file is found


def test_the_first_place_with_a_file_wins(tmp_path: Path) -> None:
    def place(folder: str, parallelism: int) -> Path:
        path = tmp_path / folder / "config.toml"
        path.parent.mkdir(parents=True)
        path.write_text(f"[cleanup]\nparallelism = {parallelism}\n")
        return path

    system = place("etc", 1)
    assert load(tmp_path).path == system
    user = place("configuration/cleanupctl", 2)
    assert load(tmp_path).path == user
    variable = place("variable", 3)
    assert load(tmp_path, environment={"CLEANUPCTL_CONFIG": str(variable)}).path == variable
    assert (
        load(tmp_path, "", environment={"CLEANUPCTL_CONFIG": str(variable)}).path == tmp_path / "config.toml"
    )
    assert load(tmp_path, environment={"CLEANUPCTL_CONFIG": ""}).path == user


def test_the_places_are_listed_with_their_origin(tmp_path: Path) -> None:
    system = tmp_path / "config.toml"
    assert [(place.path, place.origin) for place in configuration_places({}, system=system)] == [
        (tmp_path / "configuration" / "cleanupctl" / "config.toml", "user"),
        (system, "system"),
    ]
    named = configuration_places({"CLEANUPCTL_CONFIG": "/x"})
    assert [(place.path, place.origin) for place in named] == [(Path("/x"), "$CLEANUPCTL_CONFIG")]
    option = configuration_places({"CLEANUPCTL_CONFIG": "/x"}, config=Path("/y"))
    assert [(place.path, place.origin) for place in option] == [(Path("/y"), "--config")]


def test_a_named_file_has_to_exist(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    with pytest.raises(ConfigurationError, match=r"missing\.toml does not exist, but --config names it"):
        load_settings(config=missing, database=None, environment={})
    with pytest.raises(ConfigurationError, match=r"does not exist, but \$CLEANUPCTL_CONFIG names it"):
        load_settings(config=None, database=None, environment={"CLEANUPCTL_CONFIG": str(missing)})


def test_a_user_without_a_home_folder_has_the_system_file_and_must_name_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # what the library answers for an account without a home folder
    monkeypatch.setattr("platformdirs.user_config_path", lambda _: Path("~/.config/cleanupctl"))
    monkeypatch.setattr("platformdirs.user_state_path", lambda _: Path("~/.local/state/cleanupctl"))
    assert [place.origin for place in configuration_places({})] == ["system"]
    with pytest.raises(ConfigurationError, match="name a database with --database"):
        load(tmp_path)
    assert load(tmp_path, database="sqlite:////x/jobs.db").store.database == "/x/jobs.db"


# the job store


def test_the_store_comes_from_option_then_environment_then_file(tmp_path: Path) -> None:
    text = '[job_store]\nurl = "mysql://f@h/file"\n'
    environment = {"CLEANUPCTL_DATABASE": "mysql://e@h/environment"}
    chosen = load(tmp_path, text, database="mysql://o@h/option", environment=environment)
    assert (chosen.store.database, chosen.store_origin) == ("option", "--database")
    chosen = load(tmp_path, text, environment=environment)
    assert (chosen.store.database, chosen.store_origin) == ("environment", "$CLEANUPCTL_DATABASE")
    chosen = load(tmp_path, text)
    assert (chosen.store.database, chosen.store_origin) == ("file", "job_store.url")
    assert load(tmp_path, text, environment={"CLEANUPCTL_DATABASE": ""}).store.database == "file"


def test_root_keeps_its_jobs_with_the_system(tmp_path: Path) -> None:
    assert load(tmp_path, is_root=True).store.database == "/var/lib/cleanupctl/jobs.db"


def test_an_unusable_url_outside_the_file_is_bad_usage_that_names_its_origin(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="--database: unknown kind of database 'oracle'"):
        load(tmp_path, database="oracle://x")
    with pytest.raises(InvalidValueError, match=r"\$CLEANUPCTL_DATABASE: a database URL looks like"):
        load(tmp_path, environment={"CLEANUPCTL_DATABASE": "jobs"})


def test_the_store_of_the_file_need_not_be_complete_when_another_is_named(tmp_path: Path) -> None:
    text = '[job_store]\nurl = "mysql://u@h/${NOT_SET}"\npassword_file = "/nowhere"\n'
    assert load(tmp_path, text, database="mysql://o@h/option").store.database == "option"


def test_relative_paths_start_from_the_folder_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    (tmp_path / "secret").write_text("geheim\n")
    text = """\
[job_store]
url = "sqlite:///jobs.db"
[[history]]
name = "a"
kind = "camunda"
url = "mysql://u@h/d"
password_file = "secret"
"""
    settings = load(tmp_path, text)
    assert settings.store.database == str(tmp_path / "jobs.db")
    assert settings.histories[0].url.password == "geheim"
    assert load(tmp_path, '[job_store]\nurl = "sqlite:////abs/jobs.db"').store.database == "/abs/jobs.db"


# secrets


def test_variables_and_password_files_fill_in_passwords(tmp_path: Path) -> None:
    (tmp_path / "db").write_text("p@ss/w#rd\r\n")
    text = """\
[job_store]
url = "postgresql://jobs:${STORE_PASSWORD}@${HOST}/jobs"
[[history]]
name = "a"
kind = "camunda"
url = "mysql://u@h/d"
password_file = "${CREDENTIALS_DIRECTORY}/db"
"""
    environment = {"STORE_PASSWORD": "a@b", "HOST": "db", "CREDENTIALS_DIRECTORY": str(tmp_path)}
    settings = load(tmp_path, text, environment=environment)
    assert (settings.store.password, settings.store.host) == ("a@b", "db")
    assert settings.histories[0].url.password == "p@ss/w#rd"
    assert "p@ss" not in repr(settings)
    assert "a@b" not in repr(settings)


@pytest.mark.parametrize(
    ("url", "mode", "warned"),
    [
        ("mysql://u:geheim@h/d", 0o640, True),
        ("mysql://u:geheim@h/d", 0o604, True),
        ("mysql://u:geheim@h/d", 0o600, False),
        ("mysql://u@h/d?ssl_key_password=geheim", 0o644, True),
        ("mysql://u:${PASSWORD}@h/d", 0o644, False),
        ("mysql://u@h/d", 0o644, False),
    ],
)
def test_a_password_that_others_can_read_is_warned_of(
    tmp_path: Path, url: str, mode: int, warned: bool
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'timezone = "UTC"\n[[history]]\nname = "a"\nkind = "camunda"\nurl = "{url}"\n')
    path.chmod(mode)
    settings = load_settings(config=path, database=None, environment={"PASSWORD": "x"}, is_root=True)
    assert any("others can read it: chmod 600" in warning for warning in settings.warnings) is warned
    assert "geheim" not in str(settings.warnings)


@pytest.mark.parametrize(
    ("file", "folder", "password", "said"),
    [
        (0o600, 0o700, 0o600, []),
        (0o644, 0o755, 0o400, []),
        (0o600, 0o1777, 0o600, []),
        (0o646, 0o700, 0o600, ["everybody on this host can write to {file}", "0646"]),
        (0o600, 0o777, 0o600, ["everybody on this host can write to {folder}", "0777"]),
        (0o600, 0o700, 0o640, ["the password file {folder}/password can be read by others", "0640"]),
    ],
)
def test_what_others_may_write_and_passwords_they_may_read_are_warned_of_with_the_mode(
    tmp_path: Path, file: int, folder: int, password: int, said: list[str]
) -> None:
    path, secret = tmp_path / "config.toml", tmp_path / "password"
    path.write_text(
        'timezone = "UTC"\n[[history]]\nname = "a"\nkind = "camunda"\nurl = "mysql://u@h/d"\n'
        'password_file = "password"\n'
    )
    secret.write_text("geheim\n")
    for one, mode in ((path, file), (secret, password), (tmp_path, folder)):
        one.chmod(mode)
    settings = load_settings(config=path, database=None, environment={}, is_root=True)
    assert len(settings.warnings) == bool(said)
    for part in said:
        assert part.format(file=path, folder=tmp_path) in settings.warnings[0]
    assert "geheim" not in str(settings.warnings)


# digest and document


def test_the_digest_follows_the_configuration_and_nothing_else(tmp_path: Path) -> None:
    digest = load(tmp_path, EXAMPLE).digest
    assert len(digest) == 12
    assert int(digest, 16) >= 0
    assert load(tmp_path, "# a comment\n" + EXAMPLE).digest == digest
    assert load(tmp_path, EXAMPLE.replace("ttl = 7", 'ttl = "P7D"')).digest == digest
    for old, new in (("ttl = 7", "ttl = 8"), ('"20:00"', '"20:01"'), ('"none"', '"P1D"'), ("PROD_", "TEST_")):
        assert load(tmp_path, EXAMPLE.replace(old, new)).digest != digest


def test_passwords_play_no_part_in_the_digest_nor_in_the_document(tmp_path: Path) -> None:
    def with_password(password: str) -> Settings:
        return load(tmp_path, EXAMPLE.replace("cleanup@db", f"cleanup:{password}@db"))

    one, other = with_password("geheim1"), with_password("geheim2")
    assert one.digest == other.digest
    assert "geheim" not in str(settings_document(one))


def test_the_document_is_the_configuration_with_every_default(tmp_path: Path) -> None:
    document = settings_document(load(tmp_path, EXAMPLE))
    assert document["timezone"] == "Europe/Berlin"
    assert document["cleanup"]["batch_time"] == "100ms"
    assert document["cleanup"]["job_log_ttl"] == "none"
    assert document["window"]["saturday"] == {"start": "06:00", "end": "06:00"}
    assert document["window"]["sunday"] == {"closed": True}
    assert document["history"][0]["task_metrics_ttl"] == "P540D"
    assert document["history"][1]["table"][0]["ttl"] == "P90D"
    assert "strategy" not in document["history"][1]


def test_what_stands_in_the_file_is_told_apart_from_defaults(tmp_path: Path) -> None:
    given = load(tmp_path, EXAMPLE).given
    assert {"timezone", "cleanup.retries", "window.saturday.end", "history[2].table[1].ttl"} <= given
    assert "history[1].password_file" not in given


# the system's zone


def test_the_zone_of_the_system_is_the_default() -> None:
    # a process of its own: the zone of a process is looked up once
    program = (
        "from cleanupctl.core.configuration.reader import load_settings\n"
        "settings = load_settings(config=None, database=None, environment={})\n"
        "print(settings.timezone.key, *settings.warnings)"
    )
    environment = {**os.environ, "TZ": "Asia/Kathmandu"}
    command = [sys.executable, "-c", program]
    answer = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "Asia/Kathmandu"


@pytest.mark.parametrize("name", [None, "local", "/etc/localtime"])
def test_an_unknown_system_zone_is_utc_with_a_warning(
    name: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tzlocal.get_localzone_name", lambda: name)
    settings = load(tmp_path)
    assert settings.timezone.key == "UTC"
    assert settings.warnings == (
        'the time zone of this system is not known, so it is UTC: set timezone = "…"',
    )
