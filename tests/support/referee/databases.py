"""Databases of the engines: whole copies, and the ids in each table."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from cleanupctl.core.urls import parse_url
from tests.support.servers import connect

if TYPE_CHECKING:
    from tests.support.servers import DatabaseServer

Ids = dict[str, frozenset[str]]

HISTORY = (
    "ACT_HI_ACTINST", "ACT_HI_TASKINST", "ACT_HI_VARINST", "ACT_HI_DETAIL", "ACT_HI_INCIDENT",
    "ACT_HI_EXT_TASK_LOG", "ACT_HI_JOB_LOG", "ACT_HI_OP_LOG", "ACT_HI_IDENTITYLINK", "ACT_HI_COMMENT",
    "ACT_HI_ATTACHMENT", "ACT_GE_BYTEARRAY", "ACT_RU_AUTHORIZATION", "ACT_HI_PROCINST", "ACT_HI_DEC_IN",
    "ACT_HI_DEC_OUT", "ACT_HI_DECINST", "ACT_HI_BATCH", "ACT_HI_CASEINST", "ACT_HI_CASEACTINST",
    "ACT_RU_TASK_METER_LOG",
)  # fmt: skip
"""Every table that a cleanup may delete from."""


def ids(url: str) -> Ids:
    """Ids of every row in every table of the history."""
    found = {}
    with connect(url) as connection, connection.cursor() as cursor:
        for table in HISTORY:
            cursor.execute(f"SELECT ID_ FROM {table}")
            found[table] = frozenset(str(row[0]) for row in cursor.fetchall())
    return found


def disagreements(found: Ids, expected: Ids) -> dict[str, dict[str, frozenset[str]]]:
    """Per table that is not as expected, the ids that should not be there and those that should."""
    return {
        table: {"too many": found[table] - expected[table], "missing": expected[table] - found[table]}
        for table in HISTORY
        if found[table] != expected[table]
    }


def copy_database(server: DatabaseServer, url: str) -> str:
    """Copy a database nobody is connected to; the copy has the same owner. Returns its URL."""
    place = parse_url(url)
    name = f"copy_{secrets.token_hex(6)}"
    with connect(server.admin_url) as connection, connection.cursor() as cursor:
        if place.scheme == "postgresql":
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE {place.database} OWNER {place.user}")
        else:
            cursor.execute(f"CREATE DATABASE {name}")
            cursor.execute(f"GRANT ALL PRIVILEGES ON {name}.* TO '{place.user}'@'%'")
            cursor.execute(f"SHOW TABLES FROM {place.database}")
            tables = [row[0] for row in cursor.fetchall()]
            cursor.execute(f"USE {name}")
            cursor.execute("SET foreign_key_checks = 0")
            for table in tables:
                # Unlike CREATE TABLE … LIKE this has the foreign keys.
                cursor.execute(f"SHOW CREATE TABLE {place.database}.{table}")
                cursor.execute(cursor.fetchone()[1])
                cursor.execute(f"INSERT INTO {table} SELECT * FROM {place.database}.{table}")
    return server.url(place.user or "", place.password or "", name)
