"""The command `xcw`: from files to files."""

from __future__ import annotations

import json
from pathlib import Path

from qcrbox.contract.progress import report, say, tell
from qcrbox.crystallography.structure.structure import Structure

from qcrbox_har import xcw as fitting
from qcrbox_har.commands import block_with_atoms
from qcrbox_har.loop import LEAST_SQUARES, QUANTUM
from qcrbox_har.options import Options
from qcrbox_har.processes import Child


def xcw(  # noqa: PLR0913 - parameters of a command, by name
    structure: str,
    reflections: str | None = None,
    functional: str = "hf",
    basis: str = "auto",
    charges: str | None = "",
    largest: float = 0.1,
    steps: int = 10,
    least: float = 3.0,
    resolution: float | None = None,
    wavelength: float | None = None,
    fit: str = "xcw.json",
    molden: str = "xcw.molden",
    difference: str = "xcw_difference.cube",
) -> str:
    """Fit the wavefunction of the molecule to the measured structure factors, for a scan of strengths."""
    crystal = Structure.from_block(block_with_atoms(Path(structure))[0])
    options = Options(functional=functional, basis=basis, charges=charges or "")
    scan = fitting.Scan(largest, steps, least)
    refine_options = {"resolution": resolution or None, "wavelength": wavelength or None}
    with Child(QUANTUM) as quantum, Child(LEAST_SQUARES) as least_squares:
        report(fraction=0.02, text="Reading reflections")
        fitting.sole_molecule(crystal)  # refused before anything is computed
        observed = least_squares.call(
            "qcrbox_har.refine_side:observed", structure, reflections, refine_options
        )
        fitted = fitting.fit(crystal, observed, options, scan, quantum)
        quantum.call("qcrbox_har.quantum.xcw:save", str(Path(molden).resolve()))
        fitting.cube_of(quantum, crystal, fitted.molecule, Path(difference))
    found = fitting.content(fitted)
    Path(fit).write_text(json.dumps(found, indent=1), encoding="utf-8")
    tell([*([("warning", fitted.ended)] if fitted.ended else []), *observed["remarks"]])
    first, last = fitted.rows[0], fitted.rows[-1]
    text = (
        f"chi2 {first['chi_squared']:.3f} -> {last['chi_squared']:.3f} at lambda {last['strength']:g}, "
        f"R(F) {first['r']:.4f} -> {last['r']:.4f}"
    )
    say(text)
    report(fraction=1.0, text=text, chi_squared=round(last["chi_squared"], 5), R1=round(last["r"], 5))
    return fit
