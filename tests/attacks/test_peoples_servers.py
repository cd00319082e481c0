"""From a member's own kernel on a real platform: other people, the platform, its administrators.

Everything runs in sandboxes, in containers, and in services of a Swarm of one machine. Mallory's kernel tries; victor's file, calculation and window
are what is tried for.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import httpx
import pytest
from qcrbox_hub.apps.person_image import PersonImageBuilder
from qcrbox_hub.jupyterhub.spawners.swarm import PRIVILEGES_API
from qcrbox_hub.platform import paths
from qcrbox_hub.platform.built_images import connect
from qcrbox_hub.walls.choice import IMAGE
from qcrbox_hub.walls.daemon import PLATFORM_LABEL

from registry.tests.launcher.docker.second_daemon import SecondDaemon
from tests.end_to_end.hub_site import HubKernel, Person, Site, running_site

pytestmark = pytest.mark.slow
SECRET = "the-thesis-of-victor"
PROCESSES = 200
LIMITS = f"[people]\nprocesses = {PROCESSES}\nmemory_gib = 1\ncpus = 1\n"

# Helpers inside the kernel. `tried` never raises: a refusal is an outcome.
PRELUDE = """
import json, os, socket, subprocess, urllib.request
TOKEN = os.environ["JUPYTERHUB_API_TOKEN"]
HUB, REGISTRY = os.environ["JUPYTERHUB_API_URL"], os.environ["QCRBOX_URL"]

def tried(act):
    try:
        return act()
    except Exception as error:
        return type(error).__name__

def ask(method, url, body=None, token=TOKEN, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Authorization": "token " + token, "Content-Type": "application/json", **named}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()

def shell(command):
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr

def show(value):
    print("<<" + json.dumps(value) + ">>")
"""


@dataclass
class Ground:
    """A platform with an administrator, a victim and a thief in their own kernels."""

    site: Site
    victor: Person
    thief: HubKernel
    owner: HubKernel
    calculation: str
    data_file: str
    walls: str

    def tries(self, code: str) -> object:
        """What `show(…)` in mallory's kernel said."""
        return _shown(self.thief.run(code))


def _folder_with_limits(factory: pytest.TempPathFactory) -> Path:
    folder = factory.mktemp("site")
    (folder / "data").mkdir(mode=0o700)
    (folder / "data" / "platform.toml").write_text(LIMITS)
    return folder


@contextlib.contextmanager
def _swarm() -> Iterator[None]:
    """A Swarm of one machine, on a Docker daemon that is ended afterwards; the platform of this module uses it."""
    own = SecondDaemon()
    try:
        own.load(connect(), IMAGE)
        own.start()
        client = docker.DockerClient(base_url=own.url, timeout=300)
        # Names do not come along.
        client.images.get(connect().images.get(IMAGE).id).tag(*IMAGE.split(":"))
        client.swarm.init(advertise_addr="127.0.0.1", listen_addr="127.0.0.1:0")
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("DOCKER_HOST", own.url)
            yield
        left = client.networks.list(filters={"label": PLATFORM_LABEL})
        assert client.services.list() == client.containers.list(all=True) == left == []
    finally:
        own.end()


def _shown(text: str) -> object:
    found = re.search(r"<<(.*)>>", text, re.DOTALL)
    assert found, text
    return json.loads(found[1])


def old_docker() -> bool:
    version = connect().version()["ApiVersion"]
    return tuple(map(int, version.split("."))) < PRIVILEGES_API


def _image() -> None:
    PersonImageBuilder(
        connect(), sources=paths.applications_folder(), constraints=paths.agent_pins(), say=print
    ).build_person()


@pytest.fixture(
    scope="module",
    params=["sandbox", *(pytest.param(each, marks=pytest.mark.docker) for each in ("docker", "swarm"))],
    autouse=True,
)
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    if request.param != "sandbox":
        _image()
    with contextlib.ExitStack() as stack:
        if request.param == "swarm":
            stack.enter_context(_swarm())
        site = stack.enter_context(
            running_site(_folder_with_limits(tmp_path_factory), "--spawner", request.param)
        )
        victor, mallory = site.member("victor"), site.member("mallory")
        kernels = []
        for person in (victor, mallory):
            person.start_server()
            kernels.append(HubKernel(person))
            kernels[-1].run(PRELUDE)
        owner, thief = kernels
        owner.run(f"open(os.path.expanduser('~/thesis.txt'), 'w').write({SECRET!r})")
        calculation, file = _work_of(owner)
        yield Ground(site, victor, thief, owner, calculation, file, walls=request.param)
        for kernel in kernels:
            kernel.close()


def _work_of(owner: HubKernel) -> tuple[str, str]:
    """A data file and a calculation of victor's."""
    made = _shown(
        owner.run(
            """
import qcrbox as qc
cell = "".join(f"_cell_length_{each} 10\\n" for each in "abc") + "".join(f"_cell_angle_{each} 90\\n" for each in ("alpha", "beta", "gamma"))
atoms = "loop_\\n_atom_site_label\\n_atom_site_type_symbol\\n" + "".join(f"_atom_site_fract_{each}\\n" for each in "xyz") + "C1 C 0.1 0.2 0.3\\n"
open("mine.cif", "w").write("data_mine\\n_space_group_name_H-M_alt 'P 1'\\n" + cell + atoms)
calculation = qc.qcrboxtools.to_unified_cif(input_cif="mine.cif", force=True)
files = json.loads(ask("GET", REGISTRY + "/api/data-files")[1])["payload"]["data_files"]
show([calculation.id, files[0]["qcrbox_file_id"]])
"""
        )
    )
    assert isinstance(made, list)
    return str(made[0]), str(made[1])


# ---------------------------------------------------------------- files, processes, sockets of the machine


@pytest.mark.attack(22)
@pytest.mark.attack(25)
def test_no_file_of_the_platform_or_of_others_is_there(ground: Ground) -> None:
    data = str(ground.site.data)
    found = ground.tries(
        f"""
def writes(path):
    name = path + "/.tried"
    try:
        open(name, "w").close()
        os.unlink(name)
    except OSError:
        return False
    return True

show({{
    "data": tried(lambda: os.listdir({data!r})),
    "secrets": tried(lambda: open({data!r} + "/secrets/cookie_secret").read()),
    "homes": shell("ls /home").split(),
    "docker": os.path.exists("/var/run/docker.sock") or os.path.exists("/run/docker.sock"),
    "shadow": tried(lambda: open("/etc/shadow").read()),
    "thesis": shell("grep -rIl {SECRET} / --include=thesis.txt 2>/dev/null"),
    "writable": [path for path in shell("find / -writable -type d -not -path '/proc/*' 2>/dev/null").splitlines() if writes(path)],
    "caps": [line for line in open("/proc/self/status") if line.startswith(("CapEff", "CapBnd", "NoNewPrivs", "Seccomp:"))],
}})
"""
    )
    assert isinstance(found, dict)
    assert found["data"] in ("FileNotFoundError", "PermissionError")
    assert found["secrets"] in ("FileNotFoundError", "PermissionError")
    assert found["homes"] == ["mallory"]
    assert not found["docker"]
    assert "root:" not in found["shadow"]
    assert found["thesis"] == ""
    outside = [
        path
        for path in found["writable"]
        if not re.match(r"/(home/mallory|tmp|dev/shm|dev/mqueue|run/lock)(/|$)", path)
    ]
    assert outside == []
    values = dict(line.split(":\t") for line in found["caps"])
    assert int(values["CapEff"], 16) == int(values["CapBnd"], 16) == 0
    # Docker before 25 cannot give it to a service; without any capability a set-uid program gains nothing.
    no_new_privileges = "0" if ground.walls == "swarm" and old_docker() else "1"
    assert (values["NoNewPrivs"].strip(), values["Seccomp"].strip()) == (no_new_privileges, "2")


@pytest.mark.attack(22)
def test_no_process_and_no_token_but_ones_own_is_seen(ground: Ground) -> None:
    found = ground.tries(
        """
environments = b""
for number in filter(str.isdigit, os.listdir("/proc")):
    try:
        environments += open(f"/proc/{number}/environ", "rb").read()
    except OSError:
        pass
own = {TOKEN, os.environ.get("JUPYTERHUB_CLIENT_ID", "")}
show({
    "commands": shell("cat /proc/*/cmdline 2>/dev/null | tr '\\\\0' ' '"),
    "tokens": sorted({part.partition("=")[2] for part in environments.decode(errors="replace").split("\\0") if "TOKEN=" in part} - own),
})
"""
    )
    assert isinstance(found, dict)
    assert found["tokens"] == []
    for other in ("nats-server", "qcrbox_registry", "jupyterhub.serve", "victor", "qcrbox_registry.launcher"):
        assert other not in found["commands"]


@pytest.mark.attack(21)
@pytest.mark.attack(23)
def test_nothing_but_hub_and_registry_is_reached(ground: Ground) -> None:
    ports = json.loads((ground.site.data / "run" / "ports.json").read_text())
    found = ground.tries(
        f"""
def reached(host, port):
    with socket.socket() as client:
        client.settimeout(2)
        return client.connect_ex((host, port)) == 0
show({{
    "loopback": {{name: reached("127.0.0.1", port) for name, port in {ports!r}.items()}},
    "far": [host for host in ("172.17.0.1", "169.254.169.254", "10.0.0.1", "1.1.1.1") if reached(host, 80)],
    "interfaces": sorted(os.listdir("/sys/class/net")) if os.path.isdir("/sys/class/net") else ["lo"],
    "abstract": [line.split()[-1] for line in open("/proc/net/unix") if "@" in line],
}})
"""
    )
    assert isinstance(found, dict)
    assert found["loopback"]["hub"]
    assert found["loopback"]["registry"]
    assert not any(found["loopback"][name] for name in ("nats", "proxy_api", "proxy"))
    assert found["far"] == []
    if ground.walls != "swarm":  # a service always has a network; its own leads nowhere
        assert found["interfaces"] == ["lo"]
    assert found["abstract"] == []


@pytest.mark.attack(24)
def test_the_folder_of_the_servers_socket_takes_no_files(ground: Ground) -> None:
    if (ground.site.data / "secrets").stat().st_uid != 0:
        pytest.skip("only root gives people user ids of their own")
    found = ground.tries("""show(tried(lambda: open("/run/qcrbox/out/fill", "wb").write(b"x" * 1000)))""")
    assert found == "PermissionError"


@pytest.mark.attack(24)
def test_limits_of_memory_processes_and_processors_hold(ground: Ground) -> None:
    """A fork bomb and a memory bomb of mallory's end at mallory's own limits; victor's kernel goes on."""
    if ground.walls == "sandbox" and not (Path("/sys/fs/cgroup/pids").is_dir() or os.geteuid() == 0):
        pytest.skip("sandboxes have limits as root or with systemd")
    found = ground.tries(
        """
import signal, time
def bomb():
    children = []
    try:
        while len(children) < 3 * PROCESSES:
            pid = os.fork()
            if pid == 0:
                signal.pause()
                os._exit(0)
            children.append(pid)
    except OSError as error:
        return [len(children), type(error).__name__]
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        for pid in children:
            os.waitpid(pid, 0)
    return [len(children), "no limit"]

def eat():
    # In a child, so that the kernel's own process survives the end.
    code = "import os; blocks = [os.urandom(1) * 64_000_000 for _ in range(64)]"
    return subprocess.run(["python", "-c", code], capture_output=True).returncode

show({"forks": bomb(), "memory": eat()})
""".replace("PROCESSES", str(PROCESSES))
    )
    assert isinstance(found, dict)
    forks, refusal = found["forks"]
    assert refusal == "BlockingIOError"
    assert forks < PROCESSES
    assert found["memory"] == -9, "killed at the limit of 1 GiB"
    assert "42" in ground.owner.run("print(6 * 7)")


@pytest.mark.attack(22)
def test_no_open_descriptor_of_any_process_leads_out(ground: Ground) -> None:
    """A descriptor can be opened anew through /proc, with other rights than it was passed on with."""
    found = ground.tries(
        """
opened = []
for pid in filter(str.isdigit, os.listdir("/proc")):
    for number in tried(lambda: os.listdir(f"/proc/{pid}/fd")) or ():
        name = f"/proc/{pid}/fd/{number}"
        target, owner = tried(lambda: os.readlink(name)), tried(lambda: os.stat(name).st_uid)
        try:
            os.close(os.open(name, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            continue
        opened.append([target, owner == os.getuid()])
show([opened, os.getuid()])
"""
    )
    assert isinstance(found, list)
    opened, _ = found
    own = re.compile(r"(/home/mallory|/tmp|/dev|/memfd)|pipe:|anon_inode:")
    assert [target for target, is_own in opened if not own.match(target) or not is_own] in (
        [],
        [target for target, _ in opened if target.startswith("/dev/")],
    )


@pytest.mark.attack(24)
def test_flood_into_the_servers_log_does_not_fill_the_disk(ground: Ground) -> None:
    """Kernels inherit where the server logs to; that file lies outside the home and its limit."""
    found = ground.tries(
        """
written = 0
for number in range(64):
    if str(tried(lambda: os.readlink(f"/proc/self/fd/{number}"))).endswith((".log", ".log (deleted)")):
        for _ in range(300):
            written += tried(lambda: os.write(number, b"x" * 1_000_000))
show(written)
"""
    )
    assert isinstance(found, int)
    assert found > 0 or ground.walls != "sandbox", "nothing was tried"
    deadline = time.monotonic() + 60
    while sum(file.stat().st_size for file in (ground.site.data / "logs").rglob("server-*")) > 20_000_000:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


@pytest.mark.attack(24)
def test_tmp_ends_at_its_size(ground: Ground) -> None:
    """It lies in memory: what is written there counts towards the limit of memory or ends at the size of the mount."""
    found = ground.tries("""import shutil; show(shutil.disk_usage("/tmp").total)""")
    assert isinstance(found, int)
    assert 0 < found <= 1024**3


# ---------------------------------------------------------------- the hub and its administrators


@pytest.mark.attack(1)
@pytest.mark.attack(4)
def test_a_servers_token_changes_nothing_in_the_hub(ground: Ground) -> None:
    tries = [
        ["PATCH", "/users/mallory", {"admin": True}],
        ["POST", "/users/mallory", {"admin": True}],
        ["POST", "/users/mallory/tokens", {"note": "mine", "scopes": ["admin:users"]}],
        ["POST", "/users/mallory/tokens", {"note": "mine"}],
        ["POST", "/users/victor/tokens", {"note": "his"}],
        ["POST", "/users/victor/server", {}],
        ["DELETE", "/users/victor/server", None],
        ["GET", "/users", None],
        ["GET", "/users/victor", None],
        ["GET", "/groups", None],
        ["POST", "/groups/everyone/users", {"users": ["mallory"]}],
        ["PUT", "/groups/everyone/properties", {"internet": True}],
        ["POST", "/share-codes/mallory/", {}],
        ["POST", "/services/evil", {"admin": True}],
        ["GET", "/proxy", None],
        ["POST", "/shutdown", {}],
    ]
    found = ground.tries(
        f"show([ask(method, HUB + path, body)[0] for method, path, body in json.loads({json.dumps(tries)!r})])"
    )
    assert isinstance(found, list)
    for (method, path, _), status in zip(tries, found, strict=True):
        assert status in (400, 403, 404, 405), (method, path)
    assert ground.site.ada.http.get("/hub/api/users/mallory").json()["admin"] is False


@pytest.mark.attack(1)
def test_a_page_of_a_member_cannot_act_in_an_administrators_browser(ground: Ground) -> None:
    """What the script of a page on mallory's server would send: cookies of the hub, and the origin of that page."""
    ada = ground.site.ada
    origin = ground.site.url.replace("hub.localhost", "lab-mallory.localhost")
    ada.http.get("/hub/administration/people")
    token = ada.xsrf("/hub/")
    before = ada.http.get("/hub/api/users/mallory").json()
    sent = [
        ada.http.post(
            "/hub/administration/people/mallory",
            data={"typed_name": "mallory", "reason": "x", "action": "make_administrator", "_xsrf": token},
            headers={"Origin": origin, "Sec-Fetch-Site": site},
        )
        for site in ("cross-site", "same-site")
    ]
    sent.append(
        ada.http.patch(
            "/hub/api/users/mallory", json={"admin": True}, headers={"Origin": origin, "X-XSRFToken": token}
        )
    )
    sent.append(
        ada.http.get(
            "/hub/administration/people",
            headers={"Origin": origin, "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
        )
    )
    sent.append(
        ada.http.get(
            "/services/qcrbox/api/me",
            headers={"Origin": origin, "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
        )
    )
    assert [answer.status_code for answer in sent] == [403] * len(sent)
    assert ada.http.get("/hub/api/users/mallory").json()["admin"] is before["admin"] is False
    # Nor does the hub answer under the name of a member's server.
    for path in ("/hub/login", "/hub/administration/people", "/services/qcrbox/api/me"):
        assert (
            httpx.get(
                f"http://127.0.0.1:{httpx.URL(origin).port}{path}",
                headers={"Host": httpx.URL(origin).netloc.decode()},
                trust_env=False,
            ).status_code
            == 404
        )


@pytest.mark.attack(27)
def test_another_persons_server_opens_to_nobody(ground: Ground) -> None:
    """With mallory's cookies, with her server's token, and for an administrator."""
    page = f"{ground.victor.origin}/user/victor/api/contents/thesis.txt"
    mallory = Person(ground.site, "mallory").sign_in()
    for person in (mallory, ground.site.ada):
        answer = person.http.get(page)
        assert SECRET not in answer.text
        assert answer.status_code in (403, 404), person.name
    token = ground.tries("show(TOKEN)")
    answer = mallory.http.get(page, headers={"Authorization": f"token {token}"})
    assert answer.status_code in (403, 404)
    assert ground.victor.http.get(page).status_code == 200, "its owner reads it"


# ---------------------------------------------------------------- the registry


@pytest.mark.attack(18)
def test_another_persons_calculation_is_not_there(ground: Ground) -> None:
    found = ground.tries(
        f"""
tools = next(each for each in json.loads(ask("GET", REGISTRY + "/api/applications")[1])["payload"]["applications"] if each["slug"] == "qcrboxtools")
paths = [("GET", ""), ("GET", "/log"), ("GET", "/events"), ("POST", "/stop")]
show({{
    "one": [ask(method, REGISTRY + "/api/calculations/{ground.calculation}" + path)[0] for method, path in paths],
    "lists": [text.count("{ground.calculation}") for text in (ask("GET", REGISTRY + path)[1] for path in ("/api/calculations?limit=500", "/api/search?text=unified", "/api/calculations?owner=victor"))],
    "file": [ask("GET", REGISTRY + "/api/data-files/{ground.data_file}" + path)[0] for path in ("", "/download", "/verify")],
    "as input": ask("POST", REGISTRY + "/api/commands", {{"application_slug": "qcrboxtools", "application_version": tools["version"], "command_name": "to_unified_cif", "command_arguments": {{"input_cif": {{"data_file_id": "{ground.data_file}"}}}}}})[0],
    "share": ask("POST", REGISTRY + "/api/shares", {{"kind": "data_file", "object_id": "{ground.data_file}", "person": "mallory"}})[0],
    "lineage": ask("GET", REGISTRY + "/api/lineage/data_file/{ground.data_file}")[0],
}})
"""
    )
    assert isinstance(found, dict)
    assert set(found["one"]) == {404}
    assert set(found["lists"]) == {0}
    assert set(found["file"]) == {404}
    assert found["as input"] == found["share"] == found["lineage"] == 404


@pytest.mark.attack(27)
def test_another_persons_window_is_not_there(ground: Ground) -> None:
    ground.owner.run(f"data_file = {ground.data_file!r}")
    started = _shown(
        ground.owner.run(
            """
application = next(each for each in json.loads(ask("GET", REGISTRY + "/api/applications")[1])["payload"]["applications"] if each["slug"] == "shelxle")
status, text = ask("POST", REGISTRY + "/api/interactive-sessions", {"application_slug": "shelxle", "application_version": application["version"], "command_arguments": {"structure": {"data_file_id": data_file}}})
show([status, json.loads(text).get("payload", {}).get("interactive_session_id", ""), text[:300]])
"""
        )
    )
    assert isinstance(started, list)
    assert started[1], started
    found = ground.tries(
        f"""
base = REGISTRY + "/api/interactive-sessions/{started[1]}"
show({{
    "rest": [ask(method, base + path)[0] for method, path in (("GET", ""), ("POST", "/close"), ("POST", "/discard"), ("POST", "/stay"))],
    "list": ask("GET", REGISTRY + "/api/interactive-sessions")[1].count("{started[1]}"),
}})
"""
    )
    ground.owner.run(f"""ask("POST", REGISTRY + "/api/interactive-sessions/{started[1]}/discard")""")
    assert isinstance(found, dict)
    assert set(found["rest"]) == {404}
    assert found["list"] == 0


@pytest.mark.attack(30)
def test_what_a_kernel_claims_of_its_address_is_not_in_the_audit_trail(ground: Ground) -> None:
    path = f"/api/data-files/{ground.data_file}"
    ground.tries(
        f"""show(ask("DELETE", REGISTRY + "{path}", X_Forwarded_For="203.0.113.77", X_Real_Ip="203.0.113.77", Forwarded="for=203.0.113.77")[0])"""
    )
    trail = f"{ground.site.url}/services/qcrbox/api/audit"
    ada = ground.site.ada
    ada.http.get(f"{ground.site.url}/services/qcrbox/docs")  # signs in to the registry
    deadline = time.monotonic() + 60
    entries: list[dict[str, object]] = []
    while not entries:
        assert time.monotonic() < deadline, "the refusal is not in the trail"
        found = ada.http.get(trail, params={"limit": 200}).json()["payload"]["audit"]
        entries = [each for each in found if each["who"] == "mallory" and each["action"] == f"DELETE {path}"]
        time.sleep(0.2)
    assert not any("203.0.113.77" in json.dumps(each) for each in entries)
    assert all(each["allowed"] is False for each in entries)


@pytest.mark.attack(30)
@pytest.mark.parametrize("who", ["anonymous", "member"])
def test_no_page_for_debugging_is_open(ground: Ground, who: str) -> None:
    """Those of JupyterHub, of the registry, of Tornado, uvicorn and NATS, by the public name."""
    http = ground.victor.http if who == "member" else httpx.Client(follow_redirects=True, trust_env=False)
    paths = [
        *("/debug", "/metrics", "/server-status", "/healthz", "/varz", "/connz", "/api/routes", "/Caddyfile"),
        *("/hub/metrics", "/hub/debug", "/hub/admin", "/hub/api/users", "/hub/api/proxy", "/hub/api/info", "/hub/api/services"),
        *("/services/qcrbox/metrics", "/services/qcrbox/debug", "/services/qcrbox/api/audit", "/services/qcrbox/api/status"),
        *("/hub/static/../../secrets/cookie_secret", "/hub/static/%2e%2e/%2e%2e/secrets/cookie_secret", "/.git/config"),
    ]  # fmt: skip
    port = httpx.URL(ground.site.url).port
    for path in paths:
        url = f"http://127.0.0.1:{port}{path}"
        answer = http.get(
            url, headers={"Host": httpx.URL(ground.site.url).netloc.decode()}, follow_redirects=False
        )
        assert answer.status_code in (302, 400, 401, 403, 404, 405), (
            path,
            answer.status_code,
            answer.text[:200],
        )
        assert "Traceback" not in answer.text


@pytest.mark.attack(30)
@pytest.mark.parametrize("name", ["admin", "jupyter", "root", "ada", "test"])
def test_no_account_has_a_default_password(ground: Ground, name: str) -> None:
    stranger = Person(ground.site, name)
    for password in ("", name, "admin"):
        token = re.search(r'name="_xsrf"\s+value="([^"]+)"', stranger.http.get("/hub/login").text)
        assert token
        answer = stranger.http.post(
            "/hub/login",
            data={"username": name, "password": password, "_xsrf": token[1]},
            follow_redirects=False,
        )
        assert answer.status_code != 302
    assert "jupyterhub-session-id" not in str(stranger.http.get("/hub/token").url)
    assert str(stranger.http.get("/hub/token").url).startswith(f"{ground.site.url}/hub/login")


# ---------------------------------------------------------------- files that a teacher opens


@pytest.mark.attack(11)
def test_files_of_a_student_run_no_script_in_the_origin_of_who_opens_them(ground: Ground) -> None:
    """Pages, drawings and notebooks as HTML: the browser is told to keep them in a sandbox without the person's rights."""
    ground.owner.run(
        """
import pathlib
home = pathlib.Path.home()
script = "<script>document.title='evil'</script>"
(home / "look.html").write_text(script)
(home / "look.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg">' + script + "</svg>")
cell = {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": "", "outputs": [{"output_type": "display_data", "metadata": {}, "data": {"text/html": script}}]}
(home / "look.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {"kernelspec": {"name": "python3", "display_name": "x"}}, "nbformat": 4, "nbformat_minor": 5}))
"""
    )
    base = f"{ground.victor.origin}/user/victor"
    for path in ("/files/look.html", "/files/look.svg", "/nbconvert/html/look.ipynb"):
        answer = ground.victor.http.get(base + path)
        if answer.status_code in (404, 500):
            continue  # this server has no such page
        policy = answer.headers.get("content-security-policy", "")
        attached = answer.headers.get("content-disposition", "").startswith("attachment")
        sandboxed = "sandbox" in policy and "allow-same-origin" not in policy
        assert sandboxed or attached or "script" not in answer.text, (path, policy)
    assert ground.victor.http.get(base + "/files/look.html").status_code == 200, "something was tried"
    framed = ground.victor.http.get(base + "/view/look.html").text  # Jupyter's own page around the file
    assert "evil" not in framed
    assert re.findall(r"<iframe[^>]*sandbox=\"([^\"]*)\"", framed) == ["allow-scripts"] * framed.count(
        "<iframe"
    )
