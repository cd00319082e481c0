"""`qcrbox down`."""

from __future__ import annotations

import os
import signal
import time

import typer
from qcrbox.contract.errors import Unreachable

from qcrbox_hub.cli.console import DataOption, data_folder, say

STOP_LIMIT_S = 15.0


def down(data: DataOption = None) -> None:
    """Stop the platform that runs on a data folder."""
    folder = data_folder(data)
    pid = folder.holder()
    if pid is None:
        say(f"nothing runs on {folder.path}")
        raise typer.Exit(0)
    try:
        os.kill(pid, signal.SIGTERM)
    except PermissionError as error:
        raise Unreachable(
            f"Process {pid} belongs to another user.", next="Ask that user, or an administrator, to stop it."
        ) from error
    begin = time.monotonic()
    while folder.holder() == pid:
        if time.monotonic() - begin > STOP_LIMIT_S:
            raise Unreachable(
                f"Process {pid} did not stop within {STOP_LIMIT_S:.0f} s.",
                next=f"`kill -9 {pid}` ends it and everything it started.",
            )
        time.sleep(0.05)
    say(f"stopped after {time.monotonic() - begin:.1f} s")
