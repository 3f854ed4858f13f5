"""The embedded job store: one SQLite file, readable by its owner only."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleanupctl.core.access import make_private_folders
from cleanupctl.core.store import failures
from cleanupctl.core.store.dialect import Connected, Dialect
from cleanupctl.core.store.failures import Failure, store_error
from cleanupctl.core.store.peewee_import import peewee

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.core.urls import DatabaseUrl

MEMORY = ":memory:"

_FAILURES = {
    "SQLITE_BUSY": Failure.LOCKED,
    "SQLITE_LOCKED": Failure.LOCKED,
    "SQLITE_NOTADB": Failure.NOT_A_STORE,
    "SQLITE_CORRUPT": Failure.CORRUPT,
    "SQLITE_CANTOPEN": Failure.CANNOT_OPEN,
    "SQLITE_READONLY": Failure.READ_ONLY,
    "SQLITE_PERM": Failure.READ_ONLY,
    "SQLITE_FULL": Failure.FULL,
    # The files beside the store are written first, and fail with codes of their own.
    "SQLITE_IOERR_SHMSIZE": Failure.FULL,
}


class Sqlite(Dialect):
    """SQLite 3.35 or newer, in write-ahead-log mode."""

    # julianday is exact to some 40 microseconds; unixepoch knows no fraction before SQLite 3.42.
    clock = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"
    own_clock = False
    # A deferred transaction that reads before it writes fails at once when another one wrote.
    begin = ("IMMEDIATE",)

    def database(self, url: DatabaseUrl) -> peewee.Database:
        """Return the database; one more fsync per commit, so that none is lost with the power."""
        # A file that has gone meanwhile is not made again here, where everybody could read it.
        name = MEMORY if url.database == MEMORY else f"{file_of(url).absolute().as_uri()}?mode=rw"
        return peewee.SqliteDatabase(
            name,
            uri=True,
            # Whoever could write the file may have laid triggers in it.
            pragmas={"synchronous": "FULL", "trusted_schema": "OFF"},
            timeout=failures.LOCK_WAIT_SECONDS,
        )

    def classify(self, error: BaseException) -> Failure:
        """Go by SQLite's result code, whose extended forms start with the basic one."""
        name: str = getattr(error, "sqlite_errorname", "")
        if name == "SQLITE_ERROR" and "no such table" in str(error):
            return Failure.MISSING_TABLE
        basic = "_".join(name.split("_")[:2])
        return _FAILURES.get(name) or _FAILURES.get(basic, Failure.OTHER)

    def refresh(self, database: Any) -> None:
        """Do nothing: a file has no connection to lose."""

    @contextmanager
    def creating(self, session: Connected) -> Iterator[None]:
        """Hold the write lock of the file."""
        self._use_write_ahead_log(session)
        with session.transaction():
            yield

    def _use_write_ahead_log(self, session: Connected) -> None:
        # Changing the journal mode does not always wait for other processes: of eight that opened
        # a new file at once, one in some thirty times was told that it is locked.
        deadline = time.monotonic() + failures.LOCK_WAIT_SECONDS
        while True:
            try:
                session.database.execute_sql("PRAGMA journal_mode = WAL")
            except peewee.OperationalError as error:
                if session.failure(error) is not Failure.LOCKED or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return


def file_of(url: DatabaseUrl) -> Path:
    """Return the path of the store's file. Raises StoreError when the home folder in it is not known."""
    try:
        return Path(url.database).expanduser()
    except RuntimeError as error:
        raise store_error(url, Failure.CANNOT_OPEN, "the home folder in it is not known") from error


def prepare_file(url: DatabaseUrl, *, create: bool) -> bool:
    """Make sure the file is there, with mode 0600 in folders with mode 0700; return whether it is.

    Raises StoreError when the path is a folder, or cannot be read and written.
    """
    if url.database == MEMORY:
        return True
    path = file_of(url)
    try:
        if path.is_dir():
            raise store_error(url, Failure.CANNOT_OPEN, "it is a folder")
        if not path.exists():
            if not create:
                return False
            make_private_folders(path.parent)
            # SQLite would create it readable for everyone; the files beside it copy its mode. A link that
            # somebody laid to where there is nothing yet is not followed.
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        # SQLite opens a file it may not write as read-only and fails much later.
        os.close(os.open(path, os.O_RDWR))
    except OSError as error:
        raise store_error(url, Failure.CANNOT_OPEN, _words(error)) from error
    return True


def _words(error: OSError) -> str:
    return f"{error.strerror} ({error.filename})" if error.filename else str(error)
