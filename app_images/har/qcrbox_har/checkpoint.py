"""The state of a refinement between two steps, in one file: the next attempt continues from it.

Inside the zip: `model.cif` (the last good model with its reflections), `iam.cif`, `density.npz` (density matrices of all
molecules), `state.json`.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from qcrbox_har.loop_state import Round

FILE = "har_checkpoint.zip"
_VERSION = 2


@dataclass
class Reached:
    """What an attempt has reached: the summary of the spherical atoms, the rounds done, and the remarks on the input."""

    iam: dict[str, Any]
    rounds: list[Round]
    remarks: dict[str, Any]


def write(path: Path, key: str, reached: Reached, files: dict[str, Path]) -> None:
    """Replace the checkpoint at once, so that it is never half written. files: name in the zip -> file."""
    partial = path.with_name(path.name + ".part")
    state = {"version": _VERSION, "key": key} | asdict(reached)
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("state.json", json.dumps(state))
        for name, file in files.items():
            if file.exists():
                archive.write(file, name)
    partial.replace(path)


def read(path: Path, key: str, folder: Path) -> Reached | None:
    """Unpack into `folder` and return what was reached.

    None when there is no checkpoint, it is damaged, or it belongs to other settings or data.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            state = json.loads(archive.read("state.json"))
            if state.get("version") != _VERSION or state.get("key") != key:
                return None
            for name in ("model.cif", "iam.cif", "density.npz"):
                if name in archive.namelist():
                    (folder / name).write_bytes(archive.read(name))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    if not (folder / "model.cif").exists():
        return None
    return Reached(state["iam"], [Round(**record) for record in state["rounds"]], state["remarks"])
