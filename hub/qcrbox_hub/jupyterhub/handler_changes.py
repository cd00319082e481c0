"""Changes of JupyterHub's own handlers for which it has no setting. `apply` is called once, by the configuration.

JupyterHub lets `next` lead to hosts below the hub's only. People's servers may be siblings of the hub
(lab-ada.localhost) or live under a second name.
"""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from jupyterhub.handlers import BaseHandler

from qcrbox_hub.platform.addresses import Addresses, Place, split_host


def apply(addresses: Addresses) -> None:
    """Change the handlers of this process."""
    original = BaseHandler._validate_next_url

    def validate(handler: BaseHandler, next_url: str) -> str:
        user = getattr(handler, "_jupyterhub_user", None)
        own = f"{addresses.person_url(user.name)}{user.base_url}" if user else ""
        return original(handler, next_url) or server_address(addresses, own, next_url)

    BaseHandler._validate_next_url = validate


def server_address(addresses: Addresses, own: str, next_url: str) -> str:
    """Where `next_url` may lead when it is an address of a person's server; "" when it is none.

    own: address of the person's own server, "" for nobody. To another person's server the way leads through
    the hub, which asks for the right to open it.
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
