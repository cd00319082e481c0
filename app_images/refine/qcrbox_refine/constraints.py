"""What is refined and what is tied to what: flags and constraints of the smtbx engine."""

from __future__ import annotations

from dataclasses import dataclass

from cctbx import adptbx, xray
from qcrbox.contract.errors import UserInputError
from smtbx.refinement import constraints
from smtbx.refinement.constraints import InvalidConstraint, adp, occupancy, site
from smtbx.refinement.constraints.geometrical import hydrogens

from qcrbox_refine.connectivity import connectivity_table, neighbours, occupancy_pairs, shared_sites
from qcrbox_refine.model import Model
from qcrbox_refine.scattering import set_factors


@dataclass
class RidingGroup:
    """Hydrogen atoms on one pivot. afix: SHELX code (m of AFIX mn, with n = 3 or 7)."""

    pivot: int
    hydrogen: list[int]
    afix: int
    u_factor: float


_CONSTRAINT = {
    13: hydrogens.tertiary_xh_site,
    23: hydrogens.secondary_xh2_sites,
    43: hydrogens.secondary_planar_xh_site,
    93: hydrogens.terminal_planar_xh2_sites,
    137: hydrogens.terminal_tetrahedral_xh3_sites,
    147: hydrogens.terminal_tetrahedral_xh_site,
    163: hydrogens.terminal_linear_ch_site,
}


def riding_groups(model: Model, structure: xray.structure) -> list[RidingGroup]:
    """Riding hydrogen atoms by pivot, with the constraint their surroundings ask for.

    A group without a known geometry is set free and noted.
    """
    bonds = neighbours(model, structure)
    by_pivot: dict[tuple[int, int], list[int]] = {}
    for i, atom in enumerate(model.atoms):
        if not (atom.is_hydrogen and atom.riding):
            continue
        heavy = [bond for bond in bonds[i] if not model.atoms[bond.index].is_hydrogen]
        if not heavy or not heavy[0].symmetry.is_unit_mx():
            atom.riding = False
            model.note(f"{atom.label} has no bonded atom in the list beside it and is refined freely.")
            continue
        by_pivot.setdefault((heavy[0].index, atom.part), []).append(i)
    groups = []
    for (pivot, part), members in by_pivot.items():
        parents = [
            bond
            for bond in bonds[pivot]
            if not model.atoms[bond.index].is_hydrogen
            and (part == 0 or abs(model.atoms[bond.index].part) in (0, abs(part)))
        ]
        code = _afix(model, pivot, len(members), len(parents), members)
        if code is None:
            for i in members:
                model.atoms[i].riding = False
            names = ", ".join(model.atoms[i].label for i in members)
            model.note(f"{names} on {model.atoms[pivot].label}: no riding geometry known, refined freely.")
            continue
        groups.append(RidingGroup(pivot, members, code, 1.5 if code in (137, 147) else 1.2))
    return groups


def _afix(model: Model, pivot: int, n_hydrogen: int, n_parents: int, members: list[int]) -> int | None:
    element = model.atoms[pivot].element
    if element not in ("C", "N", "O", "B", "S"):
        return None
    if element == "O":
        return 147 if (n_hydrogen, n_parents) == (1, 1) else None
    if element == "S":
        return 147 if (n_hydrogen, n_parents) == (1, 1) else None
    known = {(1, 3): 13, (2, 2): 23, (1, 2): 43, (2, 1): 93, (3, 1): 137}
    if element == "C":
        known[(1, 1)] = 163
    code = known.get((n_hydrogen, n_parents))
    if element == "B" and code != 13:
        return None
    return code


@dataclass
class Parametrisation:
    """A model ready for least squares, with everything the writers must know about it."""

    structure: xray.structure
    reparametrisation: constraints.reparametrisation
    riding: list[RidingGroup]
    shared: list[list[int]]
    pairs: list[tuple[list[int], list[int]]]
    n_constraints: int


def parametrise(model: Model, *, refine_occupancies: bool = True) -> Parametrisation:
    """Flags, constraints and parameters of the model as it stands."""
    shared = shared_sites(model)
    for group in shared:
        _equalise(model, group)
    structure = model.structure()
    # Before the reparametrisation is made: it keeps the f' and f'' that it finds.
    set_factors(structure, model)
    riding = riding_groups(model, structure)
    pairs = occupancy_pairs(model) if refine_occupancies else []
    scatterers = structure.scatterers()
    for scatterer in scatterers:
        scatterer.flags.set_grad_site(True)
        anisotropic = scatterer.flags.use_u_aniso()
        scatterer.flags.set_grad_u_aniso(anisotropic)
        scatterer.flags.set_grad_u_iso(not anisotropic)
    chosen: list[object] = []
    for group in shared:
        chosen += [site.shared_site(group), adp.shared_u(group)]
    for first, second in pairs:
        for i in (*first, *second):
            scatterers[i].flags.set_grad_occupancy(True)
        chosen.append(occupancy.dependent_occupancy([(i, 1.0) for i in first], [(i, 1.0) for i in second]))
    for group in riding:
        chosen += _riding_constraints(group)
    celsius = model.temperature_k - 273.15 if model.temperature_k else 20
    try:
        reparametrisation = constraints.reparametrisation(
            structure,
            chosen,
            connectivity_table(model, structure),
            temperature=celsius,
        )
    except InvalidConstraint as error:
        raise UserInputError(
            "a riding hydrogen atom has impossible surroundings.",
            why=f"{error}.",
            next='Check the bonds and disorder parts there, or refine it freely: edits="free H…".',
        ) from error
    return Parametrisation(structure, reparametrisation, riding, shared, pairs, len(chosen))


def _riding_constraints(group: RidingGroup) -> list[object]:
    kind = _CONSTRAINT[group.afix]
    rotating = group.afix in (137, 147)
    made: list[object] = [
        kind(rotating=rotating, pivot=group.pivot, constrained_site_indices=tuple(group.hydrogen))
    ]
    made += [adp.u_iso_proportional_to_pivot_u_eq(i, group.pivot, group.u_factor) for i in group.hydrogen]
    return made


def _equalise(model: Model, group: list[int]) -> None:
    """Atoms on one site start from one position and one displacement parameter."""
    leader = max((model.atoms[i] for i in group), key=lambda atom: (atom.u_aniso is not None, atom.occupancy))
    for i in group:
        atom = model.atoms[i]
        atom.site, atom.u_iso, atom.u_aniso = leader.site, leader.u_iso, leader.u_aniso
    labels = " and ".join(model.atoms[i].label for i in group)
    model.note(f"{labels} share one site: refined with one position and one displacement parameter.")


def not_positive_definite(model: Model) -> list[str]:
    """Labels of atoms whose displacement ellipsoid is none (or whose isotropic U is not positive)."""
    cell = model.symmetry.unit_cell()
    bad = []
    for atom in model.atoms:
        if atom.u_aniso is None:
            if atom.u_iso <= 0:
                bad.append(atom.label)
        elif min(adptbx.eigenvalues(adptbx.u_cif_as_u_cart(cell, atom.u_aniso))) <= 0:
            bad.append(atom.label)
    return bad
