"""Difference density Fo - Fc: extremes, peaks, value at a point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from cctbx import maptbx, miller
from cctbx.array_family import flex

from qcrbox_refine.least_squares import Fit
from qcrbox_refine.model import Model


@dataclass
class Peak:
    """height in e/Å³; site fractional; nearest atom and its distance in Å."""

    label: str
    site: tuple[float, float, float]
    height: float
    nearest: str
    distance: float


@dataclass
class DifferenceMap:
    """The map in e/Å³ over the unit cell, on the absolute scale."""

    grid: flex.double
    minimum: float
    maximum: float
    rms: float
    fft: Any

    def at(self, site: tuple[float, float, float]) -> float:
        return maptbx.eight_point_interpolation(self.grid, site)


def difference_map(fit: Fit, resolution_factor: float = 0.25) -> DifferenceMap:
    """Fourier transform of (|Fo| - |Fc|) exp(iφ), with Fo on the scale of Fc and negative Fo² as zero."""
    fo_sq = fit.reflections.unique
    fc = fit.engine.f_calc
    data = flex.sqrt(fo_sq.data().deep_copy().set_selected(fo_sq.data() < 0, 0) / fit.scale)
    fo = miller.array(fo_sq, data=data).set_observation_type_xray_amplitude()
    if fo.anomalous_flag():
        fo, fc = fo.average_bijvoet_mates(), fc.average_bijvoet_mates()
        fo, fc = fo.common_sets(fc)
    coefficients = fo.phase_transfer(fc).customized_copy(data=fo.phase_transfer(fc).data() - fc.data())
    fft = coefficients.fft_map(
        resolution_factor=resolution_factor, symmetry_flags=maptbx.use_space_group_symmetry
    )
    fft.apply_volume_scaling()
    grid = fft.real_map_unpadded()
    statistics = maptbx.statistics(grid)
    return DifferenceMap(grid, statistics.min(), statistics.max(), statistics.sigma(), fft)


def peaks(residual: DifferenceMap, model: Model, limit: int = 20) -> list[Peak]:
    """The highest peaks, highest first, each brought next to the atom it is nearest to."""
    parameters = maptbx.peak_search_parameters(
        interpolate=True, min_distance_sym_equiv=0.8, max_clusters=limit, peak_cutoff=2 * residual.rms
    )
    found = residual.fft.peak_search(parameters, verify_symmetry=False).all()
    result = []
    for number, (site, height) in enumerate(zip(found.sites(), found.heights(), strict=True), start=1):
        moved, nearest, d = _next_to_atom(tuple(site), model)
        result.append(Peak(f"Q{number}", moved, float(height), nearest, d))
    return result


def hole(residual: DifferenceMap) -> tuple[float, float, float]:
    """Fractional coordinates of the deepest point."""
    position = int(np.argmin(residual.grid.as_numpy_array()))
    shape = residual.grid.all()
    return tuple(float(i / n) for i, n in zip(np.unravel_index(position, shape), shape, strict=True))


def _next_to_atom(
    site: tuple[float, float, float], model: Model
) -> tuple[tuple[float, float, float], str, float]:
    cell = model.symmetry.unit_cell()
    metric = np.array(cell.metrical_matrix())
    atoms = np.array([atom.site for atom in model.atoms])
    best = (np.inf, site, "")
    for operation in model.symmetry.space_group():
        image = np.array(operation * site)
        delta = image - atoms
        delta -= np.round(delta)
        x, y, z = delta.T
        squares = (
            metric[0] * x * x + metric[1] * y * y + metric[2] * z * z
            + 2 * (metric[3] * x * y + metric[4] * x * z + metric[5] * y * z)
        )  # fmt: skip
        nearest = int(squares.argmin())
        if squares[nearest] < best[0] - 1e-6:
            best = (
                squares[nearest],
                tuple(float(x) for x in atoms[nearest] + delta[nearest]),
                model.atoms[nearest].label,
            )
    return best[1], best[2], float(np.sqrt(best[0]))
