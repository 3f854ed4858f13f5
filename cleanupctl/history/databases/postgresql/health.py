"""What keeps deleted rows in PostgreSQL's tables: long transactions, replication slots, no vacuum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.databases.findings import Finding, long_transaction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.database import Database

MOST_NAMED = 3
"""Tables of many that a finding names."""

_TRANSACTIONS = """
SELECT pid, coalesce(usename, ''), coalesce(application_name, ''), state,
  extract(epoch FROM pg_catalog.clock_timestamp() - xact_start)::bigint
FROM pg_catalog.pg_stat_activity
WHERE xact_start < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => %s)
  AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend' ORDER BY xact_start LIMIT 5
"""
_UNUSED_SLOTS = """
SELECT slot_name, pg_catalog.age(coalesce(xmin, catalog_xmin)) FROM pg_catalog.pg_replication_slots
WHERE NOT active AND coalesce(xmin, catalog_xmin) IS NOT NULL
"""
_WITHOUT_AUTOVACUUM = """
SELECT c.oid FROM pg_catalog.pg_class c
WHERE c.oid = ANY(%s) AND 'autovacuum_enabled=false' = ANY(c.reloptions)
"""


_READ_ONLY = """
SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('default_transaction_read_only')::boolean
"""


def read_only(database: Database, login: str) -> Iterator[Finding]:
    """Find out whether this is a standby server, or the login's transactions only read."""
    standby, only_read = database.query(_READ_ONLY)[0]
    if standby:
        message = "the server is a standby, which can only be read from: a run deletes nothing"
        yield Finding("error", None, message, "set url of the history to the primary server")
    elif only_read:
        yield Finding(
            "error",
            None,
            f"transactions of {login} only read (default_transaction_read_only): a run deletes nothing",
            f"ALTER ROLE {database.quote(login)} SET default_transaction_read_only = off;",
        )


def long_transactions(database: Database, longer: timedelta) -> Iterator[Finding]:
    """Find transactions that have been open for longer than that, and replication slots nobody uses."""
    for process, user, program, state, age in database.query(_TRANSACTIONS, (longer.total_seconds(),)):
        who = f"process {process} of {user} ({program or 'no name'}, {state})"
        yield long_transaction(who, age, f"SELECT pg_catalog.pg_terminate_backend({process})")
    for name, age in database.query(_UNUSED_SLOTS):
        yield Finding(
            "warning",
            None,
            f"replication slot {name} is not in use and keeps {age} transactions' deleted rows in the tables",
            f"drop it if nobody needs it: SELECT pg_catalog.pg_drop_replication_slot('{name}');",
        )


def vacuum(database: Database, tables: Sequence[Table]) -> Iterator[Finding]:
    """Find out whether PostgreSQL frees what is deleted by itself."""
    if database.query("SELECT pg_catalog.current_setting('autovacuum')")[0][0] == "off":
        yield Finding(
            "warning",
            None,
            "autovacuum is off: what is deleted is never freed for new rows",
            "ALTER SYSTEM SET autovacuum = on; SELECT pg_catalog.pg_reload_conf();",
        )
    off = {row[0] for row in database.query(_WITHOUT_AUTOVACUUM, ([t.detail["oid"] for t in tables],))}
    for table in tables:
        if table.detail["oid"] in off:
            yield Finding(
                "warning",
                table.name,
                "autovacuum is off for this table: what is deleted is never freed for new rows",
                f"ALTER TABLE {database.qualified(table)} RESET (autovacuum_enabled);",
            )


def inheriting(database: Database, table: Table) -> Iterator[Finding]:
    """Find tables with rows that inherit from a table: they are tables of their own for cleanup."""
    places = [database.place(name, schema) for schema, name in table.detail["children"]]
    filled = [place for place in places if database.query(f"SELECT 1 FROM ONLY {place} LIMIT 1")]
    if filled:
        more = f" and {len(filled) - MOST_NAMED} more" if len(filled) > MOST_NAMED else ""
        yield Finding(
            "warning",
            table.name,
            f"rows of tables that inherit from {table.name} are not deleted with its own:"
            f" {', '.join(filled[:MOST_NAMED])}{more}",
            "configure a [[history.table]] for each of them, or let the partitioning drop them",
        )
