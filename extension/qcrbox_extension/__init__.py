"""The Jupyter Server extension: the only door from the browser to the registry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

LAB_NAME = "@qcrbox/lab"
LABEXTENSION = Path(__file__).resolve().parent / "labextension"


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": LAB_NAME}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": "qcrbox_extension"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    # Start-up time: other programs import this package for its paths alone.
    from qcrbox_extension.front_end import skip_build_check, tell_kernels
    from qcrbox_extension.routes import add_routes

    tell_kernels()
    skip_build_check(server.web_app.settings)
    add_routes(server)
    server.log.info("QCrBox: browser's calls under /qcrbox go to the registry")
