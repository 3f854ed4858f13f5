"""Text from anywhere as it may stand in an output: what a terminal would obey is shown as an escape."""

from __future__ import annotations

import re
from unicodedata import category

_OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Controls, marks of direction and of format, halves of characters, and separators of lines."""
_JOINERS = {"\u00ad", "\u200c", "\u200d"}
"""Belong to words of some languages, and move nothing."""
_PLAIN = re.compile(r"[ -~]*")


def _live(character: str) -> bool:
    return category(character) in _OBEYED and character not in _JOINERS


def on_one_line(text: str) -> str:
    """Return text without anything that moves a cursor or hides, line breaks and tabs included."""
    if _PLAIN.fullmatch(text):
        return text
    return "".join(_escape(one) if _live(one) else one for one in text)


def in_lines(text: str) -> str:
    """Return text of several lines likewise; only the breaks between them, and tabs, stay."""
    return "\n".join("\t".join(map(on_one_line, line.split("\t"))) for line in text.split("\n"))


def in_json(dumped: str) -> str:
    """Return JSON that means the same; what is escaped could only stand in its strings."""
    if dumped.isascii() and "\x7f" not in dumped:
        return dumped
    return "".join(_json_escape(one) if _live(one) and one != "\n" else one for one in dumped)


def _escape(character: str) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character) or (
        f"\\x{ord(character):02x}"
        if ord(character) < 2**8
        else f"\\u{ord(character):04x}"
        if ord(character) < 2**16
        else f"\\U{ord(character):08x}"
    )


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
