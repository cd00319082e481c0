"""Failed and lost agents: their rows and consumers, and another attempt for their calculations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from qcrbox.contract.states import State

from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.fleet import Active, Agent
from qcrbox_registry.scheduler.state import SchedulerState
from qcrbox_registry.store import agents, logs, work_queue
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.events import Event
from qcrbox_registry.store.transitions import Change, Ledger, StaleAttempt, StateRefused

log = structlog.get_logger(__name__)

AGAIN_AFTER_S = 1.0  # doubles with each loss: a broken machine must not consume the queue


@dataclass(frozen=True, slots=True)
class Loss:
    """Why an agent ended. memory: it was killed for its use of memory."""

    reason: str
    exit_code: int | None = None
    memory: bool = False


class AgentFailures:
    """Handles the end of agents."""

    def __init__(self, state: SchedulerState) -> None:
        self.state = state

    async def handle(
        self, agent: Agent, reason: str, *, exit_code: int | None = None, memory: bool = False
    ) -> None:
        """The agent has ended. Its calculations are queued again, up to three losses; else they end with the reason."""
        state = self.state
        if agent.state is AgentState.GONE or agent.is_leaving:
            return
        held = list(agent.active.values())
        loss = Loss(reason, exit_code, memory)
        agent.is_leaving, agent.reason = True, reason
        try:
            written, ids = await state.db.write(lambda conn: self._write(conn, agent, held, loss))
        finally:
            agent.is_leaving = False  # a write that failed is repeated at the next look
        state.fleet.change_state(agent, AgentState.GONE, state.clock.monotonic())
        if held:
            state.counters.lost_agents += 1
            log.warning(
                "agent_lost",
                agent=agent.id,
                reason=reason,
                calculations=[active.calculation_id for active in held],
            )
        now_mono = state.clock.monotonic()
        for active in held:
            state.settle(agent, active, succeeded=False, ran_s=active.ran_s(now_mono))
        state.fleet.remove(agent)
        if ids:
            state.enqueue(await state.db.read(lambda conn: work_queue.waiting(conn, ids)))
        state.publish(written)
        state.wake.set()
        state.background.spawn(state.bus.remove_agent(agent.id))

    def _write(
        self, conn: Connection, agent: Agent, held: list[Active], loss: Loss
    ) -> tuple[list[Event], list[str]]:
        now = self.state.clock.time()
        agents.note_gone(conn, agent.id, loss.reason, loss.exit_code, now)
        if not held:
            return [], []
        ledger = Ledger(conn, (active.calculation_id for active in held), now)
        blamed = self._blamed(held)
        waiting: list[str] = []
        for active in held:
            try:
                if self._end_or_repeat(conn, ledger, active, loss, is_blamed=active is blamed):
                    waiting.append(active.calculation_id)
            except (StaleAttempt, StateRefused):
                continue  # it has ended, or is with another agent already
        return ledger.close(), waiting

    @staticmethod
    def _blamed(held: list[Active]) -> Active:
        """The calculation that may have killed the agent: the one that ran, else the first."""
        started = [active for active in held if active.started_mono is not None]
        return started[-1] if started else held[0]

    def _end_or_repeat(
        self, conn: Connection, ledger: Ledger, active: Active, loss: Loss, *, is_blamed: bool
    ) -> bool:
        """End a calculation or queue it again; True when it is queued."""
        entry: Any = ledger.entry(active.calculation_id, active.attempt)
        settings = self.state.settings
        cancelled = entry.cancel_requested_at is not None
        if active.over_wall_time:
            self._fail(ledger, active, active.cancel_reason or "The wall-time limit was reached.")
        elif cancelled:
            reason = entry.cancel_reason
            ledger.change(Change(entry.id, State.CANCELLED, active.attempt, fields={"error_msg": reason}))
        elif entry.interactive and active.started_mono is not None:
            self._fail(ledger, active, f"The program of the session has ended: {loss.reason}.")
        elif is_blamed and entry.losses + 1 >= settings.most_losses:
            self._fail(
                ledger, active, self._dead_letter_text(conn, active, entry.losses + 1, loss), dead=True
            )
        else:
            pause = AGAIN_AFTER_S * 2**entry.losses if is_blamed else 0.0
            ledger.release(
                active.calculation_id,
                active.attempt,
                lost=is_blamed,
                not_before=ledger.now + pause if pause else None,
                reason=f"the agent was lost: {loss.reason}",
            )
            return True
        return False

    @staticmethod
    def _fail(ledger: Ledger, active: Active, text: str, *, dead: bool = False) -> None:
        fields = {"error_msg": text, "dead_letter": dead}
        ledger.change(Change(active.calculation_id, State.FAILED, active.attempt, fields=fields))

    @staticmethod
    def _dead_letter_text(conn: Connection, active: Active, losses: int, loss: Loss) -> str:
        parts = [
            f"The agent was lost {losses} times while it ran this calculation; the last time: {loss.reason}."
        ]
        if loss.memory:
            parts.append("It needs more memory than its application is given.")
        for stream in ("stdout", "stderr"):
            tail = logs.tail(conn, active.calculation_id, active.attempt, stream)
            if tail:
                parts.append(f"Last lines of {stream}:\n{tail}")
        return "\n".join(parts)
