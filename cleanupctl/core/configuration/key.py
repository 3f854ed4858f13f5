"""What a key and a table of the configuration file are, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY_TABLE = "window.DAY"
"""How this module calls the seven tables `window.monday` to `window.sunday`, which have the same keys."""
URL_TYPE = "URL: sqlite:///FILE, postgresql://, mysql://, cockroachdb://"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the file; `name` is its key path without indices, "" for the top of the file."""

    name: str
    header: str
    """The line that opens it in the file."""
    description: str


@dataclass(frozen=True, slots=True)
class Key:
    """One key: where it stands, what it accepts, what it means."""

    table: str
    """Name of its table; see `Table.name`."""
    name: str
    type: str
    """What it accepts, in words."""
    default: str | None
    """What holds when it is left out, in words; None for a key that must be there."""
    description: str
    """One sentence."""
    example: str
    """A value as it stands in the file."""
    parse: Callable[[object], object]
    """Turns the TOML value into ours; raises InvalidValueError."""
    kind: str | None = None
    """The only kind of history it belongs to, or None for every kind."""

    @property
    def path(self) -> str:
        """Table and name in one, such as `cleanup.batch_size`."""
        return f"{self.table}.{self.name}" if self.table else self.name
