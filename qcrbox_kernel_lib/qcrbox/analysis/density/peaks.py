"""Peaks and holes of a density, each unique one once, at the image nearest to the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qcrbox.analysis.density.maps import DensityMap
from qcrbox.crystallography.structure import Structure

Array = NDArray[np.float64]
_SAME = 0.3  # Å between two points of the grid that are one peak
_REACH = 6.0  # Å within which the nearest atom is looked for


@dataclass(frozen=True)
class Peak:
    """Q1 is the highest peak, N1 the deepest hole. height in `unit`, distance in Å to the nearest atom."""

    name: str
    fract: Array
    height: float
    sigmas: float
    nearest: str
    distance: float
    unit: str = "e Å⁻³"

    @property
    def words(self) -> str:
        """Distance in Å from the nearest atom, as text."""
        return f"{self.distance:.2f} Å from {self.nearest}" if self.nearest else "far from every atom"


def find_peaks(density: DensityMap, most: int = 20, least_sigma: float = 3.0) -> list[Peak]:
    """The `most` highest peaks and a quarter as many holes of at least `least_sigma` σ, each from the largest on."""
    found: list[Peak] = []
    for sign, letter, count in ((1, "Q", most), (-1, "N", max(1, most // 4))):
        if most <= 0:
            break
        places, heights = _maxima(sign * density.values, least_sigma * density.sigma)
        unique = _unique(density.structure, places, count)
        for number, row in enumerate(unique, 1):
            fract, label, distance = _beside_model(density.structure, places[row])
            height = sign * float(heights[row])
            found.append(
                Peak(
                    f"{letter}{number}", fract, height, height / density.sigma, label, distance, density.unit
                )
            )
    return found


def _maxima(values: Array, least: float) -> tuple[Array, Array]:
    """Points of the grid above `least` and their 26 neighbours, moved to the top of the parabola through them."""
    top = values >= least
    for step in np.ndindex(3, 3, 3):
        shift = tuple(int(x) - 1 for x in step)
        if shift != (0, 0, 0):
            beside = np.roll(values, shift, (0, 1, 2))
            # Of equal neighbours the first counts.
            top &= (values > beside) if shift > (0, 0, 0) else (values >= beside)
    index = np.argwhere(top)
    moved, heights = index.astype(float), values[top].astype(float)
    shape = np.array(values.shape)
    for axis in range(3):
        ahead, behind = index.copy(), index.copy()
        ahead[:, axis] += 1
        behind[:, axis] -= 1
        a, b = (values[tuple((rows % shape).T)] for rows in (ahead, behind))
        curved = np.minimum(a + b - 2 * values[top], -1e-12)
        offset = np.clip((b - a) / (2 * curved), -0.5, 0.5)
        moved[:, axis] += offset
        heights += offset * (a - b) / 4
    order = np.argsort(-heights)
    return (moved / shape)[order], heights[order]


def _unique(structure: Structure, places: Array, most: int) -> list[int]:
    """Rows that are not symmetry images of earlier ones."""
    group, cell = structure.space_group, structure.cell
    kept: list[int] = []
    known = np.zeros((0, 3))
    for row, place in enumerate(places):
        if (np.linalg.norm(cell.to_cartesian(cell.nearest(known - place)), axis=1) < _SAME).any():
            continue
        kept.append(row)
        known = np.concatenate([known, group.rotations @ place + group.translations])
        if len(kept) == most:
            break
    return kept


def _beside_model(structure: Structure, place: Array) -> tuple[Array, str, float]:
    """The image of a peak nearest to the atoms as they are shown, the atom's label and distance."""
    group, cell = structure.space_group, structure.cell
    atoms = structure.atoms
    images = group.rotations @ place + group.translations
    if not len(atoms):
        return images[0], "", float("nan")
    away = cell.nearest(images[:, None, :] - atoms.fract[None, :, :])
    distance = np.linalg.norm(cell.to_cartesian(away), axis=2)
    operation, atom = divmod(int(np.argmin(distance)), len(atoms))
    if distance[operation, atom] > _REACH:
        return images[0], "", float("nan")
    return atoms.fract[atom] + away[operation, atom], atoms.label[atom], float(distance[operation, atom])
