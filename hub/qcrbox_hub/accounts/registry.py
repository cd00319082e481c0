"""The registry's REST interface in the name of the person who looks at a page.

Each call carries a token of that person, so the registry decides with their rights of this moment and audits their
name. The administration pages have no token of their own for the registry.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

import httpx
from qcrbox.contract.errors import QcError

from qcrbox_hub.accounts import roles

TOKEN_LIFE_S = 600
# A token this close to its end is replaced.
_MARGIN_S = 60.0
_MOST_KEPT = 10_000
_TIMEOUT = httpx.Timeout(30.0, connect=3.0)


@cache
def _tls() -> ssl.SSLContext:
    # Made once: reading the certificates takes longer than most calls, and a page makes several.
    return ssl.create_default_context()


class RegistryAway(QcError):
    """The registry does not answer."""

    kind = "registry_away"
    status = 503


@dataclass
class PersonalTokens:
    """Tokens of the hub that the pages use in a person's name, one per browser session.

    They belong to the registry's OAuth client and to the session: signing out and `sign out everywhere` end them.
    """

    clock: Callable[[], float] = time.monotonic
    _kept: dict[tuple[int, str, frozenset[str]], tuple[str, float]] = field(default_factory=dict)

    def of(self, user: Any, session_id: str, scopes: frozenset[str]) -> str:
        """A token with the registry's scopes that the person holds now. `scopes`: those of the request."""
        ours = frozenset(
            scope for scope in scopes if scope == roles.ACCESS or scope.startswith("custom:qcrbox:")
        )
        key, now = (user.id, session_id, ours), self.clock()
        kept = self._kept.get(key)
        if kept and kept[1] > now:
            return kept[0]
        token = user.new_api_token(
            note="QCrBox administration pages",
            scopes=sorted(ours),
            client_id=f"service-{roles.SERVICE}",
            session_id=session_id or None,
            expires_in=TOKEN_LIFE_S,
        )
        if len(self._kept) >= _MOST_KEPT:
            self._kept = {each: value for each, value in self._kept.items() if value[1] > now}
        self._kept[key] = (token, now + TOKEN_LIFE_S - _MARGIN_S)
        return token

    def forget(self, user: Any) -> None:
        """After the registry did not accept a token: it was ended elsewhere."""
        self._kept = {key: value for key, value in self._kept.items() if key[0] != user.id}


@dataclass(frozen=True)
class HubAct:
    """What a person did, or was refused, at the hub. kind: person, group or site."""

    who: str
    address: str
    action: str
    kind: str
    name: str
    allowed: bool
    details: dict[str, str]


async def record_act(url: str, service_token: str, act: HubAct) -> None:
    """Write an act into the audit trail, in the hub's own name. Raises RegistryAway, QcError."""
    await RegistryClient(url, service_token).call("POST", "/internal/hub/audit", asdict(act))


@dataclass(frozen=True)
class RegistryClient:
    """Calls of one person. Raises QcError with the registry's words; RegistryAway when it does not answer."""

    url: str
    token: str
    # The registry believes this header from the hub's address.
    address: str = ""

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        """GET `path` with these query parameters; errors as of `call`."""
        return await self.call("GET", path, query=query)

    async def get_all(self, *paths: str) -> list[dict[str, Any]]:
        """GET several paths at the same time; their payloads in this order. The first error is raised."""
        return list(await asyncio.gather(*(self.get(path) for path in paths)))

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The payload of the answer; {} of an answer without a body."""
        given = {name: value for name, value in (query or {}).items() if value not in (None, "", [])}
        async with self._http() as http:
            answer = await http.request(method, path, params=given or None, json=body)
        if answer.status_code == 204:
            return {}
        if answer.is_error:
            raise _refusal(answer)
        said = _said(answer)
        found: dict[str, Any] = said.get("payload", said)
        return found

    async def store_file(self, filename: str, content: bytes) -> str:
        """Store a file privately for the person; its id."""
        async with self._http() as http:
            answer = await http.post(
                "/api/data-files", files={"file": (filename, content)}, data={"group": ""}
            )
        if answer.is_error:
            raise _refusal(answer)
        file_id: str = _said(answer)["payload"]["data_files"][0]["qcrbox_file_id"]
        return file_id

    async def readiness(self) -> dict[str, Any]:
        """Whether the registry can work: an answer of 503 says what is missing and is no error here."""
        async with self._http() as http:
            return _said(await http.get("/api/readyz"))

    async def stream(self, path: str, **query: Any) -> AsyncIterator[bytes]:
        """The bytes of a download."""
        async with self._http() as http, http.stream("GET", path, params=query) as answer:
            if answer.is_error:
                await answer.aread()
                raise _refusal(answer)
            async for chunk in answer.aiter_bytes():
                yield chunk

    @asynccontextmanager
    async def _http(self) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        if self.address:
            headers["X-Forwarded-For"] = self.address
        try:
            # The registry is on this machine: no proxy of the environment in between.
            async with httpx.AsyncClient(
                base_url=self.url, headers=headers, timeout=_TIMEOUT, trust_env=False, verify=_tls()
            ) as http:
                yield http
        except httpx.HTTPError as error:
            raise RegistryAway(
                "The registry does not answer.",
                why=str(error) or type(error).__name__,
                next="Look at its log with: qcrbox logs registry",
            ) from None


def _said(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer. Raises RegistryAway for a page of a proxy, say."""
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise RegistryAway(
            "The registry sent an answer that is no JSON.", why=f"Status {answer.status_code}."
        )
    return found


def _refusal(answer: httpx.Response) -> QcError:
    """The registry's error; one without its envelope is an error too, of the class of its status."""
    try:
        said = _said(answer)
    except RegistryAway as away:
        return away
    return QcError.from_envelope(said if isinstance(said.get("error"), dict) else {}, answer.status_code)
