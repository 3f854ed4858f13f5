"""`cleanupctl config`: whether the configuration can be used, what it says and may say, and where it is."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cleanupctl.cli.command import command, group
from cleanupctl.cli.context import Context
from cleanupctl.core.errors import ConfigurationError, InvalidValueError

_IMPORT_DETAILS = """
    Read are bpm-platform.xml, processes.xml, Spring beans and other XML with the engine's properties, and
    an application's .yaml, .yml or .properties. The file is not executed and names no files to read.

    The result is a configuration file that can be used as it is. The engine's database becomes a history
    that is commented out: check its url, and give the password in a file of its own; it is never
    taken over. What has no counterpart is named on standard error, and in comments of the file.
    As JSON it is an object with toml, taken and left. With --output the file is written for its owner
    alone; with `--output -` TOML goes to standard output, in a pipe too.
"""

_SCHEMA_DETAILS = """
    Editors that know TOML (taplo, Even Better TOML for Visual Studio Code) complete keys by it, show what
    they mean and mark what cannot be used. Keep it in a file beside the configuration:

        cleanupctl config schema > cleanupctl.schema.json

    and name that in the first line of the configuration:

        #:schema ./cleanupctl.schema.json

    What holds between keys is checked by `cleanupctl config check` alone. No configuration is read for this.
"""


def add_to(app: typer.Typer) -> None:
    """Register the group and its commands."""
    config = group("Check, show, find and describe the configuration.")
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
    command(
        config,
        "schema",
        examples=[("cleanupctl config schema", "types, defaults and meanings of all keys, for an editor")],
        details=_SCHEMA_DETAILS,
    )(schema)
    command(
        config,
        "import",
        examples=[
            ("cleanupctl config import bpm-platform.xml --output -", "look at it"),
            ("cleanupctl config import application.yaml --output new.toml", "keep it"),
        ],
        details=_IMPORT_DETAILS,
    )(import_)
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
    from cleanupctl.core.configuration.serialize import settings_document

    document = settings_document(context.settings)
    if context.output.json:
        context.output.data(document)
        return
    import tomlkit

    context.output.document(tomlkit.dumps(_without_nothing(document)).rstrip())


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


def schema(context: Context) -> None:
    """Print a JSON Schema of the configuration file, for editors that check and complete it."""
    from cleanupctl.core.configuration.json_schema import configuration_schema

    context.output.data(configuration_schema())


def import_(
    context: Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The engine's configuration file.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="FILE",
            help="Write the TOML to this file, which must not exist; - is standard output.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Which engine, if the file has several  [default: default, or the first]"
        ),
    ] = None,
) -> None:
    """Turn the cleanup settings of a process engine into a configuration file."""
    from cleanupctl.history.camunda.configuration_import.configuration import import_engine_configuration

    to_stdout = output is not None and str(output) == "-"
    if force and (output is None or to_stdout):
        raise InvalidValueError("--force replaces a file: name it with --output")
    try:
        imported = import_engine_configuration(file, engine=engine)
        if output and not to_stdout:
            _write_new(output, imported.toml, force=force)
    except ConfigurationError as error:
        # the files are arguments here, not the configuration in force
        raise InvalidValueError("; ".join((error.message, *error.faults))) from error
    if output and not to_stdout:
        context.output.notice(f"wrote {output}")
    if context.output.json and not to_stdout:
        context.output.data(asdict(imported))
        return
    for left in imported.left:
        value = "" if left.value is None else f" = {left.value}"
        context.output.notice(f"not taken over: {left.name}{value}: {left.reason}")
    if output is None or to_stdout:
        context.output.document(imported.toml.rstrip("\n"))


def _write_new(path: Path, toml: str, *, force: bool) -> None:
    from cleanupctl.core.configuration.editing.replacement import read_bytes, replace_file

    before = read_bytes(path)
    if before is not None and not force:
        raise InvalidValueError(f"{path} exists already: name another file, or say --force")
    replace_file(path, before, toml.encode())
