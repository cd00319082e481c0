"""Deformation and residual density on a box around the molecules, as Gaussian cube files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qcrbox.analysis.density.cube import BOHR
from qcrbox.crystallography.structure.elements import atomic_number

from qcrbox_har.form_factors import Computer
from qcrbox_har.loop_state import Progress
from qcrbox_har.processes import Child

Array = NDArray[np.float64]
MARGIN_A = 2.0
MOST_POINTS = 1_500_000


def write_maps(
    state: Progress,
    computer: Computer,
    sites: Array,
    least_squares: Child,
    deformation: Path,
    residual: Path,
    spacing: float = 0.12,
) -> None:
    """Both maps on one grid, in e/bohr³ as cube files are. spacing in Å; it grows where the box would hold more than 1.5 million points."""
    structure = state.structure
    parts = computer.inputs(sites)
    atoms = [(s, p) for part in parts for s, p in zip(part.symbols, part.positions, strict=True)]
    positions = np.array([position for _, position in atoms])
    low, high = positions.min(axis=0) - MARGIN_A, positions.max(axis=0) + MARGIN_A
    spacing = max(spacing, float(np.prod(high - low) / MOST_POINTS) ** (1 / 3))
    shape = np.ceil((high - low) / spacing).astype(int) + 1
    points = low + spacing * np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(
        -1, 3
    )
    total = np.zeros(len(points))
    for molecule, part in zip(state.plan.molecules, parts, strict=True):
        if molecule.number in computer.given:
            continue
        near = _within(points, part.positions, 4.0)
        total[near] += computer.quantum.call(
            "qcrbox_har.quantum.task:deformation_density", molecule.number, state.method.basis, points[near]
        )
    _write(deformation, "Deformation density, e/bohr^3", atoms, low, spacing, shape, total * BOHR**3)
    values = least_squares.call("qcrbox_har.refine_side:residual_at", structure.cell.to_fractional(points))
    _write(residual, "Residual density Fo - Fc, e/bohr^3", atoms, low, spacing, shape, values * BOHR**3)


def _within(points: Array, centres: Array, distance: float) -> NDArray[np.bool_]:
    near = np.zeros(len(points), dtype=bool)
    for centre in centres:
        near |= ((points - centre) ** 2).sum(axis=1) < distance**2
    return near


def _write(
    path: Path,
    title: str,
    atoms: list[tuple[str, Array]],
    low: Array,
    spacing: float,
    shape: NDArray[np.int64],
    values: Array,
) -> None:
    """spacing and positions in Å, values in the unit that the title names."""
    lines = [title, "QCrBox har"]
    lines.append(f"{len(atoms):5d} " + " ".join(f"{x / BOHR:12.6f}" for x in low))
    for axis in range(3):
        step = [0.0, 0.0, 0.0]
        step[axis] = spacing / BOHR
        lines.append(f"{shape[axis]:5d} " + " ".join(f"{x:12.6f}" for x in step))
    for symbol, position in atoms:
        z = atomic_number(symbol)
        lines.append(f"{z:5d} {z:12.6f} " + " ".join(f"{x / BOHR:12.6f}" for x in position))
    rows = values.reshape(-1, shape[2])
    with path.open("w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
        for row in rows:
            texts = [f"{value:13.5E}" for value in row.tolist()]
            file.writelines("".join(texts[i : i + 6]) + "\n" for i in range(0, len(texts), 6))
