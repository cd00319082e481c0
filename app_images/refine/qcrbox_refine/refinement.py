"""A refinement from files to files: read, change, refine, write."""

from __future__ import annotations

import copy
import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from qcrbox.contract.errors import UserInputError
from qcrbox.contract.progress import report, say
from qcrbox.crystallography.radiation import density_unit, residual_figures
from qcrbox.crystallography.shelx import refinement_texts
from qcrbox.language import listed, minus

from qcrbox_refine import (
    aspherical,
    cif_output,
    corrections,
    density,
    least_squares,
    reflections,
    res_output,
    scattering,
    weighting,
)
from qcrbox_refine.cif_input import model_from_cif_file
from qcrbox_refine.connectivity import assign_alternatives
from qcrbox_refine.edits import apply_edits, make_anisotropic, make_isotropic, make_riding
from qcrbox_refine.fit import Fit
from qcrbox_refine.hydrogens import place_hydrogens
from qcrbox_refine.intensities import Corrections, StructureFactors, spherical_atoms
from qcrbox_refine.model import Model
from qcrbox_refine.requested_hydrogens import place_requested
from qcrbox_refine.restraints import add_restraints, parse_restraints
from qcrbox_refine.scattering import radiation_of, wavelength_by_dispersion
from qcrbox_refine.shelx_input import read_shelx


@dataclass
class Options:
    """What the user may choose; see application.yaml for the meaning of each."""

    cycles: int = 10
    weighting: str = "optimise"
    adp: str = "keep"
    hydrogens: str = "keep"
    occupancies: str = "refine"
    extinction: str = "keep"
    omit: str = ""
    resolution: float | None = None
    wavelength: float | None = None
    radiation: str = ""
    mask: str | None = None
    edits: str = ""
    restraints: str = ""
    table: str | None = None


@dataclass
class Result:
    """A finished refinement: the fit, the difference map with its peaks, and the model as SHELX text."""

    fit: Fit
    residual: density.DifferenceMap
    peaks: list[density.Peak]
    res: str
    model: Model


def load_model(path: str) -> Model:
    """A model from a CIF, .ins or .res file; which one it is shows in its first lines."""
    head = Path(path).read_bytes()[:4000].decode("latin-1")
    if re.search(r"^(TITL|CELL)\b", head, re.MULTILINE) and not re.search(r"^\s*data_", head, re.MULTILINE):
        return read_shelx(path)
    model = model_from_cif_file(path)
    if model.title.lower() in ("", "global", "i"):
        model.title = Path(path).stem
    return model


def refine_files(structure: str, hkl: str | None, options: Options) -> Result:
    """Refine the model of one file against the reflections of another (None: those of the same file)."""
    model = load_model(structure)
    return refine_model(model, hkl, options)


def refine_model(model: Model, hkl: str | None, options: Options) -> Result:
    """Raises UserInputError, MissingItemsError, CifError for inputs, CalculationFailed for the rest."""
    if options.wavelength:
        model.wavelength = options.wavelength
    model.radiation = options.radiation
    prepare_model(model, options.edits)
    say(scattering.described(model))
    for doubt in scattering.doubts(model):
        model.warn(doubt)
    _prepare_hydrogens(model, options.hydrogens)
    _prepare_adps(model, options.adp)
    add_restraints(model, parse_restraints(options.restraints))
    _limit_data(model, options)
    data = reflections.prepare(model, hkl)
    _describe(data)
    fab = Path(options.mask).read_text("utf-8", "replace") if options.mask else None
    _note_other_target(model)
    corrected = corrections.prepare_corrections(model, data, options.extinction, fab)
    kind, weights = weighting.parse_weighting(options.weighting)
    if kind in ("keep", "optimise"):
        _published_weights(model, keep=kind == "keep")
        kind = "unit" if kind == "keep" and model.unit_weights else kind
    if options.hydrogens == "place" or model.hydrogen_requests or _asked(model):
        _place(model, data, corrected, options)
    fit = least_squares.refine(
        model,
        data,
        least_squares.Scheme(
            cycles=options.cycles,
            weighting_kind=kind,
            weights=weights,
            refine_occupancies=options.occupancies == "refine",
        ),
        corrections=corrected,
        structure_factors=_factors(model, data, options.table),
    )
    report(fraction=0.97, text="Difference density and geometry")
    residual = density.difference_map(fit)
    peaks = density.peaks(residual, model)
    res = res_output.res_text(fit, residual, peaks)
    _summarise(fit, residual)
    return Result(fit, residual, peaks, res, model)


def _factors(model: Model, data: reflections.Reflections, table: str | None) -> StructureFactors:
    """Spherical atoms, or those of a table, which the result names."""
    if table is None:
        return spherical_atoms
    read = aspherical.read_table(table)
    made = aspherical.aspherical_atoms(read, model, data)
    checksum = hashlib.sha256(Path(table).read_bytes()).hexdigest()
    model.note(f"Aspherical form factors from the table {Path(table).name} (SHA-256 {checksum}).")
    if made.spherical:
        model.warn(f"Spherical form factors for atoms the table lacks: {', '.join(made.spherical)}.")
    known = {atom.label.upper() for atom in model.atoms}
    if others := [name for name in read.scatterers if name.upper() not in known]:
        model.not_applied(f"Columns of the table for atoms that the model lacks: {listed(others, 20)}.")
    if made.doubtful:
        model.warn(
            f"The form factors of {', '.join(made.doubtful)} in the table are far from those of free atoms of their elements: it may "
            "have been made for another structure with the same labels."
        )
    return made


def prepare_model(model: Model, edits: str = "") -> None:
    """What every command does first: the user's edits, disorder groups, the wavelength."""
    if model.wavelength is None and model.dispersion:
        known = wavelength_by_dispersion(model.dispersion)
        if known:
            model.wavelength = known[1]
            model.note(
                f"The file gives no wavelength; its dispersion factors are those of {known[0]} ({known[1]} Å)."
            )
        else:
            model.note("The file gives no wavelength: its own dispersion factors are used.")
    apply_edits(model, edits)
    _warn_of_moved_atoms(model)
    assign_alternatives(model)


# Å: rounded coordinates of a special position are nearer to it.
_ROUNDED = 0.03


def _warn_of_moved_atoms(model: Model) -> None:
    """Atoms near a special position are put on it (SPEC): they move, and there are fewer of them in the cell."""
    cell = model.symmetry.unit_cell()
    moved = []
    for atom, scatterer in zip(model.atoms, model.structure().scatterers(), strict=True):
        distance = cell.distance(atom.site, scatterer.site)
        if distance > _ROUNDED:
            moved.append(f"{atom.label} by {distance:.2f} Å")
    if moved:
        model.warn(
            f"Put on the special position that they are near to: {', '.join(moved)}. Atoms that are disordered about it need a "
            "negative disorder group (PART -1); SPEC sets the distance."
        )


def write_cif(result: Result, path: str | Path) -> None:
    """Write the refined model as a CIF in UTF-8."""
    Path(path).write_text(
        str(cif_output.cif_block(result.fit, result.residual, result.res)), encoding="utf-8"
    )


def write_peaks(result: Result, path: str | Path) -> None:
    """Residual density as JSON: extremes in e/Å³, peaks with fractional coordinates and nearest atom."""
    residual = result.residual
    content = {
        "maximum": round(residual.maximum, 4),
        "minimum": round(residual.minimum, 4),
        "rms": round(residual.rms, 4),
        "hole": {"site": density.hole(residual), "height": round(residual.minimum, 4)},
        "peaks": [asdict(peak) for peak in result.peaks],
    }
    Path(path).write_text(json.dumps(content, indent=1), encoding="utf-8")


def parse_omit(text: str | None) -> list[tuple[int, int, int]]:
    """`1 0 -2; 0 2 0` as indices. Raises UserInputError."""
    rows = []
    for part in re.split(r"[;\n]", text or ""):
        numbers = re.findall(r"-?\d+", part)
        if not part.strip():
            continue
        if len(numbers) != 3 or re.search(r"[a-z.]", part, re.IGNORECASE):
            raise UserInputError(
                f"omit must list reflections as three whole numbers; you gave {part.strip()!r}.",
                where="omit",
                next='For example omit="1 0 -2; 0 2 0".',
            )
        rows.append(tuple(int(number) for number in numbers))
    return rows


def _prepare_hydrogens(model: Model, choice: str) -> None:
    hydrogen = [atom for atom in model.atoms if atom.is_hydrogen]
    if choice == "none":
        model.remove(hydrogen)
    if choice in ("riding", "free") and not hydrogen:
        model.not_applied(f'hydrogens="{choice}" found no hydrogen atoms; hydrogens="place" adds them.')
    for atom in hydrogen:
        if choice == "riding":
            make_riding(atom)
        elif choice == "free" and not (atom.riding and atom.occupancy < 0.5):
            # The small component of a disorder cannot determine separate hydrogen parameters.
            atom.release()
    kept = [atom.label for atom in hydrogen if choice == "free" and atom.riding]
    if kept:
        model.note(f"{', '.join(kept)} (occupancy below 0.5) go on riding.")


def _prepare_adps(model: Model, choice: str) -> None:
    for atom in model.atoms:
        if choice == "isotropic":
            make_isotropic(atom)
        elif choice == "anisotropic" and not atom.is_hydrogen:
            make_anisotropic(model, atom)


def _note_other_target(model: Model) -> None:
    kind = (
        (model.source.text("_refine_ls_structure_factor_coef") or "").strip().lower() if model.source else ""
    )
    if kind in ("f", "inet"):
        model.note(f"The file was refined against {kind.capitalize()}; this refinement is against F².")


def _limit_data(model: Model, options: Options) -> None:
    """What the user leaves out joins what the file leaves out (OMIT, SHEL), so that the result says it too."""
    settings = model.settings
    settings.omitted += [index for index in parse_omit(options.omit) if index not in settings.omitted]
    if options.resolution:
        d_max, d_min = settings.resolution or (math.inf, 0.0)
        settings.resolution = (d_max, max(d_min, options.resolution))


def _published_weights(model: Model, *, keep: bool) -> None:
    """The weighting scheme of the file: `_refine_ls_weighting_details`, else its WGHT instruction.

    The instruction has more digits: it counts where it says the same.
    """
    source, instruction = model.source, model.settings.weights
    text = source.text("_refine_ls_weighting_details") if source else None
    scheme = (source.text("_refine_ls_weighting_scheme") or "").lower() if source else ""
    by_name: dict[str, refinement_texts.Weights | None] = {"unit": None, "sigma": refinement_texts.SIGMA}
    found = refinement_texts.parse_details(text) if text else by_name.get(scheme, "")
    if instruction is not None:
        instruction = refinement_texts.complete(instruction)
        if found == "" or (found and weighting.same(found, instruction)):
            model.weights = instruction
            return
    if found != "":
        model.weights, model.unit_weights = found, found is None
        if instruction is not None:
            model.warn(
                "WGHT in the instructions of the file differs from _refine_ls_weighting_details, which is used."
            )
    elif keep:
        why = f"is not understood ({text.strip()[:120]})" if text else "is not stated"
        model.note(f"The weighting scheme of the file {why}: a = 0.1, b = 0 is used.")


def _place(model: Model, data: reflections.Reflections, corrected: Corrections, options: Options) -> None:
    """Refine without the missing hydrogen atoms, look at the difference density, place them.

    On all atoms with hydrogens="place"; otherwise where HFIX or an edit requests them.
    """
    report(fraction=0.05, text="Refining before hydrogen atoms are placed")
    notes, stated = list(model.notes), model.weights
    # Weights of the finished structure would be far too strict before its hydrogen atoms are there.
    fit = least_squares.refine(
        model,
        data,
        least_squares.Scheme(
            cycles=6,
            weighting_kind="fixed",
            weights=refinement_texts.DEFAULT,
            refine_occupancies=options.occupancies == "refine",
        ),
        corrections=copy.deepcopy(corrected),
    )
    model.notes = notes  # what the model without hydrogen was like is no concern of the result
    residual = density.difference_map(fit)
    added = place_requested(model, residual)
    if options.hydrogens == "place" or _asked(model):
        added += place_hydrogens(model, residual, only_asked=options.hydrogens != "place")
    say(f"Placed {len(added)} hydrogen atoms: {', '.join(added) or 'none'}.")
    model.weights = stated


def _asked(model: Model) -> bool:
    """Whether an edit asks for hydrogen atoms."""
    return any(atom.lacks_hydrogen for atom in model.atoms)


def _describe(data: reflections.Reflections) -> None:
    r_int = "no equivalents" if data.r_int is None else f"R(int) {data.r_int:.4f}"
    say(
        f"{data.measured.size() + data.absent + data.omitted} reflections from {data.origin}, {data.absent} absent by symmetry, "
        f"{data.omitted} omitted, {data.unique.size()} unique, {r_int}, d(min) {data.unique.d_min():.3f} Å",
    )


def _summarise(fit: Fit, residual: density.DifferenceMap) -> None:
    say(
        f"R1 {fit.r1_gt:.4f} for {fit.n_gt} reflections with I > 2σ(I), {fit.r1_all:.4f} for all "
        f"{fit.reflections.unique.size()}; wR2 {fit.wr2:.4f}, S {fit.goof:.3f}, {fit.n_parameters} parameters, "
        + minus(f"residual density {residual.maximum:.2f}/{residual.minimum:.2f} ")
        + f"{density_unit(radiation_of(fit.model))}",
    )
    # Without a cycle there is nothing that could have converged.
    ended = {"converged": fit.converged} if fit.refined else {"refined": False}
    report(
        fraction=1.0,
        text=f"R1 {fit.r1_gt:.4f}" + ("" if fit.refined else ", not refined"),
        R1=round(fit.r1_gt, 5),
        wR2=round(fit.wr2, 5),
        S=round(fit.goof, 4),
        **ended,
        **residual_figures(residual.maximum, residual.minimum, radiation_of(fit.model)),
    )
