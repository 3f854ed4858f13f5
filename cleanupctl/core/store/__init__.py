"""The job store: the database that holds jobs and the job log; the only room that knows peewee."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cleanupctl.core.store.jobstore import JobStore
    from cleanupctl.core.urls import DatabaseUrl

__all__ = ["open_store"]


def open_store(url: DatabaseUrl, *, create: bool = True) -> JobStore:
    """Connect to the job store at `url`; use it as a context manager, or call `close()`.

    A store that does not exist yet is created. With `create=False` nothing is created: an empty
    store in memory is returned instead, whose `missing` is true. A store written by an older
    version is upgraded. Raises StoreError; its message never has the password.
    """
    # peewee costs more than all the rest of a call that needs no store.
    from cleanupctl.core.store.opening import open_job_store

    return open_job_store(url, create=create)
