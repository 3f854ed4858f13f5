"""What JSON the commands write, key by key, as the man pages tell it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """The JSON that a command writes."""

    sentence: str
    """What the whole is; text with markup."""
    keys: tuple[tuple[str, str], ...] = ()
    """Each key, or several with one meaning, and what it means."""


INSTANTS = (
    "Instants are written as `2017-04-06T13:57:45.000+0200`: milliseconds, and the offset of the configured"
    " time zone without a colon. What is not known, or does not apply, is null."
)

JOB = (
    ("id", "Time-based UUID of the job."),
    (
        "jobDefinitionId, processInstanceId, processDefinitionId, processDefinitionKey, executionId,"
        " tenantId",
        "Always null; the engine's job object has them.",
    ),
    ("exceptionMessage", "Why the last execution failed, until one succeeds or the job is scheduled anew."),
    ("retries", "Attempts left; at 0 the job waits for a person or a new schedule."),
    ("dueDate", "When the job may run; null while it is suspended for want of a batch window."),
    ("suspended", "Whether it is kept from running."),
    ("priority", "The priority it was created with."),
    ("createTime", "When it was created."),
)
_REMOVED = ("removed", "Deleted rows: an array of objects with history, table and rows.")
_FAILURES = (
    "failures",
    "What failed: an array of objects with history, table (null for the whole history) and message.",
)
_JOBS = ("jobs", "The cleanup jobs as they are afterwards: job objects as in cleanupctl-jobs(1).")
_THE_JOB = "A job object, described in cleanupctl-jobs(1) under LIST."
_THE_JOBS = "An array of the changed jobs, each an object as LIST describes it."

_JOB_DETAILS = (
    ("state", "In words: `due`, `waiting`, `running on` an owner, `suspended`, and so on."),
    ("nextRun", "When `cleanupctl run` would execute it; null while it waits for a person."),
    ("immediatelyDue", "Whether it ignores the batch window, until it is scheduled otherwise."),
    ("emptyRuns", "Executions in a row that found little; the next one waits longer each time."),
    ("lockOwner, lockExpirationTime", "Who executes it, and until when that lease lasts."),
    (
        "partition",
        "An object: number of this job, of how many, and the engine's minutes of the hour for it, from"
        " minuteFrom to minuteTo.",
    ),
    ("exceptionStacktrace", "Stack trace of the last failure."),
)
_LOG = (
    ("id", "Number of the entry."),
    ("jobId", "Id of the job; null for what a person did without one."),
    (
        "operation",
        "What a person did: `orphans`, `set-removal-time` or `ttl-set`; null for an execution of a job.",
    ),
    ("state", "`created`, `failed`, `successful` or `deleted`."),
    ("timestamp", "When the execution ended, or the job was created or deleted."),
    ("durationSeconds", "How long the execution took."),
    ("removedRows", "How many rows it deleted in all."),
    _REMOVED,
    ("changed", "Rows whose values were set: an array of objects with history, table and rows."),
    (
        "stopReason",
        "Why it ended: `finished`, `outside-window`, `window-end`, `max-rows`, `max-runtime`, `signal`,"
        " `stop-file` or `lease-lost`; for what a person did also `aborted`.",
    ),
    ("dueDate, retries, priority", "What the job had when it was taken."),
    ("hostName, processId", "Where it was executed."),
    ("version", "The cleanupctl that wrote the entry."),
    ("configuration", "Digest of the configuration in force: other digits, another configuration."),
    ("exceptionMessage, exceptionStacktrace", "What failed."),
)
_RUN = (
    ("executions", "How many times a job was executed; 0 when nothing was due."),
    ("removedRows", "Rows deleted in all."),
    _REMOVED,
    ("skipped", "Expired rows passed over because others point at them: history, table and rows."),
    ("batches", "Transactions that deleted rows."),
    ("seconds, rowsPerSecond", "Time that passed, and rows by it."),
    ("waitedSeconds", "How long workers held back, by reason: duty-cycle, rows-per-second, load."),
    ("stopReasons", "Why the executions ended, each reason once; see cleanupctl-jobs(1) under LOG."),
    ("incomplete", "Whether expired rows are left, or may be, for whatever reason."),
    _FAILURES,
    ("notices", "What the operator should know: an array of objects with history and message."),
    _JOBS,
)
_DRY_RUN = (
    ("dryRun", "With --dry-run: true; the object then has this and the following keys."),
    ("expiredRows", "Rows that have expired in all."),
    ("expired", "By table: an array of objects with history, table, rows and oldest, the earliest time."),
    (
        "failures, jobs",
        "As above; each job also has state and nextRun, as with `cleanupctl jobs show`.",
    ),
    (
        "backlogRows, inflowRowsPerDay, rowsPerSecond, openSecondsPerDay, secondsOfWork",
        "With --estimate, in place of the keys above: what the estimate is made of.",
    ),
    (
        "assumedShare",
        "How much of the time (0 to 1) rests on typical costs, because the job log has no execution that"
        " deleted enough rows of the table.",
    ),
    ("finished", "When nothing expired will be left for the first time; null: not within a year."),
    (
        "keepsUp, parallelismNeeded",
        "Whether the windows are enough; the fewest jobs that are, null for none.",
    ),
)
_HISTORY = (
    ("name, kind, url, replicaUrl, timezone, schema", "As configured; URLs without their secrets."),
    ("tablePrefix, strategy, hierarchy, includeUnfinished", "As configured, for kind `camunda` only."),
    (
        "defaultTimeToLive, batchDefaultTimeToLive, taskMetricsTimeToLive, cleanupLogTimeToLive",
        "Days, for kind `camunda` only: default_ttl, default of batch_ttl, task_metrics_ttl and"
        " cleanup_log_ttl; null where nothing is configured.",
    ),
    (
        "timesToLive",
        "Each [[history.ttl]] of kind `camunda`: an array of objects with key, kind, tenantId and timeToLive"
        " (days; null keeps the history for ever).",
    ),
    (
        "batchTimesToLive",
        "Each type of batch operation in batch_ttl: an array of objects with batchType and timeToLive.",
    ),
    (
        "tables",
        "For kind `tables` only: an array of objects with name, schema, timeColumn, timeFormat (null: by the"
        " column's type) and timeToLive in days.",
    ),
)
_CHECK = (
    ("path", "The file that was read; null if there is none and every default holds."),
    ("usable", "Always true: a file with faults is an error, whose object has them in faults."),
    ("histories", "Names of the configured histories."),
    ("warnings", "What stops nothing but should be known."),
)
_PLACES = (
    ("path", "Where a file is looked for."),
    ("origin", "Why there: `--config`, `$CLEANUPCTL_CONFIG`, `user` or `system`."),
    ("exists", "Whether it is there."),
    ("used", "Whether it is the one that is read."),
)

FORMATS: dict[tuple[str, ...], Format] = {
    ("schedule",): Format(_THE_JOB),
    ("run",): Format("An object; with --watch one for each time a job was due.", (*_RUN, *_DRY_RUN)),
    ("jobs", "list"): Format("An array of job objects, with exactly these keys in this order:", JOB),
    ("jobs", "show"): Format("A job object as LIST describes it, which has also:", _JOB_DETAILS),
    ("jobs", "log"): Format("An array of objects, the latest first:", _LOG),
    ("jobs", "suspend"): Format(_THE_JOBS),
    ("jobs", "activate"): Format(_THE_JOBS),
    ("jobs", "retries"): Format(_THE_JOBS),
    ("history", "list"): Format("An array of objects:", _HISTORY),
    ("config", "check"): Format("An object:", _CHECK),
    ("config", "show"): Format(
        "The tables and keys of the file as cleanupctl.toml(5) has them, every default filled in."
    ),
    ("config", "schema"): Format(
        "A JSON Schema, draft 2020-12, whatever the format: types, limits, defaults and meanings of all keys."
    ),
    ("config", "path"): Format("An array of objects, the first place first:", _PLACES),
}
"""By the command's path. Commands that are not here describe their JSON in their own details."""
