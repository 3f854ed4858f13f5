"""Database URLs: parsed once, never printed with their password, which no text of a driver gets out with."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from cleanupctl.core.errors import InvalidValueError
from cleanupctl.core.url_options import MYSQL, POSTGRESQL, SECRET_NAMES, Option, check_options

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
    options: Mapping[str, Option] = field(default_factory=dict)
    """What may follow after a question mark."""


SERVERS = {
    server.scheme: server
    for server in (
        Server("sqlite", ("SQLite",), is_file=True),
        Server("postgresql", ("PostgreSQL",), ("postgres",), options=POSTGRESQL),
        Server("mysql", ("MySQL", "MariaDB"), ("mariadb",), names_replica=True, options=MYSQL),
        Server("cockroachdb", ("CockroachDB",), options=POSTGRESQL),
    )
}
"""Every kind of database by its scheme: a new one begins with a line here."""

SCHEMES = {
    spelling: server.scheme for server in SERVERS.values() for spelling in (server.scheme, *server.spellings)
}
"""Accepted schemes and the kind of database each one means."""

_REDACTED = "***"
_SECRET_PLACES = (
    # A password may have an @ too: the last one ends it. That of a URL that cannot be used may have anything;
    # but digits and a slash are a port.
    re.compile(r"""(?P<before>://[^/?#\s:@]*:)(?P<secret>(?!\d*[/?#])[^\s"']*|[^/?#\s]*)(?=@)"""),
    re.compile(
        rf"(?P<before>\b(?:{'|'.join(sorted(SECRET_NAMES))})(?:\s*=\s*|\s+(?=['\"])))"
        r"(?P<secret>'(?:[^'\\]|\\.)*'|\"[^\"]*\"|[^\s&,;'\")]+)",
        re.IGNORECASE,
    ),
)
_TELLING = 8
"""A secret this long with more than letters or more than digits stands in no text by chance."""
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
        values = [self.password, *(value for key, value in self.query if self._hides(key))]
        written = {form for value in values if value for form in (value, quote(value, safe=""))}
        return tuple(sorted(written))

    def _hides(self, option: str) -> bool:
        known = self.server.options.get(option)
        return known is None or known.secret

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
        shown = [(key, secret if self._hides(key) else value) for key, value in self.query]
        query = f"?{urlencode(shown, safe='*/')}" if shown else ""
        return f"{self.scheme}://{login}{'@' if login else ''}{host}{port}/{quote(self.database)}{query}"


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """Return what a driver or the system says with `***` in the places of passwords.

    Such places are those in a URL and behind the name of a secret parameter. Elsewhere one of `secrets` is
    looked for if it cannot be a word or a number that only happens to be the same: to write `***` for such
    words would spoil the text, and tell the password.
    """
    for place in _SECRET_PLACES:
        text = place.sub(rf"\g<before>{_REDACTED}", text)
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= _TELLING and not (secret.isalpha() or secret.isdigit()):
            text = text.replace(secret, _REDACTED)
    return text


def parse_url(text: str, environment: Mapping[str, str] | None = None) -> DatabaseUrl:
    """Read a database URL; `${NAME}` in it is replaced from the environment.

    Raises InvalidValueError with a message that never repeats the password.
    """
    written = text
    text = _with_variables(text, os.environ if environment is None else environment)
    scheme, separator, _ = text.partition("://")
    if not separator:
        message = (
            "a database URL looks like sqlite:///FILE, postgresql://USER@HOST/NAME or mysql://USER@HOST/NAME"
        )
        file = "/" in written or written.endswith(".db")
        # What a variable stands for, or what has a login in it, is not said again.
        hint = (
            f"; for the file {text!r} write sqlite:///{text}"
            if file and not set("$@:=") & set(written)
            else ""
        )
        raise InvalidValueError(message + hint)
    kind = SCHEMES.get(scheme.lower())
    if kind is None:
        known = ", ".join(sorted(SCHEMES))
        what = f" {scheme!r}" if re.match(r"[\w+.-]+://", written) else ""
        raise InvalidValueError(f"unknown kind of database{what} in the URL: use one of {known}")
    if "\0" in unquote(text):
        raise InvalidValueError("the database URL has the character NUL (%00) in it: remove it")
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
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    check_options(SERVERS[kind].options, query)
    return DatabaseUrl(
        scheme=kind,
        database=database,
        host=unquote(hostname) if hostname else None,
        port=port,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password is not None else None,
        query=query,
    )
