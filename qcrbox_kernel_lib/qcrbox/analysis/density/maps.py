"""Difference density Fo − Fc of a model and its reflections.

Fc of the independent-atom model is summed directly (form factors of the International Tables as in gemmi: Vol C 6.1.1.4
for X-rays, 4.3.2.2 for electrons, scattering lengths for neutrons; no anomalous part); its phases go to Fo − Fc of the
reflection file, and a Fourier transform gives e/Å³ (fm/Å³ for neutrons, 1/Å² for electrons).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qcrbox.analysis.density.grid_values import GridValues, highest
from qcrbox.cif.document import Block
from qcrbox.contract.errors import MissingItemsError, UserInputError
from qcrbox.crystallography._gemmi import gemmi
from qcrbox.crystallography.radiation import ELECTRON, NEUTRON, density_unit
from qcrbox.crystallography.reflections import Reflections
from qcrbox.crystallography.reflections.map_terms import read_map_terms
from qcrbox.crystallography.structure import Structure, adps
from qcrbox.language import minus

Array = NDArray[np.float64]
_POINTS_PER_D = 4.0  # grid points within the smallest d spacing
_TERMS_AT_ONCE = 4_000_000
_MOST_POINTS = 100_000_000  # of a grid: 1.6 GB of coefficients


@dataclass(frozen=True)
class DensityMap(GridValues):
    """Values in `unit` on a grid over one cell, `values[i, j, k]` at (i/nx, j/ny, k/nz)."""

    values: Array
    structure: Structure
    kind: str = "Fo − Fc"

    @cached_property
    def maximum(self) -> float:
        """The highest value, between the points of the grid."""
        return highest(self.values).value

    @cached_property
    def minimum(self) -> float:
        """The lowest value, between the points of the grid."""
        return highest(self.values, -1).value

    @property
    def unit(self) -> str:
        """That of the scattering factors for each Å³."""
        return density_unit(self.structure.probe)

    def at_cartesian(self, places: Array) -> Array:
        """Values at places (n, 3) in Å on the crystal's Cartesian axes."""
        return self.at(self.structure.cell.to_fractional(places))

    def at(self, fract: Array) -> Array:
        """Values at fractional coordinates (n, 3), interpolated linearly."""
        shape = np.array(self.values.shape)
        place = np.mod(np.asarray(fract, dtype=float), 1.0) * shape
        low = np.floor(place).astype(int)
        share = place - low
        total = np.zeros(len(place))
        for corner in np.ndindex(2, 2, 2):
            index = (low + corner) % shape
            weight = np.prod(np.where(np.array(corner) == 1, share, 1 - share), axis=1)
            total += weight * self.values[tuple(index.T)]
        return total

    def __repr__(self) -> str:
        nx, ny, nz = self.values.shape
        unit = self.unit.replace("e Å⁻³", "e/Å³")
        return (
            f"<{self.kind} density: {minus(f'{self.maximum:+.2f} … {self.minimum:+.2f}')} {unit}, σ {self.sigma:.3f}, "
            f"grid {nx} × {ny} × {nz}>"
        )


def structure_factors(structure: Structure, hkl: NDArray[np.int64]) -> NDArray[np.complex128]:
    """Fc (n,) of the structure's atoms, absolute scale, without anomalous scattering."""
    sites, group, cell = structure.sites, structure.space_group, structure.cell
    rows = np.flatnonzero(sites.is_atom)
    factors = _form_factors([sites.element[row] for row in rows], cell.d_spacing(hkl), structure.probe)
    # The sum over all operations counts a site on a special position several times.
    weight = (
        np.nan_to_num(sites.occupancy[rows], nan=1.0)
        * structure.images.symmetry.multiplicity[rows]
        / group.order
    )
    scaled_u = _displacements(structure, rows)
    total = np.zeros(len(hkl), dtype=complex)
    step = max(1, _TERMS_AT_ONCE // max(1, len(rows)))
    for start in range(0, len(hkl), step):
        part = hkl[start : start + step].astype(float)
        for rotation, translation in zip(group.rotations, group.translations, strict=True):
            turned = part @ rotation
            phase = 2 * np.pi * (turned @ sites.fract[rows].T + (part @ translation)[:, None])
            decay = np.exp(
                -2 * np.pi**2 * np.einsum("ni,aij,nj->na", turned, scaled_u, turned, optimize=True)
            )
            total[start : start + step] += np.sum(
                factors[start : start + step] * decay * weight * np.exp(1j * phase), axis=1
            )
    return total


def _displacements(structure: Structure, rows: NDArray[np.int64]) -> Array:
    """U(ij) a*(i) a*(j) (m, 3, 3): what h and k are multiplied with in the exponent; zero where unknown."""
    sites, cell = structure.sites, structure.cell
    spheres = adps.isotropic_tensor(sites.u_iso[rows], cell)
    tensors = np.where(np.isnan(sites.u_cif[rows]), spheres, sites.u_cif[rows])
    return np.nan_to_num(tensors) * np.outer(cell.reciprocal_lengths, cell.reciprocal_lengths)


def _form_factors(elements: list[str], d: Array, probe: str) -> Array:
    """f (n, m) of each atom at each reflection. Raises UserInputError for an element without one."""
    stol2 = 1 / (4 * d**2)
    table = {}
    for name in set(elements):
        element = gemmi.Element(name if probe == NEUTRON or name != "D" else "H")
        by_probe: dict[str, Any] = {NEUTRON: element.neutron92, ELECTRON: element.c4322}
        coefficients = by_probe.get(probe, element.it92)
        if coefficients is None:
            raise UserInputError(f"No scattering factor of {name} is known for {probe or 'X-ray'} data.")
        table[name] = np.array([coefficients.calculate_sf(float(x)) for x in stol2])
    return np.stack([table[name] for name in elements], axis=1)


def difference_density(structure: Structure, reflections: Reflections) -> DensityMap:
    """Fo − Fc in e/Å³ from reflections that carry Fo², σ(Fo²) and Fc² on the absolute scale.

    Each difference is weighted by Fc² / (Fc² + σ(Fo²)), as in the maps of refine and SHELXL: weak reflections, whose
    sign is uncertain, add little noise, and extremes and σ are those that a refinement states.
    Raises MissingItemsError when there are no calculated values.
    """
    data = reflections.as_f_squared()
    if data.calculated is None:
        raise MissingItemsError(
            "A difference density needs calculated structure factors.",
            next="They are in the .fcf file that a refinement writes.",
            items=["_refln_F_squared_calc"],
        )
    good = np.isfinite(data.intensity) & np.isfinite(data.calculated) & np.any(data.hkl != 0, axis=1)
    data = data.select(good)
    if not len(data.hkl):
        raise MissingItemsError(
            "A difference density needs reflections with observed and calculated values.",
            why="None of the reflections has both.",
            items=["_refln_F_squared_meas", "_refln_F_squared_calc"],
        )
    assert data.calculated is not None
    model = structure_factors(structure, data.hkl)
    calculated = np.clip(data.calculated, 0, None)
    weight = calculated / np.maximum(calculated + np.nan_to_num(np.clip(data.sigma, 0, None)), 1e-30)
    size = np.sqrt(np.clip(data.intensity, 0, None)) - np.sqrt(calculated)
    return _transformed(structure, data.hkl, weight * size * np.exp(1j * np.angle(model)))


def kept_difference_density(structure: Structure, block: Block) -> DensityMap | None:
    """Fo − Fc in e/Å³ from the coefficients that a refinement kept beside its reflections; None where there are none.

    Of twins, extinct crystals and solvent masks the list of Fo² and Fc² alone does not give the map.
    """
    terms = read_map_terms(block)
    return None if terms is None or not len(terms[0]) else _transformed(structure, *terms)


def _transformed(structure: Structure, hkl: NDArray[np.int64], f: NDArray[np.complex128]) -> DensityMap:
    cell, group = structure.cell, structure.space_group
    shape = _grid(cell.parameters[:3], float(cell.d_spacing(hkl).min()), np.abs(hkl).max(axis=0))
    coefficients, counts = np.zeros(shape, dtype=complex), np.zeros(shape, dtype=int)
    for rotation, translation in zip(group.rotations, group.translations, strict=True):
        # F(hR) = F(h) exp(−2πi h·t)
        turned = hkl @ rotation
        value = f * np.exp(-2j * np.pi * (hkl @ translation))
        # Friedel mates, and equivalents that are listed apart, are averaged.
        for indices, term in ((turned, value), (-turned, np.conj(value))):
            place = tuple((indices % shape).T)
            np.add.at(coefficients, place, term)
            np.add.at(counts, place, 1)
    return DensityMap(np.fft.fftn(coefficients / np.maximum(counts, 1)).real / cell.volume, structure)


def _grid(lengths: Array, d_min: float, highest: NDArray[np.int64]) -> tuple[int, int, int]:
    wanted = np.maximum(np.ceil(lengths * _POINTS_PER_D / d_min), 2 * highest + 2)
    if np.prod(wanted) > _MOST_POINTS:
        raise UserInputError(
            f"The map would have {np.prod(wanted):.2g} points.",
            why=f"Its reflections reach {d_min:.3g} Å and index {int(highest.max())}.",
            next="Check the indices of the reflections and the cell.",
        )
    nx, ny, nz = (_even_and_smooth(int(n)) for n in wanted)
    return nx, ny, nz


def _even_and_smooth(n: int) -> int:
    """The next even number without prime factors above 5, for a fast Fourier transform."""
    n += n % 2
    while True:
        rest = n
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return n
        n += 2


@dataclass(frozen=True)
class Box:
    """A part of a map: `values` (nx, ny, nz), its first point and steps in Å of the crystal's Cartesian axes."""

    values: NDArray[np.float32]
    origin: Array
    steps: Array  # (3, 3), rows: one step along each index


def around(
    density: DensityMap, fract: Array, margin: float = 1.6, reach: float = 2.0, most: int = 3_000_000
) -> Box:
    """The part of a map around atoms (n, 3), set to zero farther than `reach` Å from all of them.

    margin: Å beyond the outermost atoms. A box of more than `most` points is thinned.
    """
    cell = density.structure.cell
    shape = np.array(density.values.shape)
    wider = margin * cell.reciprocal_lengths
    low = np.floor((fract.min(axis=0) - wider) * shape).astype(int)
    high = np.ceil((fract.max(axis=0) + wider) * shape).astype(int)
    thin = 1
    while np.prod((high - low) // thin + 1) > most:
        thin += 1
    index = [np.arange(low[axis], high[axis] + 1, thin) for axis in range(3)]
    values = density.values[np.ix_(*(index[axis] % shape[axis] for axis in range(3)))].astype(np.float32)
    steps = (cell.orthogonalisation / shape * thin).T
    origin = cell.to_cartesian(low / shape)
    return Box(_near_atoms(values, origin, steps, cell.to_cartesian(fract), reach), origin, steps)


def _near_atoms(
    values: NDArray[np.float32], origin: Array, steps: Array, atoms: Array, reach: float
) -> NDArray[np.float32]:
    if len(atoms) > 4000:
        return values
    keep = np.zeros(values.shape, dtype=bool)
    back = np.linalg.inv(steps)
    half = np.ceil(reach * np.linalg.norm(back, axis=0)).astype(int)
    shape = np.array(values.shape)
    for atom in atoms:
        centre = np.rint((atom - origin) @ back).astype(int)
        low, high = np.maximum(centre - half, 0), np.minimum(centre + half + 1, shape)
        if (high <= low).any():
            continue
        grid = np.stack(
            np.meshgrid(*(np.arange(a, b) for a, b in zip(low, high, strict=True)), indexing="ij"), axis=-1
        )
        distance2 = np.sum((grid @ steps + origin - atom) ** 2, axis=-1)
        keep[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] |= distance2 <= reach**2
    return np.where(keep, values, np.float32(0.0))
