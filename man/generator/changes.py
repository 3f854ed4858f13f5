"""The change log: what each version brought, from the fragments in .changes/.

towncrier does the same for a file in the top folder; here the log stands in the man page.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".changes"
KINDS = ("added", "changed", "fixed", "faster", "removed")
"""In the order in which a version tells of them."""


@dataclass(frozen=True, slots=True)
class Release:
    """One version in the change log."""

    version: str
    date: str
    """Day of the release, ISO 8601; the latest is the date at the foot of the pages."""
    changes: tuple[str, ...]


def fragments(folder: Path) -> list[Path]:
    """Return the files of one version, or of what is not released yet, in the order of their kinds."""
    return sorted(
        (path for path in folder.glob("*.md") if path.name != "README.md"),
        key=lambda path: (KINDS.index(kind_of(path)), path.name),
    )


def kind_of(fragment: Path) -> str:
    """Return the kind in the name of a fragment. Raise ValueError for one that is not known."""
    _, _, kind = fragment.stem.rpartition(".")
    if kind not in KINDS:
        raise ValueError(f"{fragment.name}: the kind of a change is one of {', '.join(KINDS)}")
    return kind


def releases(folder: Path = FOLDER) -> list[Release]:
    """Return every version that has been released, the latest first."""
    found = []
    for path in folder.iterdir():
        version, _, date = path.name.partition("_")
        if path.is_dir():
            changes = tuple(fragment.read_text("utf-8").strip() for fragment in fragments(path))
            found.append(Release(version, date, changes))
    return sorted(found, key=lambda release: release.date, reverse=True)
