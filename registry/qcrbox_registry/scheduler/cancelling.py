"""Cancels calculations: waiting ones at once, running ones through their agent, or by ending an agent that does not obey."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from qcrbox.contract.messages import Cancel
from qcrbox.contract.states import State

from qcrbox_registry.scheduler.fleet import Active, Agent
from qcrbox_registry.scheduler.launching import Launching
from qcrbox_registry.scheduler.state import SchedulerState
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.events import Event
from qcrbox_registry.store.transitions import Change, Ledger, StaleAttempt, StateRefused

log = structlog.get_logger(__name__)

REPEAT_S = 2.0


class Cancelling:
    """Cancels, and repeats until the agent has obeyed."""

    def __init__(self, state: SchedulerState, launching: Launching) -> None:
        self.state, self.launching = state, launching

    async def cancel(self, calculation_ids: Sequence[str], reason: str = "", by: str = "") -> dict[str, str]:
        """For each id: `cancelled` for one that waited, `cancelling` for one that is with an agent, else its final
        state. Raises NotFound, and then nothing was changed."""
        ids = list(dict.fromkeys(calculation_ids))

        def write(conn: Connection) -> tuple[list[Event], dict[str, tuple[str, str | None]]]:
            ledger = Ledger(conn, ids, self.state.clock.time())
            now_are: dict[str, tuple[str, str | None]] = {}
            for calculation_id in ids:
                ledger.ask_cancel(calculation_id, reason, by)
                entry = ledger.entry(calculation_id)
                now_are[calculation_id] = (
                    entry.step if entry.finished_at is None else entry.state,
                    entry.agent_id,
                )
            return ledger.close(), now_are

        written, now_are = await self.state.db.write(write)
        for calculation_id, (now_is, agent_id) in now_are.items():
            self.state.backlog.remove(calculation_id)
            holder = self.state.fleet.holder(calculation_id, agent_id)
            if holder is not None and now_is == "cancelling":
                await self._begin(*holder, reason or "cancelled")
        self.state.publish(written)
        self.state.wake.set()
        return {calculation_id: now_is for calculation_id, (now_is, _) in now_are.items()}

    async def over_wall_time(self, agent: Agent, active: Active) -> None:
        """Cancel a calculation over its wall time whose agent did not end it."""
        active.over_wall_time = True
        text = f"The wall-time limit of {active.wall_time_s:g} s was reached."

        def write(conn: Connection) -> list[Event]:
            ledger = Ledger(conn, [active.calculation_id], self.state.clock.time())
            ledger.ask_cancel(active.calculation_id, text)
            return ledger.close()

        self.state.publish(await self.state.db.write(write))
        await self._begin(agent, active, text)

    async def _begin(self, agent: Agent, active: Active, reason: str) -> None:
        mono = self.state.clock.monotonic()
        if active.cancel_reason is None:
            active.cancel_reason = reason
            active.cancel_until_mono = (
                mono + self.state.settings.cancel_grace_s + self.state.settings.cancel_patience_s
            )
        await self._send(agent, active)

    async def _send(self, agent: Agent, active: Active) -> None:
        active.cancel_sent_mono = self.state.clock.monotonic()
        await self.state.bus.control(
            agent.id,
            Cancel(
                calculation_id=active.calculation_id,
                attempt=active.attempt,
                reason=active.cancel_reason or "",
                grace_s=self.state.settings.cancel_grace_s,
            ),
        )

    async def look_after(self, agent: Agent, active: Active) -> None:
        """Repeat a cancellation, or end the agent when it does not obey. Called at each tick for cancelled calculations."""
        mono = self.state.clock.monotonic()
        if mono >= active.cancel_until_mono:
            await self._force(agent, active)
        elif mono - active.cancel_sent_mono >= REPEAT_S:
            await self._send(agent, active)

    async def _force(self, agent: Agent, active: Active) -> None:
        """End the agent: this calculation ends now, the others of the agent are queued again."""
        log.warning("agent_does_not_cancel", agent=agent.id, calculation=active.calculation_id)
        new = State.FAILED if active.over_wall_time else State.CANCELLED

        def write(conn: Connection) -> list[Event]:
            ledger = Ledger(conn, [active.calculation_id], self.state.clock.time())
            fields = {"error_msg": active.cancel_reason or ""}
            try:
                ledger.change(Change(active.calculation_id, new, active.attempt, fields=fields))
            except (StaleAttempt, StateRefused):
                return []  # it has ended since
            return ledger.close()

        written = await self.state.db.write(write)
        ran_s = active.ran_s(self.state.clock.monotonic())
        self.state.settle(agent, active, succeeded=False, ran_s=ran_s)
        self.state.publish(written)
        await self.launching.kill(agent, "it did not end a cancelled calculation")
