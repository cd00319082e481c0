"""`python -m qcrbox_hub.jupyterhub.singleuser`: a user's Jupyter server, as the hub starts it."""

from __future__ import annotations

import os

from qcrbox import lifeline

from qcrbox_hub.platform.quick_imports import quick_imports
from qcrbox_hub.platform.shutdown import end_with_platform


def run() -> None:
    end_with_platform()
    # Kernels end with this server; the number would mean another file to them.
    os.environ.pop(lifeline.VARIABLE, None)
    with quick_imports():
        from jupyterhub.singleuser import main
    main()


if __name__ == "__main__":
    run()
