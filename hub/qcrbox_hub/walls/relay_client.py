"""How the hub orders relays."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from qcrbox.contract.errors import Unreachable

_LIMIT_S = 10.0


class RelayClient:
    """Orders to the relay at a control socket. Every order is a connection: the relay may restart in between."""

    def __init__(self, control: Path) -> None:
        self._control = control

    async def open(self, server: str, number: int, *, internet: bool = False, port: int = 0) -> int:
        """Open a server's relays. Returns the loopback port that leads to the server."""
        relay = {"server": server, "number": number, "internet": internet, "port": port}
        return int((await self._order(do="open", relay=relay))["port"])

    async def close(self, server: str) -> None:
        """Close the relays of a server."""
        await self._order(do="close", server=server)

    async def _order(self, **order: Any) -> dict[str, Any]:
        try:
            async with asyncio.timeout(_LIMIT_S):
                reader, writer = await asyncio.open_unix_connection(str(self._control))
                try:
                    writer.write(json.dumps(order).encode() + b"\n")
                    await writer.drain()
                    answer = json.loads(await reader.readline())
                finally:
                    writer.close()
        except (OSError, ValueError, TimeoutError) as error:
            raise Unreachable(
                "The relay of people's servers does not answer.",
                why=f"{error}" if str(error) else "It took too long.",
                next="See `qcrbox logs relay`.",
                part="relay",
            ) from error
        if "error" in answer:
            raise Unreachable("The relay refused an order.", why=str(answer["error"]), part="relay")
        return answer
