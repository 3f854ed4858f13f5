"""The errors of PostgreSQL's driver as ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError, HistoryUnreachableError
from cleanupctl.core.urls import without_secrets
from cleanupctl.history.databases.errors import ForeignKeyError, LockConflictError, StatementTimeoutError

if TYPE_CHECKING:
    from cleanupctl.core.urls import DatabaseUrl


def one_line(error: Exception, url: DatabaseUrl) -> str:
    """Return what an error says in one line, without secrets."""
    return without_secrets(" ".join(str(error).split()), url.secrets()) or type(error).__name__


def history_error(error: Exception, url: DatabaseUrl) -> Exception:
    """Return the driver's error as one of ours: to retry, to skip, or to report."""
    import psycopg
    from psycopg import errors

    text = one_line(error, url)
    match error:
        case (
            errors.LockNotAvailable()
            | errors.DeadlockDetected()
            | errors.SerializationFailure()
            | errors.QueryCanceled()
        ):
            itself = isinstance(error, errors.QueryCanceled)
            return StatementTimeoutError(text) if itself else LockConflictError(text)
        case errors.ForeignKeyViolation():
            return ForeignKeyError(text)
        case errors.InsufficientPrivilege():
            return HistoryError(f"{url}: {text}")
        case psycopg.OperationalError() | psycopg.InterfaceError() | errors.IdleInTransactionSessionTimeout():
            return HistoryUnreachableError(f"{url} is not reachable any more: {text}")
        case psycopg.Error():
            return HistoryError(f"{url}: {text}")
    return error
