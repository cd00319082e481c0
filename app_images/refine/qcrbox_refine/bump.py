"""Anti-bumping restraints (BUMP): contacts that are shorter than atoms that are not bonded come to each other.

SHELXL does not publish its limits. Those here are the shortest contacts usual in crystals of organic molecules, with
room for hydrogen bonds.
"""

from __future__ import annotations

from fractions import Fraction

from cctbx import crystal, sgtbx, xray

from qcrbox_refine.connectivity import Neighbour
from qcrbox_refine.model import Atom, Model
from qcrbox_refine.restraint_equations import Distance, Node

_SHORTEST = {
    ("C", "C"): 3.20, ("C", "N"): 3.05, ("C", "O"): 2.95, ("C", "S"): 3.30,
    ("N", "N"): 2.70, ("N", "O"): 2.55, ("N", "S"): 3.10,
    ("O", "O"): 2.40, ("O", "S"): 3.00, ("S", "S"): 3.40,
    ("H", "H"): 2.05,
}  # fmt: skip
# Atoms that rarely stand on their sites together do not push each other away.
_LEAST_OCCUPANCY = 1.1


def short_contacts(
    model: Model, structure: xray.structure, bonds: list[list[Neighbour]], sigma: float
) -> list[Distance]:
    """Repulsive distances for all contacts that are too short now. A negative sigma counts bonds to symmetry
    equivalents as bonds, a positive one does not.
    """
    images = _Images(structure)
    excluded = _near_by_bonds(bonds, images, with_symmetry=sigma < 0)
    mappings = structure.asu_mappings(buffer_thickness=max(_SHORTEST.values()))
    table = crystal.pair_asu_table(mappings)
    table.add_all_pairs(distance_cutoff=max(_SHORTEST.values()))
    found = table.extract_pair_sym_table()
    cell, sites = structure.unit_cell(), structure.sites_frac()
    made = []
    for i, others in enumerate(found):
        for j, operations in others.items():
            limit = _limit(model.atoms[i], model.atoms[j])
            if limit is None:
                continue
            for operation in operations:
                if (i, images.key(j, operation)) in excluded or cell.distance(
                    sites[i], operation * sites[j]
                ) >= limit:
                    continue
                made.append(Distance(Node(i), Node(j, operation), limit, abs(sigma), repulsive=True))
    return made


def _limit(a: Atom, b: Atom) -> float | None:
    if a.part and b.part and a.part != b.part:
        return None
    if a.occupancy + b.occupancy < _LEAST_OCCUPANCY:
        return None
    first, second = (atom.symbol.replace("D", "H") for atom in (a, b))
    return _SHORTEST.get((first, second)) or _SHORTEST.get((second, first))


class _Images:
    """Names for images of atoms: equal for all operations that bring an atom to the same place."""

    def __init__(self, structure: xray.structure) -> None:
        table = structure.site_symmetry_table()
        self._fixing = [tuple(table.get(i).matrices()) for i in range(len(structure.scatterers()))]

    def key(self, atom: int, operation: sgtbx.rt_mx) -> tuple[object, ...]:
        """The least of the operations that give this image, as numbers: their texts would depend on denominators."""
        return (atom, *min(_numbers(operation.multiply(fixing)) for fixing in self._fixing[atom]))

    def in_place(self, atom: int, operation: sgtbx.rt_mx) -> bool:
        """Whether this image of an atom is the atom itself: on a special position not only by x, y, z."""
        return self.key(atom, operation) == self.key(atom, sgtbx.rt_mx())


def _numbers(operation: sgtbx.rt_mx) -> tuple[tuple[int, ...], tuple[Fraction, ...]]:
    rotation, translation = operation.r(), operation.t()
    turned = tuple(number // rotation.den() for number in rotation.num())
    return turned, tuple(Fraction(number, translation.den()) for number in translation.num())


def _near_by_bonds(
    bonds: list[list[Neighbour]], images: _Images, *, with_symmetry: bool
) -> set[tuple[int, tuple[object, ...]]]:
    """Pairs of an atom and an image that are one, two or three bonds apart, each way round."""
    near: set[tuple[int, tuple[object, ...]]] = set()

    def follow(start: int, atom: int, operation: sgtbx.rt_mx, depth: int) -> None:
        for bond in bonds[atom]:
            if not with_symmetry and not images.in_place(bond.index, bond.symmetry):
                continue
            moved = operation.multiply(bond.symmetry)
            near.add((start, images.key(bond.index, moved)))
            if depth < 3:
                follow(start, bond.index, moved, depth + 1)

    for start in range(len(bonds)):
        follow(start, start, sgtbx.rt_mx(), 1)
    return near
