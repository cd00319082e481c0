"""Reads a JetStream consumer without ever standing still.

One pull request is kept outstanding; messages pile up in a deque while a batch is handled, so batches grow
under load and a single message is handled at once. The server sends idle heartbeats while a request is
open: when nothing arrives within a limit, the subscription is renewed (consumers that look active
but stopped delivering after a reconnect are known of every client).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from qcrbox.waiting import within

log = structlog.get_logger(__name__)

BATCH = 512
EXPIRES_S = 30.0
IDLE_HEARTBEAT_S = 5.0
SILENCE_S = 15.0  # three heartbeats missed
PAUSE_S = 0.1  # before it is tried again

Handler = Callable[[Sequence[Msg]], Awaitable[None]]
Repair = Callable[[], Awaitable[None]]


class Puller:
    """Runs `handler(messages)` over a durable pull consumer until `stop()`; the handler acknowledges.

    `repair` recreates the consumer: at the start, after each reconnect, and when the server does not know it.
    What an earlier life or the cut connection took away unacknowledged is then delivered at once, and not when its
    acknowledgement is overdue.
    """

    def __init__(
        self, connection: Client, stream: str, consumer: str, handler: Handler, repair: Repair
    ) -> None:
        self._connection, self._handler, self._repair = connection, handler, repair
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self.name = f"{stream}.{consumer}"
        self._ready: deque[Msg] = deque()
        self._wake = asyncio.Event()
        self._asked = 0  # messages the open request may still bring
        self._heard_at = 0.0
        self._subscription: Subscription | None = None
        self._must_repair = True
        self.rebuilt = 0
        self.patience_s: Callable[[], float] = lambda: 0.0  # how long a batch may grow before it is handled
        self._stopped = False

    async def run(self) -> None:
        """Pull and handle messages until `stop`."""
        loop = asyncio.get_running_loop()
        try:
            while not self._stopped:
                try:
                    await self._keep_asking(loop.time())
                except (NatsError, OSError) as error:
                    log.info("consumer_not_asked", consumer=self.name, reason=repr(error))
                    await asyncio.sleep(PAUSE_S)
                    continue
                if self._ready:
                    if pause := self.patience_s():
                        await asyncio.sleep(pause)
                    await self._handle()
                    continue
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    await within(self._wake.wait(), IDLE_HEARTBEAT_S)
        finally:
            await self._unsubscribe()

    def stop(self) -> None:
        """End `run` after the message in hand."""
        self._stopped = True
        self._wake.set()

    def connected_again(self) -> None:
        """What was asked for over the old connection is lost, and what was on its way to us."""
        self._asked = 0
        self._must_repair = True
        self._wake.set()

    async def _handle(self) -> None:
        batch = [self._ready.popleft() for _ in range(min(len(self._ready), BATCH))]
        await self._handler(batch)

    async def _keep_asking(self, now: float) -> None:
        if not self._connection.is_connected:
            # A request sent before the cut is lost; ask again once connected.
            self._asked = 0
            await asyncio.sleep(PAUSE_S)
            return
        if self._subscription is not None and self._asked and now - self._heard_at > SILENCE_S:
            log.warning("consumer_rebuilt", consumer=self.name, silent_s=round(now - self._heard_at, 1))
            self.rebuilt += 1
            self._must_repair = True
        if self._must_repair:
            await self._unsubscribe()  # whatever the server says of requests to the old consumer is past
            self._must_repair = False
            try:
                await self._repair()
            except BaseException:
                self._must_repair = True
                raise
            self._ready.clear()  # it comes again
        if self._subscription is None:
            self._inbox = self._connection.new_inbox()
            self._subscription = await self._connection.subscribe(
                self._inbox, cb=self._arrived, pending_msgs_limit=-1, pending_bytes_limit=-1
            )
            self._asked = 0
        if self._asked <= 0 and len(self._ready) < BATCH:
            self._asked, self._heard_at = BATCH, now
            await self._connection.publish(self._next, self._request(), reply=self._inbox)

    def _request(self) -> bytes:
        nanoseconds = 1_000_000_000
        return json.dumps(
            {
                "batch": BATCH,
                "expires": int(EXPIRES_S * nanoseconds),
                "idle_heartbeat": int(IDLE_HEARTBEAT_S * nanoseconds),
            }
        ).encode()

    async def _arrived(self, message: Msg) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        status = (message.headers or {}).get("Status") if not message.reply else None
        if status == "100":  # idle heartbeat
            return
        if status is None:
            self._asked -= 1
            self._ready.append(message)
        else:
            # 408 expired, 409 limits or consumer deleted, 404 none, 503 no such consumer: ask again.
            self._asked = 0
            description = (message.headers or {}).get("Description", "").lower()
            self._must_repair |= status == "503" or "deleted" in description
        self._wake.set()

    async def _unsubscribe(self) -> None:
        if self._subscription is not None:
            with contextlib.suppress(Exception):  # the connection may be gone already
                await self._subscription.unsubscribe()
        self._subscription = None
