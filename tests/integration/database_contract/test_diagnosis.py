"""What a server says of itself when it is checked: privileges, storage, vacuum, transactions, replicas."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from cleanupctl.core.errors import HistoryError
from cleanupctl.core.urls import parse_url
from tests.support.contract import covers
from tests.support.cursors import database as raw

if TYPE_CHECKING:
    from tests.support.contract import Place


@covers("missing_privileges", "grant_statement", "qualified")
def test_missing_privileges_are_found_and_the_grant_gives_them(place: Place) -> None:
    table, database = place.events(3, 1).table, place.database
    assert database.missing_privileges(table) == []
    if place.is_file:
        assert database.grant_statement(["SELECT"], "event") is None
        return
    with place.stranger() as url:
        login = parse_url(url).user
        to = f"'{login}'@'%'" if place.family == "mysql" else login
        place.administrate(f"GRANT SELECT ON event TO {to}")
        with place.another(url) as stranger:
            found = stranger.find_table("event")
            assert found is not None
            assert stranger.missing_privileges(found) == ["DELETE"]
            grant = stranger.grant_statement(["DELETE"], stranger.qualified(found))
            assert grant is not None
            with pytest.raises(HistoryError):
                stranger.rehearse(found)
            place.administrate(grant)
            assert stranger.missing_privileges(found) == []
            stranger.rehearse(found)
    assert place.ids() == [0, 1, 2]


@covers("rehearse")
def test_a_rehearsal_deletes_nothing_and_meets_what_deleting_would(place: Place) -> None:
    table = place.events(3, 3).table
    place.database.rehearse(table)
    assert place.ids() == [0, 1, 2]
    if place.is_file:
        place.run("ALTER TABLE event RENAME TO elsewhere")
        with pytest.raises(HistoryError):
            place.database.rehearse(table)
        return
    place.run("DROP TABLE event")
    with pytest.raises(HistoryError):
        place.database.rehearse(table)


@covers("may_be_hidden", "find_table")
def test_a_table_that_is_not_found_may_be_hidden_where_the_catalogue_shows_only_what_is_granted(
    place: Place,
) -> None:
    place.events(1, 1)
    assert not place.database.may_be_hidden("event")
    assert not place.database.may_be_hidden("nowhere")
    if place.is_file:
        return
    with place.stranger() as url, place.another(url) as stranger:
        hidden = place.family == "mysql"
        assert (stranger.find_table("event") is None) == hidden
        assert stranger.may_be_hidden("event") == hidden


@covers("denied", "hidden")
def test_what_keeps_a_login_from_reading_is_said_and_the_grant_ends_it(place: Place) -> None:
    table = place.events(3, 1).table
    columns = [column.name for column in table.columns.values()]
    assert list(place.database.denied(table, columns)) == []
    assert "nowhere" in place.database.hidden("nowhere", None, sure=True).message
    if place.is_file:
        return
    with place.stranger() as url, place.another(url) as stranger:
        (found,) = stranger.denied(table, columns)
        assert "event" in found.table.lower()
        assert found.remedy is not None
        place.administrate(found.remedy)
        assert list(stranger.denied(table, columns)) == []


WHOLE = ("SELECT * FROM event", "SELECT what, id AS number, NULL AS picture FROM event AS e")
HIDING = (
    "SELECT * FROM event WHERE what IS NULL",
    "SELECT e.* FROM event AS e JOIN other AS o ON o.id = e.id",
    "SELECT e.* FROM event AS e, other AS o",
    "SELECT DISTINCT what FROM event",
    "SELECT max(id) AS id FROM event",
    "SELECT what FROM event GROUP BY what",
    "SELECT * FROM event LIMIT 1",
    "SELECT id FROM event UNION SELECT id FROM other",
    "SELECT * FROM part",
    "SELECT 1 AS id",
)


@covers("denied")
def test_a_view_that_may_leave_rows_out_is_denied_and_one_of_every_row_is_not(place: Place) -> None:
    place.events(2, 1)
    place.run("CREATE TABLE other (id INTEGER)", f"CREATE VIEW part AS {HIDING[0]}")
    denied = []
    for definition in (*WHOLE, *HIDING):
        place.run("DROP VIEW IF EXISTS shown", f"CREATE VIEW shown AS {definition}")
        view = place.database.find_tables(("shown",))["shown"]
        columns = [column.name for column in view.columns.values()]
        if found := list(place.database.denied(view, columns)):
            assert "shown may leave rows out" in found[0].message
            denied.append(definition)
    # No engine has its tables in a file.
    assert denied == ([] if place.is_file else [*HIDING])


@covers("schema_usage")
def test_a_schema_that_the_login_may_not_use_is_found_and_the_grant_opens_it(place: Place) -> None:
    table = place.events(1, 1).table
    assert list(place.database.schema_usage(table)) == []
    if place.product != "postgresql":
        return
    with place.stranger() as url, place.another(url) as stranger:
        place.run("CREATE SCHEMA aside", "CREATE TABLE aside.event (n INTEGER)")
        found = stranger.find_table("event", "aside")
        assert found is not None
        (finding,) = stranger.schema_usage(found)
        assert finding.severity == "error"
        assert finding.remedy is not None
        place.administrate(finding.remedy)
        assert list(stranger.schema_usage(found)) == []


@covers("read_only")
def test_a_server_that_can_only_be_read_from_is_an_error_and_the_remedy_opens_it(place: Place) -> None:
    assert list(place.database.read_only()) == []
    if place.is_file:
        return
    login = parse_url(place.url).user
    if place.family == "mysql":
        place.administrate("SET GLOBAL read_only = ON")
    else:
        place.administrate(f"ALTER ROLE {login} SET default_transaction_read_only = on")
    try:
        with place.another() as limited:
            (finding,) = limited.read_only()
        with place.another(place.admin_url) as admin:
            # Who may write all the same has nothing to change.
            assert list(admin.read_only()) == []
        assert finding.severity == "error"
        assert finding.remedy is not None
        place.administrate(finding.remedy.rpartition(": ")[2])
        with place.another() as freed:
            assert list(freed.read_only()) == []
    finally:
        if place.family == "mysql":
            place.administrate("SET GLOBAL read_only = OFF")


@covers("storage")
def test_a_table_without_transactions_is_an_error_and_the_remedy_gives_it_them(place: Place) -> None:
    table = place.events(1, 1).table
    assert list(place.database.storage(table)) == []
    if place.family != "mysql":
        return
    place.run("ALTER TABLE event ENGINE = MyISAM")
    (finding,) = place.database.storage(place.table("event"))
    assert (finding.severity, finding.table) == ("error", "event")
    assert finding.remedy is not None
    place.run(finding.remedy)
    assert list(place.database.storage(place.table("event"))) == []


@covers("vacuum")
def test_a_table_that_is_never_vacuumed_is_found_and_the_remedy_mends_it(place: Place) -> None:
    table = place.events(1, 1).table
    assert list(place.database.vacuum([table])) == []
    if place.product != "postgresql":
        return
    place.run("ALTER TABLE event SET (autovacuum_enabled = false)")
    (finding,) = place.database.vacuum([table])
    assert (finding.severity, finding.table) == ("warning", "event")
    assert finding.remedy is not None
    place.run(finding.remedy)
    assert list(place.database.vacuum([table])) == []


@covers("long_transactions")
def test_a_transaction_of_another_session_is_found_by_its_age_and_the_remedy_ends_it(place: Place) -> None:
    table = place.events(1, 1).table
    if place.is_file:
        assert list(place.database.long_transactions(timedelta(0))) == []
        return
    with raw(place.url) as holder:
        holder.execute("BEGIN")
        holder.execute("SELECT count(*) FROM event FOR UPDATE" if place.family == "mysql" else "SELECT 1")
        holder.fetchall()
        with place.another(place.admin_url) as admin:
            assert list(admin.long_transactions(timedelta(hours=1))) == []
            # However young it is.
            (finding,) = admin.long_transactions(timedelta(seconds=-1))
        assert finding.severity == "warning"
        assert "has had a transaction open for 0 h 0 min" in finding.message
        assert finding.remedy is not None
        place.administrate(finding.remedy.partition(": ")[2])
        with pytest.raises(Exception):  # noqa: B017 each driver has its own
            holder.execute("SELECT 1")
    found = list(place.database.long_transactions(timedelta(hours=1)))
    # MySQL shows transactions of others only to those who may see processes.
    assert [one.severity for one in found] == (["hint"] if place.family == "mysql" else [])
    assert table.name == "event"


@covers("replica_lag")
def test_a_history_without_replicas_lags_behind_nothing(place: Place) -> None:
    lag = place.database.replica_lag(None)
    assert lag.seconds() == 0
    lag.close()


@covers("replica_lag")
def test_a_configured_replica_that_does_not_replicate_is_infinitely_late_where_it_tells_itself(
    place: Place,
) -> None:
    if place.family != "mysql":
        lag = place.database.replica_lag(parse_url(place.url))
        assert lag.seconds() == 0
        lag.close()
        return
    lag = place.database.replica_lag(parse_url(place.admin_url))
    assert lag.seconds() == math.inf
    lag.close()
    assert lag.seconds() == math.inf, "it connects anew"
    lag.close()
    denied = place.database.replica_lag(parse_url(place.url))
    with pytest.raises(HistoryError):
        denied.seconds()
    denied.close()
