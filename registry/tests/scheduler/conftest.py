from __future__ import annotations

import contextlib

import pytest
from qcrbox_registry.scheduler.clock import Clock
from qcrbox_registry.scheduler.settings import SchedulerSettings
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
async def make_site(nats_server, clock):
    """Makes practice sites on this test's NATS server and data folder; the same folder is the same registry."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(**options):
            options.setdefault("settings", QUICK)
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
