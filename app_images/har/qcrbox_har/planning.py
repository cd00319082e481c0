"""What is computed of a crystal, and at which level: molecules, overlapping fragments, or the unit cell as a whole."""

from __future__ import annotations

from typing import Any

from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure.structure import Structure

from qcrbox_har import charges, fragments, molecules
from qcrbox_har.checks import refuse_ambiguous_labels, refuse_without_hydrogen, without_coordinates
from qcrbox_har.loop_state import Progress
from qcrbox_har.options import Options, choose_method, spherical_sites
from qcrbox_har.periodic import crystal


def prepare(structure: Structure, options: Options, iam: dict[str, Any], *, were_placed: bool) -> Progress:
    """Molecules, charges and level of theory of a structure that may be refined.

    iam: summary of the refinement with spherical atoms; were_placed: whether missing hydrogen atoms were to be added.
    """
    bare = refuse_without_hydrogen(structure, were_placed=were_placed)
    refuse_ambiguous_labels(structure)
    spherical = spherical_sites(structure, options.spherical)
    plan = (
        crystal.plan(structure, spherical) if options.is_periodic else in_parts(structure, spherical, options)
    )
    if not plan.sources:
        raise UserInputError(
            "every atom is to stay spherical.",
            where="spherical",
            why="Then there is no form factor to compute.",
            next="Name fewer atoms, or refine with spherical atoms: refine_iam.",
        )
    elements = {s for m in plan.molecules for s in m.symbols}
    if options.is_periodic:
        doubts: list[str] = []
        misfits: list[str] = []
        method = crystal.method(options, elements)
        charges.assign_to_cell(plan.molecules[0], options.multiplicities)
    else:
        moiety = "" if any(m.caps for m in plan.molecules) else structure.formula_moiety
        doubts = charges.assign(plan.molecules, moiety, options.charges, options.multiplicities)
        misfits = charges.moiety_misfits(plan.molecules, moiety)
        method = choose_method(options, elements, max(len(m.symbols) for m in plan.molecules))
    return Progress(
        structure,
        plan,
        method,
        iam,
        notes=[*plan.notes, *misfits],
        warnings=[*without_coordinates(structure), *bare, *plan.doubts, *doubts],
    )


def molecules_beside(structure: Structure) -> molecules.Plan | None:
    """Molecules of a crystal that is computed as a whole, with guessed charges; None where it has none or their charges
    cannot be guessed.
    """
    try:
        found = molecules.plan(structure)
        charges.assign(found.molecules, structure.formula_moiety)
    except UserInputError:
        return None
    return found


def with_bonds(state: Progress) -> molecules.Plan:
    """The plan of a refinement; of a crystal that is computed as a whole, whose one molecule has no bonds, the molecules or
    fragments that it consists of.
    """
    if not state.method.is_periodic:
        return state.plan
    try:
        return in_parts(state.structure, set(), Options())
    except UserInputError:
        return molecules.Plan([], {}, [])


def in_parts(structure: Structure, spherical: set[int], options: Options) -> molecules.Plan:
    """Molecules, or fragments of networks and of what is too large."""
    choice = options.fragments
    if choice != "on":
        whole = None if structure.atoms.polymeric else molecules.plan(structure, spherical)
        if choice == "off" or (
            whole is not None and max(len(m.symbols) for m in whole.molecules) < fragments.LARGE
        ):
            return whole or molecules.plan(structure, spherical)
    parts = fragments.plan(structure, spherical)
    if not (parts.spherical or structure.atoms.polymeric or any(m.caps for m in parts.molecules)):
        # Nothing was cut: these are the molecules, whose charges can be held against the cell's.
        return molecules.plan(structure, spherical)
    if options.crystal_field != "isolated":
        raise UserInputError(
            "fragments cannot be embedded in a crystal field.",
            where="crystal_field",
            why="The rest of the molecule is bonded to them and is no neighbour.",
            next="Use crystal_field='isolated', or whole molecules: fragments='off'.",
        )
    return parts
