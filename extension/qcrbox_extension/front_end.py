"""Versions of the front end of this server, for its kernels, which may run in another environment."""

from __future__ import annotations

import importlib.metadata
import json
import os

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
