"""The relay of people's servers: opened by orders, the same after a restart, without rights."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from qcrbox.contract.errors import Unreachable
from qcrbox.sandbox.user_ids import first_user_id
from qcrbox_hub.walls.relay_client import RelayClient
from qcrbox_hub.walls.relay_server import source_address
from qcrbox_hub.walls.relay_settings import VARIABLE, RelaySettings
from qcrbox_hub.walls.socket_folders import SocketFolders


@pytest.fixture
def folders() -> Iterator[SocketFolders]:
    with tempfile.TemporaryDirectory(prefix="q") as root:
        Path(root).chmod(0o755)
        made = SocketFolders(Path(root) / "people", first_user_id())
        made.prepare()
        yield made


@pytest.fixture
async def hub() -> AsyncIterator[int]:
    """A service that says from which address it is called."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"hub {writer.get_extra_info('peername')[0]}".encode())
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


class RunningRelay:
    def __init__(self, folders: SocketFolders, hub: int) -> None:
        self.folders, self.hub = folders, hub
        self.client = RelayClient(folders.control)
        self.start()

    def start(self) -> None:
        settings = RelaySettings(
            root=self.folders.root, uid=self.folders.relay_uid, hub_port=self.hub, registry_port=self.hub
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qcrbox_hub.walls.relay_server"],
            env=os.environ | {VARIABLE: settings.model_dump_json()},
        )

    async def wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                await self.client.close("0")  # an unknown server is ignored
                return
            except Unreachable:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.wait(10)


@pytest.fixture
async def relay(folders: SocketFolders, hub: int) -> AsyncIterator[RunningRelay]:
    running = RunningRelay(folders, hub)
    await running.wait()
    yield running
    running.kill()


async def read(path: Path | None = None, port: int = 0) -> str:
    if path:
        reader, writer = await asyncio.open_unix_connection(str(path))
    else:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    text = (await reader.read()).decode()
    writer.close()
    return text


async def serve_in(folders: SocketFolders, server: str, word: bytes) -> asyncio.Server:
    """Stands for a person's server."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(word)
        writer.close()

    path = folders.outgoing(server) / "server.sock"
    path.unlink(missing_ok=True)
    made = await asyncio.start_unix_server(say, str(path))
    path.chmod(0o666)
    return made


async def test_server_reaches_hub_and_is_reached(relay: RunningRelay, folders: SocketFolders) -> None:
    folders.make("7", None)
    port = await relay.client.open("7", 7)
    assert await read(folders.incoming("7") / "hub.sock") == "hub 127.64.0.7"
    server = await serve_in(folders, "7", b"ada's")
    assert await read(port=port) == "ada's"
    server.close()
    await relay.client.close("7")
    with pytest.raises(OSError):
        await read(port=port)
    assert not (folders.incoming("7") / "hub.sock").exists()


@pytest.mark.attack(1)
async def test_hub_can_tell_servers_from_the_proxy_and_from_each_other() -> None:
    addresses = {source_address(number) for number in (0, 1, 255, 256, 65535, 65536, 4_000_000)}
    assert len(addresses) == 7
    assert "127.0.0.1" not in addresses


async def test_restarted_relay_opens_the_same_ports(relay: RunningRelay, folders: SocketFolders) -> None:
    folders.make("7", None)
    folders.make("8", None)
    ports = {"7": await relay.client.open("7", 7), "8": await relay.client.open("8", 8, internet=True)}
    relay.kill()
    relay.start()
    await relay.wait()
    for port in ports.values():
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
    assert (folders.incoming("8") / "internet.sock").exists()
    assert not (folders.incoming("7") / "internet.sock").exists()
    assert await read(folders.incoming("7") / "hub.sock") == "hub 127.64.0.7"


@pytest.mark.attack(26)
async def test_link_to_another_socket_leads_nowhere(relay: RunningRelay, folders: SocketFolders) -> None:
    folders.make("7", None)
    folders.make("8", None)
    port = await relay.client.open("7", 7)
    other = await serve_in(folders, "8", b"bob's")
    (folders.outgoing("7") / "server.sock").symlink_to(folders.outgoing("8") / "server.sock")
    assert await read(port=port) == ""
    other.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to drop")
@pytest.mark.attack(26)
async def test_relay_has_no_rights(relay: RunningRelay, folders: SocketFolders) -> None:
    status = Path(f"/proc/{relay.process.pid}/status").read_text()
    assert f"Uid:\t{folders.relay_uid}\t{folders.relay_uid}\t{folders.relay_uid}" in status
    assert "Groups:\t \n" in status or "Groups:\t\n" in status
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status


@pytest.mark.attack(28)
async def test_sockets_are_closed_to_other_users(relay: RunningRelay, folders: SocketFolders) -> None:
    assert folders.root.stat().st_mode & 0o077 == 0
    assert folders.control.stat().st_mode & 0o077 == 0


async def test_bad_order_is_answered(relay: RunningRelay) -> None:
    with pytest.raises(Unreachable, match="refused an order"):
        await relay.client.open("../x", 7)


async def test_missing_relay_is_named(folders: SocketFolders) -> None:
    with pytest.raises(Unreachable, match="qcrbox logs relay"):
        await RelayClient(folders.root / "none").close("7")


@pytest.mark.attack(24)
@pytest.mark.skipif(os.geteuid() != 0, reason="people have user ids of their own only as root")
def test_nobody_fills_the_folder_of_a_server_that_is_up(folders: SocketFolders) -> None:
    person = (first_user_id() or 0) + 7
    folders.make("7", person)
    for folder in (folders.root, folders.folder("7")):
        folder.chmod(0o755)  # the person sees `out` alone, as a mount

    def write(name: str) -> int:
        command = ["/bin/sh", "-c", 'echo x > "$0"', str(folders.outgoing("7") / name)]
        return subprocess.run(
            command, user=person, group=person, extra_groups=[], cwd="/", capture_output=True, check=False
        ).returncode

    assert write("server.sock") == 0
    folders.seal("7")
    assert write("more") != 0
    assert not (folders.outgoing("7") / "more").exists()
