"""Changes of JupyterHub's own handlers for which it has no setting. `apply` is called once, by the configuration.

- `next` may lead to people's servers wherever they are: JupyterHub knows hosts below the hub's only, and ours are
  siblings of the hub (lab-ada.localhost) or live under a second name.
- A group's properties (internet, image) are an administrator's: JupyterHub lets everyone who may add members set them.
- What gives rights to others through the hub's REST interface needs a recent sign-in when a cookie opens it, as it
  does on our pages.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.handlers import BaseHandler
from tornado import web

from qcrbox_hub.accounts.recent_sign_in import recent
from qcrbox_hub.platform.addresses import Addresses, Place, split_host

_GIVES_RIGHTS = re.compile(
    r"/api/(users|users/[^/]+|groups(/.*)?|shares(/.*)?|share-codes(/.*)?|services(/.*)?)/?"
)
_SETS_PROPERTIES = re.compile(r"/api/groups/[^/]+/properties/?")
_MAKES_TOKEN = re.compile(r"/api/users/([^/]+)/tokens/?")
PROVE_FIRST = "This gives rights, so it needs a sign-in at most five minutes old. Open /hub/confirm first."


def apply(addresses: Addresses) -> None:
    """Change the handlers of this process."""
    original = BaseHandler._validate_next_url

    def validate(handler: BaseHandler, next_url: str) -> str:
        user = getattr(handler, "_jupyterhub_user", None)
        own = f"{addresses.person_url(user.name)}{user.base_url}" if user else ""
        return server_address(addresses, own, next_url) or original(handler, next_url)

    BaseHandler._validate_next_url = validate
    prepare = APIHandler.prepare

    async def prepare_with_proof(handler: APIHandler) -> None:
        await prepare(handler)
        user = handler.current_user
        if sets_properties(handler.request.method, handler.request.path) and not getattr(
            user, "admin", False
        ):
            raise web.HTTPError(403, "Only administrators change what a group may do.")
        by_cookie = handler.current_user is not None and not getattr(handler, "_token_authenticated", False)
        if (
            by_cookie
            and needs_proof(handler.request.method, handler.request.path, handler.current_user)
            and not recent.holds(handler.current_user, handler.get_session_cookie())
        ):
            raise web.HTTPError(403, PROVE_FIRST)

    APIHandler.prepare = prepare_with_proof


def sets_properties(method: str, path: str) -> bool:
    """Does this request change what the members of a group may do on this platform?"""
    return (
        method not in ("GET", "HEAD", "OPTIONS")
        and _SETS_PROPERTIES.fullmatch(path[path.find("/api/") :]) is not None
    )


def needs_proof(method: str, path: str, user: Any) -> bool:
    """Does this request of a browser give rights to someone?"""
    if method not in ("POST", "PUT", "PATCH"):
        return False
    inside = path[path.find("/api/") :]
    if match := _MAKES_TOKEN.fullmatch(inside):
        # A member's own token gives no more than the member has; an administrator's lasts longer than a mistake.
        return bool(user.admin) or match[1] != user.escaped_name
    return _GIVES_RIGHTS.fullmatch(inside) is not None


def server_address(addresses: Addresses, own: str, next_url: str) -> str:
    """Where `next_url` may lead when it is an address of a person's server; "" when it is none.

    own: address of the person's own server, "" without one. Requests to another person's server pass
    through the hub, which checks the right to open it.
    """
    if "\\" in next_url or not next_url.isprintable():
        return ""
    try:
        parts = urlsplit(next_url)
    except ValueError:
        return ""
    host, _ = split_host(parts.netloc)
    if parts.scheme not in ("http", "https") or addresses.place(host) is not Place.PERSON:
        return ""
    if own and next_url.startswith(own):
        return next_url
    if not parts.path.startswith("/user/"):
        return ""
    return urlunsplit(("", "", parts.path, parts.query, parts.fragment))
