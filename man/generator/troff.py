"""Writing man(7) pages: plain text in, troff out, with everything escaped that troff would take for its own.

docutils has such a writer, but leaves ~ and ^ to be shown as accents and words to be hyphenated, and what the
commands say would have to be escaped for reStructuredText first.

Text may have a little markup: `code` is bold, *METAVAR* is italic, and so are without any marks, in bold,
options such as --json and the names of other pages such as cleanupctl-run(1).
"""

from __future__ import annotations

import re
import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_WIDTH = 78
_CHARACTERS = str.maketrans(
    {
        "\\": r"\(rs",
        "-": r"\-",
        "'": r"\(aq",
        "`": r"\(ga",
        '"': r"\(dq",
        "^": r"\(ha",
        "~": r"\(ti",
        "…": "...",
    }
)
_MARKUP = re.compile(
    r"`(?P<code>[^`]+)`"
    r"|\*(?P<italic>[A-Z]+)\*"
    r"|(?<![\w/-])(?P<option>--[a-z][a-z-]*[a-z])"
    r"|\b(?P<page>cleanupctl(?:[-.][a-z]+)*)(?P<section>\([1-8]\))"
)
_END_OF_SENTENCE = re.compile(r"(?<=[.!?]) +(?=\S)")


def escape(text: str) -> str:
    """Return text that troff shows as it is."""
    return "".join(
        character if character.isascii() else f"\\[u{ord(character):04X}]"
        for character in text.translate(_CHARACTERS)
    )


def bold(text: str) -> str:
    """Return troff for text in bold."""
    return f"\\fB{escape(text)}\\fR"


def italic(text: str) -> str:
    """Return troff for text in italics (underlined on a terminal)."""
    return f"\\fI{escape(text)}\\fR"


def markup(text: str) -> str:
    """Return troff for text with markup."""
    parts, end = [], 0
    for match in _MARKUP.finditer(text):
        parts += [escape(text[end : match.start()]), _marked(match)]
        end = match.end()
    return "".join([*parts, escape(text[end:])])


def _marked(match: re.Match[str]) -> str:
    if match["page"]:
        return bold(match["page"]) + match["section"]
    return italic(match["italic"]) if match["italic"] else bold(match["code"] or match["option"])


class Page:
    """A manual page that is being written; `str()` is its troff source."""

    def __init__(self, name: str, section: int, *, date: str, source: str, manual: str) -> None:
        # The date as it is: its hyphens are no text. Words, options above all, are not to be broken.
        self._lines = [
            '.\\" Made by python -m man.generator: do not change it here.',
            f'.TH "{escape(name.upper())}" {section} {date} "{escape(source)}" "{escape(manual)}"',
            ".nh",
            ".ad l",
        ]

    def __str__(self) -> str:
        return "\n".join(self._lines) + "\n"

    def section(self, title: str) -> None:
        """Begin a section; titles are in capitals."""
        self._lines.append(f".SH {escape(title)}")

    def subsection(self, title: str) -> None:
        """Begin a subsection."""
        self._lines.append(f'.SS "{escape(title)}"')

    def name(self, name: str, summary: str) -> None:
        """Write the section NAME, in the form that apropos(1) reads."""
        self.section("NAME")
        self._lines += _filled(f"{escape(name)} \\- {markup(summary)}")

    def paragraphs(self, text: str) -> None:
        """Write text with markup; an empty line begins the next paragraph, an indented one is code."""
        for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
            if paragraph.startswith("    "):
                self.code(textwrap.dedent(paragraph))
                continue
            after_heading = self._lines[-1].startswith((".SH", ".SS"))
            self._lines += [
                *([] if after_heading else [".PP"]),
                *_filled(markup(" ".join(paragraph.split()))),
            ]

    def commands(self, lines: Iterable[str]) -> None:
        """Write lines of troff below each other, as in a synopsis."""
        for number, line in enumerate(lines):
            self._lines += [*([".br"] if number else []), _guarded(line)]

    def entry(self, tag: str, text: str) -> None:
        """Write a tag, which is troff, and what it means, which is text with markup."""
        self._lines += [".TP", _guarded(tag), *_filled(markup(" ".join(text.split())))]

    @contextmanager
    def indented(self) -> Iterator[None]:
        """Write what is written in this block below the last entry."""
        self._lines.append(".RS")
        yield
        self._lines.append(".RE")

    def code(self, text: str) -> None:
        """Write lines as they are, indented."""
        lines = [_guarded(escape(line)) for line in text.strip("\n").split("\n")]
        self._begin_paragraph()
        self._lines += [".RS 4", ".EX", *lines, ".EE", ".RE"]

    def _begin_paragraph(self) -> None:
        if not self._lines[-1].startswith((".SH", ".SS")):
            self._lines.append(".PP")


def _filled(troff: str) -> list[str]:
    """Put each sentence on a line of its own, as troff wants it, and wrap what is long."""
    return [
        _guarded(line)
        for sentence in _END_OF_SENTENCE.split(troff)
        for line in textwrap.wrap(sentence, _WIDTH, break_long_words=False, break_on_hyphens=False)
    ]


def _guarded(line: str) -> str:
    """Keep a line that begins with a dot or an apostrophe from being a request."""
    return f"\\&{line}" if line.startswith((".", "'")) else line
