"""The write-ahead log of an SQLite history: written back while rows are deleted, by nobody else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.settings import CleanupSettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history.databases.conditions import Condition
from cleanupctl.history.databases.servers import connect
from cleanupctl.history.databases.sqlite import checkpoints as sqlite_checkpoints
from cleanupctl.history.databases.sqlite.database import SQLite
from cleanupctl.history.databases.statements import Delete
from tests.support.cleaning import clean
from tests.support.table_histories import AUDIT, fill, ids, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = 4096


@pytest.fixture
def path(sqlite_url: str) -> Path:
    file = Path(parse_url(sqlite_url).database)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, body BLOB)")
        numbers = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 1500)"
        connection.execute(f"INSERT INTO event {numbers} SELECT n, zeroblob(3000) FROM s")
    return file


@pytest.fixture
def opened(sqlite_url: str, path: Path) -> Iterator[SQLite]:
    assert path.exists()
    database = connect(parse_url(sqlite_url))
    assert isinstance(database, SQLite)
    yield database
    database.close()


def delete(database: SQLite, *, first: int, last: int) -> None:
    table = database.find_table("event")
    assert table
    database.delete(Delete(table, Condition("t.id BETWEEN %s AND %s", (first, last))), 1000)


def log_size(path: Path) -> int:
    return path.with_name(f"{path.name}-wal").stat().st_size


def test_a_long_log_is_written_back_and_begins_anew(
    opened: SQLite, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_checkpoints, "LONG_LOG_BYTES", 100 * PAGE)
    sizes = []
    for first in range(1, 1500, 100):
        delete(opened, first=first, last=first + 99)
        opened.end_turn()
        opened.end_turn()
        sizes.append(log_size(path))
    # All in all some 1,500 pages are written.
    assert sizes[-1] == sizes[len(sizes) // 2] < 600 * PAGE


def test_a_reader_with_an_old_snapshot_holds_nobody_up(
    opened: SQLite, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_checkpoints, "LONG_LOG_BYTES", PAGE)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM event").fetchone() == (1500,)
        for first in range(1, 1500, 500):
            delete(opened, first=first, last=first + 499)
            opened.end_turn()
        assert reader.execute("SELECT count(*) FROM event").fetchone() == (1500,)


def test_what_was_deleted_is_in_the_file_itself_at_the_end(opened: SQLite, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        # Only the last connection of all writes the log back by itself.
        other.execute("SELECT count(*) FROM event").fetchone()
        delete(opened, first=1, last=1000)
        opened.end_turn()
        delete(opened, first=1001, last=1200)
        opened.close()
        copy = path.with_name("copy.sqlite3")
        copy.write_bytes(path.read_bytes())
    with closing(sqlite3.connect(copy)) as alone:
        assert alone.execute("SELECT count(*) FROM event").fetchone() == (300,)


def test_cleaning_has_the_log_written_back_between_batches(
    sqlite_url: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(sqlite_url, 120)
    turns: list[int] = []
    advance = sqlite_checkpoints.Checkpoints.advance

    def counted(checkpoints: sqlite_checkpoints.Checkpoints) -> None:
        advance(checkpoints)
        turns.append(log_size(path))

    monkeypatch.setattr(sqlite_checkpoints.Checkpoints, "advance", counted)
    monkeypatch.setattr(SQLite, "writing_turn", 0.0)
    clean(settings(sqlite_url, AUDIT), cleanup=CleanupSettings(batch_size=10))
    assert ids(sqlite_url) == list(range(90))
    assert len(turns) >= 3
