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

_TRANSACTIONS = """
SELECT trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, trx_started, SYSDATE()) AS age
FROM information_schema.innodb_trx
WHERE trx_mysql_thread_id <> CONNECTION_ID() HAVING age > %s ORDER BY age DESC LIMIT 5
"""


def long_transactions(database: Database, longer: timedelta) -> Iterator[Finding]:
    """Find transactions that have been open for longer than that."""
    if is_denied(database, "SELECT 1 FROM information_schema.innodb_trx LIMIT 1"):
        grant = grant_statement(["PROCESS"], "*.*", database.login)
        yield Finding("hint", None, "long transactions of others cannot be seen", grant)
        return
    for thread, age in database.query(_TRANSACTIONS, (longer.total_seconds(),)):
        yield long_transaction(f"connection {thread}", age, f"KILL {thread}")


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
