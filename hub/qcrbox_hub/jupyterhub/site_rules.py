"""What the proxy does with a request before it looks for a target: forward, redirect or refuse.

Browsers send cookies of the hub along with requests that pages of other sites make. The hub checks its XSRF
token too; these rules come first and hold for the registry and for every page that is added later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from qcrbox_hub.platform.addresses import Addresses, Place, Separation, split_host

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FOREIGN_SITES = frozenset({"cross-site", "same-site"})
# Pictures and style sheets of the hub, which error pages of people's servers show.
PUBLIC_PATHS = ("/hub/static/", "/hub/logo")


@dataclass(frozen=True)
class Forward:
    """`host`: the name under which routes are looked up, "" where names do not matter."""

    host: str


@dataclass(frozen=True)
class Redirect:
    """Answer with a redirect to this URL."""

    url: str


@dataclass(frozen=True)
class Refuse:
    """Answer with this status and reason."""

    status: Literal[400, 403, 404]
    reason: str


Verdict = Forward | Redirect | Refuse


@dataclass(frozen=True)
class SiteRules:
    """The rules of one platform. `cross_site_posts`: paths that another site may post to (an LTI launch)."""

    addresses: Addresses
    cross_site_posts: tuple[str, ...] = ()

    @property
    def by_host(self) -> bool:
        """Do routes hold host names?"""
        return self.addresses.separation is not Separation.NONE

    def judge(self, method: str, uri: str, headers: Mapping[str, str]) -> Verdict:
        """`uri` as it was sent, `headers` with names of any case."""
        netloc = headers.get("Host", "")
        host, _ = split_host(netloc)
        path = unquote(uri.partition("?")[0])
        if not path.startswith("/") or any(part in (".", "..") for part in path.split("/")):
            return Refuse(400, "This path cannot be used.")
        place = self.addresses.place(host)
        if place is Place.STRANGER:
            return Refuse(404, f"There is no site called {host[:100]!r} here.")
        if place is Place.ALIAS and _is_navigation(method, headers):
            return Redirect(self.addresses.hub + uri)
        if place is Place.PERSON and not path.startswith("/user/"):
            if method in SAFE_METHODS and _is_navigation(method, headers):
                return Redirect(self.addresses.hub + uri)
            return Refuse(404, "People's servers answer below /user/.")
        if self._is_foreign(method, path, netloc, headers):
            return Refuse(403, "Cross-origin request refused.")
        if not self.by_host:
            return Forward("")
        return Forward(host if place is Place.PERSON else self.addresses.hub_host)

    def _is_foreign(self, method: str, path: str, netloc: str, headers: Mapping[str, str]) -> bool:
        """Whether a page of another origin makes this request with the cookies of the person viewing it."""
        if _carries_token(headers) or path in self.cross_site_posts:
            return False
        origin = headers.get("Origin", "")
        foreign = headers.get("Sec-Fetch-Site", "") in FOREIGN_SITES
        if origin:
            foreign = foreign or not _same_netloc(origin, netloc)
        if not foreign:
            return False
        if method not in SAFE_METHODS or headers.get("Upgrade", "").lower() == "websocket":
            return True
        if path.startswith(PUBLIC_PATHS):
            return False
        # Following a link is a navigation; anything else reads or embeds.
        return headers.get("Sec-Fetch-Mode", "navigate") != "navigate"


def _carries_token(headers: Mapping[str, str]) -> bool:
    """Does a program make this request? A page cannot send a token in this header to another origin.

    Basic is no token: browsers send a name and password by themselves once some page of the origin has asked for them.
    """
    return headers.get("Authorization", "").lower().startswith(("bearer ", "token "))


def _is_navigation(method: str, headers: Mapping[str, str]) -> bool:
    """Will a person see the answer as a page?"""
    if method not in ("GET", "HEAD") or headers.get("Upgrade"):
        return False
    if mode := headers.get("Sec-Fetch-Mode"):
        return mode == "navigate"
    return "text/html" in headers.get("Accept", "")


def _same_netloc(origin: str, netloc: str) -> bool:
    """Compares host and port. The scheme may differ: TLS can end in front of the proxy."""
    scheme, _, origin_netloc = origin.partition("://")
    default = {"http": 80, "https": 443}.get(scheme.lower())
    if default is None:
        return False  # "null", and schemes of extensions
    host, port = split_host(netloc)
    other, other_port = split_host(origin_netloc)
    return host.lower() == other.lower() and (port or default) == (other_port or default)
