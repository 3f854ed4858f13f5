"""Which of the configured histories a command is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.core.errors import InvalidValueError, NotFoundError
from cleanupctl.core.settings import CamundaSettings
from cleanupctl.history.databases.servers import engine_servers, runs_engines

if TYPE_CHECKING:
    from cleanupctl.cli.context import Context
    from cleanupctl.core.settings import HistorySettings


def chosen_histories(context: Context, name: str | None) -> list[HistorySettings]:
    """Return the history called `name`, or all of them. Raises NotFoundError; none at all is a notice."""
    histories = list(context.settings.histories)
    if name is None:
        if not histories:
            context.output.notice(no_history(context))
        return histories
    chosen = [history for history in histories if history.name == name]
    if not chosen:
        known = ", ".join(history.name for history in histories) or "none"
        raise NotFoundError(f"no history is called {name}; configured are {known}")
    return chosen


def engine_histories(context: Context, name: str | None) -> list[CamundaSettings]:
    """Return the histories of kind camunda. Raises NotFoundError, or InvalidValueError for another kind."""
    chosen = chosen_histories(context, name)
    engines = [history for history in chosen if isinstance(history, CamundaSettings)]
    for history in chosen:
        if history not in engines and name is not None:
            raise InvalidValueError(
                f"history {name} is of kind {history.kind}; this is about engine histories (kind camunda);"
                f" cleanupctl run --dry-run --history {name} tells what is expired there"
            )
    if chosen and not engines:
        context.output.notice("no history of kind camunda is configured")
    for history in engines:
        if not runs_engines(history.url):
            raise InvalidValueError(f"history {history.name}: an engine's database is {engine_servers()}")
    return engines


def one_engine_history(context: Context, name: str | None) -> CamundaSettings:
    """Return the one history of kind camunda that is meant.

    Raises NotFoundError without any, InvalidValueError when there are several and none is named.
    """
    engines = engine_histories(context, name)
    if not engines:
        raise NotFoundError("no history of kind camunda is configured")
    if len(engines) > 1:
        names = ", ".join(history.name for history in engines)
        raise InvalidValueError(f"which history? Say --history with one of {names}")
    return engines[0]


def no_history(context: Context) -> str:
    """Say that no history is configured, and how to add one."""
    from cleanupctl.core.configuration.file import configuration_places

    path = context.settings.path or configuration_places({}, config=context.options.config)[0].path
    return (
        "no history is configured, so only the job log of the job store itself is cleaned;"
        f" add a [[history]] to {path} (man cleanupctl.toml shows how)"
    )
