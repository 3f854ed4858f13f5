"""Writes man pages and shell completions: `python -m cleanupctl.cli.manual [--check] FOLDER`.

They are made from the live command tree and the table of configuration keys, written into the folders
man/ and completions/ of FOLDER and committed. With --check nothing is written: the exit status is 1 if a
file is not what it would be.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cleanupctl.cli.completions import COMPLETION_FILES, script
from cleanupctl.cli.manual_configuration import configuration_page
from cleanupctl.cli.manual_pages import command_pages
from cleanupctl.cli.output import Output

FOLDERS = ("man", "completions")
HOW = "python -m cleanupctl.cli.manual ."


def generated() -> dict[Path, str]:
    """Return the text of every generated file by its path in the project."""
    pages = {**command_pages(), "cleanupctl.toml.5": configuration_page()}
    files = {Path("man") / name: text for name, text in pages.items()}
    return files | {Path("completions") / name: script(shell) for shell, name in COMPLETION_FILES.items()}


def differences(folder: Path) -> list[str]:
    """Say of each file in `folder` that is not what it would be now what is wrong with it."""
    wanted = generated()
    there = {path.relative_to(folder) for name in FOLDERS for path in (folder / name).glob("*")}
    wrong = [f"{path} is not there" for path in sorted(wanted.keys() - there)]
    wrong += [f"{path} is not made any more: remove it" for path in sorted(there - wanted.keys())]
    for path in sorted(wanted.keys() & there):
        if (folder / path).read_text("utf-8") != wanted[path]:
            wrong.append(f"{path} is stale")
    return wrong


def write(folder: Path) -> None:
    """Write every file, and remove what is not made any more."""
    wanted = generated()
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for path in (folder / name).glob("*"):
            if path.relative_to(folder) not in wanted:
                path.unlink()
    for path, text in wanted.items():
        (folder / path).write_text(text, "utf-8")


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
