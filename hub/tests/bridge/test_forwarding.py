"""REST through the bridge."""

from __future__ import annotations

import asyncio
import json
import socket

import httpx
import pytest
from qcrbox.contract.errors import Conflict, NotSignedIn, Unreachable
from qcrbox_hub.bridge.server import Bridge, Ports, listening
from qcrbox_hub.bridge.upstream import Upstream
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from .conftest import SESSION, success

FAILURE = {"status": "error", "error": {"code": 429, "message": "Your quota is used up.", "details": "x"}}


async def test_the_token_is_added_and_nothing_else_of_the_caller_goes_on(bridge, token):
    headers = {
        "authorization": "Bearer stolen",
        "cookie": "a=b",
        "x-qcrbox-user": "eve",
        "x-forwarded-for": "1.2.3.4",
    }
    async with bridge.client() as program:
        answer = await program.get("/api/calculations", params={"limit": 3, "name": "ä b"}, headers=headers)
    assert answer.status_code == 200
    ((method, address, sent),) = bridge.stand_in.seen
    assert (method, address) == ("GET", "/api/calculations?limit=3&name=%C3%A4+b")
    assert sent["authorization"] == f"Bearer {token}"
    assert not {"cookie", "x-qcrbox-user", "x-forwarded-for", "origin", "referer"} & set(sent)


async def test_a_body_goes_on_as_it_is(bridge):
    async with bridge.client() as program:
        answer = await program.post("/api/commands", json={"a": "b"})
        form = await program.post("/api/datasets", files={"file": ("a.cif", b"\x00\xff" * 1000)})
    assert json.loads(answer.json()["payload"]["body"]) == {"a": "b"}
    assert "\x00\xff" * 1000 in form.json()["payload"]["body"]
    assert [seen[2]["content-type"].split(";")[0] for seen in bridge.stand_in.seen] == [
        "application/json", "multipart/form-data",
    ]  # fmt: skip


@pytest.mark.attack(10)
@pytest.mark.parametrize(
    "path",
    ["/", "/hub/api/users", "/api", "/apis/x", "/api/../hub/api/users", "/api/%2e%2e/hub", "/api/%252e%252e/hub",
     "/api/..%2fhub", "/api/..\\hub", "/api/x/./y", "/internal/calculations/1/inputs/2", "//evil.example/api/x"],
)  # fmt: skip
async def test_only_the_registrys_interface_is_reached(bridge, path):
    # Not by httpx, which would tidy up the path.
    reader, writer = await asyncio.open_connection("127.0.0.1", int(bridge.rest.rpartition(":")[2]))
    host = bridge.rest.removeprefix("http://")
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    assert answer.split(b" ")[1] == b"404"
    assert bridge.stand_in.seen == []


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (JSONResponse(FAILURE, 429, {"retry-after": "2"}), 400, "Your quota is used up."),
        (JSONResponse(FAILURE, 409), 400, "Your quota is used up."),
        (JSONResponse(FAILURE, 404), 404, "Your quota is used up."),
        (JSONResponse(FAILURE, 500), 500, "Your quota is used up."),
        (JSONResponse(FAILURE, 507), 500, "Your quota is used up."),
        (JSONResponse({}, 401), 400, "does not know you any more"),
        (Response("<h1>Bad gateway</h1>", 502), 500, "does not answer as a registry does"),
        (Response("<h1>Starting</h1>", 503), 500, "does not answer as a registry does"),
        (RedirectResponse("/hub/login"), 500, "does not answer as a registry does"),
        (Response("no", 403), 400, "answered 403"),
    ],
    ids=lambda value: str(getattr(value, "status_code", value))[:12],
)
async def test_errors_come_under_codes_whose_words_older_clients_read(bridge, answer, status, words):
    bridge.stand_in.answers["/api/datasets"] = answer
    async with bridge.client() as program:
        shown = await program.get("/api/datasets")
    assert shown.status_code == shown.json()["error"]["code"] == status
    assert shown.json()["status"] == "error"
    assert words in shown.json()["error"]["message"]
    assert shown.json()["error"]["details"]
    assert shown.headers["x-qcrbox-status"] == str(
        max(answer.status_code, 400) if answer.status_code != 307 else 503
    )
    assert shown.headers.get("retry-after") == answer.headers.get("retry-after")


async def test_a_hub_that_is_away_is_said_to_be_away(bridge, stand_in):
    bridge.bridge._upstream.url = f"http://127.0.0.1:{free_port()}"
    async with bridge.client() as program:
        for ask in (
            program.get("/api/datasets"),
            program.post("/api/commands", json={}),
            program.get("/api/healthz"),
        ):
            answer = await ask
            assert answer.status_code == 500
            assert "does not answer" in answer.json()["error"]["message"]
            assert "asks again with the next request" in answer.json()["error"]["next"]
        bridge.bridge._upstream.url = stand_in.url
        assert (await program.get("/api/datasets")).status_code == 200


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_a_token_that_is_taken_back_is_told_at_the_start():
    from starlette.applications import Starlette

    from .conftest import served

    async with served(Starlette()) as url:  # knows no /api/me
        with pytest.raises(Exception, match="answered 404"):
            await Bridge(Upstream(url, "x"), Ports(0, 0, 0)).run(lambda *_: None)
    with pytest.raises(Unreachable):
        await Bridge(Upstream(f"http://127.0.0.1:{free_port()}", "x"), Ports(0, 0, 0)).run(lambda *_: None)


async def test_an_upload_flows_while_it_arrives(bridge):
    first_seen, last_sent = asyncio.Event(), False

    async def taking(request):
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if not first_seen.is_set():
                assert not last_sent
                first_seen.set()
        return success(size=size)

    async def sending():
        nonlocal last_sent
        yield b"x" * 100_000
        await asyncio.wait_for(first_seen.wait(), 60)
        last_sent = True
        yield b"y" * 100_000

    bridge.stand_in.answers["/api/uploads/u"] = taking
    async with bridge.client() as program:
        answer = await program.patch("/api/uploads/u", content=sending())
    assert answer.json()["payload"]["size"] == 200_000


async def test_an_event_stream_flows_while_it_lasts(bridge):
    heard = asyncio.Event()

    async def events():
        yield b"id: 1\ndata: {}\n\n"
        await asyncio.wait_for(heard.wait(), 60)
        yield b"id: 2\ndata: {}\n\n"

    bridge.stand_in.answers["/api/events"] = StreamingResponse(events(), media_type="text/event-stream")
    got = []
    async with bridge.client() as program, program.stream("GET", "/api/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if line.startswith("id"):
                got.append(line)
                heard.set()
    assert got == ["id: 1", "id: 2"]


async def test_a_download_keeps_its_name_and_type(bridge):
    headers = {"content-disposition": 'attachment; filename="a.cif"', "etag": '"1"'}
    bridge.stand_in.answers["/api/datasets/d/download"] = Response(
        b"data_", media_type="application/octet-stream", headers=headers
    )
    async with bridge.client() as program:
        answer = await program.get("/api/datasets/d/download")
        head = await program.head("/api/datasets/d/download")
    assert answer.content == b"data_"
    for shown in (answer, head):
        assert shown.headers["content-disposition"] == headers["content-disposition"]
        assert shown.headers["content-length"] == "5"
        assert shown.headers["content-type"] == "application/octet-stream"


async def test_ports_of_windows_are_filled_in(bridge):
    bridge.stand_in.sessions = [SESSION, SESSION | {"session_id": "s2", "owner": "bob"}]
    async with bridge.client() as program:
        shown = (await program.get("/api/applications")).json()["payload"]["applications"]
        again = (await program.get("/api/applications")).json()["payload"]["applications"]
        mine, theirs = (await program.get("/api/interactive-sessions")).json()["payload"][
            "interactive_sessions"
        ]
    window, tools = shown
    assert again == shown
    assert tools["gui_port"] is None
    assert window["gui_port"].isdigit()
    assert window["vnc_port"].isdigit()
    assert mine["gui_url"].startswith(
        f"http://127.0.0.1:{window['gui_port']}/vnc.html?path=vnc%2Fs1&autoconnect=true"
    )
    assert "gui_url" not in theirs


@pytest.mark.attack(3)
@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"origin": "https://evil.example"}])
async def test_pages_of_others_reach_no_port(bridge, headers):
    bridge.stand_in.sessions = [SESSION]
    async with bridge.client() as program:
        answer = await program.get("/api/datasets", headers=headers)
        posted = await program.post("/api/commands", json={}, headers=headers)
        page = await program.get(f"http://127.0.0.1:{bridge.newest.port}/vnc.html", headers=headers)
    assert (answer.status_code, posted.status_code, page.status_code) == (403, 403, 403)
    assert bridge.stand_in.seen == []


async def test_the_ports_are_on_loopback_alone(bridge):
    ports = [int(bridge.rest.rpartition(":")[2]), bridge.newest.port, bridge.newest.vnc_port]
    own = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None)} - {"127.0.0.1", "::1"}
    for port in ports:
        for address in own:
            if address.startswith("127."):
                continue
            with pytest.raises(OSError):
                socket.create_connection((address, port), timeout=2)


async def test_localhost_is_one_address_or_the_other(bridge):
    port = bridge.rest.rpartition(":")[2]
    async with httpx.AsyncClient(trust_env=False) as program:
        for host in ("127.0.0.1", "[::1]", "localhost"):
            assert (await program.get(f"http://{host}:{port}/api/calculations")).status_code == 200


@pytest.mark.parametrize("taken_on", ["127.0.0.1", "::1"])
def test_a_port_that_somebody_has_is_refused(taken_on):
    family = socket.AF_INET6 if ":" in taken_on else socket.AF_INET
    with socket.socket(family) as other:
        other.bind((taken_on, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Conflict, match=r"choose another one with --port"):
            listening(port, "--port")


async def test_small_answers_are_sent_at_once():
    """Nagle's algorithm is off: it keeps the body back until the client has acknowledged the headers, 40 ms later."""
    for listener in listening(0, "--port"):
        set_to = asyncio.get_running_loop().create_future()

        def accepted(_reader, writer, set_to=set_to):
            made = writer.get_extra_info("socket")
            set_to.set_result(made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        server = await asyncio.start_server(accepted, sock=listener)
        with socket.create_connection(listener.getsockname()[:2]):
            assert await asyncio.wait_for(set_to, 60)
        server.close()


def test_the_token_is_in_no_text(token):
    upstream = Upstream("https://box.example.org", token)
    texts = [
        repr(upstream),
        str(upstream.away(OSError("x"))),
        str(upstream.error_of(401, b"")),
        str(vars(upstream)["url"]),
    ]
    assert not any(token in text for text in texts)
    assert isinstance(upstream.error_of(401, b"{}"), NotSignedIn)


async def test_a_hub_below_localhost_is_found_without_a_name_server(stand_in, token):
    upstream = Upstream(stand_in.url.replace("127.0.0.1", "hub.localhost"), token)
    assert await upstream.sign_in() == "ada"
    async with await upstream.display("s1") as display:
        assert await display.recv() == b"RFB 003.008\n"
    assert all(seen[2]["host"].startswith("hub.localhost:") for seen in stand_in.seen)
    await upstream.close()
