"""`python -m qcrbox_hub.jupyterhub.solo`: JupyterLab for one person, without a hub.

The sign-in token comes from a file and goes to the server inside this process: an argument list or an
environment would show it to others, or hand it on to every kernel.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from qcrbox import lifeline
from qcrbox.quick_imports import quick_imports

from qcrbox_hub.jupyterhub.tutorials import offer_tutorials
from qcrbox_hub.platform import paths
from qcrbox_hub.platform.data_folder import DataFolder, write_private
from qcrbox_hub.platform.shutdown import end_with_platform

TOKEN_FILE = "QCRBOX_LAB_TOKEN_FILE"
FOLDER = "QCRBOX_LAB_FOLDER"


def new_token(data: DataFolder) -> tuple[str, Path]:
    """A fresh token for this run, and its file."""
    token, file = secrets.token_urlsafe(24), data.secrets / "lab_token"
    write_private(file, token)
    return token, file


def environment(data: DataFolder, folder: Path, token_file: Path) -> dict[str, str]:
    """What the Lab child needs: its settings and configuration stay in the data folder."""
    state = data.path / "lab"
    state.mkdir(mode=0o700, exist_ok=True)
    return {
        TOKEN_FILE: str(token_file),
        FOLDER: str(folder),
        "JUPYTER_CONFIG_DIR": str(state / "config"),
        "JUPYTER_CONFIG_PATH": str(paths.JUPYTER_CONFIG),
        "JUPYTER_DATA_DIR": str(state / "data"),
        "JUPYTER_RUNTIME_DIR": str(state / "runtime"),
    }


def main(argv: list[str]) -> None:
    """Runs until SIGTERM. argv: the port."""
    end_with_platform()
    os.environ.pop(lifeline.VARIABLE, None)
    with quick_imports():
        # Start-up time: `quick_imports` shortens it.
        from jupyterlab.labapp import LabApp

    folder = Path(os.environ.pop(FOLDER))
    token = Path(os.environ.pop(TOKEN_FILE)).read_text().strip()
    folder.mkdir(parents=True, exist_ok=True)
    offer_tutorials(paths.notebooks_folder(), folder / "notebooks")
    os.chdir(folder)
    LabApp.launch_instance(
        [
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={argv[0]}",
            "--ServerApp.port_retries=0",
            "--ServerApp.open_browser=False",
            f"--ServerApp.root_dir={folder}",
            f"--IdentityProvider.token={token}",
            *(["--allow-root"] if os.geteuid() == 0 else []),
        ]
    )


if __name__ == "__main__":
    main(sys.argv[1:])
