"""What several man pages say in the same words, and what the words mean."""

from __future__ import annotations

SYSTEM_FILE = "/etc/cleanupctl/config.toml"

OVERVIEW = """
A process engine writes history for ever. `cleanupctl` removes what has expired, outside of the engine: from
the databases of Camunda 7, Operaton, CIB seven and Fluxnova, and from any other table with a time column.
What may go is said by a removal time, a time to live, and the configured histories; when it may go by
batch windows.

The work is done by cleanup jobs, which are kept in a job store: an SQLite file, or a database that
several hosts share. A job is ever-living: after each execution it gets a new due date.
`cleanupctl schedule` creates the jobs, or makes those that exist due at once or in the batch window;
`cleanupctl run` executes what is due. Both can be called from a shell, from cron and from CI, at any time
and from several hosts at once.

Data goes to standard output: tables on a terminal, JSON elsewhere. Progress, notices and errors go to
standard error. With JSON an error is an object on standard error too, with type, message and code (the
exit status); for an unusable configuration it also has faults. Passwords are never written anywhere.
"""

DEFAULTS = {
    "--config": "the first file there is of those under FILES",
    "--database": "the one in the configuration file, else an SQLite file; see FILES",
    "--format": "`auto`",
}
"""What holds when a common option is not given."""

ENVIRONMENT = (
    ("CLEANUPCTL_CONFIG", "Configuration file; the option --config comes first."),
    (
        "CLEANUPCTL_DATABASE",
        "URL of the job store; the option --database comes first. As in the configuration file, ${NAME} in it"
        " stands for another environment variable.",
    ),
    ("CLEANUPCTL_FORMAT", "`auto`, `table` or `json`; the options --format and --json come first."),
    ("NO_COLOR", "If set to anything, no colours are written."),
)

FILES = (
    ("~/.config/cleanupctl/config.toml", "The user's configuration; see cleanupctl.toml(5)."),
    (SYSTEM_FILE, "The system's configuration, read when the user has none."),
    ("~/.local/state/cleanupctl/jobs.db", "The embedded job store of a user; others cannot read it."),
    ("/var/lib/cleanupctl/jobs.db", "The embedded job store of root."),
)

GLOSSARY = (
    (
        "history",
        "A database, or a set of tables in one, whose expired rows are cleaned; configured by a name."
        " What a process engine writes about instances is one, a table of log-ins with a time column"
        " another.",
    ),
    (
        "cleanup job",
        "The ever-living job that performs cleanup: after each execution it gets a new due date, and"
        " running never deletes it. There is one for each degree of parallelism.",
    ),
    (
        "job store",
        "The database that holds the jobs and the job log: an SQLite file, or PostgreSQL, MySQL or"
        " CockroachDB where several hosts share it.",
    ),
    (
        "batch window",
        "The time span in which cleanup may run, by the wall clock of the configured zone: its start"
        " belongs to it, its end does not. For every day, for a day of the week, or by a cron expression"
        " and a duration.",
    ),
    (
        "due date",
        "From when on a job may run: immediately due is now, not immediately due the start of the current"
        " or the next batch window.",
    ),
    (
        "time to live",
        "How many days history is kept: `P<n>D` as in ISO 8601, or the number alone.",
    ),
    (
        "removal time",
        "The start or the end of an instance plus its time to live, which the engine stores on every row"
        " of it.",
    ),
    (
        "strategy",
        "What says that an engine's rows have expired: `removal-time` (their removal time is past) or"
        " `end-time` (the end of the instance plus its time to live is past, calculated when the run"
        " looks).",
    ),
    (
        "root instance",
        "The top of a call hierarchy: the instance that no other one called. Its tree is removed together.",
    ),
    (
        "batch",
        "What one transaction deletes. Batches are sized by time, so that none takes much longer than is"
        " configured. (A batch operation is something else: one of the engine's own jobs over many"
        " instances.)",
    ),
    (
        "participation",
        "Whether this node may schedule and run cleanup.",
    ),
    (
        "retries",
        "The attempts that a job has left after failures; with none it waits for a person or a new"
        " `cleanupctl schedule`.",
    ),
    (
        "job log",
        "One entry for each execution of a job: when, on which host, how many rows of each table, how"
        " long, and what failed.",
    ),
    (
        "backlog",
        "Expired rows that are still there: how many, how old the oldest is, and whether the rate of the"
        " runs will clear them.",
    ),
    (
        "orphan",
        "A row whose instance is not there any more, so that no strategy reaches it; see cleanupctl-"
        " history(1).",
    ),
)
"""The words of the program as an operator meets them, in the order in which they build upon each other."""
