"""Cycles of full-matrix least squares on one model, with the guards that keep a step from running away."""

from __future__ import annotations

import numpy as np
from qcrbox.contract.errors import CalculationFailed, UserInputError
from qcrbox.contract.progress import report, say
from qcrbox.crystallography.shelx.refinement_texts import Weights

from qcrbox_refine.constraints import Parametrisation, not_positive_definite, parametrise
from qcrbox_refine.fit import Cycle
from qcrbox_refine.intensities import Corrections, IntensityModel, StructureFactors, spherical_atoms
from qcrbox_refine.model import Model
from qcrbox_refine.normal_equations import USUAL_DAMPING, NormalEquations, SingularMatrix
from qcrbox_refine.parameter_blocks import RigidGroup
from qcrbox_refine.reflections import Reflections
from qcrbox_refine.shifts import largest_site_shift, largest_u_shift, parameter_name, without_overshoot

# A step moves no atom further (Å), changes no U more (Å², as in SHELXL), and may not raise R1 or wR2 by more.
MOST_SITE_SHIFT, MOST_U_SHIFT, MOST_WORSE = 0.5, 0.05, 1.3
# Beyond this R1 a fit that began better has run away: no result.
RUN_AWAY = 0.5
# SHELXL calls a refinement converged at a mean shift/s.u. of 0.01; we ask it of the largest.
CONVERGED = 0.01


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
        self._name_limits(equations)
        self.last = cycle
        return equations, made, converged

    def _build(self, equations: NormalEquations, made: Parametrisation) -> None:
        try:
            equations.build()
            self._require_scale(equations.scale)
            equations.solve()
        except SingularMatrix as error:
            raise self._singular(made, error.parameter) from error
        except RuntimeError as error:
            raise self._diverged(str(error)) from error

    def _require_scale(self, scale: float) -> None:
        """Raises UserInputError for intensities that are negative on the whole, CalculationFailed for numbers that ran away."""
        if scale > 0:
            return
        if scale <= 0 and not self.done:
            raise UserInputError(
                "the intensities are negative on the whole: no scale factor brings them to those of the model.",
                where="reflections",
                why="The columns may be others than those of the format, or the crystal did not diffract.",
                next="Check the reflections, and the HKLF instruction.",
            )
        raise self._diverged(
            "a correction such as SWAT or EXTI, or a displacement, ran away: the scale factor is "
            + ("negative" if scale <= 0 else "no number")
        )

    def _step(
        self, equations: NormalEquations, made: Parametrisation, before: np.ndarray | None
    ) -> np.ndarray:
        """One step, and what was taken of it: shortened for all parameters alike where it would send an atom off.

        before: the step that was taken last.
        """
        step = without_overshoot(equations.solve(), before, np.diag(equations.covariance()))
        factor = 1.0
        for largest, allowed in (
            (largest_site_shift(made, step), MOST_SITE_SHIFT),
            (largest_u_shift(made, step), MOST_U_SHIFT),
        ):
            if largest > allowed:
                factor = min(factor, allowed / largest)
        limit = damping_of(self.model)[1]
        if limit:
            su = np.sqrt(np.maximum(np.diag(equations.covariance(self.reflections.n_independent)), 1e-300))
            factor = min(factor, limit / max(float((np.abs(step) / su).max(initial=0.0)), limit))
        taken = step * factor
        n = made.reparametrisation.n_independents
        strongest = equations.model.strongest_extinction(equations.fc_sq)
        taken[n:] = self.corrections.allowed(taken[n:], strongest)
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

    def _name_limits(self, equations: NormalEquations) -> None:
        strongest = equations.model.strongest_extinction(equations.fc_sq)
        for name in self.corrections.at_limits(strongest):
            word = "EXTI" if name == "extinction" else name.split()[0]
            self.model.warn(
                f"{name} stands at the limit of what it may be: the data show no such correction. Delete {word}."
            )

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
        if self.corrections.mask is not None:
            self.corrections.mask.store(self.model.free_variables)
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
            max_shift_site=largest_site_shift(made, step),
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

    def _singular(self, made: Parametrisation, independent: int) -> CalculationFailed:
        own = made.reparametrisation
        straight = [b.label for b in own.blocks if isinstance(b, RigidGroup) and b.is_straight(own.state)]
        if straight:
            return CalculationFailed(
                f"the rigid group of {straight[0]} cannot be refined: its atoms lie on one line.",
                where="AFIX",
                why="A rotation about that line moves no atom, so that the data do not determine it (singular normal matrix).",
                next="Give the group three atoms or more that are not on one line, or take its atoms out of it (AFIX 0).",
                reason="singular matrix",
            )
        parameter = parameter_name(made, independent, self.corrections)
        of_correction = parameter in self.corrections.names()
        return CalculationFailed(
            f"the normal matrix is singular in cycle {len(self.done) + 1}.",
            why=f"A parameter is not determined by the data{': ' + parameter if parameter else ''}.",
            next="The data show nothing of this correction: delete its instruction (SWAT, EXTI, BASF, ABIN)."
            if of_correction
            else "Two atoms on one site, an atom with occupancy 0, or a hydrogen atom refined freely "
            "are the usual causes: look at the atom list.",
            reason="singular matrix",
        )

    def _diverged(self, message: str) -> CalculationFailed:
        bad = ", ".join(not_positive_definite(self.model)[:8])
        return CalculationFailed(
            f"the refinement diverged in cycle {len(self.done) + 1}.",
            why=f"Displacement parameters became impossible: {bad} ({message})."
            if bad
            else f"{message[:1].upper()}{message[1:]}.",
            next='Check element types and positions of these atoms, or begin with adp="isotropic".',
            reason="diverged",
        )


def damping_of(model: Model) -> tuple[float, float | None]:
    """damp of DAMP, and its largest shift/s.u. where it is given. SHELX instructions without it have SHELXL's damping."""
    return model.settings.damping or (USUAL_DAMPING if model.from_shelx else 0.0, None)
