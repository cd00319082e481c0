"""Where `next` may lead, and which requests at the hub's REST interface are checked and recorded."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from qcrbox_hub.jupyterhub.handler_changes import LARGEST_BODY, _renaming, server_address, subject_of
from qcrbox_hub.platform.addresses import Addresses
from tornado import web

ADDRESSES = Addresses.make("http://hub.localhost:8000")
OWN = "http://lab-ada.localhost:8000/user/ada/"


@pytest.mark.attack(8)
@pytest.mark.parametrize(
    ("next_url", "expected"),
    [
        (f"{OWN}lab/tree/a.ipynb?reset", f"{OWN}lab/tree/a.ipynb?reset"),
        # Somebody else's server: the hub decides.
        ("http://lab-bob.localhost:8000/user/bob/lab?x=1#y", "/user/bob/lab?x=1#y"),
        ("http://lab-ada.localhost:8000/user/adam/lab", "/user/adam/lab"),
        ("http://lab-ada.localhost:8000.evil.example/user/ada/", ""),
        ("http://lab-ada.localhost:8000@evil.example/user/ada/", ""),
        ("http://lab-bob.localhost:8000//evil.example", ""),
        ("http://lab-bob.localhost:8000/hub/logout", ""),
        ("http://lab-bob.localhost:8000\\@evil.example/user/bob", ""),
        ("javascript://lab-ada.localhost/%0aalert(1)", ""),
        ("https://evil.example/user/ada/", ""),
        ("//evil.example/user/ada/", ""),
        ("/user/ada/lab", ""),  # paths are the hub's own business
        ("http://[", ""),
    ],
)
def test_next_leads_to_own_server_or_through_the_hub(next_url: str, expected: str) -> None:
    assert server_address(ADDRESSES, OWN, next_url) == expected


def test_without_a_sign_in_the_way_leads_through_the_hub() -> None:
    assert server_address(ADDRESSES, "", f"{OWN}lab") == "/user/ada/lab"


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("PATCH", "/hub/api/users/ada", ("person", "ada")),
        ("DELETE", "/hub/api/users/a%2Fb", ("person", "a/b")),
        ("POST", "/hub/api/users", ("person", "")),
        ("POST", "/hub/api/users/ada/tokens", ("person", "ada")),
        ("DELETE", "/hub/api/users/ada/tokens/a12", ("person", "ada")),
        ("POST", "/hub/api/groups/physics/users", ("group", "physics")),
        ("PUT", "/hub/api/groups/physics/properties", ("group", "physics")),
        ("POST", "/hub/api/shares/ada/", ("site", "")),
        ("POST", "/hub/api/shutdown", ("site", "")),
        # Reading, and what is no administration.
        ("GET", "/hub/api/users/ada", None),
        ("POST", "/hub/api/users/ada/server", None),
        ("POST", "/hub/api/users/ada/activity", None),
        ("POST", "/hub/api/administration/people", None),
    ],
)
def test_changes_through_the_hubs_rest_are_named_for_the_audit_trail(
    method: str, path: str, expected: tuple[str, str] | None
) -> None:
    assert subject_of(method, path) == expected


def changing(body: bytes, scope: str = "admin:users") -> Any:
    """A request that changes the account ada."""
    return SimpleNamespace(
        request=SimpleNamespace(method="PATCH", path="/hub/api/users/ada", body=body),
        current_user="eve",
        expanded_scopes={scope},
        find_user={"ada": SimpleNamespace(name="ada")}.get,
        authenticator=SimpleNamespace(normalize_username=str.lower),
    )


@pytest.mark.parametrize(
    ("sent", "name"),
    [({"name": "Zoe"}, "zoe"), ({"name": "ADA"}, None), ({"name": 5}, None), ({"admin": True}, None)],
    ids=["new", "same", "no text", "no name"],
)
def test_a_request_that_renames_an_account_is_known(sent: dict[str, Any], name: str | None) -> None:
    found = _renaming(changing(json.dumps(sent).encode()))
    assert (found and found[1]) == name


# JupyterHub reads each of the first three as a request for another name.
UNREADABLE = {
    "long": b'{"name": "zoe"' + b" " * LARGEST_BODY + b"}",
    "not UTF-8": b'{"name": "zoe", "groups": ["\xff"]}',
    "half a character": b'{"name": "zoe", "groups": ["\\ud800"]}',
    "list": b"[]",
    "empty": b"",
}


@pytest.mark.attack(1)
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_cannot_be_checked_for_a_new_name_is_refused(body: bytes) -> None:
    with pytest.raises(web.HTTPError) as refused:
        _renaming(changing(body))
    assert refused.value.status_code == 400
    # Who may rename nobody gets JupyterHub's own refusal.
    assert _renaming(changing(body, scope="self")) is None
