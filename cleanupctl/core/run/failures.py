"""What failed, in words for the job and the job log."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from cleanupctl.core.errors import LONGEST_TRACE, CleanupctlError, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleanupctl.core.run.cleaning import Failed


def failure_message(failures: Sequence[Failed]) -> str:
    """Put all causes into one text, one a line."""
    return "\n".join(
        f"{failure.history}{f', table {failure.table}' if failure.table else ''}: {_sentence(failure.error)}"
        for failure in failures
    )


def _sentence(error: Exception) -> str:
    if isinstance(error, CleanupctlError):
        return error.message
    return shortened(f"{type(error).__name__}: {error}")


def failure_stacktrace(failures: Sequence[Failed]) -> str:
    """Format every cause with the chain that led to it."""
    traces = ("".join(traceback.format_exception(failure.error)) for failure in failures)
    return "\n".join(shortened(trace, LONGEST_TRACE) for trace in traces)
