"""Telling that other hosts on the same job store run with other settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cleanupctl.cli.context import Context
    from cleanupctl.core.store.jobstore import JobStore


def notice_other_configurations(context: Context, store: JobStore) -> None:
    """Say which hosts clean with other settings: their runs may remove more, or less, than this one."""
    from cleanupctl.core.jobs.participants import differing_participants
    from cleanupctl.core.times import format_instant

    for other in differing_participants(store, context.origin, context.now()):
        when = format_instant(other.time, context.settings.timezone)
        context.output.notice(
            f"host {other.host} runs with another configuration ({other.configuration}, last {when};"
            f" here {context.origin.configuration}): compare `cleanupctl config show` on both"
        )
