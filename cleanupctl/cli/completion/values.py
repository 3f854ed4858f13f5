"""Values that only the configuration or the job store knows, for shell completion.

An error is an exception as everywhere; the shell is answered with nothing then.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer  # noqa: TC002 - Typer reads the annotations of these functions

if TYPE_CHECKING:
    from cleanupctl.core.settings import Settings


def history_names(context: typer.Context) -> list[tuple[str, str]]:
    """List the names for `run --history`, each with its kind.

    Only the names are read, so that a fault elsewhere in the file does not hide them.
    """
    import tomllib

    from cleanupctl.core.configuration.file import configuration_places, find_configuration
    from cleanupctl.core.run.log_history import NAME

    found = find_configuration(configuration_places(os.environ, config=_file(context)))
    histories = tomllib.loads(found.text).get("history", []) if found else []
    return [
        *((history["name"], history.get("kind", "")) for history in histories if "name" in history),
        (NAME, "the job store's own log"),
    ]


def job_ids(context: typer.Context) -> list[tuple[str, str]]:
    """List the ids of the cleanup jobs, each with its state."""
    from datetime import UTC, datetime

    from cleanupctl.cli.views.jobs import job_state
    from cleanupctl.core.store import open_store

    with open_store(_settings(context).store, create=False) as store:
        return [(job.id, job_state(job, datetime.now(UTC))) for job in store.jobs()]


def _settings(context: typer.Context) -> Settings:
    from cleanupctl.core.configuration.reader import load_settings

    return load_settings(config=_file(context), database=_given(context, "database"), environment=os.environ)


def _file(context: typer.Context) -> Path | None:
    given = _given(context, "config")
    return None if given is None else Path(given).expanduser()


def _given(context: Any, name: str) -> str | None:
    """Return what was typed for an option of the command, or else of the group before it."""
    while context is not None:
        if context.params.get(name) is not None:
            return str(context.params[name])
        context = context.parent
    return None
