"""The man page of the configuration file, made from its tables and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.core.configuration.schema import CONFIGURATION_TABLES
from man.generator.pages import new_page
from man.generator.texts import FILES, SYSTEM_FILE
from man.generator.troff import Page, bold, italic

if TYPE_CHECKING:
    from cleanupctl.core.configuration.schema import Key

_DESCRIPTION = f"""
The configuration of cleanupctl(1) is one file in TOML. Everything in it has a default: without a file
`schedule`, `jobs`, `run` and `window` work on the embedded job store, and only its own job log is cleaned.

The file is looked for in this order, and the first one found is the only one read: the option --config;
the environment variable `CLEANUPCTL_CONFIG`; `cleanupctl/config.toml` in the user's configuration folder
($XDG_CONFIG_HOME, else ~/.config); `{SYSTEM_FILE}`. A file that is named must exist.
`cleanupctl config path` shows the places, `cleanupctl config show` what is in force.

Unknown keys and tables are faults, and one fault makes the file unusable. `cleanupctl config check` reports
all faults at once, each with its line and what to write instead.
"""

_VALUES = (
    (
        "time of day",
        "`HH:mm` or `H:mm` in the time zone at the top. With an offset, such as `22:00+02:00`, `22:00+0200`"
        " or `20:00Z`, it is meant at that fixed distance from UTC. `24:00` is only an end.",
    ),
    (
        "duration",
        "`250ms`, `30s`, `90m`, `2h`, `1h30m`, `1d`, or ISO 8601: `PT2H`, `P1D`. A day is 24 hours.",
    ),
    ("time to live", "Days: `P90D` or `90`. `P0D` is at once."),
    (
        "cron expression",
        "Minute, hour, day of month, month, day of week. If both days are restricted, either is enough.",
    ),
    (
        "URL",
        "`sqlite:///FILE` (four slashes for an absolute path), or `postgresql://USER@HOST:PORT/NAME`,"
        " and likewise `mysql`, `mariadb` and `cockroachdb`. Options of the driver, such as sslmode, follow"
        " after a question mark; those that make it read files, such as read_default_file or service, and"
        " unknown ones are refused. Other characters than letters and digits are percent-encoded in user and"
        " password.",
    ),
)

_SECRETS = """
A password need not stand in the file. `password_file` names a file with the password and nothing else;
environment variables in the path, written ${VARIABLE}, are replaced, so that it works with a service
manager's credentials. In a URL ${VARIABLE} stands for the value of an environment variable, which
cleanupctl percent-encodes itself. Without either, the database's own places hold: for PostgreSQL ~/.pgpass
and the variables of libpq.

Passwords are never shown, neither by `cleanupctl config show` nor in errors or the job log. A file that has a
password and can be read by others is warned of, and so is a configuration file or folder that everybody can
write to: who writes there decides what is deleted.
"""

_RIGHTS = """
A login needs SELECT and DELETE on the tables that are cleaned, SELECT on those that refer to them, on
PostgreSQL USAGE on their schemas, and UPDATE where removal times or times to live are set; with UPDATE on
some column PostgreSQL passes over rows that other sessions hold instead of waiting for them. Give it no
more: on PostgreSQL the triggers and rules of a table run with the rights of whoever deletes, so that its
owner could use those of a superuser. They find what they name without a schema only if their functions say
where: ALTER FUNCTION NAME SET search_path = SCHEMA. cleanupctl's sessions look names up in the server's own
schema and nowhere else. On MySQL and MariaDB triggers run with the rights of who defined them.
"""

_ENCRYPTION = """
Without an option a session is encrypted where the server offers it, and nothing proves that it is the right
server. `?sslmode=verify-full` asks for a certificate that is trusted and has the name of the host;
`verify-ca` for a trusted one of any name; `require` for encryption alone; `prefer` is what holds without an
option; `disable` forbids encryption. With all but the last two, a server that does not encrypt is refused.
These words mean the same for all servers. Whom to trust is said by sslrootcert (PostgreSQL, CockroachDB; the
default is ~/.postgresql/root.crt) or ssl_ca (MySQL, MariaDB; the default is what this system trusts). MySQL's
own ssl_disabled, ssl_verify_cert and ssl_verify_identity are understood too, and ssl_ca alone is verify-ca.
"""

_ZONES = """
Batch windows are wall-clock times in the `timezone` at the top, and dates are printed in it. A window that
starts in the hour that is skipped in spring starts when the gap ends; one that starts in the hour that
passes twice in autumn starts the first time, and one that ends in it ends the second time. So a night is
an hour shorter or longer then.

The engines write times without a zone: the wall clock of the machine they run on. The `timezone` of a
[[history]] says which that is. If it is wrong, rows go hours early or late. Columns that know their
zone are not affected.
"""

_HOSTS = """
Several hosts may clean the same histories when their `job_store` is the same database on a PostgreSQL, MySQL
or MariaDB server. Any number of them may call `cleanupctl schedule` and `cleanupctl run` at the same time:
there are exactly as many jobs as `parallelism` says, and each is executed by one host at a time, under a
lease. The job log says which host ran when, with which version and configuration. Give all hosts the same
configuration; `enabled = false` keeps one from taking part. An SQLite file is for one host: it must not be
on a network file system.
"""

EXAMPLE = """\
timezone = "Europe/Berlin"

[job_store]                               # shared by all hosts
url = "postgresql://cleanup@db/jobs"
password_file = "${CREDENTIALS_DIRECTORY}/job-store"

[cleanup]
parallelism = 2
batch_size = 5000
batch_time = "100ms"
job_log_ttl = "P90D"

[window]                                  # every night
start = "20:00"
end = "06:00"

[window.saturday]                         # from Saturday to Sunday morning
start = "06:00"
end = "06:00"

[window.sunday]
closed = true

[[history]]
name = "orders-engine"
kind = "camunda"
url = "postgresql://cleanup:${ENGINE_PASSWORD}@db/camunda?sslmode=verify-full"
timezone = "Europe/Berlin"                # wall clock of the engine
task_metrics_ttl = "P540D"

[[history]]
name = "audit"
kind = "tables"
url = "mysql://cleanup@db/audit"
password_file = "${CREDENTIALS_DIRECTORY}/audit"

[[history.table]]
name = "audit_event"
time_column = "created_at"
ttl = "P90D"

[[history.table]]
name = "login"
time_column = "at_millis"
time_format = "milliseconds"
ttl = 30
"""
"""A whole file; a test loads it."""


def configuration_page() -> str:
    """Return the source of cleanupctl.toml(5)."""
    page = new_page("cleanupctl.toml", 5, "configuration file of cleanupctl")
    page.section("SYNOPSIS")
    page.commands(italic(name) for name, _ in FILES if name.endswith(".toml"))
    page.section("DESCRIPTION")
    page.paragraphs(_DESCRIPTION)
    page.section("TABLES AND KEYS")
    for table in CONFIGURATION_TABLES:
        page.subsection(table.header or "Top of the file")
        page.paragraphs(table.description)
        for key in table.keys.values():
            _key(page, key)
    page.section("VALUES")
    for name, meaning in _VALUES:
        page.entry(bold(name), meaning)
    for title, text in (
        ("SECRETS", _SECRETS),
        ("RIGHTS", _RIGHTS),
        ("ENCRYPTION", _ENCRYPTION),
        ("TIME ZONES", _ZONES),
        ("SEVERAL HOSTS, ONE JOB STORE", _HOSTS),
    ):
        page.section(title)
        page.paragraphs(text)
    page.section("EXAMPLE")
    page.code(EXAMPLE)
    page.section("FILES")
    for name, meaning in FILES:
        page.entry(italic(name), meaning)
    page.section("SEE ALSO")
    page.commands(
        [f"{bold('cleanupctl')}(1), {bold('cleanupctl-config')}(1), {bold('cleanupctl-window')}(1)"]
    )
    return str(page)


def _key(page: Page, key: Key) -> None:
    only = f" For kind `{key.kind}` only." if key.kind else ""
    default = "Required" if key.required else f"Default: {key.default}"
    tag = f"{bold(key.name)} = {italic(key.type.words.partition(':')[0])}"
    page.entry(tag, f"{key.description}{only} {default}. Example: `{key.name} = {key.example}`")
