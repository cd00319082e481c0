"""One loop that compares what should be with what is, and moves each thing one step.

Nothing else waits for anything: a crash, a lost message or a missed answer between two steps is found here at
the next tick, so it is no special case anywhere else.
"""

from __future__ import annotations

import time

import structlog
from qcrbox.contract.errors import Unreachable
from qcrbox.contract.messages import LauncherAnswer
from sqlalchemy import case, update
from sqlalchemy.engine import Connection

from qcrbox_registry.scheduler.agent_failures import AgentFailures
from qcrbox_registry.scheduler.cancelling import Cancelling
from qcrbox_registry.scheduler.dispatch import Assignment, Dispatcher
from qcrbox_registry.scheduler.fleet import Active, Agent, Launcher
from qcrbox_registry.scheduler.ingest import NOT_SEEN_S
from qcrbox_registry.scheduler.launching import Launching
from qcrbox_registry.scheduler.recovery import read_rules
from qcrbox_registry.scheduler.state import Hold, SchedulerState
from qcrbox_registry.store.engine import upsert
from qcrbox_registry.store.tables import agents as agents_table
from qcrbox_registry.store.tables import launchers as launchers_table
from qcrbox_registry.store.tables import usage

log = structlog.get_logger(__name__)

RULES_S = 5.0
USAGE_S = 15.0
STOP_AGAIN_S = 20.0
STANDSTILL_LOOK_S = 0.5
STANDSTILL_S = 3.0
SLOW_TICK_S = 5.0


class Reconciler:
    def __init__(
        self,
        state: SchedulerState,
        dispatcher: Dispatcher,
        launching: Launching,
        failures: AgentFailures,
        cancelling: Cancelling,
    ) -> None:
        self.state, self.dispatcher = state, dispatcher
        self.launching, self.failures, self.cancelling = launching, failures, cancelling
        self._rules_mono = self._usage_mono = self._beat_mono = state.clock.monotonic()
        self._listing: set[str] = set()
        self._was_cut = False

    def connected_again(self) -> None:
        """The connection to NATS was cut and is back."""
        self._was_cut = True

    async def watch_standstill(self) -> None:
        """Notice when this process itself stood still (stopped, suspended, starved), beside whatever a tick waits for."""
        while True:
            await self.state.clock.sleep(STANDSTILL_LOOK_S)
            self._note_standstill()

    def _note_standstill(self) -> None:
        mono = self.state.clock.monotonic()
        stood_s, self._beat_mono = mono - self._beat_mono, mono
        if stood_s > STANDSTILL_S:
            log.warning("stood_still", seconds=round(stood_s, 1))
            self._extend_deadlines(stood_s)

    async def tick(self) -> None:
        """One look at everything. Raises nothing that the next tick would not repair."""
        self._note_standstill()
        mono = self.state.clock.monotonic()
        if not self.state.bus.is_connected:
            # While NATS is away nobody is heard, and nobody is to blame.
            self._extend_deadlines(mono)
        if mono - self._rules_mono >= RULES_S:
            self._rules_mono = mono
            await read_rules(self.state)
        for agent in list(self.state.fleet.agents.values()):
            try:
                await self._agent(agent, mono)
            except Exception as error:
                log.error("agent_not_looked_at", agent=agent.id, error=repr(error), exc_info=error)
        for launcher in list(self.state.fleet.launchers.values()):
            self._launcher(launcher, mono)
        await self._send_again()
        await self._offer_again()
        await self.dispatcher.round()
        await self.launching.plan(self.dispatcher)
        await self._flush(mono)
        took_s = self.state.clock.monotonic() - mono
        if took_s > SLOW_TICK_S:
            log.warning("slow_tick", took_s=round(took_s, 1))

    def _extend_deadlines(self, seconds: float) -> None:
        """Silence of others during this time was ours."""
        mono = self.state.clock.monotonic()
        for agent in self.state.fleet.agents.values():
            agent.seen_mono = min(agent.seen_mono + seconds, mono)
            for active in agent.active.values():
                active.not_seen_since_mono = None
                if active.cancel_reason:
                    active.cancel_until_mono = max(active.cancel_until_mono, mono + 5.0)

    # ------------------------------------------------------------ agents

    async def _agent(self, agent: Agent, mono: float) -> None:
        settings = self.state.settings
        if agent.is_coming:
            application = self.state.fleet.applications.get(agent.application_id)
            if application is not None and application.preparing:
                agent.requested_mono = mono  # its launcher says that it is being prepared
            if mono - agent.requested_mono > settings.started_within_s:
                await self.launching.start_failed(
                    agent, f"it was not ready within {settings.started_within_s:g} s"
                )
                await self.launching.send_away(agent.id, agent.launcher)
            elif agent.state == "requested" and not agent.is_being_asked_for:
                await self.launching.ask_again(agent, mono - agent.requested_mono)
            return
        if mono - agent.seen_mono > settings.lost_after_s and agent.state != "gone":
            await self.launching.kill(agent, f"no sign of life for {settings.lost_after_s:g} s")
            return
        if agent.state == "stopping":
            if agent.stop_asked_mono is not None and mono - agent.stop_asked_mono > STOP_AGAIN_S:
                await self.launching.stop(agent, agent.reason or "stopping")
            return
        if agent.state == "draining" and not agent.active:
            await self.launching.stop(agent, agent.reason or "it has done its work")
            return
        if agent.state == "idle" and not agent.active:
            await self._idle(agent, mono)
            return
        await self._keep_hold(agent)
        for active in list(agent.active.values()):
            await self._active(agent, active, mono)

    async def _keep_hold(self, agent: Agent) -> None:
        """Where an application or launcher is held, what runs is finished and what was handed out ahead waits again."""
        hold = self._hold_on(agent)
        if hold is None or len(agent.active) < 2:
            return
        _, *behind = agent.active.values()
        ahead = [
            one for one in behind if one.attempt and one.started_mono is None and one.cancel_reason is None
        ]
        if ahead:
            await self.dispatcher.take_back(agent, ahead, hold.reason)

    def _hold_on(self, agent: Agent) -> Hold | None:
        return self.state.hold_on(agent.application_id) or self.state.hold_on_launcher(agent.launcher)

    async def _idle(self, agent: Agent, mono: float) -> None:
        application = self.state.fleet.applications.get(agent.application_id)
        hold = self._hold_on(agent)
        if agent.is_yielding:
            await self.launching.stop(agent, "others wait for its place")
        elif application is None or application.retired or (hold is not None and hold.mode == "drain"):
            await self.launching.stop(agent, hold.reason if hold else "its application is retired")
        elif mono - agent.idle_since_mono > self.state.settings.idle_s and not self._is_kept_warm(
            agent, application.warm
        ):
            await self.launching.stop(agent, "it was idle")

    def _is_kept_warm(self, agent: Agent, warm: int) -> bool:
        if agent.owner_id is not None:
            return False  # warm agents are fresh ones, fit for anybody
        fresh = [
            other
            for other in self.state.fleet.of_application(agent.application_id)
            if other.state == "idle" and other.owner_id is None
        ]
        return len(fresh) <= warm

    async def _active(self, agent: Agent, active: Active, mono: float) -> None:
        settings = self.state.settings
        if active.cancel_reason is not None:
            await self.cancelling.look_after(agent, active)
            return
        if active.started_mono is not None:
            ran = mono - active.started_mono
            if ran > active.charged_s:
                self.state.share.charge(active.owner_id, active.group_id, ran - active.charged_s, mono)
                active.charged_s = ran
            if active.wall_time_s is not None and ran > active.wall_time_s + settings.wall_time_grace_s:
                await self.cancelling.over_wall_time(agent, active)
                return
        not_seen = active.not_seen_since_mono
        if not_seen is None or mono - not_seen < NOT_SEEN_S or not active.sent:
            return
        waits_behind = any(
            other.not_seen_since_mono is None for other in agent.active.values() if other is not active
        )
        if waits_behind:
            return
        if mono - max(not_seen, active.sent_mono) > settings.taken_within_s:
            await self._deliver_again(agent, active)

    async def _deliver_again(self, agent: Agent, active: Active) -> None:
        """The agent lives, but for long has not spoken of this command: neither taken nor ended. Its consumer is
        rebuilt and the same attempt sent again; an agent that has done it sends its end again."""
        log.warning("command_delivered_again", agent=agent.id, calculation=active.calculation_id)
        self.state.counters.redelivered += 1
        active.sent, active.not_seen_since_mono = False, None
        active.sent_mono = self.state.clock.monotonic()
        try:
            await self.state.bus.rebuild_agent(agent.id)
        except Unreachable:
            return  # it stays unsent and is looked at again

    async def _send_again(self) -> None:
        """Commands that are written but not stored in JetStream: a crash or a cut came in between."""
        if not self.state.bus.is_connected:
            return
        mono = self.state.clock.monotonic()
        unsent = [
            Assignment(agent, active)
            for agent in self.state.fleet.agents.values()
            for active in agent.active.values()
            if not active.sent and active.attempt and mono - active.sent_mono > 1.0
        ]
        if not unsent:
            return
        ids = [one.active.calculation_id for one in unsent]
        now = self.state.clock.time()
        commands = await self.state.db.read(lambda conn: self.state.maker.make(conn, ids, now))
        ready = [
            (one, commands[one.active.calculation_id])
            for one in unsent
            if one.active.calculation_id in commands
        ]
        await self.dispatcher.send(
            [(one, command) for one, command in ready if command.attempt == one.active.attempt]
        )

    async def _offer_again(self) -> None:
        """After a cut: a command that was just on its way to its agent would be kept back until its acknowledgement is
        overdue. A consumer that is made anew gives it at once; an agent that has it already ignores it."""
        if not self._was_cut or not self.state.bus.is_connected:
            return
        self._was_cut = False
        for agent in list(self.state.fleet.agents.values()):
            if any(active.sent and active.started_mono is None for active in agent.active.values()):
                try:
                    await self.state.bus.rebuild_agent(agent.id)
                except Unreachable:
                    self._was_cut = True
                    return

    # ------------------------------------------------------------ launchers

    def _launcher(self, launcher: Launcher, mono: float) -> None:
        if (
            mono - launcher.asked_mono >= self.state.settings.launcher_list_s
            and launcher.name not in self._listing
        ):
            launcher.asked_mono = mono
            self._listing.add(launcher.name)
            self.state.spawn(self._compare_list(launcher))

    async def _compare_list(self, launcher: Launcher) -> None:
        """No agent process without an owner, no agent of ours without a process."""
        # What is asked for now and was with the launcher before must be in its answer.
        with_it = {
            agent.id
            for agent in self.state.fleet.agents.values()
            if agent.launcher == launcher.name and agent.state not in ("requested", "gone")
        }
        try:
            answer = await self.state.bus.launcher(launcher.name).list()
            if answer.ok:
                self.launching.take_free(launcher.name, answer)
                await self._compare(launcher, answer, with_it)
        except Unreachable:
            pass  # `seen_mono` grows old, and nothing is started there meanwhile
        finally:
            self._listing.discard(launcher.name)

    async def _compare(self, launcher: Launcher, answer: LauncherAnswer, with_it: set[str]) -> None:
        fleet = self.state.fleet
        alive = {one.agent for one in answer.agents if one.alive}
        for agent_id in alive:
            agent = fleet.agents.get(agent_id)
            if agent is None or agent.launcher != launcher.name:
                log.warning("agent_without_owner_stopped", agent=agent_id, launcher=launcher.name)
                await self.launching.send_away(agent_id, launcher.name)
        ended = {one.agent: one for one in answer.agents if not one.alive}
        for agent in list(fleet.agents.values()):
            if agent.launcher != launcher.name or agent.id in alive or agent.state in ("requested", "gone"):
                continue
            told = ended.get(agent.id)
            silent_s = self.state.clock.monotonic() - agent.seen_mono
            if told is not None:
                await self._ended(agent, told.exit_code, told.oom_killed)
            elif agent.id in with_it and (
                not agent.was_heard or silent_s > self.state.settings.lost_after_s / 2
            ):
                await self._ended(agent, None, False)

    async def _ended(self, agent: Agent, exit_code: int | None, memory: bool) -> None:
        reason = "it ran out of memory" if memory else "its process has ended"
        if exit_code not in (None, 0):
            reason += f" (exit code {exit_code})"
        if agent.is_coming:
            await self.launching.start_failed(agent, reason)
        else:
            await self.failures.handle(agent, reason, exit_code=exit_code, memory=memory)

    # ------------------------------------------------------------ rows behind memory

    async def _flush(self, mono: float) -> None:
        fleet, share = self.state.fleet, self.state.share
        changed = [fleet.agents[one] for one in fleet.changed if one in fleet.agents]
        fleet.changed.clear()
        uses = []
        now = self.state.clock.time()
        if mono - self._usage_mono >= USAGE_S:
            self._usage_mono = mono
            uses = self.uses(now)
            share.changed.clear()
        if not changed and not uses:
            return
        rows = [_agent_row(agent, now) for agent in changed]
        free = {one.name: one.free for one in fleet.launchers.values()} if uses else {}
        try:
            await self.state.db.write(lambda conn: write_rows(conn, rows, uses, free))
        except BaseException:
            fleet.changed |= {agent.id for agent in changed if agent.id in fleet.agents}
            self._count_again(uses)
            raise

    def _count_again(self, uses: list[dict]) -> None:
        """What was not written is written with the next."""
        for use in uses:
            subject = (use["subject"], use["subject_id"])
            self.state.share.changed.add(subject)
            self.state.used_s[subject] = self.state.used_s.get(subject, 0.0) + use["cpu_s"]

    def uses(self, now: float) -> list[dict]:
        """Rows of `usage` to write; what was used since the last time is taken out."""
        used_s, self.state.used_s = self.state.used_s, {}
        mono = self.state.clock.monotonic()
        return [
            {
                "subject": subject,
                "subject_id": subject_id,
                "decayed_s": self.state.share.use(subject, subject_id, mono),
                "decayed_at": now,
                "cpu_s": used_s.get((subject, subject_id), 0.0),
                "month": time.strftime("%Y-%m", time.gmtime(now)),
            }
            for subject, subject_id in self.state.share.changed | used_s.keys()
        ]


def _agent_row(agent: Agent, now: float) -> dict:
    active = next(iter(agent.active.values()), None)
    return {
        "_id": agent.id,
        "state": agent.state,
        "owner_id": agent.owner_id,
        "busy_with": active.calculation_id if active else None,
        "attempt": active.attempt if active else None,
        "idle_since": now if agent.state == "idle" else None,
        "last_seen_at": now,
        "rss_bytes": agent.rss_bytes or None,
    }


def write_rows(conn: Connection, rows: list[dict], uses: list[dict], free: dict[str, int]) -> None:
    """Bring the rows of agents, uses and launchers up to what memory knows."""
    for row in rows:
        values = {name: value for name, value in row.items() if name != "_id"}
        conn.execute(
            update(agents_table)
            .where(agents_table.c.id == row["_id"], agents_table.c.state != "gone")
            .values(**values)
        )
    for use in uses:
        statement = upsert(conn, usage).values(**use)
        this_month = usage.c.month == use["month"]
        kept = {
            "decayed_s": use["decayed_s"],
            "decayed_at": use["decayed_at"],
            "cpu_s": case((this_month, usage.c.cpu_s + use["cpu_s"]), else_=use["cpu_s"]),
            "month": use["month"],
        }
        conn.execute(statement.on_conflict_do_update(index_elements=["subject", "subject_id"], set_=kept))
    for name, places in free.items():
        conn.execute(update(launchers_table).where(launchers_table.c.name == name).values(free=places))
