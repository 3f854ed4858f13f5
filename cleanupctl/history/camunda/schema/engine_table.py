"""What is said of one table of the engine: what its rows belong to, its columns, indexes and versions."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Version = tuple[int, int]
"""Version of Camunda 7; its forks have the schema of one of them."""
EVER: Version = (7, 2)
"""The oldest version whose schema scripts can still be had."""
Component = Literal["engine", "identity", "decision", "case"]
Kind = Literal["process", "decision", "case"]

ROOT = "ROOT_PROC_INST_ID_"
REMOVAL_TIME = "REMOVAL_TIME_"
KEY = "ID_"
"""Primary key of every table that cleanup touches."""


class Part(Enum):
    """What the rows of a table are part of, and so when they are deleted."""

    CHILD = "child"
    """History that belongs to a process instance, a task, a case or a batch."""
    DECISION_VALUE = "decision value"
    """What went into a decision instance, or came out of it."""
    SHARED = "shared"
    """Also used by the running engine: only rows with a removal time of their own are history."""
    ROOT = "root"
    """What everything else belongs to; deleted last, so that a run stopped half-way leaves no orphans."""
    CASE = "case"
    """Case instances and their activities, which have no removal time."""
    OWN_TTL = "own time to live"
    """Belongs to nothing; kept for a time to live of its own."""
    DEFINITION = "definition"
    """Definitions with their times to live: read, and never deleted."""
    RUNTIME = "runtime"
    """Only asked, mostly for what still refers to a byte array."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceColumns:
    """The columns of a table of instances that say what an instance is and when it ended."""

    id: str
    """By which everything else refers to the instance."""
    definition: str
    """Id of the definition; of batch operations their type."""
    definition_key: str | None = None
    started: str
    ended: str
    """The moment from which the end-time strategy counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineTable:
    """One table. Names of columns are as in the engine's scripts; None: it has no such column."""

    name: str
    part: Part
    order: int = 0
    """Place among the tables whose rows are deleted, the first first."""
    component: Component = "engine"
    """The part of the schema that creates it: all but `engine` may be left out of a database."""
    since: Version = EVER
    key: str = KEY
    owner: str | None = None
    """Id of the process instance that it belongs to."""
    root: str | None = None
    """Id of the process instance at the top of the call hierarchy."""
    task: str | None = None
    """Id of the user task that it belongs to."""
    task_alone: bool = False
    """Whether rows may name a task and no instance, so that they must be looked for by both."""
    case: str | None = None
    """Id of the case instance, where that leads to rows which are deleted with it."""
    decision: str | None = None
    """Id of the decision instance that it belongs to."""
    batch: str | None = None
    """Id of the batch operation that it belongs to."""
    job_definition: str | None = None
    """Id of the job definition, where that leads to the rows of a batch operation."""
    job_definitions: tuple[str, ...] = ()
    """Ids of the job definitions of a batch operation."""
    links: tuple[str, ...] = ()
    """Ids of other instances of the same hierarchy: callers, what was called, the root decision."""
    byte_arrays: tuple[str, ...] = ()
    """Columns that can hold the id of a byte array."""
    removal_time: str | None = None
    written: str | None = None
    """When the row was written."""
    kind: Kind | None = None
    """Of the instances or definitions that are stored in it."""
    instances: InstanceColumns | None = None
    """What a row says of an instance, where it is one."""
    ttl: str | None = None
    """Days to live of a definition."""
    indexes: Mapping[str, str] = field(default_factory=dict)
    """Names of the indexes that cleanup needs, as in the engine's scripts, by their first column."""
    later: Mapping[Version, str] = field(default_factory=dict)
    """Columns that the table got after version 7.9, separated by blanks."""
    other_columns: str = ""
    """Columns with no part in any of this, separated by blanks."""

    @property
    def optional(self) -> bool:
        """Whether a complete database of the engine may lack it."""
        return self.component != "engine"

    @property
    def in_every_version(self) -> bool:
        """Whether a database without it is not that of an engine, or hides it."""
        return not self.optional and self.since == EVER

    @property
    def columns(self) -> frozenset[str]:
        """Every column that this row mentions."""
        later = (column for names in self.later.values() for column in names.split())
        return self.needed_columns | frozenset((*later, *self.other_columns.split()))

    @property
    def needed_columns(self) -> frozenset[str]:
        """Columns by which it is decided what is deleted."""
        named = (
            self.owner, self.root, self.task, self.case, self.decision, self.batch, self.job_definition,
            *self.job_definitions, *self.links, *self.byte_arrays, self.removal_time, self.written, self.ttl,
            *self.indexes, *(astuple(self.instances) if self.instances else ()),
        )  # fmt: skip
        return frozenset({self.key} | {column for column in named if column is not None})

    def column_since(self, column: str) -> Version | None:
        """Return the version after 7.9 with which a column came; None for one that is older."""
        found = (version for version, names in self.later.items() if column in names.split())
        return next(found, None)
