"""The errors of MySQL's driver as ours, by their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.core.errors import LONGEST_QUOTE, HistoryError, HistoryUnreachableError, shortened
from cleanupctl.core.urls import without_secrets
from cleanupctl.history.databases.errors import ForeignKeyError, LockConflictError, StatementTimeoutError

if TYPE_CHECKING:
    from cleanupctl.core.urls import DatabaseUrl

_CONFLICTS = {1205, 1213, 3572, 1020, 1047}
"""Lock wait time-out, deadlock or failed certification, NOWAIT, changed since read; from a Galera node: not
ready at present."""
_TOO_MUCH = {1969, 3024, 1317, 1180}
"""Statement time-outs, interrupted; from a Galera node: write set refused at the commit for its size."""
_TOO_LARGE = "writeset size exceeded"
"""What a Galera node says, under a number that means nothing, of more than wsrep_max_ws_size bytes."""
_REFERENCED = {1217, 1451}
_LOST = {0, 1040, 1053, 1077, 1152, 1203, 1927, 4031, *range(2000, 2100)}
"""The server ends sessions or takes none, or the client has lost it: nothing else is a matter of the whole
history."""
_READ_ONLY = "nothing can be deleted there: name the server in the URL that takes writes"
_ADVICE = {
    1290: _READ_ONLY,
    1836: _READ_ONLY,
    1792: _READ_ONLY,
    1665: "the server logs statements, which READ COMMITTED does not allow: SET GLOBAL binlog_format = 'ROW',"
    " or let the login set it for its session",
}


def one_line(error: Exception, url: DatabaseUrl) -> str:
    """Return what an error says in one line, without its number and without secrets."""
    text = " ".join(str(error.args[-1] if error.args else error).split())
    return shortened(without_secrets(text, url.secrets()), LONGEST_QUOTE) or type(error).__name__


def history_error(error: Exception, url: DatabaseUrl) -> Exception:
    """Return the driver's error as one of ours: to retry, to skip, or to report."""
    import pymysql

    if not isinstance(error, pymysql.MySQLError):
        return error
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    text = one_line(error, url)
    if number in _CONFLICTS:
        return LockConflictError(text)
    if number in _TOO_MUCH or _TOO_LARGE in text:
        return StatementTimeoutError(text)
    if number in _REFERENCED:
        return ForeignKeyError(text)
    if number in _LOST or isinstance(error, pymysql.err.InterfaceError):
        return HistoryUnreachableError(f"{url} is not reachable any more: {text}")
    advice = _ADVICE.get(number)
    return HistoryError(f"{url}: {text}{f'; {advice}' if advice else ''}")
