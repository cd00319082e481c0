"""The restraints of a refinement as CIF loops, each with its target, its s.u. and what the refined model leaves over.

Items of the restraints dictionary as cctbx writes them (`_restr_distance`, `_restr_equal_distance`, `_restr_U_rigid`,
`_restr_RIGU`, `_restr_U_similar`, `_restr_U_iso`); volumes, contacts and sums of free variables, for which it has no
items, are `_qcrbox_restr_…`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from cctbx import sgtbx

from qcrbox_refine.cif_block import CifBlock
from qcrbox_refine.fit import Fit
from qcrbox_refine.restraint_equations import (
    Distance,
    EqualDistances,
    Frame,
    NearlyIsotropic,
    Node,
    Restraint,
    RigidBond,
    SimilarDisplacement,
    VariableSum,
    Volume,
)

Row = list[str]


def add_restraint_loops(block: CifBlock, fit: Fit) -> None:
    """Write every restraint of the fit; nothing where there are none."""
    manager = fit.parametrisation.restraints
    if manager is None:
        return
    structure = fit.parametrisation.structure
    frame, _ = manager.equations(structure, fit.parametrisation.reparametrisation.parameter_map())
    loops = _Loops(frame, [atom.label for atom in fit.model.atoms])
    loops.add(manager.active(structure))
    loops.write(block)


@dataclass
class _Loops:
    """Rows of all loops. frame: the refined model; labels: of its atoms."""

    frame: Frame
    labels: list[str]
    rows: dict[str, list[Row]] = field(default_factory=dict)
    equal: list[EqualDistances] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._info = sgtbx.space_group_info(group=self.frame.structure.space_group())

    def add(self, restraints: Sequence[Restraint]) -> None:
        """Sort the restraints into loops."""
        makers: dict[type, Callable[..., tuple[str, Row]]] = {
            Distance: self._distance,
            SimilarDisplacement: self._similar,
            NearlyIsotropic: self._isotropic,
            RigidBond: self._rigid,
            Volume: self._volume,
            VariableSum: self._sum,
        }
        for restraint in restraints:
            if isinstance(restraint, EqualDistances):
                self.equal.append(restraint)
                continue
            name, row = makers[type(restraint)](restraint)
            self.rows.setdefault(name, []).append(row)
        if self.equal:
            self._equal_distances()

    def write(self, block: CifBlock) -> None:
        """One loop for each kind that has rows."""
        for name, columns in _COLUMNS.items():
            block.add_loop([f"{name}_{column}" for column in columns], self.rows.get(name, []))

    def _label(self, node: Node) -> str:
        return self.labels[node.index]

    def _code(self, operation: sgtbx.rt_mx) -> str:
        code = str(self._info.cif_symmetry_code(operation))
        return "." if code == "1" else code

    def _pair(self, a: Node, b: Node) -> Row:
        """Labels of both, and the symmetry of the second seen from the first."""
        return [self._label(a), self._label(b), self._code(a.symmetry.inverse().multiply(b.symmetry))]

    def _length(self, a: Node, b: Node) -> float:
        return float(np.linalg.norm(self.frame.site(a) - self.frame.site(b)))

    def _distance(self, restraint: Distance) -> tuple[str, Row]:
        target = restraint.offset
        if restraint.variable:
            target += restraint.factor * self.frame.variable(restraint.variable)
        name = "_qcrbox_restr_distance_min" if restraint.repulsive else "_restr_distance"
        difference = self._length(restraint.a, restraint.b) - target
        numbers = [f"{target:.4f}", f"{restraint.sigma:.4f}", f"{difference:.4f}"]
        return name, [*self._pair(restraint.a, restraint.b), *numbers]

    def _similar(self, restraint: SimilarDisplacement) -> tuple[str, Row]:
        return "_restr_U_similar", [*self._pair(restraint.a, restraint.b), f"{restraint.sigma:.4f}"]

    def _isotropic(self, restraint: NearlyIsotropic) -> tuple[str, Row]:
        return "_restr_U_iso", [self._label(restraint.a), f"{restraint.sigma:.4f}"]

    def _rigid(self, restraint: RigidBond) -> tuple[str, Row]:
        ends = [self._label(restraint.a), self._label(restraint.b)]
        residuals = [equation.residual for equation in restraint.equations(self.frame)]
        if restraint.enhanced:
            # The component along the bond comes first; those that site symmetry keeps at zero are left out.
            known = [f"{residual:.5f}" for residual in residuals]
            u33, u13, u23 = [*known, ".", ".", "."][:3]
            return "_restr_RIGU", [*ends, f"{restraint.sigma:.4f}", u13, u23, u33]
        z = self.frame.site(restraint.b) - self.frame.site(restraint.a)
        z = z / np.linalg.norm(z)
        along = [
            float(self.frame.u_cart(node) @ (np.outer(z, z)[_ROWS, _COLUMNS_OF_TENSOR] * [1, 1, 1, 2, 2, 2]))
            for node in (restraint.a, restraint.b)
        ]
        numbers = [f"{restraint.sigma:.4f}", f"{sum(along) / 2:.4f}", f"{along[0] - along[1]:.4f}"]
        return "_restr_U_rigid", [*ends, *numbers]

    def _volume(self, restraint: Volume) -> tuple[str, Row]:
        nodes = (restraint.o, restraint.a, restraint.b, restraint.c)
        residual = restraint.equations(self.frame)[0].residual
        numbers = [f"{restraint.target:.3f}", f"{restraint.sigma:.3f}", f"{residual:.3f}"]
        labels = [self._label(node) for node in nodes]
        return "_qcrbox_restr_volume", [*labels, *(self._code(node.symmetry) for node in nodes), *numbers]

    def _sum(self, restraint: VariableSum) -> tuple[str, Row]:
        text = " ".join(f"{coefficient:+g}*FVAR{number}" for coefficient, number in restraint.terms)
        residual = restraint.equations(self.frame)[0].residual
        return "_qcrbox_restr_sum", [
            text,
            f"{restraint.target:.4f}",
            f"{restraint.sigma:.4f}",
            f"{residual:.4f}",
        ]

    def _equal_distances(self) -> None:
        """Distances that are equal to each other make a class; a class has one s.u."""
        for number, (sigma, pairs) in enumerate(_classes(self.equal), start=1):
            lengths = np.array([self._length(*pair) for pair in pairs])
            mean = float(lengths.mean())
            values = (sigma, mean, float(lengths.std()), float(np.abs(lengths - mean).max()))
            row = [str(number), *(f"{value:.4f}" for value in values)]
            self.rows.setdefault("_restr_equal_distance_class", []).append(row)
            for pair in pairs:
                self.rows.setdefault("_restr_equal_distance", []).append([*self._pair(*pair), str(number)])


# Where xx yy zz xy xz yz stand in a tensor.
_ROWS, _COLUMNS_OF_TENSOR = [0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]
_PAIR = ("atom_site_label_1", "atom_site_label_2", "site_symmetry_2")
_ENDS = ("atom_site_label_1", "atom_site_label_2")
_FOUR = (
    *(f"atom_site_label_{k}" for k in (1, 2, 3, 4)),
    *(f"site_symmetry_{k}" for k in (1, 2, 3, 4)),
)
_COLUMNS: dict[str, tuple[str, ...]] = {
    "_restr_distance": (*_PAIR, "target", "target_weight_param", "diff"),
    "_restr_equal_distance_class": ("class_id", "target_weight_param", "average", "esd", "diff_max"),
    "_restr_equal_distance": (*_PAIR, "class_id"),
    "_restr_U_rigid": (*_ENDS, "target_weight_param", "U_parallel", "diff"),
    "_restr_RIGU": (*_ENDS, "target_weight_param", "U13_diff", "U23_diff", "U33_diff"),
    "_restr_U_similar": (*_PAIR, "weight_param"),
    "_restr_U_iso": ("atom_site_label", "weight_param"),
    "_qcrbox_restr_distance_min": (*_PAIR, "target", "target_weight_param", "diff"),
    "_qcrbox_restr_volume": (*_FOUR, "target", "target_weight_param", "diff"),
    "_qcrbox_restr_sum": ("expression", "target", "target_weight_param", "diff"),
}


def _classes(restraints: Sequence[EqualDistances]) -> list[tuple[float, list[tuple[Node, Node]]]]:
    """Sets of distances that restraints of one s.u. connect, with that s.u."""
    found: list[tuple[float, list[tuple[Node, Node]]]] = []
    for restraint in restraints:
        pairs = [(restraint.a, restraint.b), (restraint.c, restraint.d)]
        touched = [
            entry
            for entry in found
            if entry[0] == restraint.sigma and any(pair in entry[1] for pair in pairs)
        ]
        merged = list(dict.fromkeys([p for entry in touched for p in entry[1]] + pairs))
        found = [entry for entry in found if entry not in touched]
        found.append((restraint.sigma, merged))
    return found
