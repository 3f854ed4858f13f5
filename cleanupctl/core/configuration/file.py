"""Where configuration files are looked for, and how one is read: file in, text and TOML document out."""

from __future__ import annotations

import errno
import os
import re
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleanupctl.core.configuration.faults import unusable
from cleanupctl.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIGURATION_VARIABLE = "CLEANUPCTL_CONFIG"
SYSTEM_CONFIGURATION = Path("/etc/cleanupctl/config.toml")

_SIZE_LIMIT = 1_000_000
_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class ConfigurationText:
    """A file that was read: what stands in it, and its mode."""

    path: Path
    text: str
    mode: int = 0o600


@dataclass(frozen=True, slots=True)
class ConfigurationPlace:
    """One place where a configuration file is looked for."""

    path: Path
    origin: str
    """Why it is looked for there: `--config`, `$CLEANUPCTL_CONFIG`, `user` or `system`."""

    @property
    def explicit(self) -> bool:
        """Whether this file was named, so that it has to exist and no other is looked for."""
        return self.origin not in {"user", "system"}


def user_configuration() -> Path:
    """Return the path of the user's own configuration file; its folder need not exist.

    Raises ConfigurationError if the user has no home folder.
    """
    from platformdirs import user_config_path

    path = user_config_path("cleanupctl") / "config.toml"
    if not path.is_absolute():
        raise ConfigurationError("this user has no home folder: name the configuration file with --config")
    return path


def configuration_places(
    environment: Mapping[str, str], *, config: Path | None = None, system: Path = SYSTEM_CONFIGURATION
) -> tuple[ConfigurationPlace, ...]:
    """List the places for a configuration file, the first that exists wins.

    A file named by `config` or $CLEANUPCTL_CONFIG is the only place. The user's folder is that of the
    process's own user and environment.
    """
    if config is not None:
        return (ConfigurationPlace(config, "--config"),)
    if named := environment.get(CONFIGURATION_VARIABLE):
        return (ConfigurationPlace(Path(named), f"${CONFIGURATION_VARIABLE}"),)
    places = [ConfigurationPlace(system, "system")]
    with suppress(ConfigurationError):  # a service account without a home folder has the system's only
        places.insert(0, ConfigurationPlace(user_configuration(), "user"))
    return tuple(places)


def find_configuration(places: tuple[ConfigurationPlace, ...]) -> ConfigurationText | None:
    """Read the first file that exists, or return None if none does.

    Raises ConfigurationError if a file exists but cannot be read, or was named and does not exist.
    """
    for place in places:
        found = read_configuration_text(place.path)
        if found is not None:
            return found
        if place.explicit:
            raise ConfigurationError(
                f"{place.path} does not exist, but {place.origin} names it", path=place.path
            )
    return None


def read_configuration_text(path: Path) -> ConfigurationText | None:
    """Read a file, or return None if it does not exist. Raises ConfigurationError."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_SIZE_LIMIT + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {reason(error)}", path=path) from error
    if len(content) > _SIZE_LIMIT:
        raise ConfigurationError(f"{path} cannot be read: it has more than {_SIZE_LIMIT} bytes", path=path)
    return ConfigurationText(path, decode(path, content), mode)


def reason(error: OSError | ValueError) -> str:
    """Return why the system refused, in words."""
    if not isinstance(error, OSError):
        return str(error)
    if error.errno == errno.EISDIR:
        return "it is a folder"
    return (error.strerror or str(error)).lower()


def decode(path: Path, content: bytes) -> str:
    """Read bytes as UTF-8, a byte order mark left out. Raises ConfigurationError with the line."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        fault = f"line {line}: this is not UTF-8 text: save the file in UTF-8"
        raise unusable(path, (fault,)) from error


def parse_document(path: Path, text: str) -> dict[str, Any]:
    """Parse TOML. Raises ConfigurationError with line and column."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        fault = "lists or tables are nested too deeply"
    except ValueError as error:
        fault = _syntax_fault(str(error), text)
    # raised here, not in the handler: the reader's own message may repeat a value, maybe a password
    raise unusable(path, (fault,))


_TWICE = re.compile(r"Cannot declare \((.+?),?\) twice")
_ADVICE = {
    "Cannot overwrite a value": "this key or table stands twice: keep one",
    "Invalid value": "this is not a TOML value: text needs quotes",
}


def _syntax_fault(message: str, text: str) -> str:
    what = _POSITION.sub("", message)
    if twice := _TWICE.fullmatch(what):
        table = twice[1].replace("', '", ".").strip("'")
        advice = f"the table [{table}] stands twice: join the two"
    else:
        advice = _ADVICE.get(what) or f"this is not TOML: {what[:1].lower()}{what[1:]}"
    return f"{_place(message, text)}{advice}"


def _place(message: str, text: str) -> str:
    position = _POSITION.search(message)
    if position is None:
        return ""
    if position[1]:
        return f"line {position[1]}, column {position[2]}: "
    return f"line {text.count(chr(10)) + 1}, column {len(text) - text.rfind(chr(10))}: "
