"""Full-matrix least squares on F²: cycles, weights, covariances."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from cctbx import adptbx
from qcrbox.contract.errors import CalculationFailed
from qcrbox.crystallography.shelx import refinement_texts
from qcrbox.crystallography.shelx.refinement_texts import Weights
from scitbx.array_family import flex

from qcrbox_refine import weighting
from qcrbox_refine.constraints import Parametrisation, not_positive_definite, parametrise
from qcrbox_refine.intensities import Corrections, IntensityModel, StructureFactors, spherical_atoms
from qcrbox_refine.model import Model
from qcrbox_refine.normal_equations import USUAL_DAMPING, NormalEquations, SingularMatrix, packed_upper
from qcrbox_refine.progress import report, say
from qcrbox_refine.reflections import Reflections

# A step moves no atom further (Å), changes no U more (Å², as in SHELXL), and may not raise R1 or wR2 by more.
MOST_SITE_SHIFT, MOST_U_SHIFT, MOST_WORSE = 0.5, 0.05, 1.3
# Beyond this R1 a fit that began better has run away: no result.
RUN_AWAY = 0.5
# SHELXL calls a refinement converged at a mean shift/s.u. of 0.01; we ask it of the largest.
CONVERGED = 0.01
# A parameter whose s.u. would be larger by this factor without damping is named.
HIDDEN = 1.5


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


class Cycles:
    """Runs cycles on one model; the model holds the result after every cycle."""

    def __init__(
        self,
        model: Model,
        reflections: Reflections,
        *,
        corrections: Corrections | None = None,
        refine_occupancies: bool = True,
        planned: int = 10,
        structure_factors: StructureFactors = spherical_atoms,
    ) -> None:
        self.model, self.reflections = model, reflections
        self.refine_occupancies = refine_occupancies
        self.corrections = corrections or Corrections()
        self.structure_factors = structure_factors
        self.planned = max(planned, 1)
        self.done: list[Cycle] = []
        self.scale: float | None = None

    def run(self, n_cycles: int, weights: Weights | None) -> tuple[NormalEquations, Parametrisation, bool]:
        """Up to n_cycles cycles, fewer when converged. Returns equations (solved), parameters, converged."""
        made = parametrise(self.model, refine_occupancies=self.refine_occupancies)
        made.reparametrisation.linearise()
        made.reparametrisation.store()
        intensities = IntensityModel(
            made, self.reflections, self.corrections, self.structure_factors, self.model.wavelength
        )
        if intensities.missing_in_mask:
            self.model.warn(
                f"The solvent mask has no structure factors for {intensities.missing_in_mask} of "
                f"{intensities.distinct.size()} reflections: 0 is used for them."
            )
        equations = NormalEquations(
            intensities, weights, made.restraints, self.scale, damping_of(self.model)[0]
        )
        self._check_enough_data(equations)
        converged = False
        before: tuple[np.ndarray, Cycle] | None = None
        for number in range(n_cycles + 1):
            self._build(equations, made)
            if before is not None:
                self._shorten_while_worse(equations, made, *before)
            cycle = self._cycle(equations, made)
            self._require_sane(cycle)
            converged = cycle.max_shift_su < CONVERGED
            if number == n_cycles or (converged and number > 0):
                break
            self.done.append(cycle)
            self._show(cycle)
            before = self._step(equations, made, before[0] if before else None), cycle
        self._store(equations, made)
        self.last = cycle
        return equations, made, converged

    def _build(self, equations: NormalEquations, made: Parametrisation) -> None:
        try:
            equations.build()
            equations.solve()
        except SingularMatrix as error:
            raise self._singular(parameter_name(made, error.parameter, self.corrections)) from error
        except RuntimeError as error:
            raise self._diverged(str(error)) from error

    def _step(
        self, equations: NormalEquations, made: Parametrisation, before: np.ndarray | None
    ) -> np.ndarray:
        """One step, and what was taken of it: shortened for all parameters alike where it would send an atom off.

        before: the step that was taken last.
        """
        step = without_overshoot(equations.solve(), before, np.diag(equations.covariance()))
        factor = 1.0
        for largest, allowed in (
            (_largest_site_shift(made, step), MOST_SITE_SHIFT),
            (_largest_u_shift(made, step), MOST_U_SHIFT),
        ):
            if largest > allowed:
                factor = min(factor, allowed / largest)
        limit = damping_of(self.model)[1]
        if limit:
            su = np.sqrt(np.maximum(np.diag(equations.covariance(self.reflections.n_independent)), 1e-300))
            factor = min(factor, limit / max(float((np.abs(step) / su).max(initial=0.0)), limit))
        taken = step * factor
        self._apply(equations, made, taken)
        return taken

    def _apply(self, equations: NormalEquations, made: Parametrisation, shifts: np.ndarray) -> None:
        equations.apply(shifts)
        self._store(equations, made)

    def _shorten_while_worse(
        self, equations: NormalEquations, made: Parametrisation, taken: np.ndarray, before: Cycle
    ) -> None:
        """Halve a step that made the fit clearly worse, up to four times: Gauss-Newton alone may run away."""
        for _ in range(4):
            if equations.wr2() <= before.wr2 * MOST_WORSE and equations.r1(2)[0] <= before.r1 * MOST_WORSE:
                return
            taken = taken * 0.5
            self._apply(equations, made, -taken)
            self._build(equations, made)

    def _require_sane(self, cycle: Cycle) -> None:
        begin = self.done[0].r1 if self.done else cycle.r1
        if cycle.r1 <= RUN_AWAY or cycle.r1 <= 1.5 * begin:
            return
        bad = not_positive_definite(self.model)
        raise CalculationFailed(
            f"the refinement diverged in cycle {cycle.number}: R1 went from {begin:.4f} to {cycle.r1:.4f}.",
            why=f"Displacement parameters became impossible: {', '.join(bad[:8])}." if bad else "",
            next='Check element types and positions, refine disordered atoms isotropically (edits="iso C7B"), '
            "or use more of the data.",
            reason="diverged",
        )

    def _store(self, equations: NormalEquations, made: Parametrisation) -> None:
        self.model.absorb(made.structure)
        self.scale = equations.scale
        if self.corrections.extinction is not None:
            self.model.extinction = self.corrections.extinction.coefficient

    def _cycle(self, equations: NormalEquations, made: Parametrisation) -> Cycle:
        step = equations.solve()
        variances = np.diag(equations.covariance(self.reflections.n_independent))
        ratios = np.abs(step) / np.sqrt(np.maximum(variances, 1e-300))
        return Cycle(
            number=len(self.done) + 1,
            r1=equations.r1(2)[0],
            wr2=equations.wr2(),
            goof=equations.goof(),
            max_shift_su=float(ratios.max()) if len(ratios) else 0.0,
            mean_shift_su=float(ratios.mean()) if len(ratios) else 0.0,
            worst=parameter_name(made, int(ratios.argmax()), self.corrections) if len(ratios) else "",
            max_shift_site=_largest_site_shift(made, step),
            n_parameters=equations.n_parameters,
        )

    def conclude(self, *, shown: bool) -> None:
        """Count the last cycle, whose shifts are computed but not taken. shown: the log and the history end with it."""
        self.done.append(self.last)
        if shown:
            self._show(self.last, "end      ", f"After {self.last.number - 1} cycles")

    def _show(self, cycle: Cycle, line: str = "", text: str = "") -> None:
        say(
            f"{line or f'cycle {cycle.number:3d}'}  R1 {cycle.r1:.4f}  wR2 {cycle.wr2:.4f}  S {cycle.goof:.3f}  "
            f"max shift/s.u. {cycle.max_shift_su:9.3f} {cycle.worst}",
        )
        report(
            fraction=min(cycle.number / self.planned, 0.95),
            text=f"{text or f'Cycle {cycle.number}'}: R1 {cycle.r1:.4f}",
            cycle=cycle.number,
            R1=round(cycle.r1, 5),
            wR2=round(cycle.wr2, 5),
            S=round(cycle.goof, 4),
            max_shift_su=round(cycle.max_shift_su, 4),
        )

    def _check_enough_data(self, equations: NormalEquations) -> None:
        n, p = equations.n, equations.n_parameters
        if n <= p:
            raise CalculationFailed(
                f"{p} parameters cannot be refined against {n} reflections.",
                next='Use fewer parameters (adp="isotropic", hydrogens="riding"), or attach all data.',
                reason="too few reflections",
            )
        if n < 4 * p:
            self.model.warn(f"Only {n / p:.1f} reflections per parameter: the results are uncertain.")

    def _singular(self, parameter: str) -> CalculationFailed:
        return CalculationFailed(
            f"the normal matrix is singular in cycle {len(self.done) + 1}.",
            why=f"A parameter is not determined by the data{': ' + parameter if parameter else ''}.",
            next="Two atoms on one site, an atom with occupancy 0, or a hydrogen atom refined freely "
            "are the usual causes: look at the atom list.",
            reason="singular matrix",
        )

    def _diverged(self, message: str) -> CalculationFailed:
        bad = ", ".join(not_positive_definite(self.model)[:8])
        return CalculationFailed(
            f"the refinement diverged in cycle {len(self.done) + 1}.",
            why=f"Displacement parameters became impossible{': ' + bad if bad else ''} ({message}).",
            next='Check element types and positions of these atoms, or begin with adp="isotropic".',
            reason="diverged",
        )


def without_overshoot(step: np.ndarray, before: np.ndarray | None, variances: np.ndarray) -> np.ndarray:
    """A step whose part along the last one is shortened where it turns back on it.

    Overlapping disordered atoms give the sum of squares more curvature than the normal matrix has: each step then
    overshoots, by a factor that the projection of one on the other (in units of the variances) shows.
    """
    if before is None or len(before) != len(step):
        return step
    weights = 1 / np.maximum(variances, 1e-300)
    length = float((weights * before**2).sum())
    back = float((weights * step * before).sum()) / length if length > 0 else 0.0
    return step if back > -0.3 else step - before * back * (1 - 1 / (1 - back))


def damping_of(model: Model) -> tuple[float, float | None]:
    """damp of DAMP, and its largest shift/s.u. where it is given. SHELX instructions without it have SHELXL's damping."""
    return model.settings.damping or (USUAL_DAMPING if model.from_shelx else 0.0, None)


def _asu_shifts(made: Parametrisation, step: np.ndarray) -> np.ndarray:
    """Shifts of all parameters of the asymmetric unit that follow from shifts of the independent ones."""
    jacobian = made.reparametrisation.jacobian_transpose_matching_grad_fc()
    structural = np.ascontiguousarray(step[: made.reparametrisation.n_independents])
    return (jacobian.transpose() * flex.double(structural)).as_numpy_array()


def _largest_site_shift(made: Parametrisation, step: np.ndarray) -> float:
    """Largest shift of an atom in Å."""
    shifts = _asu_shifts(made, step)
    cell = made.structure.unit_cell()
    places = [p.site for p in made.structure.parameter_map() if p.site >= 0]
    return max((cell.length(tuple(float(x) for x in shifts[i : i + 3])) for i in places), default=0.0)


def _largest_u_shift(made: Parametrisation, step: np.ndarray) -> float:
    """Largest change of a diagonal U(ij) or of an isotropic U, Å²."""
    shifts = _asu_shifts(made, step)
    cell = made.structure.unit_cell()
    largest = 0.0
    for p in made.structure.parameter_map():
        if p.u_aniso >= 0:
            star = tuple(float(x) for x in shifts[p.u_aniso : p.u_aniso + 6])
            largest = max(largest, *(abs(u) for u in adptbx.u_star_as_u_cif(cell, star)[:3]))
        elif p.u_iso >= 0:
            largest = max(largest, abs(float(shifts[p.u_iso])))
    return largest


def parameter_name(made: Parametrisation, independent: int, corrections: Corrections | None = None) -> str:
    """Atom and parameter of an independent parameter, e.g. `C12 U33`; or the name of a correction."""
    n = made.reparametrisation.n_independents
    if independent >= n:
        names = corrections.names() if corrections else []
        return names[independent - n] if independent - n < len(names) else ""
    own_name = made.reparametrisation.independent_names()[independent]
    if own_name.startswith("FVAR"):
        return own_name
    unit = np.zeros(n)
    unit[independent] = 1.0
    weights = np.abs(_asu_shifts(made, unit))
    if not len(weights) or weights.max() == 0:
        return own_name
    name = made.reparametrisation.component_annotations[int(weights.argmax())]
    label, _, parameter = name.rpartition(".")
    return f"{label} {parameter.replace('uiso', 'Uiso').replace('u', 'U', 1) if parameter else ''}".strip()


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
        r1_all=equations.r1()[0],
        wr2=equations.wr2(),
        wr2_gt=equations.wr2(2),
        goof=equations.goof(),
        scale=equations.scale,
        extinction=extinction,
        n_restraints=equations.n_restraints + equations.n_origin,
        restrained_goof=equations.restrained_goof(),
        correction_su=correction_su,
    )


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


def _note_state(model: Model, last: Cycle, *, converged: bool, refined: bool) -> None:
    bad = not_positive_definite(model)
    if bad:
        model.warn(f"Not positive definite: {', '.join(bad)}. Their displacement parameters mean nothing.")
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
