"""Events on their way to the registry. Each is kept until JetStream has stored it, and sent again if need be.

Nothing waits for an acknowledgement but who wants to: events are pipelined. Order is kept, also over a
reconnect; a message id makes JetStream drop what it had already.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from qcrbox.contract import messages
from qcrbox.waiting import within

from qcrbox_agent.link import Link

log = logging.getLogger(__name__)

ACK_S = 10.0
PAUSE_S = 1.0


@dataclass
class _Entry:
    payload: bytes
    stored: asyncio.Future[None]
    sent_at: float = field(default=0.0)


class Outbox:
    """Events that JetStream has not stored yet, resent after a timeout or a new connection."""

    def __init__(self, link: Link, agent: str) -> None:
        self._link = link
        self._subject = messages.subject_events(agent)
        self._prefix = f"_INBOX_{agent}.out.{secrets.token_hex(4)}."
        self._run = secrets.token_hex(8)  # ids of another life of this agent must differ
        self._numbers = itertools.count()
        self._entries: OrderedDict[int, _Entry] = OrderedDict()
        self._unsent: list[int] = []
        self._wake = asyncio.Event()
        link.on_up(self._connected)

    def post(self, event: messages.Event) -> asyncio.Future[None]:
        """Send an event; the future is done when it is stored for good."""
        number = next(self._numbers)
        entry = _Entry(event.model_dump_json().encode(), asyncio.get_running_loop().create_future())
        self._entries[number] = entry
        self._unsent.append(number)
        self._wake.set()
        return entry.stored

    @property
    def waiting(self) -> int:
        """Number of events that are not stored yet."""
        return len(self._entries)

    async def run(self) -> None:
        """Send what is posted, in order; repeat what is not acknowledged."""
        loop = asyncio.get_running_loop()
        while True:
            with contextlib.suppress(TimeoutError):
                await within(self._wake.wait(), 2.0)
            self._wake.clear()
            oldest = next(iter(self._entries.values()), None)
            if oldest is not None and oldest.sent_at and loop.time() - oldest.sent_at > ACK_S:
                self._again()
            await self._send_all(loop)

    async def _send_all(self, loop: asyncio.AbstractEventLoop) -> None:
        client = self._link.client
        if client is None:
            return
        numbers, self._unsent = self._unsent, []
        for place, number in enumerate(numbers):
            entry = self._entries.get(number)
            if entry is None:
                continue
            try:
                await client.publish(
                    self._subject,
                    entry.payload,
                    reply=f"{self._prefix}{number}",
                    headers={"Nats-Msg-Id": f"{self._run}.{number}"},
                )
            except (NatsError, OSError):
                self._unsent = numbers[place:] + self._unsent
                return
            entry.sent_at = loop.time()

    def _again(self) -> None:
        self._unsent = list(self._entries)
        self._wake.set()

    async def _connected(self, client: Client) -> None:
        await client.subscribe(f"{self._prefix}*", cb=self._answered, pending_msgs_limit=-1)
        self._again()

    async def _answered(self, message: Msg) -> None:
        number = int(message.subject[len(self._prefix) :])
        status = (message.headers or {}).get("Status")
        refused = status is not None or (b'"error"' in message.data and json.loads(message.data).get("error"))
        if refused:
            # JetStream is starting or full. The event is not lost: it stays here until there is room.
            log.warning("an event was not stored: %s", status or message.data[:200])
            asyncio.get_running_loop().call_later(PAUSE_S, self._again)
            return
        entry = self._entries.pop(number, None)
        if entry is not None and not entry.stored.done():
            entry.stored.set_result(None)

    async def drained(self, patience_s: float) -> bool:
        """Wait until everything posted is stored; False when that took too long."""
        waiting = [entry.stored for entry in self._entries.values()]
        if waiting:
            await asyncio.wait(waiting, timeout=patience_s)
        return not self._entries
