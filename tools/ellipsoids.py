"""Displacement ellipsoids beside other drawers: `python -m tools.ellipsoids [PICTURE [CIF]]`.

thpp from the same side in our printed picture (SVG), by MatterVis (`mat-vis`, the Python package matter-vis) with its
ORTEP style, and by Raster3D's rastep ("for ORTEP lovers": one octant cut out), which the Debian package raster3d brings.
rastep gets the atoms as PDB with ANISOU records, MatterVis as a CIF in a large orthogonal cell. Prints how far the principal
mean-square displacements of rastep and ours differ. ORTEP-III, Mercury and Olex2 cannot be had as packages.
"""

from __future__ import annotations

import base64
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import sync_playwright
from qcrbox.crystallography.structure import Structure
from qcrbox.widgets.structure_view import StructureView
from qcrbox.widgets.structure_view.scene import Scene

from tests.browser.conftest import ARGUMENTS, CHROMIUM

ROOT = Path(__file__).resolve().parents[1]
WIDTH, HEIGHT = 720, 560
PROBABILITY = 0.5
EDGE = 100.0  # Å, of the cell that other programs get


def thpp() -> Path:
    """The structure of the tests of smtbx: disorder, a shared site, a tensor that is not positive definite."""
    found = importlib.util.find_spec("smtbx")
    assert found
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0], "regression", "test_data", "thpp.cif")


def pdb(scene: Scene) -> str:
    """The scene as seen from its best side: Å, and ANISOU in 10⁻⁴ Å² on the axes of the screen."""
    turn = scene.directions["best"]
    places = scene.positions @ turn.T
    lines = []
    for row, label in enumerate(scene.labels):
        element = scene.atoms.element[row]
        x, y, z = places[row]
        name = f"{element:>2}{label[len(element) :]:<2}"[:4]
        tail = f"{name} MOL A{1:>4}    "
        lines.append(
            f"HETATM{row + 1:>5} {tail}{x:8.3f}{y:8.3f}{z:8.3f}{1:6.2f}{2:6.2f}          {element:>2}"
        )
        u = turn @ tensor(scene, row) @ turn.T
        six = (u[0, 0], u[1, 1], u[2, 2], u[0, 1], u[0, 2], u[1, 2])
        numbers = "".join(f"{round(1e4 * value):7d}" for value in six)
        lines.append(f"ANISOU{row + 1:>5} {name} MOL A{1:>4}  {numbers}      {element:>2}")
    return "\n".join([*lines, "END", ""])


def tensor(scene: Scene, row: int) -> NDArray[np.float64]:
    """U in Å² on Cartesian axes, put together again from the axes that are drawn."""
    matrix = scene.unit_matrices[row]
    return np.asarray(matrix @ matrix.T)


def rastep(text: str) -> tuple[bytes, NDArray[np.float64]]:
    """The picture (PNG), and the principal mean-square displacements that rastep finds, (n, 3) in Å², descending."""
    drawn = subprocess.run(
        ["rastep", "-fancy5", "-prob", str(PROBABILITY), "-radius", "0.07"],
        input=text.encode(),
        capture_output=True,
        check=True,
    ).stdout
    drawn = re.sub(rb"0 0 0(\s+background)", rb"1 1 1\1", drawn, count=1)
    picture = subprocess.run(["render", "-png"], input=drawn, capture_output=True, check=True).stdout
    said = subprocess.run(["rastep", "-tabulate"], input=text.encode(), capture_output=True, check=True)
    rows = [re.findall(r"\d+\.\d+", line)[:3] for line in said.stdout.decode().splitlines()]
    return picture, np.array([row for row in rows if len(row) == 3], dtype=float)


def turned_cif(scene: Scene) -> str:
    """The scene as seen from its best side, in an orthogonal cell of `EDGE` Å: c points at the viewer."""
    turn = scene.directions["best"]
    places = scene.positions @ turn.T
    places = (places - places.mean(axis=0)) / EDGE + 0.5
    sites, tensors = [], []
    for row, label in enumerate(scene.labels):
        u = turn @ tensor(scene, row) @ turn.T
        x, y, z = places[row]
        equivalent = np.trace(u) / 3
        sites.append(f"{label} {scene.atoms.element[row]} {x:.6f} {y:.6f} {z:.6f} Uani {equivalent:.5f}")
        six = (u[0, 0], u[1, 1], u[2, 2], u[1, 2], u[0, 2], u[0, 1])
        tensors.append(" ".join([label, *(f"{value:.6f}" for value in six)]))
    cell = [f"_cell_length_{axis} {EDGE:.3f}" for axis in "abc"]
    cell += [f"_cell_angle_{angle} 90" for angle in ("alpha", "beta", "gamma")]
    symmetry = ["_space_group_name_H-M_alt 'P 1'", "loop_", "_space_group_symop_operation_xyz", "'x, y, z'"]
    heads = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "adp_type", "U_iso_or_equiv")
    atoms = ["loop_", *(f"_atom_site_{name}" for name in heads), *sites]
    six_names = ("label", "U_11", "U_22", "U_33", "U_23", "U_13", "U_12")
    displacements = ["loop_", *(f"_atom_site_aniso_{name}" for name in six_names), *tensors]
    return "\n".join(["data_turned", *cell, *symmetry, *atoms, *displacements, ""])


def mattervis(text: str) -> bytes:
    """The picture (PNG) in the style of ORTEP with hatched octants."""
    options = "--backend cpu --view asymmetric_unit --style ortep --shading flat --ortep-mode ortep_hatch"
    options += (
        f" --ortep-probability {PROBABILITY} --missing-adp-policy sphere --orthogonal --no-cell --no-axes"
    )
    options += " --view-direction 0 0 1 --camera-up 0 1 0 --background #FFFFFF"
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "turned.cif"), Path(folder, "drawn.png")
        source.write_text(text)
        size = ["--width", str(WIDTH), "--height", str(HEIGHT), "--scale", "2"]
        subprocess.run(
            ["mat-vis", "render", str(source), "-o", str(target), *options.split(), *size],
            check=True,
            capture_output=True,
        )
        return target.read_bytes()


def main(target: Path, cif: Path) -> None:
    if not (shutil.which("rastep") and shutil.which("render")):
        sys.exit("rastep and render are missing: install the package raster3d.")
    if not shutil.which("mat-vis"):
        sys.exit("mat-vis is missing: install the Python package matter-vis in an environment of its own.")
    view = StructureView(Structure.from_cif(cif), ellipsoids=PROBABILITY, labels="heavy")
    picture, theirs = rastep(pdb(view.scene))
    squares = np.array([np.linalg.eigvalsh(tensor(view.scene, row))[::-1] for row in range(len(view.scene))])
    print(
        f"{len(theirs)} atoms, principal mean-square displacements differ by {np.abs(theirs - squares).max():.5f} Å²"
    )
    pictures = [
        ("QCrBox, SVG", view.svg(width=WIDTH, height=HEIGHT).encode(), "svg+xml"),
        ("MatterVis, style ORTEP", mattervis(turned_cif(view.scene)), "png"),
        ("rastep (Raster3D)", picture, "png"),
    ]
    figures = "".join(
        f'<figure><img width="{WIDTH}" src="data:image/{kind};base64,{base64.b64encode(content).decode()}">'
        f"<figcaption>{name}</figcaption></figure>"
        for name, content, kind in pictures
    )
    style = "body{display:flex;margin:0;font:18px sans-serif;align-items:center;background:#fff}figure{margin:8px;text-align:center}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM) if CHROMIUM.exists() else None, args=ARGUMENTS
        )
        page = browser.new_page(viewport={"width": 3 * WIDTH + 60, "height": HEIGHT + 60})
        page.set_content(f"<style>{style}</style>{figures}")
        page.screenshot(path=target)
        browser.close()


if __name__ == "__main__":
    main(
        Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images" / "viewers_ellipsoids.png",
        Path(sys.argv[2]) if len(sys.argv) > 2 else thpp(),
    )
