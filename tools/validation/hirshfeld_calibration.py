"""Are the s.u. of a refinement with aspherical atoms true? Scatter of noisy refinements of a known crystal over reported s.u.

The crystal is urea (app_images/har/tests/data) with form factors from its wavefunction; the structure factors are those of
app_images/har/tests/simulated.py.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import chdir
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
HAR = ROOT / "app_images" / "har"
_D_MIN = 0.65


def calibrate(runs: int) -> tuple[float, float, int]:
    """Root mean square of (found - true) / s.u., mean S, and the number of parameters compared in each run."""
    import os

    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(HAR / "tests"), os.environ.get("PYTHONPATH")])
    )
    sys.path[:0] = [str(HAR)]
    from qcrbox.crystallography.structure.structure import Structure
    from qcrbox_har.form_factors import Computer
    from qcrbox_har.loop import LEAST_SQUARES, QUANTUM
    from qcrbox_har.method import Method
    from qcrbox_har.molecules import plan
    from qcrbox_har.processes import Child

    cif = HAR / "tests" / "data" / "urea.cif"
    structure = Structure.from_cif(cif)
    with (
        tempfile.TemporaryDirectory() as folder,
        chdir(folder),
        Child(QUANTUM) as quantum,
        Child(LEAST_SQUARES) as engine,
    ):
        computer = Computer(structure, plan(structure), Method("hf", "def2-svp"), quantum)
        unique, rows = engine.call("simulated:indices", str(cif), _D_MIN)
        table = computer.table(structure.sites.fract, rows)
        arguments = (str(cif), unique, table.labels(structure), rows, table.values, runs)
        found = engine.call("simulated:scatter", *arguments)
    return (
        float(np.sqrt((found["ratios"] ** 2).mean())),
        float(found["goof"].mean()),
        found["ratios"].shape[1],
    )


def table(runs: int) -> str:
    """One row of Markdown."""
    ratio, goof, parameters = calibrate(runs)
    return (
        "| crystal and noise | runs | parameters | coordinates, U | mean S |\n|---|---|---|---|---|\n"
        f"| urea with Hirshfeld atoms, P -4 2\u2081 m, noise common to Friedel mates | {runs} | {parameters} | {ratio:.3f} | "
        f"{goof:.3f} |\n"
    )


if __name__ == "__main__":
    sys.stdout.write(table(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
