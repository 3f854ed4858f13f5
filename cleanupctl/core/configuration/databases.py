"""Database URLs of the configuration file: variables, password files and relative paths resolved."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cleanupctl.core.access import readable_by_others, written_mode
from cleanupctl.core.configuration.file import reason
from cleanupctl.core.errors import InvalidValueError
from cleanupctl.core.urls import SERVERS, DatabaseUrl, parse_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cleanupctl.core.configuration.faults import Faults
    from cleanupctl.core.configuration.tables import Given
    from cleanupctl.core.configuration.toml_positions import KeyPath

_VARIABLE = r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}"
_PASSWORD_LIMIT = 10_000


@dataclass(slots=True)
class Databases:
    """Resolves the URLs of one file and notices whether a password stands in it."""

    folder: Path
    """Folder of the configuration file, which relative paths start from."""
    environment: Mapping[str, str] | None
    """None checks the form only: neither variables nor password files are looked at."""
    password_found: bool = False
    warnings: list[str] = field(default_factory=list)
    """What the operator should know about password files."""

    def resolve(self, given: Given, faults: Faults) -> DatabaseUrl | None:
        """Return the URL of a table with `url` and `password_file`; None if it has faults or no URL."""
        text, file = given.values.get("url"), given.values.get("password_file")
        if text is None:
            return None
        try:
            url = self._parse(text)
        except InvalidValueError as error:
            faults.add((*given.path, "url"), error.message)
            return None
        if file is None:
            return url
        return self._with_password(url, file, (*given.path, "password_file"), faults)

    def replica(self, given: Given, url: DatabaseUrl, faults: Faults) -> DatabaseUrl | None:
        """Return `replica_url` of a history at `url`, whose login it takes over unless it has its own."""
        text = given.values.get("replica_url")
        if text is None:
            return None
        try:
            replica = self._parse(text)
            if replica.scheme != url.scheme or not url.server.names_replica:
                names = [name for one in SERVERS.values() if one.names_replica for name in one.names]
                raise InvalidValueError(f"is for {' and '.join(names)} only: remove it")
        except InvalidValueError as error:
            faults.add((*given.path, "replica_url"), error.message)
            return None
        return replica if replica.user else replace(replica, user=url.user, password=url.password)

    def _parse(self, text: str) -> DatabaseUrl:
        url = parse_url(text, _any_variables(text, "1") if self.environment is None else self.environment)
        self.password_found = self.password_found or _has_password(text)
        if url.server.is_file and url.database != ":memory:":
            return replace(url, database=str(self.folder / url.database))
        return url

    def _with_password(
        self, url: DatabaseUrl, file: str, path: KeyPath, faults: Faults
    ) -> DatabaseUrl | None:
        fault = None
        if url.server.is_file:
            fault = f"an {url.server.names[0]} database has no password: remove password_file"
        elif url.password is not None:
            fault = "the URL has a password already: remove it there, or remove password_file"
        if fault:
            faults.add(path, fault)
            return None
        if self.environment is None:
            return url
        try:
            return url.with_password(self._password(self._file(file, self.environment)))
        except InvalidValueError as error:
            faults.add(path, error.message)
            return None

    def _password(self, path: Path) -> str:
        password, mode = _read_password(path)
        if readable_by_others(mode):
            self.warnings.append(
                f"the password file {path} can be read by others: chmod 600 {path} (its mode is"
                f" {written_mode(mode)})"
            )
        return password

    def _file(self, name: str, environment: Mapping[str, str]) -> Path:
        def value(match: re.Match[str]) -> str:
            if match[1] not in environment:
                raise InvalidValueError(f"names the environment variable {match[1]}, which is not set")
            return environment[match[1]]

        path = Path(re.sub(_VARIABLE, value, name))
        try:
            return self.folder / path.expanduser()
        except RuntimeError:
            raise InvalidValueError(f"the home folder in {path} is not known: write the full path") from None


def _any_variables(text: str, value: str) -> dict[str, str]:
    return dict.fromkeys(re.findall(_VARIABLE, text), value)


def _has_password(text: str) -> bool:
    """Whether a password stands in the URL itself, not in a variable: then other variables change nothing."""
    one, other = (parse_url(text, _any_variables(text, value)).secrets() for value in ("1", "2"))
    return bool(one) and one == other


def _read_password(path: Path) -> tuple[str, int]:
    """Return the password in a file, and the file's mode. Raises InvalidValueError."""
    try:
        with path.open("rb") as file:
            content, mode = file.read(_PASSWORD_LIMIT + 1), os.fstat(file.fileno()).st_mode
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidValueError(f"{path} is not UTF-8 text") from None
    except (OSError, ValueError) as error:
        raise InvalidValueError(f"{path} cannot be read: {reason(error)}") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise InvalidValueError(f"{path} is empty: write the password into it")
    if "\n" in text or len(content) > _PASSWORD_LIMIT:
        raise InvalidValueError(f"{path} has more than the password: leave one line in it")
    if "\0" in text:
        raise InvalidValueError(f"{path} has the character NUL in it: write the password alone")
    return text, mode
