"""Answers NATS when an agent, or a launcher without a seed, connects: with its token it gets its own subjects, else
nothing.

nats-server asks on `$SYS.REQ.USER.AUTH` with a JWT of type authorization_request; the answer is a JWT of type
authorization_response whose audience is the asking server. It holds a short-lived user JWT whose subject is
the request's `user_nkey` and whose audience is the account's name. Both are signed with the account's nkey
(header alg `ed25519-nkey`), see NATS ADR-26.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from qcrbox.contract.errors import NotSignedIn, QcError

from qcrbox_registry.messaging.keys import Key
from qcrbox_registry.messaging.server import ACCOUNT
from qcrbox_registry.messaging.tokens import Enrolment, LauncherToken, read_enrolment, read_launcher

SUBJECT = "$SYS.REQ.USER.AUTH"
QUEUE = "auth"  # several registry processes share the asking
USER_LIFE_S = 3600.0
LAUNCHER_LIFE_S = 300.0  # a revoked launcher is cut off within this time; others connect again at once
MAX_SUBSCRIPTIONS = 32
RESPONSE_NS = 600 * 10**9  # how long a launcher may answer a request, ns

log = structlog.get_logger(__name__)

# Says whether this agent may (still) connect: it is in SQL and not gone.
IsWanted = Callable[[Enrolment], Awaitable[bool]]
# Says whether this launcher's pass still holds.
HasPass = Callable[[LauncherToken], Awaitable[bool]]


async def no_passes(_: LauncherToken) -> bool:
    """No launcher connects with a token."""
    return False


class AuthCallout:
    """The NATS authorization callout: decides on the connection of each agent, and of launchers with a token."""

    def __init__(
        self,
        account: Key,
        signing_key: bytes,
        is_wanted: IsWanted,
        clock: Callable[[], float] = time.time,
        has_pass: HasPass = no_passes,
    ) -> None:
        self._account, self._signing_key = account, signing_key
        self._is_wanted, self._has_pass, self._clock = is_wanted, has_pass, clock
        self.refused = 0

    async def serve(self, connection: Client) -> None:
        """Answer the requests that NATS sends over this connection."""
        await connection.subscribe(SUBJECT, queue=QUEUE, cb=self._answer)

    async def _answer(self, message: Msg) -> None:
        try:
            claims = _claims(message.data.decode())
            request = claims["nats"]
        except (ValueError, KeyError, IndexError) as error:
            log.warning("nats_auth_unreadable", error=str(error))
            return
        user_nkey, server_id = request["user_nkey"], request["server_id"]["id"]
        try:
            # By the clock of the server that will judge it: ours may have jumped, or be another machine's.
            asked_at = float(claims.get("iat") or self._clock())
            user = await self._user_jwt(request.get("connect_opts") or {}, user_nkey, asked_at)
            content = {"jwt": user}
        except QcError as refusal:
            self.refused += 1
            log.warning("nats_connection_refused", reason=refusal.what, address=_address(request))
            content = {"error": refusal.what}
        await message.respond(self._signed("authorization_response", user_nkey, server_id, content).encode())

    async def _user_jwt(self, options: dict[str, Any], user_nkey: str, asked_at: float) -> str:
        token = options.get("auth_token") or ""
        if not token:
            raise NotSignedIn("No enrolment token was given.")
        if token.startswith("launcher."):
            return await self._launcher_jwt(token, user_nkey, asked_at)
        enrolment = read_enrolment(self._signing_key, token, self._clock())
        if not await self._is_wanted(enrolment):
            raise NotSignedIn("This agent is gone; its enrolment token is no longer valid.")
        return self._signed(
            "user",
            user_nkey,
            ACCOUNT,
            permissions(enrolment.agent),
            name=enrolment.agent,
            exp=int(asked_at + USER_LIFE_S),
        )

    async def _launcher_jwt(self, token: str, user_nkey: str, asked_at: float) -> str:
        claims = read_launcher(self._signing_key, token, self._clock())
        if not await self._has_pass(claims):
            raise NotSignedIn("The pass of this launcher was revoked.")
        return self._signed(
            "user",
            user_nkey,
            ACCOUNT,
            launcher_permissions(claims.launcher),
            name=f"launcher-{claims.launcher}",
            exp=int(asked_at + LAUNCHER_LIFE_S),
        )

    def _signed(self, kind: str, subject: str, audience: str, content: dict[str, Any], **more: Any) -> str:
        claims = {
            "iat": int(self._clock()),
            "iss": self._account.public,
            "sub": subject,
            "aud": audience,
            **more,
            "nats": {**content, "type": kind, "version": 2},
        }
        claims["jti"] = base64.b32encode(hashlib.sha256(_json(claims)).digest()).rstrip(b"=").decode()
        head = _encode(_json({"typ": "JWT", "alg": "ed25519-nkey"})) + "." + _encode(_json(claims))
        return f"{head}.{_encode(self._account.sign(head.encode()))}"


def permissions(agent: str) -> dict[str, Any]:
    """What one agent may say and hear. Subjects are its own; everything else is refused by NATS."""
    say = [
        f"events.{agent}",
        f"heartbeats.{agent}",
        f"$JS.API.CONSUMER.MSG.NEXT.COMMANDS.{agent}",
        f"$JS.ACK.COMMANDS.{agent}.>",
    ]
    hear = [f"_INBOX_{agent}.>", f"control.{agent}"]
    return {
        "pub": {"allow": say},
        "sub": {"allow": hear},
        "subs": MAX_SUBSCRIPTIONS,
        "data": -1,
        "payload": -1,
    }


def launcher_permissions(name: str) -> dict[str, Any]:
    """What a launcher may say and hear: as `server.configuration` gives it to one with a seed."""
    return {
        "pub": {"allow": [f"events.launcher-{name}", f"heartbeats.launcher-{name}"]},
        "sub": {"allow": [f"launchers.{name}.*", f"_INBOX_launcher-{name}.>"]},
        "resp": {"max": 1, "ttl": RESPONSE_NS},
        "subs": MAX_SUBSCRIPTIONS,
        "data": -1,
        "payload": -1,
    }


def _claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def _address(request: dict[str, Any]) -> str:
    client = request.get("client_info") or {}
    return f"{client.get('host', '?')} ({client.get('name', 'unnamed')})"


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
