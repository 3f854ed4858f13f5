"""What a command works with: settings, job store, clock and output, each made when first needed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from cleanupctl.cli.output import Output
from cleanupctl.core.errors import InvalidValueError

if TYPE_CHECKING:
    from pathlib import Path

    from cleanupctl.core.jobs.schedule import Origin
    from cleanupctl.core.settings import Settings
    from cleanupctl.core.store.jobstore import JobStore

FORMATS = ("auto", "table", "json")
FORMAT_VARIABLE = "CLEANUPCTL_FORMAT"


@dataclass(frozen=True, slots=True)
class CommonOptions:
    """The options that every command has; None where they were not given."""

    config: Path | None = None
    database: str | None = None
    format: str | None = None
    json: bool = False

    def over(self, outer: CommonOptions | None) -> CommonOptions:
        """Fill what was not given here from the options given before the command."""
        if outer is None:
            return self
        return CommonOptions(
            config=self.config or outer.config,
            database=self.database or outer.database,
            format=self.format or outer.format,
            json=self.json or outer.json,
        )

    @property
    def chosen_format(self) -> str:
        """`auto`, `table` or `json`. Raises InvalidValueError for another word in the environment."""
        if self.json or self.format:
            return "json" if self.json else self.format or ""
        named = os.environ.get(FORMAT_VARIABLE) or "auto"
        if named not in FORMATS:
            raise InvalidValueError(f"{FORMAT_VARIABLE} is {named!r}: use one of {', '.join(FORMATS)}")
        return named


class Context:
    """Made once for each call of a command."""

    def __init__(self, options: CommonOptions) -> None:
        self.options = options
        self.output = Output(options.chosen_format)

    @cached_property
    def settings(self) -> Settings:
        """Read the configuration. Raises ConfigurationError; warnings go out as notices."""
        from cleanupctl.core.configuration.reader import load_settings

        settings = load_settings(
            config=self.options.config, database=self.options.database, environment=os.environ
        )
        self.output.keep_secret(settings.secrets())
        for warning in settings.warnings:
            self.output.notice(warning)
        return settings

    def reload(self) -> None:
        """Read the configuration again. Raises ConfigurationError."""
        vars(self).pop("settings", None)
        vars(self).pop("origin", None)
        _ = self.settings

    def restore(self, settings: Settings) -> None:
        """Go back to settings from before."""
        vars(self)["settings"] = settings
        vars(self).pop("origin", None)

    def now(self) -> datetime:
        """Read the clock; the core has none of its own."""
        return datetime.now(UTC)

    def open_store(self, *, create: bool) -> JobStore:
        """Open the job store; without `create` a missing one is an empty one, and a notice."""
        from cleanupctl.core.store import open_store

        store = open_store(self.settings.store, create=create)
        if store.missing:
            self.output.notice(
                f"there is no job store {self.settings.store} yet: `cleanupctl schedule` creates it"
            )
        return store

    @cached_property
    def origin(self) -> Origin:
        """Say which process this is, for the job log."""
        import socket

        from cleanupctl import __version__
        from cleanupctl.core.jobs.schedule import Origin

        return Origin(socket.gethostname(), os.getpid(), __version__, self.settings.digest)
