"""Sign-in to a hub with a code typed in the browser (device flow of RFC 8628).

It needs no browser and no open port on this side, so it also works in a notebook on a remote server.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx

from qcrbox.client import loopback
from qcrbox.contract.errors import NotSignedIn, Unreachable, UserInputError

SERVICE = "/services/qcrbox"


def registry_address(url: str) -> str:
    """The address of the registry, given its own address or that of its hub.

    Raises Unreachable when there is no answer, UserInputError when the address belongs to something else.
    """
    plain = url.rstrip("/")
    with _client(plain) as http:
        for address in (plain, f"{plain}{SERVICE}"):
            if _is_registry(http, address):
                return address
    raise UserInputError(
        f"There is no QCrBox at {url}.",
        why="The server there is neither a hub with QCrBox nor a registry.",
        next="Give the address at which you sign in with the browser.",
    )


def has_hub(registry: str) -> bool:
    """True for a registry that is a service of a hub, where a person can sign in."""
    return registry.endswith(SERVICE)


def require_safe(url: str) -> None:
    """Raise UserInputError for http:// to another machine, where the token would travel in clear text."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # brackets without an end, a port that is no number
        raise _no_address(url) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _no_address(url)
    if parts.scheme == "http" and not loopback.is_loopback(url):
        # Without a password, should the address hold one.
        place = parts.hostname if port is None else f"{parts.hostname}:{port}"
        raise UserInputError(
            f"http://{place} is not encrypted: your token could be read in transit.",
            next=f'Use https://{place}, or, in a network you trust, qc.connect("http://{place}", insecure=True).',
        )


def _no_address(url: str) -> UserInputError:
    return UserInputError(f"{url!r} is no address.", next="For example https://box.example.org.")


def can_ask() -> bool:
    """True when a person could sign in: in a notebook or a terminal."""
    return "ipykernel" in sys.modules or bool(sys.stdin and sys.stdin.isatty())


def sign_in(
    registry: str,
    *,
    timeout_s: float = 600.0,
    sleep: Callable[[float], None] = time.sleep,
    tell: Callable[[str, str], None],
) -> str:
    """Ask the person to authorise this program at the hub of `registry`; returns the token.

    Raises NotSignedIn when they refuse or do not respond in time, or when the hub does not support codes.
    """
    hub = f"{registry.split('/services/')[0]}/hub"
    by_token = f'Make a token at {hub}/token, then qc.connect("{registry}", token="…").'
    with _client(hub) as http:
        asked = _post(http, f"{hub}/connect/begin", {"program": program_name()})
        if asked.status_code != 201:
            raise NotSignedIn(f"{hub} does not support sign-in by code.", why=_message(asked), next=by_token)
        begun = _fields(asked, by_token, "code", "secret", "expires_in_s", "ask_again_s")
        tell(f"{hub}/connect", begun["code"])
        deadline = time.monotonic() + min(timeout_s, float(begun["expires_in_s"]))
        while time.monotonic() < deadline:
            answer = _post(http, f"{hub}/connect/token", {"secret": begun["secret"]})
            if answer.status_code == 200:
                return _fields(answer, by_token, "token")["token"]
            if answer.status_code != 202:
                raise NotSignedIn(_message(answer), next=f'Again: qc.connect("{registry}").')
            sleep(float(begun["ask_again_s"]))
    raise NotSignedIn("The code was not entered in time.", next=f'Again: qc.connect("{registry}").')


def _fields(answer: httpx.Response, otherwise: str, *names: str) -> dict[str, str]:
    """These fields of an answer as text; `otherwise` is what to do where they are not there."""
    try:
        body = answer.json()
        return {name: str(body[name]) for name in names}
    except (ValueError, KeyError, TypeError):
        raise NotSignedIn(
            f"{answer.url.path} answered with what is no answer of a hub.",
            why="A proxy may stand in between.",
            next=otherwise,
        ) from None


def program_name() -> str:
    """The description of this program on the page of the hub."""
    kind = "a notebook" if "ipykernel" in sys.modules else "Python"
    return f"{kind} on {platform.node() or 'a computer'}"


def _client(url: str) -> httpx.Client:
    return httpx.Client(
        timeout=httpx.Timeout(20.0, connect=5.0),
        trust_env=not loopback.is_loopback(url),
        mounts=loopback.mounts(url),
    )


def _is_registry(http: httpx.Client, address: str) -> bool:
    try:
        answer = http.get(f"{address}/api/healthz")
        return bool(answer.status_code == 200 and answer.json() == {"status": "ok"})
    except httpx.HTTPError as error:
        raise Unreachable(
            f"{address} does not answer.",
            why=f"({type(error).__name__})",
            next="Is the address right?",
            part="hub",
        ) from None
    except ValueError:
        return False


def _post(http: httpx.Client, url: str, body: dict[str, Any]) -> httpx.Response:
    try:
        return http.post(url, json=body)
    except httpx.HTTPError as error:
        raise Unreachable(
            f"{url} does not answer.", why=f"({type(error).__name__})", next="Try again.", part="hub"
        ) from None


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return f"It answered {answer.status_code}."
