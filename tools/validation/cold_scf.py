"""One self-consistent field as PySCF runs it by itself: the measure beside which a whole refinement is put."""

from __future__ import annotations

import time
from typing import Any

from qcrbox_har.method import Method, MoleculeInput
from qcrbox_har.quantum import scf


def run(molecule: MoleculeInput, method: Method) -> dict[str, Any]:
    """Seconds of wall clock and of processors, and cycles, from superposed atoms to convergence.

    No grid is coarser and no tolerance wider than the last round of a refinement has; PySCF's own tolerance is 1e-9.
    """
    started, processor = time.perf_counter(), time.process_time()
    field = scf.mean_field(scf.build_molecule(molecule, method), method, molecule.surroundings)
    field.conv_check = True  # PySCF's default
    field.conv_tol, field.conv_tol_grad = min(method.conv_tol, 1e-7), 3e-4
    field.kernel()
    return {
        "seconds": time.perf_counter() - started,
        "processor_s": time.process_time() - processor,
        "cycles": int(field.cycles),
        "converged": bool(field.converged),
    }


def run_by_product(molecule: MoleculeInput, method: Method) -> dict[str, Any]:
    """The same as the product converges a field that it has no density for."""
    started, processor = time.perf_counter(), time.process_time()
    found = scf.run(molecule, method)
    return {
        "seconds": time.perf_counter() - started,
        "processor_s": time.process_time() - processor,
        "cycles": found.iterations,
        "converged": found.converged,
    }
