"""From which address a request came."""

from __future__ import annotations

from typing import Any

PROXY = "127.0.0.1"


def client_address(handler: Any) -> str:
    """The address of the browser or program behind a request.

    Only the proxy's word about others is believed. The relay reaches the hub from other loopback addresses, one for
    each person's server, and what a kernel writes into X-Forwarded-For counts for nothing.
    """
    context = handler.request.connection.context
    peer = getattr(context, "_orig_remote_ip", "") or ""
    if peer and peer not in (PROXY, "::1"):
        return peer
    return handler.request.remote_ip or ""
