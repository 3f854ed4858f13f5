"""Connections and transactions: one connection per thread, conflicts repeated, errors translated."""

from __future__ import annotations

import random
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from cleanupctl.core.store.dialects import dialect_of
from cleanupctl.core.store.failures import Failure, store_error
from cleanupctl.core.store.odd_values import OddValueError
from cleanupctl.core.store.peewee_import import peewee

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleanupctl.core.urls import DatabaseUrl

T = TypeVar("T")

ATTEMPTS = 12
"""How often a transaction is tried that the database gives up for the sake of another one."""
CLOSE_SECONDS = 1.0
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 1.0


class Session:
    """Runs functions on a store's database, in transactions where they write, from any thread."""

    def __init__(self, url: DatabaseUrl) -> None:
        self.url = url
        self.dialect = dialect_of(url)
        self.database: Any = self.dialect.database(url)  # its type stubs leave most of it untyped
        self._home = threading.get_ident()

    def read(self, work: Callable[[], T]) -> T:
        """Run `work` without a transaction: each statement sees what is committed."""
        with self.connected():
            return work()

    def write(self, work: Callable[[], T]) -> T:
        """Run `work` in one transaction, again from the start when it lost a conflict.

        Whatever `work` raises undoes the transaction.
        """

        def in_transaction() -> T:
            with self.transaction():
                return work()

        with self.connected():
            return self.repeated(in_transaction)

    def repeated(self, work: Callable[[], T]) -> T:
        """Run `work`, again after a while when the database gave it up for the sake of another one."""
        for attempt in range(1, ATTEMPTS):
            try:
                return work()
            except peewee.DatabaseError as error:
                if self.failure(error) is not Failure.CONFLICT:
                    raise
            longest = min(_FIRST_PAUSE_SECONDS * 2**attempt, _LONGEST_PAUSE_SECONDS)
            time.sleep(random.uniform(0, longest))  # noqa: S311 - no secret, only to spread out
        return work()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block writes, or undo it when the block raises; needs a connection."""
        with self.database.manual_commit():
            self.database.begin(*self.dialect.begin)
            try:
                if self.dialect.limit_waiting is not None:
                    self.database.execute_sql(self.dialect.limit_waiting)
                yield
                self.database.commit()
            except BaseException:
                # With a full disk or without a connection there is nothing left to roll back, and
                # that must not hide why. This is what peewee's own `atomic` would do.
                with suppress(peewee.PeeweeException):
                    self.database.rollback()
                raise

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Provide this thread's connection, and turn peewee's errors into StoreError.

        A thread other than the one that opened the store leaves no connection behind, because
        nobody could close it later.
        """
        try:
            self._connect()
            yield
        except peewee.PeeweeException as error:
            raise self._store_error(error) from error
        except OddValueError as error:
            raise error.for_operator(self.url) from error
        finally:
            if threading.get_ident() != self._home:
                self.close()

    def failure(self, error: peewee.PeeweeException) -> Failure:
        """Say what kind of failure `error` is."""
        return self.dialect.classify(_original(error))

    def close(self) -> None:
        """Close this thread's connection, however broken it is.

        Not while another thread connects, which may take long where nobody answers: then it ends with the
        process.
        """
        # peewee holds it for as long as it connects, and so would `close` wait for that.
        if not self.database._lock.acquire(timeout=CLOSE_SECONDS):
            return
        self.database._lock.release()
        with suppress(Exception):
            self.database.close()

    def _connect(self) -> None:
        if not self.database.is_closed():
            try:
                self.dialect.refresh(self.database)
            except peewee.PeeweeException:
                self.close()
        try:
            self.database.connect(reuse_if_open=True)
        except (RuntimeError, OSError, LookupError, ValueError) as error:
            # Not an answer of the database: the driver could not even ask.
            raise self._store_error(error) from error

    def _store_error(self, error: Exception) -> Exception:
        original = _original(error)
        return store_error(self.url, self.dialect.classify(original), self.dialect.reason(original))


def _original(error: Exception) -> Exception:
    original: Exception = getattr(error, "orig", error)
    return original
