"""SQL that turns one planned event into rows: ids, times and bytes in each database's own functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UUID = {
    "postgresql": (
        "lpad(to_hex({ticks} & 4294967295), 8, '0') || '-' || lpad(to_hex({ticks} >> 32 & 65535), 4, '0')"
        " || '-1' || lpad(to_hex({ticks} >> 48 & 4095), 3, '0') || '-8{table:03x}-'"
        " || lpad(to_hex({k}), 2, '0') || lpad(to_hex(number), 10, '0')"
    ),
    "mysql": (
        "lower(concat(lpad(hex({ticks} & 4294967295), 8, '0'), '-', lpad(hex({ticks} >> 32 & 65535), 4, '0'),"
        " '-1', lpad(hex({ticks} >> 48 & 4095), 3, '0'), '-8{table:03x}-',"
        " lpad(hex({k}), 2, '0'), lpad(hex(number), 10, '0')))"
    ),
}
TIME = {
    "postgresql": "(timestamp '1970-01-01' + ({micros}) * interval '1 microsecond')",
    "mysql": "timestampadd(microsecond, {micros}, timestamp'1970-01-01 00:00:00')",
}
BYTES = {
    "postgresql": "decode(repeat(md5({of}), {times}), 'hex')",
    "mysql": "unhex(repeat(md5({of}), {times}))",
}

TASKS, VARIABLES, DETAILS, JOBS, EXTERNAL_TASKS, ATTACHMENTS, DECISIONS = range(3, 10)
"""Numbers inside the ids, where rows refer to each other."""
BYTES_OF = 32
"""Added to the number of a table: the ids of the byte arrays its rows have."""


@dataclass(frozen=True, slots=True)
class Sql:
    """Expressions in one database's SQL, over a plan row times `k`; `at` is its time in microseconds."""

    kind: str
    bytes_size: int
    known: Mapping[str, frozenset[str]]
    """Columns by table, in upper case: older engines lack some."""

    def id(self, table: int, k: str = "k", at: str = "at") -> str:
        """Id of the row number `k` that the event has in a table."""
        return UUID[self.kind].format(ticks=f"(({at}) * 10 + 122192928000000000)", table=table, k=k)

    def time(self, micros: str = "at") -> str:
        """Turn microseconds into a timestamp, null into null."""
        return TIME[self.kind].format(micros=micros)

    def content(self) -> str:
        """Bytes that differ from row to row."""
        times = max(1, self.bytes_size // 16)
        return BYTES[self.kind].format(of="concat(number, ' ', k)", times=times)

    def bytes_id(self, table: int) -> str:
        """Id of the byte array of row `k` in a table."""
        return self.id(table + BYTES_OF)


@dataclass(frozen=True, slots=True)
class Rows:
    """`count` rows (k = 0, 1, …) in a table for each event called `what`, where `where` holds."""

    table: str
    columns: dict[str, str]
    what: str = "process"
    count: int = 1
    where: str = "TRUE"
    bytes_where: str | None = None
    """Which of the rows have a byte array, and the column for its id is `bytes_column`."""
    bytes_column: str = "BYTEARRAY_ID_"
    number: int = 2

    def statements(self, sql: Sql) -> Iterator[tuple[str, str]]:
        """Table and INSERT, the byte arrays after the rows that have them."""
        if self.table not in sql.known:
            return
        columns = {"ID_": sql.id(self.number), **self.columns}
        if self.bytes_where:
            columns[self.bytes_column] = f"CASE WHEN {self.bytes_where} THEN {sql.bytes_id(self.number)} END"
        yield self.table, self._insert(sql, self.table, columns, self.where)
        if self.bytes_where:
            columns = {
                "ID_": sql.bytes_id(self.number),
                "REV_": "1",
                "NAME_": f"'{self.table.lower()}'",
                "BYTES_": sql.content(),
                "TYPE_": "2",
                "TENANT_ID_": "tenant",
                "CREATE_TIME_": sql.time(),
                "ROOT_PROC_INST_ID_": "root_id",
                "REMOVAL_TIME_": sql.time("removal"),
            }
            yield (
                "ACT_GE_BYTEARRAY",
                self._insert(sql, "ACT_GE_BYTEARRAY", columns, f"({self.where}) AND ({self.bytes_where})"),
            )

    def _insert(self, sql: Sql, table: str, columns: dict[str, str], where: str) -> str:
        columns = {name: value for name, value in columns.items() if name in sql.known[table]}
        return (
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM ("
            "SELECT p.*, n.k, p.start + p.step * (n.k + 1) AS at"
            " FROM test_plan p CROSS JOIN test_numbers n"
            f" WHERE p.what = '{self.what}' AND n.k < {self.count}) r WHERE {where} ORDER BY at, number, k"
        )


def by_k(*values: str) -> str:
    """Take the value at place k."""
    cases = " ".join(f"WHEN {k} THEN {value}" for k, value in enumerate(values))
    return f"CASE k {cases} END"
