"""The display of a session as a websocket: RFB for its owner, or view-only for whom the owner allows.

Close codes: 1000 the display ended, 4400 a faulty message, 4401 not signed in, 4403 not allowed (any more), 4404 no
such session, 4409 the session is not open, 4503 its agent does not answer (try again).
"""

from __future__ import annotations

from fastapi import APIRouter, WebSocket
from qcrbox.contract.errors import NotAllowed, NotSignedIn, QcError

from qcrbox_registry.access.identity import bearer
from qcrbox_registry.access.origins import require_own_origin
from qcrbox_registry.api.dependencies import core_of, presence_of
from qcrbox_registry.sessions.tunnels import close
from qcrbox_registry.sessions.viewer import close_code

router = APIRouter(tags=["interactive sessions"])


@router.websocket("/api/interactive-sessions/{session_id}/display")
async def display(websocket: WebSocket, session_id: str, view: bool = False) -> None:
    """Show a session. `?view=true`: view only."""
    core = core_of(websocket.app)
    # Checked first: a page of another site must not learn anything, not even that this address exists.
    try:
        require_own_origin(websocket)
        actor = await core.context.identity.actor(websocket)
        admission = await core.sessions.admit(actor, session_id, view=view)
    except QcError as error:
        await _refuse(websocket, error)
        return
    await websocket.accept(subprotocol=_subprotocol(websocket))
    presence = presence_of(websocket, actor)
    try:
        code, reason = await core.displays.show(presence, session_id, admission, websocket)
    except QcError as error:
        code, reason = close_code(error), error.message
    await close(websocket, code, reason)


@router.websocket("/internal/calculations/{calculation_id}/tunnel/{tunnel_id}")
async def agent_side(websocket: WebSocket, calculation_id: str, tunnel_id: str) -> None:
    """The agent dials with the token that came with the request for this tunnel."""
    try:
        token = bearer(websocket)
        if token is None:
            raise NotSignedIn("This route needs the tunnel's token.")
        tunnel = core_of(websocket.app).displays.claim(tunnel_id, calculation_id, token)
    except QcError as error:
        await _refuse(websocket, error)
        return
    await websocket.accept()
    if not tunnel.agent_side.done():
        tunnel.agent_side.set_result(websocket)
    # The handler of the person reads and writes; this one keeps the connection open.
    await tunnel.over.wait()


async def _refuse(websocket: WebSocket, error: QcError) -> None:
    """Close with a code after accepting, for a page cannot see why a handshake failed; a foreign page gets neither."""
    if isinstance(error, NotAllowed) and error.fields.get("foreign"):
        await close(websocket, 1008, "")
        return
    await websocket.accept(subprotocol=_subprotocol(websocket))
    await close(websocket, close_code(error), error.message)


def _subprotocol(websocket: WebSocket) -> str | None:
    """Older noVNC requests `binary`; a browser expects one of the subprotocols it requested."""
    return "binary" if "binary" in websocket.scope.get("subprotocols", ()) else None
