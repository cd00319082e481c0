"""Sign-in through a real JupyterHub and its proxy: the code flow, the scopes, a re-created account."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from qcrbox_registry.access import identity
from qcrbox_registry.settings import Settings

pytest.importorskip("jupyterhub")
pytestmark = pytest.mark.slow
SERVICE_TOKEN, ADMIN_TOKEN = "s" * 40, "a" * 40
CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{proxy}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.command = [{command!r}]
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.JupyterHub.custom_scopes = {{"custom:qcrbox:use": {{"description": "use"}}}}
access = "access:services!service=qcrbox"
c.JupyterHub.load_roles = [
    {{"name": "user", "scopes": ["self", access, "custom:qcrbox:use"]}},
    {{"name": "registry", "services": ["qcrbox"], "scopes": ["list:users", "read:users", "list:groups"]}},
    {{"name": "keeper", "services": ["keeper"], "scopes": ["admin:users", "admin:groups", "tokens", access, "custom:qcrbox:use"]}},
]
c.JupyterHub.services = [
    {{"name": "qcrbox", "url": "{registry}", "api_token": "{service_token}", "oauth_no_confirm": True, "timeout": 1,
      "oauth_client_allowed_scopes": [access, "custom:qcrbox:use"]}},
    {{"name": "keeper", "api_token": "{admin_token}"}},
]
"""


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def wait_for(url, process, log):
    deadline = time.monotonic() + 90
    while True:
        try:
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"{url} does not answer:\n{log.read_text()[-2000:]}")
        time.sleep(0.2)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub")
    proxy, hub, api, registry = free_ports(4)
    command = Path(sys.executable).with_name("configurable-http-proxy")
    if not command.exists():
        pytest.skip("there is no configurable-http-proxy here")
    (folder / "config.py").write_text(
        CONFIG.format(
            proxy=proxy, hub=hub, api=api, command=str(command), folder=folder,
            registry=f"http://127.0.0.1:{registry}", service_token=SERVICE_TOKEN, admin_token=ADMIN_TOKEN,
        )
    )  # fmt: skip
    (folder / "token").write_text(SERVICE_TOKEN)
    # A hub that inherits an ignored SIGINT does not end its proxy.
    start_hub = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from jupyterhub.app import main; sys.argv = ['jupyterhub', '-f', 'config.py']; main()"
    )
    commands = {
        "hub": [sys.executable, "-c", start_hub],
        "registry": [
            sys.executable, "-m", "qcrbox_registry", "--data", str(folder / "data"), "--auth", "hub",
            "--port", str(registry), "--prefix", "/services/qcrbox", "--hub-url", "/hub/",
            "--hub-api-url", f"http://127.0.0.1:{hub}/hub/api", "--hub-token-file", str(folder / "token"),
            "--no-nats-power-loss-safe",
        ],
    }  # fmt: skip
    running = {}
    try:
        for name, words in commands.items():
            with (folder / f"{name}.log").open("wb") as log:
                running[name] = subprocess.Popen(
                    words, cwd=folder, stdout=log, stderr=log, start_new_session=True
                )
        wait_for(f"http://127.0.0.1:{proxy}/hub/api/", running["hub"], folder / "hub.log")
        wait_for(
            f"http://127.0.0.1:{proxy}/services/qcrbox/api/healthz",
            running["registry"],
            folder / "registry.log",
        )
        yield f"http://127.0.0.1:{proxy}"
    finally:
        for process in running.values():
            process.send_signal(signal.SIGTERM)
        for process in running.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


class Browser(httpx.Client):
    """Follows redirects one by one, so that every cookie is kept for its path."""

    def follow(self, answer):
        for _ in range(10):
            if not answer.is_redirect:
                return answer
            answer = self.get(answer.headers["location"])
        raise AssertionError("too many redirects")

    def sign_in(self, name):
        """Ask for our page, be sent to the hub, sign in there, come back."""
        form = self.follow(self.get("/services/qcrbox/docs"))
        xsrf = re.search(r'name="_xsrf" value="([^"]+)"', form.text)[1]
        said = self.post(
            "/hub/login",
            params={"next": form.url.params["next"]},
            data={"username": name, "password": "x", "_xsrf": xsrf},
        )
        return self.follow(said)


def browser(site):
    return Browser(base_url=site, timeout=30, trust_env=False)


def me(client):
    return client.get("/services/qcrbox/api/me")


def test_a_person_signs_in_at_the_hub_and_comes_back_to_our_page(site):
    with browser(site) as client:
        assert me(client).status_code == 401
        page = client.sign_in("ada")
        assert (page.status_code, page.url.path) == (200, "/services/qcrbox/docs")
        assert me(client).json()["payload"]["name"] == "ada"
        upload = {"filename": "a", "size": 1}
        assert client.post("/services/qcrbox/api/uploads", json=upload).status_code == 403
        origin = {"origin": site}
        assert client.post("/services/qcrbox/api/uploads", json=upload, headers=origin).status_code == 201


@pytest.mark.attack(4)
def test_an_account_made_anew_under_an_old_name_finds_nothing(site):
    keeper = {"authorization": f"token {ADMIN_TOKEN}"}

    wanted = {"scopes": ["access:services!service=qcrbox", "custom:qcrbox:use"]}

    def token_of(name):
        made = httpx.post(f"{site}/hub/api/users/{name}/tokens", headers=keeper, json=wanted, trust_env=False)
        return made.json()["token"]

    def client_of(name):
        httpx.post(f"{site}/hub/api/users/{name}", headers=keeper, trust_env=False)
        return httpx.Client(
            base_url=f"{site}/services/qcrbox",
            headers={"authorization": f"Bearer {token_of(name)}"},
            trust_env=False,
        )

    with client_of("mary") as first:
        made = first.post("/api/datasets", files={"file": ("a.txt", b"mine")}).json()["payload"]["datasets"][
            0
        ]
    assert httpx.delete(f"{site}/hub/api/users/mary", headers=keeper, trust_env=False).status_code == 204
    with client_of("mary") as second:
        assert second.get(f"/api/datasets/{made['qcrbox_dataset_id']}").status_code == 404
        assert second.get("/api/datasets").json()["payload"]["datasets"] == []


async def test_the_hub_tells_all_groups_and_accounts_page_by_page(site, tmp_path, monkeypatch):
    monkeypatch.setattr(identity, "PAGE", 1)
    keeper = {"authorization": f"token {ADMIN_TOKEN}"}
    for path in ("users/first", "users/second", "groups/crystals", "groups/powders"):
        httpx.post(f"{site}/hub/api/{path}", headers=keeper, trust_env=False)
    (tmp_path / "token").write_text(SERVICE_TOKEN)
    settings = Settings(
        data=tmp_path, auth="hub", hub_api_url=f"{site}/hub/api", hub_token_file=tmp_path / "token"
    )
    asking = identity.HubIdentity(settings, None)
    known = await asking.accounts()
    await asking.close()
    assert {"crystals", "powders"} <= known.groups
    assert {"first", "second"} <= known.people.keys()
    assert known.people["first"].startswith("20"), "the time of its making tells a re-created account"
