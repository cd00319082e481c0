"""`python -m qcrbox_hub.jupyterhub.serve`: JupyterHub with our configuration, on the lifeline."""

from __future__ import annotations

from pathlib import Path

from qcrbox.quick_imports import quick_imports

from qcrbox_hub.platform.shutdown import end_with_platform


def main() -> None:
    """Run JupyterHub until it is terminated."""
    end_with_platform()
    with quick_imports():
        # Start-up time: `quick_imports` shortens it.
        from jupyterhub.app import JupyterHub
    JupyterHub.launch_instance(["--config", str(Path(__file__).with_name("config.py"))])


if __name__ == "__main__":
    main()
