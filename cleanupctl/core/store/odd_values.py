"""Values in a store's rows that no cleanupctl has written: told as such wherever they are read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cleanupctl.core.errors import LONGEST_QUOTE, StoreError, shortened
from cleanupctl.core.store.peewee_import import peewee

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleanupctl.core.urls import DatabaseUrl


class OddValueError(Exception):
    """A column has a value that means nothing."""

    def __init__(self, table: str, column: str, value: object) -> None:
        super().__init__(table, column, value)
        self.table = table
        self.column = column
        self.value = value

    def for_operator(self, url: DatabaseUrl) -> StoreError:
        """Return the error that says where it is and what to do."""
        return StoreError(
            f"the job store {url} has a value in {self.table}.{self.column} that no cleanupctl has written"
            f" ({shortened(repr(self.value), LONGEST_QUOTE // 10)}): correct the row, delete it, or restore a"
            " backup"
        )


def guard(model: Any) -> None:
    """Have every column of a peewee model refuse what it cannot read."""
    for field in model._meta.sorted_fields:
        field.python_value = _guarded(field, field.python_value, model._meta.table_name)


def _guarded(field: Any, read: Callable[[Any], Any], table: str) -> Callable[[Any], Any]:
    column = field.column_name

    def guarded(value: Any) -> Any:
        try:
            return _fitting(field, read(value))
        except (ValueError, TypeError, ArithmeticError, LookupError) as error:
            raise OddValueError(table, column, value) from error

    return guarded


def _fitting(field: Any, value: Any) -> Any:
    """Return a value that fits its column; a file keeps whatever it is given."""
    if value is None:
        return None
    if isinstance(field, peewee.IntegerField) and not isinstance(value, int | datetime | timedelta):
        raise TypeError(value)
    if isinstance(field, peewee.FixedCharField) and len(value) > field.max_length:
        raise ValueError(value)
    if isinstance(field, peewee.CharField):
        return shortened(value, field.max_length)
    return value
