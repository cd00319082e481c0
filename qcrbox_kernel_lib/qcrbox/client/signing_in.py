"""Signing in to a hub from outside: a code to type in the browser, a token in return (RFC 8628's device flow).

It needs no window on this side and no open port, so it works as well in a notebook on a server far away.
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
    """The registry behind an address that a person knows: its own, or that of the hub.

    Raises Unreachable when nobody answers, UserInputError when something else does.
    """
    plain = url.rstrip("/")
    with _client(plain) as http:
        for address in (plain, f"{plain}{SERVICE}"):
            if _is_registry(http, address):
                return address
    raise UserInputError(
        f"There is no QCrBox at {url}.",
        why="Something answers there, but neither as a hub with QCrBox nor as a registry.",
        next="Give the address at which you sign in with the browser.",
    )


def has_hub(registry: str) -> bool:
    """True for a registry that is the service of a hub: there one can sign in."""
    return registry.endswith(SERVICE)


def require_safe(url: str) -> None:
    """A token may not travel in clear text. Raises UserInputError for http:// to another machine."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserInputError(f"{url!r} is no address.", next="For example https://box.example.org.")
    if parts.scheme == "http" and not loopback.is_loopback(url):
        raise UserInputError(
            f"{url} has no encryption: everybody on the way could read your token.",
            next=f'Use https://{parts.netloc}, or, in a network you trust, qc.connect("{url}", insecure=True).',
        )


def can_ask() -> bool:
    """True when there is somebody who could sign in: a notebook, or a terminal."""
    return "ipykernel" in sys.modules or bool(sys.stdin and sys.stdin.isatty())


def sign_in(
    registry: str,
    *,
    timeout_s: float = 600.0,
    sleep: Callable[[float], None] = time.sleep,
    tell: Callable[[str, str], None],
) -> str:
    """Have the person let this program in at the hub of `registry`, and return the token.

    Raises NotSignedIn when they refuse, do not answer in time, or the hub knows no such way.
    """
    hub = f"{registry.split('/services/')[0]}/hub"
    with _client(hub) as http:
        asked = _post(http, f"{hub}/connect/begin", {"program": program_name()})
        if asked.status_code != 201:
            raise NotSignedIn(
                f"{hub} lets nobody in by a code.",
                why=_message(asked),
                next=f'Make a token at {hub}/token, then qc.connect("{registry}", token="…").',
            )
        begun = asked.json()
        tell(f"{hub}/connect", str(begun["code"]))
        deadline = time.monotonic() + min(timeout_s, float(begun["expires_in_s"]))
        while time.monotonic() < deadline:
            answer = _post(http, f"{hub}/connect/token", {"secret": begun["secret"]})
            if answer.status_code == 200:
                return str(answer.json()["token"])
            if answer.status_code != 202:
                raise NotSignedIn(_message(answer), next=f'Again: qc.connect("{registry}").')
            sleep(float(begun["ask_again_s"]))
    raise NotSignedIn("Nobody typed the code in time.", next=f'Again: qc.connect("{registry}").')


def program_name() -> str:
    """What the hub's page shows of us."""
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
