"""Form factors of a crystal from the density of its whole unit cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qcrbox.crystallography.structure.structure import Structure

from qcrbox_har.form_factors import Computer, TableOptions, Watch
from qcrbox_har.method import AtomicDensity, FormFactorRequest, Method, MoleculeInput
from qcrbox_har.molecules import Molecule, Plan
from qcrbox_har.periodic import crystal
from qcrbox_har.periodic.program import GpawProgram
from qcrbox_har.processes import Child

Array = NDArray[np.float64]
# Where GPAW leaves a density for the wavefunction program, in the working directory.
_FILE = "periodic.npz"


class PeriodicComputer(Computer):
    """As its base, with GPAW in the place of PySCF's wavefunctions. The only molecule is the unit cell."""

    def __init__(
        self,
        structure: Structure,
        plan: Plan,
        method: Method,
        quantum: Child,
        options: TableOptions,
        gpaw: GpawProgram,
    ) -> None:
        super().__init__(structure, plan, method, quantum, options)
        self.gpaw = gpaw
        self._file = str(Path(_FILE).resolve())

    def atoms_of(
        self,
        molecule: Molecule,
        given: MoleculeInput,
        method: Method,
        request: FormFactorRequest,
        watch: Watch | None,
    ) -> tuple[NDArray[np.complex128], AtomicDensity]:
        """Form factors of the atoms wanted (n, k), and electrons and charges of all atoms of the cell."""
        asked = crystal.request(self.structure, molecule, method, given.positions) | {"file": self._file}

        def progress(iteration: int, energy: float) -> None:
            if watch is not None:
                watch({"stage": "scf", "iteration": iteration, "energy": energy})

        found = self.gpaw.density(asked, progress)
        factors, result = self.quantum.call(
            "qcrbox_har.quantum.periodic:atoms", self._file, given, self._cell, molecule.site, request, progress=watch
        )  # fmt: skip
        result.energy, result.iterations = found["energy"], found["iterations"]
        result.seconds |= {"scf": found["seconds"], "gpaw_processor": found["processor_seconds"]}
        return factors, result

    def deformation(
        self, molecule: Molecule, given: MoleculeInput, atoms: list[int] | None, points: Array
    ) -> Array:
        """Density of the crystal less that of GPAW's free atoms, e/Å³, at points (m, 3) in Å, after its form factors."""
        arguments: tuple[Any, ...] = (self._file, given, self._cell, points)
        return self.quantum.call("qcrbox_har.quantum.periodic:deformation", *arguments)

    @property
    def _cell(self) -> Array:
        """Axes as rows, Å."""
        return self.structure.cell.orthogonalisation.T
