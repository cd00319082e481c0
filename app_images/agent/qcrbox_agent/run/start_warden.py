"""Starting the warden. Light on imports: it is done first, so that the application's modules load beside our own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass
class StartedWarden:
    """A warden process and our end of the socket to it."""

    process: subprocess.Popen[bytes]
    connection: socket.socket


def start_warden(spec: Path, environment: Mapping[str, str], imports: bool = True) -> StartedWarden:
    """Start the warden process for a spec; with `imports` it imports the modules of the application at once."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    command = [sys.executable, "-m", "qcrbox_agent.run.warden", str(theirs.fileno()), str(spec)]
    process = subprocess.Popen(
        command if imports else [*command, "--no-import"],
        stdin=subprocess.DEVNULL,
        pass_fds=(theirs.fileno(),),
        env=dict(environment),
        start_new_session=True,
    )
    theirs.close()
    return StartedWarden(process, ours)


def program_environment(folder: Path) -> dict[str, str]:
    """What programs get: our environment without what is only ours, this Python first and the spec's folder last on PATH."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QCRBOX_")}
    parts = [os.path.dirname(sys.executable), kept.get("PATH", os.defpath), str(folder)]
    return kept | {"PATH": os.pathsep.join(parts)}
