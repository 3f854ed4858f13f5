"""The tables of the Camunda 7 family's history: their names, their order, and what a database has of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.core.errors import HistoryError

if TYPE_CHECKING:
    from cleanupctl.core.settings import CamundaSettings
    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.database import Database

REMOVAL_TIME = "REMOVAL_TIME_"

CHILDREN = (
    "ACT_HI_DETAIL",
    "ACT_HI_VARINST",
    "ACT_HI_COMMENT",
    "ACT_HI_ATTACHMENT",
    "ACT_HI_IDENTITYLINK",
    "ACT_HI_TASKINST",
    "ACT_HI_ACTINST",
    "ACT_HI_INCIDENT",
    "ACT_HI_EXT_TASK_LOG",
    "ACT_HI_JOB_LOG",
    "ACT_HI_OP_LOG",
    "ACT_HI_DEC_IN",
    "ACT_HI_DEC_OUT",
)
"""What belongs to an instance; for one worker those that belong to others of the list come first."""

SHARED = ("ACT_GE_BYTEARRAY", "ACT_RU_AUTHORIZATION")
"""Also used by the running engine: only rows that carry a removal time of their own are history."""

ROOTS = ("ACT_HI_DECINST", "ACT_HI_BATCH", "ACT_HI_PROCINST")
"""What everything else belongs to: gone last, so that a run stopped half-way leaves no orphans."""

TASK_METRICS = "ACT_RU_TASK_METER_LOG"
PROCESS_INSTANCES = "ACT_HI_PROCINST"
BATCHES = "ACT_HI_BATCH"
JOB_LOG = "ACT_HI_JOB_LOG"
BYTE_ARRAYS = "ACT_GE_BYTEARRAY"


@dataclass(frozen=True, slots=True)
class Schema:
    """The engine's tables that this database has, by their names without prefix."""

    tables: dict[str, Table]
    database: Database

    def has(self, name: str, column: str) -> bool:
        """Whether a table is there and has a column."""
        return name in self.tables and column.lower() in self.tables[name].columns

    def quoted(self, name: str) -> str:
        """Quoted name of a table, for a statement."""
        return self.database.qualified(self.tables[name])

    def column(self, name: str, column: str) -> str:
        """Quoted name of a table's column as the catalogue writes it."""
        return self.database.quote(self.tables[name].column(column).name)


def find_schema(database: Database, settings: CamundaSettings, names: tuple[str, ...]) -> Schema:
    """Look the tables called `names` up. Raises HistoryError when this is no engine's database."""
    prefix = settings.table_prefix
    found = database.find_tables([prefix + name for name in names], settings.schema)
    tables = {name: found[prefix + name] for name in names if prefix + name in found}
    if PROCESS_INSTANCES not in tables:
        raise HistoryError(
            f"history {settings.name}: there is no table {settings.table_prefix}{PROCESS_INSTANCES} in"
            f" {settings.url}; is this the engine's database, and are schema and table_prefix right?"
        )
    return Schema(tables, database)
