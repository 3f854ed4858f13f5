"""What a server says of itself when a history is checked or reported."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanupctl.history.databases.replicas import NoReplica

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from cleanupctl.core.urls import DatabaseUrl
    from cleanupctl.history.databases.catalogue import Table
    from cleanupctl.history.databases.findings import Finding
    from cleanupctl.history.databases.replicas import Lag
    from cleanupctl.history.databases.sizes import TableSize


@dataclass(frozen=True, slots=True)
class Denied:
    """What keeps a login from reading all rows of a table."""

    table: str
    message: str
    remedy: str | None
    """The statement that changes it, for an administrator to run."""


class Diagnosis(ABC):
    """Sizes, privileges, storage, transactions, replicas; where a server has nothing to say, nothing."""

    @property
    @abstractmethod
    def login(self) -> str:
        """Name of the login, for messages and grants."""

    def table_size(self, table: Table) -> TableSize | None:
        """Return how large a table is; None where the server does not say without reading it."""
        del table
        return None

    def missing_privileges(self, table: Table) -> list[str]:
        """Return which of SELECT and DELETE the login does not have on a table; changes nothing."""
        del table
        return []

    def may_be_hidden(self, name: str, schema: str | None = None) -> bool:
        """Return whether a table that is not found may exist, where the server hides what is not granted."""
        del name, schema
        return False

    def denied(self, table: Table, columns: Sequence[str]) -> Iterator[Denied]:
        """Yield what keeps the login from reading all rows of a table, or some of its columns.

        Columns that the table does not have are no matter.
        """
        del table, columns
        yield from ()

    def hidden(self, name: str, schema: str | None, *, sure: bool) -> Denied:
        """Return why a table that may be hidden cannot be seen; `sure`: every engine has it."""
        del schema, sure
        return Denied(name, f"{self.login} cannot see whether there is a table {name}", None)

    def schemas_with(self, name: str) -> list[str]:
        """Return the schemas in which a table is that was not found where it should be."""
        del name
        return []

    def grant_statement(self, wanted: Sequence[str], place: str) -> str | None:
        """Return the GRANT that gives the login privileges on a table; None where there are none."""
        del wanted, place
        return None

    def schema_usage(self, table: Table) -> Iterator[Finding]:
        """Find out whether the login may use the table's schema."""
        del table
        yield from ()

    def read_only(self) -> Iterator[Finding]:
        """Find out whether the server, or the login's sessions, may only be read from; changes nothing."""
        yield from ()

    def storage(self, table: Table) -> Iterator[Finding]:
        """Find out whether the table is stored in a way that allows small transactions."""
        del table
        yield from ()

    def left_alone(self, table: Table) -> Iterator[Finding]:
        """Find rows that look like the table's and that no run deletes; each has a remedy."""
        del table
        yield from ()

    def long_transactions(self, longer: timedelta) -> Iterator[Finding]:
        """Find transactions open for longer than that: what is deleted stays in the tables meanwhile."""
        del longer
        yield from ()

    def vacuum(self, tables: Sequence[Table]) -> Iterator[Finding]:
        """Find out whether the server frees what is deleted by itself."""
        del tables
        yield from ()

    def in_between(self) -> Iterator[Finding]:
        """Find what stands between here and the server, and what that costs."""
        yield from ()

    def replica_lag(self, replica: DatabaseUrl | None) -> Lag:
        """Choose how the lag of the replicas is measured; connects to nothing yet.

        `replica` is the one that was configured, for servers that do not know the lag themselves.
        """
        del replica
        return NoReplica()
