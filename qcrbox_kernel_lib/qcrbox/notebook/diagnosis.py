"""`qc.doctor()`: what is wrong between kernel, front end and registry, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
import time
from typing import TYPE_CHECKING

from qcrbox.contract.errors import QcError
from qcrbox.notebook import show

if TYPE_CHECKING:
    from qcrbox.notebook.box import Box

Row = tuple[str, str, str]
_OK, _BAD, _NOTE = "✓", "✗", "–"
# Kernel package -> (front-end package, distributions whose major versions must agree with it).
_PAIRS = {"ipywidgets": ("jupyterlab_widgets", {"8": "3", "7": "1"}), "anywidget": ("anywidget", {})}


def diagnose(box: Box) -> show.Table:
    rows = [*_connection(box), *_widgets(), *_libraries()]
    faults = sum(row[0] == _BAD for row in rows)
    caption = f"{faults} to mend." if faults else "All is well."
    return show.Table(("", "what", "found"), rows, title="qc.doctor()", caption=caption)


def _connection(box: Box) -> list[Row]:
    rows: list[Row] = [(_NOTE, "registry", f"{box.url} (said by {box.source or 'you'})")]
    began = time.perf_counter()
    try:
        box.client.get("/api/healthz")
        rows.append((_OK, "registry answers", f"{(time.perf_counter() - began) * 1000:.0f} ms"))
        box.apps.refresh()
        rows.append((_OK, "applications", str(len(box.apps))))
    except QcError as error:
        rows.append((_BAD, "registry", error.message))
    return rows


def _widgets() -> list[Row]:
    rows: list[Row] = []
    for package in ("ipywidgets", "anywidget", "jupyterlab_widgets"):
        version = _version(package)
        if version is None:
            cure = f"missing. In this kernel's environment: pip install {package}"
            rows.append((_BAD, package, cure))
        else:
            rows.append((_OK, package, version))
    kernel, front = _version("ipywidgets"), _version("jupyterlab_widgets")
    if kernel and front:
        wanted = _PAIRS["ipywidgets"][1].get(kernel.split(".")[0])
        if wanted and front.split(".")[0] != wanted:
            cure = (
                f"ipywidgets {kernel} needs jupyterlab_widgets {wanted}.*, found {front}. "
                f'pip install "jupyterlab_widgets=={wanted}.*" and reload the page.'
            )
            rows.append((_BAD, "versions", cure))
    rows += _shadowing()
    from qcrbox.widgets import bundle

    missing = [name for name in bundle.NAMES if not bundle.path(name).is_file()]
    if missing:
        cure = f"not built: {', '.join(missing)}. In a checkout run `make build`; else install the package again."
        rows.append((_BAD, "widget scripts", cure))
    else:
        rows.append(
            (_OK, "widget scripts", f"{len(bundle.NAMES)} built, {bundle.total_bytes() / 1e6:.1f} MB")
        )
    return rows


def _shadowing() -> list[Row]:
    """A second copy of a front-end package in the person's own folder wins over the environment's."""
    try:
        from jupyter_core.paths import jupyter_data_dir
    except ImportError:
        return []
    from pathlib import Path

    rows: list[Row] = []
    own = Path(jupyter_data_dir()) / "labextensions"
    for name in ("@jupyter-widgets/jupyterlab-manager", "anywidget"):
        if (own / name).exists() and not str(own).startswith(sys.prefix):
            rows.append(
                (_BAD, name, f"an old copy in {own / name} hides the environment's one. Remove that folder.")
            )
    return rows


def _libraries() -> list[Row]:
    rows: list[Row] = [(_NOTE, "Python", sys.version.split()[0])]
    for package, needed_for in (("gemmi", "CIF"), ("numpy", "geometry"), ("matplotlib", "plots")):
        version = _version(package)
        rows.append(
            (_OK, package, version)
            if version
            else (_BAD, package, f"missing, needed for {needed_for}: pip install {package}")
        )
    return rows


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
