"""What people read, word for word: why an instance is kept or goes, and the configuration."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

from tests.support.camunda.inserting import definition, instance

if TYPE_CHECKING:
    from tests.support.command import Command


def _engine(command: Command, url: str, strategy: str = "removal-time") -> Command:
    command.configure(
        f'timezone = "UTC"\n[[history]]\nname = "orders"\nkind = "camunda"\nurl = "{url}"\n'
        f'strategy = "{strategy}"\n'
    )
    return command


def _explained(command: Command, *arguments: str) -> str:
    done = command("history", "explain", *arguments, "--format", "table")
    assert (done.code, done.err) == (0, "")
    return done.out


def test_an_instance_that_has_expired(cleanupctl: Command, engine_postgresql_url: str) -> None:
    url = engine_postgresql_url
    definition(url, 5)
    instance(url, "dated", REMOVAL_TIME_="2024-01-15 12:00:00")
    assert _explained(_engine(cleanupctl, url), "dated") == dedent(
        """\
        instance:     process dated of order in history orders
        answer:       it has expired: the next run in the batch window removes it
        expires:      2024-01-15T12:00:00.000+0000
        batch window: none; `cleanupctl schedule` makes the jobs due at once
        note:         no cleanup job is scheduled, so nothing removes it: see `cleanupctl schedule`
        rule:         the removal time on its row: its end and P5D (HISTORY_TTL_ of order:1)
        strategy:     removal-time
        time to live: P5D (HISTORY_TTL_ of order:1)
        governed by:  itself
        started:      2024-01-10T12:00:00.000+0000
        ended:        2024-01-10T12:00:00.000+0000
        removal time: 2024-01-15T12:00:00.000+0000
        """
    )


def test_an_instance_without_a_removal_time(cleanupctl: Command, engine_postgresql_url: str) -> None:
    url = engine_postgresql_url
    definition(url, 5)
    instance(url, "undated")
    assert _explained(_engine(cleanupctl, url), "undated") == dedent(
        """\
        instance:     process undated of order in history orders
        answer:       it is kept
        in the way:   it ended without one, mostly for want of a time to live (HISTORY_TTL_ of order:1): …
        expires:      -
        rule:         the removal-time strategy, but there is no removal time
        strategy:     removal-time
        time to live: P5D (HISTORY_TTL_ of order:1)
        governed by:  itself
        started:      2024-01-10T12:00:00.000+0000
        ended:        2024-01-10T12:00:00.000+0000
        removal time: -
        """
    ).replace("…", "cleanupctl history set-removal-time --calculate --hierarchical undated sets one")


def test_a_called_instance_whose_root_runs(cleanupctl: Command, engine_postgresql_url: str) -> None:
    url = engine_postgresql_url
    definition(url, 5)
    instance(url, "running", end=None)
    instance(url, "called", root="running", SUPER_PROCESS_INSTANCE_ID_="running")
    assert _explained(_engine(cleanupctl, url, "end-time"), "called") == dedent(
        """\
        instance:     process called of order in history orders
        answer:       it is kept
        in the way:   its root instance running is still running; running instances are kept
        expires:      -
        rule:         the end-time strategy
        strategy:     end-time, hierarchy = "root"
        time to live: P5D (HISTORY_TTL_ of order:1)
        governed by:  process running
        started:      2024-01-10T12:00:00.000+0000
        ended:        2024-01-10T12:00:00.000+0000
        root ended:   not yet
        """
    )


def test_the_configuration_in_force_is_a_configuration_without_passwords(cleanupctl: Command) -> None:
    cleanupctl.store = "postgresql://cleanup:secret@db/jobs"
    cleanupctl.configure(
        'timezone = "UTC"\n[window]\nstart = "20:00"\nend = "06:00"\n[[history]]\nname = "audit"\n'
        'kind = "tables"\nurl = "sqlite:///audit.db"\n[[history.table]]\nname = "event"\n'
        'time_column = "at"\nttl = "P90D"\n'
    )
    done = cleanupctl("config", "show", "--format", "table")
    assert (done.code, done.err) == (0, "")
    assert done.out == dedent(
        """\
        timezone = "UTC"

        [job_store]
        url = "postgresql://cleanup:***@db/jobs"

        [cleanup]
        enabled = true
        strategy = "removal-time"
        parallelism = 1
        batch_size = 10000
        batch_time = "250ms"
        lease = "1m"
        max_clock_skew = "10m"
        retries = 3
        job_priority = 0
        job_log_ttl = "P30D"

        [throttle]
        duty_cycle = 1.0

        [window]
        start = "20:00"
        end = "06:00"

        [[history]]
        name = "audit"
        kind = "tables"
        url = "sqlite:///FOLDER/audit.db"
        timezone = "UTC"

        [[history.table]]
        name = "event"
        time_column = "at"
        ttl = "P90D"
        unset_time = "keep"
        implausible_times = "refuse"
        cascade = "refuse"
        """
    ).replace("FOLDER", str(cleanupctl.folder))


def test_where_the_configuration_is_and_that_it_can_be_used(cleanupctl: Command) -> None:
    checked = cleanupctl("config", "check", "--format", "table")
    assert (checked.code, checked.out) == (0, "no file: every default holds, 0 histories\n")
    cleanupctl.configure('timezone = "UTC"\n')
    checked = cleanupctl("config", "check", "--format", "table")
    assert (checked.code, checked.out) == (0, f"{cleanupctl.config} can be used: 0 histories\n")
    shown = cleanupctl("config", "path", "--format", "table")
    assert (shown.code, shown.out) == (0, f"{cleanupctl.config}  ($CLEANUPCTL_CONFIG: in use)\n")
