"""Changes of JupyterHub's own handlers for which it has no setting. `apply` is called once, by the configuration.

- `next` may lead to people's servers wherever they are: JupyterHub knows hosts below the hub's only, and ours are
  siblings of the hub (lab-ada.localhost) or live under a second name.
- A group's properties (internet, image) are an administrator's: JupyterHub lets everyone who may add members set them.
- What gives rights to others through the hub's REST interface needs a recent sign-in when a cookie opens it, as it
  does on our pages.
- What people change of accounts, groups, shares and tokens of others through the hub's REST interface (its own
  administration page does so too) is written into the audit trail, refused attempts as well.
- An account gets another name only while its server is down, and no name that another one has.
- A lecturer is not asked whether their own preview account's server may know who they are, as for their own server.
- The hub looks for a server that starts at intervals of half a second at most. JupyterHub lets them grow to five
  seconds, in which the server is ready, its person waits, and its place in the queue of starts is taken.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from jupyterhub import utils
from jupyterhub.apihandlers.auth import OAuthAuthorizeHandler
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.handlers import BaseHandler
from qcrbox.contract.errors import QcError
from qcrbox.contract.json_objects import read_object
from tornado import web

from qcrbox_hub.accounts.addresses import client_address
from qcrbox_hub.accounts.previews import Previews, shown_as
from qcrbox_hub.accounts.recent_sign_in import recent
from qcrbox_hub.accounts.registry import HubAct, record_act
from qcrbox_hub.accounts.renaming import problem_of_renaming
from qcrbox_hub.platform.addresses import Addresses, Place, split_host

_GIVES_RIGHTS = re.compile(
    r"/api/(users|users/[^/]+|groups(/.*)?|shares(/.*)?|share-codes(/.*)?|services(/.*)?)/?"
)
_SETS_PROPERTIES = re.compile(r"/api/groups/[^/]+/properties/?")
_MAKES_TOKEN = re.compile(r"/api/users/([^/]+)/tokens/?")
_CHANGES_PERSON = re.compile(r"/api/users(?:/([^/]+)(?:/(?:tokens(?:/[^/]+)?|shared.*))?)?/?")
_CHANGES_GROUP = re.compile(r"/api/groups(?:/([^/]+)(?:/.*)?)?/?")
_CHANGES_SITE = re.compile(r"/api/(?:shares|share-codes|services|shutdown|proxy)(?:/.*)?")
LOOK_FOR_SERVER_S = 0.5
LARGEST_BODY = 1024 * 1024
PROVE_FIRST = "This gives rights, so it needs a sign-in at most five minutes old. Open /hub/confirm first."


def apply(addresses: Addresses) -> None:
    """Change the handlers of this process."""
    _lead_to_servers(addresses)
    _ask_for_proof()
    _write_audit_trail()
    _open_previews_unasked()
    # The functions of that module that wait for servers find it there by name.
    utils.exponential_backoff = partial(utils.exponential_backoff, max_wait=LOOK_FOR_SERVER_S)


def _lead_to_servers(addresses: Addresses) -> None:
    original = BaseHandler._validate_next_url

    def validate(handler: BaseHandler, next_url: str) -> str:
        user = getattr(handler, "_jupyterhub_user", None)
        own = f"{addresses.person_url(user.name)}{user.base_url}" if user else ""
        return server_address(addresses, own, next_url) or original(handler, next_url)

    BaseHandler._validate_next_url = validate


def _ask_for_proof() -> None:
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
        if wanted := _renaming(handler):
            user, new = wanted
            if problem := problem_of_renaming(handler.db, user, new):
                raise web.HTTPError(409, problem)
            handler.qcrbox_renamed = user

    APIHandler.prepare = prepare_with_proof


def _write_audit_trail() -> None:
    finish = APIHandler.on_finish

    def finish_with_audit(handler: APIHandler) -> None:
        finish(handler)
        # What the hub keeps of an account in memory has the old name in it: the address and OAuth client of its server.
        renamed = getattr(handler, "qcrbox_renamed", None)
        if renamed is not None and not renamed.active:
            handler.users.pop(renamed.id, None)
        if act := act_of(handler):
            task = asyncio.ensure_future(_record(handler, act))
            _RECORDING.add(task)
            task.add_done_callback(_RECORDING.discard)

    APIHandler.on_finish = finish_with_audit


def _open_previews_unasked() -> None:
    confirms = OAuthAuthorizeHandler.needs_oauth_confirm

    def needs_confirm(handler: Any, user: Any, client: Any, scopes: Any) -> bool:
        # Its owner pressed the button that opens it, and their token opens that server alone.
        preview = Previews(handler.db).named(client.identifier.removeprefix("jupyterhub-user-"))
        if preview is not None and preview.owner_id == getattr(user, "id", None):
            return False
        return bool(confirms(handler, user, client, scopes))

    OAuthAuthorizeHandler.needs_oauth_confirm = needs_confirm


# The event loop keeps only weak references to its tasks.
_RECORDING: set[asyncio.Future[None]] = set()


async def _record(handler: APIHandler, act: HubAct) -> None:
    try:
        await record_act(
            handler.settings["qcrbox_registry_url"], handler.settings["qcrbox_service_token"], act
        )
    except QcError as error:
        handler.log.error("not in the audit trail: %s: %s", act, error.message)


def _renaming(handler: APIHandler) -> tuple[Any, str] | None:
    """The account that a request gives another name, and that name; None for every other request, and for strangers.

    Raises HTTPError 400 for a body that is not read here: JupyterHub, which reads more, could rename by it unchecked.
    """
    match = _CHANGES_PERSON.fullmatch(handler.request.path[handler.request.path.find("/api/") :])
    if handler.request.method != "PATCH" or handler.current_user is None or match is None or not match[1]:
        return None
    user = handler.find_user(unquote(match[1]))
    if user is None or "admin:users" not in _kinds(handler.expanded_scopes):
        return None
    body = read_object(handler.request.body, LARGEST_BODY)
    if body is None:
        raise web.HTTPError(400, f"The body is not a JSON object in UTF-8 of at most {LARGEST_BODY} bytes.")
    if not isinstance(body.get("name"), str):
        return None
    name = handler.authenticator.normalize_username(body["name"])
    return (user, name) if name != user.name else None


def _kinds(scopes: Iterable[str]) -> set[str]:
    return {scope.partition("!")[0] for scope in scopes}


def act_of(handler: APIHandler) -> HubAct | None:
    """What a person changed, or was refused, at the hub's REST interface. None for reading, and for services.

    The body of the request is not kept: it may hold anything.
    """
    method, path = str(handler.request.method), handler.request.path
    # `_jupyterhub_user` is there once the request was authenticated; asking `current_user` here could fail anew.
    user = getattr(handler, "_jupyterhub_user", None)
    about = subject_of(method, path)
    if about is None or user is None or getattr(user, "kind", "") != "user":
        return None
    kind, name = about
    status = handler.get_status()
    return HubAct(
        who=user.name,
        address=client_address(handler)[:64],
        action=f"hub REST {method}",
        kind=kind,
        name=name[:255],
        allowed=status < 400,
        details={"path": path[path.find("/api/") :][:500], "status": str(status)}
        | ({"account": shown_as(preview)} if (preview := Previews(handler.db).named(user.name)) else {}),
    )


def subject_of(method: str, path: str) -> tuple[str, str] | None:
    """(kind, name) of what this request changes: an account, a group with its members and properties, or the site.

    None for what is no administration: reading, servers, activity.
    """
    inside = path[path.find("/api/") :]
    if method in ("GET", "HEAD", "OPTIONS"):
        return None
    if match := _CHANGES_PERSON.fullmatch(inside):
        return "person", unquote(match[1] or "")
    if match := _CHANGES_GROUP.fullmatch(inside):
        return "group", unquote(match[1] or "")
    return ("site", "") if _CHANGES_SITE.fullmatch(inside) else None


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
