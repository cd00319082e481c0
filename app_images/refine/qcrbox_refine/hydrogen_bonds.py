"""Hydrogen bonds found by geometry, and those that HTAB asks for, with s.u."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from cctbx import crystal, sgtbx
from qcrbox.crystallography.shelx import Instruction

from qcrbox_refine.atom_names import NO_ATOMS, AtomNames, AtomRef, UnknownAtom
from qcrbox_refine.cif_block import with_su
from qcrbox_refine.connectivity import Neighbour, neighbours
from qcrbox_refine.fit import Fit
from qcrbox_refine.model import Model
from qcrbox_refine.site_errors import IDENTITY, SiteErrors

_ACCEPTORS = ("N", "O", "F", "Cl", "Br", "S")
_DONORS = ("N", "O")
# Å; donor and acceptor that are nearer are one atom.
_APART = 0.5


@dataclass(frozen=True)
class _Found:
    """D-H···A. hydrogen has its own place; `donor` and `to_acceptor` say which images of D and A."""

    hydrogen: int
    donor: Neighbour
    acceptor: int
    to_acceptor: sgtbx.rt_mx

    @property
    def key(self) -> tuple[int, int, str, int, str]:
        return (
            self.hydrogen,
            self.donor.index,
            self.donor.symmetry.as_xyz(),
            self.acceptor,
            self.to_acceptor.as_xyz(),
        )


def hydrogen_bonds(fit: Fit, errors: SiteErrors, code: Callable[[sgtbx.rt_mx], str]) -> list[list[str]]:
    """Rows of the CIF loop, texts ready to write; those found first, then those that HTAB names besides.

    D has its own place. H and A are where this D has them: a listed H may be bonded to an image of the listed D.
    """
    donors = _donors(fit)
    by_key = {
        found.key: found for found in [*_by_geometry(fit, donors), *_requested(fit.model, donors, errors)]
    }
    return [_row(fit.model, found, errors, code) for found in by_key.values()]


def _row(model: Model, found: _Found, errors: SiteErrors, code: Callable[[sgtbx.rt_mx], str]) -> list[str]:
    h, d, a = found.hydrogen, found.donor.index, found.acceptor
    to_own_place = found.donor.symmetry.inverse()
    dh = errors.distance(h, d, found.donor.symmetry)
    ha = errors.distance(h, a, found.to_acceptor)
    da = errors.distance(d, a, to_own_place.multiply(found.to_acceptor))
    angle = errors.angle((d, h, a), (found.donor.symmetry, IDENTITY, found.to_acceptor))
    rides = model.atoms[h].riding
    shown = [
        _text(*value, decimals, exact)
        for value, decimals, exact in ((dh, 2, rides), (ha, 2, rides), (da, 3, False), (angle, 0, rides))
    ]
    places = [code(to_own_place), code(to_own_place.multiply(found.to_acceptor))]
    return [*(model.atoms[i].label for i in (d, h, a)), *shown, *places]


def _text(value: float, variance: float, decimals: int, exact: bool) -> str:
    return with_su(value, None if exact else math.sqrt(max(variance, 0.0)), decimals)


def _by_geometry(fit: Fit, donors: dict[int, Neighbour]) -> Iterator[_Found]:
    """H···A below 2.7 Å (3.0 for Cl, Br, S) and an angle above 120°; donors are nitrogen and oxygen."""
    atoms = fit.model.atoms
    donors = {h: donor for h, donor in donors.items() if atoms[donor.index].symbol in _DONORS}
    if not donors:
        return
    structure = fit.parametrisation.structure
    table = crystal.pair_asu_table(structure.asu_mappings(buffer_thickness=3.0))
    table.add_all_pairs(distance_cutoff=3.0)
    pairs = table.extract_pair_sym_table(
        skip_j_seq_less_than_i_seq=False, all_interactions_from_inside_asu=True
    )
    cell, sites = structure.unit_cell(), structure.sites_frac()
    for h, donor in donors.items():
        hydrogen = np.array(cell.orthogonalize(sites[h]))
        for a, operations in pairs[h].items():
            apart = atoms[a].part and atoms[h].part and atoms[a].part != atoms[h].part
            if atoms[a].symbol not in _ACCEPTORS or apart:
                continue
            for operation in operations:
                acceptor = np.array(cell.orthogonalize(operation * sites[a]))
                if _is_hydrogen_bond(atoms[a].symbol, *_distances_and_angle(donor.site, hydrogen, acceptor)):
                    yield _Found(h, donor, a, operation)


def _requested(model: Model, donors: dict[int, Neighbour], errors: SiteErrors) -> list[_Found]:
    """`HTAB donor acceptor`: the hydrogen atom of this donor that is nearest to the acceptor, whatever the geometry."""
    names = AtomNames(model)
    found = []
    for placed in model.placed:
        instruction = placed.instruction
        if instruction.name != "HTAB" or len(instruction.names) < 2:
            continue
        before = len(found)
        pairs, problem = _named_pairs(names, instruction)
        for donor, acceptor in pairs:
            move = donor.symmetry.inverse().multiply(acceptor.symmetry)
            images = [
                _Found(h, near, acceptor.index, near.symmetry.multiply(move))
                for h, near in donors.items()
                if near.index == donor.index
            ]
            if not images:
                problem = f"{model.atoms[donor.index].label} has no hydrogen atom"
            elif errors.distance(donor.index, acceptor.index, move)[0] < _APART or (
                model.atoms[acceptor.index].is_hydrogen
            ):
                problem = f"{instruction.names[1]} cannot be the acceptor of {instruction.names[0]}"
            else:
                found.append(
                    min(images, key=lambda f: errors.distance(f.hydrogen, f.acceptor, f.to_acceptor)[0])
                )
        if len(found) == before:
            model.leave_out(instruction.text, problem or NO_ATOMS)
    return found


def _named_pairs(names: AtomNames, instruction: Instruction) -> tuple[list[tuple[AtomRef, AtomRef]], str]:
    """Donors and acceptors of HTAB, or no pair and why."""
    try:
        return names.of_copies(instruction, lambda here: names.pairs(instruction.names[:2], here)), ""
    except UnknownAtom as error:
        return [], str(error)


def _distances_and_angle(
    donor: np.ndarray, hydrogen: np.ndarray, acceptor: np.ndarray
) -> tuple[float, float, float, float]:
    """D-H, H···A and D···A in Å and the angle D-H···A in degrees, of Cartesian sites in Å."""
    to_acceptor, to_donor = acceptor - hydrogen, donor - hydrogen
    ha, dh, da = (float(np.linalg.norm(v)) for v in (to_acceptor, to_donor, acceptor - donor))
    cosine = to_acceptor @ to_donor / max(ha * dh, 1e-12)
    return dh, ha, da, math.degrees(math.acos(np.clip(cosine, -1, 1)))


def _is_hydrogen_bond(acceptor: str, dh: float, ha: float, da: float, angle: float) -> bool:
    limit = 3.0 if acceptor in ("Cl", "Br", "S") else 2.7
    return dh > 0 and ha < limit and angle > 120 and da > 2.2


def _donors(fit: Fit) -> dict[int, Neighbour]:
    """The atom, or its image, that each hydrogen atom is bonded to. Two candidates: the nearest."""
    made = fit.parametrisation.reparametrisation
    found = {}
    around = neighbours(fit.model, fit.parametrisation.structure, made.connectivity_table)
    for h, atom in enumerate(fit.model.atoms):
        if not atom.is_hydrogen:
            continue
        nearest = next((near for near in around[h] if not fit.model.atoms[near.index].is_hydrogen), None)
        if nearest is not None:
            found[h] = nearest
    return found
