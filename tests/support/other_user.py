"""Child processes of tests: a copy of this one, or one of a user without rights (root ignores file modes)."""

from __future__ import annotations

import os
import pickle
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

NOBODY = 65534


def fork() -> int:
    """Fork; newer Pythons warn of threads, but none of this process matters to the children made here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def as_nobody(function: Callable[[], object]) -> object:
    """Return what the function returns in a child process of user nobody; its exceptions come back too.

    Whatever the function imports must be imported before: nobody may not be able to read it.
    """
    reading, writing = os.pipe()
    child = fork()
    if not child:
        os.close(reading)
        with os.fdopen(writing, "wb") as answers:
            answers.write(_answer(function))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answers:
        succeeded, answer = pickle.loads(answers.read())
    os.waitpid(child, 0)
    if not succeeded:
        raise answer
    return answer


def _answer(function: Callable[[], object]) -> bytes:
    try:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        return pickle.dumps((True, function()))
    except BaseException as error:  # noqa: BLE001 - it is raised again in the parent
        return pickle.dumps((False, error))
