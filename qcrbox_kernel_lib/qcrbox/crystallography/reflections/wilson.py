"""Wilson statistics: overall scale and B, normalised intensities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography._gemmi import gemmi
from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.reflections.merging import Merged
from qcrbox.crystallography.space_group import SpaceGroup

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Wilson:
    """Plot and result: ln(<I>/Σf²) (m,) against (sin θ/λ)² (m,) in Å⁻².

    scale: k in I = k F²; b: overall B in Å². mean_e2_1: <|E²-1|>, 0.968 for centrosymmetric and
    0.736 for non-centrosymmetric structures.
    """

    s_squared: Array
    log_ratio: Array
    scale: float
    b: float
    mean_e2_1: float


def wilson(
    merged: Merged, cell: UnitCell, group: SpaceGroup, content: Mapping[str, float], bins: int = 20
) -> Wilson:
    """Wilson plot of merged intensities for the atoms of one cell (element -> count).

    Reflections of special classes are brought to one expectation by their ε factor.
    Raises UserInputError when the content is unknown or there are too few reflections.
    """
    if not content:
        raise UserInputError("A Wilson plot needs the content of the cell.", next="Give the formula and Z.")
    stol2 = 1 / (4 * cell.d_spacing(merged.hkl) ** 2)
    bins = min(bins, len(merged.hkl) // 20)
    if bins < 3:
        raise UserInputError(f"{len(merged.hkl)} reflections are too few for a Wilson plot.")
    expected = _sum_of_squares(content, stol2) * _epsilon(merged.hkl, group)
    order = np.argsort(stol2)
    parts = np.array_split(order, bins)
    x = np.array([stol2[part].mean() for part in parts])
    ratio = np.array([merged.intensity[part].mean() / expected[part].mean() for part in parts])
    usable = ratio > 0
    if usable.sum() < 3:
        raise UserInputError("Too many shells have no intensity for a Wilson plot.")
    y = np.log(ratio[usable])
    # The lowest angles follow the structure, not the statistics; they count less through their number only.
    slope, intercept = np.polyfit(x[usable], y, 1)
    normalised = _normalised(merged.intensity / expected, parts)
    return Wilson(
        x[usable], y, float(np.exp(intercept)), float(-slope / 2), float(np.nanmean(np.abs(normalised - 1)))
    )


def normalised_squares(
    merged: Merged, cell: UnitCell, group: SpaceGroup, content: Mapping[str, float], bins: int = 20
) -> Array:
    """E² (n,) of merged intensities, normalised in shells of resolution; NaN in a shell without intensity."""
    stol2 = 1 / (4 * cell.d_spacing(merged.hkl) ** 2)
    expected = _sum_of_squares(content, stol2) * _epsilon(merged.hkl, group)
    parts = np.array_split(np.argsort(stol2), max(1, min(bins, len(stol2) // 20)))
    return _normalised(merged.intensity / expected, parts)


def _normalised(ratio: Array, parts: list[NDArray[np.int64]]) -> Array:
    normalised = np.zeros(len(ratio))
    for part in parts:
        mean = ratio[part].mean()
        normalised[part] = ratio[part] / mean if mean > 0 else np.nan
    return normalised


def _sum_of_squares(content: Mapping[str, float], stol2: Array) -> Array:
    total = np.zeros(len(stol2))
    for name, count in content.items():
        element = gemmi.Element("H" if name == "D" else name)
        coefficients = element.it92 if element.atomic_number else None
        if coefficients is None:
            raise UserInputError(f"No scattering factor is known for {name}.")
        a, b, c = np.array(coefficients.a), np.array(coefficients.b), coefficients.c
        total += count * ((a * np.exp(-np.outer(stol2, b))).sum(axis=1) + c) ** 2
    return total


def _epsilon(hkl: NDArray[np.int64], group: SpaceGroup) -> Array:
    """How many operations leave a reflection in place: its mean intensity is that many times higher."""
    epsilon = np.zeros(len(hkl))
    for rotation in group.rotations:
        epsilon += (hkl @ rotation == hkl).all(axis=1)
    return epsilon
