"""One Hirshfeld atom refinement: `python -m tools.validation.hirshfeld_one cif hkl '{"functional": …}'`; prints JSON.

Times are of the machine as it is, so the one that counts is a ratio, in seconds of processors: the whole refinement beside
one self-consistent field of each of its molecules at the same level from scratch, in the same run.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HAR = ROOT / "app_images" / "har"
sys.path.insert(0, str(HAR))
# An installed application has compiled its modules; without their byte code a start takes three times as long.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# The child that computes the fields finds this package too.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))

from qcrbox.contract.errors import QcError  # noqa: E402
from qcrbox_har import comparison, planning  # noqa: E402
from qcrbox_har.loop import LEAST_SQUARES, QUANTUM, Refinement  # noqa: E402
from qcrbox_har.loop_state import Progress  # noqa: E402
from qcrbox_har.options import Options  # noqa: E402
from qcrbox_har.processes import Child  # noqa: E402

_NONE: dict[str, Any] = {"seconds": None, "processor_s": None, "cycles": None}


def refine(cif: Path, hkl: Path | None, settings: dict[str, Any]) -> dict[str, Any]:
    """Figures of the refinement and of the spherical atoms it began from."""
    own = {
        name: settings.pop(name) for name in ("edits", "hydrogens_before", "weighting") if name in settings
    }
    least_squares = {
        "edits": own.get("edits", ""),
        "hydrogens": own.get("hydrogens_before", "keep"),
        "weighting": own.get("weighting", "optimise"),
    }
    with (
        Child(QUANTUM) as quantum,
        Child(LEAST_SQUARES) as engine,
        Refinement(Options(**settings), least_squares, quantum, engine) as refinement,
    ):
        started, processor = time.perf_counter(), time.process_time()
        state = refinement.run(str(cif), str(hkl) if hkl else None)
        seconds = time.perf_counter() - started
        processor = time.process_time() - processor
        processor += sum(child.call("qcrbox_har.child:processor_seconds") for child in (quantum, engine))
        processor += max(result.seconds.get("gpaw_processor", 0.0) for result in state.table.molecules)
        files = {"cif": "har.cif", "res": "har.res", "fcf": "har.fcf", "peaks": "peaks.json"}
        har = engine.call("qcrbox_har.refine_side:finish", files)
        memory = max(quantum.peak_bytes, engine.peak_bytes)
        electrons = max(
            abs(result.total_electrons - _electrons(molecule))
            for molecule, result in zip(state.plan.molecules, state.table.molecules, strict=True)
        )
        forward = _forward(refinement, state)
        is_periodic = state.method.is_periodic
        sizes = [
            quantum.call("qcrbox_har.quantum.task:size", given, state.method)
            for given in ([] if is_periodic else refinement.computer.inputs(refinement.sites))
        ]
    plan = planning.with_bonds(state)
    compared = comparison.compare(Path("iam.cif"), Path("har.cif"), state.iam, har, plan)
    # PySCF has no field of the same kind to set beside a periodic one.
    cold = _NONE if is_periodic else _cold(refinement)
    own = _NONE if is_periodic else _cold(refinement, "tools.validation.cold_scf:run_by_product")
    return {
        "method": state.method.level,
        "atoms": max(len(m.symbols) for m in state.plan.molecules),
        "iam": state.iam,
        "har": har,
        "mean_deviation": compared["mean_deviation"],
        "hydrogen": compared["hydrogen"],
        "similarity": compared["displacements"]["similarity_index"],
        "estimated_seconds": refinement.cost.seconds if refinement.cost else None,
        "load": os.getloadavg()[0],
        "processors": os.cpu_count(),
        "rounds": len(state.rounds),
        "scf_iterations": state.scf_iterations,
        "converged": state.converged,
        "seconds": seconds,
        "cold_seconds": cold["seconds"],
        "cold_iterations": cold["cycles"],
        "processor_s": processor,
        "cold_processor_s": cold["processor_s"],
        "cold_by_product_s": own["processor_s"],
        "sizes": sizes,
        "molecules": len(state.plan.molecules),
        "fourier_seconds": max(
            result.seconds.get("fourier_processor", 0.0) for result in state.table.molecules
        ),
        "hkl": len(state.table.hkl),
        "rounds_moved": [done.moved["ratio"] for done in state.rounds],
        "step_seconds": min(done.seconds["one step"] for done in state.rounds),
        "memory": memory,
        "electrons_off": electrons,
        "forward_off": forward,
    }


def _electrons(molecule: Any) -> int:
    from qcrbox_har.charges import electron_count

    return electron_count(molecule)


def _forward(refinement: Refinement, state: Progress) -> float:
    """Largest difference between f(000) and the electrons of an atom."""
    import numpy as np

    table = refinement.computer.table(refinement.sites, np.array([(0, 0, 0), (1, 0, 0)]))
    return float(np.abs(table.values[0].real - table.electrons[table.site]).max())


def _cold(refinement: Refinement, function: str = "tools.validation.cold_scf:run") -> dict[str, float]:
    """One field of each molecule from scratch, in a separate process: sums over the molecules."""
    computer = refinement.computer
    with Child(QUANTUM) as fresh:
        fresh.call("qcrbox_har.quantum.task:speed")  # libraries are loaded
        found = [fresh.call(function, given, computer.method) for given in computer.inputs(refinement.sites)]
    return {name: sum(part[name] for part in found) for name in ("seconds", "processor_s", "cycles")}


def main(arguments: list[str]) -> int:
    cif, hkl = Path(arguments[0]), Path(arguments[1]) if arguments[1] else None
    settings = json.loads(arguments[2])
    row: dict[str, Any]
    with tempfile.TemporaryDirectory() as folder, chdir(folder), redirect_stdout(sys.stderr):
        try:
            row = refine(cif, hkl, settings)
        except QcError as error:
            row = {"refused": error.message}
    sys.stdout.write(json.dumps(row, default=str) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
