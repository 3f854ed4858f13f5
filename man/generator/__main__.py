"""Writes man pages and shell completions: `python -m man.generator [--check] FOLDER`.

They are made from the live command tree and the table of configuration keys, written into the folders
man/ and completions/ of FOLDER and committed. With --check nothing is written: the exit status is 1 if a
file is not what it would be.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cleanupctl.cli.output import Output
from man.generator.files import HOW, differences, write


def main(
    folder: Annotated[Path, typer.Argument(help="Where man/ and completions/ are.")],
    check: Annotated[bool, typer.Option("--check", help="Write nothing, only compare.")] = False,
) -> None:
    """Write man pages and shell completions."""
    output = Output()
    if not check:
        write(folder)
        return
    wrong = differences(folder)
    for sentence in wrong:
        output.notice(sentence)
    if wrong:
        output.notice(f"to make them anew: {HOW}")
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
