"""Ends of attempts, written for tests that have no scheduler."""

from __future__ import annotations

from qcrbox.contract.messages import Finished
from sqlalchemy import Connection

from qcrbox_registry.store import events
from qcrbox_registry.store.results import commit_many


def write_end(conn: Connection, finished: Finished, now: float | None = None) -> list[events.Event]:
    """Write one end. The events to publish; empty when it was written before.

    Raises NotFound, StaleAttempt, StateRefused: nothing was changed.
    """
    written, refused = commit_many(conn, [finished], now)
    if refused[0] is not None:
        raise refused[0]
    return written
