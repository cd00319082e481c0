"""Refine one published structure as its file says, and compare with the values in the file; prints JSON.

Runs in a separate process, so that a crash or an endless refinement spoils one row of the table only.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "app_images" / "refine"))

from qcrbox.contract.errors import QcError
from qcrbox_refine.absolute_structure import flack
from qcrbox_refine.cif_block import CifBlock, value_and_su
from qcrbox_refine.fit import Fit, u_cif_su
from qcrbox_refine.hkl_file import HklText
from qcrbox_refine.refinement import Options, Result, load_model, refine_model

_TENSOR = ("U_11", "U_22", "U_33", "U_12", "U_13", "U_23")
_STATED = {
    "reflections": "_refine_ls_number_reflns",
    "parameters": "_refine_ls_number_parameters",
    "restraints": "_refine_ls_number_restraints",
    "r1": "_refine_ls_R_factor_gt",
    "r1_all": "_refine_ls_R_factor_all",
    "wr2": "_refine_ls_wR_factor_ref",
    "s": "_refine_ls_goodness_of_fit_ref",
    "restrained_s": "_refine_ls_restrained_S_all",
    "r_int": "_diffrn_reflns_av_R_equivalents",
    "density_max": "_refine_diff_density_max",
    "density_min": "_refine_diff_density_min",
    "flack": "_refine_ls_abs_structure_Flack",
    "extinction": "_refine_ls_extinction_coef",
    "shift": "_refine_ls_shift/su_max",
}


def rows_of(path: Path, hkl: Path | None) -> dict:
    """Row of one CIF. A file whose reflections have wider columns than SHELXL cuts them at has a second row inside, `cut`:
    its published fit is one to the cut numbers.
    """
    row = compare(path, hkl)
    block = load_model(str(path)).source
    text = hkl.read_text("utf-8", "replace") if hkl else block.text("_shelx_hkl_file") if block else None
    program = (block.text("_computing_structure_refinement") or "") if block else ""
    if not text or "SHELXL" not in program.upper() or re.search(r"^\s*data_", text, re.MULTILINE):
        return row
    if HklText.split(text).rows(path.name).fixed:
        return row
    with tempfile.TemporaryDirectory() as folder:
        cut = Path(folder) / "cut.hkl"
        cut.write_text(cut_at_columns(text))
        return row | {"cut": compare(path, cut) | {"name": f"{path.stem}, columns cut"}}


def cut_at_columns(text: str) -> str:
    """The reflections as SHELXL reads lines of any width: F² in columns 13 to 20, σ in 21 to 28, nothing is 0, whole numbers
    stay. A σ of 0 becomes 0.01.
    """
    lines = []
    for line in HklText.split(text).lines:
        value, sigma = (
            float(field) if field.strip(" -") else 0.0 for field in (line[12:20], line[20:28].ljust(1))
        )
        lines.append(f"{line[:12]}{value:8.2f}{max(sigma, 0.01):8.2f}")
    return "\n".join([*lines, "   0   0   0    0.00    0.00", ""])


def compare(path: Path, hkl: Path | None) -> dict:
    """Row of the table for one CIF: `stated` and `found` values, deviations in s.u. of the file, ratios of s.u."""
    model = load_model(str(path))
    stated = {}
    if model.source is not None:
        for name, item in _STATED.items():
            number = model.source.number(item)
            stated[name] = number[0] if number else None
    result = refine_model(model, str(hkl) if hkl else None, Options(weighting="keep", cycles=25))
    row = {"stated": stated, "found": _found(result), "notes": result.model.notes}
    cutoff = _cutoff(model.source.text("_reflns_threshold_expression")) if model.source else 2.0
    row["found"]["r1"] = result.fit.equations.r1(cutoff)[0]
    if model.source is not None:
        row |= _parameters(result.fit, model.source)
    return row


def _cutoff(expression: str | None) -> float:
    """I/σ(I) of `_reflns_threshold_expression`: 3 of `I>3\\s(I)`, 2 of `F>4\\s(F)`; 2 where nothing is said."""
    match = re.search(r"([IF])\S*\s*>=?\s*(\d+\.?\d*)", expression or "")
    if not match:
        return 2.0
    return float(match[2]) / (2.0 if match[1] == "F" and "^2" not in expression else 1.0)


def _found(result: Result) -> dict:
    fit = result.fit
    hand = flack(fit)
    return {
        "reflections": fit.reflections.unique.size(),
        "parameters": fit.n_parameters,
        "restraints": fit.n_restraints,
        "r1": fit.r1_gt,
        "r1_all": fit.r1_all,
        "wr2": fit.wr2,
        "s": fit.goof,
        "restrained_s": fit.restrained_goof,
        "r_int": fit.reflections.r_int,
        "density_max": result.residual.maximum,
        "density_min": result.residual.minimum,
        "flack": hand.x if hand else None,
        "flack_su": hand.su if hand else None,
        "extinction": fit.extinction[0] if fit.extinction else None,
        "shift": fit.cycles[-1].max_shift_su,
        "converged": fit.converged,
    }


def _parameters(fit: Fit, source: CifBlock) -> dict:
    """Largest deviation of coordinates and U from the file, in its s.u., and the ratio of our s.u. to its."""
    places = fit.parametrisation.structure.parameter_map()
    sites = _table(source, "_atom_site_label", [f"_atom_site_fract_{axis}" for axis in "xyz"])
    tensors = _table(source, "_atom_site_aniso_label", [f"_atom_site_aniso_{name}" for name in _TENSOR])
    position, displacement = [], []
    for i, atom in enumerate(fit.model.atoms):
        su = fit.su[places[i].site : places[i].site + 3]
        position += _pairs(atom.label, "xyz", atom.site, su, sites.get(atom.label.upper()))
        if atom.u_aniso is not None:
            own = u_cif_su(fit, i)
            displacement += _pairs(atom.label, _TENSOR, atom.u_aniso, own, tensors.get(atom.label.upper()))
    return {"position": _summary(position), "displacement": _summary(displacement)}


def _table(source: CifBlock, label: str, names: list[str]) -> dict[str, list[str]]:
    labels, columns = source.column(label), [source.column(name) for name in names]
    if not labels or None in columns:
        return {}
    return {key.upper(): list(row) for key, *row in zip(labels, *columns, strict=True)}


def _pairs(label, names, values, su, texts) -> list[tuple[float, float, float, str]]:
    """(deviation in s.u. of the file, our s.u. and its in its last digit, name) of every value with an s.u. in the file."""
    found = []
    for name, value, own, text in zip(names, values, su, texts or (), strict=False):
        number = value_and_su(text)
        if number and number[1] > 0:
            digits = float(re.search(r"\((\d+)\)", text).group(1)) if "(" in text else 10.0
            ours = float(own) / number[1] * digits
            found.append((abs(value - number[0]) / number[1], ours, digits, f"{label} {name}"))
    return found


def _summary(rows: list[tuple[float, float, float, str]]) -> dict | None:
    """The ratio of s.u. is one of sums in the last digits of the file: rounding to (2) or (19) averages out."""
    if not rows:
        return None
    worst = max(rows)
    return {
        "count": len(rows),
        "largest": worst[0],
        "where": worst[3],
        "su_ratio": sum(row[1] for row in rows) / sum(row[2] for row in rows),
        # Rounding of a last digit is uniform within ±0.5: r.m.s. 0.29.
        "su_rounding": 0.29 * len(rows) ** 0.5 / sum(row[2] for row in rows),
    }


def main(arguments: list[str]) -> int:
    path, hkl = Path(arguments[0]), Path(arguments[1]) if len(arguments) > 1 else None
    log = io.StringIO()
    start = time.monotonic()
    try:
        with contextlib.redirect_stdout(log):
            row = rows_of(path, hkl)
    except QcError as error:
        row = {"refused": str(error.message)}
    row |= {"name": path.stem, "seconds": round(time.monotonic() - start, 1)}
    sys.stdout.write(json.dumps(row) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
