"""Full-matrix least squares on F²: cycles, weights, covariances."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from cctbx import adptbx
from qcrbox.contract.errors import CalculationFailed
from scitbx.array_family import flex
from smtbx.refinement import least_squares

from qcrbox_refine import weighting
from qcrbox_refine.constraints import Parametrisation, not_positive_definite, parametrise
from qcrbox_refine.model import Model
from qcrbox_refine.progress import report, say
from qcrbox_refine.reflections import Reflections
from qcrbox_refine.restraints import restraints_manager

# A step moves no atom further (Å), changes no U more (Å², as in SHELXL), and may not raise R1 or wR2 by more.
MOST_SITE_SHIFT, MOST_U_SHIFT, MOST_WORSE = 0.5, 0.05, 1.3
# Beyond this R1 a fit that began better has run away: no result.
RUN_AWAY = 0.5
# SHELXL calls a refinement converged at a mean shift/s.u. of 0.01; we ask it of the largest.
CONVERGED = 0.01


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

    covariance: of all parameters of the asymmetric unit (packed upper triangle), from the undamped
    matrix, scaled by the squared goodness of fit; su: s.u. of each in the order of `annotations`.
    """

    model: Model
    reflections: Reflections
    parametrisation: Parametrisation
    engine: Any
    cycles: list[Cycle]
    weights: tuple[float, float] | None
    covariance: flex.double
    su: np.ndarray
    converged: bool
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

    @property
    def n_parameters(self) -> int:
        """Least-squares parameters with the scale factor, as SHELXL counts them."""
        return self.parametrisation.reparametrisation.n_independents + 1


class Cycles:
    """Runs cycles on one model; the model holds the result after every cycle."""

    def __init__(
        self,
        model: Model,
        reflections: Reflections,
        *,
        refine_occupancies: bool = True,
        extinction: bool = False,
        planned: int = 10,
    ) -> None:
        self.model, self.reflections = model, reflections
        self.refine_occupancies, self.extinction = refine_occupancies, extinction
        self.planned = max(planned, 1)
        self.done: list[Cycle] = []
        self.scale: float | None = None
        self.observations = reflections.unique.as_xray_observations()

    def run(self, n_cycles: int, weights: tuple[float, float] | None) -> tuple[Any, Parametrisation, bool]:
        """Up to n_cycles cycles, fewer when converged. Returns engine (solved), parameters, converged."""
        start = (self.model.extinction or 0.0) if self.extinction else None
        made = parametrise(self.model, refine_occupancies=self.refine_occupancies, extinction=start)
        self._check_enough_data(made)
        engine = least_squares.crystallographic_ls(
            self.observations,
            made.reparametrisation,
            weighting_scheme=weighting.scheme(weights),
            may_parallelise=False,
            initial_scale_factor=self.scale,
            restraints_manager=restraints_manager(self.model),
            origin_fixing_restraints_type=lambda group: made.origin,
        )
        converged = False
        before: tuple[flex.double, Cycle] | None = None
        for number in range(n_cycles + 1):
            self._solve(engine, made)
            if before is not None:
                self._shorten_while_worse(engine, made, *before)
            cycle = self._cycle(engine, made)
            self._require_sane(cycle)
            converged = cycle.max_shift_su < CONVERGED
            if number == n_cycles or (converged and number > 0):
                break
            self._show(cycle)
            before = self._step(engine, made), cycle
        self._store(engine, made)
        self.last = cycle
        return engine, made, converged

    def _solve(self, engine, made: Parametrisation) -> None:
        try:
            engine.build_up()
            engine.solve()
        except RuntimeError as error:
            raise self._failure(str(error), made) from error

    def _step(self, engine, made: Parametrisation) -> flex.double:
        """One step, and what was taken of it: shortened for all parameters alike where it would send an atom off."""
        step = engine.step()
        factor = 1.0
        for largest, allowed in (
            (self._largest_site_shift(made, step), MOST_SITE_SHIFT),
            (_largest_u_shift(made, step), MOST_U_SHIFT),
        ):
            if largest > allowed:
                factor = min(factor, allowed / largest)
        taken = step * factor
        self._apply(engine, made, taken)
        return taken

    def _apply(self, engine, made: Parametrisation, shifts: flex.double) -> None:
        made.reparametrisation.apply_shifts(shifts)
        made.reparametrisation.linearise()
        made.reparametrisation.store()
        self._store(engine, made)

    def _shorten_while_worse(self, engine, made: Parametrisation, taken: flex.double, before: Cycle) -> None:
        """Halve a step that made the fit clearly worse, up to four times: Gauss-Newton alone may run away."""
        for _ in range(4):
            if engine.wR2() <= before.wr2 * MOST_WORSE and engine.r1_factor(2)[0] <= before.r1 * MOST_WORSE:
                return
            taken = taken * 0.5
            self._apply(engine, made, -taken)
            self._solve(engine, made)

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

    def _store(self, engine, made: Parametrisation) -> None:
        self.model.absorb(made.structure)
        self.scale = engine.scale_factor()
        if made.extinction is not None:
            self.model.extinction = made.extinction.value

    def _largest_site_shift(self, made: Parametrisation, step: flex.double) -> float:
        shifts = _asu_shifts(made, step)
        cell = made.structure.unit_cell()
        return max(
            (
                cell.length(tuple(shifts[p.site : p.site + 3]))
                for p in made.structure.parameter_map()
                if p.site >= 0
            ),
            default=0.0,
        )

    def _cycle(self, engine, made: Parametrisation) -> Cycle:
        step = engine.step().as_numpy_array()
        variances = engine.covariance_matrix().matrix_packed_u_diagonal().as_numpy_array()
        ratios = np.abs(step) / np.sqrt(np.maximum(variances, 1e-300))
        return Cycle(
            number=len(self.done) + 1,
            r1=engine.r1_factor(2)[0],
            wr2=engine.wR2(),
            goof=engine.goof(),
            max_shift_su=float(ratios.max()) if len(ratios) else 0.0,
            mean_shift_su=float(ratios.mean()) if len(ratios) else 0.0,
            worst=parameter_name(made, int(ratios.argmax())) if len(ratios) else "",
            max_shift_site=self._largest_site_shift(made, engine.step()),
            n_parameters=made.reparametrisation.n_independents + 1,
        )

    def _show(self, cycle: Cycle) -> None:
        self.done.append(cycle)
        say(
            f"cycle {cycle.number:3d}  R1 {cycle.r1:.4f}  wR2 {cycle.wr2:.4f}  S {cycle.goof:.3f}  "
            f"max shift/s.u. {cycle.max_shift_su:9.3f} {cycle.worst}",
        )
        report(
            fraction=min(cycle.number / self.planned, 0.95),
            text=f"Cycle {cycle.number}: R1 {cycle.r1:.4f}",
            cycle=cycle.number,
            R1=round(cycle.r1, 5),
            wR2=round(cycle.wr2, 5),
            S=round(cycle.goof, 4),
            max_shift_su=round(cycle.max_shift_su, 4),
        )

    def _check_enough_data(self, made: Parametrisation) -> None:
        n, p = self.reflections.unique.size(), made.reparametrisation.n_independents + 1
        if n <= p:
            raise CalculationFailed(
                f"{p} parameters cannot be refined against {n} reflections.",
                next='Use fewer parameters (adp="isotropic", hydrogens="riding"), or attach all data.',
                reason="too few reflections",
            )
        if n < 4 * p:
            self.model.note(f"Only {n / p:.1f} reflections per parameter: the results are uncertain.")

    def _failure(self, message: str, made: Parametrisation) -> CalculationFailed:
        cycle = len(self.done) + 1
        singular = re.search(r"[Cc]holesky|leading minor|positive definite|index[^0-9]*(\d+)", message)
        if singular and "arg_limit" not in message:
            numbers = re.findall(r"\d+", message)
            names = [parameter_name(made, int(n)) for n in numbers if int(n) < _n(made)][-1:]
            return CalculationFailed(
                f"the normal matrix is singular in cycle {cycle}.",
                why=f"A parameter is not determined by the data{': ' + names[0] if names else ''}.",
                next="Two atoms on one site, an atom with occupancy 0, or a hydrogen atom refined freely "
                "are the usual causes: look at the atom list.",
                reason="singular matrix",
            )
        bad = ", ".join(not_positive_definite(self.model)[:8])
        return CalculationFailed(
            f"the refinement diverged in cycle {cycle}.",
            why=f"Displacement parameters became impossible{': ' + bad if bad else ''} ({message}).",
            next='Check element types and positions of these atoms, or begin with adp="isotropic".',
            reason="diverged",
        )


def _n(made: Parametrisation) -> int:
    return made.reparametrisation.n_independents


def _asu_shifts(made: Parametrisation, step: flex.double) -> np.ndarray:
    jacobian = made.reparametrisation.jacobian_transpose_matching_grad_fc()
    return (jacobian.transpose() * step).as_numpy_array()


def _largest_u_shift(made: Parametrisation, step: flex.double) -> float:
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


def parameter_name(made: Parametrisation, independent: int) -> str:
    """Atom and parameter of an independent parameter, e.g. `C12 U33`."""
    jacobian = made.reparametrisation.jacobian_transpose_matching_grad_fc()
    unit = flex.double(made.reparametrisation.n_independents, 0.0)
    unit[independent] = 1.0
    weights = np.abs((jacobian.transpose() * unit).as_numpy_array())
    if not len(weights) or weights.max() == 0:
        return "extinction" if made.extinction is not None else "torsion"
    name = made.reparametrisation.component_annotations[int(weights.argmax())]
    label, _, parameter = name.rpartition(".")
    return f"{label} {parameter.replace('uiso', 'Uiso').replace('u', 'U', 1) if parameter else ''}".strip()


def refine(
    model: Model,
    reflections: Reflections,
    *,
    cycles: int = 10,
    weighting_kind: str = "optimise",
    weights: tuple[float, float] | None = None,
    refine_occupancies: bool = True,
    extinction: bool = False,
) -> Fit:
    """Refine the model in place and return the fit.

    weighting_kind: `optimise` (a and b are searched after each round, at most five rounds), `fixed`,
    `keep` (the model's own, else 0.1, 0) or `unit`. Raises CalculationFailed when it diverges, the
    matrix is singular, or there are fewer reflections than parameters. Not converged is no error.
    """
    rounds = 5 if weighting_kind == "optimise" and cycles > 0 else 1
    if weighting_kind in ("optimise", "keep"):
        weights = model.weights or (0.1, 0.0)
    elif weighting_kind == "unit":
        weights = None
    runner = Cycles(
        model,
        reflections,
        refine_occupancies=refine_occupancies,
        extinction=extinction,
        planned=cycles + 3 * (rounds - 1),
    )
    for number in range(rounds):
        engine, made, converged = runner.run(cycles, weights)
        if number == rounds - 1:
            break
        better = weighting.optimise(*on_fc_scale(engine), made.reparametrisation.n_independents + 1)
        moved = abs(better[0] - weights[0]) > 0.002 or abs(better[1] - weights[1]) > 0.02 + 0.1 * weights[1]
        if not moved:
            break
        weights = better
        say(f"weights: a = {weights[0]:.4f}, b = {weights[1]:.4f}")
    model.weights = weights
    return _fit(runner, engine, made, weights, converged)


def on_fc_scale(engine) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fo², σ(Fo²) and Fc² of all unique reflections, on the absolute scale."""
    scale = engine.scale_factor()
    fo = engine.observations.fo_sq
    return (
        fo.data().as_numpy_array() / scale,
        fo.sigmas().as_numpy_array() / scale,
        engine.fc_sq.data().as_numpy_array(),
    )


def _fit(runner: Cycles, engine, made, weights, converged: bool) -> Fit:
    jacobian = made.reparametrisation.jacobian_transpose_matching_grad_fc()
    covariance = engine.covariance_matrix(jacobian_transpose=jacobian)
    variances = covariance.matrix_packed_u_diagonal().as_numpy_array()
    extinction = None
    if made.extinction is not None:
        own = engine.covariance_matrix().matrix_packed_u_diagonal()
        extinction = (made.extinction.value, math.sqrt(max(own[made.extinction.grad_index], 0.0)))
    runner.done.append(runner.last)
    r1_gt, n_gt = engine.r1_factor(2)
    model = runner.model
    bad = not_positive_definite(model)
    if bad:
        model.note(f"Not positive definite: {', '.join(bad)}. Their displacement parameters mean nothing.")
    if not converged:
        last = runner.last
        model.note(
            f"Finished, but not converged: max shift/s.u. {last.max_shift_su:.2f} ({last.worst}). "
            'Result kept, marked "not converged".'
        )
    return Fit(
        model=model,
        reflections=runner.reflections,
        parametrisation=made,
        engine=engine,
        cycles=runner.done,
        weights=weights,
        covariance=covariance,
        su=np.sqrt(np.maximum(variances, 0.0)),
        converged=converged,
        r1_gt=r1_gt,
        n_gt=n_gt,
        r1_all=r1_all(engine),
        wr2=engine.wR2(),
        wr2_gt=engine.wR2(2),
        goof=engine.goof(),
        scale=engine.scale_factor(),
        extinction=extinction,
        n_restraints=engine.n_restraints or 0,
        restrained_goof=engine.restrained_goof(),
    )


def r1_all(engine) -> float:
    """Σ||Fo|-|Fc||/Σ|Fo| over all reflections; negative intensities count as Fo = 0, as in SHELXL."""
    fo, _, fc = on_fc_scale(engine)
    f_obs = np.sqrt(np.maximum(fo, 0))
    return float(np.abs(f_obs - np.sqrt(fc)).sum() / max(f_obs.sum(), 1e-9))


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
