"""Who is calling: one local person (`none`), the holder of a secret (`token`), or a person of the hub (`hub`).

The answer of the hub about a token is cached for `CACHE_S`, so a role that is given or withdrawn works within that
time, also for streams, which ask again. A browser signs in by the OAuth code flow of the hub; its cookie holds only
a random number, the token of the hub stays here.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import httpx
import structlog
from qcrbox.contract.errors import NotAllowed, NotSignedIn, Unreachable
from qcrbox.contract.previews import is_preview
from starlette.requests import HTTPConnection

from qcrbox_registry.access.hub_roles import HubAccount, actor_of, filtered_groups
from qcrbox_registry.access.origins import require_loopback_name, require_own_origin, require_same_origin
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.access.sign_ins import SignIns
from qcrbox_registry.settings import Settings
from qcrbox_registry.store import people
from qcrbox_registry.store.engine import Connection, Database

# With the pauses of `presence` and of displays, which ask through this cache, a right that was withdrawn ends within 5 s.
CACHE_S = 2.0
REFUSED_S = 2.0
MOST_QUESTIONS = 16
STABLE_ID_CACHE_S = 60.0
COOKIE = "qcrbox-registry"
PAGE = 200
PAGES = "application/jupyterhub-pagination+json"
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A member of a group at the hub.

    roles: kinds of roles for this group (lecturer, manager, data_manager). created: when the hub made the account, as its
    text; renaming keeps it. "" where the hub does not say. last_activity: Unix time, s; None for a person who has never signed in.
    """

    name: str
    roles: frozenset[str] = frozenset()
    created: str = ""
    last_activity: float | None = None


class Identity(Protocol):
    """Finds out who calls. Raises NotSignedIn, NotAllowed (no right to use the service), Unreachable."""

    async def actor(self, request: HTTPConnection) -> Actor:
        """The caller of this request; asked again later, the caller as they are then."""
        ...

    async def accounts(self) -> people.HubAccounts | None:
        """All groups and accounts of the hub; None without a hub, or when it may not list them."""
        ...

    async def members(self, group: str) -> list[GroupMember] | None:
        """The members of a group of the hub; None without a hub. Raises Unreachable."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


def make_identity(settings: Settings, database: Database) -> Identity:
    """The identity that the settings ask for."""
    if settings.auth == "none":
        return OnePerson(database, None)
    if settings.auth == "token":
        return OnePerson(
            database, read_or_make_token(settings.token_file or settings.data / "secrets" / "token")
        )
    return HubIdentity(settings, database)


def read_or_make_token(path: Path) -> str:
    """The secret in the file; a missing file is made, readable by this account only."""
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
    """The address the request comes from."""
    return request.client.host if request.client else ""


class OnePerson:
    """The person `local` with every right: everybody who reaches the loopback address, or holds the secret."""

    def __init__(self, database: Database, token: str | None) -> None:
        self._token = token
        self._person_id: int = database.write_sync(
            lambda conn: people.ensure_person(conn, "local", "local", time.time())
        )
        self._actors: dict[str, Actor] = {}

    async def actor(self, request: HTTPConnection) -> Actor:
        """Raises NotSignedIn without the secret, NotAllowed for a request from another origin."""
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

    async def accounts(self) -> people.HubAccounts | None:
        """None: there is no hub."""
        return None

    async def members(self, group: str) -> list[GroupMember] | None:
        """None: there is no hub."""
        return None

    def cookie_for(self, token: str) -> bool:
        """Whether this is the secret, which the browser may keep as its cookie."""
        return self._token is not None and hmac.compare_digest(token.encode(), self._token.encode())

    async def close(self) -> None:
        """Nothing to close."""


@dataclass(slots=True)
class _Cached:
    at: float
    actor: Actor


class HubIdentity:
    """Persons, groups and roles from JupyterHub, by token."""

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
        self._service_token = service_token(settings)
        self._cache: dict[str, _Cached] = {}
        self._checking: dict[str, asyncio.Future[Actor]] = {}
        self._refused: dict[str, tuple[float, NotSignedIn | NotAllowed]] = {}
        # A caller who tries many tokens must not occupy the hub.
        self._questions = asyncio.Semaphore(MOST_QUESTIONS)
        self._stable_ids: dict[str, tuple[float, str]] = {}
        self._members: dict[str, tuple[float, list[GroupMember] | None]] = {}
        self.sign_ins = SignIns()

    async def actor(self, request: HTTPConnection) -> Actor:
        """The caller by bearer token or cookie. Raises NotSignedIn, NotAllowed, Unreachable."""
        token = bearer(request)
        if token is None:
            token = self.sign_ins.token(request.cookies.get(COOKIE, ""))
            if token is not None:
                require_same_origin(request)
        if token is None:
            raise NotSignedIn("You are not signed in.", next="Sign in at the hub, or send a hub token.")
        actor = await self._for_token(token)
        return replace(actor, address=address_of(request), noticed=[] if actor.admin else None)

    async def close(self) -> None:
        """Close the connections to the hub."""
        await self._client.aclose()

    # ------------------------------------------------------------ asking the hub

    async def _for_token(self, token: str) -> Actor:
        key = hashlib.sha256(token.encode()).hexdigest()
        cached = self._cache.get(key)
        if cached is not None and self._clock() - cached.at < CACHE_S:
            return cached.actor
        refused = self._refused.get(key)
        if refused is not None and self._clock() - refused[0] < REFUSED_S:
            raise refused[1].with_traceback(None)  # else it grows by each answer
        checking = self._checking.get(key)
        if checking is None:
            # Concurrent requests with one token ask the hub once.
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
                why="It has expired, was revoked, or was never valid.",
                next="Sign in again, or make a new token on the hub's token page.",
            )
        account = HubAccount(
            name=str(model["name"]) if model.get("kind") == "user" else f"service:{model.get('name')}",
            is_person=model.get("kind") == "user",
            groups=tuple(str(group) for group in model.get("groups") or ()),
            scopes=frozenset(model.get("scopes") or ()),
        )
        self._require_access(account)
        stable_id = await self._stable_id(model, token)
        named = sorted({*account.groups, *filtered_groups(account.scopes)})
        if account.is_person:
            await self._follow_rename(account.name, stable_id)

        def remember(conn: Connection) -> tuple[int, dict[str, int]]:
            person_id = people.ensure_person(conn, account.name, stable_id, time.time())
            return person_id, people.ensure_groups(conn, named, time.time())

        person_id, group_ids = await self._database.write(remember)
        return actor_of(person_id, account, group_ids)

    async def _follow_rename(self, name: str, stable_id: str) -> None:
        """A person whom the hub has given another name keeps what is theirs here."""
        if not await self._database.read(lambda conn: people.may_be_renamed(conn, name, stable_id)):
            return
        if (hub := await self.accounts()) is None:
            return
        for old, new in await self._database.write(lambda conn: people.follow_renames(conn, hub)):
            log.info("account_renamed", old=old, new=new)

    def _require_access(self, account: HubAccount) -> None:
        service = self._settings.service_name
        access = {f"access:services!service={service}", "access:services"} & account.scopes
        use = any(scope.partition("!")[0].startswith("custom:qcrbox:") for scope in account.scopes)
        if not access or not use:
            lacking = "custom:qcrbox:use" if access else f"access:services!service={service}"
            raise NotAllowed(
                "This account or token may not use the registry.",
                why=f"It lacks the scope {lacking}.",
                next="Ask an administrator of the hub, or make the token with that scope.",
            )

    async def _stable_id(self, model: dict[str, Any], token: str) -> str:
        """The time of creation of the account, which a re-created account of the same name does not share.

        Cached by token, not by name: tokens end with their account, so the hub is asked about every new account.
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

    async def accounts(self) -> people.HubAccounts | None:
        """Asked with the registry's own token; None when it may not list groups and users. Raises Unreachable."""
        if not self._service_token:
            return None
        asked_at = time.time()
        # Our hub tells all at once; JupyterHub's own lists take it 20 s with 10,000 people.
        known = await self._get("/qcrbox/accounts", self._service_token)
        if known is not None:
            made = {str(name): str(created or "") for name, created in known["people"].items()}
            return people.HubAccounts(frozenset(map(str, known["groups"])), made, asked_at)
        groups, users = [await self._all(f"/{listed}") for listed in ("groups", "users")]
        if groups is None or users is None:
            return None
        return people.HubAccounts(
            frozenset(str(group["name"]) for group in groups),
            {str(user["name"]): str(user.get("created") or "") for user in users},
            asked_at,
        )

    async def members(self, group: str) -> list[GroupMember] | None:
        """Asked with the registry's own token, without preview accounts; the answer holds for five seconds.

        Raises Unreachable.
        """
        known = self._members.get(group)
        if known is not None and self._clock() - known[0] < CACHE_S:
            return known[1]
        found: list[GroupMember] | None = None
        if self._service_token:
            answer = await self._get(f"/qcrbox/groups/{quote(group, safe='')}/members", self._service_token)
            if answer is not None:
                found = [
                    GroupMember(
                        str(member["name"]),
                        frozenset(map(str, member.get("roles") or ())),
                        str(member.get("created") or ""),
                        _moment(member.get("last_activity")),
                    )
                    for member in answer["members"]
                    if not is_preview(str(member["name"]))  # no student of the course
                ]
        if len(self._members) > 1000:
            self._members.clear()
        self._members[group] = (self._clock(), found)
        return found

    async def _all(self, path: str) -> list[dict[str, Any]] | None:
        """Every entry of a list that the hub gives in pages; None when the list is refused."""
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
            raise Unreachable(
                "The hub does not answer, so callers cannot be identified.", part="hub"
            ) from error
        if answer.status_code in (401, 403, 404):
            return None
        if answer.status_code >= 400:
            raise Unreachable(f"The hub answered {answer.status_code}.", part="hub")
        return _json_of(answer)

    # ------------------------------------------------------------ browser sign-in

    def redirect_uri(self, own_path: str) -> str:
        """Where the hub sends the browser back to; it must be the address that the hub has on record."""
        return self._settings.hub_redirect_uri or own_path

    def login_url(self, state: str, redirect_uri: str) -> str:
        """Where the browser signs in at the hub."""
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
        if answer.status_code >= 500:
            raise Unreachable(f"The hub answered {answer.status_code}.", part="hub")
        token = _json_of(answer).get("access_token") if answer.status_code == 200 else None
        if not token:
            raise NotSignedIn("The hub refused the sign-in.", next="Try again from the hub's page.")
        await self._for_token(token)
        return str(token)


def _json_of(answer: httpx.Response) -> dict[str, Any]:
    """The object in an answer of the hub. Raises Unreachable: a proxy in between may answer with a page of its own."""
    try:
        model = answer.json()
    except ValueError:
        model = None
    if not isinstance(model, dict):
        raise Unreachable("The hub answered something that is not its own: no JSON object.", part="hub")
    return model


def service_token(settings: Settings) -> str:
    """The token that hub and registry share; "" without one."""
    if settings.hub_token_file is not None:
        return settings.hub_token_file.read_text().strip()
    return ""


def _moment(text: object) -> float | None:
    """The Unix time, s, of an ISO 8601 time of the hub; None for none."""
    try:
        return datetime.fromisoformat(str(text)).timestamp() if text else None
    except ValueError:
        return None
