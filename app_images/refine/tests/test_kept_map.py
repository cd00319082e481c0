"""The .fcf file of a twin, an extinct crystal or batches tells the difference map, which Fo² and Fc² alone do not."""

import numpy as np
import pytest
from qcrbox.analysis.density.maps import difference_density, kept_difference_density
from qcrbox.cif.convert import unify
from qcrbox.crystallography.reflections import find_reflections
from qcrbox.crystallography.structure import Structure
from qcrbox_refine.fcf import fcf_text
from qcrbox_refine.refinement import Options, refine_files, write_cif
from truth import Truth, hkl_text, noisy, write

LAW = np.diag([1, -1, -1])


def weakened(truth, hkl, x=0.02):
    """Fc² [1 + 0.001 x Fc² λ³ / sin 2θ]^(-1/2)"""
    square, sine = np.abs(truth.f(hkl)) ** 2, np.sqrt(truth.stol_sq(hkl)) * truth.wavelength
    path = truth.wavelength**3 / (2 * sine * np.sqrt(1 - sine**2))
    return square / np.sqrt(1 + 0.001 * x * square * path)


def twinned(truth, hkl):
    return 0.6 * np.abs(truth.f(hkl)) ** 2 + 0.4 * np.abs(truth.f(hkl @ LAW)) ** 2


def half(truth, hkl):
    return np.where(np.arange(len(hkl)) % 2, 1.0, 0.5) * np.abs(truth.f(hkl)) ** 2


CASES = {
    "twin": (("TWIN 1 0 0 0 -1 0 0 0 -1 2", "BASF 0.4"), twinned, None),
    "extinction": (("EXTI 0.01",), weakened, None),
    "batches": (("BASF 0.6",), half, lambda n: 2 - np.arange(n) % 2),
    "plain": ((), lambda truth, hkl: np.abs(truth.f(hkl)) ** 2, None),
}


@pytest.fixture(scope="module")
def refined(tmp_path_factory):
    """A refinement without the atom C3 of the truth, its structure, and its .fcf file as the store keeps it."""

    def run(name, group):
        cards, intensity, batches = CASES[name]
        truth = Truth(group, "Br" if group == "P 21" else "Fe")
        hkl, folder = truth.indices(1.0), tmp_path_factory.mktemp("map")
        lines = [line for line in truth.ins(*cards).splitlines() if not line.startswith("C3 ")]
        data = hkl_text(hkl, *noisy(intensity(truth, hkl), 0.01, 1), batches and batches(len(hkl)))
        result = refine_files(
            *write(folder, "\n".join(lines) + "\n", data), Options(weighting="keep", cycles=4)
        )
        write_cif(result, folder / "refined.cif")
        return result, Structure.from_cif(folder / "refined.cif"), unify(fcf_text(result.fit)).block

    return run


@pytest.mark.parametrize("group", ["P 21/c", "P 21"])
@pytest.mark.parametrize("name", ["twin", "extinction", "batches"])
def test_the_map_from_the_file_is_that_of_the_refinement(refined, name, group):
    result, structure, block = refined(name, group)
    kept = kept_difference_density(structure, block)
    assert kept.maximum == pytest.approx(result.residual.maximum, rel=0.02)
    assert kept.minimum == pytest.approx(result.residual.minimum, rel=0.04)
    assert kept.sigma == pytest.approx(result.residual.rms, rel=0.001)


def test_an_ordinary_crystal_needs_no_terms_beside_its_list(refined):
    result, structure, block = refined("plain", "P 21/c")
    assert kept_difference_density(structure, block) is None
    made = difference_density(structure, find_reflections(block, prefer="loop"))
    assert made.maximum == pytest.approx(result.residual.maximum, rel=0.02)
