"""The configuration file as data, derived from the fields of Settings: its tables and keys, in order."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any

from cleanupctl.core.settings import Settings
from cleanupctl.core.settings.declaration import KeyOf, TableOf, declared_keys, declared_tables
from cleanupctl.core.settings.messages import literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.core.settings.values import ValueType


@dataclass(eq=False, repr=False)
class Key:
    """One key: where it stands, what it accepts, what it means."""

    table: str
    """Name of its table; see `Table.name`."""
    name: str
    declared: KeyOf
    kind: str | None = None
    """The only kind of history it belongs to, or None for every kind."""

    @property
    def path(self) -> str:
        """Table and name in one, such as `cleanup.batch_size`."""
        return f"{self.table}.{self.name}" if self.table else self.name

    @property
    def type(self) -> ValueType:
        """What it accepts."""
        return self.declared.type

    @property
    def default(self) -> str | None:
        """What holds when it is left out, in words; None for a key that must be there."""
        return self.declared.default_text()

    @property
    def required(self) -> bool:
        """Whether it must be there."""
        return self.default is None

    @property
    def description(self) -> str:
        """What it means, in sentences."""
        return self.declared.description

    @property
    def example(self) -> str:
        """A value as it stands in the file."""
        return literal(self.declared.example)


@dataclass(eq=False, repr=False)
class Table:
    """One table of the file, or several that have the same keys."""

    name: str
    """Its key path without indices, "" for the top of the file."""
    declared: TableOf
    keys: dict[str, Key]
    kind: str | None = None
    """The only kind of history it belongs to, or None for every kind."""

    @property
    def description(self) -> str:
        """What it is about, in sentences."""
        return self.declared.description

    @property
    def header(self) -> str:
        """The line that opens it in the file."""
        if not self.name:
            return ""
        return f"[[{self.name}]]" if self.declared.many else f"[{self.name}]"

    @property
    def record(self) -> type:
        """The class that declares its keys; of several kinds, that of the first."""
        return self.declared.records[0]

    @property
    def names(self) -> tuple[str, ...]:
        """What it is called in the table that it stands in."""
        return self.declared.names or (self.name.rpartition(".")[2],)


def _tables(name: str, declared: TableOf, kind: str | None = None) -> Iterator[Table]:
    keys: dict[str, Key] = {}
    below: dict[str, tuple[TableOf, str | None]] = {}
    for record, own in _records(declared):
        for field_name, key in declared_keys(record):
            key_name = key.name or field_name
            keys.setdefault(key_name, Key(name, key_name, key, own))
        for field_name, table in declared_tables(record):
            below.setdefault(table.name or field_name, (table, own))
    yield Table(name, declared, keys, kind)
    for inner, (table, own) in below.items():
        yield from _tables(f"{name}.{inner}" if name else inner, table, own)


def _records(declared: TableOf) -> Iterator[tuple[type, str | None]]:
    """Return the classes that declare the keys of a table, each with the kind that it is of.

    Where there are several kinds, what they have in common comes first, from the class above them.
    """
    if len(declared.records) == 1:
        yield declared.records[0], None
        return
    yield declared.records[0].__mro__[1], None
    for record in declared.records:
        yield record, kind_of(record)


def kind_of(record: Any) -> str:
    """Return the kind of history that a settings class is for."""
    return next(str(field.default) for field in fields(record) if field.name == "kind")


CONFIGURATION_TABLES = tuple(
    _tables("", TableOf((Settings,), "Keys before the first table.", None, many=False, names=(), needed=True))
)
"""Every table, in the order to write them in."""

CONFIGURATION_KEYS = tuple(key for table in CONFIGURATION_TABLES for key in table.keys.values())
"""Every key, in the order of the tables; the order in a table is the one to write them in."""

_BY_NAME = {table.name: table for table in CONFIGURATION_TABLES}


def table_of(name: str) -> Table:
    """Return the table with this `Table.name`."""
    return _BY_NAME[name]


def keys_of(table: str) -> dict[str, Key]:
    """Return the keys of one table by name; `table` is a `Table.name`."""
    return _BY_NAME[table].keys


def tables_below(table: str) -> tuple[Table, ...]:
    """Return the tables that may stand in a table; `table` is a `Table.name`."""
    start = f"{table}." if table else ""
    return tuple(
        other
        for other in CONFIGURATION_TABLES
        if other.name and other.name.startswith(start) and "." not in other.name.removeprefix(start)
    )


def default_value(key: Key) -> object:
    """Return what holds when a key is left out, as it stands in the file; None if no value says it."""
    if key.declared.otherwise is not None or key.declared.default is MISSING:
        return None
    return key.declared.default
