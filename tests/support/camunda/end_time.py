"""What must go from the engine's tables under the end-time strategy: said here once more, row by row.

A hierarchy of process instances goes when its root has ended, the time to live of the root's definition is
past, and none of it runs. Decisions and cases go by their own definitions, decisions of a process or a case
with it. By the engine's rule every instance goes on its own, decisions always by their definition.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tests.support.servers import connect

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

Row = dict[str, Any]
Rows = dict[str, dict[str, Row]]
"""By table and id."""

BYTES = {
    "ACT_HI_VARINST": "BYTEARRAY_ID_", "ACT_HI_DETAIL": "BYTEARRAY_ID_", "ACT_HI_ATTACHMENT": "CONTENT_ID_",
    "ACT_HI_JOB_LOG": "JOB_EXCEPTION_STACK_ID_", "ACT_HI_EXT_TASK_LOG": "ERROR_DETAILS_ID_",
    "ACT_HI_DEC_IN": "BYTEARRAY_ID_", "ACT_HI_DEC_OUT": "BYTEARRAY_ID_",
}  # fmt: skip
OF_INSTANCES = (
    "ACT_HI_ACTINST", "ACT_HI_TASKINST", "ACT_HI_VARINST", "ACT_HI_DETAIL", "ACT_HI_INCIDENT",
    "ACT_HI_EXT_TASK_LOG", "ACT_HI_JOB_LOG", "ACT_HI_OP_LOG", "ACT_HI_IDENTITYLINK", "ACT_HI_COMMENT",
    "ACT_HI_ATTACHMENT",
)  # fmt: skip


def all_rows(url: str, *, prefix: str = "", schema: str | None = None) -> Rows:
    """Read every row of every table of the engine that has ids; names in upper case, without the prefix."""
    found: Rows = {}
    with connect(url) as connection, connection.cursor() as cursor:
        place = f"'{schema}'" if schema else ("current_schema()" if url.startswith("p") else "database()")
        cursor.execute(
            f"SELECT table_name FROM information_schema.tables WHERE table_schema = {place}"
            " AND table_type = 'BASE TABLE'"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f"SELECT * FROM {f'{schema}.' if schema else ''}{name}")
            columns = [column[0].upper() for column in cursor.description or ()]
            if "ID_" in columns and name.upper().startswith(f"{prefix.upper()}ACT_"):
                rows = (dict(zip(columns, row, strict=True)) for row in cursor.fetchall())
                found[name.upper().removeprefix(prefix.upper())] = {row["ID_"]: row for row in rows}
    return found


class Policy:
    """Decides over rows that were read; `ttls` (days by definition key) come before the definitions' own."""

    def __init__(
        self,
        rows: Rows,
        now: datetime,
        *,
        zone: str = "UTC",
        hierarchy: str = "root",
        ttls: Mapping[str, int | None] | None = None,
        default_ttl: int | None = None,
        batch_ttls: Mapping[str, int] | None = None,
    ) -> None:
        self.rows = defaultdict(dict, rows)
        self.wall = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        self.by_root = hierarchy == "root"
        self.ttls = ttls or {}
        self.default_ttl = default_ttl
        self.batch_ttls = batch_ttls or {}
        self.gone: dict[str, set[str]] = defaultdict(set)

    def expected(self) -> dict[str, set[str]]:
        """Ids of the rows that go, by table; tables that lose none are left out."""
        processes = self._processes()
        self._of_processes(processes)
        self._decisions(processes)
        self._cases()
        self._batches()
        for table, column in BYTES.items():
            self.gone["ACT_GE_BYTEARRAY"] |= {
                self.rows[table][one][column] for one in self.gone[table] if self.rows[table][one][column]
            }
        return {table: ids for table, ids in self.gone.items() if ids}

    def _past(self, end: datetime | None, ttl: int | None) -> bool:
        return end is not None and ttl is not None and end + timedelta(days=ttl) <= self.wall

    def _ttl(self, definitions: str, identity: str) -> int | None:
        key = identity.split(":", maxsplit=1)[0]
        if key in self.ttls:
            return self.ttls[key]
        row = self.rows[definitions].get(identity)
        own = row["HISTORY_TTL_"] if row else None
        return self.default_ttl if own is None else int(own)

    def _processes(self) -> set[str]:
        rows = self.rows["ACT_HI_PROCINST"]
        past = {
            one
            for one, row in rows.items()
            if self._past(row["END_TIME_"], self._ttl("ACT_RE_PROCDEF", row["PROC_DEF_ID_"]))
        }
        if not self.by_root:
            return past
        running = {self._top(row) for row in rows.values() if row["END_TIME_"] is None}
        kept = running | self._kept_for_ever()
        tops = {one for one in past if self._top(rows[one]) == one and one not in kept}
        return {one for one, row in rows.items() if self._top(row) in tops}

    def _kept_for_ever(self) -> set[str]:
        """Tops of the trees with something of a definition that is never to go."""
        rows, found = self.rows["ACT_HI_PROCINST"], set()
        for table, column in (("ACT_HI_PROCINST", "PROC_DEF_ID_"), ("ACT_HI_DECINST", "DEC_DEF_ID_")):
            for row in self.rows[table].values():
                key = row[column].split(":", maxsplit=1)[0]
                if key in self.ttls and self.ttls[key] is None and row["PROC_INST_ID_"] in rows:
                    found.add(self._top(rows[row["PROC_INST_ID_"]]))
        return found

    def _top(self, row: Row) -> str:
        """Follow the callers up, as far as they are there; what lost its caller may still name its root."""
        rows = self.rows["ACT_HI_PROCINST"]
        while row["SUPER_PROCESS_INSTANCE_ID_"] in rows:
            row = rows[row["SUPER_PROCESS_INSTANCE_ID_"]]
        root = row["ROOT_PROC_INST_ID_"]
        return str(root if root in rows else row["ID_"])

    def _of_processes(self, processes: set[str]) -> None:
        tasks = self._tasks("PROC_INST_ID_", processes)
        for table in OF_INSTANCES:
            self.gone[table] |= {
                one
                for one, row in self.rows[table].items()
                if row.get("PROC_INST_ID_", row.get("PROCESS_INSTANCE_ID_")) in processes
                or row.get("TASK_ID_") in tasks
            }
        self.gone["ACT_RU_AUTHORIZATION"] |= {
            one
            for one, row in self.rows["ACT_RU_AUTHORIZATION"].items()
            if (row["RESOURCE_TYPE_"] == 20 and row["RESOURCE_ID_"] in processes)
            or (row["RESOURCE_TYPE_"] == 19 and row["RESOURCE_ID_"] in tasks)
        }
        self.gone["ACT_HI_PROCINST"] |= processes

    def _tasks(self, column: str, instances: set[str]) -> set[str]:
        return {one for one, row in self.rows["ACT_HI_TASKINST"].items() if row[column] in instances}

    def _decisions(self, processes: set[str]) -> None:
        rows = self.rows["ACT_HI_DECINST"]
        past = {
            one
            for one, row in rows.items()
            if self._past(row["EVAL_TIME_"], self._ttl("ACT_RE_DECISION_DEF", row["DEC_DEF_ID_"]))
        }
        if self.by_root:
            owned = {
                one
                for one, row in rows.items()
                if row["PROC_INST_ID_"] in self.rows["ACT_HI_PROCINST"]
                or row["CASE_INST_ID_"] in self.rows["ACT_HI_CASEINST"]
            }
            past = {
                one
                for one, row in rows.items()
                if one not in owned and (row["ROOT_DEC_INST_ID_"] or one) in past
            }
            past |= {one for one, row in rows.items() if row["PROC_INST_ID_"] in processes}
        self._of_decisions(past)

    def _of_decisions(self, decisions: set[str]) -> None:
        self.gone["ACT_HI_DECINST"] |= decisions
        for table in ("ACT_HI_DEC_IN", "ACT_HI_DEC_OUT"):
            self.gone[table] |= {
                one for one, row in self.rows[table].items() if row["DEC_INST_ID_"] in decisions
            }

    def _cases(self) -> None:
        cases = {
            one
            for one, row in self.rows["ACT_HI_CASEINST"].items()
            if self._past(row["CLOSE_TIME_"], self._ttl("ACT_RE_CASE_DEF", row["CASE_DEF_ID_"]))
        }
        tasks = self._tasks("CASE_INST_ID_", cases)
        for table in (*OF_INSTANCES, "ACT_HI_CASEACTINST"):
            self.gone[table] |= {
                one
                for one, row in self.rows[table].items()
                if row.get("TASK_ID_") in tasks
                or (table != "ACT_HI_OP_LOG" and row.get("CASE_INST_ID_") in cases)
            }
        self.gone["ACT_HI_CASEINST"] |= cases
        self.gone["ACT_RU_AUTHORIZATION"] |= {
            one
            for one, row in self.rows["ACT_RU_AUTHORIZATION"].items()
            if row["RESOURCE_TYPE_"] == 19 and row["RESOURCE_ID_"] in tasks
        }
        if self.by_root:
            self._of_decisions(
                {one for one, row in self.rows["ACT_HI_DECINST"].items() if row["CASE_INST_ID_"] in cases}
            )

    def _batches(self) -> None:
        rows = self.rows["ACT_HI_BATCH"]
        batches = {
            one
            for one, row in rows.items()
            if self._past(row["END_TIME_"], self.batch_ttls.get(row["TYPE_"]))
        }
        jobs = {rows[one][f"{kind}_JOB_DEF_ID_"] for one in batches for kind in ("SEED", "MONITOR", "BATCH")}
        self.gone["ACT_HI_BATCH"] |= batches
        self.gone["ACT_HI_JOB_LOG"] |= {
            one
            for one, row in self.rows["ACT_HI_JOB_LOG"].items()
            if row["JOB_DEF_CONFIGURATION_"] in batches
        }
        self.gone["ACT_HI_INCIDENT"] |= {
            one for one, row in self.rows["ACT_HI_INCIDENT"].items() if row["JOB_DEF_ID_"] in jobs
        }


def without(rows: Rows, gone: Mapping[str, Iterable[str]]) -> Rows:
    """Return the rows that are left."""
    return {
        table: {one: row for one, row in found.items() if one not in set(gone.get(table, ()))}
        for table, found in rows.items()
    }
