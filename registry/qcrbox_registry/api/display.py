"""The picture of a session as a websocket: RFB bytes, for its owner, or read-only for whom the owner allows.

Close codes: 1000 the session's picture ended, 4401 not signed in, 4403 not allowed (any more), 4404 no such
session or nothing to see, 4409 the session is not open, 4503 its agent does not answer (try again).
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, WebSocket
from qcrbox.contract.errors import Conflict, NotAllowed, NotFound, NotSignedIn, QcError, UserInputError
from starlette.websockets import WebSocketDisconnect

from qcrbox_registry.access.identity import bearer
from qcrbox_registry.access.origins import require_own_origin
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.api.sessions import session_row
from qcrbox_registry.messaging.tokens import FilesToken, read_files, sign
from qcrbox_registry.services.core import Core
from qcrbox_registry.sessions import tunnels
from qcrbox_registry.sessions.idle import touched
from qcrbox_registry.sessions.rfb import ClientMessages

router = APIRouter(tags=["interactive sessions"])
ASK_AGAIN_S = 5.0  # so long a right that was taken may still be used
INPUT_WRITTEN_S = 15.0  # the idle limit is hours; the disk need not hear of each key
TOKEN_LIFE_S = 60.0
_VISIBLE = ("open", "program_ended", "finalising")


@router.websocket("/api/interactive-sessions/{session_id}/display")
async def display(websocket: WebSocket, session_id: str, view: bool = False) -> None:
    """Show a session. `?view=true`: look on only."""
    core: Core = websocket.app.state.core
    # Before anything else: a page of another site must learn nothing, not even that this address answers.
    try:
        require_own_origin(websocket)
        actor = await core.identity.actor(websocket)
        attempt, view_only = await _admitted(core, actor, session_id, view)
    except QcError as error:
        await _refuse(websocket, error)
        return
    await websocket.accept(subprotocol=_subprotocol(websocket))
    viewer = _Viewer(core, websocket, actor, session_id, ClientMessages(view_only))
    try:
        async with websocket.app.state.tunnels.opened(session_id, attempt) as tunnel:
            await _ask_agent(core, tunnel, view_only)
            agent = await websocket.app.state.tunnels.wait(tunnel)
            code, reason = await viewer.join(agent)
            await tunnels.close(agent, 1000, "The viewer left.")
    except QcError as error:
        code, reason = _code(error), error.message
    await tunnels.close(websocket, code, reason)


@router.websocket("/internal/calculations/{calculation_id}/tunnel/{tunnel_id}")
async def agent_side(websocket: WebSocket, calculation_id: str, tunnel_id: str) -> None:
    """The agent dials with the token that came with the request for this tunnel."""
    core: Core = websocket.app.state.core
    try:
        token = bearer(websocket)
        if token is None:
            raise NotSignedIn("This route needs the tunnel's token.")
        claims = read_files(core.signing_key, token)
        if claims.calculation_id != calculation_id:
            raise NotFound("Nobody waits for this tunnel.")
        tunnel = websocket.app.state.tunnels.claim(tunnel_id, calculation_id, claims.attempt)
    except QcError as error:
        await _refuse(websocket, error)
        return
    await websocket.accept()
    if not tunnel.agent_side.done():
        tunnel.agent_side.set_result(websocket)
    # The person's side reads and writes; this handler only keeps the connection.
    await tunnel.over.wait()


async def _admitted(core: Core, actor: Actor, session_id: str, view: bool) -> tuple[int, bool]:
    """(attempt, view only). Raises NotFound, NotAllowed, Conflict."""

    def read(conn: Any) -> tuple[sa.Row, sa.Row, bool]:
        if not view:
            try:
                return *session_row(conn, actor, "open", session_id), False
            except NotAllowed:
                pass
        return *session_row(conn, actor, "view", session_id), True

    row, about, view_only = await core.db.read(read)
    if row.finished_at is not None or about.state not in _VISIBLE:
        words = "has ended" if row.finished_at is not None else "is still starting"
        raise Conflict(f"This session {words}.", next="The list of sessions says how it stands.")
    return row.attempt, view_only


async def _ask_agent(core: Core, tunnel: tunnels.Tunnel, view_only: bool) -> None:
    claims = FilesToken(
        calculation_id=tunnel.calculation_id, attempt=tunnel.attempt, expires=time.time() + TOKEN_LIFE_S
    )
    settings = core.settings
    base = settings.public_url.rstrip("/") or f"http://127.0.0.1:{settings.port}"
    await core.scheduler.open_tunnel(
        tunnel.calculation_id,
        tunnel_id=tunnel.id,
        url=f"{base}/internal/calculations/{tunnel.calculation_id}/tunnel/{tunnel.id}",
        token=sign(core.signing_key, "files", claims),
        view_only=view_only,
    )


class _Viewer:
    """One person in front of one session."""

    def __init__(
        self, core: Core, websocket: WebSocket, actor: Actor, session_id: str, messages: ClientMessages
    ) -> None:
        self._core, self._websocket, self._actor, self._id = core, websocket, actor, session_id
        self._messages = messages
        self._written_at = 0.0

    async def join(self, agent: WebSocket) -> tuple[int, str]:
        """Move bytes both ways until somebody leaves or the right ends; the close code and its reason."""
        parts = [
            asyncio.create_task(self._to_person(agent)),
            asyncio.create_task(self._to_agent(agent)),
            asyncio.create_task(self._right_ends()),
        ]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            first = next(part for part in parts if part in done)
            return first.result()
        except (WebSocketDisconnect, RuntimeError, OSError):
            # One of the two connections broke while something was sent through it.
            return 1011, "The connection broke."
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
                return (code, reason) if code >= 4000 or code == 1000 else (4503, "The agent is gone.")
            await self._websocket.send_bytes(message.get("bytes") or b"")

    async def _to_agent(self, agent: WebSocket) -> tuple[int, str]:
        while (data := await tunnels.received(self._websocket)) is not None:
            try:
                passed = self._messages.feed(data)
            except UserInputError as error:
                return 4400, error.message
            if passed:
                await agent.send_bytes(passed)
            if self._messages.saw_input:
                self._messages.saw_input = False
                self._note_input()
        return 1000, "The viewer left."

    def _note_input(self) -> None:
        now = time.time()
        if now - self._written_at < INPUT_WRITTEN_S:
            return
        self._written_at = now
        writing = asyncio.ensure_future(self._core.db.write(lambda conn: touched(conn, self._id, now)))
        # A reference keeps the task alive; a failed write is seen at the next input.
        writing.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._writing = writing

    async def _right_ends(self) -> tuple[int, str]:
        """Returns when the person may not go on, or the session has ended."""
        while True:
            await asyncio.sleep(ASK_AGAIN_S)
            try:
                actor = await self._core.identity.again(self._actor, self._websocket)
                _, view_only = await _admitted(self._core, actor, self._id, self._messages.view_only)
            except Conflict:
                return 1000, "The session has ended."
            except QcError as error:
                return _code(error), error.message
            if view_only and not self._messages.view_only:
                return 4403, "You may only look on now."


def _code(error: QcError) -> int:
    return {400: 4400, 401: 4401, 403: 4403, 404: 4404, 409: 4409}.get(error.status, 4503)


async def _refuse(websocket: WebSocket, error: QcError) -> None:
    """A page cannot see why a handshake failed, so it is accepted and closed with a code, unless it is foreign."""
    if isinstance(error, NotAllowed) and error.fields.get("foreign"):
        await tunnels.close(websocket, 1008, "")
        return
    await websocket.accept(subprotocol=_subprotocol(websocket))
    await tunnels.close(websocket, _code(error), error.message)


def _subprotocol(websocket: WebSocket) -> str | None:
    """noVNC of old asks for `binary`; a browser wants to hear one of those it asked for."""
    return "binary" if "binary" in websocket.scope.get("subprotocols", ()) else None
