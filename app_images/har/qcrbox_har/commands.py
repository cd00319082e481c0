"""From files to files: what the commands of the application do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qcrbox.cif import read
from qcrbox.cif.document import Block
from qcrbox.contract.errors import MissingItemsError
from qcrbox.contract.progress import report, say, tell
from qcrbox.crystallography.aspheric import Partitioning, form_factor_document
from qcrbox.crystallography.reflections import find_reflections, has_reflections, read_hkl
from qcrbox.crystallography.structure.structure import Structure
from qcrbox.crystallography.tsc import FormFactorTable, write_tsc, write_tscb

from qcrbox_har import comparison, maps, planning, publication
from qcrbox_har.loop import LEAST_SQUARES, QUANTUM, Refinement
from qcrbox_har.loop_state import Progress
from qcrbox_har.options import Options
from qcrbox_har.processes import Child

_TABLE = "har.tsc"


def form_factors(  # noqa: PLR0913 - parameters of a command, by name
    structure: str,
    reflections: str | None = None,
    d_min: float | None = None,
    functional: str = "auto",
    basis: str = "auto",
    partition: str = "hirshfeld",
    relativistic: str = "auto",
    charges: str | None = "",
    multiplicities: str | None = "",
    crystal_field: str = "isolated",
    fragments: str = "auto",
    density: str = "molecules",
    spherical: str | None = "",
    wavefunction: str | None = None,
    grid: int = 2,
    form_factor_cif: str = "form_factors.cif",
    tsc: str = "form_factors.tsc",
    tscb: str = "form_factors.tscb",
) -> str:
    """Form factors of all atoms of a crystal as it stands, as .tsc, .tscb and inside a CIF."""
    options = Options(
        functional=functional,
        basis=basis,
        partition=partition,
        relativistic=relativistic,
        charges=charges or "",
        multiplicities=multiplicities or "",
        crystal_field=crystal_field,
        fragments=fragments,
        density=density,
        spherical=spherical or "",
        grid=grid,
        wavefunction=wavefunction or None,
    )
    block, said = block_with_atoms(Path(structure))
    crystal = Structure.from_block(block)
    hkl = _indices(crystal, block, reflections, d_min)
    with (
        Child(QUANTUM) as quantum,
        Child(LEAST_SQUARES) as least_squares,
        Refinement(options, {}, quantum, least_squares) as refinement,
    ):
        state = refinement.prepare(crystal, {})
        computer = refinement.make_computer(state)
        sites = crystal.sites.fract
        rounds = 3 if crystal_field != "isolated" else 1
        for number in range(1, rounds + 1):
            table = computer.table(sites, hkl, progress=refinement.watcher(number, rounds))
    state.table = table
    say(
        f"{len(table.site)} atoms, {len(hkl)} reflections, {sum(m.iterations for m in table.molecules)} SCF iterations"
    )
    labels = table.labels(crystal)
    header = {"TITLE": f"{state.method.in_words}, {partition}", "SYMM": "expanded", "AD": "FALSE"}
    written = FormFactorTable(labels, hkl.astype(np.int32), table.values, header)
    Path(tsc).write_bytes(write_tsc(written))
    Path(tscb).write_bytes(write_tscb(written))
    made = Partitioning(partition, "QCrBox har", publication.source(state))
    form_factor_document(written, block, made).write(form_factor_cif)
    tell(said + _of_file(crystal) + _doubts_and_notes(state))
    return form_factor_cif


def refine_har(  # noqa: PLR0913 - parameters of a command, by name
    structure: str,
    reflections: str | None = None,
    functional: str = "auto",
    basis: str = "auto",
    partition: str = "hirshfeld",
    hydrogens: str = "anisotropic",
    crystal_field: str = "isolated",
    fragments: str = "auto",
    density: str = "molecules",
    charges: str | None = "",
    multiplicities: str | None = "",
    spherical: str | None = "",
    relativistic: str = "auto",
    dispersion: str = "off",
    wavefunction: str | None = None,
    missing_hydrogens: str = "keep",
    weighting: str = "optimise",
    extinction: str = "keep",
    edits: str | None = "",
    restraints: str | None = "",
    resolution: float | None = None,
    wavelength: float | None = None,
    rounds: int = 12,
    tolerance: float = 0.02,
    grid: int = 2,
    most_hours: float = 24.0,
    refined: str = "har.cif",
    iam: str = "iam.cif",
    tsc: str = "har.tsc",
    table: str = "comparison.json",
    deformation: str = "deformation.cube",
    residual: str = "residual.cube",
    res: str = "har.res",
    fcf: str = "har.fcf",
    peaks: str = "peaks.json",
) -> str:
    """Hirshfeld atom refinement to convergence."""
    options = Options(
        functional=functional,
        basis=basis,
        partition=partition,
        relativistic=relativistic,
        dispersion=dispersion,
        charges=charges or "",
        multiplicities=multiplicities or "",
        crystal_field=crystal_field,
        fragments=fragments,
        density=density,
        hydrogens=hydrogens,
        spherical=spherical or "",
        rounds=rounds,
        tolerance=tolerance,
        grid=grid,
        most_hours=most_hours,
        wavefunction=wavefunction or None,
    )
    refine_options = {
        "weighting": weighting,
        "hydrogens": missing_hydrogens,
        "extinction": extinction,
        "edits": edits or "",
        "restraints": restraints or "",
        "resolution": resolution or None,
        "wavelength": wavelength or None,
    }
    with (
        Child(QUANTUM) as quantum,
        Child(LEAST_SQUARES) as least_squares,
        Refinement(options, refine_options, quantum, least_squares) as refinement,
    ):
        state = refinement.run(structure, reflections, iam, last_cif=refined)
        report(fraction=0.93, text="Geometry, residual and deformation density")
        outputs = {"cif": refined, "res": res, "fcf": fcf, "peaks": peaks}
        har = least_squares.call("qcrbox_har.refine_side:finish", outputs)
        maps.write_maps(
            state,
            refinement.computer,
            refinement.sites,
            least_squares,
            maps.MapFiles(Path(deformation), Path(residual)),
        )
    if Path(tsc) != Path(_TABLE):
        shutil.copyfile(_TABLE, tsc)
    publication.complete(Path(refined), state, options, Path(tsc))
    compared = comparison.compare(Path(iam), Path(refined), state.iam, har, planning.with_bonds(state))
    Path(table).write_text(json.dumps(compared, indent=1), encoding="utf-8")
    say(comparison.as_text(compared))
    # Converged are the rounds and, in the last one, the least squares.
    converged = state.converged and har["converged"]
    tell([*_remarks(state, options), *har["remarks"]])
    report(
        fraction=1.0,
        text=f"R1 {har['R1']:.4f} (IAM {state.iam['R1']:.4f})",
        R1=round(har["R1"], 5),
        wR2=round(har["wR2"], 5),
        R1_before=round(state.iam["R1"], 5),
        residual_max=round(har["max"], 3),
        residual_min=round(har["min"], 3),
        converged=converged,
        rounds=len(state.rounds),
        scf_iterations=state.scf_iterations,
    )
    return refined


def _of_file(crystal: Structure) -> list[tuple[str, str]]:
    """What the file has damaged, or what is assumed, as (kind, text). In a refinement the least squares say it."""
    return [("warning", text) for text in crystal.notes]


def _doubts_and_notes(state: Progress) -> list[tuple[str, str]]:
    """Remarks on molecules and charges, as (kind, text)."""
    table = state.table.doubts(state.plan) if state.table else []
    return [("warning", text) for text in [*state.warnings, *table]] + [
        ("note", text) for text in state.notes
    ]


def _remarks(state: Progress, options: Options) -> list[tuple[str, str]]:
    """What the rounds have to say beside the least squares, as (kind, text)."""
    remarks = _doubts_and_notes(state)
    if not state.converged:
        moved = state.rounds[-1].moved
        remarks.append(
            (
                "warning",
                f"Finished, but not converged: the last of {len(state.rounds)} rounds moved {moved['worst']} by "
                f'{moved["ratio"]:.2f} s.u.; {options.tolerance:g} was asked for. Result kept, marked "not converged".',
            )
        )
    return remarks


def plan_har(  # noqa: PLR0913 - parameters of a command, by name
    structure: str,
    functional: str = "auto",
    basis: str = "auto",
    crystal_field: str = "isolated",
    fragments: str = "auto",
    density: str = "molecules",
    charges: str | None = "",
    multiplicities: str | None = "",
    spherical: str | None = "",
    relativistic: str = "auto",
    most_hours: float = 24.0,
    plan: str = "plan.json",
) -> str:
    """What refine_har would do: molecules, charges, level of theory, time and memory. Nothing is refined."""
    options = Options(
        functional=functional,
        basis=basis,
        crystal_field=crystal_field,
        fragments=fragments,
        density=density,
        charges=charges or "",
        multiplicities=multiplicities or "",
        spherical=spherical or "",
        relativistic=relativistic,
        most_hours=most_hours,
    )
    block, said = block_with_atoms(Path(structure))
    crystal = Structure.from_block(block)
    with (
        Child(QUANTUM) as quantum,
        Child(LEAST_SQUARES) as least_squares,
        Refinement(options, {}, quantum, least_squares) as refinement,
    ):
        state = refinement.prepare(crystal, {})
        refinement.computer = refinement.make_computer(state)
        reflections = len(_indices(crystal, block, None, 0.7 if not has_reflections(block) else None))
        cost = refinement.check_cost(state, crystal.sites.fract, reflections)
    content = {
        "level": state.method.level,
        "relativistic": state.method.relativistic,
        "molecules": [
            {
                "number": m.number,
                "formula": m.formula,
                "charge": m.charge,
                "charge_source": m.charge_source,
                "multiplicity": m.multiplicity,
                "in_unit_cell": m.copies,
                "atoms": m.labels,
            }
            for m in state.plan.molecules
        ],
        "spherical": [crystal.sites.label[row] for row in state.plan.spherical],
        "notes": [*(text for _, text in said), *crystal.notes, *state.notes, *state.warnings],
        "seconds": round(cost.seconds),
        "memory_bytes": cost.memory_bytes,
        "basis_functions": cost.basis_functions,
    }
    Path(plan).write_text(json.dumps(content, indent=1), encoding="utf-8")
    tell(said + _of_file(crystal) + _doubts_and_notes(state))
    report(fraction=1.0, text=f"{state.method.level}: {cost}", estimated_s=round(cost.seconds))
    return plan


def block_with_atoms(path: Path) -> tuple[Block, list[tuple[str, str]]]:
    """The first data block with atoms, and a remark (kind, text) where there are more. Raises MissingItemsError for none."""
    document = read(path, on_error="keep")
    found = [block for block in document.blocks if block.loop("_atom_site_label") is not None]
    if not found:
        raise MissingItemsError(
            "the CIF has no atoms (_atom_site_label).", where=path.name, items=["_atom_site_label"]
        )
    if len(found) == 1:
        return found[0], []
    text = f"The CIF has {len(found)} structures; {found[0].name} is taken."
    return found[0], [("note", text)]


def _indices(
    structure: Structure, block: Block, reflections: str | None, d_min: float | None
) -> NDArray[np.int64]:
    """Indices to list: those measured with all their equivalents and Friedel mates, else the whole sphere to d_min."""
    rotations = structure.space_group.rotations
    if d_min is None:
        if reflections:
            found = read_hkl(Path(reflections).read_bytes(), Path(reflections).name)
        elif has_reflections(block):
            found = find_reflections(block)
        else:
            raise MissingItemsError(
                "there are no reflections, so it is not known how far the form factors must go.",
                next="Attach a .hkl file, or give the resolution in Å, for example d_min=0.5.",
                items=["_shelx_hkl_file"],
            )
        measured = np.unique(np.asarray(found.hkl, dtype=np.int64), axis=0)
        every = np.concatenate([measured @ rotation for rotation in rotations])
        every = np.unique(np.concatenate([every, -every]), axis=0)
        return every[(every != 0).any(axis=1)]
    most = np.ceil(structure.cell.parameters[:3] / d_min).astype(int)
    axes = [np.arange(-m, m + 1) for m in most]
    every = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    d = structure.cell.d_spacing(every)
    return every[(d >= d_min) & np.isfinite(d)]
