"""Who else than their owner may read or write files and folders, and folders that nobody else may enter."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def written_mode(mode: int) -> str:
    """Return the permissions of a file's mode as chmod takes them."""
    return f"{stat.S_IMODE(mode):04o}"


def readable_by_others(mode: int) -> bool:
    """Whether the group or everybody may read it."""
    return bool(mode & (stat.S_IRGRP | stat.S_IROTH))


def writable_by_everybody(mode: int) -> bool:
    """Whether everybody may change it: not a folder in which nobody may replace what others made."""
    sticky_folder = stat.S_ISDIR(mode) and mode & stat.S_ISVTX
    return bool(mode & stat.S_IWOTH) and not sticky_folder


def make_private_folders(folder: Path) -> None:
    """Make a folder and the ones above it that are missing, all for their owner alone. Raises OSError."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir(mode=0o700, exist_ok=True)
