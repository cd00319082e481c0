"""Launchers that join with a code instead of a seed file."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from qcrbox.contract.errors import Conflict
from qcrbox.contract.models import iso

from qcrbox_registry.access import audit
from qcrbox_registry.access.rights import Actor, Resource, authorize
from qcrbox_registry.messaging.keys import Secrets
from qcrbox_registry.messaging.tokens import LauncherToken, sign
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.texts import needed_reason
from qcrbox_registry.store import launcher_passes
from qcrbox_registry.store.audit import Entry, record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.launcher_passes import LauncherPass, NewPass

# No letters or digits that look alike: people copy codes from a screen.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_CODE_LENGTH = 16  # 79 bits
# A token is checked against its pass at each connection, so revoking ends it whatever its age is.
TOKEN_LIFE_S = 10 * 366 * 86400.0


@dataclass(frozen=True, slots=True)
class Invited:
    """A launcher to be let in. minutes: how long its join code holds."""

    launcher: str
    minutes: float


class LauncherService:
    """Join codes of launchers."""

    def __init__(self, context: Context, clock: Callable[[], float] = time.time) -> None:
        self._context, self._clock = context, clock

    async def passes(self, actor: Actor) -> list[Json]:
        """The newest passes. Raises NotFound or NotAllowed."""
        authorize(actor, "read", Resource("launcher", ""))
        now = self._clock()
        return [_shown(each, now) for each in await self._context.db.read(launcher_passes.listed)]

    async def invite(self, actor: Actor, invited: Invited) -> Json:
        """Make a join code, which is shown this once. Raises Conflict when the name is in use."""
        authorize(actor, "manage", Resource("launcher", invited.launcher))
        if invited.launcher in Secrets(self._context.settings.data).launchers():
            raise Conflict(
                f"The launcher {invited.launcher} has a seed in the data folder.", next="Choose another name."
            )
        code, now = _new_code(), self._clock()
        new = NewPass(invited.launcher, digest(code), now + invited.minutes * 60)

        def write(conn: Connection) -> LauncherPass:
            made = launcher_passes.add(conn, new, actor.person_id, now)
            entry = audit.entry(
                actor,
                "make launcher code",
                now,
                kind="launcher",
                object_id=made.launcher,
                minutes=invited.minutes,
            )
            record(conn, [entry])
            return made

        return {"code": code, "launcher_pass": _shown(await self._context.db.write(write), now)}

    async def join(self, code: str, address: str) -> Json:
        """Exchange a join code for what a launcher connects with. Raises NotFound for a code that does not hold."""
        now = self._clock()

        def write(conn: Connection) -> LauncherPass:
            used = launcher_passes.use_code(conn, digest(code), address, now)
            who = f"launcher {used.launcher}"
            record(
                conn,
                [Entry(now, who, "join", address=address[:64], kind="launcher", object_id=used.launcher)],
            )
            return used

        used = await self._context.db.write(write)
        claims = LauncherToken(pass_id=used.id, launcher=used.launcher, expires=now + TOKEN_LIFE_S)
        return {
            "launcher": used.launcher,
            "token": sign(self._context.signing_key, "launcher", claims),
            "nats_url": self._context.bus.url,
        }

    async def revoke(self, actor: Actor, pass_id: str, reason: str) -> None:
        """End a pass: NATS refuses its launcher from the next connection on. Raises NotFound, ReasonNeeded."""
        authorize(actor, "manage", Resource("launcher", ""))
        reason, now = needed_reason(reason), self._clock()

        def write(conn: Connection) -> None:
            ended = launcher_passes.revoke(conn, pass_id, now)
            entry = audit.entry(
                actor, "revoke launcher", now, kind="launcher", object_id=ended.launcher, reason=reason
            )
            record(conn, [entry])

        await self._context.db.write(write)


def _new_code() -> str:
    signs = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    return "-".join(signs[at : at + 4] for at in range(0, _CODE_LENGTH, 4))


def digest(code: str) -> str:
    """What is stored of a join code. Case, spaces and dashes do not count."""
    return hashlib.sha256(code.lower().replace("-", "").replace(" ", "").strip().encode()).hexdigest()


def _shown(each: LauncherPass, now: float) -> Json:
    return {
        "id": each.id,
        "launcher": each.launcher,
        "state": each.state(now),
        "by": each.by,
        "at": iso(each.at),
        "code_expires_at": iso(each.code_expires_at),
        "joined_at": iso(each.joined_at),
        "address": each.address,
        "revoked_at": iso(each.revoked_at),
    }
