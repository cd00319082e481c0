"""Form factors of all sites of a crystal: every molecule's wavefunction, gathered with the weights of the plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure.structure import Structure

from qcrbox_har.method import Accuracy, AtomicDensity, Charges, FormFactorRequest, Method, MoleculeInput
from qcrbox_har.molecules import Molecule, Plan
from qcrbox_har.processes import Child
from qcrbox_har.surroundings import Surroundings

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
OnProgress = Callable[[Molecule, dict[str, Any]], None]
Watch = Callable[[dict[str, Any]], None]
_EXACT = Accuracy()
# Å, r.m.s.: X-H distances of spherical atoms are nearer to those of a wavefunction.
_OTHER_GEOMETRY = 0.1


@dataclass
class Table:
    """Form factors of the sites that have a wavefunction.

    site (n,): rows of the asymmetric unit; hkl (k, 3); values (k, n). electrons, charges (s,), dipoles (s, 3) e Å:
    of every site in its own place, NaN where there is none. molecules: what each partition gave.
    """

    site: Indices
    hkl: Indices
    values: NDArray[np.complex128]
    electrons: Array
    charges: Array
    dipoles: Array
    molecules: list[AtomicDensity] = field(default_factory=list)

    def labels(self, structure: Structure) -> list[str]:
        """Labels of the sites, in the order of the table's columns."""
        return [structure.sites.label[row] for row in self.site]

    def doubts(self, plan: Plan) -> list[str]:
        """Wavefunction files whose molecule is not where that of the crystal is."""
        return [
            f"The molecule of the wavefunction file lies {result.apart:.2f} Å (r.m.s.) beside {molecule.name} in the crystal: the form factors "
            "are those of the geometry of the file. Compute it at the refined one."
            for molecule, result in zip(plan.molecules, self.molecules, strict=True)
            if result.apart > _OTHER_GEOMETRY
        ]


@dataclass(frozen=True)
class TableOptions:
    """What tables are made with.

    partition: of the density into atoms; grid: level of its quadrature; field_radius: Å, within which the neighbours'
    charges and dipoles of the round before act on each wavefunction, None for isolated molecules; wavefunction: a file
    that gives the density of the molecules of its formula.
    """

    partition: str = "hirshfeld"
    grid: int = 2
    field_radius: float | None = None
    wavefunction: str | None = None


@dataclass(eq=False)
class Computer:
    """Makes tables of one crystal, round after round. quantum: the process that computes them."""

    structure: Structure
    plan: Plan
    method: Method
    quantum: Child
    options: TableOptions = TableOptions()

    def __post_init__(self) -> None:
        structure, plan, options = self.structure, self.plan, self.options
        self.settings = {
            "partition": options.partition,
            "basis": self.method.basis if options.wavefunction is None else "def2-TZVP",
            "grid_level": options.grid,
        }
        self.given = self._given(options.wavefunction)
        self.neighbours: list[Surroundings] | None = None
        if options.field_radius is not None:
            self.neighbours = [Surroundings(structure, m, options.field_radius) for m in plan.molecules]
        count = len(structure.sites)
        self.charges, self.dipoles = np.zeros(count), np.zeros((count, 3))
        self.has_field = False

    @property
    def was_foreseen(self) -> bool:
        """Whether the cost estimate describes the calculation that is run."""
        return True

    @property
    def is_fixed(self) -> bool:
        """Whether every density comes from a file, so that a further round would give the same table."""
        return len(self.given) == len(self.plan.molecules)

    def _given(self, wavefunction: str | None) -> dict[int, str]:
        """Molecules (by number) whose density a file gives. Raises UserInputError when none has its formula."""
        if not wavefunction:
            return {}
        formula = self.quantum.call("qcrbox_har.quantum.task:formula_of_file", wavefunction)
        found = {m.number: wavefunction for m in self.plan.molecules if _counts(m.symbols) == formula}
        if not found:
            names = ", ".join(m.formula for m in self.plan.molecules)
            atoms = [element for element, count in formula.items() for _ in range(count)]
            raise UserInputError(
                "no molecule of the crystal has the atoms of the wavefunction file.",
                where="wavefunction",
                why=f"The file has {MoleculeInput(atoms, np.empty((len(atoms), 3))).formula}, the crystal {names}.",
                next="Give the file of one of these molecules with all its atoms.",
            )
        return found

    def inputs(self, sites: Array) -> list[MoleculeInput]:
        """Every molecule at the given fractional coordinates (s, 3), in the field of its neighbours if that is known."""
        made = []
        for number, molecule in enumerate(self.plan.molecules):
            positions = self.structure.cell.to_cartesian(molecule.fract(self.structure, sites))
            around: Charges | None = None
            if self.neighbours is not None and self.has_field:
                around = self.neighbours[number].at(sites, self.charges, self.dipoles)
            made.append(
                MoleculeInput(molecule.symbols, positions, molecule.charge, molecule.multiplicity, around)
            )
        return made

    def table(
        self,
        sites: Array,
        hkl: Indices,
        *,
        accuracy: Accuracy = _EXACT,
        progress: OnProgress | None = None,
    ) -> Table:
        """Wavefunctions at these sites and their form factors. accuracy: less than asked for, in early rounds."""
        method, settings = accuracy.method(self.method), accuracy.settings(self.settings)
        fractional = self.structure.cell.fractionalisation
        rows = np.array(sorted(self.plan.sources), dtype=np.int64)
        column = {int(site): i for i, site in enumerate(rows)}
        values = np.zeros((len(hkl), len(rows)), dtype=np.complex128)
        count = len(self.structure.sites)
        electrons, charges, dipoles = np.zeros(count), np.zeros(count), np.zeros((count, 3))
        results = []
        for number, (molecule, given) in enumerate(zip(self.plan.molecules, self.inputs(sites), strict=True)):
            uses = [
                (site, source)
                for site, sources in self.plan.sources.items()
                for source in sources
                if source.molecule == number
            ]
            wanted = [(source.atom, self._rotation(molecule, source.atom)) for _, source in uses]
            watch = None if progress is None else lambda state, m=molecule: progress(m, state)
            request = FormFactorRequest(settings, wanted, fractional, hkl, is_fragment=bool(molecule.caps))
            factors, result = self.atoms_of(molecule, given, method, request, watch)
            results.append(result)
            for row, (site, source) in enumerate(uses):
                values[:, column[site]] += source.weight * factors[row]
                electrons[site] += source.weight * result.electrons[source.atom]
                charges[site] += source.weight * result.charges[source.atom]
                back = self._cartesian_rotation(molecule, source.atom).T
                dipoles[site] += source.weight * (back @ result.dipoles[source.atom])
        self.charges, self.dipoles, self.has_field = charges, dipoles, True
        return Table(rows, hkl, values, electrons, charges, dipoles, results)

    def atoms_of(
        self,
        molecule: Molecule,
        given: MoleculeInput,
        method: Method,
        request: FormFactorRequest,
        watch: Watch | None,
    ) -> tuple[NDArray[np.complex128], AtomicDensity]:
        """Form factors of the atoms wanted (n, k) and what the partition says, from the density of one molecule."""
        file = self.given.get(molecule.number)
        return self.quantum.call(
            f"qcrbox_har.quantum.task:{'molecule_density' if file is None else 'given_density'}",
            molecule.number,
            given,
            method if file is None else file,
            request,
            progress=watch,
        )

    def deformation(
        self, molecule: Molecule, given: MoleculeInput, atoms: list[int] | None, points: Array
    ) -> Array:
        """Density of a molecule less that of its free atoms, e/Å³, at points (m, 3) in Å, after its form factors.

        atoms: those whose Hirshfeld share it is, None for all.
        """
        file = self.given.get(molecule.number)
        if file is None:
            name, arguments = "deformation_density", (molecule.number, self.method.basis, points, atoms)
        else:
            name, arguments = "given_deformation", (file, given, self.settings["basis"], points)
        return self.quantum.call(f"qcrbox_har.quantum.task:{name}", *arguments)

    def _rotation(self, molecule: Molecule, atom: int) -> Indices:
        return self.structure.space_group.rotations[molecule.operation[atom]]

    def _cartesian_rotation(self, molecule: Molecule, atom: int) -> Array:
        cell = self.structure.cell
        return cell.orthogonalisation @ self._rotation(molecule, atom) @ cell.fractionalisation


def _counts(symbols: list[str]) -> dict[str, int]:
    return {symbol: symbols.count(symbol) for symbol in sorted(set(symbols))}
