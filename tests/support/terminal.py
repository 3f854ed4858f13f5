"""A terminal of 200 lines and 250 columns, and a process that has no other streams."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r")
_PATIENCE_SECONDS = 30.0


class Terminal:
    """What a person sees and types."""

    def __init__(self, descriptor: int, process: subprocess.Popen[bytes]) -> None:
        self._descriptor = descriptor
        self._process = process

    def wait(self) -> int:
        """Return the exit code of the process."""
        return self._process.wait(_PATIENCE_SECONDS)

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def read_until(self, word: str) -> str:
        """Return what is shown until a word is, a blank for each escape sequence."""
        shown, deadline = b"", time.monotonic() + _PATIENCE_SECONDS
        while word not in (text := _ESCAPES.sub(" ", shown.decode(errors="replace"))):
            ready, _, _ = select.select([self._descriptor], [], [], max(deadline - time.monotonic(), 0))
            assert ready, f"{word} never came: {text}"
            shown += os.read(self._descriptor, 65536)
        return text


@contextmanager
def terminal(arguments: list[str], variables: dict[str, str], folder: Path) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 200, 250, 0, 0))
    options: dict[str, Any] = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    process = subprocess.Popen(arguments, env=variables, cwd=folder, start_new_session=True, **options)
    os.close(theirs)
    try:
        yield Terminal(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
