"""Around every request: headers that every answer has, the id of a request, HEAD, and the prefix of the proxy."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from qcrbox_registry.api.middleware import RequestMiddleware
from qcrbox_registry.api.streams import Streamed
from starlette.responses import HTMLResponse

PREFIX = "/services/qcrbox"


@pytest.fixture
def streams():
    """How many streams are open, and how many pieces were asked of them."""
    return {"open": 0, "pieces": 0}


@pytest.fixture
def app(streams):
    app = FastAPI()

    @app.get("/api/me")
    def me(request: Request):
        return {"id": request.state.correlation_id, "root": request.scope.get("root_path", "")}

    @app.get("/page")
    def page():
        return HTMLResponse("<p>page</p>")

    @app.get("/own-policy")
    def own_policy():
        return HTMLResponse(
            "x", headers={"content-security-policy": "sandbox", "x-frame-options": "SAMEORIGIN"}
        )

    @app.get("/endless")
    def endless():
        async def pieces():
            streams["open"] += 1
            try:
                while True:
                    streams["pieces"] += 1
                    yield b"x"
                    await asyncio.sleep(0)
            finally:
                streams["open"] -= 1

        return Streamed(pieces(), headers={"x-kind": "endless"})

    @app.head("/api/uploads/{upload_id}")
    def how_far(upload_id: str):
        return Response(headers={"upload-offset": "5"})

    return RequestMiddleware(app, PREFIX)


@pytest.fixture
async def client(app):
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://registry") as made:
        yield made


@pytest.mark.attack(5)
@pytest.mark.parametrize("path", ["/api/me", "/page", "/nowhere"])
async def test_every_answer_is_read_as_what_it_is_and_framed_by_nobody(client, path):
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"


async def test_pages_load_from_here_alone_and_keep_a_policy_of_their_own(client):
    assert "default-src 'self'" in (await client.get("/page")).headers["content-security-policy"]
    assert "content-security-policy" not in (await client.get("/api/me")).headers
    own = (await client.get("/own-policy")).headers
    assert (own["content-security-policy"], own["x-frame-options"]) == ("sandbox", "SAMEORIGIN")


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        ("abc-1.2:3_4", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("a b", False),
        ("", False),
        ("<script>", False),
    ],
    ids=["usual", "longest", "too long", "blank", "empty", "script"],
)
async def test_a_request_keeps_the_id_it_came_with_if_it_is_one(client, given, is_kept):
    answer = await client.get("/api/me", headers={"x-correlation-id": given})
    found = answer.headers["x-correlation-id"]
    assert answer.json()["id"] == found
    assert (found == given) is is_kept
    assert found


async def test_each_request_without_an_id_gets_its_own(client):
    ids = {(await client.get("/api/me")).headers["x-correlation-id"] for _ in range(5)}
    assert len(ids) == 5


@pytest.mark.parametrize(
    ("path", "root"), [("/api/me", ""), (f"{PREFIX}/api/me", PREFIX)], ids=["directly", "through the proxy"]
)
async def test_the_same_routes_are_below_the_prefix_of_the_proxy(client, path, root):
    assert (await client.get(path)).json()["root"] == root


async def test_a_path_that_only_begins_like_the_prefix_is_not_below_it(client):
    assert (await client.get(f"{PREFIX}-other/api/me")).status_code == 404


async def test_head_is_a_get_without_its_body(client):
    answer = await client.head("/page")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/html")
    assert (await client.head("/nowhere")).status_code == 404


@pytest.mark.attack(12)
async def test_head_of_an_endless_answer_ends_and_leaves_no_stream(client, streams):
    answer = await asyncio.wait_for(client.head("/endless"), 60)
    assert (answer.headers["x-kind"], answer.content) == ("endless", b"")
    assert streams == {"open": 0, "pieces": 1}


async def test_head_of_an_upload_is_a_route_of_its_own(client):
    assert (await client.head("/api/uploads/u1")).headers["upload-offset"] == "5"
