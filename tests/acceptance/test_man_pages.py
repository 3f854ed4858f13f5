"""The man pages as the real man shows them."""

from __future__ import annotations

import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from cleanupctl.core.configuration.schema import CONFIGURATION_KEYS, CONFIGURATION_TABLES
from cleanupctl.core.errors import ExitCode
from man.generator.changes import releases
from man.generator.configuration import EXAMPLE
from man.generator.files import generated_files
from man.generator.pages import Command as Node
from man.generator.pages import command_tree
from man.generator.texts import GLOSSARY
from man.generator.troff import escape
from tests.support.requirement import require

ROOT = Path(__file__).parents[2]
PAGES = generated_files(ROOT / "man")
COMMANDS = list(command_tree().walk())
EXAMPLES = {example.command: node for node in COMMANDS for example in node.manual.examples}

pytestmark = pytest.mark.server


@cache
def shown(name: str) -> str:
    """A page as the real man shows it on a wide terminal, which complains of nothing."""
    done = subprocess.run(
        [require("man", "man-db"), "--warnings", "-E", "UTF-8", "-l", str(ROOT / "man" / name)],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "MANWIDTH": "1000", "MANROFFOPT": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def prose(text: str) -> str:
    """Text on one line, with one blank after a sentence."""
    return " ".join(text.split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_man_shows_each_page_without_a_warning(page: Path) -> None:
    text = shown(page.name)
    name = page.name.rpartition(".")[0]
    assert re.search(rf"^NAME\n +{re.escape(name)} - \w", text, re.MULTILINE)
    sections = ("SYNOPSIS", "DESCRIPTION", "FILES", "SEE ALSO")
    if page.suffix == ".1":
        sections += ("OPTIONS", "EXAMPLES", "EXIT STATUS", "ENVIRONMENT")
    for section in sections:
        assert f"\n{section}\n" in text


@pytest.mark.parametrize("node", COMMANDS, ids=lambda node: node.name)
def test_each_command_is_documented_with_all_its_options(node: Node) -> None:
    text = shown(f"{node.page}.1")
    assert node.name in text
    assert node.name in shown("cleanupctl.1") or f"{node.page}(1)" in shown("cleanupctl.1")
    assert node.help[1:].rstrip(".") in prose(text)
    if len(node.path) > 1:
        text = text.partition(f"\n   {' '.join(node.path[1:]).upper()}\n")[2]
    for parameter in node.parameters:
        for option in (*parameter.opts, *parameter.secondary_opts):
            assert not option.startswith("-") or re.search(
                rf"^ {{7,}}(.* \| )?{option}\b", text, re.MULTILINE
            )
        if parameter.metavar:
            assert parameter.metavar.replace("…", "...") in text
    for code in node.manual.exit_codes:
        assert re.search(rf"^ +{int(code)} +\S", text, re.MULTILINE)
    for option in ("--config FILE", "--database URL", "--format auto|table|json", "--json", "--help"):
        assert option in text


def test_the_page_of_the_program_has_every_exit_code_and_the_change_log() -> None:
    text = shown("cleanupctl.1")
    for code in ExitCode:
        assert re.search(rf"^ +{int(code)} +.{re.escape(code.meaning[1:])}", text, re.MULTILINE)
    for release in releases():
        assert re.search(rf"^ +{re.escape(release.version)} +{release.date}: ", text, re.MULTILINE)


def test_the_page_of_the_program_says_what_its_words_mean() -> None:
    glossary = shown("cleanupctl.1").partition("\nGLOSSARY\n")[2].partition("\nCOMMANDS\n")[0]
    for word, meaning in GLOSSARY:
        assert re.search(rf"^ +{word}\b", glossary, re.MULTILINE)
        assert prose(meaning).replace("`", "") in prose(glossary)


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_stand_in_the_page_as_they_are_typed(example: str) -> None:
    assert f"\n           {example}\n" in shown(f"{EXAMPLES[example].page}.1")


def test_every_table_and_key_of_the_configuration_is_described() -> None:
    text = shown("cleanupctl.toml.5")
    for table in CONFIGURATION_TABLES:
        assert f"\n   {table.header or 'Top of the file'}\n" in text
        assert table.description in prose(text)
    for key in CONFIGURATION_KEYS:
        default = "Required" if key.required else f"Default: {key.default}"
        only = f" For kind {key.kind} only." if key.kind else ""
        meaning = f"{key.description}{only} {default}. Example: {key.name} = {key.example}"
        assert prose(meaning) in prose(text)


NASTY = [".", ".SH X", "'quoted'", "a\\b", '"', "--option", "`x", "~/.pgpass", "a^b", "é", "\\fBx", "…"]


@pytest.mark.parametrize("text", NASTY)
def test_text_reaches_the_reader_as_it_was(text: str, tmp_path: Path) -> None:
    from man.generator.troff import Page

    page = Page("x", 1, date="2026-01-01", source="s", manual="m")
    page.section("A")
    page.paragraphs(f"{text} and\n\n    {text}")
    page.entry(escape(text), text)
    page.section("END")
    file = tmp_path / "x.1"
    file.write_text(str(page))
    done = subprocess.run(
        [require("man", "man-db"), "--warnings", "-E", "UTF-8", "-l", str(file)],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "MANWIDTH": "100"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    body = done.stdout.partition("A\n")[2].partition("END\n")[0]
    wanted = text.replace("…", "...")
    assert body.split() == f"{wanted} and {wanted} {wanted} {wanted}".split()


def test_the_example_of_a_configuration_stands_in_its_page() -> None:
    assert EXAMPLE.replace("\n", "\n           ").strip() in shown("cleanupctl.toml.5").replace(
        "\n\n", "\n           \n"
    )
