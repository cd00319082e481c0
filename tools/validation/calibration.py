"""Are the s.u. true? Scatter of many noisy refinements of one known crystal, over the s.u. that they report.

The crystals are computed by plain sums apart from the refinement (app_images/refine/tests/truth.py).
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_REFINE = Path(__file__).resolve().parents[2] / "app_images" / "refine"
sys.path[:0] = [str(_REFINE), str(_REFINE / "tests")]

from cctbx import crystal  # noqa: E402
from qcrbox_refine import least_squares, reflections, weighting  # noqa: E402
from qcrbox_refine.absolute_structure import flack  # noqa: E402
from qcrbox_refine.corrections import prepare_corrections  # noqa: E402
from qcrbox_refine.fit import Fit  # noqa: E402
from qcrbox_refine.geometry import cell_covariance  # noqa: E402
from qcrbox_refine.refinement import load_model  # noqa: E402
from truth import Truth, hkl_text, noisy, write  # noqa: E402

_NOISE, _D_MIN, _NEAR = 0.03, 1.0, 3.2


@dataclass(frozen=True)
class Case:
    """name of the row; truth; cards of the .ins; data: (truth, seed) → indices, intensities, s.u.;
    differences_of_mates: whether the noise leaves them meaning, as the Flack parameter needs.
    """

    name: str
    truth: Truth
    cards: tuple[str, ...]
    data: Callable[[Truth, int], tuple[np.ndarray, np.ndarray, np.ndarray]]
    differences_of_mates: bool = False


@dataclass
class Calibration:
    """Root mean squares of (found - true) / s.u. over all refinements; 1 is right. flack, fraction: None where none is."""

    name: str
    runs: int
    parameters: float
    distances: float
    angles: float
    goof: float
    flack: float | None = None
    fraction: float | None = None


def _independent(truth: Truth, seed: int):
    hkl = truth.indices(_D_MIN)
    return hkl, *noisy(np.abs(truth.f(hkl)) ** 2, _NOISE, seed)


def _common_to_mates(truth: Truth, seed: int):
    """Noise that Friedel mates share, as absorption and most errors of a model are."""
    hkl = truth.indices(_D_MIN)
    rotations = [r for r, _ in truth.operations()]
    keys: dict[tuple, int] = {}
    numbers = []
    for h in hkl:
        images = [tuple(int(x) for x in sign * (h @ r)) for r in rotations for sign in (1, -1)]
        numbers.append(keys.setdefault(max(images), len(keys)))
    return hkl, *noisy(np.abs(truth.f(hkl)) ** 2, _NOISE, seed, np.array(numbers))


def _twinned(truth: Truth, seed: int):
    hkl = truth.indices(_D_MIN)
    law = np.array([[0, 1, 0], [1, 0, 0], [0, 0, -1]])
    exact = 0.7 * np.abs(truth.f(hkl)) ** 2 + 0.3 * np.abs(truth.f(hkl @ law.T)) ** 2
    return hkl, *noisy(exact, _NOISE, seed)


def _merged(truth: Truth, seed: int):
    """Three measurements of every reflection at equivalents, each with its own noise."""
    hkl = truth.indices(_D_MIN)
    rotations = [r for r, _ in truth.operations()]
    equivalents = [hkl, hkl @ rotations[1], -hkl]
    parts = [noisy(np.abs(truth.f(h)) ** 2, _NOISE, 1000 * seed + i) for i, h in enumerate(equivalents)]
    return (
        np.vstack(equivalents),
        np.concatenate([values for values, _ in parts]),
        np.concatenate([sigma for _, sigma in parts]),
    )


CASES = {
    "centrosymmetric": Case("centrosymmetric, P 2₁/c, Fe", Truth("P 21/c", "Fe"), (), _independent),
    "common": Case(
        "non-centrosymmetric, P 2₁, Br, noise common to Friedel mates",
        Truth("P 21", "Br"),
        (),
        _common_to_mates,
    ),
    "independent": Case(
        "the same, noise of mates independent (Flack parameter)", Truth("P 21", "Br"), (), _independent, True
    ),
    "twinned": Case(
        "merohedral twin, P 4/m, Br, share 0.3",
        Truth("P 4/m", "Br"),
        ("TWIN 0 1 0 1 0 0 0 0 -1 2", "BASF 0.3"),
        _twinned,
    ),
    "merged": Case("three equivalents merged, P 2₁/c, Fe", Truth("P 21/c", "Fe"), (), _merged),
}


def calibrate(case: Case, runs: int) -> Calibration:
    """Refine `runs` noisy data sets of the case, each from the true model."""
    parameters, distances, angles, goofs, hands, fractions = [], [], [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, runs + 1):
            fit = _refined(case, seed, Path(folder))
            parameters += _parameters(fit, case.truth)
            for kind, found in (("distances", distances), ("angles", angles)):
                found += _derived(fit, case.truth, kind)
            goofs.append(fit.goof)
            hand = flack(fit) if case.differences_of_mates else None
            if hand:
                hands.append(hand.x / hand.su)
            if fit.corrections.domains.fractions:
                fractions.append((fit.corrections.domains.fractions[0] - 0.3) / fit.correction_su["BASF 1"])
    return Calibration(
        case.name,
        runs,
        _rms(parameters),
        _rms(distances),
        _rms(angles),
        float(np.mean(goofs)),
        _rms(hands) if hands else None,
        _rms(fractions) if fractions else None,
    )


def _rms(values: list[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _refined(case: Case, seed: int, folder: Path) -> Fit:
    hkl, values, sigma = case.data(case.truth, seed)
    ins, data = write(folder, case.truth.ins(*case.cards), hkl_text(hkl, values, sigma))
    with contextlib.redirect_stdout(io.StringIO()):
        model = load_model(ins)
        read = reflections.prepare(model, data)
        return least_squares.refine(
            model,
            read,
            least_squares.Scheme(weighting_kind="fixed", weights=weighting.SIGMA),
            corrections=prepare_corrections(model, read),
        )


def _parameters(fit: Fit, truth: Truth) -> list[float]:
    places = fit.parametrisation.structure.parameter_map()
    found = []
    for i, (atom, (_, _, site, u)) in enumerate(zip(fit.model.atoms, truth.atoms, strict=True)):
        su = fit.su[places[i].site : places[i].site + 3]
        found += [(x - y) / s for x, y, s in zip(atom.site, site, su, strict=True) if s > 1e-9]
        found.append((atom.u_iso - u) / fit.su[places[i].u_iso])
    return found


def _derived(fit: Fit, truth: Truth, kind: str) -> list[float]:
    """(found - true) / s.u. of all distances below 3.2 Å, or of the angles between them, cell s.u. left out."""
    structure = fit.parametrisation.structure
    exact = structure.deep_copy_scatterers()
    for scatterer, (_, _, site, _) in zip(exact.scatterers(), truth.atoms, strict=True):
        scatterer.site = site
    table = crystal.pair_asu_table(exact.asu_mappings(buffer_thickness=_NEAR + 1))
    table.add_all_pairs(distance_cutoff=_NEAR)
    options = {
        "covariance_matrix": fit.covariance,
        "cell_covariance_matrix": cell_covariance(fit),
        "parameter_map": structure.parameter_map(),
    }
    make = crystal.calculate_distances if kind == "distances" else crystal.calculate_angles
    value = "distance" if kind == "distances" else "angle"
    true = [getattr(row, value) for row in make(table, exact.sites_frac())]
    found = [
        (getattr(row, value), row.variance or 0.0) for row in make(table, structure.sites_frac(), **options)
    ]
    return [(x - y) / v**0.5 for (x, v), y in zip(found, true, strict=True) if v > 1e-14]


def table(runs: int) -> str:
    """Markdown of all cases."""
    lines = [
        "| crystal and noise | runs | coordinates, U | distances | angles | mean S | Flack | twin share |\n",
        "|---|---|---|---|---|---|---|---|\n",
    ]
    for case in CASES.values():
        found = calibrate(case, runs)
        hand, fraction = (f"{x:.2f}" if x else "-" for x in (found.flack, found.fraction))
        lines.append(
            f"| {found.name} | {runs} | {found.parameters:.3f} | {found.distances:.3f} | {found.angles:.3f} | "
            f"{found.goof:.3f} | {hand} | {fraction} |\n"
        )
    return "".join(lines)
