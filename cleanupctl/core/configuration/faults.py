"""Faults of a configuration file, collected, so that all are reported at once with line and key."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from cleanupctl.core.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from cleanupctl.core.configuration.toml_positions import KeyPath

_BARE = r"[A-Za-z0-9_-]{1,60}"


class Faults:
    """What is wrong with one text; empty and therefore false while nothing is."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: list[tuple[KeyPath, str]] = []

    def add(self, path: KeyPath, message: str) -> None:
        """Note a fault of the key at `path`; the message says what is wrong and how to correct it."""
        self._found.append((path, message))

    def __len__(self) -> int:
        return len(self._found)

    def lines(self) -> tuple[str, ...]:
        """Return every fault as `line 12, cleanup.parallelism: …`, in the order of the file."""
        from cleanupctl.core.configuration.toml_positions import locate_keys

        places = locate_keys(self._text)
        placed = [(_line(places, path), path, message) for path, message in self._found]
        placed.sort(key=lambda fault: fault[0])
        return tuple(_sentence(*fault) for fault in placed)


def unusable(path: Path, faults: tuple[str, ...]) -> ConfigurationError:
    """Return the error for a file with these faults."""
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return ConfigurationError(f"{path} cannot be used: {count}", path=path, faults=faults)


def _line(places: dict[KeyPath, int], path: KeyPath) -> int:
    while path and path not in places:
        path = path[:-1]
    return places.get(path, 0)


def _sentence(line: int, path: KeyPath, message: str) -> str:
    place = [f"line {line}"] if line else []
    if path:
        place.append(dotted(path))
    return f"{', '.join(place)}: {message}" if place else message


def dotted(path: KeyPath) -> str:
    """Return a path in the usual notation: `history[2].table[1].ttl`, counted from 1."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            name = part if re.fullmatch(_BARE, part) else json.dumps(part[:60], ensure_ascii=False)
            text += f".{name}" if text else name
    return text
