"""Every generated file: its text, and whether what is committed is still the same."""

from __future__ import annotations

from pathlib import Path

from typer.main import get_command

from cleanupctl.cli.app import build_app
from cleanupctl.cli.completion.shells import COMPLETION_FILES, script
from man.generator.configuration import configuration_page
from man.generator.pages import command_pages

FOLDERS = ("man", "completions")
HOW = "python -m man.generator ."


def generated() -> dict[Path, str]:
    """Return the text of every generated file by its path in the project."""
    pages = {**command_pages(), "cleanupctl.toml.5": configuration_page()}
    command = get_command(build_app())
    scripts = {name: script(shell, command) for shell, name in COMPLETION_FILES.items()}
    return {Path("man") / name: text for name, text in pages.items()} | {
        Path("completions") / name: text for name, text in scripts.items()
    }


def generated_files(folder: Path) -> list[Path]:
    """List the files of man/ or completions/; the generator itself lies in a folder below."""
    return sorted(path for path in folder.glob("*") if path.is_file() and path.suffix != ".py")


def differences(folder: Path) -> list[str]:
    """Say of each file in `folder` that is not what it would be now what is wrong with it."""
    wanted = generated()
    there = {path.relative_to(folder) for name in FOLDERS for path in generated_files(folder / name)}
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
        for path in generated_files(folder / name):
            if path.relative_to(folder) not in wanted:
                path.unlink()
    for path, text in wanted.items():
        (folder / path).write_text(text, "utf-8")
