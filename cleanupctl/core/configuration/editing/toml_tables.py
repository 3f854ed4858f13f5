"""A TOML text cut into its tables and what stands between, so that one table changes and no comment moves.

tomlkit counts the comments before a header to the table above it, and would delete or move them with it.
So each table is edited on its own, with tomlkit, and the comments between tables stay where they are.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from cleanupctl.core.configuration.toml_positions import locate_sections

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cleanupctl.core.configuration.toml_positions import KeyPath

_COMMENT_LINE = re.compile(r"^\s*#", re.MULTILINE)


@dataclass(slots=True)
class _Part:
    path: KeyPath | None
    """Of the table; None for comments and empty lines between tables."""
    text: str


class TomlTables:
    """The text of a valid TOML document, to be changed table by table."""

    def __init__(self, text: str) -> None:
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._parts = list(_cut(text))

    @property
    def text(self) -> str:
        """The whole text as it is now."""
        return "".join(part.text for part in self._parts)

    def set(self, table: KeyPath, values: Mapping[str, str], *, without: Iterable[str] = ()) -> None:
        """Give the table these values and take the keys `without` away; it is made if it is not there."""
        home = self._home(table)
        if home:
            self._change(*home, values, without)
        elif table[:-1] and (parent := self._home(table[:-1])) and _is_inline(*parent):
            self._change(*parent, {str(table[-1]): dict(values)}, ())
        else:
            self._insert(table, values)

    def remove(self, table: KeyPath) -> None:
        """Take away the table and everything in it; of a table at the top the comments within stay."""
        for part in [each for each in self._parts if each.path and each.path[: len(table)] == table]:
            if len(part.path or ()) == 1 and _COMMENT_LINE.search(part.text):
                self._change(part, (), {}, list(_look_up(tomllib.loads(part.text), table)))
            else:
                self._drop(part)
        for part in self._parts:
            rest = _rest(part, table)
            if rest and _look_up(tomllib.loads(part.text), table) is not None:
                self._change(part, rest[:-1], {}, rest[-1:])

    def _home(self, table: KeyPath) -> tuple[_Part, KeyPath] | None:
        """Return the part in which the keys of a table stand, and its path within that part."""
        for part in self._parts:
            rest = _rest(part, table)
            if rest == () or (rest and isinstance(_look_up(tomllib.loads(part.text), table), dict)):
                return part, rest
        return None

    def _change(self, part: _Part, rest: KeyPath, values: Mapping[str, Any], without: Iterable[Any]) -> None:
        import tomlkit

        document = tomlkit.parse(part.text)
        table: Any = _look_up(document, (*(part.path or ()), *rest))
        for key in without:
            table.pop(key, None)
        for key, value in values.items():
            if table.get(key) != value:
                table[key] = value
        part.text = self._with_newlines(tomlkit.dumps(document))

    def _insert(self, table: KeyPath, values: Mapping[str, str]) -> None:
        import tomlkit

        header = ".".join(str(name) for name in table)
        siblings = [number for number, part in enumerate(self._parts) if (part.path or ())[:1] == table[:1]]
        place = siblings[-1] + 1 if siblings else len(self._parts)
        before = "".join(part.text for part in self._parts[:place])
        gap = "" if before.endswith("\n") or not before else "\n"
        gap += "" if not before or (before + gap).endswith(("\n\n", "\n\r\n")) else "\n"
        text = f"{gap}[{header}]\n{tomlkit.dumps(values)}"
        self._parts.insert(place, _Part(table, self._with_newlines(text)))

    def _drop(self, part: _Part) -> None:
        place = self._parts.index(part)
        del self._parts[place]
        before = "".join(each.text for each in self._parts[:place])
        if place < len(self._parts) and (not before or before.endswith(("\n\n", "\n\r\n"))):
            # one of the two empty lines that were around it
            self._parts[place].text = re.sub(r"\A\r?\n", "", self._parts[place].text)

    def _with_newlines(self, text: str) -> str:
        return re.sub(r"\r?\n", self._newline, text)


def _cut(text: str) -> Iterable[_Part]:
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    edges = [0]
    paths: list[KeyPath | None] = []
    for section in locate_sections(text):
        edges += [section.first - 1 if section.last else 0, section.last]
        paths += [None, section.path]
    edges.append(len(lines))
    paths.append(None)
    for path, (first, last) in zip(paths, pairwise(edges), strict=True):
        if path is not None or first < last:
            yield _Part(path, "".join(lines[first:last]))


def _rest(part: _Part, table: KeyPath) -> KeyPath | None:
    """Return the path of a table within a part, or None if it cannot stand there."""
    path = part.path
    return table[len(path) :] if path is not None and table[: len(path)] == path else None


def _look_up(document: Any, path: KeyPath) -> Any:
    for name in path:
        if not isinstance(document, dict) or name not in document:
            return None
        document = document[name]
    return document


def _is_inline(part: _Part, rest: KeyPath) -> bool:
    import tomlkit
    from tomlkit.items import InlineTable

    return isinstance(_look_up(tomlkit.parse(part.text), (*(part.path or ()), *rest)), InlineTable)
