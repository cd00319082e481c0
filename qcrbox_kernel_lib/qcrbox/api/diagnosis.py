"""`qc.doctor()`: what is wrong between kernel, front end and registry, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from qcrbox.contract.errors import QcError
from qcrbox.markup import Table
from qcrbox.widgets import bundle

if TYPE_CHECKING:
    from qcrbox.api.box import Box

Row = tuple[str, str, str]
_OK, _BAD, _NOTE = "✓", "✗", "–"
# Major version of ipywidgets -> that of jupyterlab_widgets which draws it.
_FRONT_OF_IPYWIDGETS = {"8": "3", "7": "1"}
# Set by our extension in the Jupyter server, inherited by its kernels: JSON, package -> version.
FRONT_END = "QCRBOX_FRONT_END"
_NOT_TOLD: Row = (
    _NOTE,
    "front end",
    "has not said its versions (no QCrBox extension in the Jupyter server, or VS Code); taken to be this environment",
)


def diagnose(box: Box) -> Table:
    rows = [*_connection(box), *_widgets(), *_libraries()]
    faults = sum(row[0] == _BAD for row in rows)
    caption = f"{faults} to mend." if faults else "All is well."
    return Table(("", "what", "found"), rows, title="qc.doctor()", caption=caption)


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
    told = front_end()
    rows: list[Row] = []
    for package in ("ipywidgets", "anywidget", *(() if told else ("jupyterlab_widgets",))):
        version = _version(package)
        if version is None:
            cure = f"missing. In this kernel's environment: pip install {package}"
            rows.append((_BAD, package, cure))
        else:
            rows.append((_OK, package, version))
    rows += _front_end_rows(told) if told else [_NOT_TOLD, *_pair("", _version("jupyterlab_widgets"))]
    rows += _shadowing()
    missing = [name for name in bundle.NAMES if not bundle.path(name).is_file()]
    if missing:
        cure = f"not built: {', '.join(missing)}. In a checkout run `make build`; else install the package again."
        rows.append((_BAD, "widget scripts", cure))
    else:
        rows.append(
            (_OK, "widget scripts", f"{len(bundle.NAMES)} built, {bundle.total_bytes() / 1e6:.1f} MB")
        )
    return rows


def front_end(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What the Jupyter server that started this kernel has: package -> version. Empty when it did not say."""
    try:
        said = json.loads(environ.get(FRONT_END, "{}"))
    except ValueError:
        return {}
    return {str(name): str(version) for name, version in said.items()} if isinstance(said, dict) else {}


def _front_end_rows(told: dict[str, str]) -> list[Row]:
    """Kernel and front end may be two environments: what the pages have must fit what the kernel sends."""
    rows: list[Row] = [(_NOTE, "front end", ", ".join(f"{name} {told[name]}" for name in sorted(told)))]
    if "jupyterlab_widgets" not in told:
        cure = "missing in the Jupyter server's environment: pip install jupyterlab_widgets there, reload the page."
        rows.append((_BAD, "jupyterlab_widgets", cure))
    rows += _pair("in the Jupyter server's environment: ", told.get("jupyterlab_widgets"))
    for package, parts, what in (("anywidget", 2, "widgets"), ("qcrbox", 2, "panels")):
        here, there = _version(package), told.get(package)
        if not here or not there:
            continue
        if here.split(".")[:parts] != there.split(".")[:parts]:
            cure = (
                f"the kernel has {here}, the front end {there}: {what} may stay blank. Make them equal: "
                f'pip install "{package}=={here}" in the Jupyter server\'s environment, restart it, reload the page.'
            )
            rows.append((_BAD, f"{package} versions", cure))
        else:
            rows.append((_OK, f"{package} versions", f"kernel {here}, front end {there}"))
    return rows


def _pair(where: str, front: str | None) -> list[Row]:
    kernel = _version("ipywidgets")
    wanted = _FRONT_OF_IPYWIDGETS.get((kernel or "").split(".")[0])
    if not kernel or not front or not wanted or front.split(".")[0] == wanted:
        return []
    cure = (
        f"ipywidgets {kernel} needs jupyterlab_widgets {wanted}.*, found {front}. "
        f'{where}pip install "jupyterlab_widgets=={wanted}.*" and reload the page.'
    )
    return [(_BAD, "versions", cure)]


def _shadowing() -> list[Row]:
    """A second copy of a front-end package in the person's own folder wins over the environment's."""
    try:
        # Optional: Jupyter is there in a notebook.
        from jupyter_core.paths import jupyter_data_dir
    except ImportError:
        return []
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
