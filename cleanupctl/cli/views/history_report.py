"""A history's report: as JSON, and as tables for people, made to fit a terminal of 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.core.times import format_instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

    from cleanupctl.cli.output import Output
    from cleanupctl.history.camunda.report.cleanable import Cleanable
    from cleanupctl.history.camunda.report.report import FullReport
    from cleanupctl.history.camunda.report.sizes import Size

Row = tuple[Any, ...]

_NAMES = {"process": "Process", "decision": "Decision", "case": "Case"}


def report_object(one: FullReport, zone: ZoneInfo, *, compact: bool) -> dict[str, Any]:
    """Return the report; `compact` leaves out what has nothing to clean."""
    return {
        "history": one.history,
        "strategy": one.strategy,
        "exact": one.exact,
        "processes": [_definition(c) for c in _kept(one.cleanable, "process", compact=compact)],
        "decisions": [_definition(c) for c in _kept(one.cleanable, "decision", compact=compact)],
        "cases": [_definition(c) for c in _kept(one.cleanable, "case", compact=compact)],
        "batches": [
            {
                "batchType": batch.type,
                "historyTimeToLive": batch.ttl,
                "finishedBatchesCount": batch.finished,
                "cleanableBatchesCount": batch.cleanable,
            }
            for batch in one.batches
            if batch.cleanable or not compact
        ],
        "withoutRemovalTime": [
            {"table": u.table, "cause": u.cause, "rows": u.rows, "estimated": u.estimated}
            for u in one.without_removal_time
        ],
        "orphans": [
            {"table": found.table, "cause": found.reason, "rows": found.rows}
            for found in one.orphans
            if found.rows or not compact
        ],
        "tables": [
            {
                "table": size.table,
                "rows": size.rows,
                "bytes": size.bytes,
                "expiredRows": size.expired,
                "estimated": size.estimated,
                "oldestExpired": format_instant(size.oldest, zone),
                "freedBytes": size.freed,
            }
            for size in one.sizes
            if size.expired or not compact
        ],
    }


def _kept(cleanable: Iterable[Cleanable], kind: str, *, compact: bool) -> list[Cleanable]:
    return [one for one in cleanable if one.definition.kind == kind and (one.cleanable or not compact)]


def _definition(one: Cleanable) -> dict[str, Any]:
    kind, definition = one.definition.kind, one.definition
    return {
        f"{kind}DefinitionId": definition.id,
        f"{kind}DefinitionKey": definition.key,
        f"{kind}DefinitionName": definition.name,
        f"{kind}DefinitionVersion": definition.version,
        "historyTimeToLive": one.ttl,
        f"finished{_NAMES[kind]}InstanceCount": one.finished,
        f"cleanable{_NAMES[kind]}InstanceCount": one.cleanable,
        "tenantId": definition.tenant,
        "definitionGone": definition.missing,
        "estimated": one.estimated,
    }


def show_report(output: Output, one: FullReport, zone: ZoneInfo, *, compact: bool) -> None:
    """Write the report; `compact` leaves out what has nothing to clean."""
    exactness = "every row counted" if one.exact else "~ marks estimates; --exact counts"
    output.text(f"{one.history} ({one.strategy}; {exactness})")
    _cleanable(output, one, compact=compact)
    if not one.by_instance:
        _unset(output, one)
    _orphans(output, one)
    _tables(output, one, zone, compact=compact)


def _cleanable(output: Output, one: FullReport, *, compact: bool) -> None:
    rows = [row for row in _cleanable_rows(one) if not compact or row[-1] != "0"]
    if not rows:
        output.text("nothing is cleanable" if compact else "no definition, no instance, no batch")
        return
    headings = ("KIND", "KEY", "VERSION", "TENANT", "TTL", "FINISHED", "CLEANABLE")
    if not any(row[3] for row in rows):
        headings, rows = drop_column(headings, 3), [drop_column(row, 3) for row in rows]
    output.table(headings, rows, right=("VERSION", "FINISHED", "CLEANABLE"))


def drop_column(row: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    """Leave one column out of a row or of the headings."""
    return (*row[:place], *row[place + 1 :])


def _cleanable_rows(one: FullReport) -> Iterator[Row]:
    for found in one.cleanable:
        definition = found.definition
        yield (
            definition.kind,
            definition.key or definition.id,
            "gone" if definition.missing else definition.version,
            definition.tenant,
            _ttl(found.ttl),
            _number(found.finished, estimated=found.estimated),
            _number(found.cleanable, estimated=found.estimated),
        )
    for batch in one.batches:
        numbers = _number(batch.finished), _number(batch.cleanable)
        yield "batch", batch.type, None, None, _ttl(batch.ttl), *numbers


def _ttl(days: int | None) -> str:
    return "none" if days is None else f"P{days}D"


def _number(number: int, *, estimated: bool = False) -> str:
    """Write a number; of an estimate no more digits than it is worth."""
    if not estimated:
        return f"{number:,}"
    for size, unit in ((1_000_000_000, " G"), (1_000_000, " M"), (10_000, " k")):
        if number >= size:
            scale = 1_000 if unit == " k" else size
            return f"~{number / scale:.{0 if number >= 100 * scale or unit == ' k' else 1}f}{unit}"
    return f"~{number:,}"


def _unset(output: Output, one: FullReport) -> None:
    """Write rows without a removal time: a line for each table, a column for each cause."""
    from cleanupctl.history.camunda.report.missing_removal_times import CAUSES

    found = {(unset.table, unset.cause): unset for unset in one.without_removal_time}
    if not found:
        return
    causes = [cause for cause in CAUSES if any(cause == other for _, other in found)]
    rows = []
    for table in dict.fromkeys(unset.table for unset in one.without_removal_time):
        cells = (found.get((table, cause)) for cause in causes)
        rows.append((table, *(_number(c.rows, estimated=c.estimated) if c else "" for c in cells)))
    headings = [CAUSES[cause][0] for cause in causes]
    output.table(("WITHOUT REMOVAL TIME", *headings), rows, right=headings)
    for cause in causes:
        heading, advice = CAUSES[cause]
        output.paragraph(f"{heading}: {cause}{advice}", 2)


def _orphans(output: Output, one: FullReport) -> None:
    rows = [(f.table, f.reason, f"{f.rows:,}") for f in one.orphans if f.rows]
    if rows:
        output.table(("ORPHANS", "CAUSE", "ROWS"), rows, right=("ROWS",))
        output.paragraph(f"cleanupctl history orphans {one.history} --delete removes them", 2)
    unknown = [found for found in one.orphans if found.rows is None]
    if unknown:
        reasons = dict.fromkeys(found.reason for found in unknown if not found.countable)
        for reason in reasons:
            output.paragraph(f"orphans not looked for: {reason}", 2)
        names = ", ".join(found.table for found in unknown if found.countable)
        if names:
            output.paragraph(f"orphans not looked for, --exact does: {names}", 2)


def _tables(output: Output, one: FullReport, zone: ZoneInfo, *, compact: bool) -> None:
    shown = [size for size in one.sizes if size.expired or not compact]
    if not shown:
        return
    output.table(
        ("TABLE", "ROWS", "SIZE", "EXPIRED", "OLDEST", "FREES"),
        (
            (
                size.table,
                _number(size.rows, estimated=True),
                size_text(size.bytes),
                None if size.expired is None else _number(size.expired, estimated=size.estimated),
                None if size.oldest is None else size.oldest.astimezone(zone).date(),
                size_text(size.freed) if size.freed else None,
            )
            for size in shown
        ),
        right=("ROWS", "SIZE", "EXPIRED", "FREES"),
    )
    output.paragraph(_sum(one.sizes), 2)


def _sum(sizes: tuple[Size, ...]) -> str:
    whole = size_text(sum(size.bytes for size in sizes))
    freed = sum(size.freed or 0 for size in sizes)
    if not freed:
        return f"in all {whole} on disk, and nothing to free"
    return (
        f"in all {whole} on disk, of which a run frees about {size_text(freed)}: for new rows, not for the"
        " file system"
    )


def size_text(number: int) -> str:
    """Write a number of bytes."""
    size = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.{0 if unit == 'B' or size >= 99.95 else 1}f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
