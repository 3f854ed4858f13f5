"""Lines of the keys and tables in a TOML text, which the standard library's reader does not tell.

Only for texts that the reader has accepted, and only when there is a fault to place.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

KeyPath = tuple[str | int, ...]
"""Keys and, below lists, indices from 0."""

_TOKEN = re.compile(
    r"""
      (?P<string> \"{3} (?: \\. | [^\\] )*? \"{3,5} | '{3} .*? '{3,5}
                | " (?: \\. | [^"\\\n] )* " | ' [^'\n]* ' )
    | (?P<comment> \# [^\n]* )
    | (?P<newline> \n )
    | (?P<word> [A-Za-z0-9_-]+ )
    | (?P<other> [^\s] )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(slots=True)
class Section:
    """The lines (from 1) of one table, from its header to its last key, comments between included.

    The keys before the first header are a section too, with the path () and without a header;
    `last` is then 0 if there are none.
    """

    path: KeyPath
    first: int
    last: int


def locate_sections(text: str) -> list[Section]:
    """Return the sections of the text in its order; comments and empty lines around them belong to none."""
    return _Scanner(text).sections


def locate_keys(text: str) -> dict[KeyPath, int]:
    """Return the line (from 1) on which each key, table and list item of the text first stands."""
    return _Scanner(text).lines


class _Scanner:
    """One pass over the tokens, following the path of the current table."""

    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._lists: dict[KeyPath, int] = {}
        self._kind, self._lexeme, self._line, self._end = "", "", 1, 0
        self._tokens = _tokens(text)
        self.sections = [Section((), 1, 0)]
        self._next()
        while self._kind:
            if self._kind == "newline":
                self._next()
            elif self._lexeme == "[":
                self._header()
            else:
                self._assignment(self.sections[-1].path)
                self.sections[-1].last = self._end

    def _next(self) -> None:
        if self._kind != "newline":
            self._end = self._line + self._lexeme.count("\n")
        self._kind, self._lexeme, self._line = next(self._tokens, ("", "", 0))

    def _header(self) -> None:
        line = self._line
        self._next()
        is_list = self._lexeme == "["
        if is_list:
            self._next()
        *parents, last = self._key()
        path = self._current(tuple(parents), line)
        if is_list:
            index = self._lists.get((*path, last), -1) + 1
            self._lists[(*path, last)] = index
            self._place((*path, last), line)
            path = (*path, last, index)
        else:
            path = (*path, last)
        self._place(path, line)
        while self._kind not in {"newline", ""}:
            self._next()
        self.sections.append(Section(path, line, line))

    def _current(self, names: tuple[str, ...], line: int) -> KeyPath:
        """Follow the names from the top, into the last item where one is a list of tables."""
        path: KeyPath = ()
        for name in names:
            path = (*path, name)
            self._place(path, line)
            if path in self._lists:
                path = (*path, self._lists[path])
        return path

    def _key(self) -> list[str]:
        names: list[str] = []
        while self._lexeme not in {"=", "]", ""}:
            if self._kind == "string":
                names.append(tomllib.loads(f"key = {self._lexeme}")["key"])
            elif self._kind == "word":
                names.append(self._lexeme)
            self._next()
        return names

    def _assignment(self, table: KeyPath) -> None:
        line, path = self._line, table
        for name in self._key():
            path = (*path, name)
            self._place(path, line)
        self._next()
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        if self._lexeme == "{":
            self._members(path, "}")
        elif self._lexeme == "[":
            self._members(path, "]")
        else:
            while self._kind not in {"newline", ""} and self._lexeme not in {",", "]", "}"}:
                self._next()

    def _members(self, path: KeyPath, end: str) -> None:
        self._next()
        index = 0
        while self._kind and self._lexeme != end:
            if self._kind == "newline" or self._lexeme == ",":
                self._next()
            elif end == "}":
                self._assignment(path)
            else:
                self._place((*path, index), self._line)
                self._value((*path, index))
                index += 1
        self._next()

    def _place(self, path: KeyPath, line: int) -> None:
        self.lines.setdefault(path, line)


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    line = 1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind != "comment":
            yield kind, match[0], line
        line += match[0].count("\n")
