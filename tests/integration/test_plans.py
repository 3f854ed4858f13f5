"""How the databases carry out what cleanupctl sends: looked at with EXPLAIN while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from cleanupctl.core.run.cleaning import BatchDeleted, TableStarted
from cleanupctl.core.settings import CleanupSettings, TableSettings, TablesSettings
from cleanupctl.core.urls import parse_url
from cleanupctl.history.databases.servers import connect
from cleanupctl.history.kinds import history
from tests.support.cursors import database
from tests.support.limits import TestLimits

if TYPE_CHECKING:
    from cleanupctl.core.run.cleaning import Event

NOW = datetime(2024, 6, 15, 12, 0, tzinfo=UTC)
ROWS = 20_000
EXPLAINED = ("SELECT", "DELETE", "WITH")
CATALOGUES = ("pg_catalog", "information_schema", "sqlite_schema", "pragma_")


@dataclass
class Spy:
    """Explains each statement about the table before it is sent."""

    plans: dict[str, str] = field(default_factory=dict)

    def watch(self, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        kind = self.kind_of(url)
        for name in ("query", "_send"):
            monkeypatch.setattr(kind, name, self._explaining(getattr(kind, name)))

    @staticmethod
    def kind_of(url: str) -> type[Any]:
        opened = connect(parse_url(url))
        opened.close()
        return type(opened)

    def _explaining(self, sent: Any) -> Any:
        def explained(database: Any, sql: str, parameters: Any = (), *rest: Any) -> Any:
            text = " ".join(sql.split())
            about_the_table = "audit_event" in text and not any(name in text for name in CATALOGUES)
            if text.startswith(EXPLAINED) and about_the_table:
                self.plans[text] = self._plan(database, sql, parameters)
            return sent(database, sql, parameters, *rest)

        return explained

    @staticmethod
    def _plan(database: Any, sql: str, parameters: Any) -> str:
        word = "EXPLAIN QUERY PLAN" if type(database).__name__ == "SQLite" else "EXPLAIN"
        rows = database._connection.cursor()
        rows.execute(f"{word} {sql}", tuple(parameters))
        names = [column[0] for column in rows.description]
        if "select_type" in names:
            kind, key = names.index("type"), names.index("key")
            return "\n".join(f"by {row[kind]} of {row[key]}" for row in rows.fetchall())
        return "\n".join(" ".join(str(value) for value in row) for row in rows.fetchall())

    def of(self, word: str) -> list[str]:
        return [plan for text, plan in self.plans.items() if text.startswith(word)]


def fill(url: str, *, expired: int, mixed: bool = False) -> None:
    """ROWS rows, of which `expired` are older than ten days; mixed, or the oldest first."""
    kind = "DATETIME" if url.startswith("mysql") else "TIMESTAMP"
    every = ROWS // expired
    with database(url) as cursor:
        cursor.execute(
            f"CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at {kind} NULL, what VARCHAR(200))"
        )
        cursor.execute("CREATE INDEX audit_event_created ON audit_event (created_at)")
        mark = "?" if url.startswith("sqlite") else "%s"
        cursor.execute("BEGIN")
        cursor.executemany(
            f"INSERT INTO audit_event VALUES ({mark}, {mark}, {mark})",
            [
                (n, f"20{10 if (n % every == 0 if mixed else n < expired) else 24}-06-14 00:00:00", "x" * 200)
                for n in range(ROWS)
            ],
        )
        cursor.execute("COMMIT")
        if not url.startswith("sqlite"):
            cursor.execute("ANALYZE " + ("TABLE " if url.startswith("mysql") else "") + "audit_event")


def clean(url: str) -> list[Event]:
    table = TableSettings("audit_event", "created_at", ttl=10)
    configured = TablesSettings(name="audit", url=parse_url(url), timezone=ZoneInfo("UTC"), tables=(table,))
    with history(configured, CleanupSettings()).open() as session:
        return list(session.clean(NOW, TestLimits()))


def spied(url: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Spy, list[Event]]:
    spy = Spy()
    with monkeypatch.context() as patch:
        spy.watch(patch, url)
        events = clean(url)
    return spy, events


def way(events: list[Event]) -> list[str]:
    return [event.access_path for event in events if isinstance(event, TableStarted)]


def reads_everything(plan: str) -> bool:
    """Whether a plan looks at every row or every entry of an index."""
    lines = plan.splitlines()
    return any(
        "Seq Scan" in line  # PostgreSQL
        or line.startswith(("by ALL ", "by index "))  # MariaDB: all rows, all of an index
        or (" SCAN " in f" {line} " and "CONSTANT ROW" not in line and "SCAN bounded" not in line)  # SQLite
        for line in lines
    )


@pytest.mark.parametrize("mixed", [False, True], ids=["in order", "mixed"])
def test_no_statement_reads_the_whole_table_when_few_rows_have_expired(
    database_url: str, monkeypatch: pytest.MonkeyPatch, mixed: bool
) -> None:
    fill(database_url, expired=20, mixed=mixed)
    spy, events = spied(database_url, monkeypatch)
    assert sum(event.rows for event in events if isinstance(event, BatchDeleted)) == 20
    assert way(events) == ["index"]
    assert len(spy.of("DELETE")) >= 1
    # What looks at both ends of a table only, by its key, stops after some rows.
    read = {
        text: plan for text, plan in spy.plans.items() if reads_everything(plan) and "LIMIT 100" not in text
    }
    assert read == {}


def test_a_sweep_reads_a_range_of_the_table_at_a_time(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database_url, expired=ROWS // 2, mixed=True)
    spy, events = spied(database_url, monkeypatch)
    assert way(events) == ["sweep"]
    deletes = spy.of("DELETE")
    assert deletes
    wanted = {
        "postgresql": "Tid Range Scan",
        "mysql": "PRIMARY",
        "sqlite": "USING INTEGER PRIMARY KEY (rowid>",
    }[parse_url(database_url).scheme]
    # SQLite's first range has no lower end, its last no upper one.
    assert all(wanted in plan or "(rowid<" in plan for plan in deletes)
    assert not any(reads_everything(plan) for plan in deletes)


def test_postgresql_follows_the_index_where_the_rows_lie_in_its_order(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(postgresql_url, expired=ROWS // 2)
    spy, events = spied(postgresql_url, monkeypatch)
    assert way(events) == ["index"]
    assert all("Seq Scan" not in plan for plan in spy.of("DELETE"))


@pytest.mark.parametrize(("order", "wanted"), [("id", "index"), ("id * 7919 % 20000", "sweep")])
def test_sqlite_follows_the_index_where_the_rows_lie_in_its_order(
    sqlite_url: str, order: str, wanted: str
) -> None:
    fill(sqlite_url, expired=ROWS)
    with database(sqlite_url) as cursor:
        cursor.execute(f"UPDATE audit_event SET created_at = datetime('2010-01-01', ({order}) || ' minutes')")
    events = clean(sqlite_url)
    assert way(events) == [wanted]
    assert sum(event.rows for event in events if isinstance(event, BatchDeleted)) == ROWS


def test_postgresql_rolls_no_batch_back_where_the_expired_rows_lie_in_bands(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database(postgresql_url) as cursor:
        cursor.execute("CREATE TABLE audit_event (id INTEGER PRIMARY KEY, created_at TIMESTAMP)")
        cursor.execute(
            "INSERT INTO audit_event SELECT n, CASE WHEN n / 50000 % 2 = 1 THEN TIMESTAMP '2010-01-01'"
            " ELSE TIMESTAMP '2024-06-14' END FROM generate_series(1, 300000) AS n"
        )
        cursor.execute("ANALYZE audit_event")
    outcomes: list[list[int] | None] = []
    kind = Spy.kind_of(postgresql_url)
    transact = kind.transact

    def noted(opened: Any, *arguments: Any) -> list[int] | None:
        outcomes.append(transact(opened, *arguments))
        return outcomes[-1]

    monkeypatch.setattr(kind, "transact", noted)
    deleted = [event.rows for event in clean(postgresql_url) if isinstance(event, BatchDeleted)]
    assert sum(deleted) == 150_000
    assert max(deleted) <= CleanupSettings().batch_size
    # The first band comes unawares; after that it is known how many rows a block can hold.
    assert outcomes.count(None) <= 1
