"""Which hosts are this machine: one rule for what listens without a password and for what is sent unencrypted."""

from __future__ import annotations

import ipaddress


def is_loopback_host(host: str) -> bool:
    """True for localhost and the loopback networks.

    Another name is not: what `127.0.0.1.example.org` leads to is up to a name server.
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
