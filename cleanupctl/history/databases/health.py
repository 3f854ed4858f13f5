"""What of the server keeps deleted rows in the tables: long transactions, and no vacuum."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cleanupctl.history.databases.findings import Finding, is_denied, span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.findings import Inspected


def transactions(inspected: Inspected) -> Iterator[Finding]:
    """Find transactions that have been open for long: what is deleted stays in the tables meanwhile."""
    seconds = inspected.long_transaction.total_seconds()
    if inspected.kind == "postgresql":
        yield from _postgresql_transactions(inspected, seconds)
    elif inspected.kind == "mysql":
        yield from _mysql_transactions(inspected, seconds)


def _postgresql_transactions(inspected: Inspected, seconds: float) -> Iterator[Finding]:
    sql = """
SELECT pid, coalesce(usename, ''), coalesce(application_name, ''), state,
  extract(epoch FROM clock_timestamp() - xact_start)::bigint
FROM pg_catalog.pg_stat_activity
WHERE xact_start < clock_timestamp() - make_interval(secs => %s) AND pid <> pg_backend_pid()
  AND backend_type = 'client backend' ORDER BY xact_start LIMIT 5
"""
    for process, user, program, state, age in inspected.database.query(sql, (seconds,)):
        who = f"process {process} of {user} ({program or 'no name'}, {state})"
        yield _long_running(who, age, f"SELECT pg_terminate_backend({process})")
    for name, age in inspected.database.query(
        "SELECT slot_name, age(coalesce(xmin, catalog_xmin)) FROM pg_catalog.pg_replication_slots"
        " WHERE NOT active AND coalesce(xmin, catalog_xmin) IS NOT NULL"
    ):
        yield Finding(
            "warning",
            None,
            f"replication slot {name} is not in use and keeps {age} transactions' deleted rows in the tables",
            f"drop it if nobody needs it: SELECT pg_drop_replication_slot('{name}');",
        )


def _mysql_transactions(inspected: Inspected, seconds: float) -> Iterator[Finding]:
    database = inspected.database
    sql = """
SELECT trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, trx_started, SYSDATE()) AS age
FROM information_schema.innodb_trx
WHERE trx_mysql_thread_id <> CONNECTION_ID() HAVING age > %s ORDER BY age DESC LIMIT 5
"""
    if is_denied(database, "SELECT 1 FROM information_schema.innodb_trx LIMIT 1"):
        yield Finding(
            "hint",
            None,
            "long transactions of others cannot be seen",
            f"GRANT PROCESS ON *.* TO '{inspected.settings.url.user}'@'%';",
        )
        return
    for thread, age in database.query(sql, (seconds,)):
        yield _long_running(f"connection {thread}", age, f"KILL {thread}")


def _long_running(who: str, seconds: int, end: str) -> Finding:
    return Finding(
        "warning",
        None,
        f"{who} has had a transaction open for {span(timedelta(seconds=int(seconds)))}: deleted rows stay in"
        " the tables until it ends, and every batch has to step over them",
        f"end it if nobody needs it: {end};",
    )


def vacuum(inspected: Inspected, tables: list[Table]) -> Iterator[Finding]:
    """Find out whether PostgreSQL frees what is deleted by itself."""
    if inspected.kind != "postgresql":
        return
    database = inspected.database
    if database.query("SELECT current_setting('autovacuum')")[0][0] == "off":
        yield Finding(
            "warning",
            None,
            "autovacuum is off: what is deleted is never freed for new rows",
            "ALTER SYSTEM SET autovacuum = on; SELECT pg_reload_conf();",
        )
    sql = (
        "SELECT c.oid FROM pg_catalog.pg_class c WHERE c.oid = ANY(%s)"
        " AND 'autovacuum_enabled=false' = ANY(c.reloptions)"
    )
    off = {row[0] for row in database.query(sql, ([table.detail["oid"] for table in tables],))}
    for table in tables:
        if table.detail["oid"] in off:
            yield Finding(
                "warning",
                table.name,
                "autovacuum is off for this table: what is deleted is never freed for new rows",
                f"ALTER TABLE {database.qualified(table).replace('%%', '%')} RESET (autovacuum_enabled);",
            )
