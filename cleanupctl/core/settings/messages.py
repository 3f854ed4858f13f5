"""Words for messages about values: a value as it may be shown, and the known word that was meant."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_SHOWN = 60


def literal(value: object) -> str:
    """Return a string, number or boolean as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)


def shown(value: object) -> str:
    """Return a value as it may stand in a message: one line, short, like TOML."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    text = literal(value)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def alternatives(words: Sequence[str]) -> str:
    """Return words in quotes as a sentence lists what may be written: `"a", "b" or "c"`."""
    *others, last = (f'"{word}"' for word in words)
    return f"{', '.join(others)} or {last}" if others else last


def closest(word: str, known: Sequence[str], *, listing: bool = False) -> str:
    """Return "; did you mean …?" with the nearest known word, else (if asked) the list of all, else ""."""
    from difflib import get_close_matches

    lower = {name.lower(): name for name in known}
    near = get_close_matches(word.lower()[:100], lower, n=1)
    if near:
        return f"; did you mean {lower[near[0]]}?"
    return f"; write one of {', '.join(known)}" if listing else ""
