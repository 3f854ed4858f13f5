"""How cleanup is done and how much it holds back, and where its jobs are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from cleanupctl.core.settings import values
from cleanupctl.core.settings.declaration import key, record, shape
from cleanupctl.core.settings.values import INT32

if TYPE_CHECKING:
    from datetime import timedelta

Strategy = Literal["removal-time", "end-time"]


@shape
class JobStoreTable:
    """The [job_store] table as it stands in the file: read, it is a URL with its password."""

    url: str | None = key(
        values.URL,
        "Where the jobs are kept; --database and $CLEANUPCTL_DATABASE come first. Environment variables"
        " are written ${NAME}; a relative SQLite path is relative to the folder of the configuration file.",
        default=None,
        otherwise="an SQLite file",
        example="postgresql://cleanup@db/jobs",
    )
    password_file: str | None = key(
        values.PATH,
        "File that has the password of the URL and nothing else.",
        default=None,
        otherwise="none",
        shown=False,
        example="/etc/cleanupctl/job-store.password",
    )


@record(kw_only=True)
class CleanupSettings:
    """The [cleanup] table."""

    enabled: bool = key(
        values.BOOLEAN,
        "Participation: whether this node may schedule and run cleanup.",
        default=True,
        example=False,
    )
    strategy: Strategy = key(
        values.choice(Strategy),
        "What makes an engine's history expire: the removal time stored on the row, or its end and the"
        " time to live of its definition.",
        default="removal-time",
        example="removal-time",
    )
    parallelism: int = key(
        values.integer(1, 8, "choose 1 to 8 jobs"),
        "Number of cleanup jobs, which may run at the same time.",
        default=1,
        example=2,
    )
    batch_size: int = key(
        values.integer(1, 1_000_000, "choose 1 to 1000000 rows"),
        "Rows that one transaction deletes at most; on a node of a Galera cluster no more than 1000.",
        default=10_000,
        example=5000,
    )
    batch_time: timedelta = key(
        values.duration("10ms", "60s"),
        "Transactions are sized to take about this long.",
        default="250ms",
        example="100ms",
    )
    lease: timedelta = key(
        values.duration("2s", "10m"),
        "How long a job belongs to the process that executes it without a keep-alive; renewed twelve times"
        " as often, and after a crash the time until another process may continue.",
        default="60s",
        example="30s",
    )
    max_clock_skew: timedelta = key(
        values.duration("10s", "1d"),
        "Nothing is deleted from a history whose server's clock, or the job store's, is further from that of"
        " this host: one of them is wrong. Of clocks that are closer together the earlier counts; a notice"
        " tells when they are more than a minute apart. SQLite has no clock of its own.",
        default="10m",
        example="1m",
    )
    retries: int = key(
        values.integer(0, INT32, "choose 0 or more attempts, such as 3"),
        "Attempts a job has before it waits for a person or a new schedule.",
        default=3,
        example=5,
    )
    job_priority: int = key(
        values.integer(-INT32 - 1, INT32, "choose a priority such as 0"),
        "Priority written on the jobs that are created.",
        default=0,
        example=10,
    )
    job_log_ttl: int | None = key(
        values.TIME_TO_LIVE_OR_NONE,
        'Days that entries of the job log are kept; "none" keeps them for ever.',
        default="P30D",
        example="P90D",
    )


@record(kw_only=True)
class ThrottleSettings:
    """The [throttle] table; None is no limit."""

    duty_cycle: float = key(
        values.number(0, 1, "choose a share such as 0.5"),
        "Share of the time that each worker spends in transactions; after each it rests for the other share.",
        default=1.0,
        example=0.5,
    )
    rows_per_second: int | None = key(
        values.integer(1, INT32, "choose a number of rows such as 5000"),
        "Rows that all workers of a run together delete in a second, on average.",
        default=None,
        otherwise="no limit",
        example=5000,
    )
    max_load: float | None = key(
        values.number(0, 100_000, "choose a load average such as 8.0"),
        "While the one-minute load average of the host that runs cleanupctl is higher, no batch is begun.",
        default=None,
        otherwise="no limit",
        example=8.0,
    )
    max_replica_lag: timedelta | None = key(
        values.duration("1s", "1d"),
        "While a replica of a history is further behind, no batch is begun. PostgreSQL tells the lag of its"
        " standbys itself (the login needs pg_monitor), and of one that is away by its replication slot, or"
        " when it was there before; MySQL and MariaDB need replica_url. A replica that does not answer, or"
        " does not replicate, is too far behind.",
        default=None,
        otherwise="no limit",
        example="10s",
    )
