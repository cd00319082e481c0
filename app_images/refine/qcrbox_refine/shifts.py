"""Shifts of one least-squares step: what they move, how far, and which parameter moves most."""

from __future__ import annotations

import numpy as np
from cctbx import adptbx
from scitbx.array_family import flex

from qcrbox_refine.constraints import Parametrisation
from qcrbox_refine.intensities import Corrections


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


def _asu_shifts(made: Parametrisation, step: np.ndarray) -> np.ndarray:
    """Shifts of all parameters of the asymmetric unit that follow from shifts of the independent ones."""
    jacobian = made.reparametrisation.jacobian_transpose_matching_grad_fc()
    structural = np.ascontiguousarray(step[: made.reparametrisation.n_independents])
    return (jacobian.transpose() * flex.double(structural)).as_numpy_array()


def largest_site_shift(made: Parametrisation, step: np.ndarray) -> float:
    """Largest shift of an atom in Å."""
    shifts = _asu_shifts(made, step)
    cell = made.structure.unit_cell()
    places = [p.site for p in made.structure.parameter_map() if p.site >= 0]
    return max((cell.length(tuple(float(x) for x in shifts[i : i + 3])) for i in places), default=0.0)


def largest_u_shift(made: Parametrisation, step: np.ndarray) -> float:
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
