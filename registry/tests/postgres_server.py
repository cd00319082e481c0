"""A private PostgreSQL server for one test session."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

# Tables of the tests that run at the same time, and the write-ahead log up to its limit, with room to spare.
_MEMORY_NEEDED = 2 * 2**30
_SETTINGS = ("fsync=off", "max_wal_size=256MB")


def binaries() -> Path | None:
    """The newest PostgreSQL of this machine."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[4]))
    return found[-1].parent if found else None


def in_memory() -> str | None:
    """A folder that lies in memory where this machine has one with room, for databases of tests.

    A PostgreSQL database for each test writes some 8 MB: on a disk that takes ten times the processor's time, and each
    commit of SQLite waits for the disk.
    """
    folder = "/dev/shm"
    if os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > _MEMORY_NEEDED:
        return folder
    return None


@contextlib.contextmanager
def private_server(bin_folder: Path) -> Iterator[str]:
    """URL of the database `postgres` of a new cluster on loopback; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="qcrbox-postgres-", dir=in_memory()))
    as_user: dict = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        as_user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    quiet: dict = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **as_user}
    data = folder / "data"
    subprocess.run(
        [bin_folder / "initdb", "-D", data, "-U", "qcrbox", "-A", "trust", "-E", "UTF8"], check=True, **quiet
    )
    settings = ("listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={folder}", *_SETTINGS)
    options = [part for setting in settings for part in ("-c", setting)]
    server = subprocess.Popen([bin_folder / "postgres", "-D", data, *options], **quiet)
    try:
        _wait(port, server)
        yield f"postgresql://qcrbox@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int, server: subprocess.Popen) -> None:
    import psycopg

    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(f"postgresql://qcrbox@127.0.0.1:{port}/postgres").close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline or server.poll() is not None:
                raise
            time.sleep(0.1)
