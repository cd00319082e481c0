"""The client of nats-py with three faults mended: two block a connection for half a minute, one loses messages.

All occur with slow servers or replies, that is, on a machine under load.
"""

from __future__ import annotations

import asyncio
from typing import Any

from nats.aio.client import Client


class NatsClient(Client):
    """As `nats.aio.client.Client`; agents, launchers and the registry connect with it."""

    async def _process_connect_init(self) -> None:
        """A server that waits for the registry's word on who may connect sends a PING after two seconds. Taken for the
        end of the handshake it leaves a client that never becomes connected, until the server drops it."""
        transport = self._transport
        assert transport is not None
        readline = transport.readline
        seen_info = False

        async def answer() -> bytes:
            nonlocal seen_info
            while True:
                line: bytes = await readline()
                if line.startswith(b"PING"):
                    transport.write(b"PONG\r\n")
                elif not (seen_info and line.startswith(b"INFO")):
                    seen_info = True
                    return line

        transport.readline = answer  # type: ignore[method-assign]
        try:
            await super()._process_connect_init()
        finally:
            # The same transport is used when the connection is made again, and begins with an INFO again.
            del transport.readline

    async def _send_ping(self, future: asyncio.Future[Any] | None = None) -> None:
        """Write pending commands first: the PING of `flush` would overtake them. Its PONG could then arrive before the
        server has read a subscription, and a message published after the flush would be lost."""
        if self._pending and self._transport is not None and self.is_connected:
            self._transport.writelines(self._pending)
            self._pending, self._pending_data_size = [], 0
        await super()._send_ping(future)

    async def _process_pong(self) -> None:
        """Ignore a reply that arrives after its request was given up; it must not end the read loop."""
        if self._pongs and self._pongs[0].done():
            self._pongs[0] = asyncio.get_running_loop().create_future()
        await super()._process_pong()


async def connect(url: str, **options: object) -> NatsClient:
    """As `nats.connect`."""
    client = NatsClient()
    await client.connect(url, **options)  # type: ignore[arg-type]
    return client
