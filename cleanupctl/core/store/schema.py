"""The version of a job store's schema: checked when it is opened, created and upgraded under a lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import StoreError
from cleanupctl.core.store.failures import Failure
from cleanupctl.core.store.odd_values import OddValueError
from cleanupctl.core.store.peewee_import import peewee

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleanupctl.core.store.models import Models
    from cleanupctl.core.store.session import Session

SCHEMA_VERSION = 1
SCHEMA_PROPERTY = "schema_version"
SCHEDULINGS_PROPERTY = "schedulings"
"""Counts the reconfigurations; updating it is the lock that puts them one after another."""

UPGRADES: dict[int, Callable[[Session], None]] = {}
"""By version: what leads from it to the next one."""


def ensure_schema(session: Session, models: Models, *, create: bool) -> bool:
    """Bring the store to this version's schema; return False if it has none and may not get one.

    Raises StoreError when a newer version of cleanupctl wrote it.
    """
    with session.connected():
        version = _stored_version(session, models)
        if version is None and not create:
            return False
        if version is None or version < SCHEMA_VERSION:
            version = session.repeated(lambda: _create_or_upgrade(session, models))
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the job store {session.url} was written by a newer cleanupctl (schema {version}, this one"
            f" knows up to {SCHEMA_VERSION}): upgrade cleanupctl on this host, or use another store"
        )
    return True


def _stored_version(session: Session, models: Models) -> int | None:
    try:
        return _property(models, SCHEMA_PROPERTY)
    except peewee.DatabaseError as error:
        if session.failure(error) is Failure.MISSING_TABLE:
            return None
        raise


def _create_or_upgrade(session: Session, models: Models) -> int:
    with session.dialect.creating(session):
        return _brought_up_to_date(session, models)


def _brought_up_to_date(session: Session, models: Models) -> int:
    # Another process may have been first. Asking for a missing table would spoil a transaction.
    tables = models if session.database.table_exists(models.Property) else None
    version = _property(models, SCHEMA_PROPERTY) if tables else None
    if version is None:
        _create(session, models)
        return SCHEMA_VERSION
    while version < SCHEMA_VERSION:
        UPGRADES[version](session)
        version += 1
        models.Property.update(value=version).where(models.Property.name == SCHEMA_PROPERTY).execute()
    return version


def _create(session: Session, models: Models) -> None:
    # Not every database undoes CREATE TABLE when the process dies halfway: take up what is there.
    # The version comes last and says that all is complete.
    for model in models:
        model._schema.create_table(safe=True)
        for index in model._meta.fields_to_index():
            _create_index(session, model, index)
    for name, value in ((SCHEDULINGS_PROPERTY, 0), (SCHEMA_PROPERTY, SCHEMA_VERSION)):
        models.Property.insert(name=name, value=value).on_conflict_ignore().execute()


def _create_index(session: Session, model: Any, index: Any) -> None:
    database = session.database

    def present() -> bool:
        found = database.get_indexes(model._meta.table_name, schema=model._meta.schema)
        return index._name in {each.name for each in found}

    if present():
        return
    try:
        database.execute(index.safe(database.safe_create_index))
    except peewee.DatabaseError:
        # The lock of MySQL is one node's own: in a cluster another node may have been first.
        if session.url.scheme != "mysql" or not present():
            raise


def _property(models: Models, name: str) -> int | None:
    query = models.Property.select(models.Property.value).where(models.Property.name == name)
    value: int | None = query.scalar()
    if value is not None and value < (name == SCHEMA_PROPERTY):
        raise OddValueError(models.Property._meta.table_name, name, value)
    return value
