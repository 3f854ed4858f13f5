"""The configuration file as data: validation, man page and `config show` all read these tables."""

from __future__ import annotations

from cleanupctl.core.configuration.history_keys import HISTORY_KEYS
from cleanupctl.core.configuration.key import DAY_TABLE, DAYS, Key, Table
from cleanupctl.core.configuration.keys import GENERAL_KEYS

__all__ = ["CONFIGURATION_KEYS", "CONFIGURATION_TABLES", "DAYS", "DAY_TABLE", "Key", "Table", "keys_of"]

CONFIGURATION_TABLES = (
    Table("", "", "Keys before the first table."),
    Table("job_store", "[job_store]", "The database that holds the cleanup jobs and the job log."),
    Table("cleanup", "[cleanup]", "How cleanup is done."),
    Table(
        "throttle",
        "[throttle]",
        "How much a run holds back for other work: it pauses between transactions, never inside one.",
    ),
    Table(
        "window",
        "[window]",
        "The batch window: every day from start to end, or by cron expression and duration. "
        "Without any window cleanup runs only when it is scheduled immediately due.",
    ),
    Table("window.entry", "[[window.entry]]", "One of several windows by cron expression; may be repeated."),
    Table(
        DAY_TABLE,
        "[window.DAY]",
        "The window of one weekday, monday to sunday; it replaces the general window of that day.",
    ),
    Table("history", "[[history]]", "A database whose expired rows are cleaned; may be repeated."),
    Table(
        "history.batch_ttl",
        "[history.batch_ttl]",
        'Times to live of batch operations by their type, for the history above it, of kind "camunda". They'
        " count under the end-time strategy; otherwise the removal time does, which the engine has written.",
    ),
    Table(
        "history.ttl",
        "[[history.ttl]]",
        'The time to live of a definition, of the history above it, of kind "camunda"; may be repeated.'
        " It counts in place of the one that the engine has, under the end-time strategy and when removal"
        " times are calculated.",
    ),
    Table(
        "history.table",
        "[[history.table]]",
        'A table of the history above it, of kind "tables"; may be repeated.',
    ),
)

CONFIGURATION_KEYS: tuple[Key, ...] = GENERAL_KEYS + HISTORY_KEYS
"""Every key, in the order of the tables; the order in a table is the one to write them in."""


def keys_of(table: str) -> dict[str, Key]:
    """Return the keys of one table by name; `table` is a `Table.name`."""
    return {key.name: key for key in CONFIGURATION_KEYS if key.table == table}
