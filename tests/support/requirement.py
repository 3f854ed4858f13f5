"""Programs that tests need: skip with a clear sentence, or fail where everything must be there."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REQUIRE_ALL = "CLEANUPCTL_TESTS_REQUIRE_ALL"
"""Environment variable: set to 1 (as in CI), nothing may be skipped for want of a program."""

_EXTRA_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where servers live; often not on the PATH of people who are not root."""


_state = {"allowed": True}


@contextmanager
def programs_allowed(allowed: bool) -> Iterator[None]:
    """Let what runs in the block ask for programs, or fail it when it does."""
    before = _state["allowed"]
    _state["allowed"] = allowed
    try:
        yield
    finally:
        _state["allowed"] = before


def check_allowed(what: str) -> None:
    """Fail the running test if it is not marked as one that needs more than Python."""
    if not _state["allowed"]:
        pytest.fail(f"this test uses {what}: mark it with @pytest.mark.server", pytrace=False)


def find(program: str, *folders: str | Path) -> str | None:
    """Path of a program, looked for in `folders`, on the PATH and where servers live."""
    places = [*map(str, folders), os.environ.get("PATH", os.defpath), *_EXTRA_FOLDERS]
    return shutil.which(program, path=os.pathsep.join(places))


def require(program: str, package: str) -> str:
    """Path of a program from a Debian package; without it the test is skipped (CI: fails)."""
    check_allowed(program)
    return find(program) or missing(f"{program} is not installed (Debian package {package})")


def missing(sentence: str) -> NoReturn:
    """Skip the running test because something it needs is not there; in CI that is a failure."""
    if os.environ.get(REQUIRE_ALL) == "1":
        pytest.fail(f"{sentence}, and {REQUIRE_ALL}=1 is set", pytrace=False)
    pytest.skip(sentence)
