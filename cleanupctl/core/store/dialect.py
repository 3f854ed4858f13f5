"""What differs between the databases a job store can be in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from cleanupctl.core.store.failures import Failure
    from cleanupctl.core.store.peewee_import import peewee
    from cleanupctl.core.urls import DatabaseUrl


class Connected(Protocol):
    """What a dialect needs of a session to create or upgrade the schema."""

    url: DatabaseUrl
    database: Any

    def transaction(self) -> AbstractContextManager[None]:
        """Commit what the block writes, or undo it when the block raises."""

    def failure(self, error: peewee.PeeweeException) -> Failure:
        """Say what kind of failure `error` is."""


class Dialect(ABC):
    """One kind of database."""

    clock: ClassVar[str]
    """SQL for the database's own time in milliseconds since the epoch, independent of time zones."""
    own_clock: ClassVar[bool] = True
    """Whether that is another clock than this host's."""
    begin: ClassVar[tuple[str, ...]] = ()
    """Arguments of peewee's `begin` for a transaction that writes."""
    limit_waiting: ClassVar[str | None] = None
    """Statement that follows BEGIN, where waiting for locks cannot be limited for the connection."""
    table_settings: ClassVar[tuple[str, ...]] = ()
    """What stands behind the columns in CREATE TABLE."""

    @abstractmethod
    def database(self, url: DatabaseUrl) -> peewee.Database:
        """Return peewee's database for `url`, not yet connected. Raises StoreError."""

    @abstractmethod
    def classify(self, error: BaseException) -> Failure:
        """Say what kind of failure the driver's `error` is."""

    @abstractmethod
    def creating(self, session: Connected) -> AbstractContextManager[None]:
        """Let one process at a time create or upgrade the schema."""

    def reason(self, error: BaseException) -> str:
        """Return the driver's own words."""
        return str(error)

    def schema(self, database: Any) -> str | None:
        """Return the schema of the store's tables, whose names are written with it; None where one is enough.

        Asked after the first connection.
        """
        del database
        return None

    def refresh(self, database: Any) -> None:
        """Keep the connection alive; servers close what is idle for hours. Raise peewee's errors."""
        database.execute_sql("SELECT 1")
