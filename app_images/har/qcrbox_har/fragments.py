"""Molecules too large for one wavefunction, and chains, layers and networks: overlapping fragments with capped ends.

The atoms of the asymmetric unit are shared among cores of some connected atoms. A fragment is a core and everything
within a few bonds of it, so that its atoms see their whole surroundings; only form factors of the core are taken from it.
Single bonds at its edge end in hydrogen, dative bonds to metals beyond it are left open.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure.disorder import choose
from qcrbox.crystallography.structure.elements import covalent_radius, is_metal
from qcrbox.crystallography.structure.structure import Structure

from qcrbox_har.molecules import Cap, Molecule, Plan, Source, refuse_overlap
from qcrbox_har.neutron import mean_distance

Indices = NDArray[np.int64]
Image = tuple[int, int, tuple[int, int, int]]  # site, operation, translation

CORE_ATOMS = 6  # heavier than hydrogen
SMALLEST_CORE = 2  # as many or fewer belong to a neighbouring core
# Bonds around the core. Fragments of a large molecule are to be cheaper than the whole; chains, layers and networks have no whole.
DEPTH_IN_MOLECULES, DEPTH_IN_NETWORKS = 2, 3
LARGE = 100  # atoms from which `auto` takes fragments
_MOST_ATOMS = 120
# A bond this much shorter than the sum of covalent radii has double-bond character and is not cut.
_SINGLE = {frozenset("C"): 1.44, frozenset("CN"): 1.43, frozenset("CO"): 1.40, frozenset("CS"): 1.78}


@dataclass
class _Bonded:
    """The crystal as an infinite graph of atom images."""

    structure: Structure
    kept: NDArray[np.bool_]

    def own(self, site: int) -> Image:
        operation, translation = self.structure.images.own_place(np.array([site]))
        return site, int(operation[0]), _three(translation[0])

    def neighbours(self, image: Image) -> list[Image]:
        images, edges = self.structure.images, self.structure.edges
        rows = edges.of(image[0])
        if not len(rows):
            return []
        span = slice(rows.start, rows.stop)
        count = len(rows)
        operation, translation = images.compose(
            np.full(count, image[1]),
            np.tile(np.array(image[2], dtype=np.int64), (count, 1)),
            edges.operation[span],
            edges.translation[span],
        )
        second = edges.second[span]
        operation, translation = images.canonical(second, operation, translation)
        found = {
            (int(s), int(o), _three(t))
            for s, o, t in zip(second, operation, translation, strict=True)
            if self.kept[s]
        }
        return sorted(found)

    def element(self, image: Image) -> str:
        element = self.structure.sites.element[image[0]]
        return "H" if element == "D" else element

    def place(self, image: Image) -> NDArray[np.float64]:
        images = self.structure.images
        made = images.make([image[0]], [image[1]], np.array([image[2]]))
        return made.cartesian[0]


def plan(structure: Structure, spherical: set[int] | None = None, depth: int | None = None) -> Plan:
    """Fragments of a crystal, one for each core. Minor parts of a disorder keep spherical form factors.

    spherical: sites without a form factor of their own; metals among them are left out of the fragments, so that these
    end at the metal. depth: bonds around a core, None for what suits molecules or networks. Raises UserInputError for atoms that
    overlap, and when a fragment cannot be closed within a reasonable size.
    """
    sites = structure.sites
    if depth is None:
        depth = DEPTH_IN_NETWORKS if structure.atoms.polymeric else DEPTH_IN_MOLECULES
    kept = choose(sites, "major") & sites.is_atom
    apart = spherical or set()
    kept[[site for site in apart if is_metal(sites.element[site])]] = False
    graph = _Bonded(structure, kept)
    fragments: list[Molecule] = []
    sources: dict[int, list[Source]] = {}
    cores = [core for core in _cores(graph) if any(image[0] not in apart for image in core)]
    for number, core in enumerate(cores, start=1):
        atoms = _grown(graph, core, depth)
        molecule = _molecule(graph, number, atoms)
        refuse_overlap(structure, molecule)
        fragments.append(molecule)
        place = {image: i for i, image in enumerate(atoms)}
        for image in core:
            if image[0] not in apart:
                sources[image[0]] = [Source(number - 1, place[image], 1.0)]
    every = set(np.flatnonzero(sites.is_atom).tolist())
    largest = max((len(m.symbols) for m in fragments), default=0)
    notes = [f"{len(fragments)} overlapping fragments of up to {largest} atoms."]
    left = sorted(every - sources.keys())
    return Plan(fragments, sources, left, notes)


def _cores(graph: _Bonded) -> list[list[Image]]:
    """Groups of connected atoms of the asymmetric unit in their own places, hydrogen with the atom it is bonded to."""
    sites = graph.structure.sites
    heavy = [i for i in np.flatnonzero(graph.kept).tolist() if graph.element(graph.own(i)) != "H"]
    left, cores, hydrogen_left = set(heavy), [], set(np.flatnonzero(graph.kept & sites.is_hydrogen).tolist())
    for start in heavy:
        if start not in left:
            continue
        core, queue = [], deque([start])
        left.discard(start)
        while queue and len(core) < CORE_ATOMS:
            own = graph.own(queue.popleft())
            core.append(own)
            for other in graph.neighbours(own):
                if other[0] in left and other == graph.own(other[0]):
                    left.discard(other[0])
                    queue.append(other[0])
        left.update(queue)
        core += _remainders(graph, core, left)
        for own in list(core):
            for other in graph.neighbours(own):
                if other[0] in hydrogen_left and graph.element(other) == "H":
                    # On a special position it may be an image; any image of it serves.
                    hydrogen_left.discard(other[0])
                    core.append(other)
        cores.append(core)
    return cores


def _remainders(graph: _Bonded, core: list[Image], left: set[int]) -> list[Image]:
    """Groups of at most SMALLEST_CORE heavy atoms that are bonded to nothing else that is left; taken out of `left`.

    A carbonyl oxygen whose carbon is the last of a core would make a fragment of its own, as large as three bonds around
    it are.
    """
    found: list[Image] = []
    for image in core:
        for start in graph.neighbours(image):
            group, queue = [], [start]
            while queue and len(group) <= SMALLEST_CORE:
                own = queue.pop()
                if own[0] in left and own == graph.own(own[0]) and own not in group:
                    group.append(own)
                    queue += graph.neighbours(own)
            if len(group) <= SMALLEST_CORE:
                left.difference_update(own[0] for own in group)
                found += group
    return found


def _grown(graph: _Bonded, core: list[Image], depth: int) -> list[Image]:
    """The core and its surroundings, closed so that every bond at the edge may be cut."""
    inside = dict.fromkeys(core)
    edge = list(core)
    for _ in range(depth):
        edge = [n for image in edge for n in graph.neighbours(image) if n not in inside]
        inside |= dict.fromkeys(edge)
    while True:
        more = {
            other
            for image in inside
            for other in graph.neighbours(image)
            if other not in inside and not _may_cut(graph, image, other)
        }
        if not more:
            return list(inside)
        inside |= dict.fromkeys(sorted(more))
        if len(inside) > _MOST_ATOMS:
            _refuse_endless(graph, core, {graph.element(image) for image in inside})


def _refuse_endless(graph: _Bonded, core: list[Image], elements: set[str]) -> NoReturn:
    labels = ", ".join(graph.structure.sites.label[image[0]] for image in core[:4])
    metals = sorted(element for element in elements if is_metal(element))
    program = (
        "density='periodic' where GPAW is installed, or a table of another periodic program and refine_tsc"
    )
    raise UserInputError(
        f"the fragment around {labels} cannot be closed below {_MOST_ATOMS} atoms.",
        why="Its bonds are all short or of metals, so none may be cut.",
        next=f"Keep the metals spherical: spherical='{' '.join(metals)}'; or use {program}."
        if metals
        else f"Use {program}.",
    )


def _may_cut(graph: _Bonded, inner: Image, outer: Image) -> bool:
    """A single bond between two atoms that are neither hydrogen nor, inside, a metal."""
    a, b = graph.element(inner), graph.element(outer)
    if b == "H" or is_metal(a):
        return False
    if is_metal(b):
        return True
    if a == "H":
        return True
    length = float(np.linalg.norm(graph.place(inner) - graph.place(outer)))
    return length >= _SINGLE.get(frozenset((a, b)), 0.95 * (covalent_radius(a) + covalent_radius(b)))


def _molecule(graph: _Bonded, number: int, atoms: list[Image]) -> Molecule:
    place = {image: i for i, image in enumerate(atoms)}
    symbols = [graph.element(image) for image in atoms]
    bonds, caps = [], []
    for i, image in enumerate(atoms):
        for other in graph.neighbours(image):
            if other in place:
                if place[other] > i:
                    bonds.append((i, place[other]))
            elif symbols[i] != "H" and not is_metal(graph.element(other)):
                caps.append(Cap(i, *other, mean_distance(symbols[i], 3 if symbols[i] == "C" else 1)))
    bonds += [(cap.anchor, len(atoms) + k) for k, cap in enumerate(caps)]
    return Molecule(
        number=number,
        symbols=[*symbols, *["H"] * len(caps)],
        labels=[graph.structure.sites.label[image[0]] for image in atoms],
        site=np.array([image[0] for image in atoms]),
        operation=np.array([image[1] for image in atoms]),
        translation=np.array([image[2] for image in atoms]),
        bonds=np.array(bonds, dtype=np.int64).reshape(-1, 2),
        caps=caps,
        copies=0.0,  # fragments overlap: their charges do not add up to the cell's
    )


def _three(row: Indices) -> tuple[int, int, int]:
    x, y, z = (int(value) for value in row)
    return x, y, z
