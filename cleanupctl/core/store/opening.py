"""Opening a job store: the file first, then the connection, then the schema."""

from __future__ import annotations

from cleanupctl.core.store.jobstore import JobStore
from cleanupctl.core.store.models import define_models
from cleanupctl.core.store.schema import ensure_schema
from cleanupctl.core.store.session import Session
from cleanupctl.core.urls import DatabaseUrl


def open_job_store(url: DatabaseUrl, *, create: bool) -> JobStore:
    """Do what `open_store` promises."""
    if not _file_is_there(url, create=create):
        return _empty_store(url)
    store = _connect(url, url, create=create)
    return store or _empty_store(url)


def _file_is_there(url: DatabaseUrl, *, create: bool) -> bool:
    if url.scheme != "sqlite":
        return True
    from cleanupctl.core.store.sqlite import prepare_file

    return prepare_file(url, create=create)


def _empty_store(url: DatabaseUrl) -> JobStore:
    from cleanupctl.core.store.sqlite import MEMORY

    store = _connect(DatabaseUrl("sqlite", MEMORY), url, create=True)
    assert store is not None  # noqa: S101 - it may always be created
    store.missing = True
    return store


def _connect(place: DatabaseUrl, url: DatabaseUrl, *, create: bool) -> JobStore | None:
    session = Session(place)
    try:
        with session.connected():
            schema = session.dialect.schema(session.database)
        models = define_models(session.database, session.dialect.table_settings, schema)
        present = ensure_schema(session, models, create=create)
    except BaseException:
        session.close()
        raise
    if not present:
        session.close()
        return None
    return JobStore(url, session, models)
