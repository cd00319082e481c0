"""`python -m qcrbox_hub.serve`: JupyterHub with our configuration, on the lifeline."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from qcrbox import lifeline

# The hub tidies up on SIGTERM (it stops the users' servers); a hub that hangs must not survive for long.
GRACE_S = 3.0


def end() -> None:
    timer = threading.Timer(GRACE_S, lambda: os.kill(os.getpid(), signal.SIGKILL))
    timer.daemon = True
    timer.start()
    lifeline.terminate_self()


def main() -> None:
    lifeline.watch(end)
    from jupyterhub.app import JupyterHub

    config = Path(__file__).with_name("jupyterhub_config.py")
    JupyterHub.launch_instance(["--config", str(config)])


if __name__ == "__main__":
    sys.exit(main())
