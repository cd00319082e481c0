"""Waiting for the end of a calculation."""

from __future__ import annotations

import time

from qcrbox.contract.states import FINAL

from qcrbox_registry.services.context import Context
from qcrbox_registry.store import calculations


async def wait_for_end(context: Context, calculation_id: str, seconds: float) -> None:
    """Return when the calculation has ended or the registry stops, at the latest after `seconds`."""
    until = time.monotonic() + seconds
    subscription = context.hub.subscribe(
        lambda event: event.kind == "calculation" and event.status in FINAL, calculation_id
    )
    try:
        # Subscribed first: the calculation may end between the two.
        state = await context.db.read(lambda conn: calculations.state_of(conn, calculation_id))
        while state not in FINAL and (left := until - time.monotonic()) > 0:
            if await subscription.get(left) != []:  # an end, or None: the registry stops
                return
    finally:
        context.hub.unsubscribe(subscription, calculation_id)
