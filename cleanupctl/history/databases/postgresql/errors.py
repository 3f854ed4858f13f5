"""The errors of PostgreSQL's driver as ours, by SQLSTATE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.core.errors import LONGEST_QUOTE, HistoryError, HistoryUnreachableError, shortened
from cleanupctl.core.urls import without_secrets
from cleanupctl.history.databases.errors import ForeignKeyError, LockConflictError, StatementTimeoutError

if TYPE_CHECKING:
    from cleanupctl.core.urls import DatabaseUrl

_CONFLICTS = {"55P03", "40P01", "40001"}
"""Lock time-out, deadlock, serialization failure."""
_TOO_MUCH = {"57014", "53200"}
"""Cancelled, most often by the time-out; out of memory, for which a smaller batch may do."""
_REFERENCED = {"23503"}
_LOST = ("08", "57P", "25P03", "53300")
"""How the states begin that end a session or refuse one: nothing else is a matter of the whole history."""

_ADVICE = {
    "25006": "nothing can be deleted there: name the primary server in the URL, or let the login write"
    " (default_transaction_read_only)",
    "42P01": "functions of triggers find no table without its schema in this session: ALTER FUNCTION … SET"
    " search_path",
    "42883": "functions of triggers find no function without its schema in this session: ALTER FUNCTION … SET"
    " search_path",
}
_OF_TRIGGERS = {"42P01", "42883"}


def one_line(error: Exception, url: DatabaseUrl) -> str:
    """Return what an error says in one line, not too long and without secrets."""
    text = without_secrets(" ".join(str(error).split()), url.secrets())
    return shortened(text, LONGEST_QUOTE) or type(error).__name__


def history_error(error: Exception, url: DatabaseUrl) -> Exception:
    """Return the driver's error as one of ours: to retry, to skip, or to report."""
    import psycopg

    if not isinstance(error, psycopg.Error):
        return error
    text, state = one_line(error, url), error.sqlstate
    if state in _CONFLICTS:
        return LockConflictError(text)
    if state in _TOO_MUCH:
        return StatementTimeoutError(text)
    if state in _REFERENCED:
        return ForeignKeyError(text)
    # Without a state the driver itself has met it, most often because the connection is gone.
    own = state is None and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    if own or (state or "").startswith(_LOST):
        return HistoryUnreachableError(f"{url} is not reachable any more: {text}")
    advice = _ADVICE.get(state or "")
    if advice and (state not in _OF_TRIGGERS or error.diag.context):
        text = f"{text}; {advice}"
    return HistoryError(f"{url}: {text}")
