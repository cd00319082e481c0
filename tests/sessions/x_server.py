"""What somebody with an account on the machine finds of a session's display."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

LISTENS = "0A"
COOKIE_NAME = b"MIT-MAGIC-COOKIE-1"


@dataclass(frozen=True)
class XServer:
    """The X server of a session that runs as a process of this machine."""

    pid: int
    cookie: bytes

    @property
    def number(self) -> int:
        """Of the display, as the server's own socket says."""
        inodes = _sockets(self.pid)
        for line in Path("/proc/net/unix").read_text().splitlines():
            words = line.split()
            if len(words) == 8 and words[6] in inodes and (found := re.search(r"X11-unix/X(\d+)$", words[7])):
                return int(found.group(1))
        raise AssertionError("the server has no socket of X")

    def tcp_ports(self) -> set[int]:
        """Ports on which it listens."""
        inodes, found = _sockets(self.pid), set()
        for table in ("tcp", "tcp6"):
            for line in (Path("/proc/net") / table).read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == LISTENS and words[9] in inodes:
                    found.add(int(words[1].rsplit(":", 1)[1], 16))
        return found


def servers_below(pid: int) -> list[XServer]:
    """The X servers among the descendants of a process."""
    found = []
    for one in _processes("Xtigervnc"):
        with contextlib.suppress(OSError, ValueError):  # it has just ended
            if pid in _ancestors(one):
                words = Path(f"/proc/{one}/cmdline").read_bytes().split(b"\0")
                file = Path(words[words.index(b"-auth") + 1].decode())
                found.append(XServer(one, file.read_bytes()[-16:]))
    return found


def lets_in(number: int, cookie: bytes = b"") -> bool:
    """Whether the display takes a program that shows this cookie, or none."""
    name = COOKIE_NAME if cookie else b""
    hello = struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(name), len(cookie))
    for part in (name, cookie):
        hello += part + bytes(-len(part) % 4)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(f"/tmp/.X11-unix/X{number}")
        client.sendall(hello)
        return client.recv(1) == b"\x01"


def _processes(name: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "comm").read_text().strip() == name:
                found.append(int(entry.name))
    return found


def _ancestors(pid: int) -> list[int]:
    found = []
    while pid > 1:
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            break
        found.append(pid)
    return found


def _sockets(pid: int) -> set[str]:
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            if found := re.match(r"socket:\[(\d+)\]", str(descriptor.readlink())):
                inodes.add(found.group(1))
    return inodes
