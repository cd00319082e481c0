"""The molecules of a crystal: whole, over symmetry, one set for each conformer of its disorder."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure.atoms import Atoms, connected_components
from qcrbox.crystallography.structure.disorder import groups_by_occupancy
from qcrbox.crystallography.structure.elements import hill_order
from qcrbox.crystallography.structure.structure import Structure
from qcrbox.language import listed, minus

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
# Elements whose single atoms are no molecule and no ion of a molecular crystal: an O alone is a water without its H.
_NEVER_ALONE = frozenset({"B", "C", "N", "O", "Si", "P", "S", "As", "Se"})
_SAME_SITE = 0.1  # Å


@dataclass(frozen=True)
class Cap:
    """A hydrogen atom that ends a cut bond: from atom `anchor` towards an image outside, length in Å."""

    anchor: int
    site: int
    operation: int
    translation: tuple[int, int, int]
    length: float


@dataclass
class Molecule:
    """Atoms that share one wavefunction.

    symbols: of its atoms, then of its caps; site, operation (n,), translation (n, 3): each atom as an image of a site; bonds (p, 2); number: from 1, as
    the user names it; copies: how many there are in the unit cell, by occupancy; places: before the share of its conformer;
    is_spin_declared: whether the user gave the multiplicity.
    """

    number: int
    symbols: list[str]
    labels: list[str]
    site: Indices
    operation: Indices
    translation: Indices
    bonds: Indices
    copies: float = 0.0
    places: float = 0.0
    charge: int = 0
    multiplicity: int = 1
    charge_source: str = "guessed"
    is_spin_declared: bool = False
    caps: list[Cap] = field(default_factory=list)

    @property
    def formula(self) -> str:
        """Formula in Hill order."""
        counts = Counter(self.symbols)
        return "".join(e + (str(counts[e]) if counts[e] > 1 else "") for e in hill_order(sorted(counts)))

    @property
    def name(self) -> str:
        """Number and formula, as shown in logs and reports."""
        return f"{self.number}: {self.formula}"

    def fract(self, structure: Structure, sites: Array | None = None) -> Array:
        """Fractional coordinates (n, 3), caps last; sites: newer ones of the asymmetric unit than the structure's own."""
        known = structure.sites.fract if sites is None else sites
        group = structure.space_group
        rotated = np.einsum("nij,nj->ni", group.rotations[self.operation].astype(float), known[self.site])
        atoms = rotated + group.translations[self.operation] + self.translation
        if not self.caps:
            return atoms
        ends = []
        for cap in self.caps:
            outside = group.rotations[cap.operation] @ known[cap.site] + group.translations[cap.operation]
            along = structure.cell.to_cartesian(outside + cap.translation - atoms[cap.anchor])
            step = along * (cap.length / np.linalg.norm(along))
            ends.append(atoms[cap.anchor] + structure.cell.to_fractional(step))
        return np.concatenate([atoms, ends])


@dataclass(frozen=True)
class Source:
    """Where one share of a site's form factor comes from; the weights of a site add up to 1."""

    molecule: int
    atom: int
    weight: float


@dataclass
class Plan:
    """What is to be computed: molecules, and for every site the molecules that give its form factors.

    spherical: sites that keep the form factor of a free atom. notes: what the user should know; doubts: what may be wrong.
    """

    molecules: list[Molecule]
    sources: dict[int, list[Source]]
    spherical: list[int]
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def plan(structure: Structure, spherical: set[int] | None = None) -> Plan:
    """Molecules of all conformers, equal ones once.

    spherical: sites to leave out of the table (they are part of their molecule all the same). Raises
    UserInputError for atoms that overlap, and for networks that have no molecules.
    """
    notes: list[str] = []
    found: dict[frozenset[tuple[int, ...]], Molecule] = {}
    shares: dict[int, dict[tuple[int, int], float]] = {}
    incomplete: set[int] = set()
    conformers = _conformers(structure, incomplete, notes)
    whole = sum(weight for weight, _ in conformers)
    lone: dict[int, str] = {}
    for weight, atoms in conformers:
        for molecule in _molecules(structure, atoms):
            if len(molecule.symbols) == 1 and molecule.symbols[0] in _NEVER_ALONE:
                lone[int(molecule.site[0])] = molecule.labels[0]
                continue
            key = _key(molecule)
            known = found.setdefault(key, molecule)
            known.copies += molecule.places * weight / whole
            for site, atom in chosen_images(structure, known):
                place = shares.setdefault(site, {})
                name = (known.number, atom)
                place[name] = place.get(name, 0.0) + weight
    doubts = _doubts(lone, only=not found)
    molecules = _renumbered(list(found.values()), shares)
    sources = _sources(shares, (spherical or set()) | incomplete | lone.keys())
    every = set(np.flatnonzero(structure.sites.is_atom).tolist())
    return Plan(molecules, sources, sorted(every - sources.keys()), notes, doubts)


def _sources(shares: dict[int, dict[tuple[int, int], float]], apart: set[int]) -> dict[int, list[Source]]:
    """Where the form factors of each site come from, but for sites in `apart`; its weights add up to 1."""
    sources = {}
    for site, parts in shares.items():
        if site not in apart:
            total = sum(parts.values())
            sources[site] = [Source(m - 1, atom, w / total) for (m, atom), w in sorted(parts.items())]
    return sources


def _doubts(lone: dict[int, str], *, only: bool) -> list[str]:
    """What to say of atoms that stand alone (site -> label). Raises UserInputError where there are only such atoms."""
    if not lone:
        return []
    if only:
        raise UserInputError(
            f"the structure has nothing but single atoms that do not occur alone: {listed(sorted(lone.values()), 12)}.",
            why="Their hydrogen atoms are missing, or the positions are those of another cell.",
            next="Add hydrogen atoms: missing_hydrogens='place'; or check the cell and the space group.",
        )
    return [
        f"{listed(sorted(lone.values()), 12)}: no other atom is bonded, so hydrogen atoms are missing. Spherical form factors are kept; "
        "missing_hydrogens='place' adds what the data show."
    ]


def _conformers(structure: Structure, incomplete: set[int], notes: list[str]) -> list[tuple[float, Atoms]]:
    """Weights and atoms of the conformers. Sites of a minor part that is no molecule go into `incomplete`."""
    atoms = structure.atoms
    if atoms.polymeric:
        raise UserInputError(
            "this structure has chains, layers or a network without molecules.",
            why="A wavefunction is computed for a molecule.",
            next="Cut it into capped fragments: fragments='auto'.",
        )
    groups = groups_by_occupancy(structure.sites)
    count = max((len(names) for names in groups.values()), default=1)
    chosen = []
    for k in range(count):
        choice = {assembly: names[min(k, len(names) - 1)] for assembly, names in groups.items()}
        kept = structure.choose(atoms, choice) if groups else atoms
        weight = _weight(structure, groups, k)
        _refuse_absent(structure, groups, k, weight)
        chosen.append((weight, choice, kept))
    # The most occupied conformer says how many hydrogen atoms there should be.
    reference = _hydrogen_count(structure, chosen[0][2])
    result = []
    for k, (weight, choice, kept) in enumerate(chosen):
        if k and _hydrogen_count(structure, kept) < reference:
            rows = [
                row
                for assembly, group in choice.items()
                if k < len(groups[assembly])
                for row in np.flatnonzero(structure.sites.group == group).tolist()
                if structure.sites.assembly[row] == assembly
            ]
            incomplete.update(rows)
            labels = ", ".join(structure.sites.label[row] for row in rows)
            notes.append(
                f"The minor disorder part with {labels} lacks hydrogen atoms and is no molecule: its atoms keep "
                "spherical form factors. missing_hydrogens='place' adds them."
            )
        else:
            result.append((weight, kept))
    return result


def _weight(structure: Structure, groups: dict[str, list[int]], k: int) -> float:
    """Mean occupancy of the groups that make conformer k; 1 where there is no disorder."""
    sites = structure.sites
    occupancies = [
        float(np.nanmean(sites.occupancy[(sites.group == names[k]) & _in_assembly(structure, assembly)]))
        for assembly, names in groups.items()
        if k < len(names)
    ]
    return float(np.mean(occupancies)) if occupancies else 1.0


def _refuse_absent(structure: Structure, groups: dict[str, list[int]], k: int, weight: float) -> None:
    """Raises UserInputError for a part of a disorder whose occupancy is not positive: its wavefunction would count backwards."""
    if weight > 0:
        return
    sites = structure.sites
    labels = [
        sites.label[row]
        for assembly, names in groups.items()
        if k < len(names)
        for row in np.flatnonzero((sites.group == names[k]) & _in_assembly(structure, assembly))
    ]
    names = listed(labels, 12)
    raise UserInputError(
        f"the part of the disorder with {names} has an occupancy of {minus(f'{weight:.3g}')}.",
        where="_atom_site_occupancy",
        why="It is not in the crystal: with spherical atoms its occupancy refines to nothing.",
        next=f"Leave it out, for example edits='delete {labels[0]}'; or fix the occupancies: edits='occupancy {labels[0]} 0.2'.",
    )


def _in_assembly(structure: Structure, assembly: str) -> NDArray[np.bool_]:
    return np.array([name == assembly for name in structure.sites.assembly])


def _hydrogen_count(structure: Structure, atoms: Atoms) -> int:
    return int(structure.sites.is_hydrogen[atoms.site].sum())


def _molecules(structure: Structure, atoms: Atoms) -> list[Molecule]:
    fragments = atoms.fragments()
    bonds = atoms.bonds
    covered: set[int] = set()
    result = []
    for number in range(int(fragments.max(initial=-1)) + 1):
        rows = np.flatnonzero(fragments == number)
        sites = set(atoms.site[rows].tolist())
        if sites <= covered:
            continue
        covered |= sites
        place = np.full(len(atoms), -1)
        place[rows] = np.arange(len(rows))
        inside = bonds[(place[bonds] >= 0).all(axis=1)] if len(bonds) else np.zeros((0, 2), np.int64)
        molecule = Molecule(
            number=0,
            symbols=["H" if e == "D" else e for e in (atoms.element[row] for row in rows)],
            labels=[atoms.label[row] for row in rows],
            site=atoms.site[rows],
            operation=atoms.operation[rows],
            translation=atoms.translation[rows],
            bonds=place[inside],
        )
        molecule.places = _places(structure, molecule)
        refuse_overlap(structure, molecule)
        result.append(molecule)
    return result


def _places(structure: Structure, molecule: Molecule) -> float:
    """How many of a molecule the unit cell holds where it is there in every cell; less for partly filled sites."""
    ordered = [site for site in molecule.site.tolist() if structure.sites.group[site] == 0]
    first = ordered[0] if ordered else int(molecule.site[0])
    filled = float(structure.sites.occupancy[first]) if ordered else 1.0
    images = int((molecule.site == first).sum())
    return float(structure.images.symmetry.multiplicity[first]) * filled / images


def refuse_overlap(structure: Structure, molecule: Molecule) -> None:
    """Raises UserInputError if two atoms, not counting caps, are closer to each other than any bond length."""
    positions = structure.cell.to_cartesian(molecule.fract(structure)[: len(molecule.site)])
    distance = np.linalg.norm(positions[:, None] - positions, axis=2)
    distance[np.diag_indices_from(distance)] = np.inf
    if len(positions) > 1 and distance.min() < 0.55:
        i, j = np.unravel_index(int(distance.argmin()), distance.shape)
        rows = [int(molecule.site[atom]) for atom in (i, j)]
        elements, filled = (
            [column[row] for row in rows] for column in (structure.sites.element, structure.sites.occupancy)
        )
        if (
            distance.min() < _SAME_SITE
            and rows[0] != rows[1]
            and elements[0] == elements[1]
            and min(filled) > 0.95
        ):
            first, copy = (structure.sites.label[row] for row in sorted(rows))
            raise UserInputError(
                f"{copy} stands where {first} is brought by symmetry.",
                why="The file lists whole molecules, atoms that symmetry makes among them, and each would be there twice.",
                next=f"Delete the copies, for example edits='delete {copy}'.",
            )
        raise UserInputError(
            f"{molecule.labels[i]} and {molecule.labels[j]} are {distance[i, j]:.2f} Å apart.",
            why="They overlap, so they are alternatives of a disorder or one site shared by two elements.",
            next="Give them disorder groups, for example edits='part 1 A C7A; part 2 A C7B', or keep them "
            "spherical.",
        )


def _key(molecule: Molecule) -> frozenset[tuple[int, ...]]:
    return frozenset(
        (int(s), int(o), *map(int, t))
        for s, o, t in zip(molecule.site, molecule.operation, molecule.translation, strict=True)
    )


def chosen_images(structure: Structure, molecule: Molecule) -> list[tuple[int, int]]:
    """One atom of the molecule for each of its sites: the site in its own place where it is there."""
    own = structure.images.is_own_place(molecule.site, molecule.operation, molecule.translation)
    chosen: dict[int, int] = {}
    for atom in np.argsort(~own, kind="stable").tolist():
        chosen.setdefault(int(molecule.site[atom]), atom)
    # The number doubles as a name while the plan is made.
    if not molecule.number:
        molecule.number = id(molecule)
    return sorted(chosen.items())


def _renumbered(molecules: list[Molecule], shares: dict[int, dict[tuple[int, int], float]]) -> list[Molecule]:
    """Largest first; numbers from 1, in the shares as well."""
    molecules.sort(key=lambda m: (-len(m.symbols), m.formula, min(m.site.tolist())))
    new = {}
    for number, molecule in enumerate(molecules, start=1):
        new[molecule.number] = number
        molecule.number = number
    for site, parts in shares.items():
        shares[site] = {(new[old], atom): weight for (old, atom), weight in parts.items()}
    return molecules


def components(molecule: Molecule, without: set[int]) -> list[list[int]]:
    """Connected pieces of a molecule when some atoms are taken out, as atom numbers."""
    kept = [i for i in range(len(molecule.symbols)) if i not in without]
    place = {atom: row for row, atom in enumerate(kept)}
    pairs = np.array(
        [(place[i], place[j]) for i, j in molecule.bonds.tolist() if i in place and j in place],
        dtype=np.int64,
    ).reshape(-1, 2)
    label = connected_components(len(kept), pairs)
    return [[kept[row] for row in np.flatnonzero(label == n)] for n in range(int(label.max(initial=-1)) + 1)]
