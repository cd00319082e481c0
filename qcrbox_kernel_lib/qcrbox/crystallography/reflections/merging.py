"""Symmetry of reflections: equivalents, absences, merging and its statistics, completeness."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.reflections.data import Reflections
from qcrbox.crystallography.space_group import SpaceGroup

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]
_SPAN = 2048
MOST_GENERATED = 20_000_000


# The key of an index triple is linear in it, so that of an equivalent is one sum of products as well.
_WEIGHTS = np.array([(2 * _SPAN) ** 2, 2 * _SPAN, 1], dtype=np.int64)
_ORIGIN = int(_WEIGHTS.sum()) * _SPAN


def index_key(hkl: Indices, rotation: Indices | None = None) -> Indices:
    """One integer per index triple, or per triple times `rotation`; larger means lexicographically later."""
    weights = _WEIGHTS if rotation is None else rotation @ _WEIGHTS
    key = hkl[:, 0] * weights[0]
    for axis in (1, 2):
        key += hkl[:, axis] * weights[axis]
    return key + _ORIGIN


def asymmetric_key(hkl: Indices, group: SpaceGroup, *, friedel: bool = True) -> Indices:
    """The key of the equivalent that comes last: equal for equivalent reflections.

    friedel: whether hkl and -h-k-l count as equivalent (the Laue group).
    """
    rotations = {tuple(rotation.ravel().tolist()) for rotation in group.rotations}
    if friedel:
        rotations |= {tuple(-part for part in rotation) for rotation in rotations}
    best = index_key(hkl)
    for rotation in rotations:
        np.maximum(best, index_key(hkl, np.array(rotation, dtype=np.int64).reshape(3, 3)), out=best)
    return best


def indices_of(key: Indices) -> Indices:
    """Index triples (n, 3) of keys."""
    rest, l = np.divmod(key, 2 * _SPAN)  # noqa: E741
    h, k = np.divmod(rest, 2 * _SPAN)
    return np.column_stack([h, k, l]) - _SPAN


def systematically_absent(hkl: Indices, group: SpaceGroup) -> Mask:
    """(n,) True where the symmetry makes the structure factor zero."""
    absent = np.zeros(len(hkl), dtype=bool)
    own = index_key(hkl)
    for rotation, shift in zip(group.rotations, group.translations, strict=True):
        if not shift.any():
            continue
        fixed = np.flatnonzero(index_key(hkl, rotation) == own)
        phase = hkl[fixed] @ shift
        absent[fixed[np.abs(phase - np.rint(phase)) > 1e-3]] = True
    return absent


def centric(hkl: Indices, group: SpaceGroup) -> Mask:
    """(n,) True for reflections with restricted phase."""
    found = np.zeros(len(hkl), dtype=bool)
    opposite = index_key(-hkl)
    for rotation in group.rotations:
        found |= index_key(hkl, rotation) == opposite
    return found


@dataclass(frozen=True)
class Merged:
    """Unique reflections (m,) with weighted mean, its s.u., and how many observations each has."""

    hkl: Indices
    intensity: Array
    sigma: Array
    multiplicity: Indices


@dataclass(frozen=True)
class Shell:
    """Statistics between two resolutions, d in Å. Values that cannot be computed are None."""

    d_max: float
    d_min: float
    observations: int
    unique: int
    possible: int
    completeness: float
    redundancy: float
    mean_i_over_sigma: float | None
    r_int: float | None
    r_sigma: float | None


@dataclass(frozen=True)
class MergingStatistics:
    """Quality statistics of unmerged data. `notes` list what was left out and why."""

    observations: int
    unique: int
    absences: int
    absent_above_3_sigma: int
    rejected: int
    r_int: float | None
    r_sigma: float | None
    completeness: float
    redundancy: float
    mean_i_over_sigma: float | None
    d_max: float
    d_min: float
    shells: list[Shell]
    merged: Merged
    notes: list[str]


def merging_statistics(
    reflections: Reflections, cell: UnitCell, group: SpaceGroup, *, friedel: bool = True, shells: int = 10
) -> MergingStatistics:
    """Merge equivalents and count.

    R(int) = Σ|Fo² - <Fo²>| / Σ Fo² over reflections with equivalents, R(sigma) = Σ σ / Σ Fo² over the unique
    ones; means are weighted by 1/σ². Absences are left out. Raises UserInputError for twinned data of
    several components (HKLF 5): they must not be merged.
    """
    _refuse_unmergeable(reflections)
    data, notes = reflections.as_f_squared(), []
    good = np.isfinite(data.sigma) & (data.sigma > 0) & np.isfinite(data.intensity)
    good &= data.hkl.any(axis=1)
    absent = good & systematically_absent(data.hkl, group)
    if not good.all():
        notes.append(f"{int((~good).sum())} reflections without positive s.u. were left out.")
    strong = absent & (data.intensity > 3 * data.sigma)
    used = data.select(good & ~absent)
    if not len(used):
        raise UserInputError("No reflection can be used for merging.", where=reflections.source)
    merged, observed, unique = _merge(used, cell, asymmetric_key(used.hkl, group, friedel=friedel))
    d_max, d_min = float(unique.d.max()), float(unique.d.min())
    possible = unique_reflections(cell, group, d_min * (1 - 1e-9), friedel=friedel)
    d_possible = cell.d_spacing(possible)
    table = [
        _shell(upper, lower, observed, unique, d_possible)
        for upper, lower in pairwise(_edges(d_max, d_min, shells).tolist())
    ]
    if reflections.merged:
        notes.append("The file gives merged reflections; R(int) and redundancy have little meaning.")
    return MergingStatistics(
        observations=len(used),
        unique=len(unique.d),
        absences=int(absent.sum()),
        absent_above_3_sigma=int(strong.sum()),
        rejected=int((~good).sum()),
        r_int=observed.r_int(observed.repeated),
        r_sigma=_ratio(unique.sigma.sum(), unique.mean.sum()),
        completeness=len(unique.d) / max(len(possible), 1),
        redundancy=len(used) / len(unique.d),
        mean_i_over_sigma=float((unique.mean / unique.sigma).mean()),
        d_max=d_max,
        d_min=d_min,
        shells=table,
        merged=merged,
        notes=[*data.notes, *notes],
    )


def _refuse_unmergeable(reflections: Reflections) -> None:
    if reflections.twin:
        raise UserInputError(
            "These are twinned data of several components (HKLF 5); they must not be merged.",
            where=reflections.source,
            next="Use the data of one component (HKLF 4) for merging statistics.",
        )
    if len(reflections) and np.abs(reflections.hkl).max() >= _SPAN // 2:
        raise UserInputError(
            f"Indices reach {int(np.abs(reflections.hkl).max())}; merging goes to {_SPAN // 2 - 1}.",
            where=reflections.source,
            next="Check the columns of the reflection file.",
        )


@dataclass(frozen=True)
class _Observed:
    """Measured reflections (n,): d in Å, Fo², its deviation from the mean of its equivalents, whether it has any."""

    d: Array
    intensity: Array
    deviation: Array
    repeated: Mask

    def r_int(self, rows: Mask) -> float | None:
        return _ratio(self.deviation[rows].sum(), self.intensity[rows].sum())


@dataclass(frozen=True)
class _Unique:
    """Unique reflections (m,): d in Å, weighted mean of Fo² and its s.u."""

    d: Array
    mean: Array
    sigma: Array


def _merge(used: Reflections, cell: UnitCell, key: Indices) -> tuple[Merged, _Observed, _Unique]:
    unique, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
    weight = 1 / used.sigma**2
    total = np.bincount(inverse, weight)
    mean = np.bincount(inverse, weight * used.intensity) / total
    sigma = 1 / np.sqrt(total)
    hkl = indices_of(unique)
    deviation = np.abs(used.intensity - mean[inverse])
    observed = _Observed(cell.d_spacing(used.hkl), used.intensity, deviation, counts[inverse] > 1)
    return Merged(hkl, mean, sigma, counts), observed, _Unique(cell.d_spacing(hkl), mean, sigma)


def _shell(upper: float, lower: float, observed: _Observed, unique: _Unique, d_possible: Array) -> Shell:
    """Statistics of the reflections with d in (lower, upper]."""

    def inside(d: Array) -> Mask:
        return (d <= upper) & (d > lower)

    measured, merged = inside(observed.d), inside(unique.d)
    n_measured, n_unique, n_possible = (int(rows.sum()) for rows in (measured, merged, inside(d_possible)))
    mean, sigma = unique.mean[merged], unique.sigma[merged]
    return Shell(
        d_max=upper,
        d_min=lower,
        observations=n_measured,
        unique=n_unique,
        possible=n_possible,
        completeness=n_unique / max(n_possible, 1),
        redundancy=n_measured / max(n_unique, 1),
        mean_i_over_sigma=float((mean / sigma).mean()) if n_unique else None,
        r_int=observed.r_int(measured & observed.repeated),
        r_sigma=_ratio(sigma.sum(), mean.sum()),
    )


def _ratio(above: float, below: float) -> float | None:
    return float(above / below) if below > 0 else None


def _edges(d_max: float, d_min: float, shells: int) -> Array:
    """Shells of equal volume in reciprocal space."""
    cubes = np.linspace((1 / d_max) ** 3, (1 / d_min) ** 3, shells + 1)
    edges = 1 / np.cbrt(cubes)
    edges[0] *= 1 + 1e-9
    edges[-1] *= 1 - 1e-9
    return edges


def unique_reflections(cell: UnitCell, group: SpaceGroup, d_min: float, *, friedel: bool = True) -> Indices:
    """Every unique reflection (n, 3) with d of at least `d_min` Å that symmetry does not forbid."""
    if not d_min > 0:
        raise UserInputError(f"A resolution of {d_min:g} Å is not above zero.")
    lengths = cell.parameters[:3]
    limit = np.floor(lengths / d_min).astype(int)
    box = int((2 * limit + 1).prod())
    if box > MOST_GENERATED or limit.max() >= _SPAN // 2:
        raise UserInputError(
            f"Down to {d_min:g} Å this cell has too many reflections to list ({box:,}).",
            next="Choose a coarser resolution.",
        )
    # Of a Friedel pair the one with h >= 0 comes last.
    h, k, l = (np.arange(0 if friedel and not axis else -n, n + 1) for axis, n in enumerate(limit))  # noqa: E741
    g = cell.reciprocal_metric
    h2, k2 = h[:, None, None], k[None, :, None]
    squared = g[0, 0] * h2**2 + g[1, 1] * k2**2 + 2 * g[0, 1] * h2 * k2
    squared = squared + g[2, 2] * l**2 + (2 * g[0, 2] * h2 + 2 * g[1, 2] * k2) * l
    place = np.argwhere((squared <= 1 / d_min**2) & (squared > 0))
    hkl = np.column_stack([h[place[:, 0]], k[place[:, 1]], l[place[:, 2]]])
    hkl = hkl[asymmetric_key(hkl, group, friedel=friedel) == index_key(hkl)]
    return hkl[~systematically_absent(hkl, group)]
