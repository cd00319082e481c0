"""Form factors of a crystal from the density of its whole unit cell."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qcrbox.contract.progress import say

from qcrbox_har.form_factors import Computer, Watch
from qcrbox_har.method import AtomicDensity, FormFactorRequest, Method, MoleculeInput
from qcrbox_har.molecules import Molecule
from qcrbox_har.periodic import crystal
from qcrbox_har.periodic.program import GpawProgram

Array = NDArray[np.float64]
# Where GPAW leaves a density for the wavefunction program, in the working directory.
_FILE = "periodic.npz"
# Share of a band that is filled where the others are full: more than the smearing of GPAW does across the gap of an insulator.
_PARTLY = 0.02


@dataclass(eq=False)
class PeriodicComputer(Computer):
    """As its base, with GPAW in the place of PySCF's wavefunctions. The only molecule is the unit cell."""

    gpaw: GpawProgram = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._file = str(Path(_FILE).resolve())
        self._conducts = crystal.is_metallic(self.plan.molecules[0].symbols)

    @property
    def was_foreseen(self) -> bool:
        """Whether the k points are those of the estimate."""
        return self._conducts == crystal.is_metallic(self.plan.molecules[0].symbols)

    def atoms_of(
        self,
        molecule: Molecule,
        given: MoleculeInput,
        method: Method,
        request: FormFactorRequest,
        watch: Watch | None,
    ) -> tuple[NDArray[np.complex128], AtomicDensity]:
        """Form factors of the atoms wanted (n, k), and electrons and charges of all atoms of the cell.

        Where bands turn out to be partly filled, the density is computed again with the k points of a conductor. Raises UserInputError
        where that may be due to unpaired electrons that were not declared.
        """

        def progress(iteration: int, energy: float) -> None:
            if watch is not None:
                watch({"stage": "scf", "iteration": iteration, "energy": energy})

        asked = self._asked(molecule, method, given)
        found = self.gpaw.density(asked, progress)
        iterations, seconds = found["iterations"], found["seconds"]
        if not self._conducts and found["partly_filled"] > _PARTLY:
            crystal.refuse_undeclared_spin(molecule)
            self._conducts = True
            before, asked = asked["kpoints"], self._asked(molecule, method, given)
            say(
                f"Bands are partly filled: {crystal.mesh_in_words(asked['kpoints'])} k points instead of {crystal.mesh_in_words(before)}."
            )
            found = self.gpaw.density(asked, progress)
            iterations, seconds = iterations + found["iterations"], seconds + found["seconds"]
        factors, result = self.quantum.call(
            "qcrbox_har.quantum.periodic:atoms", self._file, given, self._cell, molecule.site, request, progress=watch
        )  # fmt: skip
        result.energy, result.iterations = found["energy"], iterations
        result.kpoints = tuple(asked["kpoints"])
        result.seconds |= {"scf": seconds, "gpaw_processor": found["processor_seconds"]}
        return factors, result

    def deformation(
        self, molecule: Molecule, given: MoleculeInput, atoms: list[int] | None, points: Array
    ) -> Array:
        """Density of the crystal less that of GPAW's free atoms, e/Å³, at points (m, 3) in Å, after its form factors."""
        arguments: tuple[Any, ...] = (self._file, given, self._cell, points)
        return self.quantum.call("qcrbox_har.quantum.periodic:deformation", *arguments)

    def _asked(self, molecule: Molecule, method: Method, given: MoleculeInput) -> dict[str, Any]:
        mesh = crystal.kpoints(self.structure, conducts=self._conducts)
        asked = crystal.request(self.structure, molecule, method, given.positions, mesh)
        return asked | {"file": self._file}

    @property
    def _cell(self) -> Array:
        """Axes as rows, Å."""
        return self.structure.cell.orthogonalisation.T
