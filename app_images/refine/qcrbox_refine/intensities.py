"""Calculated intensities of all observations, and their derivatives by everything that is refined.

I(i) = E(i) Σ_j m_j k(d_j) S(h_j) |F(h_j) + M(h_j)|²: F of the atoms, M of a solvent mask, S bulk solvent (SWAT), k the
share of the domain (twin or batch), m the multiplicity, E extinction. The structure factors come from an object with
`linearise(h)`, `evaluate(h)`, `observable`, `f_calc`, `grad_observable`, `grad_f_calc`: smtbx's for spherical atoms, or
for a table of aspherical ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from cctbx import miller, xray
from smtbx.structure_factors import direct

from qcrbox_refine.constraints import Parametrisation
from qcrbox_refine.extinction import Extinction, corrected, path_factor
from qcrbox_refine.indices import to_array, to_flex
from qcrbox_refine.reflections import Reflections
from qcrbox_refine.solvent_mask import BulkSolvent, SolventMask
from qcrbox_refine.twinning import Domains, distinct_reflections

# Rows of the design matrix that are held at once: about 200 MB.
_DESIGN_VALUES = 25_000_000

# Limits of g and U (Å²) of SWAT: beyond, the solvent outweighs the atoms, or acts on no reflection.
_SOLVENT_G, _SOLVENT_U = (-0.95, 0.95), (0.1, 20.0)

StructureFactors = Callable[[xray.structure], Any]


def spherical_atoms(structure: xray.structure) -> Any:
    """Structure factors of independent spherical atoms."""
    return direct.f_calc_modulus_squared(structure)


@dataclass
class Corrections:
    """What stands between |F|² of the atoms and the observed intensity. None: not there."""

    domains: Domains = field(default_factory=Domains)
    extinction: Extinction | None = None
    solvent: BulkSolvent | None = None
    mask: SolventMask | None = None

    def names(self) -> list[str]:
        """Refined parameters of these corrections, in their order in the design matrix."""
        found = [f"BASF {i + 1}" for i, refined in enumerate(self.domains.refined) if refined]
        if self.extinction and self.extinction.refined:
            found.append("extinction")
        if self.solvent:
            found += ["SWAT g", "SWAT U"]
        return found + (self.mask.names() if self.mask else [])

    def shift(self, shifts: np.ndarray) -> None:
        """Add the shifts, in the order of `names`."""
        values = iter(float(x) for x in shifts)
        for i, refined in enumerate(self.domains.refined):
            if refined:
                self.domains.fractions[i] += next(values)
        if self.extinction and self.extinction.refined:
            self.extinction.coefficient += next(values)
        if self.solvent:
            self.solvent.g += next(values)
            self.solvent.u += next(values)
        if self.mask:
            self.mask.shift(values)

    def _limits(self, strongest: float) -> np.ndarray:
        """Lowest and highest value of each refined correction, (n, 2), in the order of `names`."""
        limits = {
            "extinction": (-0.5 / max(strongest, 1e-30), np.inf),
            "SWAT g": _SOLVENT_G,
            "SWAT U": _SOLVENT_U,
        }
        return np.array([limits.get(name, (-np.inf, np.inf)) for name in self.names()]).reshape(-1, 2)

    def allowed(self, shifts: np.ndarray, strongest: float) -> np.ndarray:
        """Shifts, in the order of `names`, cut where a correction would lose its meaning: extinction or solvent would turn
        intensities negative. strongest: the largest 0.001 λ³ Fc² / sin 2θ.
        """
        now, (lowest, highest) = np.array(self.values()), self._limits(strongest).T
        # A value of the file beyond a limit moves towards it, never farther.
        return np.clip(now + shifts, np.minimum(lowest, now), np.maximum(highest, now)) - now

    def at_limits(self, strongest: float) -> list[str]:
        """Names of the corrections that stand at the end of what they may be, or beyond."""
        now, (lowest, highest) = np.array(self.values()), self._limits(strongest).T
        beyond = (now <= lowest + 1e-12) | (now >= highest - 1e-12)
        return [name for name, there in zip(self.names(), beyond, strict=True) if there]

    def values(self) -> list[float]:
        """Refined values in the order of the parameters: twin fractions, extinction, solvent."""
        found = [
            value
            for value, refined in zip(self.domains.fractions, self.domains.refined, strict=True)
            if refined
        ]
        if self.extinction and self.extinction.refined:
            found.append(self.extinction.coefficient)
        if self.solvent:
            found += [self.solvent.g, self.solvent.u]
        return found + (self.mask.refined_values() if self.mask else [])


@dataclass
class Chunk:
    """Observations first … last - 1: intensities (n,), derivatives (n, parameters) or None, F of the main index (n,)."""

    rows: slice
    intensity: np.ndarray
    design: np.ndarray | None
    f_calc: np.ndarray


class IntensityModel:
    """Intensities of a parametrised structure; it follows the structure as its parameters change."""

    def __init__(
        self,
        made: Parametrisation,
        reflections: Reflections,
        corrections: Corrections,
        structure_factors: StructureFactors = spherical_atoms,
        wavelength: float | None = None,
    ) -> None:
        self.made, self.corrections = made, corrections
        self.reflections, self.structure_factors, self.wavelength = reflections, structure_factors, wavelength
        self.n = reflections.unique.size()
        self.factors = structure_factors(made.structure)
        self.components = reflections.components
        self.distinct, self.which = distinct_reflections(self.components, reflections.unique.set())
        self.main = _main_reflections(reflections.unique.set(), self.distinct)
        self.stol_sq = self.distinct.sin_theta_over_lambda_sq().data().as_numpy_array()
        self.path = None
        if corrections.extinction:
            waves = reflections.wavelengths if reflections.wavelengths is not None else wavelength
            self.path = path_factor(reflections.unique.set(), waves)
        self.mask_values: np.ndarray | None = None
        self.missing_in_mask = 0
        if corrections.mask:
            self.mask_values, self.missing_in_mask = corrections.mask.at(self.distinct)

    @property
    def n_structural(self) -> int:
        """Number of independent parameters of the atoms."""
        return self.made.reparametrisation.n_independents

    @property
    def n_parameters(self) -> int:
        """Without the overall scale."""
        return self.n_structural + len(self.corrections.names())

    def chunks(self, derivatives: bool) -> Iterator[Chunk]:
        """All observations, in pieces whose design matrix fits into memory."""
        step = max(1, _DESIGN_VALUES // max(self.n_parameters, 1)) if derivatives else max(self.n, 1)
        order = np.argsort(self.components.observation, kind="stable")
        starts = np.searchsorted(self.components.observation[order], np.arange(self.n + 1))
        for first in range(0, self.n, step):
            last = min(first + step, self.n)
            mine = order[starts[first] : starts[last]]
            yield self._chunk(slice(first, last), mine, derivatives)

    def calculate(self) -> tuple[np.ndarray, np.ndarray]:
        """Intensities (n,) and F (n,) of the main index of every observation, mask included, without extinction."""
        chunks = list(self.chunks(derivatives=False))
        return (
            np.concatenate([chunk.intensity for chunk in chunks]),
            np.concatenate([chunk.f_calc for chunk in chunks]),
        )

    def _chunk(self, rows: slice, mine: np.ndarray, derivatives: bool) -> Chunk:
        needed, place = np.unique(self.which[mine], return_inverse=True)
        squares, f_calc, gradients = self._structure_factors(needed, derivatives)
        stol_sq = self.stol_sq[needed][place]
        own = self.components
        observation = own.observation[mine] - rows.start
        domains = self.corrections.domains
        shares = domains.shares()[own.domain[mine]] * own.multiplicity[mine]
        single = squares[place]
        bulk = np.ones(len(mine))
        if self.corrections.solvent:
            bulk, by_g, by_u = self.corrections.solvent.factor(stol_sq)
        n = rows.stop - rows.start

        def summed(values: np.ndarray) -> np.ndarray:
            return np.bincount(observation, weights=values, minlength=n)

        intensity = summed(shares * bulk * single)
        design = None
        if derivatives:
            design = np.zeros((n, self.n_parameters))
            _add_rows(design[:, : self.n_structural], observation, shares * bulk, gradients, place)
            column = self.n_structural
            for i, refined in enumerate(domains.refined):
                if refined:
                    change = domains.derivative(i)[own.domain[mine]] * own.multiplicity[mine]
                    design[:, column] = summed(change * bulk * single)
                    column += 1
            tail = self.n_parameters
            for change in reversed(self._mask_derivatives(needed, f_calc)):
                tail -= 1
                design[:, tail] = summed(shares * bulk * change[place])
            if self.corrections.solvent:
                design[:, tail - 2] = summed(shares * by_g * single)
                design[:, tail - 1] = summed(shares * by_u * single)
        if self.corrections.extinction:
            x = self.corrections.extinction.coefficient
            intensity, by_intensity, by_x = corrected(intensity, x, self.path[rows])
            if design is not None:
                design *= by_intensity[:, None]
                if self.corrections.extinction.refined:
                    design[:, column] = by_x
        return Chunk(rows, intensity, design, f_calc[np.searchsorted(needed, self.main[rows])])

    def _mask_factor(self, needed: np.ndarray) -> np.ndarray:
        """M of these distinct reflections with the scale and U of the mask as they are now."""
        return self.mask_values[needed] * self.corrections.mask.damping(self.stol_sq[needed])

    def _mask_derivatives(self, needed: np.ndarray, f_calc: np.ndarray) -> list[np.ndarray]:
        """∂|F + M|² by the refined ones of scale and U of the mask."""
        mask = self.corrections.mask
        if mask is None or not mask.names():
            return []
        falloff = np.exp(-8 * np.pi**2 * mask.u * self.stol_sq[needed])
        by_scale = 2 * (f_calc.conj() * self.mask_values[needed] * falloff).real
        both = {"scale": by_scale, "u": -8 * np.pi**2 * self.stol_sq[needed] * mask.scale * by_scale}
        return [both[name] for name in mask.refined]

    def _structure_factors(
        self, needed: np.ndarray, derivatives: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """|F|², F and ∂|F|²/∂(independent parameters) of distinct reflections."""
        indices = self.distinct.indices()
        squares, f_calc = np.empty(len(needed)), np.empty(len(needed), complex)
        gradients = np.empty((len(needed), self.n_structural)) if derivatives else None
        jacobian = self.made.reparametrisation.jacobian_transpose_matching_grad_fc() if derivatives else None
        factors = self.factors
        partial = self._mask_factor(needed) if self.mask_values is not None else None
        for row, i in enumerate(needed):
            h = indices[int(i)]
            if derivatives:
                factors.linearise(h)
            else:
                factors.evaluate(h)
            f = factors.f_calc
            if partial is None:
                squares[row] = factors.observable
                if gradients is not None:
                    gradients[row] = (jacobian * factors.grad_observable).as_numpy_array()
            else:
                f += partial[row]
                squares[row] = f.real**2 + f.imag**2
                if gradients is not None:
                    real, imaginary = factors.grad_f_calc.parts()
                    along = real * (2 * f.real) + imaginary * (2 * f.imag)
                    gradients[row] = (jacobian * along).as_numpy_array()
            f_calc[row] = f
        return squares, f_calc, gradients

    def strongest_extinction(self, intensity: np.ndarray) -> float:
        """The largest 0.001 λ³ Fc² / sin 2θ. intensity: Fc² with extinction, (n,)."""
        extinction = self.corrections.extinction
        if extinction is None or self.path is None:
            return 0.0
        half = 0.5 * extinction.coefficient * self.path * intensity**2
        return float((self.path * (half + np.sqrt(half**2 + intensity**2))).max(initial=0.0))

    def inverted(self) -> IntensityModel:
        """The same for the inverted structure: every reflection is that of its Friedel mate."""
        data, own = self.reflections.unique, self.components
        mates = data.customized_copy(indices=to_flex(-to_array(data.indices())))
        return self.of(replace(self.reflections, unique=mates, components=replace(own, indices=-own.indices)))

    def of(self, reflections: Reflections) -> IntensityModel:
        """The same model for other observations."""
        return IntensityModel(
            self.made, reflections, self.corrections, self.structure_factors, self.wavelength
        )

    def without_imaginary_dispersion(self) -> np.ndarray:
        """F (n,) of the main index of every observation with f'' = 0 for all atoms, mask included."""
        scatterers = self.made.structure.scatterers()
        kept = [scatterer.fdp for scatterer in scatterers]
        try:
            for scatterer in scatterers:
                scatterer.fdp = 0.0
            _, f_calc = self.calculate()
        finally:
            for scatterer, fdp in zip(scatterers, kept, strict=True):
                scatterer.fdp = fdp
        return f_calc


def _add_rows(
    target: np.ndarray, observation: np.ndarray, factors: np.ndarray, gradients: np.ndarray, place: np.ndarray
) -> None:
    """target[observation] += factors · gradients[place]; a plain product where each observation has one component."""
    if len(observation) == len(target) and np.array_equal(observation, np.arange(len(target))):
        np.multiply(gradients[place], factors[:, None], out=target)
        return
    for rank in _ranks(observation):
        target[observation[rank]] += factors[rank, None] * gradients[place[rank]]


def _ranks(observation: np.ndarray) -> Iterator[np.ndarray]:
    """The first component of every observation, then the second …: no observation twice in one piece."""
    first = np.searchsorted(observation, observation, side="left")
    rank = np.arange(len(observation)) - first
    for number in range(int(rank.max(initial=-1)) + 1):
        yield np.flatnonzero(rank == number)


def _main_reflections(own: miller.set, distinct: miller.set) -> np.ndarray:
    """Row of each observation's own reflection among the distinct ones."""
    table = {tuple(h): i for i, h in enumerate(distinct.indices())}
    return np.array([table[tuple(h)] for h in own.map_to_asu().indices()], dtype=int)
