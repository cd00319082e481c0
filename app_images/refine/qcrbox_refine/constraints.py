"""What is refined and what is tied to what: from a model to the independent parameters of the least squares."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from cctbx import adptbx, xray

from qcrbox_refine.connectivity import (
    Neighbour,
    connectivity_table,
    neighbours,
)
from qcrbox_refine.model import RIGID_SCALED, AfixGroup, Atom, Model
from qcrbox_refine.origin_fixing import OriginFixing
from qcrbox_refine.parameter_bases import basis_of, common_basis, restricted
from qcrbox_refine.parameter_blocks import (
    Block,
    Follow,
    FreeVariables,
    LinearBlock,
    RidingAtoms,
    RidingU,
    RigidGroup,
    Tie,
)
from qcrbox_refine.parameters import FIXED, Coding
from qcrbox_refine.reparametrisation import Reparametrisation, state_of
from qcrbox_refine.restraints import RestraintManager, restraints_manager
from qcrbox_refine.riding import TURNING, IdealGeometry, Image, distance_to_hydrogen, needed
from qcrbox_refine.riding_groups import parents_of
from qcrbox_refine.scattering import set_factors
from qcrbox_refine.unstated_constraints import complete_constraints, note_fixed_occupancies


@dataclass
class Parametrisation:
    """A model ready for least squares, with everything the writers must know about it.

    restraints: None where the model has none; origin: what keeps the origin of a polar group in place; n_constraints:
    constraints other than fixed values and special positions.
    """

    structure: xray.structure
    reparametrisation: Reparametrisation
    restraints: RestraintManager | None
    origin: OriginFixing
    n_constraints: int


def parametrise(model: Model, *, refine_occupancies: bool = True) -> Parametrisation:
    """Flags, constraints and parameters of the model as it stands.

    refine_occupancies: false fixes all occupancies.
    """
    complete_constraints(model, refine_occupancies=refine_occupancies)
    if refine_occupancies:
        note_fixed_occupancies(model)
    restraints = restraints_manager(model)
    builder = _Builder(model, refine_occupancies, restraints.variables if restraints else set())
    blocks = builder.blocks()
    structure = builder.structure
    set_factors(structure, model)
    made = Reparametrisation(
        structure,
        blocks,
        builder.connectivity,
        free_variables=model.free_variables,
    )
    origin = OriginFixing(structure.space_group(), structure, builder.fixed_axes)
    return Parametrisation(structure, made, restraints, origin, builder.n_constraints)


@dataclass
class _Builder:
    """Turns the codings and groups of a model into blocks of parameters."""

    model: Model
    refine_occupancies: bool
    restrained_variables: set[int]
    n_constraints: int = 0
    fixed_axes: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.index = {id(atom): i for i, atom in enumerate(self.model.atoms)}
        self.structure = self.model.structure()
        self.connectivity = connectivity_table(self.model, self.structure)
        self.bonds = neighbours(self.model, self.structure, self.connectivity)
        self.table = self.structure.site_symmetry_table()
        cell = self.structure.unit_cell()
        reciprocal = np.array(cell.reciprocal_parameters()[:3])
        pairs = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
        self.star = np.array([reciprocal[i] * reciprocal[j] for i, j in pairs])
        self.metric = np.array(cell.metrical_matrix())
        self.used_variables: set[int] = set()
        self._idealise_once()

    def blocks(self) -> list[Block]:
        """All blocks, in the order in which they build on each other."""
        sites = [*self._linear_sites(), *self._rigid_groups(), *self._followers("sites"), *self._riding()]
        displacements = [*self._linear_displacements(), *self._followers("u"), *self._riding_displacements()]
        occupancies = self._occupancies()
        self._set_flags()
        numbers = sorted(self.used_variables | self.restrained_variables)
        return [FreeVariables(numbers), *sites, *displacements, *occupancies]

    def _set_flags(self) -> None:
        for atom, scatterer in zip(self.model.atoms, self.structure.scatterers(), strict=True):
            anisotropic = scatterer.flags.use_u_aniso()
            scatterer.flags.set_grad_site(True)
            scatterer.flags.set_grad_u_aniso(anisotropic)
            scatterer.flags.set_grad_u_iso(not anisotropic)
            scatterer.flags.set_grad_occupancy(self._occupancy_varies(atom))

    def _idealise_once(self) -> None:
        """Geometries of AFIX m whose atoms do not ride are taken once, at the beginning."""
        waiting: dict[int, list[int]] = {}
        for i, atom in enumerate(self.model.atoms):
            group = atom.group
            if group and not group.rides and group.pivot and needed(group.m) and not group.idealised:
                waiting.setdefault(id(group), []).append(i)
        state = state_of(self.structure)
        for indices in waiting.values():
            group = self.model.atoms[indices[0]].group
            assert group is not None
            assert group.pivot is not None
            group.idealised = True
            ideal = self._ideal(group, self.index[id(group.pivot)], indices)
            if ideal is None:
                continue
            sites = ideal.idealised(state, np.array([state.cartesian(i) for i in indices]))
            for i, site in zip(indices, sites, strict=True):
                atom = self.model.atoms[i]
                atom.site = tuple(float(x) for x in state.fractional @ site)
                self.structure.scatterers()[i].site = atom.site

    # Positions

    def _linear_sites(self) -> list[Block]:
        blocks: list[Block] = []
        shared = self._groups_of(self.model.equal_sites)
        for i, atom in enumerate(self.model.atoms):
            members = shared.get(i, [i])
            if members[0] != i or _rigid(atom) or _rides(atom):
                continue
            basis = self._site_basis(members)
            codings = [FIXED] * 3 if atom.group is not None and atom.group.n == 1 else list(atom.site_coding)
            self.fixed_axes |= {
                k for k, coding in enumerate(codings) if coding.is_fixed and self._floats(i, k)
            }
            members = [
                j for j in members if not _rigid(self.model.atoms[j]) and not _rides(self.model.atoms[j])
            ]
            blocks.append(self._linear("sites", members, basis, codings, np.ones(3)))
        return blocks

    def _floats(self, i: int, axis: int) -> bool:
        """Whether this coordinate is free by symmetry, so that fixing it fixes the origin."""
        return bool(np.abs(self._site_basis([i])[axis]).max(initial=0) > 0)

    def _site_basis(self, members: list[int]) -> np.ndarray:
        return common_basis([self._site_symmetry(i) for i in members])

    def _site_symmetry(self, i: int) -> np.ndarray:
        symmetry = self.table.get(i)
        if symmetry.is_point_group_1():
            return np.eye(3)
        return basis_of(symmetry.site_constraints().gradient_sum_matrix(), 3)

    def _rigid_groups(self) -> list[Block]:
        members: dict[int, list[int]] = {}
        groups: dict[int, AfixGroup] = {}
        for i, atom in enumerate(self.model.atoms):
            rigid = atom.group.rigid if atom.group else None
            if rigid is not None:
                members.setdefault(id(rigid), []).append(i)
                groups[id(rigid)] = rigid
        blocks: list[Block] = []
        for key, indices in members.items():
            self._list_what_a_rigid_group_ignores(indices)
            blocks.append(
                RigidGroup(indices, groups[key].n == RIGID_SCALED, self.model.atoms[indices[0]].label)
            )
            self.n_constraints += len(indices) - 1
        return blocks

    def _list_what_a_rigid_group_ignores(self, indices: list[int]) -> None:
        atoms = [self.model.atoms[i] for i in indices]
        coded = [atom.label for atom in atoms if not all(coding.is_free for coding in atom.site_coding)]
        if coded:
            self.model.not_applied(
                f"Fixed coordinates and free variables of {', '.join(coded)} are not applied: the atoms move with their "
                "rigid group."
            )
        special = [self.model.atoms[i].label for i in indices if self.table.is_special_position(i)]
        if special:
            self.model.warn(
                f"{', '.join(special)} of a rigid group would leave a special position: the group moves freely. Take it "
                "out of the group (AFIX 0)."
            )

    def _followers(self, kind: str) -> list[Block]:
        """Atoms that share a parameter with an atom which is rigid or rides."""
        groups = self.model.equal_sites if kind == "sites" else self.model.equal_displacements
        blocks: list[Block] = []
        for i, members in self._groups_of(groups).items():
            if i != members[0]:
                continue
            self.n_constraints += len(members) - 1
            leader = self.model.atoms[i]
            bound = (_rigid(leader) or _rides(leader)) if kind == "sites" else leader.u_factor is not None
            if bound:
                blocks.append(Follow(kind, i, members[1:]))
        return blocks

    def _riding(self) -> list[Block]:
        by_group: dict[int, list[int]] = {}
        for i, atom in enumerate(self.model.atoms):
            if _rides(atom):
                by_group.setdefault(id(atom.group), []).append(i)
        return [self._riding_block(indices) for indices in by_group.values()]

    def _riding_block(self, indices: list[int]) -> Block:
        model = self.model
        group = model.atoms[indices[0]].group
        assert group is not None
        assert group.pivot is not None
        pivot = self.index[id(group.pivot)]
        self.n_constraints += len(indices)
        ideal = self._ideal(group, pivot, indices)
        return RidingAtoms(
            indices,
            pivot,
            group.pivot.label,
            ideal=ideal,
            # Without a geometry there is no bond to turn about.
            torsion=ideal is not None and _turns(group) and bool(self.bonds[pivot]),
            stretch=group.n in (4, 8),
        )

    def _ideal(self, group: AfixGroup, pivot: int, indices: list[int]) -> IdealGeometry | None:
        """The geometry of a riding group; None keeps its atoms as they stand to the pivot."""
        model = self.model
        wanted = needed(group.m)
        parents = parents_of(model, pivot, self.bonds, model.atoms[indices[0]].part, indices)
        if wanted is None:
            if group.n not in (7, 8) or not parents:
                return None
            return IdealGeometry(0, pivot, [_image(parents[0])], None, None)
        n_riding, n_parents = wanted
        if len(indices) != n_riding or len(parents) < n_parents:
            names = ", ".join(model.atoms[i].label for i in indices)
            model.not_applied(
                f"AFIX {group.code} needs {n_riding} atom(s) on an atom with {n_parents} other bond(s); "
                f"{group.pivot.label if group.pivot else '?'} has {len(parents)} and carries {names}. They keep their "
                "position relative to it."
            )
            return None
        chosen = parents if group.m == 15 else parents[:n_parents]
        length = group.distance or distance_to_hydrogen(
            model.atoms[pivot].symbol, group.m, model.riding_temperature_k
        )
        return IdealGeometry(
            group.m,
            pivot,
            [_image(bond) for bond in chosen],
            self._substituent(pivot, parents[0], indices),
            length,
            _turns(group),
        )

    def _substituent(self, pivot: int, parent: Neighbour, indices: list[int]) -> Image | None:
        """The nearest atom on the parent that is not the pivot, moved with the parent."""
        part = self.model.atoms[indices[0]].part
        here = np.array(self.structure.unit_cell().orthogonalize(self.structure.scatterers()[pivot].site))
        for bond in self.bonds[parent.index]:
            other = self.model.atoms[bond.index]
            if part and other.part not in (0, part):
                continue
            image = _image(bond, parent)
            site = image.rotation @ np.array(self.structure.scatterers()[bond.index].site) + image.translation
            away = np.array(self.structure.unit_cell().orthogonalize(tuple(site))) - here
            if np.linalg.norm(away) > 0.3:
                return image
        return None

    # Displacement parameters

    def _linear_displacements(self) -> list[Block]:
        blocks: list[Block] = []
        shared = self._groups_of(self.model.equal_displacements)
        for i, atom in enumerate(self.model.atoms):
            members = shared.get(i, [i])
            if members[0] != i or atom.u_factor is not None:
                continue
            fixed = atom.group is not None and atom.group.n in (1, 2)
            codings = [FIXED] * 6 if fixed else list(atom.u_coding)
            if atom.u_aniso is None:
                blocks.append(self._linear("u", members, np.eye(1), codings[:1], np.ones(1)))
            else:
                basis = common_basis([self._adp_symmetry(j) for j in members])
                blocks.append(self._linear("u", members, basis, codings, self.star))
        return blocks

    def _adp_symmetry(self, i: int) -> np.ndarray:
        symmetry = self.table.get(i)
        if symmetry.is_point_group_1():
            return np.eye(6)
        return basis_of(symmetry.adp_constraints().gradient_sum_matrix(), 6)

    def _riding_displacements(self) -> list[Block]:
        blocks: list[Block] = []
        for i, atom in enumerate(self.model.atoms):
            if atom.u_factor is None or atom.u_pivot is None:
                continue
            self.n_constraints += 1
            blocks.append(RidingU(i, self.index[id(atom.u_pivot)], atom.u_factor, self.metric))
        return blocks

    # Occupancies

    def _occupancy_varies(self, atom: Atom) -> bool:
        fixed = atom.group is not None and atom.group.n in (1, 2)
        return self.refine_occupancies and not fixed and not atom.occupancy_coding.is_fixed

    def _occupancies(self) -> list[Block]:
        return [
            self._linear("occupancy", [i], np.eye(1), [atom.occupancy_coding], np.ones(1))
            for i, atom in enumerate(self.model.atoms)
            if self._occupancy_varies(atom)
        ]

    # Helpers

    def _linear(
        self, kind: str, members: list[int], basis: np.ndarray, codings: list[Coding], scale: np.ndarray
    ) -> LinearBlock:
        """scale: what turns a value as coded into a component (U of CIF into U*)."""
        ties = [
            Tie(k, coding.variable, coding.offset * scale[k], coding.factor * scale[k])
            for k, coding in enumerate(codings)
            if coding.is_tied
        ]
        self.used_variables |= {tie.variable for tie in ties}
        held = [k for k, coding in enumerate(codings) if coding.is_fixed]
        basis, tie_basis = restricted(basis, held, ties)
        return LinearBlock(kind, members, basis, self.model.atoms[members[0]].label, ties, tie_basis)

    def _groups_of(self, groups: list[list[Atom]]) -> dict[int, list[int]]:
        """Indices of atoms that share a parameter, leader first, by each member; overlapping groups become one."""
        found: dict[int, list[int]] = {}
        for group in groups:
            indices = [self.index[id(atom)] for atom in group if id(atom) in self.index]
            merged: list[int] = []
            for i in indices:
                merged += [j for j in found.get(i, [i]) if j not in merged]
            for i in merged:
                found[i] = merged
        return {i: members for i, members in found.items() if len(members) > 1}


def _rigid(atom: Atom) -> bool:
    return atom.group is not None and atom.group.rigid is not None


def _rides(atom: Atom) -> bool:
    return atom.group is not None and atom.group.rides and atom.group.pivot is not None


def _turns(group: AfixGroup) -> bool:
    """Whether the torsion of a riding group is refined."""
    return group.n in (7, 8) and (group.m in TURNING or needed(group.m) is None)


def _image(bond: Neighbour, moved_by: Neighbour | None = None) -> Image:
    operation = bond.symmetry if moved_by is None else moved_by.symmetry.multiply(bond.symmetry)
    return Image(
        bond.index,
        np.array(operation.r().as_double()).reshape(3, 3),
        np.array(operation.t().as_double()),
    )


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
