"""The hub beside a bare JupyterHub in the same run: a person's server until it is ready, many at once, sign-ins.

    python benchmarks/bench_hub.py [--json out.json] [--repeat 5] [--people 20] [--crowd 60] [--quick]

The bare hub is JupyterHub with its own proxy: SimpleLocalProcessSpawner as the peer of `trusted` and `sandbox`, a plain
DockerSpawner with the image of people's servers as the peer of `docker` (left out where Docker or the image is missing).
Its sign-in checks the same kind of bcrypt hash. Starts are timed from the request to the server's own answer through the
proxy, ours and the peer's in turn. The crowd are people who sign in and start their servers within a minute, in
sandboxes: what counts is the slowest answer that any of them gets, and when 95 % of the servers are ready.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from machine import load
from qcrbox.client import loopback
from qcrbox_hub.platform import ports
from qcrbox_hub.platform.addresses import Addresses
from qcrbox_hub.walls.choice import IMAGE, docker_lacks

PASSWORD = "plum-Orchid-42-river"
LIMIT_S = 300.0
ANSWER_LIMIT_S = 5.0
SERVICE = """
c.JupyterHub.services.append({{"name": "bench-driver", "api_token": {token!r}}})
c.JupyterHub.load_roles.append({{"name": "bench-driver", "services": ["bench-driver"],
    "scopes": ["admin:users", "admin:servers", "access:servers"]}})
"""
BARE = """
import bcrypt, asyncio
from jupyterhub.auth import Authenticator
HASH = bcrypt.hashpw({password!r}.encode(), bcrypt.gensalt())
class Bcrypt(Authenticator):
    async def authenticate(self, handler, data):
        right = await asyncio.to_thread(bcrypt.checkpw, data["password"].encode(), HASH)
        return data["username"] if right else None
c.JupyterHub.authenticator_class = Bcrypt
c.Authenticator.allow_all = True
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://{hub_address}:{hub_port}"
c.JupyterHub.hub_connect_url = "http://{hub_address}:{hub_port}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.JupyterHub.concurrent_spawn_limit = 100
c.Spawner.default_url = "/lab"
c.Spawner.start_timeout = 300
c.Spawner.http_timeout = 300
"""
BARE_PROCESS = """
c.JupyterHub.spawner_class = "simple"
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root"]
"""
BARE_DOCKER = """
c.JupyterHub.spawner_class = "docker"
c.DockerSpawner.image = {image!r}
c.DockerSpawner.pull_policy = "never"
c.DockerSpawner.remove = True
c.DockerSpawner.use_internal_ip = True
c.DockerSpawner.prefix = "qcrbox-bench-{port}"
c.DockerSpawner.notebook_dir = "/tmp"
c.DockerSpawner.cmd = ["jupyterhub-singleuser"]
c.DockerSpawner.extra_create_kwargs = {{"environment": {{"HOME": "/tmp"}}, "entrypoint": []}}
"""


@dataclass
class Row:
    step: str
    ours: list[float]
    bare: list[float]
    limit: float | None = None
    more: dict[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        return statistics.median(self.ours) / statistics.median(self.bare)

    HEAD = "| step | ours, s | bare, s | ratio | spread | limit | |\n|---|---|---|---|---|---|---|"

    def line(self) -> str:
        spread = f"{min(self.ours) / max(self.bare):.2f} to {max(self.ours) / min(self.bare):.2f}"
        limit = "" if self.limit is None else f"{self.limit:g}"
        verdict = "" if self.limit is None else "met" if self.ratio <= self.limit else "MISSED"
        shown = f"{statistics.median(self.ours):.2f} | {statistics.median(self.bare):.2f}"
        return f"| {self.step} | {shown} | {self.ratio:.2f} | {spread} | {limit} | {verdict} |"


class Hub:
    """A running hub, driven through its REST interface."""

    def __init__(
        self, url: str, token: str, person_url: Callable[[str], str], data: Path | None = None
    ) -> None:
        self.url, self.person_url, self.data = url, person_url, data
        headers = {"Authorization": f"token {token}"}
        self.http = httpx.Client(
            base_url=url,
            headers=headers,
            timeout=LIMIT_S,
            trust_env=False,
            mounts=loopback.mounts(url),
            limits=httpx.Limits(max_connections=200),
        )

    def make(self, names: list[str]) -> None:
        answer = self.http.post("/hub/api/users", json={"usernames": names})
        answer.raise_for_status()

    def start(self, name: str) -> float:
        """Seconds until the server answers."""
        begun = time.perf_counter()
        self.http.post(f"/hub/api/users/{name}/server").raise_for_status()
        page, deadline = f"{self.person_url(name)}/user/{name}/api", begun + LIMIT_S / 2
        while True:
            with contextlib.suppress(httpx.HTTPError, ValueError):
                answer = self.http.get(page)
                if answer.status_code == 200 and answer.json().get("version"):
                    return time.perf_counter() - begun
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{name} at {page}")
            time.sleep(0.05)

    def stop(self, name: str) -> None:
        self.http.delete(f"/hub/api/users/{name}/server")
        deadline = time.perf_counter() + 60
        while self.http.get(f"/hub/api/users/{name}").json()["servers"]:
            if time.perf_counter() > deadline:
                raise TimeoutError(name)
            time.sleep(0.05)

    def browser(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.url, timeout=LIMIT_S, trust_env=False, mounts=loopback.mounts(self.url)
        )

    def sign_in(self, name: str) -> float:
        """Seconds of a whole sign-in, with its page."""
        with self.browser() as browser:
            begun = time.perf_counter()
            page = browser.get("/hub/login?next=/hub/token").text
            xsrf = re.search(r'name="_xsrf"\s+value="([^"]+)"', page)
            assert xsrf, page[:500]
            fields = {"username": name, "password": PASSWORD, "_xsrf": xsrf[1]}
            answer = browser.post("/hub/login?next=/hub/token", data=fields)
            assert answer.status_code == 302, answer.status_code
            return time.perf_counter() - begun


@contextlib.contextmanager
def process(command: list[str], folder: Path, ready: Callable[[], bool]) -> Iterator[None]:
    log = folder / "log"
    with log.open("w") as out:
        running = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, cwd=folder, env=os.environ | {"NO_COLOR": "1"}
        )
        try:
            deadline = time.monotonic() + LIMIT_S
            while not ready():
                if running.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[:3]} did not start:\n{log.read_text()[-3000:]}")
                time.sleep(0.1)
            yield
        finally:
            running.terminate()
            try:
                running.wait(30)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


@contextlib.contextmanager
def ours(spawner: str, *arguments: str) -> Iterator[Hub]:
    """The platform with one of its spawners; `arguments` are further ones of `qcrbox up`."""
    # Without root, homes belong to user ids that only the platform's namespace may remove.
    with tempfile.TemporaryDirectory(prefix="qb", ignore_cleanup_errors=os.geteuid() != 0) as root:
        folder, token, port = Path(root), secrets.token_hex(16), ports.choose(1)[0]
        (folder / "data").mkdir()
        (folder / "data/bench.py").write_text("c = get_config()\n" + SERVICE.format(token=token))
        (folder / "data/platform.toml").write_text('hub_config = "bench.py"\n')
        command = [
            sys.executable,
            "-m",
            "qcrbox_hub",
            "up",
            "--data",
            str(folder / "data"),
            "--port",
            str(port),
            "--spawner",
            spawner,
            *arguments,
        ]
        url = f"http://hub.localhost:{port}"
        with process(command, folder, lambda: "Ctrl-C" in (folder / "log").read_text()):
            link = re.search(r"http\S+first-admin\?code=(\S+)", (folder / "log").read_text())
            assert link
            hub = Hub(url, token, Addresses.make(url).person_url, folder / "data")
            _first_administrator(hub, link[1])
            yield hub


def _first_administrator(hub: Hub, code: str) -> None:
    with httpx.Client(
        base_url=hub.url, timeout=60, trust_env=False, mounts=loopback.mounts(hub.url)
    ) as browser:
        page = browser.get(f"/hub/first-admin?code={code}").text
        xsrf = re.search(r'name="_xsrf"\s+value="([^"]+)"', page)
        assert xsrf
        passwords = {"password": PASSWORD, "password_confirmation": PASSWORD}
        fields = {"username": "ada", **passwords, "code": code, "_xsrf": xsrf[1]}
        assert browser.post("/hub/first-admin", data=fields).status_code == 302


@contextlib.contextmanager
def bare(docker: bool, lab: dict[str, Any] | None = None) -> Iterator[Hub]:
    """A bare JupyterHub; `lab` is the configuration of people's servers, kept away from the machine's own."""
    with tempfile.TemporaryDirectory(prefix="qb") as root:
        folder, token = Path(root), secrets.token_hex(16)
        port, hub_port, api_port = ports.choose(3)
        text = "c = get_config()\n" + SERVICE.format(token=token)
        text += BARE.format(
            password=PASSWORD,
            port=port,
            hub_port=hub_port,
            api_port=api_port,
            hub_address=_bridge() if docker else "127.0.0.1",
            proxy=str(Path(sys.executable).with_name("configurable-http-proxy")),
        )
        text += (
            BARE_DOCKER.format(image=IMAGE, port=port)
            if docker
            else BARE_PROCESS.format(python=sys.executable)
        )
        if lab is not None:
            (folder / "jupyter_server_config.json").write_text(json.dumps(lab))
            text += f"c.Spawner.environment = {{'JUPYTER_CONFIG_DIR': {root!r}}}\n"
            text += f"c.SimpleLocalProcessSpawner.home_dir_template = {root + '/homes/{username}'!r}\n"
        (folder / "config.py").write_text(text)
        hub = Hub(f"http://127.0.0.1:{port}", token, lambda name: f"http://127.0.0.1:{port}")

        def answers() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                return hub.http.get("/hub/api").status_code == 200
            return False

        with process([sys.executable, "-m", "jupyterhub", "--config", "config.py"], folder, answers):
            hub.make(["ada"])
            yield hub


def _bridge() -> str:
    """This machine's address as containers see it."""
    return next(each.address for each in psutil.net_if_addrs()["docker0"] if each.family is socket.AF_INET)


def starts(mine: Hub, peer: Hub, step: str, repeat: int, limit: float) -> Row:
    """One person's server, ours and the peer's in turn; the first of each is not counted."""
    name = f"one-{secrets.token_hex(3)}"
    times: dict[Hub, list[float]] = {mine: [], peer: []}
    for hub in times:
        hub.make([name])
    for _ in range(repeat + 1):
        for hub, taken in times.items():
            taken.append(hub.start(name))
            hub.stop(name)
    return Row(step, times[mine][1:], times[peer][1:], limit)


def at_once(mine: Hub, peer: Hub, step: str, people: int, limit: float) -> Row:
    """Many servers at the same time, until the last is ready."""
    names, totals, p95 = [f"many-{number:03d}" for number in range(people)], {}, 0.0
    for hub in (mine, peer):
        hub.make(names)
        begun = time.perf_counter()
        with ThreadPoolExecutor(people) as pool:
            taken = sorted(pool.map(hub.start, names))
        totals[hub] = time.perf_counter() - begun
        if hub is mine:
            p95 = taken[max(0, round(0.95 * people) - 1)]
        with ThreadPoolExecutor(people) as pool:
            list(pool.map(hub.stop, names))
    return Row(f"{step} (ours: 95 % within {p95:.1f} s)", [totals[mine]], [totals[peer]], limit, {"p95": p95})


@dataclass
class Crowd:
    """What people got who came within a minute. answers: seconds and what was asked; ready: seconds until Lab."""

    answers: list[tuple[float, str]] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def note(self, seconds: float, asked: str) -> None:
        """Keep the time of an answer."""
        self.answers.append((seconds, asked))

    def line(self, people: int) -> str:
        """A row of the table, with the slowest answer and what it was."""
        part = (
            statistics.quantiles(self.ready, n=20)[18] if len(self.ready) > 1 else max(self.ready, default=0)
        )
        slowest, asked = max(self.answers)
        times = sorted(seconds for seconds, _ in self.answers)
        verdict = "met" if slowest <= ANSWER_LIMIT_S and not self.failed else "MISSED"
        failed = f", {len(self.failed)} FAILED ({self.failed[0]})" if self.failed else ""
        return (
            f"| {people} people sign in and start within a minute, sandbox{failed} | {len(times)} answers: "
            f"slowest {slowest:.2f} ({asked}), 99 % {times[int(0.99 * len(times))]:.2f}, median {statistics.median(times):.2f}; "
            f"Lab open: median {statistics.median(self.ready or [0]):.1f}, 95 % {part:.1f}, "
            f"last {max(self.ready, default=0):.1f} | | | | answers ≤ {ANSWER_LIMIT_S:g} | {verdict} |"
        )


def add_accounts(data: Path, names: list[str]) -> None:
    """Accounts with ada's password: signing up sixty people one by one is not what is measured."""
    with sqlite3.connect(data / "hub" / "jupyterhub.sqlite", timeout=60) as database:
        columns = [
            row[1]
            for row in database.execute("PRAGMA table_info(users_info)")
            if row[1] not in ("id", "username")
        ]
        copied = ", ".join(columns)
        for name in names:
            database.execute(
                f"INSERT INTO users_info (username, {copied}) SELECT ?, {copied} FROM users_info WHERE username = 'ada'",
                (name,),
            )


class Visitor:
    """One person's browser. Every answer's time is kept, of redirects and of what pages load as well."""

    def __init__(self, hub: Hub, name: str, found: Crowd) -> None:
        self.hub, self.name, self.found = hub, name, found

    def come(self) -> None:
        """Sign in, start the server, open Lab, and close the browser."""
        with self.hub.browser() as self.browser:
            self.arrive()

    def arrive(self) -> httpx.Response:
        """Sign in, start the server, wait as the page does, open Lab; its page."""
        page = self._page("/hub/login?next=/hub/spawn").text
        for path in set(re.findall(r'(?:href|src)="(/hub/static/[^"]+)"', page)):
            self.timed("GET", path)
        xsrf = re.search(r'name="_xsrf"\s+value="([^"]+)"', page)
        assert xsrf
        fields = {"username": self.name, "password": PASSWORD, "_xsrf": xsrf[1]}
        answer = self.timed("POST", "/hub/login?next=/hub/spawn", data=fields)
        assert answer.status_code == 302, answer.status_code
        begun = time.perf_counter()
        answer = self._page(answer.headers["location"])
        if waiting := re.search(r'new EventSource\("([^"]+)"\)', answer.text):
            self._wait(waiting[1].replace("&amp;", "&"))
            answer = self._page(str(answer.url))
        assert "jupyter-config-data" in answer.text, (answer.url, answer.status_code)
        self.found.ready.append(time.perf_counter() - begun)
        return answer

    def timed(self, method: str, url: str, **more: Any) -> httpx.Response:
        """An answer, its time noted."""
        begun = time.perf_counter()
        answer = self.browser.request(method, url, **more)
        self.found.note(time.perf_counter() - begun, f"{method} {answer.url.path}".replace(self.name, "NAME"))
        return answer

    def _page(self, url: str) -> httpx.Response:
        """The page to which the redirects lead."""
        for _ in range(20):
            answer = self.timed("GET", url)
            if not answer.has_redirect_location:
                return answer
            url = str(answer.url.join(answer.headers["location"]))
        raise AssertionError(f"redirects without end at {url}")

    def _wait(self, url: str) -> None:
        """Until the stream of events says that the server is ready; its first event counts as its answer."""
        begun, first = time.perf_counter(), True
        with self.browser.stream("GET", url) as stream:
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    if first:
                        self.found.note(time.perf_counter() - begun, "first event")
                        first = False
                    event = json.loads(line.removeprefix("data:"))
                    assert not event.get("failed"), event.get("message")
                    if event.get("ready"):
                        return
        raise AssertionError("the events ended before the server was ready")


def crowd(hub: Hub, data: Path, people: int, within_s: float = 60.0) -> Crowd:
    """Everyone signs in, starts a server and opens Lab, as a browser does it."""
    names, found = [f"crowd-{number:03d}" for number in range(people)], Crowd()
    add_accounts(data, names)
    hub.make(names)

    def come(number: int) -> None:
        time.sleep(number * within_s / people)
        try:
            Visitor(hub, names[number], found).come()
        except (httpx.HTTPError, AssertionError, OSError) as problem:
            found.failed.append(repr(problem))  # a result, not the end of the measurement

    with ThreadPoolExecutor(people) as pool:
        list(pool.map(come, range(people)))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hub.stop, names))
    return found


def sign_ins(mine: Hub, peer: Hub, people: int) -> Row:
    """All at once, by one name: what counts is the whole hub's work."""
    times: dict[Hub, list[float]] = {mine: [], peer: []}
    for hub, taken in times.items():
        hub.sign_in("ada")
        with ThreadPoolExecutor(people) as pool:
            taken.extend(pool.map(lambda _, hub=hub: hub.sign_in("ada"), range(people)))
    return Row(f"sign-in, {people} at once", times[mine], times[peer])


def rows(options: argparse.Namespace) -> Iterator[Row]:
    with bare(docker=False) as peer:
        with ours("trusted") as mine:
            yield starts(
                mine, peer, "server ready, trusted beside SimpleLocalProcessSpawner", options.repeat, 1.15
            )
            yield sign_ins(mine, peer, options.people)
        if shutil.which("bwrap"):
            with ours("trusted") as trusted, ours("sandbox") as mine:
                yield starts(mine, trusted, "server ready, sandbox beside our trusted", options.repeat, 1.15)
                yield at_once(
                    mine,
                    peer,
                    f"{options.people} at once, sandbox beside SimpleLocalProcessSpawner",
                    options.people,
                    1.15,
                )
    if reason := docker_lacks():
        print(f"Without containers: {reason[0]}.", file=sys.stderr)
        return
    with bare(docker=True) as peer, ours("docker") as mine:
        yield starts(mine, peer, "server ready, docker beside DockerSpawner", options.repeat, 1.1)
        yield at_once(
            mine, peer, f"{options.people} at once, docker beside DockerSpawner", options.people, 1.15
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--crowd", type=int, default=60, help="people within a minute; 0: leave it out")
    parser.add_argument("--only-crowd", action="store_true", help="nothing but the crowd")
    parser.add_argument("--quick", action="store_true", help="two repetitions, four people")
    options = parser.parse_args()
    if options.quick:
        options.repeat, options.people, options.crowd = 2, 4, min(options.crowd, 6)
    print(
        f"Load of the machine at the start: {load()}.\n",
        flush=True,
    )
    print(Row.HEAD, flush=True)
    if options.crowd and shutil.which("bwrap"):
        with ours("sandbox") as mine:
            assert mine.data is not None
            print(crowd(mine, mine.data, options.crowd).line(options.crowd), flush=True)
    found = []
    for row in () if options.only_crowd else rows(options):
        found.append(row)
        print(row.line(), flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in found], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
