"""Fields of settings that stand in the configuration file: each key and each table is declared once, here.

A field made by `key`, `table` or `tables` says everything about it: what it accepts, what holds without it,
what it means, an example. Reading, `config show`, the man page and the JSON Schema come from these fields.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

from cleanupctl.core.settings.messages import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleanupctl.core.settings.values import ValueType

T = TypeVar("T")
_DECLARED = "declared"


# Made at every start of the program: what a dataclass writes by itself takes a while, so only what is used.
@dataclass(eq=False, repr=False)
class KeyOf:
    """What a field says of its key."""

    type: ValueType
    description: str
    """One or a few sentences."""
    example: Any
    """A value as the file has it."""
    default: Any
    """What the file would have where it says nothing; MISSING if the file cannot say it."""
    otherwise: str | None
    """What holds when the key is left out, in words, where no value says it."""
    shown: bool
    """Whether `config show` has it, and whether it counts for the digest."""
    others: tuple[str, ...] | None
    """For a field that has all keys of its table which are not declared: the names that are usual."""
    name: str | None

    def default_text(self) -> str | None:
        """Return what holds when the key is left out, in words; None for a key that must be there."""
        if self.otherwise is not None:
            return self.otherwise
        return None if self.default is MISSING else literal(self.default)


@dataclass(eq=False, repr=False)
class TableOf:
    """What a field says of its table."""

    records: tuple[type, ...]
    """The class that declares its keys; several where a list has items of several kinds."""
    description: str
    name: str | None
    many: bool
    """Whether it is a list of tables."""
    names: tuple[str, ...]
    """For tables that have the same keys: what they are called in the file."""
    needed: bool
    """Whether the list may not be empty."""


def key(
    type_: ValueType,
    description: str,
    *,
    example: Any,
    default: Any = MISSING,
    otherwise: str | None = None,
    shown: bool = True,
    init: bool = True,
) -> Any:
    """Declare a key; `default` and `example` are values as they stand in the file.

    Without a default the key is required, unless `otherwise` says in words what holds then. Where the
    default is None, or something else may come before it, `otherwise` is what is documented.
    """
    declared = KeyOf(type_, description, example, default, otherwise, shown, None, None)
    if default is MISSING:
        return field(init=init, metadata={_DECLARED: declared})
    if default is None and otherwise is None:
        raise TypeError("what holds without a value has to be said in words")
    value = None if default in (None, type_.nothing) else type_.parse(default)
    return field(default=value, init=init, metadata={_DECLARED: declared})


def other_keys(
    type_: ValueType,
    description: str,
    *,
    name: str,
    example: Any,
    otherwise: str,
    known: tuple[str, ...],
    **default: Any,
) -> Any:
    """Declare that a table may have keys of any name; the field is a mapping of all that are there.

    `name` is what the man page calls them, `known` are those that are usual.
    """
    declared = KeyOf(type_, description, example, MISSING, otherwise, True, known, name)
    return field(metadata={_DECLARED: declared}, **default)


def table(
    record: type, description: str, *, name: str | None = None, names: tuple[str, ...] = (), **default: Any
) -> Any:
    """Declare a table with the keys of `record`; its name is that of the field unless another is given.

    With `names` there are several such tables, and `name` is what the man page calls them.
    """
    declared = TableOf((record,), description, name, many=False, names=names, needed=False)
    return field(metadata={_DECLARED: declared}, **default)


def tables(
    records: type | tuple[type, ...],
    description: str,
    *,
    name: str | None = None,
    needed: bool = False,
    **default: Any,
) -> Any:
    """Declare a list of tables; several classes are items of several kinds, told apart by the key `kind`."""
    classes = records if isinstance(records, tuple) else (records,)
    declared = TableOf(classes, description, name, many=True, names=(), needed=needed)
    return field(metadata={_DECLARED: declared}, **default)


@dataclass_transform(frozen_default=True, field_specifiers=(field, key, other_keys, table, tables))
def record(*, kw_only: bool = False, abstract: bool = False) -> Callable[[type[T]], type[T]]:
    """Make a frozen dataclass of a class whose fields are declared by `key`, `table` and `tables`.

    Of an abstract one there are no objects: it only declares what the classes below it have.
    """
    wanted = not abstract
    return dataclass(frozen=True, kw_only=kw_only, init=wanted, repr=wanted, eq=wanted, match_args=False)


def shape(cls: type[T]) -> type[T]:
    """Make a class of which there are no objects: it declares a table whose values become something else."""
    return dataclass(init=False, repr=False, eq=False, match_args=False)(cls)


def declared_keys(of: type) -> Iterator[tuple[str, KeyOf]]:
    """Return the fields of a record that are keys, in their order."""
    return ((name, one) for name, one in _declared(of) if isinstance(one, KeyOf))


def declared_tables(of: type) -> Iterator[tuple[str, TableOf]]:
    """Return the fields of a record that are tables, in their order."""
    return ((name, one) for name, one in _declared(of) if isinstance(one, TableOf))


def declared(of: type) -> Iterator[tuple[str, KeyOf | TableOf]]:
    """Return the fields of a record that are keys or tables, in their order."""
    return _declared(of)


def _declared(of: Any) -> Iterator[tuple[str, KeyOf | TableOf]]:
    for each in fields(of):
        # a class may narrow a field of the one above it without declaring its key again
        above = (base.__dict__.get("__dataclass_fields__", {}).get(each.name) for base in of.__mro__)
        said = (one.metadata[_DECLARED] for one in above if one and _DECLARED in one.metadata)
        if (found := next(said, None)) is not None:
            yield each.name, found
