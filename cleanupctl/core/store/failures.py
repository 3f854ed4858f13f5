"""What can go wrong with a job store, and the one sentence that says so."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from cleanupctl.core.errors import LONGEST_QUOTE, StoreError, shortened
from cleanupctl.core.urls import without_secrets

if TYPE_CHECKING:
    from cleanupctl.core.urls import DatabaseUrl

LOCK_WAIT_SECONDS = 15
"""How long a statement waits for another process before the store counts as locked."""
ANSWER_SECONDS = 60
"""How long nothing at all may come from the server: longer than any lock is waited for."""


class Failure(Enum):
    """Kinds of failure, the same for every database; the value starts the operator's message."""

    CONFLICT = "the job store {url} could not bring competing changes in order"
    MISSING_TABLE = "the job store {url} lacks a table of its schema"
    LOCKED = "the job store {url} has been locked by another process for {wait} seconds"
    UNREACHABLE = "the job store {url} cannot be reached"
    LOGIN = "the job store {url} refuses the log-in"
    UNKNOWN_DATABASE = "the job store {url} does not exist: create the database first"
    PRIVILEGES = (
        "privileges are missing on the job store {url} (it needs SELECT, INSERT, UPDATE, DELETE,"
        " and CREATE and INDEX the first time)"
    )
    READ_ONLY = "the job store {url} cannot be written"
    FULL = "the disk of the job store {url} is full"
    CORRUPT = (
        "the job store {url} is damaged: move the file away and restore a backup,"
        ' or rescue what is in it with: sqlite3 FILE ".recover"'
    )
    NOT_A_STORE = (
        "the file of the job store {url} is not an SQLite database: name another file,"
        " or move this one away; it has been left as it is"
    )
    CANNOT_OPEN = "the file of the job store {url} cannot be opened"
    DRIVER = "the job store {url} needs a driver: pip install 'cleanupctl[{extra}]'"
    OPTION = "the URL of the job store {url} has an option that cannot be used"
    OTHER = "the job store {url} failed"


def store_error(url: DatabaseUrl, failure: Failure, reason: str = "") -> StoreError:
    """Return the error for the operator; `reason` is the driver's own words."""
    extra = "mysql" if url.scheme == "mysql" else "postgres"
    message = failure.value.format(url=url, wait=LOCK_WAIT_SECONDS, extra=extra)
    if failure is Failure.FULL and url.server.is_file:
        message += " (free some of it, or keep the jobs elsewhere: --database sqlite:////OTHER/DISK/jobs.db)"
    reason = shortened(" ".join(reason.split()), LONGEST_QUOTE)
    reason = without_secrets(reason, url.secrets())
    return StoreError(f"{message}: {reason}" if reason else message)
