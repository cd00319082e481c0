"""The least squares of a Hirshfeld atom refinement: runs in the process with cctbx.

It keeps model and reflections between the rounds, so that a round costs no reading and no start-up.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.tsc import FormFactorTable
from qcrbox_refine import (
    aspherical,
    cif_output,
    density,
    fcf,
    least_squares,
    reflections,
    res_output,
    scattering,
    weighting,
)
from qcrbox_refine.edits import make_anisotropic, make_isotropic, make_riding
from qcrbox_refine.fit import Fit, u_cif_su
from qcrbox_refine.model import LeftOut, Model
from qcrbox_refine.refinement import Options, Result, refine_files, write_cif, write_peaks
from qcrbox_refine.riding_groups import assign_riding_groups

TABLE = "har.tsc"
_PASSING = ("Not positive definite", "Occupancies that", "Finished, but not converged", "Not refined")


@dataclass
class _Session:
    """What lives between calls.

    before: the parameters from which the changes of the next round are measured; found, earlier: those of the last two
    rounds, empty where there were none.
    """

    model: Model
    data: reflections.Reflections
    options: Options
    iam: dict[str, Any]
    fit: Fit
    before: dict[str, Any]
    earlier: dict[str, Any] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)
    residual: density.DifferenceMap | None = None
    notes: list[str] = field(default_factory=list)


_session: _Session | None = None


def start(structure: str, hkl: str | None, options: dict[str, Any], cif: str) -> dict[str, Any]:
    """Refine with spherical atoms first, write that model as a CIF, and keep it.

    Returns `summary` of the fit, `hkl` (k, 3): every index a table needs a row for, `remarks` on the input for `resume`.
    """
    global _session
    chosen = Options(**options)
    result = refine_files(structure, hkl, chosen)
    _refuse_other_radiation(result.model)
    write_cif(result, cif)
    data = result.fit.reflections
    _session = _Session(result.model, data, chosen, {}, result.fit, {})
    _session.iam = summary(result)
    _session.notes = _lasting(result)
    _session.before = _parameters(result.fit)
    return {"summary": _session.iam, "hkl": _needed(_session), "remarks": _remarks(_session)}


def _refuse_other_radiation(model: Model) -> None:
    radiation = scattering.radiation_of(model)
    if radiation is not scattering.Radiation.XRAY:
        raise UserInputError(
            f"the data are {radiation} data.",
            where="_diffrn_radiation_probe",
            why="Aspherical form factors are those of the electron density, which X-rays see.",
            next="Refine them with refine_iam, or correct the item of the CIF.",
        )


def resume(
    model: str, hkl: str | None, options: dict[str, Any], remarks: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Begin from a model that `write_model` wrote, without refining it. Returns `hkl` as `start` does.

    remarks: those of `start`. The model that was written lacks what its input had and was not applied, and the instructions
    in it are the program's own.
    """
    global _session
    still = options | {"cycles": 0, "weighting": "keep", "edits": "", "hydrogens": "keep"}
    result = refine_files(model, hkl, Options(**still))
    _session = _Session(result.model, result.fit.reflections, Options(**options), {}, result.fit, {})
    if remarks is None:
        _session.notes = _lasting(result)
    else:
        _session.notes, result.model.kinds = remarks["notes"], remarks["kinds"]
        result.model.left_out = [LeftOut(text, why) for text, why in remarks["left_out"]]
        result.model.notes = list(_session.notes)
    _session.before = _parameters(result.fit)
    return {"hkl": _needed(_session)}


def _remarks(session: _Session) -> dict[str, Any]:
    """Remarks on the input, as plain data."""
    model = session.model
    left_out = [(entry.text, entry.why) for entry in model.left_out]
    return {"notes": session.notes, "kinds": model.kinds, "left_out": left_out}


def _lasting(result: Result) -> list[str]:
    """Notes on the input; those on the state of a fit belong to that fit."""
    return [note for note in result.model.notes if not note.startswith(_PASSING)]


def _needed(session: _Session) -> np.ndarray:
    """Rows (k, 3) that a table must have."""
    model = session.model
    centric = model.symmetry.space_group().is_centric()
    return aspherical.needed_indices(session.data, centric, aspherical.rotations_of(model))


def move(sites: dict[str, tuple[float, float, float]]) -> None:
    """Put atoms at fractional coordinates, by label."""
    session = _current()
    cell = session.model.symmetry.unit_cell()
    for atom in session.model.atoms:
        if atom.label in sites:
            atom.site = tuple(sites[atom.label])
            _, *rest, _ = session.before[atom.label]
            session.before[atom.label] = (np.array(atom.site), *rest, np.array(cell.orthogonalize(atom.site)))


def treat_hydrogens(choice: str) -> None:
    """`anisotropic`, `isotropic`, `riding` or `keep` from now on. Riding ones keep the X-H distances they have now.

    Hydrogen atoms that ride in a small part of a disorder (below 0.5) keep riding: they cannot carry parameters.
    """
    model = _current().model
    for atom in model.atoms:
        if not atom.is_hydrogen or choice == "keep":
            continue
        if choice == "riding":
            make_riding(atom)
        elif not (atom.riding and atom.occupancy < 0.5):
            atom.release()
            if choice == "anisotropic":
                make_anisotropic(model, atom)
            else:
                make_isotropic(atom)
    assign_riding_groups(model)
    _keep_distances(model)


def _keep_distances(model: Model) -> None:
    """Give each riding group the mean X-H distance it has, instead of the shorter one of spherical atoms."""
    cell = model.symmetry.unit_cell()
    lengths: dict[int, list[float]] = {}
    groups = {}
    for atom in model.atoms:
        group = atom.group
        if atom.is_hydrogen and group is not None and group.rides and group.pivot is not None:
            groups[id(group)] = group
            lengths.setdefault(id(group), []).append(cell.distance(atom.site, group.pivot.site))
    for key, group in groups.items():
        group.distance = float(np.mean(lengths[key]))


def round_(
    labels: list[str], hkl: np.ndarray, values: np.ndarray, cycles: int, optimise_weights: bool
) -> dict[str, Any]:
    """One refinement against a table of form factors.

    labels: n atoms; values (k, n) complex for hkl (k, 3). Atoms without a column keep the spherical form
    factor. Returns the summary, positions by label, the largest change against the round before, the wall clock of the
    whole (`seconds`) and the processor time of one cycle (`step_seconds`).
    """
    session = _current()
    started = time.perf_counter()
    # What an earlier round had to say does not belong to the result of this one.
    session.model.notes = list(session.notes)
    table = FormFactorTable(labels, hkl.astype(np.int32), values, {"SYMM": "expanded"})
    atoms = aspherical.aspherical_atoms(table, session.model, session.data)
    Path(atoms.path).replace(TABLE)
    atoms.path = TABLE
    kind, weights = weighting.parse_weighting(session.options.weighting)
    if kind == "optimise" and not optimise_weights:
        kind = "keep"
    fitting = time.process_time()
    fit = least_squares.refine(
        session.model,
        session.data,
        least_squares.Scheme(
            cycles=cycles,
            weighting_kind=kind,
            weights=weights,
            refine_occupancies=session.options.occupancies == "refine",
        ),
        corrections=session.fit.corrections,
        structure_factors=atoms,
    )
    step_s = (time.process_time() - fitting) / len(fit.cycles)
    after = _parameters(fit)
    moved = _largest_change(session.before, after)
    session.fit, session.earlier, session.before = fit, session.found, after
    session.found = dict(after)
    return {
        "summary": summary_of_fit(fit),
        "sites": {atom.label: atom.site for atom in session.model.atoms},
        "moved": moved,
        "seconds": time.perf_counter() - started,
        "step_seconds": step_s,
    }


def look_ahead(share: float) -> dict[str, tuple[float, float, float]]:
    """Measure the changes of the next round from where the last one leads: its parameters and `share` of its change.

    Returns the predicted fractional coordinates by label; the model itself stays. Empty before the second round.
    """
    session = _current()
    predicted = {}
    for label, (site, site_su, u, u_su, cartesian) in session.found.items():
        if label not in session.earlier:
            continue
        old_site, _, old_u, _, old_cartesian = session.earlier[label]
        ahead = u + share * (u - old_u) if len(u) == len(old_u) else u
        there = cartesian + share * (cartesian - old_cartesian)
        session.before[label] = (site + share * (site - old_site), site_su, ahead, u_su, there)
        predicted[label] = tuple(float(x) for x in session.before[label][0])
    return predicted


def _parameters(fit: Fit) -> dict[str, Any]:
    """Sites and displacements with s.u. of every atom, for comparing rounds."""
    structure = fit.parametrisation.structure
    cell = structure.unit_cell()
    found = {}
    for i, (atom, place) in enumerate(zip(fit.model.atoms, structure.parameter_map(), strict=True)):
        site_su = np.array(fit.su[place.site : place.site + 3]) if place.site >= 0 else np.zeros(3)
        if atom.u_aniso is not None:
            u, u_su = np.array(atom.u_aniso), np.array(u_cif_su(fit, i))
        else:
            u = np.array([atom.u_iso])
            u_su = np.array([fit.su[place.u_iso]]) if place.u_iso >= 0 else np.zeros(1)
        found[atom.label] = (np.array(atom.site), site_su, u, u_su, np.array(cell.orthogonalize(atom.site)))
    return found


def _largest_change(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Largest move in Å and largest change of any parameter in its s.u., with the atom's name."""
    far, ratio, worst, farthest = 0.0, 0.0, "", ""
    for label, (site, site_su, u, u_su, cartesian) in after.items():
        if label not in before:
            continue
        old_site, _, old_u, _, old_cartesian = before[label]
        distance = float(np.linalg.norm(cartesian - old_cartesian))
        if distance > far:
            far, farthest = distance, label
        changes = [_ratio(site - old_site, site_su)]
        if len(old_u) == len(u):
            changes.append(_ratio(u - old_u, u_su))
        if max(changes) > ratio:
            ratio, worst = max(changes), label
    return {"distance": far, "farthest": farthest, "ratio": ratio, "worst": worst}


def _ratio(change: np.ndarray, su: np.ndarray) -> float:
    known = su > 0
    return float(np.abs(change[known] / su[known]).max(initial=0.0))


def summary(result: Result) -> dict[str, Any]:
    """Figures of a refinement: those of the fit, and extremes of the residual density in e Å⁻³."""
    return summary_of_fit(result.fit) | _residual(result.residual)


def summary_of_fit(fit: Fit) -> dict[str, Any]:
    """Figures of a fit: R1, wR2, S, number of parameters and reflections, largest shift over s.u."""
    return {
        "R1": fit.r1_gt,
        "R1_all": fit.r1_all,
        "wR2": fit.wr2,
        "S": fit.goof,
        "parameters": fit.n_parameters,
        "reflections": fit.reflections.unique.size(),
        "weights": fit.weights,
        "max_shift_su": fit.cycles[-1].max_shift_su,
        "converged": fit.converged,
        "d_min": fit.reflections.unique.d_min(),
    }


def _residual(residual: density.DifferenceMap) -> dict[str, Any]:
    return {"max": residual.maximum, "min": residual.minimum, "rms": residual.rms}


def finish(outputs: dict[str, str]) -> dict[str, Any]:
    """Write the refined model: `cif`, `res`, `fcf`, `peaks` as paths. Returns the summary with the residual density and the remarks."""
    session = _current()
    fit = session.fit
    residual = density.difference_map(fit)
    peaks = density.peaks(residual, session.model)
    res = res_output.res_text(fit, residual, peaks)
    result = Result(fit, residual, peaks, res, session.model)
    write_cif(result, outputs["cif"])
    Path(outputs["res"]).write_text(res, encoding="utf-8")
    Path(outputs["fcf"]).write_text(fcf.fcf_text(fit), encoding="utf-8")
    write_peaks(result, outputs["peaks"])
    session.residual = residual
    return summary(result) | {"remarks": session.model.remarks_by_kind()}


def residual_at(fractional: np.ndarray) -> np.ndarray:
    """Residual density (m,) in e/Å³ at fractional coordinates (m, 3), linear between the points of its grid."""
    session = _current()
    assert session.residual is not None, "finish comes first"
    grid = session.residual.grid.as_numpy_array()
    place = (fractional % 1.0) * np.array(grid.shape)
    low = np.floor(place).astype(np.int64)
    share = place - low
    total = np.zeros(len(fractional))
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(np.array(corner) == 1, share, 1 - share), axis=1)
        i, j, k = ((low + np.array(corner)) % np.array(grid.shape)).T
        total += weight * grid[i, j, k]
    return total


def observed(structure: str, hkl: str | None, options: dict[str, Any]) -> dict[str, Any]:
    """Merged reflections of a model that is not refined: hkl (k, 3), squares and sigma (k,) of F² on the data's scale,
    dispersion: f' + i f'' by element, remarks: (kind, text) on the input, with the corrections that amplitudes do without.

    Raises UserInputError for twins and other sums of reflections, which are no amplitudes of one crystal.
    """
    still = options | {"cycles": 0, "weighting": "keep", "hydrogens": "keep"}
    result = refine_files(structure, hkl, Options(**still))
    _refuse_other_radiation(result.model)
    unique, corrections = result.fit.reflections.unique, result.fit.corrections
    if corrections.domains.kind != "single" or result.fit.reflections.grouped:
        raise UserInputError(
            "the intensities are sums over several domains (TWIN, BASF, HKLF 5).",
            why="A wavefunction is fitted to amplitudes of one crystal.",
            next="Give reflections of one domain: refine the twin, and give a list without overlaps.",
        )
    without = {
        "Extinction": corrections.extinction,
        "The solvent mask (ABIN)": corrections.mask,
        "Bulk solvent (SWAT)": corrections.solvent,
    }
    found = {}
    for scatterer in result.fit.parametrisation.structure.scatterers():
        found[scatterer.element_symbol()] = complex(scatterer.fp, scatterer.fdp)
    return {
        "hkl": np.array(unique.indices(), dtype=np.int64),
        "squares": np.array(unique.data()),
        "sigma": np.array(unique.sigmas()),
        "dispersion": found,
        "remarks": [
            *(
                ("not_applied", f"{what}: amplitudes are taken as they are measured.")
                for what, there in without.items()
                if there
            ),
            *(remark for remark in result.model.remarks_by_kind() if not remark[1].startswith(_PASSING)),
        ],
    }


def write_model(cif: str) -> None:
    """The model as it stands, for a checkpoint: coordinates, displacements, reflections."""
    Path(cif).write_text(str(cif_output.model_block(_current().model)), encoding="utf-8")


def _current() -> _Session:
    assert _session is not None, "start comes first"
    return _session
