"""Attack 24: using up what others need."""

import os
import time

from telling import DOORS, attempt, content, tell, unix


def exhaust(about):
    kind = about["kind"]
    if kind == "processes":
        made = 0
        try:
            while made < 20_000:
                if os.fork() == 0:
                    time.sleep(600)
                    os._exit(0)
                made += 1
        except OSError as error:
            tell("processes without end", made > 4096, (made, error))
    elif kind == "memory":
        kept = []
        while len(kept) < 10_000:
            kept.append(bytearray(b"x" * 10**7))
        tell("memory without end", True, len(kept))
    elif kind == "disk":
        for folder in (".", "/tmp", "/home/qcrbox", "/dev/shm"):
            attempt(f"fill {folder}", lambda folder=folder: filled(folder))
        tell("somewhere else to write", *elsewhere())
    elif kind == "files":
        made = 0
        try:
            while made < 2_000_000:
                open(f"/tmp/{made}", "w").close()
                made += 1
        except OSError as error:
            tell("files without end", made > 250_000, (made, error))
    elif kind == "sockets":
        kept = []
        try:
            while len(kept) < 10_000:
                kept.append(unix(f"{DOORS}/nats.sock"))
        except OSError as error:
            tell("sockets without end", len(kept) > 4096, (len(kept), error))
    elif kind == "log":
        line = b"x" * 999 + b"\n"
        for _ in range(200):
            os.write(1, line * 1000)


def filled(folder):
    taken = 0
    path = f"{folder}/fill"
    try:
        with open(path, "wb") as file:
            while taken < 3 * 10**9:
                taken += file.write(bytes(10**6))
                file.flush()
    except OSError as error:
        os.unlink(path)
        if taken > 1.1e9:
            return taken
        raise OSError(f"{taken} bytes, then {error}") from error
    os.unlink(path)
    return taken


def elsewhere():
    """Folders outside of those in memory that may be written."""
    found = []
    memory = [
        line.split()[1]
        for line in content("/proc/mounts").decode().splitlines()
        if line.split()[2] in ("tmpfs", "proc", "sysfs", "mqueue", "devpts", "cgroup", "cgroup2")
    ]
    for root, folders, _ in os.walk("/"):
        if any(root == one or root.startswith(one + "/") for one in memory):
            folders.clear()
        elif os.access(root, os.W_OK) and not root.startswith("/proc"):
            found.append(root)
    return bool(found), found[:5]
