"""A stand-in for the program `shelxl`: name.ins and name.hkl in, name.res, .lst, .fcf (and .cif) out.

Editors such as ShelXle start a program of that name. Ours prints and writes the lines they look for, says
that it is not SHELXL, and does what smtbx can: instructions it does not know are kept, not applied.
"""

from __future__ import annotations

import copy
import sys
from importlib.metadata import version
from pathlib import Path

from qcrbox.contract.errors import QcError, UserInputError
from qcrbox.contract.progress import say
from qcrbox.crystallography.shelx import refinement_texts

from qcrbox_refine import density, least_squares, reflections, res_output, weighting
from qcrbox_refine.cif_output import cif_block
from qcrbox_refine.corrections import prepare_corrections
from qcrbox_refine.fcf import fcf_text
from qcrbox_refine.fit import Fit
from qcrbox_refine.intensities import Corrections
from qcrbox_refine.model import Model
from qcrbox_refine.requested_hydrogens import place_requested
from qcrbox_refine.shelx_input import read_shelx


def refine_shelx_files(ins_path: str | Path, hkl_path: str | Path | None = None) -> dict[str, Path]:
    """Refine as the .ins file says and write the results beside it; returns the files by extension.

    Weights are those of WGHT; better ones are suggested after END, as SHELXL does. Raises what
    `least_squares.refine` and the readers raise.
    """
    ins = Path(ins_path)
    hkl = Path(hkl_path) if hkl_path else ins.with_suffix(".hkl")
    if not hkl.exists():
        raise UserInputError(f"there is no {hkl.name} beside {ins.name}.", next="Put the reflections there.")
    model = read_shelx(ins)
    settings = model.settings
    data = reflections.prepare(model, str(hkl))
    corrected = prepare_corrections(model, data, fab=_mask_of(ins, model))
    if model.hydrogen_requests:
        _place(model, data, corrected)
    cycles = 0 if settings.cycles is None else settings.cycles
    fit = least_squares.refine(
        model,
        data,
        least_squares.Scheme(
            cycles=cycles,
            weighting_kind="fixed",
            weights=refinement_texts.complete(settings.weights or refinement_texts.DEFAULT),
        ),
        corrections=corrected,
    )
    residual = density.difference_map(fit)
    wanted = 20 if settings.peaks is None else settings.peaks
    peaks = density.peaks(residual, model, wanted) if wanted else []
    suggested = weighting.optimise(*fit.equations.on_fc_scale(), fit.n_parameters)
    res = res_output.res_text(fit, residual, peaks, suggested, beside_its_data=True)
    listing = "\n".join(_listing(model, fit, residual, peaks, suggested)) + "\n"
    # LIST 6 has phases, what editors draw maps from; everything else gives LIST 4.
    list_code = 6 if settings.list_code == 6 else 4
    written = {".res": res, ".lst": listing, ".fcf": fcf_text(fit, list_code)}
    if settings.acta:
        inside = res_output.res_text(fit, residual, peaks, suggested)
        written[".cif"] = str(cif_block(fit, residual, inside))
    files = {suffix: ins.with_suffix(suffix) for suffix in written}
    for suffix, path in files.items():
        path.write_text(written[suffix], encoding="utf-8")
    say("\n".join(_console(ins.stem, fit, residual)))
    return files


def _mask_of(ins: Path, model: Model) -> str | None:
    """Text of the .fab file beside the instructions where they have ABIN; listed as not applied otherwise."""
    fab = ins.with_suffix(".fab")
    if not fab.exists():
        return None
    if model.settings.fab is None:
        model.not_applied(f"{fab.name} is not applied: the instructions have no ABIN.")
        return None
    return fab.read_text("utf-8", "replace")


def _place(model: Model, data: reflections.Reflections, corrected: Corrections) -> None:
    """Carry out HFIX with the difference density of the model as it stands."""
    notes = list(model.notes)
    before = least_squares.refine(
        model,
        data,
        least_squares.Scheme(cycles=4, weighting_kind="fixed", weights=refinement_texts.DEFAULT),
        corrections=copy.deepcopy(corrected),
    )
    model.notes = notes
    place_requested(model, density.difference_map(before))


def _banner(name: str) -> list[str]:
    line = f"+  QCrBox refine in place of SHELXL  -  smtbx of cctbx {version('cctbx-base')}"
    return [" " + "+" * 79, f" {line:<78}+", f" {'+  ' + name:<78}+", " " + "+" * 79, ""]


def _cycle_lines(fit: Fit) -> list[str]:
    n = fit.reflections.unique.size()
    lines = []
    for cycle in fit.cycles[:-1] or fit.cycles:
        p = cycle.n_parameters
        lines += [
            f" wR2 = {cycle.wr2:7.4f} before cycle {cycle.number:3d} for {n:6d} data and {p:6d} / {p:6d} parameters",
            "",
            f" GooF = S = {cycle.goof:9.3f};     Restrained GooF = {cycle.goof:10.3f}  for {fit.n_restraints:6d} restraints",
            "",
            f" Mean shift/esd = {cycle.mean_shift_su:7.3f}    Maximum = {cycle.max_shift_su:8.3f} for  {cycle.worst}",
            "",
            f" Max. shift = {cycle.max_shift_site:5.3f} A",
            "",
        ]
    return lines


def _final_lines(fit: Fit, residual: density.DifferenceMap) -> list[str]:
    n, p = fit.reflections.unique.size(), fit.n_parameters
    return [
        f" wR2 = {fit.wr2:7.4f} before cycle {len(fit.cycles):3d} for {n:6d} data and {0:6d} / {p:6d} parameters",
        f" GooF = S = {fit.goof:9.3f};     Restrained GooF = {fit.restrained_goof:10.3f}  for {fit.n_restraints:6d} restraints",
        "",
        f" R1 = {fit.r1_gt:7.4f} for {fit.n_gt:6d} Fo > 4sig(Fo)  and {fit.r1_all:7.4f} for all {n:6d} data",
        f" wR2 = {fit.wr2:7.4f},  GooF = S = {fit.goof:7.3f},  Restrained GooF = {fit.restrained_goof:8.3f}  for all data",
        "",
        f" Highest peak {residual.maximum:7.2f}, deepest hole {residual.minimum:7.2f}, "
        f"1-sigma level {residual.rms:6.2f} e/A^3",
        "",
    ]


def _console(name: str, fit: Fit, residual: density.DifferenceMap) -> list[str]:
    remarks = _remarks(fit.model)
    return [*_banner(name), *_cycle_lines(fit), *_final_lines(fit, residual), *remarks, f" {name} finished"]


def _remarks(model: Model) -> list[str]:
    """Notes, and what is not applied, as SHELXL writes warnings."""
    return [f" ** {line} **" for line in model.remarks()]


def _listing(model: Model, fit: Fit, residual, peaks, suggested) -> list[str]:
    data = fit.reflections
    r_int = "no equivalents" if data.r_int is None else f"R(int) = {data.r_int:.4f}"
    lines = [
        *_banner(model.title),
        f" {data.measured.size() + data.absent + data.omitted} Reflections read, of which {data.absent} rejected as "
        f"systematically absent, {data.omitted} omitted",
        f" {data.unique.size()} Unique reflections; {r_int}   R(sigma) = {data.r_sigma:.4f}",
        "",
        *_cycle_lines(fit),
        *_final_lines(fit, residual),
        f" Recommended weighting scheme:  WGHT {suggested[0]:10.4f} {suggested[1]:10.4f}",
        "",
        " ATOM          x         y         z       sof     U(eq/iso)",
    ]
    for i, atom in enumerate(model.atoms):
        p = fit.parametrisation.structure.parameter_map()[i]
        x, y, z = atom.site
        lines.append(f" {atom.label:<8} {x:10.5f}{y:10.5f}{z:10.5f} {atom.occupancy:8.5f} {atom.u_iso:9.5f}")
        su = fit.su[p.site : p.site + 3]
        lines.append(f" {'':<8} {su[0]:10.5f}{su[1]:10.5f}{su[2]:10.5f}")
    lines += ["", " Peak list:"]
    lines += [
        f" {q.label:<5} {q.site[0]:8.4f}{q.site[1]:8.4f}{q.site[2]:8.4f} {q.height:7.2f}  {q.distance:5.2f} {q.nearest}"
        for q in peaks
    ]
    return [*lines, "", *_remarks(model)]


def main(arguments: list[str] | None = None) -> int:
    """`shelxl name`: options beginning with `-` are accepted and ignored."""
    names = [word for word in (sys.argv[1:] if arguments is None else arguments) if not word.startswith("-")]
    if len(names) != 1:
        sys.stderr.write("Usage: shelxl name    (reads name.ins and name.hkl)\n")
        return 2
    stem = Path(names[0])
    try:
        refine_shelx_files(stem if stem.suffix == ".ins" else stem.with_name(stem.name + ".ins"))
    except QcError as error:
        say(f" ** {error.message} **")
        return 1
    except FileNotFoundError as error:
        say(f" ** CANNOT OPEN FILE {error.filename} **")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
