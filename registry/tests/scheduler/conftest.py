"""Sites on a real NATS server for whole lives, and the parts of the scheduler alone for its rules."""

from __future__ import annotations

import asyncio
import contextlib
import shutil

import pytest
import sqlalchemy as sa
from qcrbox.contract.messages import LauncherAnswer, StepChanged
from qcrbox.contract.states import Step
from qcrbox_registry.messaging.bus import Arrived
from qcrbox_registry.scheduler.agent_failures import AgentFailures
from qcrbox_registry.scheduler.agent_state import AgentState
from qcrbox_registry.scheduler.agent_steps import AgentSteps
from qcrbox_registry.scheduler.backlog import Backlog
from qcrbox_registry.scheduler.cancelling import Cancelling
from qcrbox_registry.scheduler.clock import Clock
from qcrbox_registry.scheduler.commands import CommandMaker
from qcrbox_registry.scheduler.dispatch import Dispatcher
from qcrbox_registry.scheduler.fair_share import FairShare
from qcrbox_registry.scheduler.fleet import Active, Agent, Application, Fleet, Launcher
from qcrbox_registry.scheduler.ingest import Ingest
from qcrbox_registry.scheduler.launcher_lists import LauncherLists
from qcrbox_registry.scheduler.launching import Launching
from qcrbox_registry.scheduler.planning import Planner
from qcrbox_registry.scheduler.reconcile import Reconciler
from qcrbox_registry.scheduler.runtime_estimates import RuntimeEstimates
from qcrbox_registry.scheduler.settings import SchedulerSettings
from qcrbox_registry.scheduler.state import SchedulerState
from qcrbox_registry.scheduler.write_behind import WriteBehind
from qcrbox_registry.store import agents, calculations, work_queue
from qcrbox_registry.store.agents import AgentUpdate
from qcrbox_registry.store.tables import agents as agents_table
from qcrbox_registry.testing.site import DummySite


class SetClock(Clock):
    """A clock that tests move forward (or, its wall time, anywhere)."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self.wall_ahead_s = 0.0

    def time(self) -> float:
        return super().time() + self.ahead_s + self.wall_ahead_s

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s


QUICK = SchedulerSettings(tick_s=0.05, launcher_list_s=0.5)


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
async def make_site(nats_server, clock, sqlite_templates):
    """Makes practice sites on this test's NATS server and data folder; the same folder is the same registry."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(**options):
            options.setdefault("settings", QUICK)
            # Migrating a new database for each test would take longer than most of the tests.
            database = nats_server.plan.data / "qcrbox.sqlite"
            if not database.exists():
                shutil.copy(sqlite_templates["empty"], database)
            site = DummySite(nats_server.plan.data, nats_server.url, clock=clock, **options)
            await site.start()
            site.is_stopped = False

            async def stop():
                if not site.is_stopped:
                    site.is_stopped = True
                    await site.stop()

            site.end = stop
            stack.push_async_callback(stop)
            return site

        yield make


@pytest.fixture
async def make_launcher():
    async with contextlib.AsyncExitStack() as stack:

        async def make(site, **options):
            launcher = site.launcher(**options)
            await launcher.start()
            stack.push_async_callback(launcher.close)
            return launcher

        yield make


@pytest.fixture
async def site(make_site):
    return await make_site()


@pytest.fixture
async def launcher(site, make_launcher):
    return await make_launcher(site, capacity=2)


# ------------------------------------------------------------ parts of the scheduler without NATS


class StillClock(Clock):
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.wall_s, self.mono_s = 1_800_000_000.0, 5_000.0

    def time(self) -> float:
        return self.wall_s

    def monotonic(self) -> float:
        return self.mono_s

    def forward(self, seconds: float) -> None:
        self.wall_s += seconds
        self.mono_s += seconds

    async def sleep(self, seconds: float) -> None:
        self.forward(seconds)


class RecordedLauncher:
    """Answers as `answers` says, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers = {}
        self.asked = []

    async def _answer(self, verb, request):
        self.asked.append((verb, request))
        answer = self.answers.get(verb, LauncherAnswer(ok=True, free=1))
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def start(self, request):
        return await self._answer("start", request)

    async def stop(self, request):
        return await self._answer("stop", request)

    async def list(self):
        return await self._answer("list", None)

    def verbs(self):
        return [verb for verb, _ in self.asked]


class RecordedBus:
    """Keeps what is sent. `refuse`: calculation id -> error of its command; `failing`: name of a method -> error."""

    def __init__(self) -> None:
        self.is_connected = True
        self.sent, self.controls = [], []
        self.added, self.removed, self.rebuilt = [], [], []
        self.consumers: set[str] = set()
        self.launchers: dict[str, RecordedLauncher] = {}
        self.refuse: dict[str, Exception] = {}
        self.failing: dict[str, Exception] = {}

    def _fail(self, method):
        if method in self.failing:
            raise self.failing[method]

    def launcher(self, name):
        return self.launchers.setdefault(name, RecordedLauncher())

    async def send_commands(self, commands):
        self.sent.extend(commands)
        return [self.refuse.get(command.calculation_id) for _, command in commands]

    async def control(self, agent, message):
        self.controls.append((agent, message))

    async def add_agent(self, agent):
        self._fail("add_agent")
        self.added.append(agent)

    async def remove_agent(self, agent):
        self.removed.append(agent)

    async def rebuild_agent(self, agent):
        self._fail("rebuild_agent")
        self.rebuilt.append(agent)

    async def agents_with_consumers(self):
        self._fail("agents_with_consumers")
        return set(self.consumers)


class Published:
    """The events that subscribers would get."""

    def __init__(self) -> None:
        self.events = []

    def publish(self, events):
        self.events.extend(events)

    def of(self, object_id):
        return [(event.status, event.step) for event in self.events if event.object_id == object_id]


class Parts:
    """Every part of the scheduler on a database file, a clock that stands still and a bus that only records."""

    def __init__(self, world, **settings) -> None:
        self.world, self.clock, self.bus, self.hub = world, StillClock(), RecordedBus(), Published()
        self.settings = SchedulerSettings(**settings)
        self.state = state = SchedulerState(
            db=world.database,
            bus=self.bus,
            settings=self.settings,
            hub=self.hub,
            maker=CommandMaker(
                "http://r/internal/calculations", b"k" * 32, 3600.0, self.settings.default_wall_time_s
            ),
            clock=self.clock,
            backlog=Backlog(self.settings.ageing_s),
            fleet=Fleet(),
            share=FairShare(self.settings.half_life_s, self.clock.monotonic()),
            runtimes=RuntimeEstimates(),
        )
        self.fleet, self.backlog = state.fleet, state.backlog
        self.dispatcher = Dispatcher(state)
        self.failures = AgentFailures(state)
        self.launching = Launching(state, self.failures)
        self.cancelling = Cancelling(state, self.launching)
        self.ingest = Ingest(state, self.launching, self.failures)
        self.planner = Planner(state, self.dispatcher, self.launching)
        self.rows = WriteBehind(state)
        self.steps = AgentSteps(state, self.dispatcher, self.launching, self.cancelling)
        self.lists = LauncherLists(state, self.launching, self.failures)
        self.reconciler = Reconciler(state, self.dispatcher, self.planner, self.steps, self.lists, self.rows)
        self._agents = 0
        self.application()

    def application(self, **more):
        """The application `practice` of the world, as the scheduler knows it."""
        values = {"reuse": "same-owner", "warm": 0, "most_agents": None, "limits": {}, **more}
        made = Application(self.world.application_id, "practice", "1", **values)
        self.fleet.applications[made.id] = made
        return made

    def launcher(self, name="local", capacity=2, free=None, offers=(("practice", "1"),), **more):
        made = Launcher(name, "dummy", "here", capacity, capacity if free is None else free, set(offers))
        made.seen_mono = self.clock.monotonic()
        for key, value in more.items():
            setattr(made, key, value)
        self.fleet.launchers[name] = made
        return made

    def agent(self, state=AgentState.IDLE, *, launcher="local", owner=None, **more):
        """An agent in memory and its row."""
        self._agents += 1
        now = self.clock.monotonic()
        made = Agent(
            id=more.pop("id", f"practice-{self._agents}"),
            application_id=more.pop("application_id", self.world.application_id),
            launcher=launcher,
            state=state,
            owner_id=None if owner is None else self.world.person[owner],
            **{"seen_mono": now, "requested_mono": now, "idle_since_mono": now, **more},
        )
        self.fleet.add(made)

        def write(conn):
            agents.request(conn, made.id, self.world.application_id, launcher, self.clock.time())
            agents.update(
                conn, [AgentUpdate(made.id, str(state), made.owner_id, None, None, None, 0.0, None)]
            )

        self.world.write(write)
        return made

    def submit(self, owner="ada", count=1, **more):
        """Ids of calculations that wait, in the database and in memory."""
        new = [self.world.new(owner, **more) for _ in range(count)]
        now = self.clock.time()
        self.world.write(lambda conn: calculations.create_many(conn, new, now))
        ids = [calculation.id for calculation in new]
        self.state.enqueue(self.world.read(lambda conn: work_queue.waiting(conn, ids)))
        return ids

    async def give(self, agent, owner="ada", *, started=False, **more):
        """A calculation that is with an agent: written, in memory and sent; its `Active`."""
        (calculation_id,) = self.submit(owner, **more)
        self.backlog.remove(calculation_id)
        attempt = self.world.run(calculation_id, agent.id)
        active = Active(
            calculation_id,
            attempt,
            self.world.person[owner],
            self.row(calculation_id).group_id,
            self.world.command_id,
            interactive=more.get("interactive", False),
            wall_time_s=more.get("wall_time_s"),
            sent=True,
            sent_mono=self.clock.monotonic(),
        )
        self.fleet.begin(agent, active)
        if agent.state is AgentState.IDLE:
            self.fleet.change_state(agent, AgentState.BUSY, self.clock.monotonic())
        if started:
            step = StepChanged(
                calculation_id=calculation_id, attempt=attempt, step=Step.RUNNING, at=self.clock.time()
            )
            await self.ingest.take([Arrived(agent.id, step)])
        return active

    def row(self, calculation_id):
        return self.world.read(lambda conn: calculations.get(conn, calculation_id))

    def agent_row(self, agent_id):
        query = sa.select(agents_table).where(agents_table.c.id == agent_id)
        return self.world.read(lambda conn: conn.execute(query).one())

    async def quiet(self):
        """Wait until everything in the background has ended."""
        while len(self.state.background):
            await self.state.background.settle()
            await asyncio.sleep(0)


@pytest.fixture
def database_url(sqlite_url):
    """The rules of the scheduler do not depend on the kind of database."""
    return sqlite_url


@pytest.fixture
def make_parts(world):
    return lambda **settings: Parts(world, **settings)


@pytest.fixture
def parts(make_parts):
    return make_parts()
