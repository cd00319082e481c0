"""The constraints of a refinement as one CIF loop: what rides, moves as a group, is shared or is tied to a free variable.

The restraints dictionary has no items for constraints, so these are `_qcrbox_constr_…`; special positions are left to
`_atom_site_refinement_flags` and the symmetry.
"""

from __future__ import annotations

from qcrbox_refine.cif_block import CifBlock
from qcrbox_refine.fit import Fit
from qcrbox_refine.model import AfixGroup, Atom, Model
from qcrbox_refine.parameters import Coding

_TAGS = [f"_qcrbox_constr_{name}" for name in ("id", "type", "atoms", "details")]


def add_constraint_loop(block: CifBlock, fit: Fit) -> None:
    """Write every constraint of the fit; nothing where there are none."""
    rows = constraint_rows(fit.model)
    block.add_loop(_TAGS, [[str(number), *row] for number, row in enumerate(rows, start=1)])


def constraint_rows(model: Model) -> list[tuple[str, str, str]]:
    """Type, labels and details of each constraint."""
    return [
        *_groups(model),
        *(("equal_sites", _labels(group), ".") for group in model.equal_sites),
        *(("equal_displacements", _labels(group), ".") for group in model.equal_displacements),
        *_displacements_of_riding(model),
        *_tied(model),
    ]


def _labels(atoms: list[Atom]) -> str:
    return " ".join(atom.label for atom in atoms)


def _groups(model: Model) -> list[tuple[str, str, str]]:
    members: dict[int, tuple[AfixGroup, list[Atom]]] = {}
    for atom in model.atoms:
        if atom.group is not None:
            members.setdefault(id(atom.group), (atom.group, []))[1].append(atom)
    rows = []
    for group, atoms in members.values():
        if group.rides and group.pivot is not None:
            cell = model.symmetry.unit_cell()
            lengths = [cell.distance(atom.site, group.pivot.site) for atom in atoms]
            mean = sum(lengths) / len(lengths)
            details = f"AFIX {group.code}, on {group.pivot.label}, distance {mean:.3f} A"
            rows.append(("riding", _labels(atoms), details))
        elif group.rigid is not None:
            rows.append(("rigid_group", _labels(atoms), f"AFIX {group.code}"))
        elif group.n == 1:
            rows.append(("fixed", _labels(atoms), f"AFIX {group.code}"))
    return rows


def _displacements_of_riding(model: Model) -> list[tuple[str, str, str]]:
    """U(iso) as a multiple of U(eq) of another atom, one row for each pair of multiple and atom."""
    found: dict[tuple[str, float], list[Atom]] = {}
    for atom in model.atoms:
        if atom.u_pivot is not None and atom.u_factor and atom.u_aniso is None:
            found.setdefault((atom.u_pivot.label, atom.u_factor), []).append(atom)
    return [
        ("riding_displacement", _labels(atoms), f"U(iso) = {factor:g} U(eq) of {pivot}")
        for (pivot, factor), atoms in found.items()
    ]


def _tied(model: Model) -> list[tuple[str, str, str]]:
    """Parameters tied to free variables, atoms with the same expression in one row."""
    found: dict[tuple[str, str, Coding], list[Atom]] = {}
    for kind in ("occupancy", "coordinate", "displacement"):
        for atom in model.atoms:
            for name, coding in _codings(atom, kind):
                if coding.is_tied:
                    found.setdefault((kind, name, coding), []).append(atom)
    return [
        (
            kind,
            _labels(atoms),
            f"{name} = {_expression(coding)}, FVAR{coding.variable} = {model.variables[coding.variable - 1]:.4f}",
        )
        for (kind, name, coding), atoms in found.items()
    ]


def _codings(atom: Atom, kind: str) -> list[tuple[str, Coding]]:
    """Names and codings of the parameters of one kind."""
    if kind == "occupancy":
        return [("occupancy", atom.occupancy_coding)]
    if kind == "coordinate":
        return list(zip("xyz", atom.site_coding, strict=True))
    if atom.u_factor is not None:
        return []
    names = ("U(iso)",) if atom.u_aniso is None else ("U11", "U22", "U33", "U12", "U13", "U23")
    return list(zip(names, atom.u_coding, strict=False))


def _expression(coding: Coding) -> str:
    offset = f"{coding.offset:g} " if coding.offset else ""
    return (
        f"{offset}{coding.factor:+g}*FVAR{coding.variable}"
        if offset
        else f"{coding.factor:g}*FVAR{coding.variable}"
    )
