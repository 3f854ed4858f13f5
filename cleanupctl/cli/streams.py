"""Streams that never fail: what cannot be written is lost, and the work behind it is not."""

from __future__ import annotations

import codecs
import errno
import io
import os
import select
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from typing_extensions import Buffer

WAIT_SECONDS = 5.0
"""How long whoever reads a pipe that does not block may be behind."""

ESCAPED = "cleanupctl.escaped"
"""Name of the way to write what an encoding does not have: as JSON does, in which that is valid too."""


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    pairs = (units[place : place + 2].hex() for place in range(0, len(units), 2))
    return "".join(f"\\u{pair}" for pair in pairs), error.end


codecs.register_error(ESCAPED, _escape)


class _Descriptor(io.RawIOBase):
    """Writes to a file descriptor; takes what cannot be written without a word."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self.lost: OSError | None = None
        """Why something was lost last."""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: Buffer, /) -> int:
        """Write some of it, or lose all. A full disk may have room again next time."""
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError as error:
            if select.select([], [self._descriptor], [], WAIT_SECONDS)[1]:
                return 0
            self.lost = error
        except OSError as error:
            self.lost = error
        return memoryview(data).nbytes


class Unfailing(io.TextIOWrapper):
    """A text stream on a descriptor."""

    def __init__(self, descriptor: int, encoding: str, *, at_once: bool) -> None:
        self._raw = _Descriptor(descriptor)
        lines = at_once or self._raw.isatty()
        super().__init__(
            io.BufferedWriter(self._raw), encoding=encoding, errors=ESCAPED, line_buffering=lines
        )

    @property
    def lost(self) -> OSError | None:
        """Why something could not be written; None while everything was, or nobody wanted it any more."""
        error = self._raw.lost
        return None if error is None or error.errno in (errno.EPIPE, errno.EBADF) else error


def occupy_descriptors() -> None:
    """Open what is closed of the first three file descriptors.

    The next file would get such a number, a database perhaps, and what is written to the stream would be
    written into it.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            nothing = os.open(os.devnull, os.O_RDWR)
            if nothing != descriptor:
                os.dup2(nothing, descriptor)
                os.close(nothing)


def unfailing(stream: TextIO | None, descriptor: int, *, at_once: bool) -> TextIO:
    """Return a stream that never fails in place of one of the process; another one stays as it is."""
    if stream is not None:
        try:
            if stream.fileno() != descriptor:
                return stream
        except (OSError, ValueError):
            return stream
    encoding = sys.getfilesystemencoding() if stream is None else stream.encoding
    return Unfailing(descriptor, encoding, at_once=at_once)
