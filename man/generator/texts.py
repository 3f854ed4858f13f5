"""What several man pages say in the same words, and the change log."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Release:
    """One version in the change log; the latest is first in RELEASES."""

    version: str
    date: str
    """Day of the release, ISO 8601; the date at the foot of the pages."""
    changes: tuple[str, ...]


RELEASES = (Release("0.1.0", "2026-11-24", ("first version",)),)
