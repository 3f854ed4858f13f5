"""The only room that writes: tables, JSON, notices and errors; knows what the streams can show.

Whatever it gets may come from a server, a catalogue or another host: nothing of it is obeyed by a terminal.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from cleanupctl.cli.escapes import in_json, in_lines, on_one_line
from cleanupctl.cli.streams import Unfailing, occupy_descriptors, unfailing
from cleanupctl.core.errors import CleanupctlError, ConfigurationError
from cleanupctl.core.urls import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

WIDTH_OFF_TERMINAL = 10_000
"""A table that goes to a file or a pipe is not cut to the width of a terminal nobody looks at."""


def secure_streams() -> None:
    """Keep what happens to the streams of this process away from its work."""
    occupy_descriptors()
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115 - as long as the process
    sys.stdout = unfailing(sys.stdout, 1, at_once=False)
    sys.stderr = unfailing(sys.stderr, 2, at_once=True)


def flush() -> None:
    """Write what is still buffered, and say so when something of it was lost."""
    sys.stdout.flush()
    lost = sys.stdout.lost if isinstance(sys.stdout, Unfailing) else None
    if lost is not None:
        Output().notice(f"standard output could not be written: {lost.strerror}")


class Output:
    """Data goes to standard output, everything else to standard error."""

    _secrets: ClassVar[set[str]] = set()
    """Of the whole process: the entry point, which writes unexpected failures, has an output of its own."""

    def __init__(self, format_: str = "auto") -> None:
        self._format = format_

    @property
    def json(self) -> bool:
        """Whether data goes out as JSON."""
        return self._format == "json" or (self._format == "auto" and not sys.stdout.isatty())

    @property
    def shows_progress(self) -> bool:
        """Whether a person watches: progress is drawn on standard error."""
        return not self.json and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    @property
    def can_ask(self) -> bool:
        """Whether a person can be asked: what is written reaches a terminal, and so does the answer."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

    def ask(self, question: str) -> bool:
        """Ask a question at the terminal; only a yes is one."""
        sys.stderr.write(f"{on_one_line(question)} [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def keep_secret(self, secrets: Iterable[str]) -> None:
        """Keep these texts out of what is written of unexpected failures."""
        self._secrets.update(secret for secret in secrets if secret)

    def data(self, value: Any) -> None:
        """Write a value as JSON."""
        self._write(in_json(json.dumps(value, indent=2, ensure_ascii=False)))

    def line_of_data(self, value: Any) -> None:
        """Write a value as JSON on one line, for streams of them."""
        self._write(in_json(json.dumps(value, ensure_ascii=False)))

    def text(self, text: str) -> None:
        """Write a line to standard output."""
        self._write(on_one_line(text))

    def document(self, text: str) -> None:
        """Write a text of several lines to standard output."""
        self._write(in_lines(text))

    def table(
        self, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Iterable[str] = ()
    ) -> None:
        """Write rows under headings; numbers stand on the right in the columns named."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        aligned = set(right)
        for name in columns:
            table.add_column(name, justify="right" if name in aligned else "left", overflow="fold")
        for row in rows:
            # Text, not str: square brackets in data are no markup.
            table.add_row(*(Text("" if value is None else on_one_line(str(value))) for value in row))
        self.console().print(table)

    def fields(self, pairs: Iterable[tuple[str, Any]]) -> None:
        """Write names and values, a line each; a None is a dash. A terminal gets them as paragraphs.

        Further lines of a value are moved in, so that none looks like another name.
        """
        listed = [(name, "-" if value is None else str(value)) for name, value in pairs]
        width = max((len(name) for name, _ in listed), default=0)
        for name, value in listed:
            first, *rest = self._broken(value, width + 2) or [""]
            self._write(
                "\n".join([f"{name + ':':<{width + 2}}{first}", *(" " * (width + 2) + r for r in rest)])
            )

    def paragraph(self, text: str, indent: int) -> None:
        """Write a sentence, on a terminal in lines that fit; all but the first are moved in further."""
        first, *rest = self._broken(text, indent + 2) or [""]
        self._write("\n".join([" " * indent + first, *(" " * (indent + 2) + line for line in rest)]))

    def _broken(self, text: str, indent: int) -> list[str]:
        """Break lines between words where a terminal would break them anywhere."""
        lines = in_lines(text).split("\n")
        if not sys.stdout.isatty():
            return lines
        import shutil
        import textwrap

        width = max(20, shutil.get_terminal_size().columns - indent)
        return [
            piece
            for line in lines
            for piece in textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]
        ]

    def notice(self, message: str) -> None:
        """Tell the operator something that stops nothing."""
        self._complain(on_one_line(f"cleanupctl: {message}"))

    def error(self, error: CleanupctlError) -> None:
        """Say what went wrong: one sentence, or one JSON object when data is JSON."""
        if self.json:
            faults = {"faults": list(error.faults)} if isinstance(error, ConfigurationError) else {}
            body = {"type": type(error).__name__, "message": error.message, "code": int(error.exit_code)}
            self._complain(in_json(json.dumps(body | faults, ensure_ascii=False)))
            return
        self._complain(on_one_line(f"cleanupctl: {error.message}"))
        if isinstance(error, ConfigurationError):
            for fault in error.faults:
                self._complain(on_one_line(f"  {fault}"))

    def unexpected(self, error: Exception, trace: str) -> None:
        """Write an unexpected failure with its stack trace, neither with a secret."""
        self._complain(in_lines(without_secrets(trace, self._secrets)))
        said = without_secrets(f"{type(error).__name__}: {error}", self._secrets)
        self.error(CleanupctlError(f"unexpected failure, please report it: {said}"))

    def console(self, *, progress: bool = False) -> Console:
        """Make a Rich console for standard output, or for progress on standard error."""
        from rich.console import Console

        stream = sys.stderr if progress else sys.stdout
        width = None if stream.isatty() else WIDTH_OFF_TERMINAL
        return Console(file=stream, width=width, highlight=False, soft_wrap=False)

    def _write(self, text: str) -> None:
        sys.stdout.write(text + "\n")
        # Whoever reads a pipe wants each answer when it is there, also from a process that stays.
        sys.stdout.flush()

    def _complain(self, text: str) -> None:
        sys.stderr.write(text + "\n")
