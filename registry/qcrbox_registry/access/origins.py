"""Which page a request comes from: what a cookie opens, and what no sign-in guards, must come from a page of ours."""

from __future__ import annotations

from urllib.parse import urlsplit

from qcrbox.contract.errors import NotAllowed
from starlette.requests import HTTPConnection


def require_same_origin(request: HTTPConnection) -> None:
    """For calls that a cookie opens: the page that makes them must be ours.

    Raises NotAllowed for a foreign or missing Origin on anything that changes something, and for every websocket.
    """
    changes = request.scope["type"] == "websocket" or request.scope.get("method") not in (
        "GET",
        "HEAD",
        "OPTIONS",
    )
    origin = request.headers.get("origin")
    if origin is None:
        if changes and request.headers.get("sec-fetch-site") != "same-origin":
            raise NotAllowed("This request does not say which page it comes from.")
        return
    require_own_origin(request)


def require_own_origin(request: HTTPConnection) -> None:
    """For websockets, however they are opened: a page that says where it is from must be ours. Raises NotAllowed."""
    origin = request.headers.get("origin")
    if origin is not None and origin not in _own_origins(request):
        raise NotAllowed("This request comes from a foreign page.", where=origin[:200], foreign=True)


def require_loopback_name(request: HTTPConnection) -> None:
    """Without sign-in, only a loopback name opens the registry. Raises NotAllowed.

    A page of a stranger can let its own name lead to 127.0.0.1 (DNS rebinding); the browser then takes the
    registry for a part of that page, but still says the page's name as Host.
    """
    named = request.headers.get("host", "localhost")
    try:
        host = urlsplit("//" + named).hostname
    except ValueError:  # brackets without an address
        host = named
    if host not in ("127.0.0.1", "::1", "localhost"):
        raise NotAllowed(
            "This registry has no sign-in and answers to loopback names only.",
            where=(host or "")[:200],
            next="Use http://127.0.0.1 with its port.",
        )


def _own_origins(request: HTTPConnection) -> set[str]:
    host = request.headers.get("x-forwarded-host") or request.headers.get("host") or ""
    host = host.split(",")[0].strip()
    return {f"http://{host}", f"https://{host}"}
