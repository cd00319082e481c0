"""Commands in: a durable pull consumer, kept alive while a command is worked on, acknowledged when its end is stored."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from pydantic import ValidationError
from qcrbox.contract.messages import Command
from qcrbox.waiting import within

from qcrbox_agent.link import Link

log = logging.getLogger(__name__)

STREAM = "COMMANDS"
WINDOW = 64  # at most so many are asked for at once; the registry sends far fewer
EXPIRES_S, IDLE_HEARTBEAT_S, SILENCE_S = 30.0, 5.0, 15.0
IN_PROGRESS_S = 10.0  # a third of the consumer's acknowledgement wait
CONFIRM_S = 5.0
REMEMBERED = 10_000

Key = tuple[str, int]


@dataclass
class Delivery:
    """One command; `reply` is where its newest delivery is acknowledged."""

    command: Command
    reply: str

    @property
    def key(self) -> Key:
        """Calculation id and attempt: the same for every redelivery of a command."""
        return (self.command.calculation_id, self.command.attempt)


class Receiver:
    """Pulls commands from the agent's durable consumer and keeps those in progress from being redelivered."""

    def __init__(self, link: Link, agent: str) -> None:
        self._link = link
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{agent}"
        self._inbox = f"_INBOX_{agent}.in.{secrets.token_hex(4)}"
        self._acks = f"_INBOX_{agent}.ack.{secrets.token_hex(4)}."
        self._ready: asyncio.Queue[Delivery] = asyncio.Queue()
        self._held: dict[Key, Delivery] = {}
        self._done: OrderedDict[Key, None] = OrderedDict()
        self._unconfirmed: dict[str, tuple[str, float]] = {}  # number -> reply, when sent
        self._number = 0
        self._subscription: Subscription | None = None
        self._asked = 0
        self._heard_at = 0.0
        self._wake = asyncio.Event()
        self._open = True
        self.rebuilt = 0
        self.on_repeat: Callable[[Delivery], None] = lambda delivery: None
        link.on_up(self._connected)

    async def next(self) -> Delivery:
        """Wait for the next command."""
        return await self._ready.get()

    def stop(self) -> None:
        """Ask for no more."""
        self._open = False

    @property
    def waiting(self) -> int:
        """Number of commands that have arrived but have not been taken yet."""
        return self._ready.qsize()

    async def acknowledge(self, delivery: Delivery) -> None:
        """The command is done with. Repeated until the server confirms it."""
        self._held.pop(delivery.key, None)
        self._remember(delivery.key)
        await self._send_ack(delivery.reply)

    def _remember(self, key: Key) -> None:
        self._done[key] = None
        while len(self._done) > REMEMBERED:
            self._done.popitem(last=False)

    async def _send_ack(self, reply: str) -> None:
        self._number += 1
        number = str(self._number)
        self._unconfirmed[number] = (reply, asyncio.get_running_loop().time())
        await self._publish(reply, b"+ACK", self._acks + number)

    async def _publish(self, subject: str, payload: bytes, reply: str = "") -> None:
        client = self._link.client
        if client is not None:
            with contextlib.suppress(NatsError, OSError):
                await client.publish(subject, payload, reply=reply)

    # ------------------------------------------------------------ the consumer

    async def run(self) -> None:
        """Pull commands and send progress acknowledgements until cancelled."""
        loop = asyncio.get_running_loop()
        in_progress_at = loop.time()
        while True:
            await self._keep_asking(loop.time())
            if loop.time() - in_progress_at >= IN_PROGRESS_S:
                in_progress_at = loop.time()
                for delivery in list(self._held.values()):
                    await self._publish(delivery.reply, b"+WPI")
            await self._repeat_acks(loop.time())
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                await within(self._wake.wait(), 2.0)

    async def _repeat_acks(self, now: float) -> None:
        late = [number for number, (_, at) in self._unconfirmed.items() if now - at > CONFIRM_S]
        for number in late:
            reply, _ = self._unconfirmed.pop(number)
            await self._send_ack(reply)

    async def _connected(self, client: Client) -> None:
        await client.subscribe(f"{self._acks}*", cb=self._confirmed, pending_msgs_limit=-1)
        self._subscription = None
        self._asked = 0
        self._wake.set()

    async def _confirmed(self, message: Msg) -> None:
        self._unconfirmed.pop(message.subject[len(self._acks) :], None)

    async def _keep_asking(self, now: float) -> None:
        client = self._link.client
        if client is None or not self._open:
            return
        try:
            if self._subscription is not None and self._asked > 0 and now - self._heard_at > SILENCE_S:
                # Consumers that look active and deliver no more are known; a new subscription wakes them.
                log.warning(
                    "nothing was heard from the consumer for %.0f s; asking anew", now - self._heard_at
                )
                self.rebuilt += 1
                await self._subscription.unsubscribe()
                self._subscription = None
            if self._subscription is None:
                self._subscription = await client.subscribe(
                    self._inbox, cb=self._arrived, pending_msgs_limit=-1, pending_bytes_limit=-1
                )
                self._asked = 0
            if self._asked <= 0:
                self._asked, self._heard_at = WINDOW, now
                await client.publish(self._next, _REQUEST, reply=self._inbox)
        except (NatsError, OSError) as error:
            log.debug("asking for commands failed: %s", error)
            self._subscription = None

    async def _arrived(self, message: Msg) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        if not message.reply:
            self._status(message)
            return
        self._asked -= 1
        if self._asked <= 0:
            self._wake.set()
        try:
            command = Command.model_validate_json(message.data)
        except ValidationError as error:
            # The registry's watch over attempts ends it; delivering it again would not make it readable.
            log.error("a command cannot be read: %s", str(error)[:500])
            await self._publish(message.reply, b"+TERM")
            return
        await self._take(Delivery(command, message.reply))

    async def _take(self, delivery: Delivery) -> None:
        if delivery.key in self._done:
            # The registry asks again for what has ended: it gets the same end again.
            self.on_repeat(delivery)
        elif delivery.key in self._held:
            self._held[delivery.key].reply = delivery.reply
        else:
            self._held[delivery.key] = delivery
            self._ready.put_nowait(delivery)

    def _status(self, message: Msg) -> None:
        status = (message.headers or {}).get("Status")
        if status == "100":
            return
        # 408 expired, 409 limits or deleted, 404 none, 503 no such consumer.
        if status == "503":
            # The registry makes the consumer again; asking at once would only spin.
            asyncio.get_running_loop().call_later(0.5, self._ask_again)
        else:
            self._ask_again()

    def _ask_again(self) -> None:
        self._asked = 0
        self._wake.set()


_NANOSECONDS = 1_000_000_000
_REQUEST = json.dumps(
    {
        "batch": WINDOW,
        "expires": int(EXPIRES_S * _NANOSECONDS),
        "idle_heartbeat": int(IDLE_HEARTBEAT_S * _NANOSECONDS),
    }
).encode()
