"""HTTP client of the registry: unwraps envelopes, raises their errors, iterates over events."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from httpx_sse import connect_sse

from qcrbox.client import loopback
from qcrbox.contract.errors import QcError, Unreachable
from qcrbox.contract.pages import MOST_OF_A_PAGE
from qcrbox.language import tr

# Reads are idempotent: retry them, so that a restart of the registry goes unnoticed.
_READ_RETRY_DELAYS_S = (0.1, 0.3, 1.0)


@dataclass(frozen=True)
class ServerEvent:
    """One server-sent event: its sequence number, its name and its JSON data."""

    id: str
    name: str
    data: dict[str, Any] = field(default_factory=dict)


# Called with a text and the seconds after which to show it; returns a context around the request.
Announce = Callable[[str, float], contextlib.AbstractContextManager[None]]


def _silently(_text: str, _after_s: float) -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()


class RegistryClient:
    """A connection to one registry with its token. Nothing is opened before the first request.

    `announce` shows the user what a slow request is doing.
    Raises the classes of `qcrbox.contract.errors`; `Unreachable` when the registry does not answer.
    """

    def __init__(
        self, url: str, token: str | None = None, *, timeout_s: float = 30.0, announce: Announce = _silently
    ) -> None:
        self.url = url.rstrip("/")
        self._announce = announce
        self._token = token
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._http: httpx.Client | None = None

    def __repr__(self) -> str:
        return f"RegistryClient({self.url!r})"  # never the token

    @property
    def http(self) -> httpx.Client:
        """The httpx client, made on first use."""
        with self._lock:
            if self._http is None:
                headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
                self._http = httpx.Client(
                    base_url=self.url,
                    headers=headers,
                    timeout=httpx.Timeout(self._timeout_s, connect=5.0),
                    # Loopback and hub addresses must not be sent to a proxy that the environment names.
                    trust_env=not loopback.is_loopback(self.url),
                    mounts=loopback.mounts(self.url),
                )
            return self._http

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._http is not None:
                self._http.close()
                self._http = None

    # ------------------------------------------------------------ requests

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The payload of a GET. Parameters that are None are left out."""
        return self._payload(self._read("GET", path, query))

    def listed(self, path: str, key: str, most: int | None = None, **query: Any) -> Iterator[dict[str, Any]]:
        """The records of a list under `key`, page by page to its end; with `most` that many at most."""
        return (record for page in self.pages(path, key, most, **query) for record in page[key])

    def pages(self, path: str, key: str, most: int | None = None, **query: Any) -> Iterator[dict[str, Any]]:
        """The pages of a list to its end, or until they have `most` records under `key`."""
        after: str | None = None
        left = most
        while left is None or left > 0:
            wanted = MOST_OF_A_PAGE if left is None else min(left, MOST_OF_A_PAGE)
            page = self.get(path, limit=wanted, after=after, **query)
            records = page.get(key, [])[:wanted]
            yield page | {key: records}
            if page.get("next") and page["next"] == after:
                raise QcError(
                    f"{path} gave the same page twice.",
                    why="The list has no end.",
                    next="Tell an administrator of the registry.",
                )
            after = page.get("next")
            if not after:
                return
            if left is not None:
                left -= len(records)

    def post(
        self, path: str, body: Any = None, *, headers: dict[str, str] | None = None, **query: Any
    ) -> dict[str, Any]:
        """The payload of a POST."""
        return self._payload(self._send("POST", path, json=body, params=_given(query), headers=headers))

    def patch(self, path: str, body: Any) -> dict[str, Any]:
        """The payload of a PATCH."""
        return self._payload(self._send("PATCH", path, json=body))

    def put(self, path: str, body: Any) -> dict[str, Any]:
        """The payload of a PUT."""
        return self._payload(self._send("PUT", path, json=body))

    def delete(self, path: str, **query: Any) -> None:
        """Send a DELETE."""
        self._send("DELETE", path, params=_given(query))

    def upload(
        self, path: str, contents: Sequence[tuple[str, bytes]], fields: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """POST (file name, bytes) as multipart parts `file`; `fields` become further form parts."""
        files = [("file", (name, content, "application/octet-stream")) for name, content in contents]
        words = tr("Storing {names}", names=", ".join(name for name, _ in contents)[:80])
        return self._payload(
            self._send("POST", path, words=words, files=files, data=fields or {}, timeout=None)
        )

    def download(self, path: str, **query: Any) -> bytes:
        """The bytes of a GET."""
        return self._read("GET", path, query, words=tr("Fetching a file"), timeout=None).content

    def events(
        self, last_id: str | None = None, *, on_open: Callable[[], None] | None = None, **query: Any
    ) -> Iterator[ServerEvent]:
        """Server-sent events from `last_id` on. Ends when the connection does; the caller connects again."""
        headers = {"Last-Event-ID": last_id} if last_id else {}
        timeout = httpx.Timeout(10.0, read=60.0)
        try:
            with connect_sse(
                self.http, "GET", "/api/events", params=_given(query), headers=headers, timeout=timeout
            ) as source:
                if source.response.status_code >= 300:
                    source.response.read()
                    raise self._error(source.response)
                if on_open is not None:
                    on_open()
                for sent in source.iter_sse():
                    if sent.data:
                        yield ServerEvent(sent.id, sent.event, _json_object(sent.data))
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None

    # ------------------------------------------------------------ inside

    def _read(self, method: str, path: str, query: dict[str, Any], **more: Any) -> httpx.Response:
        for delay_s in _READ_RETRY_DELAYS_S:
            with contextlib.suppress(Unreachable):
                return self._send(method, path, params=_given(query), **more)
            time.sleep(delay_s)
        return self._send(method, path, params=_given(query), **more)

    def _send(self, method: str, path: str, *, words: str = "", **more: Any) -> httpx.Response:
        # Uploads and downloads are announced early, plain requests only when they are slow.
        with self._announce(words or tr("Waiting for the registry"), 0.2 if words else 1.0):
            return self._sent(method, path, **more)

    def _sent(self, method: str, path: str, **more: Any) -> httpx.Response:
        if more.get("timeout", ...) is None:
            # No limit for the whole transfer, only for the time between two packets.
            more["timeout"] = httpx.Timeout(300.0, connect=5.0)
        # One id from this call to the log of the agent, so that an administrator can correlate them.
        more["headers"] = {"X-Correlation-Id": f"nb-{os.urandom(8).hex()}", **(more.get("headers") or {})}
        try:
            response = self.http.request(method, path, **more)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None
        # A redirection is no answer: it comes from a proxy that asks for a sign-in or from a wrong address.
        if response.status_code >= 300:
            raise self._error(response)
        return response

    def _unreachable(self, error: Exception) -> Unreachable:
        return Unreachable(
            f"The registry at {self.url} does not answer.",
            why=f"({type(error).__name__}: {error})" if str(error) else f"({type(error).__name__})",
            next="Running calculations continue. Try again, or look with `qcrbox status`.",
            part="registry",
        )

    @staticmethod
    def _error(response: httpx.Response) -> QcError:
        try:
            body = response.json()
        except ValueError:
            body = {}
        if not isinstance(body, dict) or not isinstance(body.get("error"), dict):
            # Not an envelope of the registry: from a proxy, or from FastAPI's validation.
            text = (body.get("detail") if isinstance(body, dict) else None) or response.headers.get(
                "Location"
            )
            body = {
                "error": {
                    "code": response.status_code,
                    "message": f"{response.request.url.path} answered {response.status_code}"
                    + (f": {text}" if text else f" {response.reason_phrase}."),
                    "details": response.text[:5000],
                }
            }
        return QcError.from_envelope(body, response.status_code)

    @staticmethod
    def _payload(response: httpx.Response) -> dict[str, Any]:
        if response.status_code == 204 or not response.content:
            return {}
        try:
            body = response.json()
        except ValueError:
            # A page of a proxy, for example, that answers 200.
            raise QcError(
                f"What came from {response.request.url.path} is no answer of a registry.",
                why=f"It is {response.headers.get('Content-Type') or 'of no type'} and cannot be read as JSON.",
                next="Check the address, and whether a proxy in between asks you to sign in.",
                details=response.text[:5000],
            ) from None
        return body.get("payload", body) if isinstance(body, dict) else {"value": body}


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {"value": value}


def _given(query: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in query.items() if value is not None}
