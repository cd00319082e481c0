"""A real nats-server for the registry's tests: one per session, every test its own streams."""

from __future__ import annotations

import pytest
from qcrbox_registry.messaging.bus import Bus
from qcrbox_registry.messaging.keys import Secrets
from qcrbox_registry.messaging.server import NatsServer, ServerPlan, start


@pytest.fixture
def nats_server(tmp_path):
    """A separate nats-server for one test, safe against process crashes only: tests cut no power."""
    server = start(ServerPlan(data=tmp_path / "platform", power_loss_safe=False))
    yield server
    server.stop()


@pytest.fixture
def platform_secrets(nats_server: NatsServer) -> Secrets:
    return Secrets(nats_server.plan.data)


@pytest.fixture
async def bus(nats_server: NatsServer, platform_secrets: Secrets):
    bus = Bus(nats_server.url, platform_secrets.user("registry"))
    await bus.connect()
    yield bus
    await bus.close()
