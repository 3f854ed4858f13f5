"""Fills the engine's tables with consistent history, quickly: a plan from here, the rows by the server.

`fill` makes the rows, `checksums` and `expired_counts` say afterwards what had to stay and to go.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cleanupctl.core.urls import parse_url
from tests.support.camunda.other_rows import case_rows, decision_rows, other_rows
from tests.support.camunda.plan import SECOND, STEPS, TTL_DAYS, Plan, to_micros, uuid_of
from tests.support.camunda.policy import checksums, columns_of, expired_counts, has_table, use_schema
from tests.support.camunda.rows import process_rows
from tests.support.camunda.sql import Rows, Sql
from tests.support.servers import connect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.support.camunda.plan import Event

__all__ = ["checksums", "expired_counts", "fill"]

_PLAN_COLUMNS = {
    "what": "varchar(10)",
    "number": "bigint",
    "position": "bigint",
    "start": "bigint",
    "ending": "bigint",
    "step": "bigint",
    "removal": "bigint",
    "id": "varchar(36)",
    "root_id": "varchar(36)",
    "super_id": "varchar(36)",
    "called_id": "varchar(36)",
    "definition": "varchar(20)",
    "definition_id": "varchar(64)",
    "tenant": "varchar(20)",
}


def fill(
    url: str,
    *,
    expired_instances: int,
    unexpired_instances: int,
    now: datetime,
    zone: str = "UTC",
    running_instances: int | None = None,
    unset_instances: int | None = None,
    expired_unfinished: int = 0,
    referenced_bytes: int = 0,
    orphans: int = 2,
    spread: timedelta = timedelta(days=150),
    interleaved: bool = False,
    bytes_size: int = 256,
    schema: str | None = None,
    analyze: bool = True,
    seed: int = 0,
) -> dict[str, int]:
    """Insert history around `now` (aware) as an engine in `zone` would write it; rows per table.

    Instances are rows of ACT_HI_PROCINST; of ten, four are a chain of calls. `running_instances` have
    neither end nor removal time, `unset_instances` an end only (each a twentieth of the others by
    default). `expired_unfinished` have no end, but a removal time that is past: they must stay.
    `referenced_bytes` are expired byte arrays that a runtime variable still needs, `orphans` expired
    details whose instance is gone. With `interleaved`, rows to go and to stay lie mixed, by different
    times to live. Another `seed` can be filled into the same database.
    """
    kind = parse_url(url).scheme
    twentieth = max(4, (expired_instances + unexpired_instances) // 20)
    plan = Plan(
        now=to_micros(now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)),
        expired=expired_instances,
        unexpired=unexpired_instances,
        running=twentieth if running_instances is None else running_instances,
        unset=twentieth if unset_instances is None else unset_instances,
        expired_unfinished=expired_unfinished,
        spread=spread // timedelta(microseconds=1),
        interleaved=interleaved,
        seed=seed,
    )
    counts: dict[str, int] = {}
    with connect(url, autocommit=False) as connection, connection.cursor() as cursor:
        use_schema(cursor, schema)
        sql = Sql(kind, bytes_size, columns_of(cursor))
        _store_plan(connection, cursor, kind, plan)
        for table, statement, rows in _statements(cursor, sql, plan, referenced_bytes, orphans):
            _execute(cursor, statement, rows)
            counts[table] = counts.get(table, 0) + cursor.rowcount
            connection.commit()
        cursor.execute("DROP TABLE test_plan")
        cursor.execute("DROP TABLE test_numbers")
        connection.commit()
        if analyze:
            connection.autocommit = True if kind == "postgresql" else connection.autocommit
            for table in counts:
                cursor.execute(f"ANALYZE {table}" if kind == "postgresql" else f"ANALYZE TABLE {table}")
    return counts


def _store_plan(connection: Any, cursor: Any, kind: str, plan: Plan) -> None:
    """Put the plan where the server can multiply it: a temporary table."""
    columns = ", ".join(f"{name} {type_}" for name, type_ in _PLAN_COLUMNS.items())
    cursor.execute(f"CREATE TEMPORARY TABLE test_plan ({columns})")
    cursor.execute("CREATE TEMPORARY TABLE test_numbers (k integer)")
    cursor.executemany("INSERT INTO test_numbers VALUES (%s)", [(k,) for k in range(STEPS)])
    rows = [_plan_row(event) for event in plan.events()]
    if kind == "postgresql":
        with cursor.copy("COPY test_plan FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute("ANALYZE test_plan")
    else:
        cursor.execute("SET unique_checks = 0, foreign_key_checks = 0")
        cursor.executemany(f"INSERT INTO test_plan VALUES ({', '.join(['%s'] * len(_PLAN_COLUMNS))})", rows)
    connection.commit()


def _plan_row(event: Event) -> tuple[Any, ...]:
    return (
        event.what,
        event.number,
        event.position,
        event.start,
        event.end,
        event.step,
        event.removal,
        event.id,
        event.root.id if event.what == "process" else None,
        event.parent.id if event.parent else None,
        event.called_id,
        event.definition,
        f"{event.definition}:1:def",
        "tenant-a" if event.root.number % 3 == 0 else None,
    )


Statement = tuple[str, str, list[tuple[Any, ...]] | None]


def _statements(
    cursor: Any, sql: Sql, plan: Plan, referenced_bytes: int, orphans: int
) -> Iterator[Statement]:
    decisions, cases = has_table(cursor, "ACT_HI_DECINST"), has_table(cursor, "ACT_HI_CASEINST")
    yield from _definitions(sql, decisions, cases)
    kinds: list[Iterable[Rows]] = [process_rows(sql), other_rows(sql)]
    if decisions:
        kinds += [decision_rows(sql, "process"), decision_rows(sql, "decision")]
    if cases:
        kinds.append(case_rows(sql))
    for rows in (rows for rows_of_kind in kinds for rows in rows_of_kind):
        for table, statement in rows.statements(sql):
            yield table, statement, None
    yield from _odd_rows(sql, plan, referenced_bytes, orphans)


def _definitions(sql: Sql, decisions: bool, cases: bool) -> Iterator[Statement]:
    """Definitions with their time to live, a deployment with its resource; none of them may go."""
    deployment = "deployment-1"
    yield _insert(sql, "ACT_RE_DEPLOYMENT", ("ID_", "NAME_"), [(deployment, "test")])
    resource = ("ID_", "REV_", "NAME_", "DEPLOYMENT_ID_", "BYTES_", "TYPE_")
    content = (f"{deployment}-resource", 1, "invoice.bpmn", deployment, b"<definitions/>", 1)
    yield _insert(sql, "ACT_GE_BYTEARRAY", resource, [content])
    columns = ("ID_", "REV_", "KEY_", "NAME_", "VERSION_", "DEPLOYMENT_ID_", "HISTORY_TTL_")
    processes = [(f"{key}:1:def", 1, key, key.title(), 1, deployment, ttl) for key, ttl in TTL_DAYS.items()]
    yield _insert(sql, "ACT_RE_PROCDEF", columns, processes)
    if decisions:
        decision = ("rating:1:dec", 1, "rating", "Rating", 1, deployment, 30)
        yield _insert(sql, "ACT_RE_DECISION_DEF", columns, [decision])
    if cases:
        yield _insert(
            sql, "ACT_RE_CASE_DEF", columns, [("claim:1:case", 1, "claim", "Claim", 1, deployment, 5)]
        )


def _odd_rows(sql: Sql, plan: Plan, referenced_bytes: int, orphans: int) -> Iterator[Statement]:
    """Rows that belong to no instance, and those that something else still needs."""
    base = 9 * 10**8 + plan.seed * 10**9
    expired, recent = _wall(plan.now - 30 * 24 * 3600 * SECOND), _wall(plan.now - 3600 * SECOND)

    def name(table: int, i: int) -> str:
        return uuid_of(plan.now, table, 0, base + i)

    yield _insert(
        sql,
        "ACT_RU_AUTHORIZATION",
        ("ID_", "REV_", "TYPE_", "GROUP_ID_", "RESOURCE_TYPE_", "RESOURCE_ID_", "PERMS_"),
        [(name(40, i), 1, 1, f"group-{i}", i, "*", 2147483647) for i in range(5)],
    )
    yield _insert(
        sql,
        "ACT_HI_OP_LOG",
        ("ID_", "USER_ID_", "TIMESTAMP_", "OPERATION_TYPE_", "ENTITY_TYPE_", "CATEGORY_"),
        [(name(41, i), "demo", recent, "Create", "Deployment", "Operator") for i in range(3)],
    )
    yield _insert(
        sql,
        "ACT_HI_JOB_LOG",
        ("ID_", "TIMESTAMP_", "JOB_ID_", "JOB_STATE_", "JOB_DEF_TYPE_"),
        [(name(42, i), recent, name(43, 0), 2, "history-cleanup") for i in range(3)],
    )
    yield _insert(
        sql,
        "ACT_HI_DETAIL",
        ("ID_", "TYPE_", "PROC_INST_ID_", "ROOT_PROC_INST_ID_", "NAME_", "TIME_", "REMOVAL_TIME_"),
        [
            (name(44, i), "VariableUpdate", *[name(45, i)] * 2, "lost", expired, expired)
            for i in range(orphans)
        ],
    )
    yield _insert(
        sql,
        "ACT_GE_BYTEARRAY",
        ("ID_", "REV_", "NAME_", "BYTES_", "TYPE_", "CREATE_TIME_", "REMOVAL_TIME_"),
        [(name(46, i), 1, "needed", b"needed", 2, expired, expired) for i in range(referenced_bytes)],
    )
    yield _insert(
        sql,
        "ACT_RU_VARIABLE",
        ("ID_", "REV_", "TYPE_", "NAME_", "BYTEARRAY_ID_", "VAR_SCOPE_"),
        [(name(47, i), 1, "object", "needs", name(46, i), name(47, i)) for i in range(referenced_bytes)],
    )


def _insert(sql: Sql, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Statement:
    known = [place for place, name in enumerate(columns) if name in sql.known[table]]
    rows = [tuple(row[place] for place in known) for row in rows]
    names = ", ".join(columns[place] for place in known)
    values = f"({names}) VALUES ({', '.join(['%s'] * len(known))})"
    if sql.kind == "postgresql":
        return table, f"INSERT INTO {table} {values} ON CONFLICT DO NOTHING", rows
    return table, f"INSERT IGNORE INTO {table} {values}", rows


def _execute(cursor: Any, statement: str, rows: list[tuple[Any, ...]] | None) -> None:
    if rows is None:
        cursor.execute(statement)
    else:
        cursor.executemany(statement, rows)


def _wall(micros: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(microseconds=micros)  # noqa: DTZ001  (the engine's wall clock)
