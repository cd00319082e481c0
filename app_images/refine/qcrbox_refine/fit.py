"""What a refinement ended with: its cycles, R values, parameters and their covariances."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from cctbx import adptbx
from qcrbox.crystallography.shelx.refinement_texts import Weights
from scitbx.array_family import flex

from qcrbox_refine.constraints import Parametrisation
from qcrbox_refine.intensities import Corrections
from qcrbox_refine.model import Model
from qcrbox_refine.normal_equations import NormalEquations
from qcrbox_refine.reflections import Reflections


@dataclass
class Cycle:
    """One cycle: R values before its shifts, and the shifts. `worst` names atom and parameter."""

    number: int
    r1: float
    wr2: float
    goof: float
    max_shift_su: float
    mean_shift_su: float
    worst: str
    max_shift_site: float
    n_parameters: int


@dataclass
class Fit:
    """What the least squares ended with.

    covariance: of all parameters of the asymmetric unit (packed upper triangle), with reflections unique in the Laue
    group as the number of observations; su: s.u. of each in the order of `annotations`; corrections: twin fractions,
    extinction and solvent as refined, with their s.u. by name in correction_su; scale: K of Fo² = K Fc².
    cycles_allowed: in a round; with 0 the model is as it stood, and `converged` says whether a cycle would move it.
    """

    model: Model
    reflections: Reflections
    parametrisation: Parametrisation
    equations: NormalEquations
    cycles: list[Cycle]
    weights: Weights | None
    covariance: flex.double
    su: np.ndarray
    converged: bool
    cycles_allowed: int
    r1_gt: float
    n_gt: int
    r1_all: float
    wr2: float
    wr2_gt: float
    goof: float
    scale: float
    extinction: tuple[float, float] | None = None
    n_restraints: int = 0
    restrained_goof: float = 0.0
    correction_su: dict[str, float] = field(default_factory=dict)

    @property
    def refined(self) -> bool:
        """False after 0 cycles."""
        return self.cycles_allowed > 0

    @property
    def n_parameters(self) -> int:
        """Least-squares parameters with the scale factor, as SHELXL counts them."""
        return self.equations.n_parameters

    @property
    def corrections(self) -> Corrections:
        """Twin fractions, extinction and solvent of the last cycle."""
        return self.equations.model.corrections


def equivalent_u_su(fit: Fit, index: int) -> float:
    """s.u. of U(eq) of one atom from the covariances of its tensor, Å².

    U(eq) = ⅓ Σ U*ij (ai·aj): linear in U*, so the variance is exact.
    """
    structure = fit.parametrisation.structure
    parameters = structure.parameter_map()[index]
    if parameters.u_aniso < 0:
        return 0.0
    block = np.array(
        [[_element(fit, parameters.u_aniso + i, parameters.u_aniso + j) for j in range(6)] for i in range(6)]
    )
    g = structure.unit_cell().metrical_matrix()
    gradient = np.array([g[0], g[1], g[2], 2 * g[3], 2 * g[4], 2 * g[5]]) / 3
    return math.sqrt(max(float(gradient @ block @ gradient), 0.0))


def _element(fit: Fit, i: int, j: int) -> float:
    n = len(fit.su)
    i, j = min(i, j), max(i, j)
    return fit.covariance[i * (2 * n - i - 1) // 2 + j]


def u_cif_su(fit: Fit, index: int) -> list[float]:
    """s.u. of U11 U22 U33 U12 U13 U23 (CIF basis, Å²)."""
    structure = fit.parametrisation.structure
    parameters = structure.parameter_map()[index]
    star = [float(x) for x in fit.su[parameters.u_aniso : parameters.u_aniso + 6]]
    return [abs(value) for value in adptbx.u_star_as_u_cif(structure.unit_cell(), star)]
