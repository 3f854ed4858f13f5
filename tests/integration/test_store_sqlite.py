"""The embedded job store: its file, who may read it, and what happens when it is not usable."""

from __future__ import annotations

import os
import pwd
import shutil
import sqlite3
import tempfile
import threading
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.errors import StoreError
from cleanupctl.core.store import failures, open_store, schema
from cleanupctl.core.urls import DatabaseUrl, parse_url
from tests.support.store import a_job, add, an_entry, exactly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.core.store.session import Session


def url_of(path: Path) -> DatabaseUrl:
    return DatabaseUrl("sqlite", str(path))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@contextmanager
def without_privileges() -> Iterator[None]:
    """Let file permissions count even when the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that everyone may enter and only its owner may write."""
    folder = Path(tempfile.mkdtemp(prefix="cleanupctl-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_store_that_has_gone_is_not_made_again_for_everybody_to_read(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    with open_store(parse_url(f"sqlite:///{path}")) as store:
        store.close()
        for one in tmp_path.iterdir():
            one.unlink()
        with pytest.raises(StoreError, match="cannot be opened"):
            store.jobs()
    assert not path.exists()


def test_the_file_and_its_new_folders_belong_to_their_owner_alone(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    path = shared / "state" / "cleanupctl" / "jobs.db"
    before = os.umask(0)
    try:
        with open_store(url_of(path)) as store:
            add(store, a_job())
            beside = [mode(path.with_name(path.name + ending)) for ending in ("-wal", "-shm")]
    finally:
        os.umask(before)
    assert mode(path) == 0o600
    assert beside == [0o600, 0o600]
    assert mode(path.parent) == mode(path.parent.parent) == 0o700
    assert mode(shared) == 0o755


def test_a_link_that_leads_nowhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "jobs.db").symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(StoreError, match=r"No such file"):
        open_store(url_of(tmp_path / "jobs.db"))
    assert not (tmp_path / "elsewhere.db").exists()


def test_a_missing_file_is_not_created_for_reading(tmp_path: Path) -> None:
    path = tmp_path / "state" / "jobs.db"
    with open_store(url_of(path), create=False) as store:
        assert store.missing
        assert store.jobs() == []
    assert list(tmp_path.iterdir()) == []


def test_reading_an_existing_store_reads_it(sqlite_url: str) -> None:
    url = parse_url(sqlite_url)
    with open_store(url) as store:
        stored = add(store, a_job())
    with open_store(url, create=False) as store:
        assert store.jobs() == stored
        assert not store.missing


def test_commits_survive_the_power_because_each_is_synced(sqlite_url: str) -> None:
    with open_store(parse_url(sqlite_url)) as store:
        assert store._session.database.pragma("journal_mode") == "wal"
        assert store._session.database.pragma("synchronous") == 2


def test_the_path_may_start_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    open_store(parse_url("sqlite:///~/jobs.db")).close()
    assert (tmp_path / "jobs.db").exists()


def test_a_store_shares_a_file_with_other_tables(sqlite_url: str) -> None:
    url = parse_url(sqlite_url)
    with closing(sqlite3.connect(url.database)) as other:
        other.execute("CREATE TABLE job (id)")
    with open_store(url) as store:
        add(store, a_job())
        tables = store._session.database.get_tables()
    assert sorted(tables) == ["cleanupctl_job", "cleanupctl_job_log", "cleanupctl_property", "job"]


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="it is a folder") as error:
        open_store(url_of(tmp_path))
    assert str(url_of(tmp_path)) in error.value.message


@pytest.mark.parametrize("create", [True, False])
def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path, create: bool) -> None:
    path = tmp_path / "notes.txt"
    content = "buy milk\n" * 1000
    path.write_text(content)
    with pytest.raises(StoreError, match="not an SQLite database") as error:
        open_store(url_of(path), create=create)
    assert str(path) in error.value.message
    assert path.read_text() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_file_is_left_as_it_is_and_the_way_out_is_named(sqlite_url: str) -> None:
    url = parse_url(sqlite_url)
    with open_store(url) as store:
        store.reconfigure(exactly(4), an_entry)
    path = Path(url.database)
    content = path.read_bytes()
    damaged = content[:4096] + b"\xff" * (len(content) - 4096)
    path.write_bytes(damaged)
    with pytest.raises(StoreError, match=r"damaged.*\.recover") as error, open_store(url) as store:
        store.reconfigure(exactly(4), an_entry)
    assert error.value.exit_code == 11
    assert path.read_bytes() == damaged


def test_a_file_locked_by_another_process_is_an_error_after_a_while(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = parse_url(sqlite_url)
    open_store(url).close()
    monkeypatch.setattr(failures, "LOCK_WAIT_SECONDS", 0.1)
    with closing(sqlite3.connect(url.database, isolation_level=None)) as other, open_store(url) as store:
        other.execute("BEGIN IMMEDIATE")
        assert store.jobs() == []
        with pytest.raises(StoreError, match="locked by another process"):
            store.reconfigure(exactly(1), an_entry)
        other.execute("ROLLBACK")
        assert len(store.reconfigure(exactly(1), an_entry)) == 1


def test_creating_in_a_file_that_another_process_is_about_to_release_succeeds(sqlite_url: str) -> None:
    url = parse_url(sqlite_url)
    with closing(sqlite3.connect(url.database, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        release = threading.Timer(0.3, other.execute, ["COMMIT"])
        release.start()
        open_store(url).close()
        release.join()


def test_creating_in_a_file_locked_by_another_process_is_an_error_after_a_while(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = parse_url(sqlite_url)
    monkeypatch.setattr(failures, "LOCK_WAIT_SECONDS", 0.1)
    with closing(sqlite3.connect(url.database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="locked by another process"):
            open_store(url)


def test_a_full_disk_is_named(sqlite_url: str) -> None:
    with open_store(parse_url(sqlite_url)) as store:
        before = add(store, a_job())
        database = store._session.database
        database.pragma("max_page_count", database.pragma("page_count"))
        with pytest.raises(StoreError, match=r"disk of the job store .* is full"):
            store.reconfigure(exactly(8), lambda job, state: an_entry(job, state, stop_reason="x" * 9000))
        assert store.jobs() == before


def test_a_file_of_somebody_else_is_not_opened(public_folder: Path) -> None:
    path = public_folder / "jobs.db"
    open_store(url_of(path)).close()
    owner = public_folder if os.geteuid() == 0 else path
    owner.chmod(mode(owner) & 0o555)
    with without_privileges(), pytest.raises(StoreError, match="Permission denied") as error:
        open_store(url_of(path))
    assert str(path) in error.value.message


@pytest.mark.parametrize("below", ["jobs.db", "new/folder/jobs.db"])
def test_a_folder_that_may_not_be_written_gets_no_store(public_folder: Path, below: str) -> None:
    public_folder.chmod(0o555)
    with without_privileges(), pytest.raises(StoreError, match="Permission denied"):
        open_store(url_of(public_folder / below))
    assert list(public_folder.iterdir()) == []


def test_a_readable_file_in_a_folder_that_may_not_be_written_is_an_error_not_a_crash(
    public_folder: Path,
) -> None:
    path = public_folder / "jobs.db"
    open_store(url_of(path)).close()
    path.chmod(0o666)
    public_folder.chmod(0o555)
    with without_privileges(), pytest.raises(StoreError, match=r"cannot be (written|opened)"):
        open_store(url_of(path)).jobs()


def test_a_store_of_a_newer_version_is_refused_and_left_as_it_is(sqlite_url: str) -> None:
    url = parse_url(sqlite_url)
    open_store(url).close()
    with closing(sqlite3.connect(url.database)) as other:
        other.execute("UPDATE cleanupctl_property SET value = 7 WHERE name = 'schema_version'")
        other.commit()
    content = Path(url.database).read_bytes()
    with pytest.raises(StoreError, match=r"schema 7, this one knows up to 1.*upgrade cleanupctl"):
        open_store(url)
    assert Path(url.database).read_bytes() == content


def test_a_store_of_an_older_version_is_upgraded_once(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = parse_url(sqlite_url)
    with open_store(url) as store:
        stored = add(store, a_job())
    upgrades: list[int] = []

    def upgrade(session: Session) -> None:
        upgrades.append(1)
        session.database.execute_sql("ALTER TABLE cleanupctl_job ADD COLUMN note TEXT")

    monkeypatch.setattr(schema, "SCHEMA_VERSION", 2)
    monkeypatch.setitem(schema.UPGRADES, 1, upgrade)
    for _ in range(2):
        with open_store(url) as store:
            assert store.jobs() == stored
    assert upgrades == [1]


def test_a_failing_upgrade_leaves_the_old_version(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = parse_url(sqlite_url)
    open_store(url).close()

    def upgrade(session: Session) -> None:
        session.database.execute_sql("ALTER TABLE cleanupctl_job ADD COLUMN note TEXT")
        raise LookupError

    with monkeypatch.context() as patch:
        patch.setattr(schema, "SCHEMA_VERSION", 2)
        patch.setitem(schema.UPGRADES, 1, upgrade)
        with pytest.raises(LookupError):
            open_store(url)
    with open_store(url) as store:
        assert "note" not in [column.name for column in store._session.database.get_columns("cleanupctl_job")]


def test_a_store_that_lost_the_row_of_its_lock_refuses_to_schedule(sqlite_url: str) -> None:
    with open_store(parse_url(sqlite_url)) as store:
        store._session.database.execute_sql("DELETE FROM cleanupctl_property WHERE name = 'schedulings'")
        with pytest.raises(StoreError, match="schedulings"):
            store.reconfigure(exactly(1), an_entry)
        assert store.jobs() == []


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"job_id": "a"},
        {"states": [1]},
        {"job_id": "a", "since": a_job().create_time, "until": a_job().create_time},
    ],
    ids=lambda filters: "+".join(filters) or "all",
)
def test_the_log_is_read_in_the_order_of_an_index(sqlite_url: str, filters: dict[str, object]) -> None:
    with open_store(parse_url(sqlite_url)) as store:
        statements: list[str] = []
        database = store._session.database
        database.connection().set_trace_callback(statements.append)
        store.log(limit=10, **filters)  # type: ignore[arg-type]
        database.connection().set_trace_callback(None)
        plan = " ".join(row[3] for row in database.execute_sql(f"EXPLAIN QUERY PLAN {statements[0]}"))
    assert "USING INDEX cleanupctl_job_log" in plan
    assert "TEMP B-TREE" not in plan
