"""Deformation and residual density on a box around the molecules, as Gaussian cube files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qcrbox.analysis.density.cube import BOHR
from qcrbox.crystallography.structure.elements import atomic_number

from qcrbox_har.form_factors import Computer
from qcrbox_har.loop_state import Progress
from qcrbox_har.method import MoleculeInput
from qcrbox_har.molecules import Plan
from qcrbox_har.processes import Child

Array = NDArray[np.float64]
MARGIN_A = 2.0
MOST_POINTS = 1_500_000


@dataclass(frozen=True)
class Box:
    """A grid around atoms: corner (3,) and spacing in Å, points along each axis; atoms as elements and positions in Å."""

    atoms: list[tuple[str, Array]]
    corner: Array
    spacing: float
    shape: NDArray[np.int64]

    @classmethod
    def around(cls, atoms: list[tuple[str, Array]], spacing: float) -> Box:
        """The box with a margin of 2 Å; the spacing grows where it would hold more than 1.5 million points."""
        positions = np.array([position for _, position in atoms])
        low, high = positions.min(axis=0) - MARGIN_A, positions.max(axis=0) + MARGIN_A
        spacing = max(spacing, float(np.prod(high - low) / MOST_POINTS) ** (1 / 3))
        return cls(atoms, low, spacing, np.ceil((high - low) / spacing).astype(int) + 1)

    @property
    def points(self) -> Array:
        """Cartesian positions (m, 3) of the grid points in Å, the last axis fastest."""
        indices = np.stack(np.meshgrid(*map(np.arange, self.shape), indexing="ij"), axis=-1)
        return self.corner + self.spacing * indices.reshape(-1, 3)


@dataclass(frozen=True)
class MapFiles:
    """Where the two maps are written, and the wanted spacing of their grid in Å."""

    deformation: Path
    residual: Path
    spacing: float = 0.12


def write_maps(
    state: Progress, computer: Computer, sites: Array, least_squares: Child, files: MapFiles
) -> None:
    """Write deformation and residual density on one grid, in e/bohr³ as cube files are."""
    structure = state.structure
    parts = computer.inputs(sites)
    drawn = [Drawn.of(state.plan, index) for index in range(len(parts))]
    box = Box.around(_atoms(parts, drawn), files.spacing)
    points = box.points
    total = deformation(state, computer, list(zip(parts, drawn, strict=True)), points)
    title = "Deformation density, e/bohr^3"
    if state.method.is_periodic:
        title += ", free atoms of the atomic data of GPAW"
    write_cube(files.deformation, title, box, total * BOHR**3)
    values = least_squares.call("qcrbox_har.refine_side:residual_at", structure.cell.to_fractional(points))
    write_cube(files.residual, "Residual density Fo - Fc, e/bohr^3", box, values * BOHR**3)


@dataclass(frozen=True)
class Drawn:
    """How a molecule enters the deformation density.

    share: of the conformers that hold it; atoms: those of a fragment that are its own, None for all. Fragments overlap, and
    conformers share their ordered atoms: added up whole, such atoms would count several times.
    """

    share: float
    atoms: list[int] | None

    @classmethod
    def of(cls, plan: Plan, index: int) -> Drawn:
        """Of the molecule at this place of the plan."""
        molecule = plan.molecules[index]
        if molecule.places:
            return cls(molecule.copies / molecule.places, None)
        uses = (source for sources in plan.sources.values() for source in sources)
        return cls(1.0, sorted({source.atom for source in uses if source.molecule == index}))


def deformation(
    state: Progress, computer: Computer, parts: list[tuple[MoleculeInput, Drawn]], points: Array
) -> Array:
    """Deformation density of all molecules, e/Å³, at points (m, 3) in Å; the mean of the conformers of a disorder."""
    total = np.zeros(len(points))
    for molecule, (part, drawn) in zip(state.plan.molecules, parts, strict=True):
        centres = part.positions if drawn.atoms is None else part.positions[drawn.atoms]
        near = _within(points, centres, 4.0)
        total[near] += drawn.share * computer.deformation(molecule, part, drawn.atoms, points[near])
    return total


def _atoms(parts: list[MoleculeInput], drawn: list[Drawn]) -> list[tuple[str, Array]]:
    """Elements and positions in Å of the atoms that are drawn, each once; no caps of fragments."""
    found: dict[tuple[str, tuple[float, ...]], Array] = {}
    for part, how in zip(parts, drawn, strict=True):
        for atom in range(len(part.symbols)) if how.atoms is None else how.atoms:
            position = part.positions[atom]
            found.setdefault((part.symbols[atom], tuple(np.round(position, 3).tolist())), position)
    return [(symbol, position) for (symbol, _), position in found.items()]


def _within(points: Array, centres: Array, distance: float) -> NDArray[np.bool_]:
    near = np.zeros(len(points), dtype=bool)
    for centre in centres:
        near |= ((points - centre) ** 2).sum(axis=1) < distance**2
    return near


def write_cube(path: Path, title: str, box: Box, values: Array) -> None:
    """Write a cube file; values (m,) in the unit that the title names."""
    lines = [title, "QCrBox har"]
    lines.append(f"{len(box.atoms):5d} " + " ".join(f"{x / BOHR:12.6f}" for x in box.corner))
    for axis in range(3):
        step = [0.0, 0.0, 0.0]
        step[axis] = box.spacing / BOHR
        lines.append(f"{box.shape[axis]:5d} " + " ".join(f"{x:12.6f}" for x in step))
    for symbol, position in box.atoms:
        z = atomic_number(symbol)
        lines.append(f"{z:5d} {z:12.6f} " + " ".join(f"{x / BOHR:12.6f}" for x in position))
    rows = values.reshape(-1, box.shape[2])
    with path.open("w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
        for row in rows:
            texts = [f"{value:13.5E}" for value in row.tolist()]
            file.writelines("".join(texts[i : i + 6]) + "\n" for i in range(0, len(texts), 6))
