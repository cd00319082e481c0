"""`python -m qcrbox_hub.jupyterhub.singleuser`: a user's Jupyter server, as the hub starts it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from qcrbox import lifeline
from qcrbox.quick_imports import quick_imports

from qcrbox_hub.jupyterhub.tutorials import FOLDER, offer_tutorials
from qcrbox_hub.platform.shutdown import end_with_platform


def run() -> None:
    """Run a person's Jupyter server until it is terminated."""
    end_with_platform()
    # Kernels end with this server; the number would mean another file to them.
    os.environ.pop(lifeline.VARIABLE, None)
    if source := os.environ.pop(FOLDER, ""):
        # By the server itself, with the person's own rights: the platform writes nothing into a home.
        with contextlib.suppress(OSError):
            offer_tutorials(Path(source), Path.home() / "notebooks")
    with quick_imports():
        # Start-up time: `quick_imports` shortens it.
        from jupyterhub.singleuser import main
    main()


if __name__ == "__main__":
    run()
