"""The registry's side of NATS: streams, commands out, events in, control, launchers.

A lost connection is renewed without limit; unacknowledged messages are sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext, api
from nats.js.errors import APIError, NotFoundError
from pydantic import ValidationError
from qcrbox.contract import messages
from qcrbox.contract.errors import QcError, Unreachable
from qcrbox.contract.messages import Command, Control, Event, LauncherAnswer, StartAgent, StopAgent
from qcrbox.nats_client import NatsClient
from qcrbox.waiting import within

from qcrbox_registry.messaging.keys import Key
from qcrbox_registry.messaging.publisher import Publisher, settled, unreachable
from qcrbox_registry.messaging.pull import Puller

COMMANDS, EVENTS = "COMMANDS", "EVENTS"
EVENTS_CONSUMER = "registry"
LAUNCHER_PREFIX = "launcher-"
# The agent keeps its command alive every third of this while it works on it.
ACK_WAIT_S = 30.0
MOST_UNACKNOWLEDGED = 256

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Arrived:
    """An event and the subject token it came under: the agent's id or `launcher-<name>`. NATS lets nobody
    else publish there, so `source` says for certain who spoke."""

    source: str
    event: Event

    @property
    def launcher(self) -> str | None:
        """The launcher's name when a launcher spoke."""
        return self.source[len(LAUNCHER_PREFIX) :] if self.source.startswith(LAUNCHER_PREFIX) else None


Handler = Callable[[list[Arrived]], Awaitable[None]]


@dataclass(frozen=True)
class StreamLimits:
    """Largest sizes of the streams, in bytes."""

    commands_bytes: int = 256 * 1024 * 1024
    events_bytes: int = 1024 * 1024 * 1024


class Bus:
    """One NATS connection of the registry.

    `url` of the server, `key` of the user `registry`. Raises Unreachable where NATS does not answer in time and
    QueueFull where a stream refuses.
    """

    def __init__(
        self, url: str, key: Key, *, name: str = "registry", limits: StreamLimits | None = None
    ) -> None:
        self.url, self._key, self._name = url, key, name
        self._limits = limits or StreamLimits()
        self.connection: Client = NatsClient()
        self.publisher: Publisher
        self.js: JetStreamContext
        self._on_reconnect: list[Callable[[], Any]] = []
        self._puller: Puller | None = None
        self.reconnects = 0

    # ------------------------------------------------------------ connection

    async def connect(self, patience_s: float = 30.0) -> None:
        """Connect and create the streams; raises Unreachable if NATS does not answer within `patience_s` seconds."""
        try:
            # With unlimited reconnects nats-py never gives up on the first connection either.
            await within(self._connect_once(), patience_s)
        except (NatsError, OSError, TimeoutError) as error:
            await self.connection.close()
            raise Unreachable(
                "The message system (NATS) does not answer.", where=self.url, why=str(error), part="nats"
            ) from error
        self.js = self.connection.jetstream(timeout=10.0)
        self.publisher = Publisher(self.connection)
        await self.publisher.start()
        await self._make_streams(patience_s)

    async def _connect_once(self) -> None:
        await self.connection.connect(
            self.url,
            name=self._name,
            nkeys_seed_str=self._key.seed.decode(),
            inbox_prefix=f"_INBOX_{self._name}".encode(),
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.2,  # type: ignore[arg-type]  # seconds, any number
            connect_timeout=5,
            ping_interval=10,
            max_outstanding_pings=3,
            pending_size=32 * 1024 * 1024,
            disconnected_cb=self._disconnected,
            reconnected_cb=self._reconnected,
            error_cb=self._failed,
            allow_reconnect=True,
        )

    async def close(self) -> None:
        """Stop reading events and close the connection."""
        self.stop_events()
        if self.is_connected:
            with contextlib.suppress(NatsError, OSError):
                await within(self.connection.drain(), 5)
        # The transport may be gone at any moment, and nats-py writes to it before it looks.
        with contextlib.suppress(Exception):
            await self.connection.close()

    @property
    def is_connected(self) -> bool:
        """Whether the connection to NATS is up."""
        return self.connection.is_connected

    def on_reconnect(self, callback: Callable[[], Any]) -> None:
        """Call `callback` after each reconnection."""
        self._on_reconnect.append(callback)

    async def _disconnected(self) -> None:
        if hasattr(self, "publisher"):
            self.publisher.connection_lost()
        if not self.connection.is_closed:
            log.warning("nats_connection_lost", url=self.url)

    async def _reconnected(self) -> None:
        self.reconnects += 1
        log.info("nats_connected_again", url=self.url)
        for callback in self._on_reconnect:
            callback()

    async def _failed(self, error: Exception) -> None:
        if self.is_connected:  # while NATS is down, every attempt to reconnect fails in the same way
            log.info("nats_error", error=repr(error))

    # ------------------------------------------------------------ streams and consumers

    async def _make_streams(self, patience_s: float) -> None:
        limits = self._limits
        for config in (
            _work_queue(COMMANDS, "commands.*", limits.commands_bytes),
            _work_queue(EVENTS, "events.*", limits.events_bytes),
        ):
            await self._patiently(partial(self._ensure_stream, config), patience_s)
        await self._patiently(self._ensure_events_consumer, patience_s)

    async def _ensure_stream(self, config: api.StreamConfig) -> None:
        try:
            await self.js.stream_info(config.name or "")
        except NotFoundError:
            await self.js.add_stream(config)
        else:
            await self.js.update_stream(config)

    async def _ensure_events_consumer(self) -> None:
        await self.js.add_consumer(
            EVENTS,
            api.ConsumerConfig(
                durable_name=EVENTS_CONSUMER,
                ack_policy=api.AckPolicy.EXPLICIT,
                ack_wait=60,
                max_ack_pending=8192,
                max_waiting=16,
            ),
        )

    async def _renew_events_consumer(self) -> None:
        """The stream keeps what was not acknowledged, and gives it to the new consumer."""
        with contextlib.suppress(NotFoundError):
            await self.js.delete_consumer(EVENTS, EVENTS_CONSUMER)
        await self._ensure_events_consumer()

    async def _patiently(self, act: Callable[[], Awaitable[None]], patience_s: float) -> None:
        """JetStream still recovers its files when NATS accepts connections already."""
        deadline = asyncio.get_running_loop().time() + patience_s
        while True:
            try:
                return await act()
            except (NatsError, APIError, OSError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise Unreachable(
                        "The message system (NATS) is not ready.", why=str(error), part="nats"
                    ) from error
                await asyncio.sleep(0.2)

    async def add_agent(self, agent: str) -> None:
        """The consumer of a new agent. The agent itself may only pull from it, not make or change it."""
        await self._patiently(lambda: self._ensure_agent_consumer(agent), 10.0)

    async def _ensure_agent_consumer(self, agent: str) -> None:
        await self.js.add_consumer(
            COMMANDS,
            api.ConsumerConfig(
                durable_name=agent,
                filter_subject=messages.subject_commands(agent),
                ack_policy=api.AckPolicy.EXPLICIT,
                ack_wait=ACK_WAIT_S,
                max_ack_pending=MOST_UNACKNOWLEDGED,
                max_waiting=16,
            ),
        )

    async def remove_agent(self, agent: str) -> None:
        """Delete an agent's consumer and the commands that it has not fetched."""
        with contextlib.suppress(NotFoundError, NatsError, OSError):
            await self.js.delete_consumer(COMMANDS, agent)
        with contextlib.suppress(NotFoundError, NatsError, OSError):
            await self.js.purge_stream(COMMANDS, subject=messages.subject_commands(agent))

    async def rebuild_agent(self, agent: str) -> None:
        """Recreate an agent's consumer: undelivered commands stay in the stream and are delivered again."""
        with contextlib.suppress(NotFoundError, NatsError, OSError):
            await self.js.delete_consumer(COMMANDS, agent)
        await self.add_agent(agent)

    async def agents_with_consumers(self) -> set[str]:
        """Names of the agents that have a consumer. Raises Unreachable."""
        found: set[str] = set()
        offset = 0
        while True:
            try:
                page = await self.js.consumers_info(COMMANDS, offset=offset)
            except (NatsError, OSError) as error:
                raise unreachable() from error
            found |= {info.name for info in page}
            if len(page) < 256:
                return found
            offset += len(page)

    # ------------------------------------------------------------ out

    async def send_commands(self, commands: Sequence[tuple[str, Command]]) -> list[QcError | None]:
        """Store commands for agents, pipelined; the same attempt twice within two minutes is stored once.

        Returns for each None, or why it was not stored.
        """
        if not self.is_connected:
            return [unreachable() for _ in commands]
        futures = []
        for agent, command in commands:
            headers = {"Nats-Msg-Id": f"{command.calculation_id}.{command.attempt}"}
            try:
                futures.append(
                    await self.publisher.send(messages.subject_commands(agent), _bytes(command), headers)
                )
            except (NatsError, OSError):
                failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                failed.set_exception(unreachable())
                futures.append(failed)
        return await settled(futures) if futures else []

    async def control(self, agent: str, message: Control) -> None:
        """Tell an agent something at once. Not stored: who must know that it arrived repeats it."""
        with contextlib.suppress(NatsError, OSError):
            await self.connection.publish(messages.subject_control(agent), _bytes(message))

    def launcher(self, name: str) -> LauncherLink:
        """The link to the launcher of that name."""
        return LauncherLink(self, name)

    # ------------------------------------------------------------ in

    async def run_events(self, handler: Handler, patience_s: Callable[[], float] | None = None) -> None:
        """Feed every event to `handler` in batches until the bus is closed; acknowledge after it returns.

        patience_s: asked before each batch how long, s, to let it grow.

        When the handler raises, the same batch is given again after a pause, so it must be harmless to repeat.
        """

        async def handle(arrivals: Sequence[Msg]) -> None:
            batch = [arrived for message in arrivals if (arrived := _read(message)) is not None]
            pause = 0.1
            while batch:
                try:
                    await handler(batch)
                    break
                except Exception as error:
                    log.error(
                        "events_not_taken",
                        error=repr(error),
                        events=len(batch),
                        again_in_s=pause,
                        exc_info=error,
                    )
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 5.0)
            for message in arrivals:
                with contextlib.suppress(NatsError, OSError):
                    await self.connection.publish(message.reply, b"+ACK")

        self._puller = Puller(self.connection, EVENTS, EVENTS_CONSUMER, handle, self._renew_events_consumer)
        if patience_s is not None:
            self._puller.patience_s = patience_s
        self.on_reconnect(self._puller.connected_again)
        try:
            await self._puller.run()
        finally:
            self._on_reconnect.remove(self._puller.connected_again)

    def stop_events(self) -> None:
        """`run_events` returns after the batch it is at."""
        if self._puller is not None:
            self._puller.stop()

    async def run_heartbeats(self, handler: Callable[[Arrived], None]) -> None:
        """Subscribe to heartbeats: core NATS, so a stopped registry finds no heap of old ones."""

        async def heard(message: Msg) -> None:
            arrived = _read(message)
            if arrived is not None:
                handler(arrived)

        await self.connection.subscribe("heartbeats.*", cb=heard)

    async def pending(self) -> dict[str, int]:
        """Messages that wait in each stream."""
        return {name: (await self.js.stream_info(name)).state.messages for name in (COMMANDS, EVENTS)}


def _work_queue(name: str, subject: str, max_bytes: int) -> api.StreamConfig:
    """Each message for one reader, gone once acknowledged; a full queue refuses instead of dropping."""
    return api.StreamConfig(
        name=name,
        subjects=[subject],
        max_bytes=max_bytes,
        retention=api.RetentionPolicy.WORK_QUEUE,
        storage=api.StorageType.FILE,
        discard=api.DiscardPolicy.NEW,
        duplicate_window=120,  # what is sent again after a reconnect is stored once
    )


class LauncherLink:
    """Requests to one launcher. Raises Unreachable when it does not answer."""

    def __init__(self, bus: Bus, name: str) -> None:
        self._bus, self.name = bus, name

    async def start(self, request: StartAgent, timeout_s: float = 30.0) -> LauncherAnswer:
        """Ask the launcher to start an agent."""
        return await self._ask("start", _bytes(request), timeout_s)

    async def stop(self, request: StopAgent, timeout_s: float = 30.0) -> LauncherAnswer:
        """Ask the launcher to stop an agent."""
        return await self._ask("stop", _bytes(request), timeout_s)

    async def list(self, timeout_s: float = 5.0) -> LauncherAnswer:
        """Ask the launcher which agents it has."""
        return await self._ask("list", b"{}", timeout_s)

    async def _ask(self, verb: Any, payload: bytes, timeout_s: float) -> LauncherAnswer:
        try:
            reply = await self._bus.connection.request(
                messages.subject_launcher(self.name, verb), payload, timeout=timeout_s
            )
            return LauncherAnswer.model_validate_json(reply.data)
        except (NatsError, OSError, ValidationError) as error:
            raise Unreachable(
                f"Launcher {self.name!r} does not answer.",
                why=type(error).__name__,
                part=f"launcher {self.name}",
            ) from error


def _bytes(message: messages.Message) -> bytes:
    return message.model_dump_json(exclude_defaults=False).encode()


def _read(message: Msg) -> Arrived | None:
    source = message.subject.partition(".")[2]
    try:
        return Arrived(source, messages.event_adapter.validate_json(message.data))
    except ValidationError as error:
        log.warning("event_unreadable", source=source, error=str(error)[:500])
        return None
