"""From a configuration file to Settings: finds the file, checks every part, reports all faults at once."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cleanupctl.core.access import readable_by_others, writable_by_everybody, written_mode
from cleanupctl.core.configuration.databases import Databases
from cleanupctl.core.configuration.faults import Faults, unusable
from cleanupctl.core.configuration.file import (
    SYSTEM_CONFIGURATION,
    ConfigurationText,
    configuration_places,
    find_configuration,
    parse_document,
)
from cleanupctl.core.configuration.history import read_histories
from cleanupctl.core.configuration.schema import tables_below
from cleanupctl.core.configuration.serialize import digest_of
from cleanupctl.core.configuration.tables import check_table, read_table
from cleanupctl.core.configuration.window import read_windows
from cleanupctl.core.errors import ConfigurationError, InvalidValueError
from cleanupctl.core.settings import Settings
from cleanupctl.core.urls import DatabaseUrl, parse_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STORE_VARIABLE = "CLEANUPCTL_DATABASE"
_ROOT_STORE = Path("/var/lib/cleanupctl/jobs.db")
_READ_APART = {"job_store", "window", "history"}
"""Tables whose values become something else; of the others, a record of the values is made."""


@dataclass(frozen=True, slots=True)
class ConfigSources:
    """What reading the configuration depends on beside the file itself."""

    environment: Mapping[str, str]
    is_root: bool
    config: Path | None = None
    database: str | None = None
    system_configuration: Path = SYSTEM_CONFIGURATION


def load_settings(
    *,
    config: Path | None,
    database: str | None,
    environment: Mapping[str, str],
    is_root: bool | None = None,
    system_configuration: Path = SYSTEM_CONFIGURATION,
) -> Settings:
    """Read file, environment and options into one Settings.

    `config` and `database` are the options --config and --database; `is_root` decides where the default
    store is (None asks the system). Raises ConfigurationError with every fault of the file, or
    InvalidValueError for a database URL in the option or in $CLEANUPCTL_DATABASE.
    """
    root = os.geteuid() == 0 if is_root is None else is_root
    return read_settings(ConfigSources(environment, root, config, database, system_configuration))


def read_settings(sources: ConfigSources) -> Settings:
    """Find and read the configuration file, and join it with environment and options.

    Raises ConfigurationError with every fault, or InvalidValueError for a database URL outside the file.
    """
    places = configuration_places(
        sources.environment, config=sources.config, system=sources.system_configuration
    )
    named = _named_store(sources)
    found = find_configuration(places)
    settings: Any = build_settings(found, sources, named)
    return replace(settings, digest=digest_of(settings))  # type: ignore[no-any-return]


def check_text(path: Path, text: str) -> None:
    """Check what would stand in a file, without the variables and password files it names.

    The person who edits a file need not have the environment of the service that uses it.
    Raises ConfigurationError with every fault.
    """
    found = ConfigurationText(path, text)
    build_settings(found, ConfigSources({}, is_root=False), None, form_only=True)


def build_settings(
    found: ConfigurationText | None,
    sources: ConfigSources,
    named_store: tuple[DatabaseUrl, str] | None,
    *,
    form_only: bool = False,
) -> Settings:
    """Check a text that was read and build Settings, their digest still empty."""
    path = found.path if found else None
    document = parse_document(found.path, found.text) if found else {}
    faults = Faults(found.text if found else "")
    warnings: list[str] = []
    top = check_table(document, "", (), faults)
    zone = top.values.get("timezone") or (
        ZoneInfo("UTC") if form_only or "timezone" in top else _system_zone(warnings)
    )
    plain = _plain_tables(document, faults)
    databases = Databases(
        path.absolute().parent if path else Path(), None if form_only else sources.environment
    )
    store, store_origin = _store(document, databases, named_store, faults)
    windows = read_windows(document, zone, faults)
    histories = read_histories(document, zone, plain["cleanup"].strategy, databases, faults)
    if path and faults:
        raise unusable(path, faults.lines())
    if store is None:
        store = DatabaseUrl("sqlite", ":memory:") if form_only else _default_store(is_root=sources.is_root)
    warnings += databases.warnings
    if found and not form_only:
        warnings += _exposed(found, has_password=databases.password_found)
    if any(secret in (sources.database or "") for secret in store.secrets()):
        warnings.append(
            "everybody on this host can see the password in --database while the command runs:"
            f" write the URL into ${STORE_VARIABLE} or the configuration"
        )
    return Settings(
        path=path,
        timezone=zone,
        store=store,
        windows=windows,
        histories=histories,
        digest="",
        store_origin=store_origin,
        given=frozenset(_given(document)),
        warnings=tuple(warnings),
        **plain,
    )


def _exposed(found: ConfigurationText, *, has_password: bool) -> Iterator[str]:
    """Say what others could do with the file, whose changes decide what is deleted."""
    path, mode = found.path, found.mode
    if readable_by_others(mode) and has_password:
        yield (
            f"{path} has a password in it and others can read it: chmod 600 {path} (its mode is"
            f" {written_mode(mode)})"
        )
    with suppress(OSError):
        folder = path.absolute().parent
        for one, its_mode in ((path, mode), (folder, folder.stat().st_mode)):
            if writable_by_everybody(its_mode):
                yield (
                    f"everybody on this host can write to {one}, and so decide what is deleted:"
                    f" chmod o-w {one} (its mode is {written_mode(its_mode)})"
                )


def _plain_tables(document: dict[str, Any], faults: Faults) -> dict[str, Any]:
    """Read the tables that are records of their values, by the name they have in Settings too."""
    tables = (table for table in tables_below("") if table.name not in _READ_APART)
    givens = {table: read_table(document, table.name, (table.name,), faults) for table in tables}
    return {table.name: table.record(**given.values) for table, given in givens.items()}


def _named_store(sources: ConfigSources) -> tuple[DatabaseUrl, str] | None:
    origin, text = "--database", sources.database
    if text is None:
        origin, text = f"${STORE_VARIABLE}", sources.environment.get(STORE_VARIABLE) or None
    if text is None:
        return None
    try:
        return parse_url(text, sources.environment), origin
    except InvalidValueError as error:
        raise InvalidValueError(f"{origin}: {error.message}") from None


def _store(
    document: dict[str, Any], databases: Databases, named: tuple[DatabaseUrl, str] | None, faults: Faults
) -> tuple[DatabaseUrl | None, str]:
    given = read_table(document, "job_store", ("job_store",), faults)
    if "password_file" in given and "url" not in given:
        faults.add((*given.path, "password_file"), "there is no url it belongs to: write one, or remove it")
    if named:  # the file's own store plays no part, so its variables and password file need not exist
        return named
    url = databases.resolve(given, faults)
    return url, "job_store.url" if url else "default"


def _default_store(*, is_root: bool) -> DatabaseUrl:
    if is_root:
        return DatabaseUrl("sqlite", str(_ROOT_STORE))
    from platformdirs import user_state_path

    folder = user_state_path("cleanupctl")
    if not folder.is_absolute():
        raise ConfigurationError(
            "this user has no home folder to keep jobs in: name a database with --database"
        )
    return DatabaseUrl("sqlite", str(folder / "jobs.db"))


def _system_zone(warnings: list[str]) -> ZoneInfo:
    from warnings import catch_warnings, simplefilter

    from tzlocal import get_localzone_name

    try:
        with catch_warnings():
            simplefilter("ignore")  # it warns of what is answered below
            return ZoneInfo(get_localzone_name() or "")
    except (LookupError, ValueError, OSError):
        warnings.append('the time zone of this system is not known, so it is UTC: set timezone = "…"')
        return ZoneInfo("UTC")


def _given(value: object, path: tuple[str | int, ...] = ()) -> list[str]:
    from cleanupctl.core.configuration.faults import dotted

    if isinstance(value, dict):
        return [found for key, item in value.items() for found in _given(item, (*path, key))]
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in _given(item, (*path, index))]
    return [dotted(path)]
