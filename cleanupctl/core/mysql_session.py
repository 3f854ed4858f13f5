"""What every MySQL session begins with, whatever the server's or the account's defaults are."""

from __future__ import annotations

SQL_MODE = "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION"
"""Of all modes those that ours are written for: others quote, concatenate or round differently."""
_SETTINGS = {
    # Else a DELETE or UPDATE without a usable key is refused.
    "sql_safe_updates": "0",
    # Rows that a SELECT leaves out would count as absent.
    "sql_select_limit": "18446744073709551615",
    "sql_big_selects": "1",
    "sql_auto_is_null": "0",
    # Else a COMMIT begins the next transaction, or ends the session.
    "completion_type": "0",
}


def assignments(**more: object) -> str:
    """Return what follows SET, `more` settings of the session included."""
    return ", ".join(f"SESSION {name} = {value}" for name, value in (_SETTINGS | more).items())
