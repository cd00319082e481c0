"""Ideal groups that atoms are fitted to once, before the first cycle: polygons of AFIX m, and FRAG … FEND."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from cctbx import uctbx
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.shelx import Instruction, shelx_number

from qcrbox_refine.model import AfixGroup, Atom, Model

# Default bond lengths in Å of regular pentagon, hexagon, Cp* and naphthalene.
_LENGTH = {5: 1.42, 6: 1.39, 7: 1.39, 10: 1.42, 11: 1.39}
# Bond to a methyl group of Cp* in units of the bonds of its ring.
_METHYL = 1.063
_FIRST_FRAGMENT = 17


def template(m: int, length: float | None = None) -> np.ndarray | None:
    """Cartesian coordinates (n, 3) in Å of an ideal group, atoms in SHELXL's order; None for m without one."""
    if m not in _LENGTH:
        return None
    d = length or _LENGTH[m]
    if m == 5:
        return _polygon(5, d / (2 * np.sin(np.pi / 5)))
    if m in (6, 7):
        return _polygon(6, d)
    if m == 10:
        radius = d / (2 * np.sin(np.pi / 5))
        return np.vstack([_polygon(5, radius), _polygon(5, radius + _METHYL * d)])
    # Naphthalene: the first six and the last six atoms are hexagons; 5 and 6 belong to both.
    half = d * np.sqrt(3) / 2
    left = [(-half + d * np.cos(t), d * np.sin(t), 0.0) for t in np.radians([90, 150, 210, 270, 330, 30])]
    right = [(half + d * np.cos(t), d * np.sin(t), 0.0) for t in np.radians([90, 30, -30, -90])]
    return np.array(left + right)


def _polygon(n: int, radius: float) -> np.ndarray:
    angles = 2 * np.pi * np.arange(n) / n
    return radius * np.column_stack([np.cos(angles), np.sin(angles), np.zeros(n)])


def read_fragments(instructions: Iterable[Instruction], file: str) -> dict[int, np.ndarray]:
    """Cartesian coordinates (n, 3) in Å by the code of FRAG. Raises UserInputError for what is no fragment."""
    found: dict[int, np.ndarray] = {}
    rows: list[tuple[float, float, float]] = []
    begun: Instruction | None = None
    for instruction in instructions:
        if instruction.name == "FRAG":
            begun, rows = instruction, []
        elif instruction.name == "" and begun is not None:
            rows.append(_row(instruction, file))
        elif instruction.name == "FEND" and begun is not None:
            numbers = begun.numbers
            cell = uctbx.unit_cell(
                [*numbers[1:7], *(1.0, 1.0, 1.0, 90.0, 90.0, 90.0)[max(len(numbers) - 1, 0) :]]
            )
            found[round(begun.number(0, _FIRST_FRAGMENT))] = np.array(
                [cell.orthogonalize(row) for row in rows]
            )
            begun = None
    return found


def _row(instruction: Instruction, file: str) -> tuple[float, float, float]:
    numbers = [shelx_number(word) for word in instruction.words[2:5]]
    if len(numbers) < 3 or None in numbers:
        raise UserInputError(
            f"'{instruction.text[:60]}' is no atom of a fragment.",
            where=f"{file} {instruction.place}",
            next="Expected a label, a number and x y z.",
            line=instruction.line,
        )
    return numbers[0], numbers[1], numbers[2]  # type: ignore[return-value]


def fit_groups(model: Model, fragments: dict[int, np.ndarray]) -> None:
    """Move the atoms of AFIX groups to the ideal group that fits them best.

    Atoms at 0 0 0 are not known: they get their positions from the fit. Groups that cannot be fitted are named.
    """
    members: dict[int, list[Atom]] = {}
    groups: dict[int, AfixGroup] = {}
    for atom in model.atoms:
        group = atom.group.rigid or atom.group if atom.group else None
        if group is not None and (group.m in _LENGTH or group.m >= _FIRST_FRAGMENT):
            members.setdefault(id(group), []).append(atom)
            groups[id(group)] = group
    for key, atoms in members.items():
        group = groups[key]
        ideal = fragments.get(group.m) if group.m >= _FIRST_FRAGMENT else template(group.m, group.distance)
        if ideal is None:
            if group.m >= _FIRST_FRAGMENT:
                model.leave_out(f"AFIX {group.code} at {atoms[0].label}", f"There is no FRAG {group.m}.")
            continue
        if len(atoms) < len(ideal):
            model.leave_out(
                f"AFIX {group.code} at {atoms[0].label}",
                f"The group has {len(ideal)} atoms, and {len(atoms)} follow.",
            )
            continue
        _fit(model, group, atoms[: len(ideal)], ideal)


def _fit(model: Model, group: AfixGroup, atoms: list[Atom], ideal: np.ndarray) -> None:
    cell = model.symmetry.unit_cell()
    known = [i for i, atom in enumerate(atoms) if any(abs(x) > 1e-9 for x in atom.site)]
    if len(known) < 3:
        model.leave_out(
            f"AFIX {group.code} at {atoms[0].label}",
            "A fit needs three atoms with coordinates other than 0 0 0.",
        )
        return
    target = np.array([cell.orthogonalize(atoms[i].site) for i in known])
    rotation, shift = superposition(ideal[known], target)
    for atom, site in zip(atoms, ideal @ rotation.T + shift, strict=True):
        atom.site = tuple(cell.fractionalize(tuple(site)))


def superposition(moved: np.ndarray, fixed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (3, 3) and shift (3,) that bring points (n, 3) onto others best (Kabsch, Acta Cryst. A32 (1976) 922)."""
    centre, goal = moved.mean(axis=0), fixed.mean(axis=0)
    u, _, vt = np.linalg.svd((moved - centre).T @ (fixed - goal))
    sign = np.sign(np.linalg.det(vt.T @ u.T))
    rotation = vt.T @ np.diag([1.0, 1.0, sign]) @ u.T
    return rotation, goal - rotation @ centre
