"""Database URLs: parsed once, never printed with their password."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from cleanupctl.core.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Server:
    """What a URL alone tells of a kind of database."""

    scheme: str
    names: tuple[str, ...]
    """The products, as people call them."""
    spellings: tuple[str, ...] = ()
    """Other schemes that mean the same."""
    is_file: bool = False
    """The URL has a path in it, and nobody logs in."""
    names_replica: bool = False
    """The lag is that of one replica, whose URL has to be configured."""


SERVERS = {
    server.scheme: server
    for server in (
        Server("sqlite", ("SQLite",), is_file=True),
        Server("postgresql", ("PostgreSQL",), ("postgres",)),
        Server("mysql", ("MySQL", "MariaDB"), ("mariadb",), names_replica=True),
        Server("cockroachdb", ("CockroachDB",)),
    )
}
"""Every kind of database by its scheme: a new one begins with a line here."""

SCHEMES = {
    spelling: server.scheme for server in SERVERS.values() for spelling in (server.scheme, *server.spellings)
}
"""Accepted schemes and the kind of database each one means."""

_SECRET_QUERY_KEYS = {"password", "sslpassword", "passwd", "ssl_key_password"}
_REDACTED = "***"
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """Where a database is and how to log in; `str()` shows it without its secrets."""

    scheme: str
    """Key of SERVERS, whatever the spelling was."""
    database: str
    """Database name; for SQLite the file's path, or `:memory:`."""
    host: str | None = None
    port: int | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Driver options, such as `sslmode`, in the order given."""

    def __str__(self) -> str:
        return self._render(_REDACTED)

    def __repr__(self) -> str:
        return f"DatabaseUrl({str(self)!r})"

    @property
    def server(self) -> Server:
        """What is known of this kind of database."""
        return SERVERS[self.scheme]

    def option(self, name: str) -> str | None:
        """Value of the last driver option called `name`, or None."""
        return dict(self.query).get(name)

    def with_password(self, password: str) -> DatabaseUrl:
        """Return the same place with another password."""
        return replace(self, password=password)

    def secrets(self) -> tuple[str, ...]:
        """Every value in it that must not reach an output, also as it is written in a URL."""
        values = [self.password, *(value for key, value in self.query if key in _SECRET_QUERY_KEYS)]
        written = {form for value in values if value for form in (value, quote(value, safe=""))}
        return tuple(sorted(written))

    def _render(self, secret: str) -> str:
        if self.server.is_file:
            return f"{self.scheme}:///{self.database}"
        login = quote(self.user, safe="") if self.user else ""
        if self.password is not None:
            login += f":{secret}"
        host = self.host or ""
        if ":" in host:
            host = f"[{host}]"
        port = f":{self.port}" if self.port else ""
        shown = [(key, secret if key in _SECRET_QUERY_KEYS else value) for key, value in self.query]
        query = f"?{urlencode(shown, safe='*/')}" if shown else ""
        return f"{self.scheme}://{login}{'@' if login else ''}{host}{port}/{quote(self.database)}{query}"


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with `***` in place of every secret, the longest first."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        text = text.replace(secret, _REDACTED)
    return text


def parse_url(text: str, environment: Mapping[str, str] | None = None) -> DatabaseUrl:
    """Read a database URL; `${NAME}` in it is replaced from the environment.

    Raises InvalidValueError with a message that never repeats the password.
    """
    text = _with_variables(text, os.environ if environment is None else environment)
    scheme, separator, _ = text.partition("://")
    if not separator:
        message = (
            "a database URL looks like sqlite:///FILE, postgresql://USER@HOST/NAME or mysql://USER@HOST/NAME"
        )
        hint = (
            f"; for the file {text!r} write sqlite:///{text}" if "/" in text or text.endswith(".db") else ""
        )
        raise InvalidValueError(message + hint)
    kind = SCHEMES.get(scheme.lower())
    if kind is None:
        known = ", ".join(sorted(SCHEMES))
        raise InvalidValueError(f"unknown kind of database {scheme!r} in the URL: use one of {known}")
    return _file_url(kind, text) if SERVERS[kind].is_file else _server_url(kind, text)


def _with_variables(text: str, environment: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in environment:
            raise InvalidValueError(f"the URL names the environment variable {match[1]}, which is not set")
        return quote(environment[match[1]], safe="")

    return _VARIABLE.sub(value, text)


def _file_url(kind: str, text: str) -> DatabaseUrl:
    rest = text.partition("://")[2]
    if not rest.startswith("/"):
        raise InvalidValueError(
            f"an {SERVERS[kind].names[0]} URL has three slashes before a relative path and four before an"
            f" absolute one: {kind}:///jobs.db, {kind}:////var/lib/jobs.db"
        )
    path = unquote(rest[1:])
    if not path:
        raise InvalidValueError(f"the {SERVERS[kind].names[0]} URL names no file: {kind}:///FILE")
    return DatabaseUrl(kind, path)


def _server_url(kind: str, text: str) -> DatabaseUrl:
    try:
        parts = urlsplit(text)
        port = parts.port
        hostname = parts.hostname
    except ValueError:
        raise InvalidValueError(
            "the database URL cannot be read: check host and port, and percent-encode"
            " characters such as @, / and # in the password"
        ) from None
    if parts.fragment:
        raise InvalidValueError("the database URL has a '#': percent-encode it as %23 in the password")
    database = unquote(parts.path.removeprefix("/"))
    if not database:
        raise InvalidValueError(f"the {kind} URL names no database: {kind}://USER@HOST/NAME")
    return DatabaseUrl(
        scheme=kind,
        database=database,
        host=unquote(hostname) if hostname else None,
        port=port,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password is not None else None,
        query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
    )
