"""Whether a session still gets answers, as other threads see it, and how it is broken off."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from cleanupctl.core.network import Link

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

PATIENCE_SECONDS = 10
"""A session that has waited for an answer for so long is looked for on its server, on another connection."""
ASK_SECONDS = 5
"""How long that connection may take, for each thing that it does."""
CANCEL_SECONDS = 2
"""How long the server has to end a statement before the connection is cut."""


class Answering:
    """What waits on a server, and is watched meanwhile."""

    link = Link()
    """A file has no link that is waited for: this one is shared by those that have none."""
    broken_off: str | None = None
    """Why another thread ended the session: what statements meet then is no failure of the server."""
    _looked_at = 0.0
    _at_work = True

    def answers(self) -> bool:
        """Return whether the session gets on: it has heard of its server lately, or that is at work for it.

        A session that nothing comes back to is broken off. May be called from any thread; never raises.
        """
        waited = self.link.waited()
        if waited < PATIENCE_SECONDS:
            return True
        if time.monotonic() > self._looked_at + PATIENCE_SECONDS:
            self._looked_at = time.monotonic()
            self._at_work = self.is_at_work()
        # Meanwhile it may have had its answer.
        if self._at_work or self.link.waited() < waited:
            return True
        self.break_off(f"nothing came back for {waited:.0f} seconds")
        return False

    def break_off(self, why: str) -> None:
        """End what the session waits for, and the session itself.

        May be called from any thread, more than once; never raises.
        """
        self.broken_off = self.broken_off or why
        if not self.link.waited():
            return
        ends = time.monotonic() + CANCEL_SECONDS
        with suppress(Exception):
            self.cancel()
        while self.link.waited() and time.monotonic() < ends:
            time.sleep(0.05)
        # Also when that has ended: what comes next would wait again.
        self.link.cut()

    def server_time(self) -> datetime | None:
        """Return what the server's clock says (aware); None for a file, which has that of this host."""
        return None

    @contextmanager
    def unlimited(self) -> Iterator[None]:
        """Let statements in the block take as long as they take."""
        yield

    def is_at_work(self) -> bool:
        """Ask the server, on another connection, whether it works for this session; never raises.

        True also where that cannot be known although the server answers.
        """
        return True

    def cancel(self) -> None:
        """Ask the server to end the statement of this session, from another thread."""
