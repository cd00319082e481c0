"""The proxy's routes outlive it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from qcrbox_hub.jupyterhub.proxy import StreamingProxy
from qcrbox_hub.jupyterhub.route_store import RouteStore
from qcrbox_hub.jupyterhub.site_rules import SiteRules
from qcrbox_hub.platform.addresses import Addresses

RULES = SiteRules(Addresses.make("http://hub.localhost:8000"))


def proxy(file: Path, hub: str = "http://127.0.0.1:1") -> StreamingProxy:
    return StreamingProxy({"auth_token": "t", "default_target": hub}, RULES, routes=RouteStore(file))


def test_proxy_that_is_started_again_knows_its_routes(tmp_path: Path) -> None:
    first = proxy(tmp_path / "routes.json")
    first.add_route("/lab-ada.localhost/user/ada", {"target": "http://127.0.0.1:2", "user": "ada"})
    first.add_route("/lab-bob.localhost/user/bob", {"target": "http://127.0.0.1:3"})
    first.remove_route("/lab-bob.localhost/user/bob")

    again = proxy(tmp_path / "routes.json")
    found = again.target_for_req("lab-ada.localhost", "/user/ada/lab")
    assert found == {"prefix": "/lab-ada.localhost/user/ada", "target": "http://127.0.0.1:2"}
    assert "last_activity" in again.get_routes()["/lab-ada.localhost/user/ada"]
    assert again.target_for_req("lab-bob.localhost", "/user/bob")["target"] == "http://127.0.0.1:1"


def test_default_target_is_that_of_this_start(tmp_path: Path) -> None:
    proxy(tmp_path / "routes.json", "http://127.0.0.1:1")
    again = proxy(tmp_path / "routes.json", "http://127.0.0.1:9")
    assert again.target_for_req("hub.localhost", "/hub/login")["target"] == "http://127.0.0.1:9"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"/a": 3}', '{"/a": {}}', "null"])
def test_damaged_file_counts_as_no_routes(tmp_path: Path, text: str) -> None:
    (tmp_path / "routes.json").write_text(text)
    assert RouteStore(tmp_path / "routes.json").load() == 0


def test_file_is_for_its_owner_only_and_holds_no_clock(tmp_path: Path) -> None:
    proxy(tmp_path / "routes.json").add_route("/h/user/ada", {"target": "http://127.0.0.1:2"})
    file = tmp_path / "routes.json"
    assert file.stat().st_mode & 0o077 == 0
    assert json.loads(file.read_text())["/h/user/ada"] == {"target": "http://127.0.0.1:2", "host": "h"}
