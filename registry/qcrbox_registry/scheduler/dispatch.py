"""Hands waiting calculations to agents: chosen in memory, written in one transaction, sent together."""

from __future__ import annotations

import contextlib
import heapq
from dataclasses import dataclass

import structlog
from qcrbox.contract.errors import QueueFull
from qcrbox.contract.messages import Cancel, Command
from qcrbox.contract.states import State

from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.backlog import QueuePartition
from qcrbox_registry.scheduler.fleet import Active, Agent, Application
from qcrbox_registry.scheduler.state import SchedulerState
from qcrbox_registry.store import agents, work_queue
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.events import Event
from qcrbox_registry.store.transitions import Change, Ledger, StaleAttempt, StateRefused

MOST_PER_ROUND = 256
FULL_PAUSE_S = 2.0
PATIENCE_EACH_S, MOST_PATIENCE_S = 0.002, 0.04
UNKNOWN_S = 10.0  # charged for a command without a past; corrected at its end

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Assignment:
    """A calculation that was given to an agent in memory."""

    agent: Agent
    active: Active
    new_owner: bool = False


class Dispatcher:
    """Chooses, writes and sends."""

    def __init__(self, state: SchedulerState) -> None:
        self.state = state
        # Partitions that found no agent in the last round; agents are started for them.
        self.unserved: dict[int, list[QueuePartition]] = {}

    def patience_s(self) -> float:
        """How long work may be gathered before it is written, s: 0 unless every agent has commands in hand.

        Then no agent waits, and one transaction for many commands costs little more than a transaction for one.
        """
        in_hand = [len(agent.active) for agent in self.state.fleet.agents.values() if agent.is_ready]
        least = min(in_hand, default=0)
        return min(least * PATIENCE_EACH_S, MOST_PATIENCE_S) if least > 1 else 0.0

    async def round(self) -> int:
        """Hand out waiting calculations of all applications; how many."""
        state = self.state
        state.backlog.release_due(state.clock.monotonic())
        if not state.bus.is_connected:
            return 0  # the commands could not be sent
        chosen: list[Assignment] = []
        self.unserved = {}
        for application_id in state.backlog.applications():
            if len(chosen) >= MOST_PER_ROUND:
                break
            chosen.extend(self._choose(application_id, MOST_PER_ROUND - len(chosen)))
        if chosen:
            await self._hand_out(chosen)
        return len(chosen)

    # ------------------------------------------------------------ choosing

    def _choose(self, application_id: int, most: int) -> list[Assignment]:
        state = self.state
        application = state.fleet.applications.get(application_id)
        hold = state.hold_on(application_id)
        if application is None or hold is not None:
            if hold is not None:
                state.waits[application_id] = hold.reason
            return []
        state.waits.pop(application_id, None)
        turn = [
            (
                state.share.score(partition.owner_id, partition.group_id),
                partition.head.key,
                id(partition),
                partition,
            )
            for partition in state.backlog.partitions(application_id)
        ]
        heapq.heapify(turn)
        agents = self._with_room(application)
        chosen: list[Assignment] = []
        unserved: list[QueuePartition] = []
        while turn and len(chosen) < most:
            known, _, _, partition = heapq.heappop(turn)
            if not state.may_run(partition.owner_id, partition.group_id):
                continue
            score = state.share.score(partition.owner_id, partition.group_id)
            if score > known:  # another partition of this person or group was served since it was put in
                heapq.heappush(turn, (score, partition.head.key, id(partition), partition))
                continue
            agent = self._agent_for(partition, application, agents, may_look_ahead=not unserved)
            if agent is None:
                unserved.append(partition)
                continue
            chosen.append(self._assign(agent, partition, application))
            if partition.entries:
                score = state.share.score(partition.owner_id, partition.group_id)
                heapq.heappush(turn, (score, partition.head.key, id(partition), partition))
        if unserved:
            self.unserved[application_id] = unserved
        return chosen

    def _with_room(self, application: Application) -> list[Agent]:
        state = self.state
        return [
            agent
            for agent in state.fleet.of_application(application.id)
            if agent.is_ready
            and not agent.is_yielding
            and len(agent.active) < state.settings.most_look_ahead
            and state.hold_on_launcher(agent.launcher) is None
        ]

    def _agent_for(
        self,
        partition: QueuePartition,
        application: Application,
        agents: list[Agent],
        *,
        may_look_ahead: bool,
    ) -> Agent | None:
        """The least loaded agent that may work for the owner of this partition."""
        best: Agent | None = None
        best_key: tuple[int, bool] = (1 << 30, True)
        for agent in agents:
            if not self.may_have(agent, partition.owner_id, application):
                continue
            if self.state.reservations.withholds(self.state, application, partition, agent):
                continue
            if agent.active and not (may_look_ahead and self._has_room(agent, partition, application)):
                continue
            key = (len(agent.active), agent.owner_id is None)
            if key < best_key:
                best, best_key = agent, key
        return best

    @staticmethod
    def may_have(agent: Agent, owner_id: int, application: Application) -> bool:
        """The owner rule: whether this agent may work for this person."""
        if application.reuse == "any":
            return True
        if application.reuse == "never":
            return agent.runs == 0 and not agent.active
        return agent.owner_id is None or agent.owner_id == owner_id

    def free_for(self, application: Application, partitions: list[QueuePartition]) -> int:
        """Number of agents that became free since the last round and can take some of these calculations in the next."""
        return sum(
            not agent.active
            and any(
                self.may_have(agent, partition.owner_id, application)
                and not self.state.reservations.withholds(self.state, application, partition, agent)
                for partition in partitions
            )
            for agent in self._with_room(application)
        )

    def _has_room(self, agent: Agent, partition: QueuePartition, application: Application) -> bool:
        """Whether a busy agent may hold this command too: short commands only, none that is cancelled, little in total."""
        if application.reuse == "never" or len(agent.active) >= self.state.settings.most_look_ahead:
            return False
        expected = self.state.runtimes.expected(partition.head.command_id)
        if expected is None:
            return False
        total = expected
        for active in agent.active.values():
            if active.interactive or active.cancel_reason is not None or not active.estimate_s:
                return False
            total += active.estimate_s
        return total <= self.state.settings.look_ahead_s

    def _assign(self, agent: Agent, partition: QueuePartition, application: Application) -> Assignment:
        state = self.state
        calculation_id, command_id = state.backlog.take(partition)
        mono = state.clock.monotonic()
        expected = state.runtimes.expected(command_id)
        active = Active(
            calculation_id=calculation_id,
            attempt=0,  # known when it is written
            owner_id=partition.owner_id,
            group_id=partition.group_id,
            command_id=command_id,
            estimate_s=expected or 0.0,
            charged_s=UNKNOWN_S if expected is None else expected,
            sent_mono=mono,
        )
        new_owner = agent.owner_id != partition.owner_id
        if new_owner:
            agent.owner_id, agent.owned_since_mono = partition.owner_id, mono
        state.fleet.begin(agent, active)
        state.fleet.change_state(agent, AgentState.BUSY, mono)
        agent.runs += 1
        # Charged now, so that the next turn counts it; corrected at the end.
        state.share.charge(partition.owner_id, partition.group_id, active.charged_s, mono)
        return Assignment(agent, active, new_owner)

    # ------------------------------------------------------------ writing and sending

    async def _hand_out(self, chosen: list[Assignment]) -> None:
        try:
            commands = await self.state.db.write(lambda conn: self._write(conn, chosen))
        except Exception as error:  # noqa: BLE001 - whatever failed, the chosen calculations must be queued again
            log.error("assignments_not_written", reason=repr(error), calculations=len(chosen))
            await self._take_back(chosen, pause_s=FULL_PAUSE_S)
            return
        ready: list[tuple[Assignment, Command]] = []
        for assignment in chosen:
            command = commands.get(assignment.active.calculation_id)
            if command is None:  # cancelled since
                self._take_from_agent(assignment)
                continue
            assignment.active.attempt = command.attempt
            assignment.active.interactive = command.interactive
            assignment.active.wall_time_s = command.wall_time_s
            ready.append((assignment, command))
        self.state.counters.assigned += len(ready)
        await self.send(ready)

    def _write(self, conn: Connection, chosen: list[Assignment]) -> dict[str, Command]:
        now = self.state.clock.time()
        ledger = Ledger(conn, (assignment.active.calculation_id for assignment in chosen), now)
        given = [
            assignment.active.calculation_id
            for assignment in chosen
            if ledger.assign(assignment.active.calculation_id, assignment.agent.id) is not None
        ]
        ledger.close()
        # Written before the work goes out: the owner rule holds after a restart too.
        agents.set_owners(
            conn,
            {assignment.agent.id: assignment.agent.owner_id for assignment in chosen if assignment.new_owner},
        )
        return self.state.maker.make(conn, given, now)

    async def send(self, ready: list[tuple[Assignment, Command]]) -> None:
        """Publish the commands. One that is not stored is sent again by the reconciler; when the message queue is full,
        its calculation is queued again."""
        outcomes = await self.state.bus.send_commands(
            [(assignment.agent.id, command) for assignment, command in ready]
        )
        full: list[Assignment] = []
        for (assignment, _), outcome in zip(ready, outcomes, strict=True):
            if outcome is None:
                assignment.active.sent = True
                assignment.active.sent_mono = self.state.clock.monotonic()
            elif isinstance(outcome, QueueFull):
                full.append(assignment)
        if full:
            log.warning("message_queue_full", calculations=len(full))
            await self._release(full, FULL_PAUSE_S, "queue full")

    async def take_back(self, agent: Agent, ahead: list[Active], reason: str) -> None:
        """Queue again the commands that an agent holds and has not begun. If it begins one at this moment, its result
        is refused: the attempt is over."""
        log.info("taken_back", agent=agent.id, calculations=len(ahead), reason=reason)
        await self._release([Assignment(agent, active) for active in ahead], 0.0, reason)
        for active in ahead:
            over = Cancel(calculation_id=active.calculation_id, attempt=active.attempt, reason=reason)
            await self.state.bus.control(agent.id, over)

    async def _release(self, taken: list[Assignment], pause_s: float, reason: str) -> None:
        """Queue again under a higher attempt, without counting a loss."""
        now = self.state.clock.time()

        def write(conn: Connection) -> list[Event]:
            ledger = Ledger(conn, (assignment.active.calculation_id for assignment in taken), now)
            for assignment in taken:
                with contextlib.suppress(StaleAttempt, StateRefused):  # it has ended since
                    _release_one(ledger, assignment.active, now + pause_s if pause_s else None, reason)
            return ledger.close()

        self.state.publish(await self.state.db.write(write))
        await self._take_back(taken, pause_s)

    def _take_from_agent(self, assignment: Assignment) -> None:
        """The agent did not get to this calculation. It does not count as a run: an agent that may run once only would
        be used up by it."""
        assignment.agent.runs -= 1
        self.state.settle(assignment.agent, assignment.active, succeeded=False, ran_s=None)

    async def _take_back(self, taken: list[Assignment], pause_s: float) -> None:
        for assignment in taken:
            if assignment.active.calculation_id in assignment.agent.active:
                self._take_from_agent(assignment)
        ids = [assignment.active.calculation_id for assignment in taken]
        waiting = await self.state.db.read(lambda conn: work_queue.waiting(conn, ids))
        now = self.state.clock.time()
        self.state.enqueue([calculation._replace(not_before=now + pause_s) for calculation in waiting])


def _release_one(ledger: Ledger, active: Active, not_before: float | None, reason: str) -> None:
    entry = ledger.entry(active.calculation_id, active.attempt)
    if entry.cancel_requested_at is not None:
        fields = {"error_msg": entry.cancel_reason}
        ledger.change(Change(entry.id, State.CANCELLED, active.attempt, fields=fields))
    else:
        ledger.release(entry.id, active.attempt, lost=False, not_before=not_before, reason=reason)
