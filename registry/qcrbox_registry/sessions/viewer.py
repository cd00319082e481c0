"""A person in front of the display of a session: bytes both ways, until either side leaves or the right ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from qcrbox.background import BackgroundTasks
from qcrbox.contract.errors import Conflict, QcError, UserInputError
from starlette.websockets import WebSocket, WebSocketDisconnect

from qcrbox_registry.sessions.rfb import ClientMessages
from qcrbox_registry.sessions.tunnels import received

CHECK_RIGHT_S = 1.0
NOTE_INPUT_S = 15.0  # the idle limit is hours, so not every key press is written
GONE, BROKEN = 4503, 1011
_CODES = {400: 4400, 401: 4401, 403: 4403, 404: 4404, 409: 4409}
log = structlog.get_logger(__name__)


def close_code(error: QcError) -> int:
    """The close code of a websocket for an error; 4503 asks the page to try again."""
    return _CODES.get(error.status, GONE)


def _not_noted(error: BaseException) -> None:
    log.warning("session_input_not_noted", error=repr(error))  # the next input tries again


@dataclass
class Viewer:
    """`right_lasts` is asked every few seconds: False or an error ends the display; `note_input` notes activity."""

    person: WebSocket
    view_only: bool
    right_lasts: Callable[[], Awaitable[bool]]
    note_input: Callable[[], Awaitable[None]]
    clock: Callable[[], float] = time.monotonic
    _messages: ClientMessages = field(init=False)
    _noted_at: float = field(default=float("-inf"), init=False)
    _background: BackgroundTasks = field(default_factory=lambda: BackgroundTasks(_not_noted), init=False)

    def __post_init__(self) -> None:
        self._messages = ClientMessages(self.view_only)

    async def join(self, agent: WebSocket) -> tuple[int, str]:
        """Move bytes both ways; the close code and reason for the person."""
        parts = [
            asyncio.create_task(self._to_person(agent)),
            asyncio.create_task(self._to_agent(agent)),
            asyncio.create_task(self._until_right_ends()),
        ]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            return next(part for part in parts if part in done).result()
        except (WebSocketDisconnect, RuntimeError, OSError):
            # A connection broke while something was sent through it.
            return BROKEN, "The connection broke."
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)

    async def _to_person(self, agent: WebSocket) -> tuple[int, str]:
        while True:
            message = await agent.receive()
            if message["type"] == "websocket.disconnect":
                code = int(message.get("code") or 1000)
                reason = str(message.get("reason") or "")
                return (code, reason) if code >= 4000 or code == 1000 else (GONE, "The agent is gone.")
            await self.person.send_bytes(message.get("bytes") or b"")

    async def _to_agent(self, agent: WebSocket) -> tuple[int, str]:
        while (data := await received(self.person)) is not None:
            try:
                passed = self._messages.feed(data)
            except UserInputError as error:
                return close_code(error), error.message
            if passed:
                await agent.send_bytes(passed)
            if self._messages.saw_input:
                self._messages.saw_input = False
                self._note_input()
        return 1000, "The viewer left."

    def _note_input(self) -> None:
        now = self.clock()
        if now - self._noted_at >= NOTE_INPUT_S:
            self._noted_at = now
            self._background.spawn(self._noted())

    async def _noted(self) -> None:
        await self.note_input()

    async def _until_right_ends(self) -> tuple[int, str]:
        while True:
            await asyncio.sleep(CHECK_RIGHT_S)
            try:
                if not await self.right_lasts():
                    return 4403, "You may only view this session now."
            except Conflict:
                return 1000, "The session has ended."
            except QcError as error:
                return close_code(error), error.message
