"""Asking before something is destroyed: with the numbers on a terminal, by an option elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cleanupctl.core.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleanupctl.cli.output import Output

Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Do not ask; needed where no person at a terminal can answer.")
]


def confirm(output: Output, what: str, question: Callable[[], str], *, yes: bool) -> None:
    """Go on if `yes`, or if a person says so to the question, which is made only then.

    `what` names what is going to be done. Raise InvalidValueError, nothing done, otherwise.
    """
    if yes:
        return
    if not output.can_ask:
        raise InvalidValueError(
            f"{what} has to be confirmed, and there is no terminal to ask at: add --yes, or look first"
            " with --dry-run"
        )
    if not output.ask(question()):
        raise InvalidValueError(f"{what} was not confirmed: nothing was changed")
