"""16, 18, 19 and 27: applications, calculations, places in the queue and windows of other people."""

from __future__ import annotations

import itertools
import re
import sqlite3
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.attacks.conftest import Ground, Person, until

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def victim(ground: Ground) -> Iterator[str]:
    """A calculation of ada's that runs."""
    made = ground.ada.running()
    yield made
    ground.ada.stop(made)


# ---------------------------------------------------------------- 16


@pytest.mark.attack(16)
def test_16_fields_about_the_container_in_a_request_change_nothing(ground: Ground) -> None:
    wanted = {
        "image": "debian:bookworm-slim",
        "tag": "latest",
        "mounts": ["/:/host"],
        "binds": ["/:/host"],
        "volumes": {"/": {"bind": "/host"}},
        "env": {"LD_PRELOAD": "/tmp/x.so"},
        "environment": {"LD_PRELOAD": "/tmp/x.so"},
        "network": "host",
        "network_mode": "host",
        "privileged": True,
        "cap_add": ["ALL"],
        "devices": ["/dev/sda"],
        "user": "0",
        "entrypoint": ["sh"],
        "limits": {"memory_bytes": 10**13, "pids": 10**6},
        "agent": "intruder-1",
        "launcher": "other",
        "files_url": "http://attacker.example/",
    }
    body = {"application_slug": "intruder", "application_version": "1.0", "command_name": "wait", "command_arguments": {}}  # fmt: skip
    answer = ground.cyd.http.post("/api/commands", json=body | wanted)
    if answer.status_code == 400:
        return
    calculation_id = answer.json()["payload"]["calculation_id"]
    until(lambda: ground.cyd.look(calculation_id)["status"] == "running")
    container = ground.container_of(ground.agent_of(ground.cyd, calculation_id))
    container.reload()
    host, config = container.attrs["HostConfig"], container.attrs["Config"]
    assert host["NetworkMode"] == "none"
    assert len(host["Binds"]) == 1
    assert host["Memory"] == 512_000_000
    assert not host["Privileged"]
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["/opt/qcrbox/bin/python", "-m", "qcrbox_agent"]
    assert not [entry for entry in config["Env"] if entry.startswith("LD_")]
    ground.cyd.stop(calculation_id)


@pytest.mark.attack(16)
@pytest.mark.parametrize(
    "arguments", [{"seconds": 1.0, "image": "evil"}, {"seconds": {"$ref": "x"}}, {"seconds": ["1", ";ls"]}]
)
def test_16_arguments_that_the_command_does_not_have_are_refused(
    ground: Ground, arguments: dict[str, object]
) -> None:
    body = {"application_slug": "intruder", "application_version": "1.0", "command_name": "wait", "command_arguments": arguments}  # fmt: skip
    assert ground.bob.http.post("/api/commands", json=body).status_code == 400


@pytest.mark.attack(16)
@pytest.mark.parametrize(
    ("slug", "version"),
    [("Intruder", "1.0"), ("intruder ", "1.0"), ("intruder", "1"), ("intruder", "latest"), ("іntruder", "1.0"), ("*", "*"), ("../intruder", "1.0")],
)  # fmt: skip
@pytest.mark.attack(17)
def test_16_a_name_that_only_looks_like_an_applications_is_not_there(
    ground: Ground, slug: str, version: str
) -> None:
    body = {
        "application_slug": slug,
        "application_version": version,
        "command_name": "wait",
        "command_arguments": {},
    }
    assert ground.bob.http.post("/api/commands", json=body).status_code in (400, 404)


# ---------------------------------------------------------------- 18


def routes(calculation_id: str) -> list[tuple[str, str]]:
    base = f"/api/calculations/{calculation_id}"
    return [
        ("GET", base),
        ("GET", f"{base}?wait=1"),
        ("GET", f"{base}/log"),
        ("GET", f"{base}/log?stream=stdout"),
        ("GET", f"{base}/events"),
        ("POST", f"{base}/stop"),
        ("PATCH", base),
        ("GET", f"/api/lineage/calculation/{calculation_id}"),
        ("GET", f"/api/interactive-sessions/{calculation_id}"),
        ("POST", f"/api/interactive-sessions/{calculation_id}/close"),
        ("POST", f"/api/interactive-sessions/{calculation_id}/discard"),
    ]


def answer_of(person: Person, method: str, path: str) -> tuple[int, str]:
    body = {"tags": []} if method == "PATCH" else None
    answer = person.http.request(method, path, json=body)
    return answer.status_code, re.sub(r"[0-9a-f]{32}|\d{4}-\d\d-\d\dT[^\"]*", "…", answer.text)


@pytest.mark.attack(18)
def test_18_somebody_elses_calculation_is_answered_like_one_that_does_not_exist(
    ground: Ground, victim: str
) -> None:
    nothing = "0" * len(victim)
    for (method, path), (_, same) in zip(routes(victim), routes(nothing), strict=True):
        found = answer_of(ground.bob, method, path)
        assert found[0] == 404, path
        assert found == answer_of(ground.bob, method, same), path
        assert answer_of(ground.nobody, method, path)[0] == 401, path
    assert ground.ada.look(victim)["status"] == "running"


@pytest.mark.attack(18)
def test_18_lists_searches_and_streams_do_not_show_it(ground: Ground, victim: str) -> None:
    for path in ("/api/calculations?limit=500", "/api/calculations?owner=ada", "/api/calculations?q=wait", "/api/search?text=wait"):  # fmt: skip
        assert victim not in ground.bob.http.get(path).text, path
    own = ground.bob.run("say_words", bare="a", single="b", double="c", joined="d")
    ground.ada.call("PATCH", f"/api/calculations/{victim}", json={"tags": ["touched"]})
    with ground.bob.http.stream("GET", "/api/events", headers={"Last-Event-ID": "0"}) as stream:
        heard = ""
        for part in stream.iter_text():
            heard += part
            if own["calculation_id"] in heard and "successful" in heard:
                break
    assert victim not in heard


@pytest.mark.attack(18)
def test_18_ids_cannot_be_counted_through(ground: Ground) -> None:
    ids = [ground.ada.start("wait", seconds=0.01) for _ in range(4)]
    assert all(re.fullmatch(r"[0-9a-z-]{20,}", one) for one in ids)
    tails = [int(re.sub(r"[^0-9a-f]", "", one)[-16:] or "0", 16) for one in ids]
    assert min(abs(a - b) for a, b in itertools.pairwise(tails)) > 2**32
    for one in ids:
        ground.ada.ended(one)


@pytest.mark.attack(18)
def test_18_a_repeated_or_nested_calculation_lends_no_rights(ground: Ground, victim: str) -> None:
    secret = ground.ada.http.post("/api/data-files", files={"file": ("s.txt", b"secret")}).json()["payload"]
    file_id = secret["data_files"][0]["qcrbox_file_id"]
    arguments = {"bare": "a", "single": "b", "double": "c", "joined": "d", "file": {"data_file_id": file_id}}
    body = {"application_slug": "intruder", "application_version": "1.0", "command_name": "say_words", "command_arguments": arguments}  # fmt: skip
    for more in ({}, {"repeat_of": victim}, {"force": True}, {"group": "ada"}):
        answer = ground.bob.http.post("/api/commands", json=body | more)
        assert answer.status_code in (400, 404), answer.text
        assert "secret" not in answer.text


# ---------------------------------------------------------------- 19


@pytest.mark.attack(19)
def test_19_a_flood_of_one_person_holds_up_nobody_else(ground: Ground) -> None:
    body = {"application_slug": "intruder", "application_version": "1.0", "command_name": "wait", "command_arguments": {"seconds": 600.0}}  # fmt: skip
    flood = ground.ada.call(
        "POST", "/api/commands/batch", json={"commands": [body | {"priority": 10}] * 2000}
    )
    try:
        until(
            lambda: ground.ada.call("GET", "/api/calculations", params={"status": "running"})["calculations"]
        )
        done = ground.bob.run("say_words", bare="a", single="b", double="c", joined="d")
        assert done["status"] == "successful"
    finally:
        ground.ada.call("POST", "/api/calculations/stop", json={"batch_id": flood["batch_id"]}, timeout=120)
    until(lambda: not ground.ada.call("GET", "/api/calculations", params={"status": "running", "batch": flood["batch_id"]})["calculations"])  # fmt: skip


@pytest.mark.attack(19)
@pytest.mark.parametrize("priority", [1, 10**6, 2**63, 1e308, "9", None])
def test_19_a_person_cannot_raise_their_own_priority(ground: Ground, priority: object) -> None:
    body = {"application_slug": "intruder", "application_version": "1.0", "command_name": "wait", "command_arguments": {"seconds": 0.01}, "priority": priority}  # fmt: skip
    answer = ground.bob.http.post("/api/commands", json=body)
    if answer.status_code == 400:
        return
    calculation_id = answer.json()["payload"]["calculation_id"]
    with sqlite3.connect(f"file:{ground.data / 'qcrbox.sqlite'}?mode=ro", uri=True) as database:
        (stored,) = database.execute(
            "SELECT priority FROM calculations WHERE id = ?", (calculation_id,)
        ).fetchone()
    assert stored <= 0
    ground.bob.ended(calculation_id)


# ---------------------------------------------------------------- 27


def display(ground: Ground, session_id: str, name: str, query: str = "") -> ClientConnection:
    headers = {"Authorization": f"Bearer token-of-{name}"} if name else {}
    address = f"{ground.url.replace('http', 'ws')}/api/interactive-sessions/{session_id}/display{query}"
    return connect(address, additional_headers=headers, proxy=None, compression=None, max_size=None)


def close_code(ground: Ground, session_id: str, name: str, query: str = "") -> tuple[int | None, str]:
    with display(ground, session_id, name, query) as websocket:
        try:
            heard = websocket.recv(30)
            raise AssertionError(f"{name or 'nobody'} heard {heard[:40]!r}")
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None, closed.rcvd.reason if closed.rcvd else ""


@pytest.fixture
def window(ground: Ground) -> Iterator[str]:
    """A session of ada's that is open."""
    body = {"application_slug": "window", "application_version": "1.0", "command_arguments": {}}
    made = ground.ada.call("POST", "/api/interactive-sessions", json=body)["interactive_session_id"]
    until(lambda: state_of(ground, made) == "open")
    yield made
    ground.ada.call("POST", f"/api/interactive-sessions/{made}/discard")


def state_of(ground: Ground, session_id: str) -> str:
    found = ground.ada.call("GET", f"/api/interactive-sessions/{session_id}")["interactive_sessions"][0]
    assert found["state"] != "closed", found
    return found["state"]


@pytest.mark.attack(27)
def test_27_a_window_is_shown_to_its_owner_only_and_to_nobody_after_its_end(
    ground: Ground, window: str
) -> None:
    with display(ground, window, "ada") as own:
        assert own.recv(60).startswith(b"RFB 003.")
        for query in ("", "?view=true", "?view=1&token=token-of-ada"):
            assert close_code(ground, window, "bob", query)[0] == 4404
            assert close_code(ground, window, "", query)[0] == 4401
            assert close_code(ground, window, "wrong", query)[0] == 4401
        stranger, nothing = close_code(ground, window, "bob"), close_code(ground, "0" * len(window), "bob")
        assert re.sub(r"[0-9a-f]{32}", "…", stranger[1]) == re.sub(r"[0-9a-f]{32}", "…", nothing[1])
        for path in ("close", "discard", "stay"):
            assert ground.bob.http.post(f"/api/interactive-sessions/{window}/{path}").status_code == 404
        allowed = ground.bob.http.patch(
            f"/api/interactive-sessions/{window}", json={"view_only_allowed": True}
        )
        assert allowed.status_code == 404
        assert state_of(ground, window) == "open"
    ground.ada.call("POST", f"/api/interactive-sessions/{window}/close")
    assert close_code(ground, window, "ada")[0] == 4409
    assert close_code(ground, window, "bob")[0] == 4404


@pytest.mark.attack(27)
def test_27_the_next_persons_window_is_another_one_in_another_container(ground: Ground, window: str) -> None:
    first = ground.agent_of(ground.ada, window)
    ground.ada.call("POST", f"/api/interactive-sessions/{window}/discard")
    body = {"application_slug": "window", "application_version": "1.0", "command_arguments": {}}
    made = ground.bob.call("POST", "/api/interactive-sessions", json=body)["interactive_session_id"]
    until(lambda: ground.bob.call("GET", f"/api/interactive-sessions/{made}")["interactive_sessions"][0]["state"] == "open")  # fmt: skip
    assert ground.agent_of(ground.bob, made) != first
    with display(ground, made, "bob") as own:
        assert own.recv(60).startswith(b"RFB 003.")
    assert close_code(ground, made, "ada")[0] == 4404
    ground.bob.call("POST", f"/api/interactive-sessions/{made}/discard")


@pytest.mark.attack(27)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example"])
def test_27_a_page_of_another_site_gets_no_window(ground: Ground, window: str, origin: str) -> None:
    address = f"{ground.url.replace('http', 'ws')}/api/interactive-sessions/{window}/display"
    with pytest.raises((InvalidStatus, httpx.HTTPError)):
        connect(
            address, additional_headers={"Authorization": "Bearer token-of-ada"}, origin=origin, proxy=None
        )


@pytest.mark.attack(27)
def test_27_no_container_with_a_window_opens_a_port(ground: Ground, window: str) -> None:
    container = ground.container_of(ground.agent_of(ground.ada, window))
    container.reload()
    assert container.attrs["HostConfig"]["NetworkMode"] == "none"
    assert not container.attrs["NetworkSettings"]["Ports"]
    listening = container.exec_run(["cat", "/proc/net/tcp", "/proc/net/tcp6"]).output.decode()
    heard = [line.split()[1] for line in listening.splitlines() if " 0A " in line]
    assert all(one.startswith("0100007F:") for one in heard), heard
    assert not [one for one in heard if 0x1770 <= int(one.split(":")[1], 16) < 0x17D4], "an X or VNC port"
