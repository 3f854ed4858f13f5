"""The entry point: runs the command tree and turns every failure into an exit code, in one place."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from cleanupctl.cli.output import Output, flush, secure_streams
from cleanupctl.core.errors import CleanupctlError, ConfigurationError, ExitCode
from cleanupctl.core.resources import exhausted

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run cleanupctl and exit the process."""
    secure_streams()
    code = run(sys.argv[1:] if arguments is None else arguments)
    flush()
    # The system takes the memory back anyway: looking for garbage on the way out takes a tenth of a call.
    gc.freeze()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run cleanupctl and return its exit code."""
    output = Output(_format_of(arguments))
    try:
        return _call(arguments)
    except CleanupctlError as error:
        output.error(error)
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an exit code
        return _met(output, error)


def _met(output: Output, error: Exception) -> ExitCode:
    """Tell of a failure that nothing else has translated, and return its exit code."""
    import traceback

    lacking = exhausted(error)
    if lacking is not None:
        output.error(lacking)
        return lacking.exit_code
    if isinstance(error, OSError) and error.filename is not None:
        # Whichever path it was: what the system says of it is for the operator to change.
        output.error(ConfigurationError(f"{error.filename}: {(error.strerror or str(error)).lower()}"))
        return ExitCode.CONFIGURATION
    output.unexpected(error, "".join(traceback.format_exception(error)).rstrip())
    return ExitCode.UNEXPECTED


def _call(arguments: Sequence[str]) -> int:
    from typer import Abort, TyperException
    from typer.main import get_command

    from cleanupctl.cli.app import build_app
    from cleanupctl.cli.command import COMPLETION_VARIABLE, PROGRAM
    from cleanupctl.cli.lazy_coercion import coerce_lazily
    from cleanupctl.core.errors import InvalidValueError

    coerce_lazily()
    completing = COMPLETION_VARIABLE in os.environ
    command = get_command(build_app(None if completing or not arguments else arguments[0]))
    if completing:
        from cleanupctl.cli.completion.shells import register

        register()
    if not arguments:
        arguments = ["--help"]
    try:
        result = command.main(args=list(arguments), prog_name=PROGRAM, standalone_mode=False)
    except Abort:
        return ExitCode.INTERRUPTED
    except TyperException as error:
        raise InvalidValueError(_sentence(error)) from error
    return result if isinstance(result, int) else ExitCode.DONE


def _sentence(error: Exception) -> str:
    """Say what is wrong with the command line, and where help is."""
    message = getattr(error, "format_message", lambda: str(error))().rstrip(".")
    context = getattr(error, "ctx", None)
    place = context.command_path if context else "cleanupctl"
    return f"{message}; see `{place} --help`"


def _format_of(arguments: Sequence[str]) -> str:
    """Guess the output format before the command line is understood: errors of reading it have one too."""
    from cleanupctl.cli.context import FORMAT_VARIABLE, FORMATS

    for number, argument in enumerate(arguments):
        if argument == "--json":
            return "json"
        if argument.startswith("--format"):
            value = argument.partition("=")[2] or next(iter(arguments[number + 1 :]), "")
            return value if value in FORMATS else "auto"
    named = os.environ.get(FORMAT_VARIABLE, "auto")
    return named if named in FORMATS else "auto"
