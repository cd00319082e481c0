"""Aspherical refinement of open data sets at several levels, beside spherical atoms and neutron distances."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.validation.sections import ROOT, Context, _package

_LEVELS: dict[str, dict[str, Any]] = {
    "HF": {"functional": "hf", "basis": "def2-SVP"},
    "B3LYP": {"functional": "b3lyp", "basis": "def2-SVP"},
    "B3LYP, charges": {"functional": "b3lyp", "basis": "def2-SVP", "crystal_field": "charges"},
    "B3LYP, fragments": {"functional": "b3lyp", "basis": "def2-SVP", "fragments": "on"},
}
_THPP = {"edits": "delete C3; occupancy N3 1; aniso N3", "hydrogens_before": "place"}
# Below this number of atoms a fragment is the whole molecule.
_WORTH_CUTTING = 20


def table(context: Context) -> str:
    """One row for each data set and level; rows that could not be done say why."""
    rows = []
    for name, cif, hkl, extra in _data_sets(context):
        for level, settings in _LEVELS.items():
            row = _run(cif, hkl, settings | extra, context)
            if "fragments" in level and row.get("atoms", 99) < _WORTH_CUTTING:
                continue
            sys.stderr.write(f"{name} {level}: {row.get('refused') or row['har']['R1']}\n")
            rows.append((name, level, row))
    return _markdown(rows)


def _data_sets(context: Context) -> list[tuple[str, Path, Path | None, dict[str, Any]]]:
    smtbx = _package("smtbx") / "regression" / "test_data"
    examples = ROOT / "app_images" / "har" / "examples"
    found: list[tuple[str, Path, Path | None, dict[str, Any]]] = [
        ("urea, simulated", examples / "urea.cif", examples / "urea.hkl", {"weighting": "0, 0"}),
        ("thpp", smtbx / "thpp.cif", smtbx / "thpp.hkl", _THPP),
    ]
    if context.data_sets is not None:
        for cif in sorted(context.data_sets.glob("**/*.cif")):
            hkl = cif.with_suffix(".hkl")
            found.append((cif.stem, cif, hkl if hkl.exists() else None, {"weighting": "keep"}))
    return found


def _run(cif: Path, hkl: Path | None, settings: dict[str, Any], context: Context) -> dict[str, Any]:
    command = [sys.executable, "-m", "tools.validation.hirshfeld_one"]
    command += [str(cif), str(hkl or ""), json.dumps(settings)]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=context.seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return {"refused": f"not finished after {context.seconds:g} s"}
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        return {"refused": f"crashed: {' '.join(done.stderr.split())[-200:]}"}
    return json.loads(lines[-1])


def _markdown(rows: list[tuple[str, str, dict[str, Any]]]) -> str:
    head = (
        "| data set | level | R1 | wR2 | S | residual e/Å³ | mean X-H - neutron / Å | rounds, iterations | time, processors, / cold | memory | f(000), electrons off |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|\n"
    )
    lines, remarks = [head], []
    shown: set[str] = set()
    for name, level, row in rows:
        if "refused" in row:
            remarks.append(f"- {name}, {level}: {' '.join(row['refused'].split())}\n")
            continue
        if name not in shown:
            shown.add(name)
            lines.append(
                f"| {name} | spherical | {_agreement(row['iam'])} | {_deviation(row, 'iam')} | | | | |\n"
            )
        ratio = row["processor_s"] / max(row["cold_processor_s"], 1e-9)
        lines.append(
            f"| {name} | {level} | {_agreement(row['har'])} | {_deviation(row, 'har')} | {row['rounds']}, {row['scf_iterations']} | "
            f"{row['seconds']:.0f} s, {row['processor_s']:.1f} s / {row['cold_processor_s']:.1f} s = {ratio:.1f} | {row['memory'] / 1e6:.0f} MB | "
            f"{row['forward_off']:.0e}, {row['electrons_off']:.0e} |\n"
        )
    return "".join([*lines, "\n", *remarks])


def _agreement(figures: dict[str, Any]) -> str:
    return f"{figures['R1']:.4f} | {figures['wR2']:.4f} | {figures['S']:.3f} | {figures['max']:+.2f} {figures['min']:+.2f}"


def _deviation(row: dict[str, Any], which: str) -> str:
    value = row["mean_deviation"][which]
    return "-" if value is None else f"{value:.3f}"
