"""The front end of this server: its versions, for kernels in other environments, and what it need not ask."""

from __future__ import annotations

import importlib.metadata
import json
import os
from typing import Any

VARIABLE = "QCRBOX_FRONT_END"
_PACKAGES = ("anywidget", "ipywidgets", "jupyterlab", "jupyterlab_widgets", "qcrbox")


def versions() -> dict[str, str]:
    """Package -> version, of those that are installed beside this server."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def tell_kernels() -> None:
    """Kernels inherit the server's environment; `qc.doctor()` compares."""
    os.environ[VARIABLE] = json.dumps(versions())


def skip_build_check(settings: dict[str, Any]) -> None:
    """On a hub, let JupyterLab not ask whether extensions want it rebuilt. settings: those of the web application.

    The answer takes seconds of a processor, when each person's Lab opens. People's servers cannot rebuild it: the
    environment is the platform's and read-only, and its extensions come built.
    """
    if "JUPYTERHUB_USER" in os.environ:
        # JupyterLab fills the same dictionary and leaves what is there.
        settings.setdefault("page_config_data", {})["buildCheck"] = False
