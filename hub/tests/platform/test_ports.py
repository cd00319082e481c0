"""Ports: what is free, who holds it."""

from __future__ import annotations

import os
import socket

import pytest
from qcrbox.contract.errors import Conflict, UserInputError
from qcrbox_hub.platform import ports


def test_port_in_use_names_the_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not ports.is_free("127.0.0.1", port)
        with pytest.raises(Conflict, match=f"Port {port} is in use") as caught:
            ports.require_free("127.0.0.1", port)
    assert str(os.getpid()) in caught.value.what
    ports.require_free("127.0.0.1", port)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_impossible_port_is_named(port: int) -> None:
    with pytest.raises(UserInputError, match="not a port number"):
        ports.require_free("127.0.0.1", port)


def test_foreign_address_is_named() -> None:
    with pytest.raises(UserInputError, match=r"no address 203\.0\.113\.7"):
        ports.require_free("203.0.113.7", ports.choose(1)[0])


def test_chosen_ports_differ() -> None:
    assert len(set(ports.choose(20))) == 20
