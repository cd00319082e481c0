"""The connection to NATS: made again, endlessly, whenever it ends.

nats-py's own reconnect gives up for good when the server refuses once, which it does while the registry (that
answers for it who may connect) is down. So each connection is used once, and this loop makes the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from nats.aio.client import Client
from nats.errors import Error as NatsError
from qcrbox.nats_client import connect
from qcrbox.waiting import within

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LAST_PAUSE_S = 0.1, 3.0
LOOK_S = 1.0
SET_UP_S = 10.0

OnUp = Callable[[Client], Awaitable[None]]


class Link:
    """`run` keeps a connection; `on_up` callbacks are awaited, in order, on each new one."""

    def __init__(self, url: str, agent: str, token: str) -> None:
        self.url, self._agent, self._token = url, agent, token
        self._client: Client | None = None
        self._on_up: list[OnUp] = []
        self.connections = 0

    @property
    def client(self) -> Client | None:
        """The connection that works now, or None."""
        client = self._client
        return client if client is not None and client.is_connected else None

    def on_up(self, callback: OnUp) -> None:
        """Call `callback` after every connection, the first one included."""
        self._on_up.append(callback)

    async def run(self) -> None:
        """Connect, and reconnect with growing pauses after every loss, until cancelled."""
        pause = FIRST_PAUSE_S
        told = False
        while True:
            closed = asyncio.Event()
            try:
                self._client = await within(self._connect(closed), SET_UP_S)
            except (NatsError, OSError, TimeoutError, asyncio.CancelledError) as error:
                if isinstance(error, asyncio.CancelledError):
                    raise
                if not told:
                    log.warning(
                        "NATS does not let us in (%s); trying until it does", error or type(error).__name__
                    )
                    told = True
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, LAST_PAUSE_S)
                continue
            self.connections += 1
            log.info("connected to NATS (connection %d)", self.connections)
            pause, told = FIRST_PAUSE_S, False
            try:
                for callback in self._on_up:
                    # On a connection that breaks just now, nats-py may wait for a flush that never comes.
                    await within(callback(self._client), SET_UP_S)
            except (NatsError, OSError, TimeoutError) as error:
                log.warning("the connection ended while it was being set up: %s", error)
                await self._drop()
            # nats-py does not call back when it still had something to send as the connection broke.
            while not closed.is_set() and not self._client.is_closed:
                with contextlib.suppress(TimeoutError):
                    await within(closed.wait(), LOOK_S)
            log.warning("the connection to NATS ended")

    async def _connect(self, closed: asyncio.Event) -> Client:
        async def on_closed() -> None:
            closed.set()

        async def on_error(error: Exception) -> None:
            log.debug("NATS: %r", error)

        return await connect(
            self.url,
            token=self._token,
            name=self._agent,
            inbox_prefix=f"_INBOX_{self._agent}".encode(),
            allow_reconnect=False,
            connect_timeout=5,
            ping_interval=10,
            max_outstanding_pings=2,
            pending_size=32 * 1024 * 1024,
            closed_cb=on_closed,
            error_cb=on_error,
        )

    async def _drop(self) -> None:
        if self._client is not None:
            with contextlib.suppress(NatsError, OSError, RuntimeError, TimeoutError):
                await within(self._client.close(), SET_UP_S)

    async def close(self) -> None:
        """Flush and close, for an orderly end."""
        client = self.client
        if client is not None:
            with contextlib.suppress(NatsError, OSError, TimeoutError):
                await client.flush(timeout=2)
        await self._drop()
