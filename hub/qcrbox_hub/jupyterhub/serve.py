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
    """JupyterHub's application class without the imports that only its help needs.

    The original imports every authenticator, spawner and proxy that is installed, 400 modules, to explain their options in
    `--help-all`.
    """
    with quick_imports():
        # Start-up time: `quick_imports` shortens it.
        from jupyterhub import app
        from traitlets import default

    # Loggers and sections of the configuration are named after the class.
    class JupyterHub(app.JupyterHub):
        """Lists no configurable classes for the help. Their configuration is applied as before."""

        @default("classes")
        def _load_classes(self) -> list[type]:
            return []

    return JupyterHub


if __name__ == "__main__":
    main()
