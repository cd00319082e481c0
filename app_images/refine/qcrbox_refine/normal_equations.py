"""Normal equations of the least squares on F²: weights, overall scale, restraints, shifts, covariance.

Minimised is Σ w (Fo² - K Fc²)² + S² Σ w_r (restraint residual)², with K at its optimum in every cycle. K is eliminated from the
matrix by its Schur complement, so the covariance contains the correlation with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from cctbx import sgtbx
from qcrbox.crystallography.shelx.refinement_texts import Weights
from scitbx.array_family import flex

from qcrbox_refine.intensities import IntensityModel
from qcrbox_refine.weighting import weights_of

# A pivot of the matrix scaled to unit diagonal below this: the parameter depends on the others before it.
_SMALLEST_PIVOT = 1e-11
# damp of SHELXL's DAMP where an input has no such instruction. Stronger damping would make all s.u. too small.
USUAL_DAMPING = 0.7


class SingularMatrix(ArithmeticError):
    """parameter: index of one that the data do not determine."""

    def __init__(self, parameter: int) -> None:
        super().__init__(f"parameter {parameter} is not determined")
        self.parameter = parameter


class NormalEquations:
    """One model against its data; `build` for the present parameters, then shifts and statistics.

    damping: the diagonal of the matrix is multiplied by 1 + damping/1000 (Marquardt, J. Soc. Ind. Appl. Math. 11 (1963) 431,
    as DAMP of SHELXL), in steps, and up to SHELXL's 0.7 in s.u.

    After `build`: scale K, fc_sq (n,) and f_calc (n,) on the scale of the structure, weights (n,) for Fo².
    """

    def __init__(
        self,
        model: IntensityModel,
        weighting: Weights | None,
        restraints: Any = None,
        scale: float | None = None,
        damping: float = 0.0,
    ) -> None:
        self.model, self.weighting, self.restraints = model, weighting, restraints
        self.damping = damping
        data = model.reflections.unique
        self.fo_sq, self.sigma = data.data().as_numpy_array(), data.sigmas().as_numpy_array()
        self.stol_sq = data.sin_theta_over_lambda_sq().data().as_numpy_array()
        self.scale = scale
        self.n_restraints = 0
        self.restraint_residual = 0.0
        self._inverses: dict[float, np.ndarray] = {}

    @property
    def n(self) -> int:
        """Number of observations, without restraints."""
        return len(self.fo_sq)

    @property
    def n_parameters(self) -> int:
        """All refined parameters with the overall scale."""
        return self.model.n_parameters + 1

    def build(self) -> None:
        """Matrix and right-hand side for the parameters as they are. Raises SingularMatrix from `solve` on only."""
        if self.scale is None:
            fc_sq, _ = self.model.calculate()
            weights = self.sigma**-2.0
            self.scale = float((weights * self.fo_sq * fc_sq).sum() / (weights * fc_sq**2).sum())
        p = self.model.n_parameters
        matrix, by_fc, by_fo = np.zeros((p, p)), np.zeros(p), np.zeros(p)
        self.fc_sq, self.f_calc = np.empty(self.n), np.empty(self.n, complex)
        self.weights = np.empty(self.n)
        for chunk in self.model.chunks(derivatives=True):
            rows = chunk.rows
            self.fc_sq[rows], self.f_calc[rows] = chunk.intensity, chunk.f_calc
            self.weights[rows] = w = self._weights(rows, chunk.intensity)
            weighted = chunk.design * np.sqrt(w)[:, None]
            matrix += weighted.T @ weighted
            by_fc += chunk.design.T @ (w * chunk.intensity)
            by_fo += chunk.design.T @ (w * self.fo_sq[rows])
        w, fc_sq, fo_sq = self.weights, self.fc_sq, self.fo_sq
        self._fc_fc = float((w * fc_sq**2).sum())
        self.scale = k = float((w * fo_sq * fc_sq).sum()) / self._fc_fc
        self._by_fc = k * by_fc
        self.matrix = k**2 * matrix - np.outer(self._by_fc, self._by_fc) / self._fc_fc
        self.right = k * (by_fo - k * by_fc)
        self.sum_w_delta_sq = float((w * (fo_sq - k * fc_sq) ** 2).sum())
        self._inverses = {}
        self._add_restraints()
        self._fix_origin()

    def _weights(self, rows: slice, fc_sq: np.ndarray) -> np.ndarray:
        """w for Fo² as measured; the scheme is defined for Fo²/K."""
        k = self.scale
        scaled = weights_of(
            self.weighting, self.fo_sq[rows] / k, self.sigma[rows] / k, fc_sq, self.stol_sq[rows]
        )
        return scaled / k**2

    def _add_restraints(self) -> None:
        """Restraints on the scale of the mean w Δ², as SHELXL weights them."""
        self.n_restraints, self.restraint_residual = 0, 0.0
        if self.restraints is None:
            return
        made = self.model.made.reparametrisation
        equations = self.restraints.build_linearised_eqns(made.structure, made.parameter_map())
        self.n_restraints = equations.n_restraints()
        if not self.n_restraints:
            return
        jacobian = made.jacobian_transpose_of_restraints().transpose()
        design = (equations.design_matrix * jacobian).as_dense_matrix().as_numpy_array()
        norm = self.sum_w_delta_sq / self.n
        weights = equations.weights.as_numpy_array() * norm
        deltas = equations.deltas.as_numpy_array()
        structural = slice(0, design.shape[1])
        self.matrix[structural, structural] += design.T @ (weights[:, None] * design)
        self.right[structural] -= design.T @ (weights * deltas)
        self.restraint_residual = float((weights * deltas**2).sum())

    def _fix_origin(self) -> None:
        """Keep the origin along polar axes: no shift along a translation of all atoms, in the metric of the matrix.

        Weights are the diagonal elements (Flack & Schwarzenbach, Acta Cryst. A44 (1988) 499, as SHELXL does): atoms that are
        determined best hold the origin. A direction in which a coordinate is fixed by the user needs nothing.
        """
        n = self.model.n_structural
        diagonal = np.diag(self.matrix)[:n]
        directions = self._free_translations()
        self.n_origin = len(directions)
        for direction in directions:
            row = diagonal * direction
            size = float(row @ direction)
            if size > 0:
                self.matrix[:n, :n] += np.outer(row, row) / size

    def _free_translations(self) -> list[np.ndarray]:
        """Shifts of the independent parameters that move all atoms along a polar axis."""
        made = self.model.made.reparametrisation
        group = made.structure.space_group()
        vectors = sgtbx.structure_seminvariants(group).vectors_and_moduli()
        axes = [vector.v for vector in vectors if vector.m == 0]
        if not axes:
            return []
        jacobian = made.jacobian_transpose_matching_grad_fc().as_dense_matrix().as_numpy_array()
        places = [p.site for p in made.structure.parameter_map() if p.site >= 0]
        found = []
        for axis in axes:
            moved = np.zeros(jacobian.shape[1])
            for place in places:
                moved[place : place + 3] = axis
            shift, *_ = np.linalg.lstsq(jacobian.T, moved, rcond=None)
            if np.abs(jacobian.T @ shift - moved).max(initial=0.0) < 1e-6:
                found.append(shift)
        return found

    def solve(self) -> np.ndarray:
        """Shifts (parameters without the scale). Raises SingularMatrix."""
        if not self._inverses:
            # What damping alone determines is refused as well.
            require_determined(self.matrix)
        return self._inverted(self.damping) @ self.right

    def _inverted(self, damping: float) -> np.ndarray:
        if damping not in self._inverses:
            matrix = self.matrix.copy()
            matrix[np.diag_indices(len(matrix))] *= 1 + damping / 1000
            self._inverses[damping] = _inverse(matrix)
        return self._inverses[damping]

    def _for_su(self) -> np.ndarray:
        return self._inverted(min(self.damping, USUAL_DAMPING))

    def hidden_by_damping(self) -> tuple[float, int]:
        """How many times larger the s.u. of a parameter would be without damping: the largest factor, and its index."""
        damped, own = np.diag(self._for_su()), np.diag(self._inverted(0.0))
        if not len(own):
            return 1.0, 0
        factors = np.sqrt(own / damped)
        return float(factors.max()), int(factors.argmax())

    def goof(self) -> float:
        """S = [Σ w Δ² / (n - p)]^½."""
        return float(np.sqrt(self.sum_w_delta_sq / max(self.n - self.n_parameters, 1)))

    def restrained_goof(self) -> float:
        """S with the restraints as observations: [(Σ w Δ² + Σ w_r Δ_r²) / (n + n_r - p)]^½."""
        freedom = self.n + self.n_restraints - self.n_parameters
        return float(np.sqrt((self.sum_w_delta_sq + self.restraint_residual) / max(freedom, 1)))

    def variance_of_unit_weight(self, n: int | None = None) -> float:
        """Σ w Δ² / (n - p), what the inverse matrix is multiplied by; n: reflections that count as independent.

        Restraints stand in the matrix, not here: that is SHELXL's scale, found on a file with 356 of them.
        """
        return self.sum_w_delta_sq / max((self.n if n is None else n) - self.n_parameters, 1)

    def covariance(self, n: int | None = None) -> np.ndarray:
        """Covariance (p, p) of all parameters but the scale. n as for `variance_of_unit_weight`."""
        self.solve()
        return self._for_su() * self.variance_of_unit_weight(n)

    def apply(self, shifts: np.ndarray) -> None:
        """Move all parameters by these shifts."""
        made = self.model.made.reparametrisation
        n = self.model.n_structural
        made.apply_shifts(flex.double(np.ascontiguousarray(shifts[:n])))
        made.linearise()
        made.store()
        self.model.corrections.shift(shifts[n:])

    def wr2(self, cutoff: float | None = None) -> float:
        """wR2 over all, or over Fo² ≥ cutoff · σ."""
        chosen = slice(None) if cutoff is None else self.fo_sq >= cutoff * self.sigma
        w, fo, fc = self.weights[chosen], self.fo_sq[chosen], self.scale * self.fc_sq[chosen]
        return float(np.sqrt((w * (fo - fc) ** 2).sum() / max((w * fo**2).sum(), 1e-300)))

    def r1(self, cutoff: float | None = None) -> tuple[float, int]:
        """R1 and its number of reflections; over Fo² > cutoff · σ, or over all with negative Fo² as 0."""
        chosen = slice(None) if cutoff is None else self.fo_sq > cutoff * self.sigma
        observed, calculated = self.fo_sq[chosen] / self.scale, self.fc_sq[chosen]
        return r1_of(observed, calculated), len(observed)

    def on_fc_scale(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Fo², σ(Fo²) and Fc² of all observations, on the absolute scale."""
        return self.fo_sq / self.scale, self.sigma / self.scale, self.fc_sq


def r1_of(fo_sq: np.ndarray, fc_sq: np.ndarray) -> float:
    """Σ||Fo| - |Fc|| / Σ|Fo| of squares on one scale, negative ones as 0."""
    fo, fc = np.sqrt(np.maximum(fo_sq, 0)), np.sqrt(np.maximum(fc_sq, 0))
    return float(np.abs(fo - fc).sum() / max(fo.sum(), 1e-9))


def packed_upper(matrix: np.ndarray) -> flex.double:
    """A symmetric (p, p) matrix as the packed upper triangle of scitbx."""
    return flex.double(np.ascontiguousarray(matrix[np.triu_indices(len(matrix))]))


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """Inverse of a positive definite matrix, scaled to unit diagonal in between. Raises SingularMatrix."""
    factor, root = _factor(matrix)
    half = np.linalg.inv(factor)
    return (half.T @ half) / np.outer(root, root)


def require_determined(matrix: np.ndarray) -> None:
    """Raises SingularMatrix for a matrix of which a parameter depends on the others."""
    _factor(matrix)


def _factor(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cholesky factor of the matrix scaled to unit diagonal, and the roots of its diagonal. Raises SingularMatrix."""
    diagonal = np.diag(matrix)
    if len(diagonal) and (not np.all(np.isfinite(diagonal)) or diagonal.min() <= 0):
        raise SingularMatrix(int(np.argmin(np.where(np.isfinite(diagonal), diagonal, -np.inf))))
    root = np.sqrt(diagonal)
    scaled = matrix / np.outer(root, root)
    try:
        factor = np.linalg.cholesky(scaled)
    except np.linalg.LinAlgError:
        raise SingularMatrix(_weakest(scaled)) from None
    pivots = np.diag(factor) ** 2
    if len(pivots) and pivots.min() < _SMALLEST_PIVOT:
        raise SingularMatrix(int(pivots.argmin()))
    return factor, root


def _weakest(scaled: np.ndarray) -> int:
    """The parameter with the largest part in the combination that the data determine least."""
    _, vectors = np.linalg.eigh(scaled)
    return int(np.abs(vectors[:, 0]).argmax())
