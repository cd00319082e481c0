"""One Hirshfeld atom refinement: `python -m tools.validation.hirshfeld_one cif hkl '{"functional": …}'`; prints JSON.

Times are wall-clock on the machine as it is, so the one that counts is a ratio: the whole refinement beside one
self-consistent field of the largest molecule at the same level from scratch, in the same run.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import Any

HAR = Path(__file__).resolve().parents[2] / "app_images" / "har"
sys.path.insert(0, str(HAR))

from qcrbox.contract.errors import QcError  # noqa: E402
from qcrbox_har import comparison  # noqa: E402
from qcrbox_har.loop import LEAST_SQUARES, QUANTUM, Refinement  # noqa: E402
from qcrbox_har.loop_state import Progress  # noqa: E402
from qcrbox_har.options import Options  # noqa: E402
from qcrbox_har.processes import Child  # noqa: E402

_IDENTITY = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


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
    with Child(QUANTUM) as quantum, Child(LEAST_SQUARES) as engine:
        refinement = Refinement(Options(**settings), least_squares, quantum, engine)
        started = time.perf_counter()
        state = refinement.run(str(cif), str(hkl) if hkl else None)
        seconds = time.perf_counter() - started
        files = {"cif": "har.cif", "res": "har.res", "fcf": "har.fcf", "peaks": "peaks.json"}
        har = engine.call("qcrbox_har.refine_side:finish", files)
        memory = max(quantum.peak_bytes, engine.peak_bytes)
        electrons = max(
            abs(result.total_electrons - _electrons(molecule))
            for molecule, result in zip(state.plan.molecules, state.table.molecules, strict=True)
        )
        forward = _forward(refinement, state)
    compared = comparison.compare(Path("iam.cif"), Path("har.cif"), state.iam, har, state.plan)
    cold = _cold(refinement)
    return {
        "level": state.method.level,
        "atoms": max(len(m.symbols) for m in state.plan.molecules),
        "iam": state.iam,
        "har": har,
        "mean_deviation": compared["mean_deviation"],
        "rounds": len(state.rounds),
        "scf_iterations": state.scf_iterations,
        "converged": state.converged,
        "seconds": seconds,
        "cold_seconds": cold["seconds"],
        "cold_iterations": cold["iterations"],
        "step_seconds": min(done.seconds["least squares"] for done in state.rounds),
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


def _cold(refinement: Refinement) -> dict[str, float]:
    """One field of the largest molecule from scratch, in a separate process."""
    import numpy as np

    computer = refinement.computer
    given = computer.inputs(refinement.sites)[0]
    with Child(QUANTUM) as fresh:
        fresh.call("qcrbox_har.quantum.task:speed")
        _, result = fresh.call(
            "qcrbox_har.quantum.task:molecule_density",
            1,
            given,
            computer.method,
            computer.settings,
            [(0, np.array(_IDENTITY))],
            computer.structure.cell.fractionalisation,
            np.array([(1, 0, 0)]),
        )
    return {"seconds": result.seconds["scf"], "iterations": result.iterations}


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
