"""`cleanupctl config`: whether the configuration can be used, what it says, and where it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from cleanupctl.cli.command import command, group

if TYPE_CHECKING:
    import typer

    from cleanupctl.cli.context import Context


def add_to(app: typer.Typer) -> None:
    """Register the group and its commands."""
    config = group("Check, show and find the configuration.")
    config.info.no_args_is_help = True
    command(
        config,
        "check",
        examples=[("cleanupctl config check", "every fault with its place; exit status 10 if there is one")],
    )(check)
    command(
        config, "show", examples=[("cleanupctl config show --json", "what is in force, defaults included")]
    )(show)
    command(
        config, "path", examples=[("cleanupctl config path", "which file is read, and where others would be")]
    )(path)
    app.add_typer(config, name="config")


def check(context: Context) -> None:
    """Check the configuration file: all faults at once, each with its place and what to do."""
    settings = context.settings
    if context.output.json:
        context.output.data(
            {
                "path": str(settings.path) if settings.path else None,
                "usable": True,
                "histories": [history.name for history in settings.histories],
                "warnings": list(settings.warnings),
            }
        )
        return
    histories = len(settings.histories)
    counted = f"{histories} {'history' if histories == 1 else 'histories'}"
    context.output.text(
        f"{settings.path} can be used: {counted}"
        if settings.path
        else "no file: every default holds, 0 histories"
    )


def show(context: Context) -> None:
    """Show the configuration in force, defaults filled in, passwords left out."""
    from cleanupctl.core.configuration.document import settings_document

    document = settings_document(context.settings)
    if context.output.json:
        context.output.data(document)
        return
    import tomlkit

    context.output.text(tomlkit.dumps(_without_nothing(document)).rstrip())


def _without_nothing(value: Any) -> Any:
    """Leave out what is None: TOML has no word for it."""
    if isinstance(value, dict):
        return {key: _without_nothing(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_nothing(one) for one in value]
    return value


def path(context: Context) -> None:
    """Show where the configuration is looked for; the first file that exists is read."""
    from cleanupctl.core.configuration.file import configuration_places

    places = configuration_places(os.environ, config=context.options.config)
    exists = [place.path.exists() for place in places]
    used = exists.index(True) if True in exists else None
    if context.output.json:
        context.output.data(
            [
                {"path": str(place.path), "origin": place.origin, "exists": there, "used": number == used}
                for number, (place, there) in enumerate(zip(places, exists, strict=True))
            ]
        )
        return
    for number, (place, there) in enumerate(zip(places, exists, strict=True)):
        state = "in use" if number == used else "not read" if there else "does not exist"
        context.output.text(f"{place.path}  ({place.origin}: {state})")
