"""Reflections computed from a table of form factors: runs in the process with cctbx."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from cctbx import miller
from cctbx.array_family import flex
from qcrbox.crystallography.tsc import FormFactorTable, write_tsc
from qcrbox_har import refine_side
from qcrbox_refine.refinement import load_model
from smtbx.structure_factors import direct

# At Mo Kα, electrons (International Tables, volume C, table 4.2.6.8).
DISPERSION = {
    "H": (0.0, 0.0),
    "C": (0.0033, 0.0016),
    "N": (0.0061, 0.0033),
    "O": (0.0106, 0.0060),
    "Cl": (0.1484, 0.1585),
}


def indices(cif: str, d_min: float) -> tuple[np.ndarray, np.ndarray]:
    """Unique reflections (n, 3), and the rows (k, 3) that a table for them needs."""
    model = load_model(cif)
    unique = miller.build_set(model.symmetry, anomalous_flag=True, d_min=d_min).indices()
    own = np.array(unique, dtype=np.int64)
    rotations = [np.array(op.r().num()).reshape(3, 3) for op in model.symmetry.space_group().smx()]
    return own, np.unique(np.concatenate([own @ r for r in rotations]), axis=0)


def write_hkl(
    cif: str,
    hkl: np.ndarray,
    labels: list[str],
    rows: np.ndarray,
    values: np.ndarray,
    path: str,
    noise: float,
    seed: int,
    mates: bool = False,
) -> None:
    """F² of the model with these form factors, f' and f'' of the model included, as HKLF 4 with Gaussian noise.

    noise: s.u. as a part of F² beside a constant of the mean's hundredth; mates: Friedel mates share their noise.
    """
    f2 = exact_squares(cif, hkl, labels, rows, values)
    sigma = noise * (f2 + 0.01 * f2.mean())
    measured = f2 + np.random.default_rng(seed).normal(0, 1, len(f2))[_kinds(cif, hkl, mates)] * sigma
    scale = 9000 / f2.max()
    lines = [
        "".join(f"{index:4d}" for index in h) + f"{i * scale:8.2f}{max(s * scale, 0.01):8.2f}"
        for h, i, s in zip(hkl.tolist(), measured.tolist(), sigma.tolist(), strict=True)
    ]
    Path(path).write_text("\n".join([*lines, "   0   0   0    0.00    0.00", ""]))


def exact_squares(
    cif: str, hkl: np.ndarray, labels: list[str], rows: np.ndarray, values: np.ndarray
) -> np.ndarray:
    """F² (n,) of the model with these form factors, and f' and f'' of DISPERSION."""
    structure = load_model(cif).structure()
    for scatterer in structure.scatterers():
        scatterer.fp, scatterer.fdp = DISPERSION[scatterer.element_symbol()]
    table = FormFactorTable(
        labels, rows.astype(np.int32), values, {"TITLE": "t", "SYMM": "expanded", "AD": "FALSE"}
    )
    Path("simulated.tsc").write_bytes(write_tsc(table))
    calculate = direct.f_calc_modulus_squared(structure, table_file_name="simulated.tsc")
    squares = []
    for index in flex.miller_index([tuple(map(int, h)) for h in hkl]):
        calculate.evaluate(index)
        squares.append(calculate.observable)
    return np.array(squares)


def _kinds(cif: str, hkl: np.ndarray, mates: bool) -> np.ndarray:
    """Number of the noise that a reflection gets: its own, or one that it shares with its Friedel mate (mates)."""
    if not mates:
        return np.arange(len(hkl))
    symmetry = load_model(cif).symmetry
    single = miller.set(symmetry, flex.miller_index([tuple(map(int, h)) for h in hkl]), anomalous_flag=False)
    unique = np.array(single.map_to_asu().indices())
    return np.unique(unique, axis=0, return_inverse=True)[1].ravel()


def scatter(
    cif: str, hkl: np.ndarray, labels: list[str], rows: np.ndarray, values: np.ndarray, runs: int
) -> dict:
    """(found - true) / s.u. of all coordinates and displacements of refinements against a fixed table, one for each seed.

    Returns `ratios` (runs, parameters) and `goof` (runs,). Noise is common to Friedel mates.
    """
    ratios, goof = [], []
    for seed in range(1, runs + 1):
        write_hkl(cif, hkl, labels, rows, values, "noisy.hkl", 0.02, seed, mates=True)
        refine_side.resume(cif, "noisy.hkl", {"weighting": "0, 0"})
        truth = refine_side._current().before
        found = refine_side.round_(labels, rows, values, 10, False)
        goof.append(found["summary"]["S"])
        after = refine_side._current().before
        row = []
        for label, (site, site_su, u, u_su, _) in after.items():
            old_site, _, old_u, *_ = truth[label]
            for new, old, su in ((site, old_site, site_su), (u, old_u, u_su)):
                known = su > 1e-9
                row += ((new - old)[known] / su[known]).tolist()
        ratios.append(row)
    return {"ratios": np.array(ratios), "goof": np.array(goof)}
