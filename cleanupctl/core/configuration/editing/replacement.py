"""Replacing a configuration file as a whole or not at all, with its owner, its mode and its symbolic link."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cleanupctl.core.access import make_private_folders
from cleanupctl.core.configuration.file import reason
from cleanupctl.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator


_NEW = ".cleanupctl-new"
_LONGEST_PREFIX = 100


def read_bytes(path: Path) -> bytes | None:
    """Read a file that is to be replaced; None if it does not exist. Raises ConfigurationError."""
    try:
        if path.exists() and not path.is_file():
            raise ConfigurationError(f"{path} cannot be edited: it is not a regular file", path=path)
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {reason(error)}", path=path) from error


def replace_file(path: Path, before: bytes | None, after: bytes) -> None:
    """Put `after` in place of `before`, which the file must still have; None: it must not exist yet.

    A symbolic link stays, and what it points to is replaced. A new file is for its owner alone.
    Raises ConfigurationError, and then the file is as it was.
    """
    target = Path(os.path.realpath(path))
    try:
        if before is None:
            if path.is_symlink():
                # Whoever laid it decides where it leads, perhaps to a place that only we may write to.
                raise PermissionError("it is a symbolic link to where nothing is")
            make_private_folders(target.parent)
        elif not os.access(target, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            raise PermissionError("the file is read-only")
        with _written(target, after) as new:
            _keep_attributes(target, new, exists=before is not None)
            _exchange(path, target, new, before)
        _flush(target.parent)
    except OSError as error:
        why = reason(error)
        raise ConfigurationError(
            f"{path} cannot be written: {why}; nothing was changed", path=path
        ) from error


@contextmanager
def _written(target: Path, content: bytes) -> Iterator[Path]:
    """Write a file beside the target, for as long as it has not taken its place."""
    prefix = f".{target.name[:_LONGEST_PREFIX]}."
    _remove_leftovers(target.parent, prefix)
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=_NEW, dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            # Who finds it without this lock knows that its writer was killed.
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            yield Path(name)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


def _remove_leftovers(folder: Path, prefix: str) -> None:
    """Remove what killed processes have left behind: it may have a password in it."""
    left: list[Path] = []
    with suppress(OSError):
        left += (one for one in folder.iterdir() if one.name.startswith(prefix) and one.name.endswith(_NEW))
    for found in left:
        with suppress(OSError), os.fdopen(os.open(found, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found.unlink()


def _keep_attributes(target: Path, new: Path, *, exists: bool) -> None:
    if not exists:
        return
    old, made = target.stat(), new.stat()
    if (old.st_uid, old.st_gid) != (made.st_uid, made.st_gid):
        os.chown(new, old.st_uid, old.st_gid)
    shutil.copystat(target, new)
    new.chmod(stat.S_IMODE(old.st_mode))
    os.utime(new)


def _exchange(path: Path, target: Path, new: Path, before: bytes | None) -> None:
    changed = ConfigurationError(
        f"{path} was changed by another process meanwhile; nothing was written: try again", path=path
    )
    if before is None:
        try:
            os.link(new, target)
        except FileExistsError:
            raise changed from None
        return
    with target.open("rb") as file:
        with suppress(OSError):  # some network file systems have no locks; the comparison still holds
            fcntl.flock(file, fcntl.LOCK_EX)
        if read_bytes(target) != before:
            raise changed
        new.replace(target)


def _flush(folder: Path) -> None:
    """Make the new name of the file survive a power failure."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
