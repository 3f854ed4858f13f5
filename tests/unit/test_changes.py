"""Fragments of the change log can be read by whoever makes a release of them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

import cleanupctl as package
from man.generator.changes import FOLDER, fragments, kind_of, releases

FRAGMENTS = sorted(path for path in FOLDER.rglob("*.md") if path.name != "README.md")


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=lambda path: path.name)
def test_a_fragment_has_a_kind_and_one_sentence_that_can_stand_between_others(fragment: Path) -> None:
    assert kind_of(fragment)
    text = fragment.read_text("utf-8").strip()
    assert text
    assert "\n" not in text
    assert not text.endswith(".")
    assert not (text[:1].isupper() and text[1:2].islower())


def test_the_latest_release_is_this_version_and_its_date_is_one() -> None:
    assert releases()[0].version == package.__version__
    for release in releases():
        assert date.fromisoformat(release.date)
        assert release.changes


def test_nothing_else_lies_between_the_fragments() -> None:
    assert {path for path in FOLDER.rglob("*") if path.is_file()} == {*FRAGMENTS, FOLDER / "README.md"}


def test_changes_come_in_the_order_of_their_kinds(tmp_path: Path) -> None:
    for name in ("a.removed.md", "z.added.md", "b.fixed.md", "README.md"):
        (tmp_path / name).touch()
    assert [path.name for path in fragments(tmp_path)] == ["z.added.md", "b.fixed.md", "a.removed.md"]


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.improved.md").touch()
    with pytest.raises(ValueError, match="added, changed"):
        fragments(tmp_path)


def test_versions_come_latest_first(tmp_path: Path) -> None:
    for name in ("0.9.0_2027-01-01", "0.10.0_2027-02-01"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.fixed.md").write_text(f"fix of {name}\n")
    assert [(one.version, one.changes) for one in releases(tmp_path)] == [
        ("0.10.0", ("fix of 0.10.0_2027-02-01",)),
        ("0.9.0", ("fix of 0.9.0_2027-01-01",)),
    ]
