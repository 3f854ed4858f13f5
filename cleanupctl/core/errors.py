"""Every failure an operator can meet, each with its exit code."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class ExitCode(IntEnum):
    """What the process tells its caller; the same numbers stand in every man page."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    CLEANUP_FAILED = 3
    NOT_FOUND = 4
    INCOMPLETE = 5
    CONFIGURATION = 10
    UNREACHABLE = 11
    INTERRUPTED = 130
    TERMINATED = 143

    @property
    def meaning(self) -> str:
        """One line for the exit-status block of help and man pages."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.DONE: "done, also when nothing was due",
    ExitCode.UNEXPECTED: "unexpected failure: a bug in cleanupctl",
    ExitCode.USAGE: "bad usage or an invalid value",
    ExitCode.CLEANUP_FAILED: "cleanup failed for some job or table",
    ExitCode.NOT_FOUND: "no such job or history, or nothing to schedule",
    ExitCode.INCOMPLETE: "expired rows stay, for whatever reason, and --fail-if-incomplete was given",
    ExitCode.CONFIGURATION: "configuration unusable, or this node does not participate",
    ExitCode.UNREACHABLE: "job store or history not reachable",
    ExitCode.INTERRUPTED: "aborted by a second SIGINT",
    ExitCode.TERMINATED: "aborted by a second SIGTERM",
}


LONGEST_MESSAGE = 4_000
"""Characters: whoever reads a message, or stores it, gets its beginning and its end."""
LONGEST_QUOTE = 1_000
"""Likewise of what somebody else said, as a part of one."""


LONGEST_TRACE = 20_000
"""Of a stack trace."""


def shortened(text: str, most: int = LONGEST_MESSAGE) -> str:
    """Return text with its middle left out when it has more than `most` characters."""
    if len(text) <= most:
        return text
    end = most // 4
    start = most - end
    return f"{text[:start]} … ({len(text) - start - end:,} characters left out) … {text[-end:]}"


class CleanupctlError(Exception):
    """Something the operator can act on; the message is one clear sentence."""

    exit_code: ClassVar[ExitCode] = ExitCode.UNEXPECTED

    def __init__(self, message: str) -> None:
        message = shortened(message)
        super().__init__(message)
        self.message = message


class InvalidValueError(CleanupctlError):
    """An option or argument has a value that cannot be used."""

    exit_code = ExitCode.USAGE


class CleanupFailedError(CleanupctlError):
    """Cleanup failed for some job, history or table."""

    exit_code = ExitCode.CLEANUP_FAILED


class NotFoundError(CleanupctlError):
    """No such job or history, or nothing to schedule."""

    exit_code = ExitCode.NOT_FOUND


class IncompleteError(CleanupctlError):
    """A run stopped before everything was removed."""

    exit_code = ExitCode.INCOMPLETE


class ConfigurationError(CleanupctlError):
    """The configuration cannot be used; `faults` has every reason, each with its place."""

    exit_code = ExitCode.CONFIGURATION

    def __init__(self, message: str, *, path: Path | None = None, faults: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.path = path
        self.faults = tuple(shortened(fault) for fault in faults)


class ParticipationError(CleanupctlError):
    """The node is configured not to take part in history cleanup."""

    exit_code = ExitCode.CONFIGURATION


class StoreError(CleanupctlError):
    """The job store cannot be reached, read or written."""

    exit_code = ExitCode.UNREACHABLE


class HistoryUnreachableError(CleanupctlError):
    """A history's database cannot be reached, or refuses the log-in."""

    exit_code = ExitCode.UNREACHABLE


class HistoryError(CleanupctlError):
    """A history's database does not have what the configuration says, or refused a statement."""

    exit_code = ExitCode.CLEANUP_FAILED
