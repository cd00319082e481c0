"""Twins refined with tables of form factors by the command, on data that plain sums give for atoms that are not free atoms."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest
import refine_commands
from qcrbox.crystallography.tsc import FormFactorTable, write_tsc, write_tscb
from qcrbox_refine.refinement import Options, refine_files, write_cif
from truth import FORM, Truth, hkl_text, noisy, write

# Contracted carbon and expanded oxygen: b of each Gaussian scaled, so that f(0) stays the number of electrons.
BOUND = FORM | {
    element: tuple(x * scale if i % 2 and i < 8 else x for i, x in enumerate(FORM[element]))
    for element, scale in (("C", 0.8), ("O", 1.25))
}
TWINS = [
    ("P 4/m", (0, 1, 0, 1, 0, 0, 0, 0, -1), 2, 0.27),
    ("P 21", (-1, 0, 0, 0, -1, 0, 0, 0, -1), 2, 0.35),
    ("P 4", (0, 1, 0, 1, 0, 0, 0, 0, -1), 2, 0.2),
]


def free_part(coefficients: tuple[float, ...], s2: np.ndarray) -> np.ndarray:
    """Σ a exp(-b s²) + c, without dispersion."""
    gaussians = (coefficients[i] * np.exp(-coefficients[i + 1] * s2) for i in range(0, 8, 2))
    return sum(gaussians) + coefficients[8]


def table_of(truth: Truth) -> FormFactorTable:
    """Every index of the sphere and of its images by the twin law."""
    limit = [int(length / 0.85) + 1 for length in truth.cell[:3]]
    hkl = np.array(np.meshgrid(*(np.arange(-n, n + 1) for n in limit), indexing="ij")).reshape(3, -1).T
    values = np.array(
        [free_part(truth.form[element], truth.stol_sq(hkl)) for _, element, _, _ in truth.atoms]
    )
    labels = [label for label, *_ in truth.atoms]
    return FormFactorTable(labels, hkl.astype(np.int32), values.T.astype(complex), {"SYMM": "expanded"})


@pytest.fixture
def bound_twin(tmp_path, monkeypatch, request):
    """Truth, share, and S of a refinement with spherical atoms; its result is twin.cif with the reflections."""
    monkeypatch.chdir(tmp_path)
    group, law, n, share = request.param
    truth = Truth(group, "Br", form=BOUND)
    hkl, matrix = truth.indices(), np.array(law, float).reshape(3, 3)
    intensity = (1 - share) * np.abs(truth.f(hkl)) ** 2 + share * np.abs(truth.f(hkl @ matrix.T)) ** 2
    cards = (f"TWIN {' '.join(map(str, law))} {n}", "BASF 0.15")
    values, sigma = noisy(intensity, 0.01, 1)
    files = write(tmp_path, truth.ins(*cards, shift=0.002), hkl_text(hkl, values, sigma))
    result = refine_files(*files, Options(weighting="keep", cycles=20))
    write_cif(result, "twin.cif")
    return truth, share, result.fit.goof


@pytest.mark.parametrize(
    ("bound_twin", "write_table"),
    [(TWINS[0], write_tsc), (TWINS[1], write_tscb), (TWINS[2], write_tsc)],
    ids=["merohedral", "inversion", "polar"],
    indirect=["bound_twin"],
)
def test_a_twin_refines_to_its_noise_with_the_table_of_its_atoms(bound_twin, write_table, tmp_path):
    truth, share, spherical_s = bound_twin
    (tmp_path / "bound.tsc").write_bytes(write_table(table_of(truth)))
    refine_commands.refine_tsc("twin.cif", "bound.tsc", weighting="keep", cycles=20, refined="out.cif")
    block = gemmi.cif.read("out.cif").sole_block()
    assert float(block.find_value("_refine_ls_goodness_of_fit_ref")) == pytest.approx(1, abs=0.1)
    assert spherical_s > 1.3
    basf = next(line for line in (tmp_path / "refined.res").read_text().splitlines() if "BASF" in line)
    assert float(basf.split()[1]) == pytest.approx(share, abs=0.02)
