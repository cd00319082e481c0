"""A registry for one person: with the one secret, or with none on loopback."""

from __future__ import annotations

import asyncio
import socket
import stat

import pytest
from pydantic import ValidationError
from qcrbox.contract.errors import Conflict, QcError
from qcrbox_registry.__main__ import listening, only_one, settings_from
from qcrbox_registry.access.identity import OnePerson, read_or_make_token
from qcrbox_registry.settings import Settings
from qcrbox_registry.store import schema
from qcrbox_registry.store.engine import Database
from starlette.requests import HTTPConnection


@pytest.fixture
def database(tmp_path):
    made = Database(f"sqlite:///{tmp_path / 'a.sqlite'}")
    schema.migrate(made)
    yield made
    made.close()


def asking(method="GET", host="127.0.0.1:5", **headers):
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection(
        {
            "type": "http",
            "method": method,
            "headers": [(b"host", host.encode()), *raw],
            "client": ("127.0.0.1", 1),
        }
    )


async def test_without_authentication_everybody_on_loopback_is_local_with_every_right(database):
    actor = await OnePerson(database, None).actor(asking())
    assert (actor.name, actor.admin) == ("local", True)


@pytest.mark.parametrize("host", ["localhost", "localhost:80", "127.0.0.1:5", "[::1]:5"])
async def test_without_authentication_loopback_names_open(database, host):
    assert (await OnePerson(database, None).actor(asking(host=host))).admin


@pytest.mark.parametrize(
    "host", ["attacker.example:5", "127.0.0.1.attacker.example", "10.0.0.7:5", "localhost.example"]
)
async def test_without_authentication_a_name_that_was_led_here_does_not_open(database, host):
    with pytest.raises(QcError, match="loopback names only") as refused:
        await OnePerson(database, None).actor(asking(host=host))
    assert refused.value.status == 403


async def test_without_authentication_a_foreign_page_does_not_open(database):
    with pytest.raises(QcError, match="foreign page"):
        await OnePerson(database, None).actor(asking("POST", origin="http://attacker.example"))


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer no"}, {"authorization": "Basic x"}, {"cookie": "qcrbox-registry=no"}],
)
async def test_with_a_secret_nobody_else_comes_in(database, headers):
    with pytest.raises(QcError) as refused:
        await OnePerson(database, "the-secret").actor(asking(**headers))
    assert refused.value.status == 401


@pytest.mark.parametrize("kind", ["Bearer", "token", "bearer"])
async def test_the_secret_opens(database, kind):
    assert (await OnePerson(database, "the-secret").actor(asking(authorization=f"{kind} the-secret"))).admin


async def test_the_secret_as_a_cookie_changes_something_only_from_our_own_page(database):
    identity = OnePerson(database, "the-secret")
    cookie = {"cookie": "qcrbox-registry=the-secret"}
    assert (await identity.actor(asking(**cookie))).admin
    assert (await identity.actor(asking("POST", origin="http://127.0.0.1:5", **cookie))).admin
    for origin in ("http://evil.example", "http://127.0.0.1:5.evil.example", "http://127.0.0.1"):
        with pytest.raises(QcError) as refused:
            await identity.actor(asking("POST", origin=origin, **cookie))
        assert refused.value.status == 403


def test_a_secret_is_made_once_and_only_we_can_read_it(tmp_path):
    path = tmp_path / "secrets" / "token"
    token = read_or_make_token(path)
    assert len(token) >= 40
    assert read_or_make_token(path) == token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.5", "example.org", "127.0.0.1.evil.example", ""]
)
def test_without_authentication_only_loopback_is_listened_on(tmp_path, host):
    with pytest.raises((QcError, ValidationError), match="loopback"):
        settings_from(["--data", str(tmp_path), "--no-auth", "--host", host])


def test_a_second_registry_on_one_data_folder_is_refused(tmp_path):
    with only_one(tmp_path), pytest.raises(Conflict, match="Another registry"), only_one(tmp_path):
        pass


def test_a_port_in_use_is_said(tmp_path):
    with listening(Settings(data=tmp_path)) as first:
        port = first.getsockname()[1]
        with pytest.raises(Conflict, match=f"Port {port}"), listening(Settings(data=tmp_path, port=port)):
            pass


async def test_small_answers_are_sent_at_once(tmp_path):
    """Nagle's algorithm is off: it keeps the body back until the client has acknowledged the headers, 40 ms later."""
    with listening(Settings(data=tmp_path)) as listener:
        set_to = asyncio.get_running_loop().create_future()

        def accepted(_reader, writer):
            made = writer.get_extra_info("socket")
            set_to.set_result(made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        server = await asyncio.start_server(accepted, sock=listener)
        with socket.create_connection(listener.getsockname()):
            assert await asyncio.wait_for(set_to, 60)
        server.close()
