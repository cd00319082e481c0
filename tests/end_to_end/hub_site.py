"""A whole platform with a hub for tests: people with accounts, groups, Jupyter servers and kernels."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import websocket
from qcrbox.client import loopback
from qcrbox_hub.platform import ports
from qcrbox_hub.platform.addresses import Addresses

PASSWORD = "plum-Orchid-42-river"
LIMIT_S = 120.0


class Person:
    """One person's browser, as far as forms and REST go."""

    def __init__(self, site: Site, name: str) -> None:
        self.site, self.name = site, name
        self.http = httpx.Client(
            base_url=site.url,
            follow_redirects=True,
            timeout=60,
            trust_env=False,
            mounts=loopback.mounts(site.url),
        )

    def submit(self, path: str, **fields: str) -> httpx.Response:
        page = self.http.get(path)
        token = re.search(r'name="_xsrf"\s+value="([^"]+)"', page.text)
        assert token, f"{path} has no form: {page.status_code}"
        fields |= {"_xsrf": token.group(1)}
        answer = self.http.post(path, data=fields)
        if 'id="confirm_form"' in answer.text:
            # The last sign-in is more than five minutes ago.
            answer = self.http.post(path, data=fields | {"confirm_password": PASSWORD})
        assert answer.status_code == 200, answer.text[-2000:]
        return answer

    def sign_in(self) -> Person:
        self.submit("/hub/login?next=/hub/token", username=self.name, password=PASSWORD)
        return self

    def let_in(self, page: str, code: str) -> None:
        """What a person does whose notebook shows a code."""
        assert page == f"{self.site.url}/hub/connect"
        assert "Allow" in self.submit("/hub/connect", code=code).text
        assert "Done." in self.submit("/hub/connect", code=code, action="allow").text

    def xsrf(self, path: str) -> str:
        cookies = self.http.cookies.jar
        return next(one.value or "" for one in cookies if one.name == "_xsrf" and one.path == path)

    @property
    def origin(self) -> str:
        """Where this person's Jupyter server is seen."""
        return Addresses.make(self.site.url).person_url(self.name)

    def start_server(self) -> None:
        self.http.get("/hub/spawn")
        deadline = time.monotonic() + LIMIT_S
        page = f"{self.origin}/user/{self.name}/lab"
        while str(self.http.get(page).url) != page:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.3)


class HubKernel:
    """A kernel in a person's own Jupyter server, spoken to as JupyterLab does."""

    def __init__(self, person: Person) -> None:
        self.person = person
        base = f"/user/{person.name}/"
        started = person.http.post(
            f"{person.origin}{base}api/kernels",
            headers={"X-XSRFToken": person.xsrf(base)},
            json={"name": "python3"},
        )
        assert started.status_code == 201, started.text
        host = urlsplit(person.origin)
        cookies = "; ".join(
            f"{cookie.name}={cookie.value}"
            for cookie in person.http.cookies.jar
            if cookie.domain == host.hostname
        )
        self._socket = websocket.create_connection(
            f"ws://127.0.0.1:{host.port}{base}api/kernels/{started.json()['id']}/channels",
            host=host.netloc,
            cookie=cookies,
            origin=person.origin,
            timeout=LIMIT_S,
        )

    def run(self, code: str) -> str:
        """The text a cell shows; an error fails the test."""
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": "execute_request",
            "username": "",
            "session": "test",
        }
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        message = {
            "header": {**header, "version": "5.3"},
            "parent_header": {},
            "metadata": {},
            "content": content,
        }
        self._socket.send(json.dumps({**message, "channel": "shell", "buffers": []}))
        text = ""
        while True:
            said = json.loads(self._socket.recv())
            if said["parent_header"].get("msg_id") != header["msg_id"]:
                continue
            kind, shown = said["msg_type"], said["content"]
            assert kind != "error", "\n".join(shown["traceback"])
            text += str(shown.get("text", "")) + str(shown.get("data", {}).get("text/plain", ""))
            if kind == "status" and shown["execution_state"] == "idle":
                return text

    def close(self) -> None:
        self._socket.close()


class Site:
    """`qcrbox up` with its first administrator, ada."""

    def __init__(self, folder: Path, *options: str) -> None:
        port = ports.choose(1)[0]
        self.data, self.url = folder / "data", f"http://hub.localhost:{port}"
        self._errors = folder / "stderr"
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "qcrbox_hub",
                "up",
                "--data",
                str(self.data),
                "--port",
                str(port),
                *options,
            ],
            stdout=subprocess.PIPE,
            stderr=self._errors.open("w"),
            text=True,
            env=os.environ | {"NO_COLOR": "1"},
        )
        link = self._wait_for_link()
        self.ada = Person(self, "ada")
        account = {"username": "ada", "password": PASSWORD, "password_confirmation": PASSWORD}
        self.ada.submit(link.removeprefix(self.url), code=link.partition("code=")[2], **account)

    def _wait_for_link(self) -> str:
        assert self.process.stdout
        said, deadline = "", time.monotonic() + LIMIT_S
        while "Ctrl-C" not in said:
            line = self.process.stdout.readline()
            assert line, self._errors.read_text()
            assert time.monotonic() < deadline, self._errors.read_text()
            said += line
        found = re.search(r"http\S+first-admin\?code=\S+", said)
        assert found, said
        return found.group(0)

    def member(self, name: str, *groups: str) -> Person:
        person = Person(self, name)
        account = {"username": name, "password": PASSWORD, "password_confirmation": PASSWORD}
        person.submit("/hub/signup", **account)
        self.ada.submit("/hub/administration/people", name=name, action="approve")
        for group in groups:
            self.ada.submit(f"/hub/administration/groups/{group}", action="add", people=name)
        return person.sign_in()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def running_site(folder: Path, *options: str) -> Iterator[Site]:
    """`options`: further words of `qcrbox up`."""
    site = Site(folder, *options)
    try:
        yield site
    finally:
        site.stop()
