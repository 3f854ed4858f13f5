"""How our statements name their bound values, and how each kind of driver wants that written.

In every statement `%s` outside of quotes is a bound value; what stands in quotes, as identifiers do, means
itself. Drivers see a statement only after one of these functions, so that a name may hold any character.
"""

from __future__ import annotations

import re
from functools import lru_cache

_QUOTED = re.compile(r"""("[^"]*"|`[^`]*`|'[^']*')""")
"""A quote inside of quotes is doubled: what it separates matches as two quoted parts."""
_REMEMBERED = 128
"""Statements are few and are sent again and again; some, with long lists of values, are large."""


@lru_cache(_REMEMBERED)
def for_format_driver(sql: str) -> str:
    """Return a statement for a driver that reads every percent sign: those in quotes are doubled."""
    parts = _QUOTED.split(sql)
    parts[1::2] = (quoted.replace("%", "%%") for quoted in parts[1::2])
    return "".join(parts)


@lru_cache(_REMEMBERED)
def for_qmark_driver(sql: str) -> str:
    """Return a statement for a driver whose bound values are question marks."""
    parts = _QUOTED.split(sql)
    parts[::2] = (rest.replace("%s", "?") for rest in parts[::2])
    return "".join(parts)
