"""A configuration file is replaced as a whole or not at all."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.configuration.editing import replacement
from cleanupctl.core.configuration.editing.editor import SetDailyWindow, edit_window
from cleanupctl.core.errors import ConfigurationError
from tests.support.other_user import NOBODY, as_nobody, fork

if TYPE_CHECKING:
    from collections.abc import Iterator

CHANGE = SetDailyWindow("20:00", "06:00")
TEXT = "# mine\n"

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that user nobody can reach, which those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="cleanupctl-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_new_file_and_its_folder_are_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "one" / "two" / "config.toml"
    edit_window(path, CHANGE)
    assert mode_of(path) == 0o600
    assert mode_of(path.parent) == 0o700
    assert names_in(path.parent) == ["config.toml"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_the_mode_is_kept(path: Path, mode: int) -> None:
    path.chmod(mode)
    edit_window(path, CHANGE)
    assert path.read_text() != TEXT
    assert mode_of(path) == mode


@only_root
def test_owner_and_group_are_kept(path: Path) -> None:
    os.chown(path, NOBODY, 12345)
    edit_window(path, CHANGE)
    assert (path.stat().st_uid, path.stat().st_gid) == (NOBODY, 12345)


def test_a_symbolic_link_stays_and_its_target_is_replaced(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "folder" / "link.toml"
    link.parent.mkdir()
    link.symlink_to("../config.toml")
    edit_window(link, CHANGE)
    assert link.is_symlink()
    assert 'start = "20:00"' in path.read_text()
    assert not path.is_symlink()
    assert names_in(link.parent) == ["link.toml"]


def test_a_link_to_nothing_is_not_followed(tmp_path: Path) -> None:
    link, target = tmp_path / "link.toml", tmp_path / "elsewhere" / "config.toml"
    link.symlink_to(target)
    with pytest.raises(ConfigurationError, match="it is a symbolic link to where nothing is"):
        edit_window(link, CHANGE)
    assert names_in(tmp_path) == ["link.toml"]


@pytest.mark.parametrize("mask", [0o022, 0o000])
def test_every_folder_that_is_made_is_for_the_owner_alone(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        edit_window(tmp_path / "one" / "two" / "three" / "config.toml", CHANGE)
    finally:
        os.umask(before)
    assert [mode_of(tmp_path / one) for one in ("one", "one/two", "one/two/three")] == [0o700] * 3


def test_what_a_killed_process_left_behind_is_removed_by_the_next_and_nothing_else(path: Path) -> None:
    child = fork()
    if not child:
        with replacement._written(path, b"password"):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    others = path.parent / ".config.toml.swp"
    others.touch()
    assert len(names_in(path.parent)) == 3
    with replacement._written(path, b"of a process that goes on") as new:
        edit_window(path, CHANGE)
        assert new.exists()
    assert sorted(names_in(path.parent)) == [".config.toml.swp", "config.toml"]


def test_a_byte_order_mark_is_kept(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf# mine\r\n")
    edit_window(path, CHANGE)
    assert path.read_bytes() == b'\xef\xbb\xbf# mine\r\n\r\n[window]\r\nstart = "20:00"\r\nend = "06:00"\r\n'


def test_nothing_that_is_not_a_file_is_edited(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe):
        with pytest.raises(ConfigurationError, match="cannot be edited: it is not a regular file"):
            edit_window(path, CHANGE)


def test_a_file_changed_meanwhile_is_left_as_somebody_else_wrote_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_attributes = replacement._keep_attributes

    def somebody_else(target: Path, new: Path, *, exists: bool) -> None:
        keep_attributes(target, new, exists=exists)
        path.write_text("# theirs\n")

    monkeypatch.setattr(replacement, "_keep_attributes", somebody_else)
    with pytest.raises(
        ConfigurationError, match="was changed by another process meanwhile; nothing was written"
    ):
        edit_window(path, CHANGE)
    assert path.read_text() == "# theirs\n"
    path.unlink()
    with pytest.raises(ConfigurationError, match="was changed by another process meanwhile"):
        edit_window(path, CHANGE)  # made by them while we make it
    assert path.read_text() == "# theirs\n"
    assert names_in(path.parent) == ["config.toml"]


def test_of_many_edits_at_the_same_time_each_succeeds_or_says_so(path: Path) -> None:
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    children = []
    for day in days:
        child = fork()
        if not child:
            try:
                edit_window(path, SetDailyWindow("20:00", "06:00", day))
            except ConfigurationError:
                os._exit(1)
            os._exit(0)
        children.append(child)
    succeeded = [os.waitpid(child, 0)[1] == 0 for child in children]
    text = path.read_text()
    assert any(succeeded)
    assert [day for day in days if f"[window.{day}]" in text] == [
        day for day, success in zip(days, succeeded, strict=True) if success
    ]


def test_an_edit_waits_for_one_that_is_under_way(path: Path) -> None:
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        child = fork()
        if not child:
            file.close()
            try:
                edit_window(path, CHANGE)
            except ConfigurationError as error:
                os._exit(7 if "was changed by another process" in error.message else 1)
            os._exit(0)
        time.sleep(0.3)
        assert os.waitpid(child, os.WNOHANG) == (0, 0)
        theirs = path.with_name("theirs")
        theirs.write_text("# theirs\n")
        theirs.replace(path)
        fcntl.flock(file, fcntl.LOCK_UN)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert path.read_text() == "# theirs\n"


def test_when_writing_fails_the_file_is_whole_and_nothing_is_left_behind(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        ConfigurationError, match="cannot be written: no space left on device; nothing was changed"
    ):
        edit_window(path, CHANGE)
    assert path.read_text() == TEXT
    assert names_in(path.parent) == ["config.toml"]


@only_root
def test_a_read_only_file_is_not_replaced(open_folder: Path) -> None:
    path = open_folder / "config.toml"
    path.write_text(TEXT)
    path.chmod(0o444)
    os.chown(open_folder, NOBODY, NOBODY)
    os.chown(path, NOBODY, NOBODY)
    with pytest.raises(
        ConfigurationError, match="cannot be written: the file is read-only; nothing was changed"
    ):
        as_nobody(lambda: edit_window(path, CHANGE))
    assert path.read_text() == TEXT


@only_root
def test_in_a_read_only_folder_nothing_is_replaced_or_made(open_folder: Path) -> None:
    path = open_folder / "config.toml"
    path.write_text(TEXT)
    path.chmod(0o666)
    with pytest.raises(ConfigurationError, match="cannot be written: permission denied; nothing was changed"):
        as_nobody(lambda: edit_window(path, CHANGE))
    with pytest.raises(ConfigurationError, match="cannot be written: permission denied; nothing was changed"):
        as_nobody(lambda: edit_window(open_folder / "new" / "config.toml", CHANGE))
    assert path.read_text() == TEXT
    assert names_in(open_folder) == ["config.toml"]


@only_root
def test_the_file_of_somebody_else_is_not_taken_over(open_folder: Path) -> None:
    path = open_folder / "config.toml"
    path.write_text(TEXT)
    path.chmod(0o666)
    open_folder.chmod(0o777)
    with pytest.raises(
        ConfigurationError, match="cannot be written: operation not permitted; nothing was changed"
    ):
        as_nobody(lambda: edit_window(path, CHANGE))
    assert path.read_text() == TEXT
    assert path.stat().st_uid == 0
    assert names_in(open_folder) == ["config.toml"]
