"""Options of a MySQL URL: which ones there are, and their values as PyMySQL takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.core.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleanupctl.core.urls import DatabaseUrl


def _yes(text: str) -> bool:
    return {"1": True, "true": True, "0": False, "false": False}[text.lower()]


_OPTIONS: dict[str, Callable[[str], object]] = {
    "charset": str,
    "connect_timeout": int,
    "read_default_file": str,
    "read_default_group": str,
    "read_timeout": int,
    "ssl_ca": str,
    "ssl_cert": str,
    "ssl_disabled": _yes,
    "ssl_key": str,
    "ssl_key_password": str,
    "ssl_verify_cert": _yes,
    "ssl_verify_identity": _yes,
    "unix_socket": str,
    "write_timeout": int,
}


def mysql_options(url: DatabaseUrl) -> dict[str, object]:
    """Return the query part of a URL as keyword arguments. Raises InvalidValueError for what is unknown."""
    options: dict[str, object] = {}
    for name, text in url.query:
        if name not in _OPTIONS:
            raise InvalidValueError(f"{name} is unknown; known are {', '.join(_OPTIONS)}")
        try:
            options[name] = _OPTIONS[name](text)
        except (ValueError, KeyError):
            raise InvalidValueError(f"{name} has the value {text!r}") from None
    return options
