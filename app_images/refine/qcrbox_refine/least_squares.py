"""Full-matrix least squares on F²: rounds of cycles, weights, and the fit they end with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from qcrbox.contract.progress import say
from qcrbox.crystallography.shelx import refinement_texts
from qcrbox.crystallography.shelx.refinement_texts import Weights
from qcrbox.language import listed, minus

from qcrbox_refine import weighting
from qcrbox_refine.constraints import Parametrisation, not_positive_definite
from qcrbox_refine.cycles import Cycles
from qcrbox_refine.fit import Cycle, Fit
from qcrbox_refine.intensities import Corrections, StructureFactors, spherical_atoms
from qcrbox_refine.model import Model
from qcrbox_refine.normal_equations import USUAL_DAMPING, NormalEquations, packed_upper, r1_of
from qcrbox_refine.reflections import Reflections
from qcrbox_refine.shifts import parameter_name

# A parameter whose s.u. would be larger by this factor without damping is named.
HIDDEN = 1.5
# Occupancies beyond 0 and 1 by less are rounded ones.
_NONE = 0.005


@dataclass(frozen=True)
class Scheme:
    """How to refine: number of cycles in a round, and weights.

    weighting_kind: `optimise` (a and b are searched after each round, at most five rounds), `fixed` (to `weights`),
    `keep` (the model's own, else 0.1, 0) or `unit`.
    """

    cycles: int = 10
    weighting_kind: str = "optimise"
    weights: Weights | None = None
    refine_occupancies: bool = True


def refine(
    model: Model,
    reflections: Reflections,
    scheme: Scheme | None = None,
    *,
    corrections: Corrections | None = None,
    structure_factors: StructureFactors = spherical_atoms,
) -> Fit:
    """Refine the model in place and return the fit.

    corrections: twins, extinction, solvent, changed in place; structure_factors: makes the calculator for a structure
    (spherical atoms, or a table of aspherical ones). Raises CalculationFailed when it diverges, the matrix is singular,
    or there are fewer reflections than parameters. Not converged is no error.
    """
    scheme = scheme or Scheme()
    cycles, weighting_kind, weights = scheme.cycles, scheme.weighting_kind, scheme.weights
    rounds = 5 if weighting_kind == "optimise" and cycles > 0 else 1
    if weighting_kind in ("optimise", "keep"):
        weights = refinement_texts.complete(model.weights or refinement_texts.DEFAULT)
    elif weighting_kind == "unit":
        weights = None
    runner = Cycles(
        model,
        reflections,
        corrections=corrections,
        refine_occupancies=scheme.refine_occupancies,
        planned=cycles + 3 * (rounds - 1),
        structure_factors=structure_factors,
    )
    for number in range(rounds):
        equations, made, converged = runner.run(cycles, weights)
        if number == rounds - 1:
            break
        better = weighting.optimise(*equations.on_fc_scale(), equations.n_parameters)
        moved = abs(better[0] - weights[0]) > 0.002 or abs(better[1] - weights[1]) > 0.02 + 0.1 * weights[1]
        if not moved and better[2:] == weights[2:]:
            break
        weights = better
        say(f"weights: a = {weights[0]:.4f}, b = {weights[1]:.4f}")
    model.weights = weights
    return _fit(runner, equations, made, weights, converged, cycles_allowed=cycles)


def _fit(
    runner: Cycles,
    equations: NormalEquations,
    made: Parametrisation,
    weights: Weights | None,
    converged: bool,
    *,
    cycles_allowed: int,
) -> Fit:
    own = equations.covariance(runner.reflections.n_independent)
    n = made.reparametrisation.n_independents
    jacobian = made.reparametrisation.jacobian_transpose_matching_grad_fc()
    covariance = jacobian.self_transpose_times_symmetric_times_self(packed_upper(own[:n, :n]))
    variances = covariance.matrix_packed_u_diagonal().as_numpy_array()
    runner.conclude(shown=cycles_allowed > 0)
    r1_gt, n_gt = equations.r1(2)
    model = runner.model
    _note_state(model, runner.last, converged=converged, refined=cycles_allowed > 0)
    _note_damping(model, equations, made, runner.corrections)
    correction_su = _correction_su(runner, equations, own)
    extinction = None
    if runner.corrections.extinction is not None:
        extinction = (runner.corrections.extinction.coefficient, correction_su.get("extinction", 0.0))
    return Fit(
        model=model,
        reflections=runner.reflections,
        parametrisation=made,
        equations=equations,
        cycles=runner.done,
        weights=weights,
        covariance=covariance,
        su=np.sqrt(np.maximum(variances, 0.0)),
        converged=converged,
        cycles_allowed=cycles_allowed,
        r1_gt=r1_gt,
        n_gt=n_gt,
        r1_all=_r1_of_all(runner, equations),
        wr2=equations.wr2(),
        wr2_gt=equations.wr2(2),
        goof=equations.goof(),
        scale=equations.scale,
        extinction=extinction,
        n_restraints=equations.n_restraints + equations.n_origin,
        restrained_goof=equations.restrained_goof(),
        correction_su=correction_su,
    )


def _r1_of_all(runner: Cycles, equations: NormalEquations) -> float:
    """R1 of all data, including those that OMIT s excludes from the refinement."""
    weak = runner.reflections.weak
    if weak is None:
        return equations.r1()[0]
    calculated, _ = equations.model.of(weak).calculate()
    observed, _, fc_sq = equations.on_fc_scale()
    observed = np.concatenate([observed, weak.unique.data().as_numpy_array() / equations.scale])
    return r1_of(observed, np.concatenate([fc_sq, calculated]))


def _correction_su(runner: Cycles, equations: NormalEquations, own: np.ndarray) -> dict[str, float]:
    """s.u. of twin fractions, extinction and solvent. An inversion twin lives on the differences of mates: n counts there."""
    names = runner.corrections.names()
    variances = np.diag(own)[len(own) - len(names) :] if names else np.zeros(0)
    if runner.corrections.domains.inversion:
        all_data, laue = (
            equations.variance_of_unit_weight(n) for n in (None, runner.reflections.n_independent)
        )
        is_fraction = np.array([name.startswith("BASF") for name in names])
        variances = np.where(is_fraction, variances * all_data / laue, variances)
    return {name: math.sqrt(max(float(v), 0.0)) for name, v in zip(names, variances, strict=True)}


def not_positive_definite_words(labels: Sequence[str]) -> str:
    """The warning that names these atoms."""
    whose = "Its" if len(labels) == 1 else "Their"
    return f"Not positive definite: {', '.join(labels)}. {whose} displacement parameters mean nothing."


def _note_state(model: Model, last: Cycle, *, converged: bool, refined: bool) -> None:
    bad = not_positive_definite(model)
    if bad:
        model.warn(not_positive_definite_words(bad))
    odd = [
        f"{a.label} {minus(f'{a.occupancy:.3g}')}"
        for a in model.atoms
        if not -_NONE <= a.occupancy <= 1 + _NONE
    ]
    if odd:
        model.warn(
            f"Occupancies that no site can have: {listed(odd, 20)}. A part of a disorder is not there, or an element is wrong."
        )
    if not refined:
        model.note(
            "Not refined (0 cycles): R values, s.u. and density are those of the model as it stands. "
            f"The largest shift of a cycle would be {last.max_shift_su:.2f} s.u. ({last.worst})."
        )
    elif not converged:
        model.warn(
            f"Finished, but not converged: max shift/s.u. {last.max_shift_su:.2f} ({last.worst}). "
            'Result kept, marked "not converged".'
        )


def _note_damping(
    model: Model, equations: NormalEquations, made: Parametrisation, corrections: Corrections
) -> None:
    """Name a parameter that the data hardly determine, where damping makes its s.u. look better."""
    factor, index = equations.hidden_by_damping()
    if factor > HIDDEN:
        model.warn(
            f"The data hardly determine {parameter_name(made, index, corrections)}: without damping (DAMP "
            f"{min(equations.damping, USUAL_DAMPING):g}) its s.u. would be {factor:.1f} times as large."
        )
