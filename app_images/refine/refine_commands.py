"""The commands of the application `refine`; application.yaml describes their parameters.

Importing this loads cctbx, about 0.8 s: an agent does it once, before it forks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qcrbox.contract.errors import UserInputError
from qcrbox.contract.progress import say, tell
from qcrbox.crystallography.shelx import refinement_texts
from qcrbox_refine import cif_output, density, least_squares
from qcrbox_refine import reflections as reflection_data
from qcrbox_refine.corrections import extinction_choice, prepare_corrections
from qcrbox_refine.fcf import fcf_text
from qcrbox_refine.hydrogens import place_hydrogens as place
from qcrbox_refine.refinement import (
    Options,
    load_model,
    prepare_model,
    refine_files,
    write_cif,
    write_peaks,
)


def refine_iam(structure: str, reflections: str | None = None, **settings: Any) -> str:
    """Refine independent atoms against F² and write CIF, .res, .fcf and the residual density peaks."""
    return _refine(structure, reflections, None, **settings)


def refine_shelx(instructions: str, reflections: str, **settings: Any) -> str:
    """The same, beginning with a SHELX .ins or .res file and its .hkl file."""
    return _refine(instructions, reflections, None, **settings)


def refine_tsc(structure: str, table: str, reflections: str | None = None, **settings: Any) -> str:
    """The same with form factors of aspherical atoms from a table, which stays as it is."""
    return _refine(structure, reflections, table, **settings)


def _refine(  # noqa: PLR0913 - parameters of a command, by name
    structure: str,
    reflections: str | None,
    table: str | None,
    *,
    cycles: int = 10,
    weighting: str = "optimise",
    adp: str = "keep",
    hydrogens: str = "keep",
    occupancies: str = "refine",
    extinction: str = "keep",
    radiation: str = "keep",
    mask: str | None = None,
    edits: str | None = "",
    restraints: str | None = "",
    omit: str | None = "",
    resolution: float | None = None,
    wavelength: float | None = None,
    refined: str = "refined.cif",
    res: str = "refined.res",
    fcf: str = "refined.fcf",
    peaks: str = "peaks.json",
) -> str:
    """What the three commands share; application.yaml says which of the settings each takes."""
    options = Options(
        cycles=cycles,
        weighting=weighting,
        adp=adp,
        hydrogens=hydrogens,
        occupancies=occupancies,
        extinction=extinction_choice(extinction),
        radiation="" if radiation == "keep" else radiation,
        mask=mask or None,
        omit=omit or "",
        resolution=resolution or None,
        wavelength=wavelength or None,
        edits=edits or "",
        restraints=restraints or "",
        table=table,
    )
    result = refine_files(structure, reflections, options)
    write_cif(result, refined)
    Path(res).write_text(result.res, encoding="utf-8")
    Path(fcf).write_text(fcf_text(result.fit), encoding="utf-8")
    write_peaks(result, peaks)
    tell(result.model.remarks_by_kind())
    return refined


def edit_model(structure: str, edits: str, edited: str = "edited.cif") -> str:
    """Change atoms without refining; reflections and everything else stay."""
    if not (edits or "").strip():
        raise UserInputError(
            "there is nothing to change.", where="edits", next='For example edits="delete C3".'
        )
    model = load_model(structure)
    prepare_model(model, edits)
    if any(atom.lacks_hydrogen for atom in model.atoms):
        place(model, None, only_asked=True)
    Path(edited).write_text(str(cif_output.model_block(model)), encoding="utf-8")
    tell(model.remarks_by_kind())
    return edited


def place_hydrogens(
    structure: str,
    reflections: str | None = None,
    edits: str | None = "",
    wavelength: float | None = None,
    placed: str = "placed.cif",
) -> str:
    """Add missing hydrogen atoms by geometry, with the difference density where there are reflections."""
    model = load_model(structure)
    model.wavelength = wavelength or model.wavelength
    prepare_model(model, edits or "")
    residual = _residual_without_hydrogen(model, reflections)
    added = place(model, residual)
    say(f"Placed {len(added)} hydrogen atoms: {', '.join(added) or 'none'}.")
    Path(placed).write_text(str(cif_output.model_block(model)), encoding="utf-8")
    tell(model.remarks_by_kind())
    return placed


def _residual_without_hydrogen(model, hkl: str | None):
    has_own = model.source is not None and model.source.text("_shelx_hkl_file")
    if not hkl and not has_own:
        model.note("Without reflections methyl groups are staggered, and N-H and O-H are left out.")
        return None
    data = reflection_data.prepare(model, hkl)
    refined = model.copy()
    fit = least_squares.refine(
        refined,
        data,
        least_squares.Scheme(cycles=6, weighting_kind="fixed", weights=refinement_texts.DEFAULT),
        corrections=prepare_corrections(refined, data),
    )
    return density.difference_map(fit)
