"""What may follow the question mark of a database URL: the options of each driver that are safe to take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.core.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Option:
    """One option: how its text is read, and whether it is a secret."""

    read: Callable[[str], object] = str
    """Raises ValueError for a text that means nothing."""
    secret: bool = False


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError
        return text

    return read


def _truth(text: str) -> bool:
    if text.lower() not in {"1", "true", "0", "false"}:
        raise ValueError
    return text.lower() in {"1", "true"}


def _positive(text: str) -> int:
    if not 0 < int(text) < 10**6:
        raise ValueError
    return int(text)


def _port(text: str) -> int:
    if not 0 < int(text) < 2**16:
        raise ValueError
    return int(text)


TLS_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""From no encryption to a server whose certificate is trusted and has its name."""
_TEXT, _NUMBER, _TRUTH, _SECRET = Option(), Option(int), Option(_truth), Option(secret=True)
_SECONDS = Option(_positive)

POSTGRESQL = {
    "application_name": _TEXT,
    "channel_binding": Option(_one_of("disable", "prefer", "require")),
    "connect_timeout": _SECONDS,
    "gssencmode": Option(_one_of("disable", "prefer", "require")),
    "host": _TEXT,
    "hostaddr": _TEXT,
    "keepalives": _NUMBER,
    "keepalives_count": _NUMBER,
    "keepalives_idle": _NUMBER,
    "keepalives_interval": _NUMBER,
    "krbsrvname": _TEXT,
    "load_balance_hosts": Option(_one_of("disable", "random")),
    "options": _TEXT,
    "password": _SECRET,
    "port": Option(_port),
    "require_auth": _TEXT,
    "requirepeer": _TEXT,
    "ssl_max_protocol_version": _TEXT,
    "ssl_min_protocol_version": _TEXT,
    "sslcert": _TEXT,
    "sslcertmode": Option(_one_of("disable", "allow", "require")),
    "sslcrl": _TEXT,
    "sslcrldir": _TEXT,
    "sslkey": _TEXT,
    "sslmode": Option(_one_of(*TLS_MODES)),
    "sslnegotiation": Option(_one_of("postgres", "direct")),
    "sslpassword": _SECRET,
    "sslrootcert": _TEXT,
    "sslsni": _NUMBER,
    "target_session_attrs": Option(
        _one_of("any", "read-write", "read-only", "primary", "standby", "prefer-standby")
    ),
    "tcp_user_timeout": _NUMBER,
    "user": _TEXT,
}
MYSQL = {
    # Others cut texts in the middle of a character, so that a quote in a value might end it.
    "charset": Option(_one_of("utf8mb4", "utf8mb3", "utf8")),
    "connect_timeout": _SECONDS,
    "read_timeout": _SECONDS,
    "ssl_ca": _TEXT,
    "ssl_cert": _TEXT,
    "ssl_disabled": _TRUTH,
    "ssl_key": _TEXT,
    "ssl_key_password": _SECRET,
    "ssl_verify_cert": _TRUTH,
    "ssl_verify_identity": _TRUTH,
    "sslmode": Option(_one_of(*(mode for mode in TLS_MODES if mode != "allow"))),
    "unix_socket": _TEXT,
    "write_timeout": _SECONDS,
}
_READS_FILES = {
    "passfile",
    "read_default_file",
    "read_default_group",
    "service",
    "servicefile",
    "local_infile",
    "oauth_client_secret_file",
}
_ELSEWHERE_SECRET = {
    "passwd",
    "oauth_client_secret",
    "scram_client_key",
    "scram_server_key",
    "init_command",
}
"""Options of the drivers that are refused, but might be written with a secret."""

SECRET_NAMES = _ELSEWHERE_SECRET | {
    name for options in (POSTGRESQL, MYSQL) for name, option in options.items() if option.secret
}


def check_options(known: Mapping[str, Option], given: Iterable[tuple[str, str]]) -> None:
    """Raise InvalidValueError for an option that is unknown or has an impossible value, which is not told."""
    for name, text in given:
        if name in _READS_FILES:
            raise InvalidValueError(
                f"the option {name} in the URL makes the driver read files that its writer may not be able"
                " to read: write what the file says into the URL, and the password into a password_file"
            )
        if name not in known:
            raise InvalidValueError(
                f"the option {name!r} in the URL is unknown; known are {', '.join(known) or 'none'}"
            )
        try:
            known[name].read(text)
        except ValueError:
            raise InvalidValueError(f"the option {name} in the URL has a value that cannot be used") from None
