"""Constraints that the input of a model does not state: riding hydrogen, atoms on one site, alternatives that add up to 1."""

from __future__ import annotations

from qcrbox_refine.connectivity import occupancy_pairs, shared_sites
from qcrbox_refine.model import Atom, Model
from qcrbox_refine.parameters import UNSTATED, tied
from qcrbox_refine.riding_groups import assign_riding_groups


def complete_constraints(model: Model, *, refine_occupancies: bool = True) -> None:
    """Add what a model without SHELX instructions does not state: geometry of riding hydrogen atoms, atoms on one
    site, occupancies of alternatives that add up to 1.
    """
    for group in shared_sites(model):
        _share(model, [model.atoms[i] for i in group])
    if refine_occupancies:
        for first, second in occupancy_pairs(model):
            model.free_variables.append(model.atoms[first[0]].occupancy)
            number = len(model.variables)
            for indices, sign in ((first, 1), (second, -1)):
                for i in indices:
                    model.atoms[i].occupancy_coding = tied(sign * number, float(sign))
    assign_riding_groups(model)


def note_fixed_occupancies(model: Model) -> None:
    """Partial atoms of which the input does not say how their occupancies are refined."""
    fixed = [
        f"{atom.label} {atom.occupancy:.3g}"
        for atom in model.atoms
        if atom.occupancy < 0.9999 and atom.occupancy_coding == UNSTATED and not atom.is_hydrogen
    ]
    if fixed:
        model.note(
            f"Occupancies that the file does not tie to others stay as they are: {', '.join(fixed[:20])}"
            f"{' …' if len(fixed) > 20 else ''}."
        )


def _share(model: Model, atoms: list[Atom]) -> None:
    """Atoms on one site get one position and one displacement parameter."""
    known = {id(atom) for group in model.equal_sites for atom in group}
    if all(id(atom) in known for atom in atoms):
        return
    leader = max(atoms, key=lambda atom: (atom.u_aniso is not None, atom.occupancy))
    for atom in atoms:
        atom.site, atom.u_iso, atom.u_aniso = leader.site, leader.u_iso, leader.u_aniso
    model.equal_sites.append(list(atoms))
    model.equal_displacements.append(list(atoms))
    labels = " and ".join(atom.label for atom in atoms)
    model.note(f"{labels} share one site: refined with one position and one displacement parameter.")
