"""A change of the batch windows in the configuration file: what it would be, and what holds after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cleanupctl.cli.views.jobs import job_object, show_jobs
from cleanupctl.cli.views.window import answer_object, show_window
from cleanupctl.core.windows.explanation import explain

if TYPE_CHECKING:
    from cleanupctl.cli.context import Context
    from cleanupctl.cli.output import Output
    from cleanupctl.core.configuration.editing.editor import EditResult
    from cleanupctl.core.job import Job
    from cleanupctl.core.settings import Settings


def show_difference(output: Output, result: EditResult) -> None:
    """Write how the file would change."""
    if output.json:
        output.data({"path": str(result.path), "changed": result.changed, "diff": result.diff()})
    elif result.changed:
        output.document(result.diff().rstrip("\n"))
    else:
        output.notice(f"{result.path} says so already: nothing would change")


def show_changed(context: Context, settings: Settings, jobs: list[Job] | None) -> None:
    """Write the window that `settings` give now, and the jobs if they were scheduled anew."""
    explanation = explain(settings.windows, context.now())
    if not context.output.json:
        show_window(context.output, settings, explanation)
        if jobs:
            show_jobs(context, jobs)
        return
    shown: dict[str, Any] = answer_object(settings, explanation)
    if jobs is not None:
        shown["jobs"] = [job_object(job, settings.timezone) for job in jobs]
    context.output.data(shown)
