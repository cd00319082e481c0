"""`qc.connect(url)` from outside: the page where a person lets a program in, and what the program asks."""

from __future__ import annotations

import json
from typing import Any

from jupyterhub.scopes import get_scopes_for
from qcrbox.contract.json_objects import read_object
from tornado import web

from qcrbox_hub.accounts.addresses import client_address
from qcrbox_hub.accounts.brake import Attempts
from qcrbox_hub.accounts.device_sign_in import LIFE_S, Answer, PendingSignIn, PendingSignIns
from qcrbox_hub.accounts.pages import Page
from qcrbox_hub.accounts.roles import ACCESS, DATA, MANAGE, TEACH, USE

TOKEN_LIFE_DAYS = 90
ASK_AGAIN_S = 2
OF_GROUPS = (MANAGE, DATA, TEACH)
LONGEST_NAME = 80
LARGEST_BODY = 2000

BEGINNINGS_PER_ADDRESS = Attempts(limit=60, window_s=600)
CODES_PER_PERSON = Attempts(limit=20, window_s=600)

waiting = PendingSignIns()


class Connect(Page):
    """Type the code, see who asks, allow or refuse."""

    @web.authenticated
    async def get(self) -> None:
        """Show the form for the code."""
        await self._form()

    async def _form(self, problem: str = "", *, status: int = 200) -> None:
        await self.show("connect.html", status=status, stage="code", problem=problem, code="")

    @web.authenticated
    async def post(self) -> None:
        """Find the program by its code, then let it in or refuse it."""
        person = self.current_user.name
        if CODES_PER_PERSON.wait_s(person):
            await self._form("Too many codes were tried. Wait ten minutes.", status=429)
            return
        found = waiting.find(self.field("code"))
        if found is None:
            CODES_PER_PERSON.count(person)
            await self._form("No program waits with this code. Codes hold for ten minutes.", status=404)
            return
        action = self.field("action")
        if action in ("allow", "refuse"):
            await self._answer(found, allowed=action == "allow")
        else:
            await self._ask(found)

    async def _ask(self, found: PendingSignIn) -> None:
        await self.show(
            "connect.html",
            stage="ask",
            problem="",
            code=found.code,
            program=found.program,
            address=found.address,
            days=TOKEN_LIFE_DAYS,
        )

    async def _answer(self, found: PendingSignIn, *, allowed: bool) -> None:
        found.person = self.current_user.name
        found.answer = Answer.ALLOWED if allowed else Answer.REFUSED
        self.log.info("%s %s a program at %s", found.person, found.answer, found.address)
        await self.show("connect.html", stage="done", allowed=allowed, problem="", code="")


class _Asked(Page):
    """Called by a program, with JSON and without cookies."""

    def check_xsrf_cookie(self) -> None:
        """No cookie opens anything here, so there is nothing that a foreign page could ride on."""

    def body(self) -> dict[str, Any]:
        """Raises HTTPError 400 for anything but a small JSON object."""
        value = read_object(self.request.body, LARGEST_BODY) if self.request.body else {}
        if value is None:
            raise web.HTTPError(400)
        return value

    def answer(self, status: int, **values: Any) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(values))


class BeginConnecting(_Asked):
    """A program begins to sign in: it gets a secret, and a code for the person to type."""

    async def post(self) -> None:
        """Answer 201 with secret and code, 429 or 503 if too many sign-ins wait."""
        address = client_address(self)
        if BEGINNINGS_PER_ADDRESS.wait_s(address):
            self.answer(429, error="too_many", message="Too many sign-ins were begun from this address.")
            return
        BEGINNINGS_PER_ADDRESS.count(address)
        program = "".join(c for c in str(self.body().get("program", "")) if c.isprintable())[:LONGEST_NAME]
        made = waiting.begin(program or "a program", address)
        if made is None:
            self.answer(503, error="too_many", message="Too many programs wait to be let in.")
            return
        secret, pending = made
        self.answer(
            201, secret=secret, code=pending.code, expires_in_s=LIFE_S, ask_again_s=ASK_AGAIN_S
        )  # fmt: skip


class FinishConnecting(_Asked):
    """A program requests its token with the secret."""

    async def post(self) -> None:
        """Answer the token, 202 while the person has not decided, 403 or 404 otherwise."""
        found = waiting.take(str(self.body().get("secret", "")))
        if found is None:
            self.answer(404, error="unknown", message="This sign-in was not begun here, or too long ago.")
        elif found.answer is Answer.WAITING:
            self.answer(202, answer=str(found.answer))
        elif found.answer is Answer.REFUSED:
            self.answer(403, error="refused", message="The sign-in was refused.")
        else:
            self._give_token(found)

    def _give_token(self, found: PendingSignIn) -> None:
        user = self.find_user(found.person)
        if user is None or not self.authenticator.is_approved(found.person):
            self.answer(403, error="refused", message="The account is closed.")
            return
        token = user.orm_user.new_api_token(
            note=f"qc.connect: {found.program}",
            expires_in=TOKEN_LIFE_DAYS * 24 * 3600,
            scopes=scopes_outside(get_scopes_for(user.orm_user)),
        )
        self.answer(200, token=token, person=found.person)


def scopes_outside(held: set[str]) -> list[str]:
    """What a notebook on one's own computer may do: all that its person may with own data and in named groups,
    nothing of an administrator's or application administrator's.
    """
    named = {scope for scope in held if scope.partition("!group=")[0] in OF_GROUPS and "!group=" in scope}
    return sorted({ACCESS, USE, *named})
