"""The names under which browsers see the hub and people's servers.

Code of a person (a notebook's output, a page that a kernel serves) runs in the origin of that person's server.
Only a separate host name keeps it away from the cookies of the hub, of the registry and of other people, so
each person gets a host name; docs/security.md describes the weaker settings.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError, field_validator, model_validator
from qcrbox.contract.errors import UserInputError
from qcrbox.contract.loopback import is_loopback_host

SAME = "same"
DEFAULT = "default"
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_LONGEST_LABEL = 40


class Separation(StrEnum):
    """What keeps pages of different people apart in a browser."""

    PERSON = "person"  # one origin per person
    PEOPLE = "people"  # people share an origin, the hub and the registry have another
    NONE = "none"  # everything is one origin


class Place(StrEnum):
    """Whose host name a request was sent to."""

    HUB = "hub"
    ALIAS = "alias"  # 127.0.0.1, localhost: programs of this machine use them for the hub
    PERSON = "person"
    STRANGER = "stranger"


class Addresses(BaseModel):
    """`hub` is the address that people type, `people` that of their servers.

    `people` holds `*` where a person's name goes; without it all servers share one host name; `same` puts
    them on the hub's own. Raises UserInputError (`Addresses.make`) for what cannot work.
    """

    hub: str
    people: str = DEFAULT

    @field_validator("hub", "people")
    @classmethod
    def _without_slash(cls, url: str) -> str:
        return url.strip().rstrip("/").lower()

    @model_validator(mode="after")
    def _usable(self) -> Addresses:
        hub = _split(self.hub)
        if "*" in self.hub:
            raise ValueError("public.url is one address and holds no *")
        if self.people == DEFAULT:
            self.people = default_people(self.hub)
        if self.people == SAME:
            return self
        people = _split(self.people)
        if (people.scheme, people.port) != (hub.scheme, hub.port):
            raise ValueError("public.people_url needs the scheme and the port of public.url")
        if people.hostname == hub.hostname:
            raise ValueError(f'public.people_url is the hub\'s own address; write "{SAME}" if that is meant')
        label, _, rest = (people.hostname or "").partition(".")
        if self.people.count("*") > 1 or "*" in rest or (_is_address(hub.hostname or "") and "*" in label):
            raise ValueError("public.people_url may hold one *, in the first part of a host name")
        return self

    @staticmethod
    def make(hub: str, people: str = "") -> Addresses:
        """The addresses of a platform; without `people` the safest that these names allow."""
        try:
            return Addresses(hub=hub, people=people or DEFAULT)
        except ValidationError as error:
            reasons = [str(each["msg"]) for each in error.errors()]
            raise UserInputError(
                "The public address cannot be used.",
                where=f"{hub} {people}".strip(),
                why="; ".join(reason.removeprefix("Value error, ") for reason in reasons) + ".",
                next="See `public` in docs/settings.md.",
            ) from error

    # ------------------------------------------------------------------ names

    @property
    def separation(self) -> Separation:
        """How the host names of people's servers differ from the hub's."""
        if self.people == SAME:
            return Separation.NONE
        return Separation.PERSON if "*" in self.people else Separation.PEOPLE

    @property
    def secure(self) -> bool:
        """Whether browsers use https."""
        return self.hub.startswith("https:")

    @property
    def hub_host(self) -> str:
        """Host name of the hub, without a port."""
        return _split(self.hub).hostname or ""

    def person_host(self, name: str) -> str:
        """Host name of a person's server, without port."""
        if self.separation is Separation.NONE:
            return self.hub_host
        return (_split(self.people).hostname or "").replace("*", host_label(name))

    def person_url(self, name: str) -> str:
        """URL of the host that serves the person's server."""
        if self.separation is Separation.NONE:
            return self.hub
        return self.people.replace("*", host_label(name))

    def place(self, host: str) -> Place:
        """Whose host name this is. `host` without port, any case."""
        host = host.lower().rstrip(".")
        if host == self.hub_host:
            return Place.HUB
        if is_loopback_host(host):
            return Place.ALIAS
        if self.separation is not Separation.NONE:
            before, star, after = (_split(self.people).hostname or "").partition("*")
            middle = host[len(before) : len(host) - len(after)]
            fits = host.startswith(before) and host.endswith(after) and "." not in middle
            if host == before or (star and fits and middle):
                return Place.PERSON
        return Place.STRANGER

    def subdomain_hook(self, name: str, domain: str, kind: str) -> str:
        """JupyterHub's `subdomain_hook`: services stay on the hub's host, they are no one's own code."""
        return self.person_host(name) if kind == "user" else domain


def default_people(hub: str) -> str:
    """One origin per person.

    On loopback a sibling of the hub, not a name below it: browsers then take each for a separate site and
    refuse cookies for a common parent.
    """
    parts = _split(hub)
    port = f":{parts.port}" if parts.port else ""
    host = parts.hostname or ""
    if host == "localhost" or _is_address(host):
        raise ValueError("an address without a name has room for one origin only; give the hub a name")
    if host.endswith(".localhost"):
        return f"{parts.scheme}://lab-*.localhost{port}"
    return f"{parts.scheme}://*.{host}{port}"


def host_label(name: str) -> str:
    """A person's name as one label of a host name. No two names share a label."""
    if _LABEL.fullmatch(name) and "--" not in name and len(name) <= _LONGEST_LABEL:
        return name
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:20].strip("-")
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{readable}--{digest}" if readable else f"x--{digest}"


def split_host(netloc: str) -> tuple[str, int | None]:
    """Host and port of a Host header; ("", None) for what is neither."""
    try:
        parts = urlsplit(f"//{netloc}")
        return (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return "", None


def _split(url: str) -> Any:
    parts = urlsplit(url)
    try:
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.path or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"{url!r} is not an address like https://hub.example.org")
    return parts


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
