"""Hydrogen atoms that HFIX asks for: the instruction says which geometry they have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from qcrbox_refine.density import DifferenceMap
from qcrbox_refine.hydrogens import Placement, Placing, Surroundings
from qcrbox_refine.model import HydrogenRequest, Model
from qcrbox_refine.riding import TETRAHEDRAL, methylene, needed, opposite, tertiary

# Geometries whose hydrogen atoms turn about a bond (methyl, NH3, OH): U is 1.5 U(eq), others have 1.2.
_FREE_TORSION = (3, 8, 12, 13, 14)
# Bonds to other elements do not count where a geometry asks for fewer bonds than the atom has.
_NON_METALS = frozenset(
    ["H", "D", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "As", "Se", "Br", "Te", "I"]
)


def place_requested(model: Model, residual: DifferenceMap | None = None) -> list[str]:
    """Carry out the HFIX instructions of the model and return the labels of the new atoms.

    residual: difference map of the model without them, for torsions. A geometry that does not fit the bonds of an atom
    is left out and named.
    """
    placing = Placing(model, residual)
    requests, model.hydrogen_requests = model.hydrogen_requests, []
    for request in requests:
        words = f"HFIX {request.code} {request.label}"
        index = next((i for i, atom in enumerate(placing.heavy) if atom.label == request.label), None)
        if index is None:
            model.leave_out(words, f"There is no atom {request.label}.")
            continue
        if placing.has_hydrogen(index):
            model.leave_out(words, "It carries hydrogen already.")
            continue
        for part, surroundings in placing.conformers(index):
            placed = _placement(surroundings, request)
            if placed is None:
                why = (
                    f"{request.label} has {len(surroundings.parents)} bonds, which the geometry does not fit."
                )
                model.leave_out(words, why)
                continue
            u = -(1.5 if request.code // 10 in _FREE_TORSION else 1.2) if request.u is None else request.u
            placing.add(index, part, placed, -u if -5 < u < -0.5 else None, u, request.distance)
    return placing.finish()


def _placement(s: Surroundings, request: HydrogenRequest) -> Placement | None:
    """The geometry of one HFIX on one atom; None where its bonds do not allow it."""
    m = request.code // 10
    wanted = needed(m)
    if wanted is None:
        return None
    n_riding, n_parents = wanted
    fitting = [k for k, element in enumerate(s.elements) if element in _NON_METALS]
    if len(fitting) != n_parents:
        fitting = list(range(len(s.elements)))
    if len(fitting) != n_parents and not (m == 15 and len(fitting) in (4, 5)):
        return None
    directions = [s.directions[k] for k in fitting]
    length = request.distance or s.length(m)
    if m == 1:
        return Placement(request.code, [s.site + length * tertiary(directions)])
    if m == 2:
        return Placement(request.code, [s.site + length * direction for direction in methylene(directions)])
    if m in (4, 15, 16):
        return Placement(request.code, [s.site + length * opposite(directions)])
    s = replace(s, parents=[s.parents[k] for k in fitting])
    if m == 9:
        return Placement(request.code, [s.cone(a, np.radians(120), length) for a in (0.0, np.pi)])
    step = 2 * np.pi / n_riding

    def at(azimuth: float) -> list[np.ndarray]:
        return [s.cone(azimuth + k * step, TETRAHEDRAL, length) for k in range(n_riding)]

    if m == 3 or not s.has_map:
        return Placement(request.code, at(np.pi / 3))
    azimuths = np.arange(0, step, np.radians(3.0))
    best = max(azimuths, key=lambda azimuth: sum(s.density(site) for site in at(float(azimuth))))
    return Placement(request.code, at(float(best)))
