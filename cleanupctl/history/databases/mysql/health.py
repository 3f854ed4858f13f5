"""What keeps deleted rows in MySQL's and MariaDB's tables: long transactions; and tables without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleanupctl.history.databases.findings import Finding, long_transaction
from cleanupctl.history.databases.mysql.privileges import grant_statement, is_denied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.database import Database

FIRST_ROWS = 1_000

_TRANSACTIONS = """
SELECT trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, trx_started, SYSDATE()) AS age
FROM information_schema.innodb_trx
WHERE trx_mysql_thread_id <> CONNECTION_ID() HAVING age > %s ORDER BY age DESC LIMIT 5
"""


_EXEMPT = """
SELECT 1 FROM information_schema.user_privileges
WHERE privilege_type IN ('SUPER', 'READ ONLY ADMIN', 'READ_ONLY ADMIN', 'CONNECTION_ADMIN') LIMIT 1
"""
"""Privileges with which one may write to a read-only server all the same; others see only their own here."""


def read_only(database: Database) -> Iterator[Finding]:
    """Find out whether the server takes no changes from this login."""
    names = "'read_only', 'super_read_only', 'innodb_read_only'"
    found = dict(database.query(f"SHOW GLOBAL VARIABLES WHERE variable_name IN ({names})"))
    on = [name for name, value in found.items() if value not in ("OFF", "0")]
    if not on or (on == ["read_only"] and database.query(_EXEMPT)):
        return
    yield Finding(
        "error",
        None,
        f"the server can only be read from ({', '.join(on)}): a run deletes nothing",
        "set url of the history to the server that takes changes; if this is it: SET GLOBAL read_only = OFF;",
    )


_TRIGGER_PRIVILEGE = """
SELECT 1 FROM information_schema.user_privileges WHERE privilege_type = 'TRIGGER' AND grantee = %s
UNION SELECT 1 FROM information_schema.schema_privileges
WHERE privilege_type = 'TRIGGER' AND grantee = %s AND %s LIKE table_schema
UNION SELECT 1 FROM information_schema.table_privileges
WHERE privilege_type = 'TRIGGER' AND grantee = %s AND table_schema = %s AND table_name = %s
"""


def unseen_triggers(database: Database, table: Table) -> Iterator[Finding]:
    """Find out whether the login may see the table's triggers; what a role may is not looked at."""
    user, _, host = str(database.query("SELECT CURRENT_USER()")[0][0]).rpartition("@")
    grantee = f"'{user}'@'{host}'"
    asked = (grantee, grantee, table.schema, grantee, table.schema, table.name)
    if not database.query(_TRIGGER_PRIVILEGE, asked):
        yield Finding(
            "hint",
            table.name,
            f"{database.login} may not see triggers of {table.name}, which would run for each deleted row",
            grant_statement(database, ["TRIGGER"], database.qualified(table)),
        )


def long_transactions(database: Database, longer: timedelta) -> Iterator[Finding]:
    """Find transactions that have been open for longer than that."""
    if is_denied(database, "SELECT 1 FROM information_schema.innodb_trx LIMIT 1"):
        grant = grant_statement(database, ["PROCESS"], "*.*")
        yield Finding("hint", None, "long transactions of others cannot be seen", grant)
        return
    for thread, age in database.query(_TRANSACTIONS, (longer.total_seconds(),)):
        yield long_transaction(f"connection {thread}", age, f"KILL {thread}")


def self_referring(database: Database, table: Table) -> Iterator[Finding]:
    """Find rows that refer to themselves among the first ones: InnoDB does not delete them."""
    for key in table.references:
        if not key.own or key.action != "restrict":
            continue
        columns = ", ".join(map(database.quote, dict.fromkeys((*key.columns, *key.referenced))))
        same = " AND ".join(
            f"{database.quote(ours)} = {database.quote(theirs)}"
            for ours, theirs in zip(key.columns, key.referenced, strict=True)
        )
        first = f"SELECT {columns} FROM {database.qualified(table)} LIMIT {FIRST_ROWS}"
        if database.query(f"SELECT 1 FROM ({first}) AS some WHERE {same} LIMIT 1"):
            yield Finding(
                "warning",
                table.name,
                f"rows of {table.name} refer to themselves by {', '.join(key.columns)}: this server deletes"
                " no such row, and they are skipped",
                f"write NULL in place of a row's own {', '.join(key.referenced)}",
            )


def storage(database: Database, table: Table) -> Iterator[Finding]:
    """Find out whether the table's storage engine has transactions."""
    engine = table.detail.get("engine")
    if str(engine).lower() != "innodb":
        yield Finding(
            "error",
            table.name,
            f"the storage engine is {engine}, which has no transactions and locks the whole table",
            f"ALTER TABLE {database.qualified(table)} ENGINE = InnoDB;",
        )


def versions(database: Database, table: Table) -> Iterator[Finding]:
    """Find out whether a table is system-versioned: what is deleted stays in its history."""
    if table.detail.get("versioned"):
        yield Finding(
            "hint",
            table.name,
            f"{table.name} is system-versioned: the server keeps a version of each row that is deleted, so"
            " that no space is freed until the versions are deleted too",
            f"DELETE HISTORY FROM {database.qualified(table)} BEFORE SYSTEM_TIME NOW() - INTERVAL 90 DAY;",
        )
