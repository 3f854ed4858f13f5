"""What every PostgreSQL session begins with: where names without a schema are looked up."""

from __future__ import annotations

from typing import Any, NamedTuple

FIXED_PATH = "pg_catalog, pg_temp"
"""No schema of users: whoever may create functions or operators in one could have them run with our rights,
since one that suits its arguments better wins even behind pg_catalog. Temporary names, only ours, come
last."""
_SCHEMAS = "SELECT pg_catalog.current_schemas(false), pg_catalog.pg_backend_pid()"
_FIX = f"SELECT pg_catalog.set_config('search_path', '{FIXED_PATH}', false)"


class Start(NamedTuple):
    """What was there when a session began."""

    schemas: tuple[str, ...]
    """The search path: tables in its schemas can still be found, by their qualified names."""
    pooled: bool
    """Whether a pooler is between, which gives the server's session to others after each transaction."""


def fix_search_path(connection: Any, *, pooled: bool | None = None) -> Start:
    """Let a psycopg connection look names up in the server's own schema; return what was there before.

    Behind a pooler nothing is set: it would be set for the others too. `pooled` says whether there is one,
    None finds out. Raise what the driver raises.
    """
    # The only statement under a path that others may have chosen: it has no operator.
    schemas, process = connection.execute(_SCHEMAS).fetchone()
    if pooled is None:
        # A pooler makes up the number that is used to cancel statements.
        pooled = process != connection.info.backend_pid
    if not pooled:
        connection.execute(_FIX)
    return Start(tuple(schemas), pooled)
