"""Pipelined JetStream publishing: many messages on their way, one future each.

A publish that was cut off by a reconnect is sent again with the same message id, which JetStream drops
when it had the first one.
"""

from __future__ import annotations

import asyncio
import itertools
import json

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from qcrbox.contract.errors import QcError, QueueFull, StorageFull, Unreachable
from qcrbox.waiting import within

ACK_S = 10.0
PATIENCE_S = 30.0
_FULL = frozenset({10047, 10077, 10023, 10054, 10122})
_FULL_WORDS = (
    "maximum bytes exceeded",
    "maximum messages exceeded",
    "insufficient resources",
    "no space",
    "resource limits exceeded",
)


class _Cut(Exception):
    """The connection went away while the answer was awaited."""


class Publisher:
    """`send` returns a future of the answer; `publish` waits for it and repeats after a reconnect."""

    def __init__(self, connection: Client) -> None:
        self._connection = connection
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._numbers = itertools.count()
        self._prefix = connection.new_inbox() + "."

    async def start(self) -> None:
        """Subscribe to the acknowledgements of JetStream."""
        await self._connection.subscribe(
            self._prefix + "*", cb=self._answered, pending_msgs_limit=-1, pending_bytes_limit=-1
        )

    def connection_lost(self) -> None:
        """Make every waiting message be sent again."""
        for future in list(self._waiting.values()):
            if not future.done():
                future.set_exception(_Cut())

    @property
    def waiting(self) -> int:
        """Number of messages without an acknowledgement."""
        return len(self._waiting)

    async def send(
        self, subject: str, payload: bytes, headers: dict[str, str] | None = None
    ) -> asyncio.Future[None]:
        """Hand one message to the connection; the future is done when JetStream has stored it."""
        token = str(next(self._numbers))
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[token] = future
        future.add_done_callback(lambda _: self._waiting.pop(token, None))
        try:
            await self._connection.publish(subject, payload, reply=self._prefix + token, headers=headers)
        except BaseException:
            future.cancel()
            raise
        return future

    async def publish(
        self, subject: str, payload: bytes, *, message_id: str | None = None, patience_s: float = PATIENCE_S
    ) -> None:
        """Store one message. Raises QueueFull or StorageFull when the stream refuses, Unreachable when NATS does not
        answer for `patience_s` or this connection was closed."""
        headers = {"Nats-Msg-Id": message_id} if message_id else None
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience_s
        while True:
            try:
                future = await self.send(subject, payload, headers)
                await within(future, min(ACK_S, max(deadline - loop.time(), 0.1)))
            except (_Cut, NatsError, OSError) as error:  # OSError: a cut socket, or a time-out
                # A connection that was closed on purpose, unlike a lost one, does not reconnect.
                if loop.time() >= deadline or self._connection.is_closed:
                    raise unreachable() from error
                await asyncio.sleep(0.1)
            else:
                return

    async def _answered(self, message: Msg) -> None:
        future = self._waiting.get(message.subject[len(self._prefix) :])
        if future is None or future.done():
            return
        error = _refusal(message)
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


def unreachable() -> Unreachable:
    """The error for a message system that does not answer."""
    return Unreachable(
        "The message system (NATS) does not answer.",
        why="Nothing was lost.",
        next="Try again in a moment.",
        part="nats",
    )


async def settled(futures: list[asyncio.Future[None]], timeout_s: float = ACK_S) -> list[QcError | None]:
    """Wait for many answers: None for a stored message, else why it was not (Unreachable: not known)."""
    if futures:
        await asyncio.wait(futures, timeout=timeout_s)
    return [_outcome(future) for future in futures]


def _outcome(future: asyncio.Future[None]) -> QcError | None:
    if not future.done():
        future.cancel()
        return unreachable()
    if future.cancelled():
        return unreachable()
    error = future.exception()
    return error if error is None or isinstance(error, QcError) else unreachable()


def _refusal(message: Msg) -> QcError | Exception | None:
    if message.headers and message.headers.get("Status") == "503":
        return _Cut()  # no responders: JetStream is still starting
    if b'"error"' not in message.data:
        return None
    answer = json.loads(message.data)
    error = answer.get("error")
    if not error:
        return None
    words = str(error.get("description", "")).lower()
    if error.get("err_code") in _FULL or any(word in words for word in _FULL_WORDS):
        if str(answer.get("stream", "")).startswith("OBJ_"):
            return storage_full(words)
        return QueueFull(
            "The queue of the message system is full.",
            why=words,
            next="Try again when some calculations have ended.",
        )
    if error.get("code") == 503:
        return _Cut()
    return Unreachable("The message system (NATS) refused a message.", why=words, part="nats")


def storage_full(why: str) -> StorageFull:
    """The error for a full disk or stream; `why` names which."""
    return StorageFull(
        "There is no space left for files.",
        why=why,
        next="Delete data that is not needed or ask an administrator for space.",
    )
