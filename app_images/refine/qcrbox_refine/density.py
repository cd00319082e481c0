"""Difference density Fo - Fc: extremes, peaks, value at a point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from cctbx import maptbx, miller
from cctbx.array_family import flex
from qcrbox.analysis.density.grid_values import highest
from qcrbox.crystallography.nearest import nearest_vectors

from qcrbox_refine.connectivity import metric_tensor
from qcrbox_refine.fit import Fit
from qcrbox_refine.indices import to_array
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
    """The map in e/Å³ over the unit cell, on the absolute scale. Its extremes lie between the points of the grid."""

    grid: flex.double
    minimum: float
    maximum: float
    rms: float
    fft: Any

    def at(self, site: tuple[float, float, float]) -> float:
        """Density in e Å⁻³ at a fractional position, interpolated linearly between eight grid points."""
        return maptbx.eight_point_interpolation(self.grid, site)


@dataclass
class MapTerms:
    """Of the reflections unique in the Laue group: fc, F of the model with f'' = 0 (complex miller array); difference,
    |Fo| - |Fc| (n,); sigma, s.u. of Fo² (n,). On the absolute scale, corrected for twins, extinction and solvent.
    """

    fc: miller.array
    difference: np.ndarray
    sigma: np.ndarray

    def coefficients(self) -> miller.array:
        """w (|Fo| - |Fc|) exp(iφ) with w = |Fc|² / (|Fc|² + σ(Fo²)).

        The weight keeps the noise of weak reflections, whose sign and phase are uncertain, out of the map; with it extremes
        and r.m.s. are those of SHELXL within a few per cent.
        """
        f = self.fc.data().as_numpy_array()
        size = np.abs(f)
        weight = size**2 / np.maximum(size**2 + self.sigma, 1e-30)
        phase = f / np.maximum(size, 1e-30)
        return self.fc.customized_copy(data=flex.complex_double(weight * self.difference * phase))


def map_terms(fit: Fit) -> MapTerms:
    """Differences averaged over equivalents and Friedel mates, with phases as a map of a real density needs them.

    Fo is corrected by the ratio of |Fc|² of the reflection to the calculated intensity; negative Fo² count as 0. |Fc| in the
    difference contains f''; the phases do not: f'' shifts those of a mate by the opposite amount.
    """
    unique = fit.reflections.unique
    amplitude = np.abs(fit.equations.f_calc)
    fo_sq, sigma, fc_sq = fit.equations.on_fc_scale()
    share = amplitude**2 / np.maximum(fc_sq, 1e-30)
    difference = np.sqrt(np.maximum(fo_sq, 0) * share) - amplitude
    plain = fit.equations.model.without_imaginary_dispersion()
    base = unique.set().map_to_asu()
    f = miller.array(base, data=flex.complex_double(np.ascontiguousarray(plain)))
    f = f.customized_copy(anomalous_flag=False).map_to_asu()
    keys = to_array(f.indices())
    _, first, group, counts = np.unique(
        keys, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    group = group.reshape(-1)

    def averaged(values: np.ndarray) -> np.ndarray:
        return np.bincount(group, weights=values) / counts

    return MapTerms(
        f.select(flex.size_t([int(i) for i in first])),
        averaged(difference),
        averaged(sigma * share) / np.sqrt(counts),
    )


def difference_map(fit: Fit, resolution_factor: float = 0.25) -> DifferenceMap:
    """Fourier transform of the difference coefficients, on the absolute scale."""
    fft = (
        map_terms(fit)
        .coefficients()
        .fft_map(resolution_factor=resolution_factor, symmetry_flags=maptbx.use_space_group_symmetry)
    )
    fft.apply_volume_scaling()
    grid = fft.real_map_unpadded()
    values = grid.as_numpy_array()
    return DifferenceMap(
        grid, highest(values, -1).value, highest(values).value, maptbx.statistics(grid).sigma(), fft
    )


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
    """Fractional coordinates of the deepest place."""
    x, y, z = highest(residual.grid.as_numpy_array(), -1).place.tolist()
    return x, y, z


def _next_to_atom(
    site: tuple[float, float, float], model: Model
) -> tuple[tuple[float, float, float], str, float]:
    metric = metric_tensor(model.symmetry.unit_cell())
    atoms = np.array([atom.site for atom in model.atoms])
    best = (np.inf, site, "")
    for operation in model.symmetry.space_group():
        delta = nearest_vectors(np.array(operation * site) - atoms, metric)
        squares = np.einsum("ni,ij,nj->n", delta, metric, delta)
        nearest = int(squares.argmin())
        if squares[nearest] < best[0] - 1e-6:
            best = (
                squares[nearest],
                tuple(float(x) for x in atoms[nearest] + delta[nearest]),
                model.atoms[nearest].label,
            )
    return best[1], best[2], float(np.sqrt(best[0]))
