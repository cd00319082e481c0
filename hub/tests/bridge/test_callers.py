"""Who on a person's machine is listened to."""

from __future__ import annotations

import contextlib
import os
import signal
import socket

import pytest
from qcrbox.contract.errors import NotAllowed
from qcrbox_hub.bridge import callers
from qcrbox_hub.bridge.callers import owner_of, require_own_page, require_own_program

NOBODY = 65534
PAGES = frozenset({"/vnc.html"})


def request(path="/api/datasets", method="GET", port=11000, **headers):
    named = {
        name.replace("_", "-"): value for name, value in ({"host": f"127.0.0.1:{port}"} | headers).items()
    }
    return {
        "type": "http",
        "method": method,
        "path": path,
        "server": ("127.0.0.1", port),
        "headers": [(name.encode(), value.encode()) for name, value in named.items() if value],
    }


OWN = {
    "a program": {},
    "by name": {"host": "localhost:11000"},
    "by name in capitals": {"host": "LOCALHOST:11000"},
    "IPv6": {"host": "[::1]:11000"},
    "a page of the bridge": {"origin": "http://127.0.0.1:11000", "sec_fetch_site": "same-origin"},
    "typed by the person": {"path": "/vnc.html", "sec_fetch_site": "none", "sec_fetch_mode": "navigate"},
    "a link to a window": {"path": "/vnc.html", "sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"},
    "port 80": {"port": 80, "host": "localhost"},
}
FOREIGN = {
    "a name of their own": {"host": "evil.example:11000"},
    "a name like ours": {"host": "localhost.evil.example:11000"},
    "ours inside another": {"host": "evil-127.0.0.1:11000"},
    "another port": {"host": "127.0.0.1:8888"},
    "no port": {"host": "127.0.0.1"},
    "no name": {"host": ""},
    "an address in another spelling": {"host": "2130706433:11000"},
    "another site": {"origin": "https://evil.example"},
    "another program of this machine": {"origin": "http://127.0.0.1:8888"},
    "the same by another name": {"origin": "http://localhost:11000"},
    "a file": {"origin": "null"},
    "with encryption": {"origin": "https://127.0.0.1:11000"},
    "a picture": {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"},
    "of the same machine": {"sec_fetch_site": "same-site", "sec_fetch_mode": "cors"},
    "a link to data": {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"},
    "a form": {
        "path": "/vnc.html",
        "method": "POST",
        "sec_fetch_site": "cross-site",
        "sec_fetch_mode": "navigate",
    },
}


@pytest.mark.parametrize("given", OWN, ids=list(OWN))
def test_own_programs_and_pages_are_let_in(given):
    require_own_page(request(**OWN[given]), PAGES)


@pytest.mark.attack(3)
@pytest.mark.parametrize("given", FOREIGN, ids=list(FOREIGN))
def test_pages_of_others_are_refused(given):
    with pytest.raises(NotAllowed):
        require_own_page(request(**FOREIGN[given]), PAGES)


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
def listener(request):
    with socket.socket(request.param) as made:
        made.bind(("127.0.0.1" if request.param == socket.AF_INET else "::1", 0))
        made.listen()
        yield made


@contextlib.contextmanager
def connected(listener, uid=None):
    """(the client's end, the server's end) of a connection of another process, under another account."""
    child = os.fork()
    if child == 0:
        # Nothing but what is needed: this is a copy of the test's own process.
        try:
            if uid is not None:
                os.setuid(uid)
            with socket.socket(listener.family) as client_side:
                client_side.connect(listener.getsockname())
                signal.pause()
        finally:
            os._exit(0)
    listener.settimeout(10)
    connection, client = listener.accept()
    try:
        yield client[:2], connection.getsockname()[:2]
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        connection.close()


def test_the_account_behind_a_connection_is_known(listener):
    with connected(listener) as (client, server):
        assert owner_of(client, server) == os.getuid()
        require_own_program(client, server)


@pytest.mark.attack(1)
def test_another_account_of_the_machine_is_refused(listener, monkeypatch):
    is_root = os.getuid() == 0
    with connected(listener, uid=NOBODY if is_root else None) as (client, server):
        if not is_root:  # the same the other way round: the bridge belongs to another account
            monkeypatch.setattr(os, "getuid", lambda: NOBODY)
        with pytest.raises(NotAllowed, match="another account"):
            require_own_program(client, server)


@pytest.mark.attack(1)
def test_a_connection_whose_program_is_gone_is_refused(listener):
    """What another account sends before it hangs up: the system then shows it as root's."""
    with socket.socket(listener.family) as client_side:
        client_side.connect(listener.getsockname())
        connection, client = listener.accept()
        client_side.sendall(b"POST /api/commands HTTP/1.1\r\n")
        client_side.close()
        with connection, pytest.raises(NotAllowed, match="gone"):
            require_own_program(client[:2], connection.getsockname()[:2])


def test_a_program_that_has_said_all_is_still_known(listener):
    with socket.socket(listener.family) as client_side:
        client_side.connect(listener.getsockname())
        connection, client = listener.accept()
        client_side.shutdown(socket.SHUT_WR)
        with connection:
            require_own_program(client[:2], connection.getsockname()[:2])


def test_where_accounts_cannot_be_told_everybody_on_the_machine_is_let_in(tmp_path, monkeypatch):
    monkeypatch.setattr(callers, "_TABLES", (tmp_path / "tcp", tmp_path / "tcp6"))
    assert not callers.knows_accounts()
    require_own_program(("127.0.0.1", 1), ("127.0.0.1", 2))
