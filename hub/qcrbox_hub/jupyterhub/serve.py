"""`python -m qcrbox_hub.jupyterhub.serve`: JupyterHub with our configuration, on the lifeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qcrbox.quick_imports import quick_imports

from qcrbox_hub.platform.shutdown import end_with_platform


def main() -> None:
    """Run JupyterHub until it is terminated."""
    end_with_platform()
    quick_jupyterhub().launch_instance(["--config", str(Path(__file__).with_name("config.py"))])


def quick_jupyterhub() -> Any:
    """JupyterHub's application class, as far as a start needs it.

    The original imports every authenticator, spawner and proxy that is installed, 400 modules, to explain their options in
    `--help-all`.
    """
    with quick_imports():
        # Start-up time: `quick_imports` shortens it.
        from jupyterhub import app
        from traitlets import default

    # Logs and sections of the configuration have the name of the class.
    class JupyterHub(app.JupyterHub):
        """Names no classes whose options it could explain; the configuration reaches them all the same."""

        @default("classes")
        def _load_classes(self) -> list[type]:
            return []

    return JupyterHub


if __name__ == "__main__":
    main()
