"""Whether a view shows every row of a table: what it leaves out would count as absent."""

from __future__ import annotations

import re

_NAME = r'(?:"(?:[^"]|"")+"|`(?:[^`]|``)+`|[\w$]+)'
_WHOLE = re.compile(
    rf"select\s(?!\s*distinct\b)(?P<columns>.*?)\sfrom\s+(?P<source>{_NAME}(?:\.{_NAME})*)(?:\s+(?:as\s+)?{_NAME})?\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
_FROM = re.compile(r"\bfrom\b", re.IGNORECASE)


def only_table(definition: str) -> str | None:
    """Return the one table whose rows a view shows, all of them; None where that is not certain.

    `definition` is its SELECT as the server writes it, and so is the name that is returned. A FROM anywhere
    else, also in a text, is enough not to be certain.
    """
    found = _WHOLE.fullmatch(definition.strip())
    return found["source"] if found and not _FROM.search(found["columns"]) else None


def hides_rows(name: str) -> str:
    """Say that a view may leave rows out."""
    return (
        f"{name} may leave rows out, and what it leaves out would count as absent: it has to be a table, or a"
        " view of every row of one table"
    )
