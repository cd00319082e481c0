"""A crystal structure read from a CIF block: cell, space group, sites, geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from qcrbox.cif.diagnostics import Severity
from qcrbox.cif.document import Block, Document
from qcrbox.cif.reader import read
from qcrbox.cif.values import Number
from qcrbox.contract.errors import CifError, UserInputError
from qcrbox.crystallography._gemmi import gemmi
from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.extended_symmetry import in_superspace, is_magnetic, is_modulated
from qcrbox.crystallography.radiation import read_radiation
from qcrbox.crystallography.space_group import SpaceGroup
from qcrbox.crystallography.structure import (
    adps,
    contacts,
    formula,
    geometry,
    growing,
    listed,
    other_libraries,
    reading,
    tables,
)
from qcrbox.crystallography.structure.atoms import Atoms
from qcrbox.crystallography.structure.bonds import Edges, ListedBond, bond_edges, riding_pivots
from qcrbox.crystallography.structure.disorder import choose
from qcrbox.crystallography.structure.images import ImageList, SymmetryImages
from qcrbox.crystallography.structure.origin import origin_by_contents
from qcrbox.crystallography.structure.sites import Sites, site_symmetry_symbol

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
GrowMode = Literal["none", "bond", "molecule", "radius", "contacts"]
AtomName = str | tuple[str, str]


class Structure:
    """Cell, space group and atoms of one data block.

    cell: UnitCell with s.u.; space_group: SpaceGroup with what contradicts it; sites: arrays of the
    asymmetric unit. `notes` lists damaged, assumed and unusual values in readable text.
    """

    def __init__(  # noqa: PLR0913 - public constructor, by name
        self,
        cell: UnitCell,
        space_group: SpaceGroup,
        sites: Sites,
        *,
        name: str = "",
        formula_sum: str = "",
        formula_moiety: str = "",
        z: float | None = None,
        listed_bonds: Sequence[ListedBond] = (),
        listed_hydrogen_bonds: Sequence[contacts.ListedHydrogenBond] = (),
        notes: Sequence[str] = (),
        probe: str = "",
    ) -> None:
        self.cell, self.space_group, self.sites, self.name = cell, space_group, sites, name
        self.formula_sum, self.formula_moiety, self.z = formula_sum, formula_moiety, z
        self._listed_bonds = list(listed_bonds)
        self._listed_hydrogen_bonds = list(listed_hydrogen_bonds)
        self._notes = list(notes)
        self.probe = probe
        """What was diffracted, as in `crystallography.radiation`; empty where the file does not say."""

    @classmethod
    def from_block(cls, block: Block) -> Structure:
        """Raises MissingItemsError without cell or atoms; odd values become notes."""
        _refuse_superspace(block)
        notes = _not_read(block)
        cell = reading.read_cell(block, notes)
        group = reading.read_space_group(block, cell)
        sites = reading.read_sites(block, cell, notes)
        z = block.number("_cell_formula_units_Z")
        group = origin_by_contents(group, cell, sites, block)
        return cls(
            cell,
            group,
            sites,
            name=block.name,
            formula_sum=block.text("_chemical_formula_sum") or "",
            formula_moiety=block.text("_chemical_formula_moiety") or "",
            z=None if z is None else z.value,
            listed_bonds=listed.read_listed_bonds(block, sites, group, notes),
            listed_hydrogen_bonds=listed.read_listed_hydrogen_bonds(block, sites, group, notes),
            notes=notes,
            probe=read_radiation(block).probe,
        )

    @classmethod
    def from_cif(cls, source: bytes | str | Path, block: str | int | None = None) -> Structure:
        """The structure of a CIF. Without `block`, of its only block with atoms.

        Raises CifError that lists the blocks when several have atoms.
        """
        document = read(source, on_error="keep")
        if block is not None:
            return cls._of_document(document, document[block])
        with_atoms = [found for found in document.blocks if found.loop("_atom_site_label") is not None]
        if len(with_atoms) > 1:
            raise CifError(
                f"The file has {len(with_atoms)} blocks with atoms, and none was chosen.",
                where=document.filename,
                why=f"Blocks: {', '.join(found.name for found in with_atoms[:20])}.",
                next="Name the block to use.",
            )
        return cls._of_document(document, with_atoms[0] if with_atoms else document.sole_block())

    @classmethod
    def _of_document(cls, document: Document, block: Block) -> Structure:
        """The structure with the diagnostics of the reader among its notes."""
        made = cls.from_block(block)
        wrong = [
            str(r) for r in document.diagnostics if r.severity is Severity.ERROR and r.block == block.name
        ]
        made._notes = [*wrong[:10], *made._notes]
        return made

    def __repr__(self) -> str:
        return f"<Structure {self.name}: {self.formula or 'no formula'}, {self.space_group.hm}, {len(self.sites)} sites>"

    @property
    def notes(self) -> list[str]:
        """Remarks on how the structure was read."""
        return [*self.space_group.contradictions, *self.space_group.notes, *self._notes, *self.images.notes]

    # As an object of another library

    def to_gemmi(self) -> gemmi.SmallStructure:
        """The asymmetric unit as `gemmi.SmallStructure`; see `other_libraries`."""
        return other_libraries.to_gemmi(self)

    def to_cctbx(self) -> Any:
        """The asymmetric unit as `cctbx.xray.structure`. Raises UserInputError where cctbx is not installed."""
        return other_libraries.to_cctbx(self)

    def to_ase(self, *, disorder: str | Mapping[str, int] = "major") -> Any:
        """All atoms of one unit cell as `ase.Atoms`; other disorder groups are left out and named.

        Raises UserInputError where ASE is not installed.
        """
        return other_libraries.to_ase(self, disorder=disorder)

    def to_pymatgen(self) -> Any:
        """One unit cell as `pymatgen.core.Structure`, occupancies and all.

        Raises UserInputError where pymatgen is not installed, or where one place is more than full.
        """
        return other_libraries.to_pymatgen(self)

    def to_py3dmol(self, *, disorder: str | Mapping[str, int] = "major") -> Any:
        """Complete molecules as `py3Dmol.view`, which works without a network; it draws no displacement ellipsoids.

        Raises UserInputError where py3Dmol is not installed.
        """
        return other_libraries.to_py3dmol(self, disorder=disorder)

    # What symmetry and bonds make of the sites

    @cached_property
    def images(self) -> SymmetryImages:
        """Symmetry images of the sites."""
        return SymmetryImages(self.cell, self.space_group, self.sites)

    @cached_property
    def edges(self) -> Edges:
        """Connectivity: directed edges from each site to images of sites."""
        edges = bond_edges(self.images, self._listed_bonds)
        self.images.rides_on = riding_pivots(self.images, edges)
        return edges

    @cached_property
    def asymmetric_unit(self) -> Atoms:
        """The atoms as the file gives them."""
        return growing.asymmetric_unit(self.images, self.edges)

    @cached_property
    def atoms(self) -> Atoms:
        """Complete molecules: the asymmetric unit, grown where it holds only parts of molecules."""
        return growing.complete_molecules(self.images, self.edges)

    def grow(
        self,
        mode: GrowMode = "molecule",
        *,
        atoms: Atoms | None = None,
        radius: float = 4.0,
        whole: bool = False,
        disorder: str | Mapping[str, int] = "all",
    ) -> Atoms:
        """More of the crystal, from `atoms` (default: the asymmetric unit).

        none: as given; bond: everything one bond away; molecule: complete molecules; radius: all atoms within
        `radius` Å; contacts: the far ends of short contacts. whole: complete the molecules that radius and
        contacts reach. disorder: `all`, `major`, `minor` or {assembly: group}.
        """
        start = self.asymmetric_unit if atoms is None else atoms
        if mode == "none":
            grown = start
        elif mode == "bond":
            grown = growing.grow_bond(self.images, self.edges, start)
        elif mode == "molecule":
            grown = growing.complete_molecules(self.images, self.edges, atoms)
        elif mode == "radius":
            grown = growing.within_radius(self.images, self.edges, start, radius, whole)
        elif mode == "contacts":
            grown = growing.grow_contacts(self.images, self.edges, start, self.short_contacts(), whole)
        else:
            raise UserInputError(
                f"'{mode}' is not a way of growing.", next="Use none, bond, molecule, radius or contacts."
            )
        return self.choose(grown, disorder)

    def pack(
        self,
        ranges: Sequence[tuple[float, float]] = ((0, 1), (0, 1), (0, 1)),
        *,
        molecules: bool = False,
        disorder: str | Mapping[str, int] = "all",
    ) -> Atoms:
        """All atoms in a box of fractional coordinates, or all molecules with their centroid in it."""
        return self.choose(growing.pack(self.images, self.edges, ranges, molecules), disorder)

    def choose(self, atoms: Atoms, disorder: str | Mapping[str, int] = "all") -> Atoms:
        """The atoms of chosen disorder groups. Of a negative group, one orientation in each place."""
        if disorder == "all":
            return atoms
        chosen = atoms.select(choose(self.sites, disorder)[atoms.site])
        return growing.one_orientation(chosen, self.sites)

    # Tables

    def bonds(self, *, hydrogens: bool = True) -> list[tables.Bond]:
        """Each bond of the asymmetric unit once, with s.u. estimated without covariances."""
        return tables.bonds(self.images, self.edges, hydrogens)

    def angles(self, *, hydrogens: bool = True) -> list[tables.Angle]:
        """Each bond angle of the asymmetric unit once, by apex."""
        return tables.angles(self.images, self.edges, hydrogens)

    def short_contacts(
        self, extra: float = 0.0, *, hydrogens: bool = True, within_molecules: bool = False
    ) -> contacts.Contacts:
        """Contacts between molecules shorter than the sum of van der Waals radii plus `extra` Å.

        within_molecules: those inside a molecule too, more than three bonds apart, as inside a network always.
        """
        return contacts.short_contacts(
            self.images, self.edges, extra, hydrogens=hydrogens, within_molecules=within_molecules
        )

    def hydrogen_bonds(self) -> list[contacts.HydrogenBond]:
        """Hydrogen bonds of the file and those the geometry shows; sites as row numbers, acceptors as images."""
        return contacts.hydrogen_bonds(self.images, self.edges, self._listed_hydrogen_bonds)

    def hydrogen_bond_table(self) -> list[tables.HydrogenBondRow]:
        """The same as a table with labels and s.u., estimated without covariances."""
        return tables.hydrogen_bonds(self.images, self.hydrogen_bonds())

    # Measuring selected atoms

    def distance(self, first: AtomName, second: AtomName) -> Number:
        """Å; an atom is a label, or (label, symmetry code) such as ("O1", "3_655")."""
        return self._measure(geometry.distance, first, second)

    def angle(self, first: AtomName, apex: AtomName, last: AtomName) -> Number:
        """Degrees."""
        return self._measure(geometry.angle, first, apex, last)

    def torsion(self, first: AtomName, second: AtomName, third: AtomName, last: AtomName) -> Number:
        """Degrees, -180 to 180, IUPAC sign. Raises UserInputError where three atoms in a row lie on a line."""
        names = (first, second, third, last)
        if not geometry.has_torsion(np.concatenate([self._image(atom).cartesian for atom in names])):
            raise UserInputError(
                "Three of these atoms lie on a line: the torsion angle is not determined.",
                next="Choose atoms on both sides of the linear group.",
            )
        return self._measure(geometry.torsion, first, second, third, last)

    def plane(self, *atoms: AtomName) -> geometry.Plane:
        """Least-squares plane of three or more atoms that do not lie on a line."""
        if len(atoms) < 3:
            raise UserInputError("A plane needs three atoms.")
        points = np.concatenate([self._image(atom).cartesian for atom in atoms])
        if not geometry.span_a_plane(points):
            raise UserInputError(
                "These atoms lie on a line: they span no plane.", next="Choose another atom."
            )
        return geometry.least_squares_plane(points)

    def _measure(self, kind: geometry.Measure, *atoms: AtomName) -> Number:
        _ = self.edges  # tell what rides on what
        return geometry.measure(self.images, kind, [self._image(atom) for atom in atoms]).numbers()[0]

    def _image(self, atom: AtomName) -> ImageList:
        label, code = atom if isinstance(atom, tuple) else (atom, ".")
        if label not in self.sites.index:
            raise UserInputError(
                f"There is no atom '{label}'.", next=f"Atoms: {', '.join(self.sites.label[:20])}."
            )
        operation, translation = self.space_group.parse_code(code)
        return self.images.make([self.sites.index[label]], [operation], [translation])

    # Displacements

    def principal_axes(self) -> adps.PrincipalAxes:
        """Displacement ellipsoids of the sites in their own places; isotropic ones as spheres."""
        return adps.principal_axes(self.u_cart)

    @cached_property
    def u_cart(self) -> Array:
        """Cartesian tensors (n, 3, 3) of the sites, Å²; isotropic ones as spheres, NaN where unknown."""
        spheres = adps.isotropic_tensor(self.sites.u_iso, self.cell)
        return adps.u_to_cartesian(np.where(np.isnan(self.sites.u_cif), spheres, self.sites.u_cif), self.cell)

    @cached_property
    def u_equivalent(self) -> Array:
        """(n,) Ueq of anisotropic sites from their tensors, Uiso of the others, Å²."""
        return np.where(
            np.isfinite(self.sites.u_cif).all(axis=(1, 2)),
            adps.u_equivalent(self.sites.u_cif, self.cell),
            self.sites.u_iso,
        )

    # Composition

    @property
    def formula(self) -> str:
        """The sum formula of the file, else the sum of the atoms for Z (or for the cell)."""
        if self.formula_sum:
            return self.formula_sum
        return formula.format_formula(
            {name: count / (self.z or 1) for name, count in self.cell_content.items()}
        )

    @cached_property
    def cell_content(self) -> dict[str, float]:
        """Atoms of each element in one cell, by occupancy and multiplicity."""
        content: dict[str, float] = {}
        for row in np.flatnonzero(self.sites.is_atom):
            element = self.sites.element[row]
            share = float(self.sites.occupancy[row] * self.images.symmetry.multiplicity[row])
            content[element] = content.get(element, 0.0) + share
        return content

    def site_symmetry(self, label: str) -> str:
        """Point-group symbol of a site, `1` in general position."""
        return site_symmetry_symbol(self.images.symmetry, self.space_group, self.sites.index[label])


def _refuse_superspace(block: Block) -> None:
    """Coordinates in superspace mean little without their modulation."""
    if in_superspace(block):
        raise CifError(
            "This is a modulated structure; the structure view does not support superspace groups.",
            where=f"block {block.name}",
            next="The file can be stored and passed to programs as it is.",
        )


def _not_read(block: Block) -> list[str]:
    """What the block says beyond an ordinary structure."""
    said = []
    if is_modulated(block):
        said.append("The structure is modulated; its average without the modulation is read.")
    if is_magnetic(block):
        said.append("The structure is magnetic; its nuclei are read, without moments and time reversal.")
    return said
