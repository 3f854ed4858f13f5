"""The end-time strategy on an engine's history: cleanupctl, and the engine's own statements for it.

.venv/bin/python -m tests.benchmarks.end_time --database mariadb --instances 4000

The engine looks up the ids of instances, and deletes all that is theirs, table by table, in one transaction.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from cleanupctl.core.urls import parse_url
from tests.benchmarks.datasets import NOW, SERVERS, Snapshot, engine_history, server_of
from tests.benchmarks.engine_history import cleanupctl
from tests.benchmarks.measuring import Measurement, alternate, arguments, report
from tests.support.servers import connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

INSTANCES = 500
"""Instances of one transaction: the engine's greatest batch size."""

_BYTES = {
    "ACT_HI_DETAIL": "BYTEARRAY_ID_",
    "ACT_HI_VARINST": "BYTEARRAY_ID_",
    "ACT_HI_ATTACHMENT": "CONTENT_ID_",
    "ACT_HI_JOB_LOG": "JOB_EXCEPTION_STACK_ID_",
    "ACT_HI_EXT_TASK_LOG": "ERROR_DETAILS_ID_",
}
_CHILDREN = (
    "ACT_HI_DETAIL", "ACT_HI_VARINST", "ACT_HI_COMMENT", "ACT_HI_ATTACHMENT", "ACT_HI_TASKINST",
    "ACT_HI_ACTINST", "ACT_HI_INCIDENT", "ACT_HI_EXT_TASK_LOG", "ACT_HI_JOB_LOG", "ACT_HI_OP_LOG",
)  # fmt: skip
_OF_TASKS = "(SELECT ID_ FROM ACT_HI_TASKINST WHERE PROC_INST_ID_ IN {ids})"
_OF_DECISIONS = "(SELECT BYTEARRAY_ID_ FROM {0} WHERE DEC_INST_ID_ IN {{ids}})"


def engine_statements(url: str) -> Measurement:
    """Delete by the engine's statements what has expired; the removal time tells which instances have."""
    counted, transactions = 0, []
    began = time.perf_counter()
    with connect(url, autocommit=False) as connection, connection.cursor() as cursor:
        for table, key, statements in (
            ("ACT_HI_PROCINST", "PROC_INST_ID_", list(_of_processes())),
            ("ACT_HI_DECINST", "ID_", list(_of_decisions())),
        ):
            ids: Sequence[str] = range(INSTANCES)  # type: ignore[assignment] # as many as a full batch
            while len(ids) == INSTANCES:
                started = time.perf_counter()
                cursor.execute(
                    f"SELECT {key} FROM {table} WHERE REMOVAL_TIME_ <= %s LIMIT {INSTANCES}",
                    (NOW.replace(tzinfo=None),),
                )
                ids = [one for (one,) in cursor.fetchall()]
                for statement in statements if ids else ():
                    counted += _execute(cursor, url, statement, ids)
                connection.commit()
                transactions.append(time.perf_counter() - started)
    return Measurement(time.perf_counter() - began, counted, tuple(transactions))


def _of_processes() -> Iterator[str]:
    for table, column in _BYTES.items():
        yield f"DELETE FROM ACT_GE_BYTEARRAY WHERE ID_ IN (SELECT {column} FROM {table} WHERE {_own(table)})"
    yield f"DELETE FROM ACT_HI_IDENTITYLINK WHERE TASK_ID_ IN {_OF_TASKS}"
    yield f"DELETE FROM ACT_RU_AUTHORIZATION WHERE RESOURCE_TYPE_ = 19 AND RESOURCE_ID_ IN {_OF_TASKS}"
    yield "DELETE FROM ACT_RU_AUTHORIZATION WHERE RESOURCE_TYPE_ = 20 AND RESOURCE_ID_ IN {ids}"
    yield from (f"DELETE FROM {table} WHERE {_own(table)}" for table in _CHILDREN)
    yield "DELETE FROM ACT_HI_PROCINST WHERE PROC_INST_ID_ IN {ids}"


def _own(table: str) -> str:
    return f"{'PROCESS_INSTANCE_ID_' if table == 'ACT_HI_JOB_LOG' else 'PROC_INST_ID_'} IN {{ids}}"


def _of_decisions() -> Iterator[str]:
    for table in ("ACT_HI_DEC_IN", "ACT_HI_DEC_OUT"):
        yield f"DELETE FROM ACT_GE_BYTEARRAY WHERE ID_ IN {_OF_DECISIONS.format(table)}"
        yield f"DELETE FROM {table} WHERE DEC_INST_ID_ IN {{ids}}"
    yield "DELETE FROM ACT_HI_DECINST WHERE ID_ IN {ids}"


def _execute(cursor: Any, url: str, statement: str, ids: Sequence[str]) -> int:
    if parse_url(url).scheme == "postgresql":
        # Bound one by one, as the engine does.
        marks = ", ".join(["%s"] * len(ids))
        cursor.execute(statement.format(ids=f"({marks})"), tuple(ids))
    else:
        cursor.execute(statement.format(ids="%s"), (list(ids),))
    return int(cursor.rowcount)


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__)
    parser.add_argument("--database", choices=SERVERS, default="postgresql")
    parser.add_argument("--instances", type=int, default=5_000, help="expired process instances")
    parser.add_argument("--jobs", type=int, nargs="*", default=[1], help="degrees of parallelism")
    parser.add_argument("--interleaved", action="store_true", help="rows to go and to stay lie mixed")
    chosen = parser.parse_args()
    with server_of(chosen.database) as server:
        url = engine_history(server, chosen.instances, interleaved=chosen.interleaved)
        snapshot = Snapshot(server)
        ways = {"engine's statements": partial(engine_statements, url)}
        for jobs in chosen.jobs:
            ways[f"cleanupctl, {jobs} jobs"] = partial(cleanupctl, url, jobs, "end-time")
        results = alternate(ways, rounds=chosen.rounds, before=snapshot.restore)
    title = f"End-time strategy on {chosen.database}, {chosen.instances:,} expired instances"
    report(title, results, baseline="engine's statements", as_json=chosen.json)


if __name__ == "__main__":
    main()
