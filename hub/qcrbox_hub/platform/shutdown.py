"""How a server of ours ends when the platform is gone."""

from __future__ import annotations

import os
import signal
import threading

from qcrbox import lifeline

# A server tidies up on SIGTERM (the hub stops users' servers, a user's server its kernels); one that hangs
# must not survive for long.
GRACE_S = 3.0


def end_with_platform() -> None:
    """Watch the lifeline from here on."""
    lifeline.watch(_end)


def _end() -> None:
    timer = threading.Timer(GRACE_S, lambda: os.kill(os.getpid(), signal.SIGKILL))
    timer.daemon = True
    timer.start()
    lifeline.terminate_self()
