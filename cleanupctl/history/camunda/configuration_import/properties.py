"""What one engine's configuration says, as names and values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_PLACEHOLDER = re.compile(r"\$\{([^${}:]*)(?::([^${}]*))?\}")
_UNRESOLVED = re.compile(r"[$#]\{|^@[^@\s]+@$")


@dataclass(slots=True)
class EngineProperties:
    """What one engine's configuration says; names are in the engine's spelling, lower case, no hyphens."""

    values: dict[str, str] = field(default_factory=dict)
    spelling: dict[str, str] = field(default_factory=dict)
    """How each name is written in the file."""
    windows: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    """Start and end by weekday number of the engine (1 is Sunday) or its English name."""
    elsewhere: list[tuple[str, str]] = field(default_factory=list)
    """What belongs to other engines or profiles, and which."""

    def put(self, name: str, value: str) -> None:
        """Note a value; of two with the same name the later one holds. Empty and null mean: not set."""
        value = "".join(each if each.isprintable() else "?" for each in resolve(value.strip()))
        if value.lower() not in {"", "null", "~"}:
            self.values[plain(name)] = value
            self.spelling[plain(name)] = name


def plain(name: str) -> str:
    """Return a name without what relaxed binding allows to differ: hyphens, underscores and case."""
    return name.replace("-", "").replace("_", "").lower()


def resolve(value: str) -> str:
    """Put the defaults of Spring's placeholders in their place: `${NAME:20:00}` becomes `20:00`."""
    for _ in range(20):  # they may be nested; each round takes the innermost away
        resolved = _PLACEHOLDER.sub(lambda match: match[0] if match[2] is None else match[2], value)
        if resolved == value:
            break
        value = resolved
    return value


def is_unresolved(value: str) -> bool:
    """Whether a value depends on something that is not in the file: a variable, an expression, a build."""
    return bool(_UNRESOLVED.search(value))
