"""Hears what agents say and says it again later: doubled and late messages, under the agents' own subjects."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections import deque
from pathlib import Path

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from qcrbox_registry.messaging.keys import Secrets


class Repeater:
    def __init__(self, data: Path, port: int) -> None:
        self._seed = Secrets(data).user("registry").seed.decode()
        self._url = f"nats://127.0.0.1:{port}"
        self._heard: deque[tuple[str, bytes]] = deque(maxlen=500)
        self.repeated = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._connection: Client = self._do(self._connect())

    async def _connect(self) -> Client:
        async def quiet(_: Exception) -> None:
            """NATS is killed all the time here."""

        connection = await nats.connect(
            self._url,
            nkeys_seed_str=self._seed,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.2,
            error_cb=quiet,
        )
        await connection.subscribe("events.*", cb=self._hear)
        return connection

    async def _hear(self, message: Msg) -> None:
        self._heard.append((message.subject, message.data))

    def repeat(self, source: random.Random) -> None:
        """Say some of what was heard again, old and new."""
        known = list(self._heard)
        if not known:
            return
        chosen = [known[source.randrange(len(known))] for _ in range(min(20, len(known)))]
        with contextlib.suppress(NatsError, TimeoutError):
            self._do(self._say(chosen))

    async def _say(self, chosen: list[tuple[str, bytes]]) -> None:
        for subject, data in chosen:
            if b'"agent_gone"' in data or b'"agent_ready"' in data or b'"launcher_ready"' in data:
                continue  # who is there is not fenced by an attempt; a lie about it is another test
            await self._connection.publish(subject, data)
            self.repeated += 1
        await self._connection.flush(2)

    def _do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(15)

    def close(self) -> None:
        with contextlib.suppress(Exception):  # NATS may be gone already
            self._do(self._connection.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
