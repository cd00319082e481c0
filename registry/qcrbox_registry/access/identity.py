"""Who is calling: nobody asks (`none`), one secret (`token`), or the hub (`hub`).

Hub tokens are checked at the hub and believed for `CACHE_S`; so a role that is given or taken works within that
time, also for streams, which ask again. A browser signs in by the hub's OAuth code flow; its cookie holds only
a random number, the hub's token stays here.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import httpx
import structlog
from qcrbox.contract.errors import NotAllowed, NotSignedIn, Unreachable
from sqlalchemy.engine import Connection
from starlette.requests import HTTPConnection

from qcrbox_registry.access.origins import require_loopback_name, require_own_origin, require_same_origin
from qcrbox_registry.access.rights import EVERY_GROUP, Actor
from qcrbox_registry.access.sign_ins import SignIns
from qcrbox_registry.settings import Settings
from qcrbox_registry.store import people
from qcrbox_registry.store.engine import Database

CACHE_S = 5.0
REFUSED_S = 2.0
MOST_QUESTIONS = 16
STABLE_ID_CACHE_S = 60.0
COOKIE = "qcrbox-registry"
PAGE = 200
PAGES = "application/jupyterhub-pagination+json"
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """What the hub knows: names of groups; accounts by name with the time of their making ("" when it does not tell)."""

    groups: set[str]
    people: dict[str, str]


class Identity(Protocol):
    """Finds out who calls. Raises NotSignedIn, NotAllowed (no right to use the service), Unreachable."""

    async def actor(self, request: HTTPConnection) -> Actor: ...

    async def again(self, actor: Actor, request: HTTPConnection) -> Actor: ...

    async def known(self) -> Known | None:
        """All groups and accounts there are; None when there is nobody to ask."""
        ...

    async def close(self) -> None: ...


def make_identity(settings: Settings, database: Database) -> Identity:
    if settings.auth == "none":
        return OnePerson(database, None)
    if settings.auth == "token":
        return OnePerson(
            database, read_or_make_token(settings.token_file or settings.data / "secrets" / "token")
        )
    return HubIdentity(settings, database)


def read_or_make_token(path: Path) -> str:
    """The secret in the file; a new one is made, readable by this account only."""
    try:
        token = path.read_text().strip()
    except FileNotFoundError:
        token = ""
    if not token:
        path.parent.mkdir(parents=True, exist_ok=True)
        token = secrets.token_urlsafe(32)
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(token + "\n")
    return token


def bearer(request: HTTPConnection) -> str | None:
    """The token of `Authorization: Bearer …` or `token …`."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() in ("bearer", "token") and token.strip() else None


def address_of(request: HTTPConnection) -> str:
    return request.client.host if request.client else ""


class OnePerson:
    """`local`, with every right: whoever reaches the loopback address, or holds the one secret."""

    def __init__(self, database: Database, token: str | None) -> None:
        self._token = token
        self._person_id = database.write_sync(
            lambda conn: people.ensure_person(conn, "local", "local", time.time())
        )
        self._actors: dict[str, Actor] = {}

    async def actor(self, request: HTTPConnection) -> Actor:
        if self._token is not None:
            given = bearer(request) or request.cookies.get(COOKIE, "")
            if not hmac.compare_digest(given.encode(), self._token.encode()):
                raise NotSignedIn(
                    "This registry needs its token.",
                    next="Open the address that `qcrbox up` printed, or set QCRBOX_TOKEN_FILE.",
                )
            if bearer(request) is None:
                require_same_origin(request)
        else:
            require_loopback_name(request)
            require_own_origin(request)
        address = address_of(request)
        found = self._actors.get(address)
        if found is None:
            if len(self._actors) > 100:
                self._actors.clear()
            found = self._actors[address] = Actor(
                self._person_id, "local", admin=True, application_admin=True, address=address
            )
        return found

    async def again(self, actor: Actor, request: HTTPConnection) -> Actor:
        return actor

    async def known(self) -> Known | None:
        return None

    def cookie_for(self, token: str) -> bool:
        """True when this is the secret: the browser may keep it as its cookie."""
        return self._token is not None and hmac.compare_digest(token.encode(), self._token.encode())

    async def close(self) -> None:
        return None


@dataclass(slots=True)
class _Cached:
    at: float
    actor: Actor


class HubIdentity:
    """Persons, groups and roles as JupyterHub says with each token."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        client: httpx.AsyncClient | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._database, self._clock = settings, database, clock
        self._client = client or httpx.AsyncClient(timeout=10.0, trust_env=False)
        self._service_token = _service_token(settings)
        self._cache: dict[str, _Cached] = {}
        self._checking: dict[str, asyncio.Future[Actor]] = {}
        self._refused: dict[str, tuple[float, NotSignedIn | NotAllowed]] = {}
        # Somebody who tries tokens must not keep the hub from its other work.
        self._questions = asyncio.Semaphore(MOST_QUESTIONS)
        self._stable_ids: dict[str, tuple[float, str]] = {}
        self.sign_ins = SignIns()

    async def actor(self, request: HTTPConnection) -> Actor:
        token = bearer(request)
        if token is None:
            token = self.sign_ins.token(request.cookies.get(COOKIE, ""))
            if token is not None:
                require_same_origin(request)
        if token is None:
            raise NotSignedIn("You are not signed in.", next="Sign in at the hub, or send a hub token.")
        actor = await self._for_token(token)
        return replace(actor, address=address_of(request), noticed=[] if actor.admin else None)

    async def again(self, actor: Actor, request: HTTPConnection) -> Actor:
        """The actor as the hub sees them now (at most CACHE_S ago): for streams."""
        return await self.actor(request)

    async def close(self) -> None:
        await self._client.aclose()

    # ------------------------------------------------------------ the hub's word

    async def _for_token(self, token: str) -> Actor:
        key = hashlib.sha256(token.encode()).hexdigest()
        cached = self._cache.get(key)
        if cached is not None and self._clock() - cached.at < CACHE_S:
            return cached.actor
        refused = self._refused.get(key)
        if refused is not None and self._clock() - refused[0] < REFUSED_S:
            raise refused[1]
        checking = self._checking.get(key)
        if checking is None:
            # Many requests of one notebook at once ask the hub once.
            checking = self._checking[key] = asyncio.ensure_future(self._ask(token))
            checking.add_done_callback(lambda _: self._checking.pop(key, None))
        try:
            actor = await asyncio.shield(checking)
        except (NotSignedIn, NotAllowed) as error:
            self._cache.pop(key, None)
            if len(self._refused) > 1000:
                self._refused.clear()
            self._refused[key] = (self._clock(), error)
            raise
        if len(self._cache) > 10_000:
            now = self._clock()
            self._cache = {k: c for k, c in self._cache.items() if now - c.at < CACHE_S}
        self._cache[key] = _Cached(self._clock(), actor)
        return actor

    async def _ask(self, token: str) -> Actor:
        model = await self._get("/user", token)
        if model is None:
            raise NotSignedIn(
                "The hub does not know this token.",
                why="It has expired, was revoked, or was never one.",
                next="Sign in again, or make a new token on the hub's token page.",
            )
        scopes = set(model.get("scopes") or ())
        self._require_access(model, scopes)
        name = str(model["name"]) if model.get("kind") == "user" else f"service:{model.get('name')}"
        stable_id = await self._stable_id(model, token)
        group_names = [str(group) for group in model.get("groups") or ()]
        named = sorted(set(group_names) | _filtered_groups(scopes))

        def remember(conn: Connection) -> tuple[int, dict[str, int]]:
            person_id = people.ensure_person(conn, name, stable_id, time.time())
            return person_id, people.ensure_groups(conn, named, time.time())

        person_id, ids = await self._database.write(remember)
        return actor_of(person_id, name, scopes, group_names, ids, hub_admin=bool(model.get("admin")))

    def _require_access(self, model: dict[str, Any], scopes: set[str]) -> None:
        service = self._settings.service_name
        access = {f"access:services!service={service}", "access:services"} & scopes
        use = any(scope.partition("!")[0].startswith("custom:qcrbox:") for scope in scopes)
        if not access or not use:
            lacking = f"access:services!service={service}" if not access else "custom:qcrbox:use"
            raise NotAllowed(
                "This account or token may not use the registry.",
                why=f"It lacks the scope {lacking}.",
                next="Ask an administrator of the hub, or make the token with that scope.",
            )

    async def _stable_id(self, model: dict[str, Any], token: str) -> str:
        """The account's time of creation: what a re-created account of the same name does not share.

        Remembered by token, not by name: tokens end with their account, so a new account is always asked about.
        """
        if model.get("kind") != "user":
            return "service"
        key = hashlib.sha256(token.encode()).hexdigest()
        known = self._stable_ids.get(key)
        if known is not None and self._clock() - known[0] < STABLE_ID_CACHE_S:
            return known[1]
        created = model.get("created")
        if not created and self._service_token:
            about = await self._get(f"/users/{quote(str(model['name']), safe='')}", self._service_token)
            created = (about or {}).get("created")
        stable_id = str(created or "hub")
        if len(self._stable_ids) > 10_000:
            self._stable_ids.clear()
        self._stable_ids[key] = (self._clock(), stable_id)
        return stable_id

    async def known(self) -> Known | None:
        """Asked with the registry's own token; None when it may not list groups and users. Raises Unreachable."""
        if not self._service_token:
            return None
        listed = [await self._all(f"/{what}") for what in ("groups", "users")]
        groups, users = listed
        if groups is None or users is None:
            return None
        return Known(
            {str(one["name"]) for one in groups},
            {str(one["name"]): str(one.get("created") or "") for one in users},
        )

    async def _all(self, path: str) -> list[dict[str, Any]] | None:
        """Every entry of a list that the hub gives page by page."""
        found: list[dict[str, Any]] = []
        while True:
            page = await self._get(
                f"{path}?offset={len(found)}&limit={PAGE}", self._service_token, accept=PAGES
            )
            if page is None:
                return None
            found += page["items"]
            if not page["_pagination"]["next"]:
                return found

    async def _get(self, path: str, token: str, *, accept: str = "application/json") -> dict[str, Any] | None:
        try:
            async with self._questions:
                answer = await self._client.get(
                    self._settings.hub_api_url.rstrip("/") + path,
                    headers={"Authorization": f"token {token}", "Accept": accept},
                )
        except httpx.HTTPError as error:
            raise Unreachable("The hub does not answer, so nobody can be recognised.", part="hub") from error
        if answer.status_code in (401, 403, 404):
            return None
        if answer.status_code >= 400:
            raise Unreachable(f"The hub answered {answer.status_code}.", part="hub")
        return answer.json()

    # ------------------------------------------------------------ browser sign-in

    def redirect_uri(self, own_path: str) -> str:
        """Where the hub sends the browser back to; it must be the address that the hub has on record."""
        return self._settings.hub_redirect_uri or own_path

    def login_url(self, request: HTTPConnection, state: str, redirect_uri: str) -> str:
        query = httpx.QueryParams(
            {
                "client_id": self._settings.hub_client_id,
                "redirect_uri": redirect_uri,
                "response_type": "code",
                "state": state,
            }
        )
        hub = (self._settings.hub_url or "/hub/").rstrip("/")
        return f"{hub}/api/oauth2/authorize?{query}"

    async def token_for_code(self, code: str, redirect_uri: str) -> str:
        """Exchange the OAuth code. Raises NotSignedIn when the hub refuses it."""
        try:
            answer = await self._client.post(
                self._settings.hub_api_url.rstrip("/") + "/oauth2/token",
                data={
                    "client_id": self._settings.hub_client_id,
                    "client_secret": self._service_token,
                    "grant_type": "authorization_code",
                    "code": code,
                    "redirect_uri": redirect_uri,
                },
            )
        except httpx.HTTPError as error:
            raise Unreachable("The hub does not answer.", part="hub") from error
        token = answer.json().get("access_token") if answer.status_code == 200 else None
        if not token:
            raise NotSignedIn("The hub refused the sign-in.", next="Try again from the hub's page.")
        await self._for_token(token)
        return str(token)


def actor_of(
    person_id: int,
    name: str,
    scopes: set[str],
    group_names: list[str],
    group_ids: dict[str, int],
    *,
    hub_admin: bool = False,
) -> Actor:
    """The actor that the hub's scopes make. A hub administrator without our scope is a plain member here."""

    def groups_with(scope: str) -> frozenset[int]:
        found: set[int] = set()
        for one in scopes:
            base, _, filtered = one.partition("!")
            if base != f"custom:qcrbox:{scope}":
                continue
            if not filtered:
                found.add(EVERY_GROUP)
            elif filtered.startswith("group=") and filtered[6:] in group_ids:
                found.add(group_ids[filtered[6:]])
        return frozenset(found)

    teaches = groups_with("teach")
    return Actor(
        person_id=person_id,
        name=name,
        groups={group: group_ids[group] for group in group_names if group in group_ids},
        manages=groups_with("manage") | teaches,  # a lecturer is a group manager and more
        curates=groups_with("data"),
        teaches=teaches,
        admin="custom:qcrbox:admin" in scopes,
        application_admin="custom:qcrbox:applications" in scopes,
    )


def _filtered_groups(scopes: set[str]) -> set[str]:
    marked = (scope.partition("!group=") for scope in scopes if scope.startswith("custom:qcrbox:"))
    return {group for _, mark, group in marked if mark and group}


def _service_token(settings: Settings) -> str:
    if settings.hub_token_file is not None:
        return settings.hub_token_file.read_text().strip()
    return ""
