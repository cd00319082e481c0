"""Items about data and hydrogen atoms in the CIF of a refinement, for data of every kind."""

import gemmi
import numpy as np
import pytest
from qcrbox_refine.refinement import Options, refine_files, write_cif
from truth import Truth, hkl_text, write


@pytest.fixture(scope="module")
def block_of(tmp_path_factory):
    """The CIF of a refinement of 0 cycles. rows: makes indices, factors of F², and batch numbers of all rows."""

    def make(group="P 21/c", *cards, hklf="HKLF 4", rows=None, change=None):
        truth = Truth(group, "Fe" if group == "P 21/c" else "Br")
        hkl = truth.indices(1.3).astype(int)
        indices, factors, batches = rows(hkl) if rows else (hkl, np.ones(len(hkl)), None)
        square = np.abs(truth.f(indices)) ** 2 * factors
        folder = tmp_path_factory.mktemp("statements")
        text = truth.ins(*cards, hklf=hklf)
        data = hkl_text(indices, square, 0.01 * square + 0.001 * square.mean(), batches)
        result = refine_files(
            *write(folder, change(text) if change else text, data), Options(weighting="keep", cycles=0)
        )
        write_cif(result, folder / "x.cif")
        return gemmi.cif.read(str(folder / "x.cif")).sole_block(), len(hkl)

    return make


def number(block, tag):
    return float(block.find_value(tag).split("(")[0])


def twice(hkl):
    """Every reflection and an equivalent of it: -h k -l in the Laue group 2/m."""
    both = np.concatenate([hkl, hkl * [-1, 1, -1]])
    return both, np.ones(len(both)), None


def two_batches(hkl):
    both, _, _ = twice(hkl)
    half = np.repeat([1, 2], len(hkl))
    return both, np.where(half == 1, 1.0, 0.8), half


def overlapped(hkl):
    """Every reflection alone and again, as HKLF 5 may have it: nothing is merged."""
    both, ones, _ = twice(hkl)
    return both, ones, np.ones(len(both), int)


CASES = {
    "merged": ((), "HKLF 4", twice),
    "not merged": (("MERG 0",), "HKLF 4", twice),
    "batches": (("BASF 0.8",), "HKLF 4", two_batches),
    "overlapped": (("BASF 0.2",), "HKLF 5", overlapped),
}


@pytest.mark.parametrize(("cards", "hklf", "rows"), CASES.values(), ids=CASES.keys())
def test_fractions_measured_count_each_reflection_once(block_of, cards, hklf, rows):
    """The data are complete: 1, also where the list has reflections twice."""
    block, _ = block_of("P 21/c", *cards, hklf=hklf, rows=rows)
    for name in (
        "_diffrn_measured_fraction_theta_max",
        "_diffrn_measured_fraction_theta_full",
        "_diffrn_reflns_Laue_measured_fraction_max",
        "_diffrn_reflns_point_group_measured_fraction_max",
    ):
        assert number(block, name) == pytest.approx(1.0, abs=0.002), name


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_missing_reflections_lower_the_fractions(block_of, share):
    def some(hkl):
        chosen = np.random.default_rng(1).random(len(hkl)) < share
        return hkl[chosen], np.ones(chosen.sum()), None

    block, n = block_of(rows=some)
    kept = int((np.random.default_rng(1).random(n) < share).sum())
    assert number(block, "_diffrn_measured_fraction_theta_max") == pytest.approx(kept / n, abs=0.01)


@pytest.mark.parametrize(("cards", "hklf", "rows"), CASES.values(), ids=CASES.keys())
def test_equivalents_that_stay_apart_do_not_replace_missing_reflections(block_of, cards, hklf, rows):
    """Half of the reflections, most of them twice: the list is as long as a complete one."""

    def half(hkl):
        return rows(hkl[np.random.default_rng(1).random(len(hkl)) < 0.5])

    block, n = block_of("P 21/c", *cards, hklf=hklf, rows=half)
    kept = int((np.random.default_rng(1).random(n) < 0.5).sum())
    for name in ("_diffrn_measured_fraction_theta_max", "_diffrn_reflns_point_group_measured_fraction_max"):
        assert number(block, name) == pytest.approx(kept / n, abs=0.01), name


@pytest.mark.parametrize("merg", [0, 1, 2])
def test_friedel_pairs_are_those_of_the_merged_list_whatever_merg_says(block_of, merg):
    """In P 21, h k l and -h k -l are equivalents; every second reflection has its mate."""

    def with_some_mates(hkl):
        centric = hkl[:, 1] == 0
        one = hkl[~centric & (hkl[:, 1] > 0)]
        both = np.concatenate([hkl[centric], one, one * [-1, 1, -1], -one[::2]])
        return both, np.ones(len(both)), None

    block, _ = block_of("P 21", f"MERG {merg}", rows=with_some_mates)
    hkl = Truth("P 21", "Br").indices(1.3).astype(int)
    one, centric = int((hkl[:, 1] > 0).sum()), int((hkl[:, 1] == 0).sum())
    mates = (one + 1) // 2
    assert number(block, "_reflns_Friedel_coverage") == pytest.approx(mates / (one + centric), abs=2e-3)
    assert number(block, "_refine_ls_abs_structure_Flack") == pytest.approx(0, abs=0.02)
    assert "quotients" in block.find_value("_refine_ls_abs_structure_details")


@pytest.mark.parametrize(
    ("cards", "hklf", "rows", "said"),
    [
        ((), "HKLF 4", None, False),
        (("BASF 0.8",), "HKLF 4", two_batches, False),
        (("BASF 0.2",), "HKLF 5", overlapped, True),
    ],
    ids=["plain", "batches", "overlapped"],
)
def test_only_overlapped_data_are_called_sums(block_of, cards, hklf, rows, said):
    block, _ = block_of("P 21/c", *cards, hklf=hklf, rows=rows)
    details = block.find_value("_refine_special_details")
    assert ("sums over overlapping reflections" in details) is said


@pytest.mark.parametrize(
    "cards", [(), ("TWIN 1 0 0 0 -1 0 0 0 -1 2", "BASF 0.2"), ("TWIN -1 0 0 0 -1 0 0 0 -1 2", "BASF 0.2")],
    ids=["no twin", "a law", "inversion"],
)  # fmt: skip
def test_friedel_coverage_is_stated_for_twins_too(block_of, cards):
    """All mates are measured, but for centric reflections (h 0 l), which have none."""
    block, n = block_of("P 21", *cards)
    coverage = number(block, "_reflns_Friedel_coverage")
    truth = Truth("P 21", "Br")
    hkl = truth.indices(1.3).astype(int)
    centric = int((hkl[:, 1] == 0).sum())
    assert coverage == pytest.approx((n - centric) / 2 / ((n + centric) / 2), abs=0.002)


HYDROGEN = {
    "none": ("", "undef"),
    "riding": ("AFIX 3\nH1 5 0.02 0.15 0.26 11 -1.2\nAFIX 0", "constr"),
    "free": ("H1 5 0.02 0.15 0.26 11 0.05", "refall"),
    "positions": ("H1 5 0.02 0.15 0.26 11 -1.2", "refxyz"),
    "displacements": ("H1 5 10.02 10.15 10.26 11 0.05", "refU"),
    "nothing": ("H1 5 10.02 10.15 10.26 11 10.05", "noref"),
    "AFIX 1": ("AFIX 1\nH1 5 0.02 0.15 0.26 11 0.05\nAFIX 0", "noref"),
    "mixed": ("AFIX 3\nH1 5 0.02 0.15 0.26 11 -1.2\nAFIX 0\nH2 5 0.5 0.4 0.4 11 0.05", "mixed"),
}


@pytest.mark.parametrize(("lines", "expected"), HYDROGEN.values(), ids=HYDROGEN.keys())
def test_the_treatment_of_hydrogen_is_what_is_refined_of_it(block_of, lines, expected):
    def with_hydrogen(text):
        text = text.replace("SFAC C Fe N O", "SFAC C Fe N O H").replace("UNIT 4 4 4 4", "UNIT 4 4 4 4 4")
        place = text.index("\nC2 ")
        return text[:place] + (f"\n{lines}" if lines else "") + text[place:]

    block, _ = block_of(change=with_hydrogen)
    assert block.find_value("_refine_ls_hydrogen_treatment") == expected
