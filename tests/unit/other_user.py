"""Runs a function as a user without rights, because root ignores file modes."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

NOBODY = 65534


def as_nobody(function: Callable[[], object]) -> object:
    """Return what the function returns in a child process of user nobody; its exceptions come back too.

    Whatever the function imports must be imported before: nobody may not be able to read it.
    """
    reading, writing = os.pipe()
    child = os.fork()
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
