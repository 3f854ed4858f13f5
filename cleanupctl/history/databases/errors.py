"""What can go wrong while rows are deleted, by what is to be done about it."""

from __future__ import annotations

from cleanupctl.core.errors import HistoryError


class LockConflictError(HistoryError):
    """Blocked by another transaction: lock time-out, deadlock or serialization failure."""

    units: int | None = None
    """Units that the batch had taken on, where there can be more or fewer than it was asked for."""


class StatementTimeoutError(LockConflictError):
    """A statement took too long: it would again, with as many rows."""


class ForeignKeyError(HistoryError):
    """A row of the batch is still referenced by another table."""


class ChangedError(HistoryError):
    """Something is not any more as it was when the batch was chosen."""
