"""What all commands share: the common options, examples and the exit-status block of the help."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from cleanupctl.cli.context import CommonOptions, Context
from cleanupctl.core.errors import ExitCode, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Format = Literal["auto", "table", "json"]

PROGRAM = "cleanupctl"
COMPLETION_VARIABLE = "_CLEANUPCTL_COMPLETE"
"""Set by a shell that wants to complete a command line."""
COMMON_PANEL = "Common options"


def _common_options(
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Configuration file [$CLEANUPCTL_CONFIG]."),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            "--database",
            metavar="URL",
            help="Job store: sqlite:///FILE, postgresql://USER@HOST/NAME or mysql://USER@HOST/NAME"
            " [$CLEANUPCTL_DATABASE].",
        ),
    ] = None,
    format_: Annotated[
        Format | None,
        typer.Option(
            "--format",
            help="Output: a table, JSON, or auto: a table on a terminal and JSON elsewhere"
            " [$CLEANUPCTL_FORMAT].",
        ),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
) -> None:
    """Only the signature counts: these parameters are added to every command."""
    del config, database, format_, json_


_COMMON_HINTS = get_type_hints(_common_options, include_extras=True)
_COMMON = [
    parameter.replace(annotation=_COMMON_HINTS[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY)
    for parameter in inspect.signature(_common_options).parameters.values()
]


@dataclass(frozen=True, slots=True)
class Example:
    """One line that can be typed, and what it does."""

    command: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Manual:
    """What help and man page say beyond the options; found again by the command's path."""

    examples: tuple[Example, ...]
    exit_codes: tuple[ExitCode, ...]
    details: str = ""
    """Further paragraphs of the man page, separated by blank lines."""


MANUALS: dict[Callable[..., Any], Manual] = {}
"""By the function that Typer calls."""

ALWAYS = (ExitCode.DONE, ExitCode.UNEXPECTED, ExitCode.USAGE, ExitCode.CONFIGURATION)


def _epilog(manual: Manual) -> str:
    width = max(len(example.command) for example in manual.examples)
    lines = ["\b", "Examples:"]
    lines += [f"  {example.command:<{width}}  # {example.purpose}" for example in manual.examples]
    lines += ["", "\b", "Exit status:"]
    lines += [f"  {int(code):<4}{code.meaning}" for code in manual.exit_codes]
    return "\n".join(lines)


def _with_common_options(function: Callable[..., None], *, group: bool) -> Callable[..., None]:
    hints = get_type_hints(function, localns={"Context": Context}, include_extras=True)
    own = list(inspect.signature(function).parameters.values())[1:]

    def call(ctx: typer.Context, **values: Any) -> None:
        chosen = CommonOptions(
            config=values.pop("config"),
            database=values.pop("database"),
            format=values.pop("format_"),
            json=values.pop("json_"),
        )
        # Options given to a group hold for its commands, unless these have their own.
        ctx.obj = chosen.over(ctx.obj)
        if group and ctx.invoked_subcommand is not None:
            _refuse_lost_options(ctx, values)
            return
        function(Context(ctx.obj), **values)

    parameters = [
        inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        *(
            parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in own
        ),
        *_COMMON,
    ]
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    call.__name__ = function.__name__
    call.__doc__ = function.__doc__
    return call


def _refuse_lost_options(ctx: typer.Context, values: Mapping[str, Any]) -> None:
    """Raise InvalidValueError for an option before the command that has a meaning only after it."""
    for name in values:
        source = ctx.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option = f"--{name.strip('_').replace('_', '-')}"
            raise InvalidValueError(
                f"{option} stands before {ctx.invoked_subcommand}, which would ignore it; write it after the"
                f" command: {ctx.command_path} {ctx.invoked_subcommand} {option} …"
            )


def command(
    app: typer.Typer,
    name: str,
    *,
    examples: Sequence[tuple[str, str]],
    exit_codes: Sequence[ExitCode] = (),
    details: str = "",
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as a command with the common options; it gets a Context first."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        manual = Manual(
            tuple(Example(*example) for example in examples),
            tuple(sorted({*ALWAYS, *exit_codes})),
            inspect.cleandoc(details),
        )
        call = _with_common_options(function, group=False)
        MANUALS[call] = manual
        app.command(name, epilog=_epilog(manual), no_args_is_help=False)(call)
        return function

    return register


def default_command(
    app: typer.Typer,
    *,
    examples: Sequence[tuple[str, str]],
    exit_codes: Sequence[ExitCode] = (),
    details: str = "",
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register what a group does without a command of its own."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        manual = Manual(
            tuple(Example(*example) for example in examples),
            tuple(sorted({*ALWAYS, *exit_codes})),
            inspect.cleandoc(details),
        )
        call = _with_common_options(function, group=True)
        MANUALS[call] = manual
        app.callback(invoke_without_command=True, epilog=_epilog(manual))(call)
        return function

    return register


def group(help_: str) -> typer.Typer:
    """Make an empty group of commands, with plain help: Rich's has escapes where nobody wants them."""
    return typer.Typer(help=help_, rich_markup_mode=None, no_args_is_help=False, add_completion=False)
