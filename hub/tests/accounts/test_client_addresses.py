"""From which address a request came: whose word about it is believed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from qcrbox_hub.accounts.addresses import client_address


def request(peer: str | None, forwarded: str | None) -> Any:
    """peer: who holds the connection; forwarded: what tornado made of its headers."""
    context = SimpleNamespace() if peer is None else SimpleNamespace(_orig_remote_ip=peer)
    connection = SimpleNamespace(context=context)
    return SimpleNamespace(request=SimpleNamespace(connection=connection, remote_ip=forwarded))


@pytest.mark.attack(6)
@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("::1", "203.0.113.7", "203.0.113.7"),
        # A kernel reaches the hub by the relay, from a loopback address of its own.
        ("127.0.3.17", "203.0.113.7", "127.0.3.17"),
        ("198.51.100.2", "127.0.0.1", "198.51.100.2"),
        (None, "203.0.113.7", "203.0.113.7"),
        ("", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", None, ""),
    ],
)
def test_only_the_proxy_is_believed_about_others(
    peer: str | None, forwarded: str | None, address: str
) -> None:
    assert client_address(request(peer, forwarded)) == address
