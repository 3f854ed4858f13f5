"""Options of a MySQL URL as PyMySQL takes them, and how its sessions are encrypted."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from cleanupctl.core.errors import InvalidValueError
from cleanupctl.core.url_options import MYSQL, check_options

if TYPE_CHECKING:
    from cleanupctl.core.urls import DatabaseUrl


def mysql_options(url: DatabaseUrl) -> dict[str, object]:
    """Return the query part of a URL as keyword arguments. Raises InvalidValueError for what cannot be used.

    Without any option the driver encrypts where the server offers it; with one it is not connected without.
    """
    check_options(MYSQL, url.query)
    given = {name: MYSQL[name].read(text) for name, text in url.query}
    options = {name: value for name, value in given.items() if not name.startswith("ssl")}
    mode = _mode(given)
    if mode == "disable":
        return options | {"ssl_disabled": True}
    return options if mode == "prefer" else options | {"ssl": _context(mode, given)}


def _mode(given: dict[str, object]) -> str:
    """Return one word for what several options say; those of MySQL's clients have the same sense."""
    if "sslmode" in given:
        return str(given["sslmode"])
    if given.get("ssl_disabled"):
        return "disable"
    if given.get("ssl_verify_identity"):
        return "verify-full"
    if given.get("ssl_verify_cert", "ssl_ca" in given):
        return "verify-ca"
    return "require" if {"ssl_ca", "ssl_cert", "ssl_key"} & set(given) else "prefer"


def _context(mode: str, given: dict[str, object]) -> ssl.SSLContext:
    # Not left to the driver: without a CA of its own it takes a certificate of any name.
    authority, certificate = given.get("ssl_ca"), given.get("ssl_cert")
    try:
        context = ssl.create_default_context(cafile=str(authority) if authority else None)
    except OSError as error:
        raise InvalidValueError(f"ssl_ca {authority} cannot be used: {_words(error)}") from None
    # Certificates that MySQL makes for itself lack what the strict rules ask for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = mode == "verify-full"
    context.verify_mode = ssl.CERT_REQUIRED if mode.startswith("verify") else ssl.CERT_NONE
    if certificate:
        key, password = given.get("ssl_key"), given.get("ssl_key_password")
        try:
            # Without a password, not even an empty one, OpenSSL would ask for it on the terminal.
            context.load_cert_chain(str(certificate), str(key) if key else None, str(password or ""))
        except OSError as error:
            where = f"ssl_cert {certificate}" + (f" with ssl_key {key}" if key else "")
            raise InvalidValueError(f"{where} cannot be used: {_words(error)}") from None
    return context


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
