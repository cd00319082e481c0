"""The display of a session: asks its agent to dial, and joins the two ends."""

from __future__ import annotations

import time

from qcrbox.contract.errors import NotFound
from starlette.websockets import WebSocket

from qcrbox_registry.access.presence import Presence
from qcrbox_registry.messaging.tokens import FilesToken, read_files, sign
from qcrbox_registry.services.context import Context
from qcrbox_registry.services.sessions import Admission, SessionService
from qcrbox_registry.sessions.tunnels import Tunnel, Tunnels, close
from qcrbox_registry.sessions.viewer import Viewer

TOKEN_LIFE_S = 60.0


class DisplayService:
    """The displays that are open in this process."""

    def __init__(self, context: Context, sessions: SessionService) -> None:
        self._context, self._sessions = context, sessions
        self._tunnels = Tunnels()

    async def show(
        self, presence: Presence, session_id: str, admission: Admission, person: WebSocket
    ) -> tuple[int, str]:
        """Pass RFB between a person and the agent of a session until either ends or the right does.

        Returns the close code and reason for the person. Raises NotFound, Unreachable when the agent does not dial.
        """

        async def right_lasts() -> bool:
            now = await self._sessions.admit(await presence.now(), session_id, view=admission.view_only)
            return admission.view_only or not now.view_only

        viewer = Viewer(
            person,
            view_only=admission.view_only,
            right_lasts=right_lasts,
            note_input=lambda: self._sessions.note_input(session_id),
        )
        async with self._tunnels.opened(session_id, admission.attempt) as tunnel:
            await self._ask_agent(tunnel, admission.view_only)
            agent = await self._tunnels.wait(tunnel)
            code, reason = await viewer.join(agent)
            await close(agent, 1000, "The viewer left.")
            return code, reason

    async def _ask_agent(self, tunnel: Tunnel, view_only: bool) -> None:
        claims = FilesToken(
            calculation_id=tunnel.calculation_id,
            attempt=tunnel.attempt,
            expires=time.time() + TOKEN_LIFE_S,
        )
        settings = self._context.settings
        base = settings.public_url.rstrip("/") or f"http://127.0.0.1:{settings.port}"
        await self._context.scheduler.open_tunnel(
            tunnel.calculation_id,
            tunnel_id=tunnel.id,
            url=f"{base}/internal/calculations/{tunnel.calculation_id}/tunnel/{tunnel.id}",
            token=sign(self._context.signing_key, "files", claims),
            view_only=view_only,
        )

    def claim(self, tunnel_id: str, calculation_id: str, token: str) -> Tunnel:
        """The tunnel that an agent dials, once. Raises NotSignedIn for a wrong token, NotFound."""
        claims = read_files(self._context.signing_key, token)
        if claims.calculation_id != calculation_id:
            raise NotFound("No display waits for this tunnel.")
        return self._tunnels.claim(tunnel_id, calculation_id, claims.attempt)
