"""The folders that containers see, and the doors in them. No container is needed for these."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

import pytest
from qcrbox.sandbox.relay import Relay, Target
from qcrbox_registry.launcher import socket_mounts as module
from qcrbox_registry.launcher.managers.base import StartFailed
from qcrbox_registry.launcher.socket_mounts import SocketMounts, private_folder

NATS = "nats://127.0.0.1:1"


@pytest.fixture
def runtime(monkeypatch):
    """A folder in memory of this test's own."""
    with tempfile.TemporaryDirectory(prefix="qt-", dir="/dev/shm") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


@pytest.fixture
async def mounts(runtime, tmp_path):
    made = SocketMounts(tmp_path, "0123456789abcdef")
    yield made
    await made.close()


@pytest.fixture
def short():
    """The path of a Unix socket has 108 characters at most."""
    with tempfile.TemporaryDirectory(prefix="qt-") as folder:
        yield Path(folder)


@pytest.mark.attack(24)
async def test_a_door_holds_so_many_connections_and_the_next_is_let_in_when_one_leaves(short):
    async def greet(reader, writer):
        writer.write(b"hello")
        await reader.read()
        writer.close()

    there = await asyncio.start_unix_server(greet, str(short / "there"))
    agent_socket = Relay(target=Target(path=short / "there"), socket=short / "door", most=3)
    await agent_socket.open()

    async def knock():
        reader, writer = await asyncio.open_unix_connection(str(short / "door"))
        return await reader.read(5), writer

    inside = [await knock() for _ in range(3)]
    assert [said for said, _ in inside] == [b"hello"] * 3
    assert (await knock())[0] == b""
    inside[0][1].close()
    async with asyncio.timeout(60):
        while (await knock())[0] != b"hello":
            await asyncio.sleep(0.02)
    await agent_socket.close()
    there.close()


@pytest.mark.attack(22)
async def test_the_token_is_there_for_its_container_and_goes_with_it(mounts, runtime):
    folder = await mounts.make("a1", "secret", NATS)
    assert folder.is_relative_to(runtime)
    assert (folder / "token").read_text() == "secret"
    assert sorted(path.name for path in folder.iterdir()) == ["nats.sock", "registry.sock", "token"]
    assert mounts.root.stat().st_mode & 0o077 == 0
    await mounts.remove("a1")
    assert not folder.exists()


@pytest.mark.attack(28)
async def test_of_two_who_start_the_same_agent_one_fails_and_harms_the_other_nothing(mounts):
    folder = await mounts.make("a1", "first", NATS)
    with pytest.raises(StartFailed, match="started already"):
        await mounts.make("a1", "second", NATS)
    assert (folder / "token").read_text() == "first"
    assert (folder / "nats.sock").is_socket()


@pytest.mark.attack(28)
async def test_what_somebody_put_in_the_place_of_an_agents_folder_is_not_written_to(mounts, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (mounts.root / "a1").symlink_to(elsewhere)
    with pytest.raises(StartFailed):
        await mounts.make("a1", "secret", NATS)
    assert list(elsewhere.iterdir()) == []


@pytest.mark.attack(28)
@pytest.mark.parametrize("what", ["a link", "a file", "somebody else's folder"])
def test_a_place_that_is_not_ours_alone_is_refused(tmp_path, monkeypatch, what):
    place = tmp_path / "doors"
    if what == "a link":
        (tmp_path / "theirs").mkdir()
        place.symlink_to(tmp_path / "theirs")
    elif what == "a file":
        place.touch()
    else:
        place.mkdir()
        monkeypatch.setattr(module.os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(StartFailed, match="belongs to another user"):
        private_folder(place)


def test_a_folder_that_is_too_open_is_closed(tmp_path):
    place = tmp_path / "doors"
    place.mkdir(mode=0o777)
    assert private_folder(place).stat().st_mode & 0o777 == 0o700


async def test_doors_are_opened_again_for_a_container_that_outlived_the_launcher(mounts, runtime, tmp_path):
    folder = await mounts.make("a1", "secret", NATS)
    await mounts.close()
    assert not (folder / "nats.sock").exists()
    again = SocketMounts(tmp_path, "0123456789abcdef")
    await again.open("a1", NATS)
    assert (folder / "nats.sock").is_socket()
    assert (folder / "token").read_text() == "secret"
    await again.close()


async def test_what_a_killed_launcher_left_of_agents_that_are_gone_is_removed(mounts):
    for agent in ("a1", "a2"):
        await mounts.make(agent, "secret", NATS)
    mounts.keep_only({"a2"})
    assert sorted(path.name for path in mounts.root.iterdir()) == [".data", "a2"]


def test_what_a_killed_platform_left_is_removed_once_its_data_are_gone(runtime, tmp_path):
    kept, gone = tmp_path / "kept", tmp_path / "gone"
    roots = {}
    for data, platform in ((kept, "a" * 16), (gone, "b" * 16)):
        data.mkdir()
        roots[data] = SocketMounts(data, platform).root
    gone.rmdir()
    (tmp_path / "new").mkdir()
    SocketMounts(tmp_path / "new", "c" * 16)
    assert (roots[kept].exists(), roots[gone].exists()) == (True, False)
