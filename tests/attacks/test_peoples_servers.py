"""From a member's own kernel on a real platform: other people, the platform, its administrators.

Everything runs once in sandboxes and once in containers. Mallory's kernel tries; victor's file, calculation and window
are what is tried for.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from qcrbox_hub.apps.person_image import PersonImageBuilder
from qcrbox_hub.platform import paths
from qcrbox_hub.platform.built_images import connect

from tests.end_to_end.hub_site import HubKernel, Person, Site, running_site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SECRET = "the-thesis-of-victor"

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

    def tries(self, code: str) -> object:
        """What `show(…)` in mallory's kernel said."""
        return _shown(self.thief.run(code))


def _shown(text: str) -> object:
    found = re.search(r"<<(.*)>>", text, re.DOTALL)
    assert found, text
    return json.loads(found[1])


def _image() -> None:
    PersonImageBuilder(
        connect(), sources=paths.applications_folder(), constraints=paths.agent_pins(), say=print
    ).build_person()


@pytest.fixture(
    scope="module", params=["sandbox", pytest.param("docker", marks=pytest.mark.docker)], autouse=True
)
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    if request.param == "docker":
        _image()
    with running_site(tmp_path_factory.mktemp("site"), "--spawner", request.param) as site:
        victor, mallory = site.member("victor"), site.member("mallory")
        kernels = []
        for person in (victor, mallory):
            person.start_server()
            kernels.append(HubKernel(person))
            kernels[-1].run(PRELUDE)
        owner, thief = kernels
        owner.run(f"open(os.path.expanduser('~/thesis.txt'), 'w').write({SECRET!r})")
        calculation, file = _work_of(owner)
        yield Ground(site, victor, thief, owner, calculation, file)
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
    assert (values["NoNewPrivs"].strip(), values["Seccomp"].strip()) == ("1", "2")


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
    assert found["interfaces"] == ["lo"]
    assert found["abstract"] == []


@pytest.mark.attack(24)
def test_the_folder_of_the_servers_socket_takes_no_files(ground: Ground) -> None:
    if (ground.site.data / "secrets").stat().st_uid != 0:
        pytest.skip("only root gives people user ids of their own")
    found = ground.tries("""show(tried(lambda: open("/run/qcrbox/out/fill", "wb").write(b"x" * 1000)))""")
    assert found == "PermissionError"


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
    deadline = time.monotonic() + 30
    entries: list[dict[str, object]] = []
    while not entries:
        assert time.monotonic() < deadline, "the refusal is not in the trail"
        found = ada.http.get(trail, params={"limit": 200}).json()["payload"]["audit"]
        entries = [each for each in found if each["who"] == "mallory" and each["action"] == f"DELETE {path}"]
        time.sleep(0.2)
    assert not any("203.0.113.77" in json.dumps(each) for each in entries)
    assert all(each["allowed"] is False for each in entries)
