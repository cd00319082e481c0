"""The registry over HTTP: envelopes opened, errors raised again as what they were, events as an iterator."""

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

from qcrbox.client import loopback
from qcrbox.contract.errors import QcError, Unreachable
from qcrbox.language import tr

# Reading again is harmless, so a short outage (a registry restart) need not be seen at all.
_READ_RETRY_DELAYS_S = (0.1, 0.3, 1.0)


@dataclass(frozen=True)
class ServerEvent:
    """One server-sent event: its sequence number, its name and its JSON data."""

    id: str
    name: str
    data: dict[str, Any] = field(default_factory=dict)


# Given the text for what takes time and the seconds after which to show it: a context around the request.
Announce = Callable[[str, float], contextlib.AbstractContextManager[None]]


def _silently(_text: str, _after_s: float) -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()


class RegistryClient:
    """One registry and the right to use it. Nothing is opened before the first request.

    `announce` shows the person what a slow request waits for.
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
        with self._lock:
            if self._http is not None:
                self._http.close()
                self._http = None

    # ------------------------------------------------------------ requests

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The payload of a GET. Parameters that are None are left out."""
        return self._payload(self._read("GET", path, query))

    def post(
        self, path: str, body: Any = None, *, headers: dict[str, str] | None = None, **query: Any
    ) -> dict[str, Any]:
        return self._payload(self._send("POST", path, json=body, params=_given(query), headers=headers))

    def patch(self, path: str, body: Any) -> dict[str, Any]:
        return self._payload(self._send("PATCH", path, json=body))

    def put(self, path: str, body: Any) -> dict[str, Any]:
        return self._payload(self._send("PUT", path, json=body))

    def delete(self, path: str, **query: Any) -> None:
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
        return self._read("GET", path, query, words=tr("Fetching a file"), timeout=None).content

    def events(
        self, last_id: str | None = None, *, on_open: Callable[[], None] | None = None, **query: Any
    ) -> Iterator[ServerEvent]:
        """Server-sent events from `last_id` on. Ends when the connection does; the caller connects again."""
        headers = {"Accept": "text/event-stream"}
        if last_id:
            headers["Last-Event-ID"] = last_id
        timeout = httpx.Timeout(10.0, read=60.0)
        try:
            with self.http.stream(
                "GET", "/api/events", params=_given(query), headers=headers, timeout=timeout
            ) as r:
                if r.status_code >= 400:
                    r.read()
                    raise self._error(r)
                if on_open is not None:
                    on_open()
                yield from parse_events(r.iter_lines())
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
        # Every request of a far-away registry takes a moment; a plain one is worth a word only after a while.
        with self._announce(words or tr("Waiting for the registry"), 0.2 if words else 1.0):
            return self._sent(method, path, **more)

    def _sent(self, method: str, path: str, **more: Any) -> httpx.Response:
        if more.get("timeout", ...) is None:
            # A file may take as long as it takes, silence may not.
            more["timeout"] = httpx.Timeout(300.0, connect=5.0)
        # One id from this call to the agent's log line, so that an administrator finds what belongs together.
        more["headers"] = {"X-Correlation-Id": f"nb-{os.urandom(8).hex()}", **(more.get("headers") or {})}
        try:
            response = self.http.request(method, path, **more)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None
        if response.status_code >= 400:
            raise self._error(response)
        return response

    def _unreachable(self, error: Exception) -> Unreachable:
        return Unreachable(
            f"The registry at {self.url} does not answer.",
            why=f"({type(error).__name__}: {error})" if str(error) else f"({type(error).__name__})",
            next="Calculations that run go on running. Try again, or look with `qcrbox status`.",
            part="registry",
        )

    @staticmethod
    def _error(response: httpx.Response) -> QcError:
        try:
            body = response.json()
        except ValueError:
            body = {}
        if not isinstance(body, dict) or "error" not in body:
            # Not our envelope: a proxy on the way, or FastAPI's own validation.
            text = body.get("detail") if isinstance(body, dict) else None
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
        body = response.json()
        return body.get("payload", body) if isinstance(body, dict) else {"value": body}


def parse_events(lines: Iterator[str]) -> Iterator[ServerEvent]:
    """Server-sent events from the lines of a text/event-stream body."""
    last_id, name = "", "message"
    data: list[str] = []
    for line in lines:
        if line == "":
            if data:
                yield ServerEvent(last_id, name, _json_object("\n".join(data)))
            name, data = "message", []
            continue
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "data":
            data.append(value)
        elif key == "event":
            name = value
        elif key == "id":
            last_id = value


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {"value": value}


def _given(query: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in query.items() if value is not None}
