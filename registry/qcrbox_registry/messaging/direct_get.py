"""Reads messages of a stream by subject without a consumer (JetStream direct get, ADR-31).

A batch is one request: the server answers with messages until `most` or `most_bytes` is reached, then with
an empty message of status 204. Nothing is left behind on the server, whatever happens to the reader.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from qcrbox.waiting import within

from qcrbox_registry.messaging.publisher import unreachable

TIMEOUT_S = 10.0
TRIES = 4


@dataclass(frozen=True)
class StoredMessage:
    """A message of a stream with its place in it."""

    data: bytes
    subject: str
    sequence: int
    stored_at: datetime


async def read_last(connection: Client, stream: str, subject: str) -> StoredMessage | None:
    """The last message under `subject`, None when there is none. Raises Unreachable."""
    request = json.dumps({"last_by_subj": subject}).encode()
    for again in range(TRIES):
        try:
            reply = await connection.request(f"$JS.API.DIRECT.GET.{stream}", request, timeout=TIMEOUT_S)
        except (NatsError, OSError) as error:
            if again == TRIES - 1:
                raise unreachable() from error
            await asyncio.sleep(0.2 * (again + 1))
            continue
        if _status(reply) == "404":
            return None
        return _stored(reply)
    raise unreachable()


async def read_batch(
    connection: Client, stream: str, subject: str, sequence: int, *, most: int, most_bytes: int
) -> list[StoredMessage]:
    """Messages under `subject` (wildcards allowed) from `sequence` on; empty at the end. Raises Unreachable."""
    request = json.dumps(
        {"seq": sequence, "next_by_subj": subject, "batch": most, "max_bytes": most_bytes}
    ).encode()
    for again in range(TRIES):
        try:
            return await _collect(connection, f"$JS.API.DIRECT.GET.{stream}", request)
        except (NatsError, OSError) as error:
            if again == TRIES - 1:
                raise unreachable() from error
            await asyncio.sleep(0.2 * (again + 1))
    raise unreachable()


async def _collect(connection: Client, api: str, request: bytes) -> list[StoredMessage]:
    found: list[StoredMessage] = []
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def arrived(message: Msg) -> None:
        status = _status(message)
        if status is None:
            found.append(_stored(message))
        elif not done.done():
            if status in ("204", "404"):
                done.set_result(None)
            else:
                done.set_exception(NatsError(f"status {status}"))

    inbox = connection.new_inbox()
    subscription = await connection.subscribe(
        inbox, cb=arrived, pending_msgs_limit=-1, pending_bytes_limit=-1
    )
    try:
        await connection.publish(api, request, reply=inbox)
        await within(done, TIMEOUT_S)
    finally:
        with contextlib.suppress(NatsError, OSError):  # when the connection is gone, so is the subscription
            await subscription.unsubscribe()
    return found


def _status(message: Msg) -> str | None:
    return (message.headers or {}).get("Status")


def _stored(message: Msg) -> StoredMessage:
    headers = message.headers or {}
    stamp = headers["Nats-Time-Stamp"].rstrip("Z")
    head, _, fraction = stamp.partition(".")
    moment = datetime.fromisoformat(f"{head}.{(fraction + '000000')[:6]}").replace(tzinfo=UTC)
    return StoredMessage(message.data, headers["Nats-Subject"], int(headers["Nats-Sequence"]), moment)
