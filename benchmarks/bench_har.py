"""Hirshfeld atom refinement of thpp (26 atoms): the whole beside one wavefunction from scratch, and what its parts take.

    python benchmarks/bench_har.py [--json out.json] [--quick]

Each level is one refinement in processes of its own (`tools.validation.hirshfeld_one`); its peer is PySCF's own field of the same
molecules in the same run. --quick: Hartree-Fock in a minimal basis, to see that it runs; form factors and least squares do not
depend on the level.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.validation.hirshfeld import THPP  # noqa: E402

LEVELS = {
    "HF/STO-3G": {"functional": "hf", "basis": "sto-3g"},
    "B3LYP/def2-SVP": {"functional": "b3lyp", "basis": "def2-svp"},
}
# Whole refinement over one cold field (processors); of the transform and of one cycle of the least squares
# (seconds of processors).
MOST_RATIO, MOST_TRANSFORM_S, MOST_STEP_S = 2.0, 2.0, 0.5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the numbers there")
    parser.add_argument("--quick", action="store_true", help="the smallest level alone")
    given = parser.parse_args()
    levels = dict(list(LEVELS.items())[:1]) if given.quick else LEVELS
    rows = {level: refine(settings) for level, settings in levels.items()}
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n")
    print(table(rows))
    return 0


def refine(settings: dict[str, Any]) -> dict[str, Any]:
    """Figures of one refinement; raises CalledProcessError when it fails."""
    spec = importlib.util.find_spec("smtbx")
    assert spec is not None
    assert spec.origin is not None, "cctbx is not installed"
    data = Path(spec.origin).parent / "regression" / "test_data"
    command = [
        sys.executable,
        "-m",
        "tools.validation.hirshfeld_one",
        str(data / "thpp.cif"),
        str(data / "thpp.hkl"),
    ]
    command.append(json.dumps(settings | THPP))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Markdown, with the goals and the load of the machine."""
    lines = [
        f"Load of the machine at the end: {os.getloadavg()[0]:.0f} on {os.cpu_count()} processors.",
        "",
        "| level | whole / one cold field of each molecule (processors) | form factors of 26 atoms (processors) | one step of the least squares (processors) | memory | rounds |",
        "|---|---|---|---|---|---|",
    ]
    for level, row in rows.items():
        ratio = row["processor_s"] / row["cold_processor_s"]
        lines.append(
            f"| {level} | {row['processor_s']:.0f} s / {row['cold_processor_s']:.0f} s = {ratio:.1f}{_verdict(ratio, MOST_RATIO, level)} | "
            f"{row['fourier_seconds']:.2f} s, {row['hkl']} hkl{_verdict(row['fourier_seconds'], MOST_TRANSFORM_S)} | "
            f"{row['step_seconds']:.2f} s{_verdict(row['step_seconds'], MOST_STEP_S)} | {row['memory'] / 1e6:.0f} MB | {row['rounds']} |"
        )
    return "\n".join(lines)


def _verdict(value: float, most: float, level: str = "") -> str:
    """The goal and whether it is met; a minimal basis has none, since start-up outweighs its field."""
    if level.endswith("STO-3G"):
        return ""
    return f" (at most {most:g}: {'met' if value <= most else 'MISSED'})"


if __name__ == "__main__":
    sys.exit(main())
