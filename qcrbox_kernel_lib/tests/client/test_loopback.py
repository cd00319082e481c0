"""Which addresses are this machine, and that names below localhost reach it."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from qcrbox.client import loopback

from ..small_server import small_server


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:8000/x", True),
        ("http://localhost", True),
        ("http://LOCALHOST:80", True),
        ("http://hub.localhost:8000", True),
        ("http://hub.localhost.:8000", True),
        ("http://localhost.example.org", False),
        ("http://localhost@example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("http://10.0.0.1", False),
        ("http://example.org", False),
        ("", False),
    ],
)
def test_an_address_of_this_machine(url, here):
    assert loopback.is_loopback(url) == here


@pytest.mark.parametrize("host", ["hub.localhost", "a.b.localhost", "HUB.localhost"])
def test_a_name_below_localhost_needs_no_name_server_and_stays_in_the_header(host):
    with small_server() as server:
        server["GET /x"] = {}
        url = server.url.replace("127.0.0.1", host)
        with httpx.Client(mounts=loopback.mounts(url)) as client:
            assert client.get(f"{url}/x").status_code == 200
        assert server.requests[0].headers["host"].lower().startswith(host.lower())


def test_an_asynchronous_client_finds_it_too():
    async def ask(url):
        async with httpx.AsyncClient(mounts=loopback.async_mounts(url)) as client:
            return (await client.get(f"{url}/x")).status_code

    with small_server() as server:
        server["GET /x"] = {}
        assert asyncio.run(ask(server.url.replace("127.0.0.1", "hub.localhost"))) == 200


@pytest.mark.parametrize("url", ["https://example.org", "http://localhost", "http://127.0.0.1"])
def test_other_addresses_need_nothing_of_it(url):
    assert loopback.mounts(url) == {}
    assert loopback.async_mounts(url) == {}
