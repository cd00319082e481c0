"""Weighting schemes: formulas, texts of published CIFs, what `keep` makes of a file."""

import gemmi
import numpy as np
import pytest
from qcrbox.crystallography.shelx import refinement_texts
from qcrbox_refine import weighting
from qcrbox_refine.refinement import Options, refine_files, write_cif
from truth import Truth, hkl_text, noisy, write

THIRD = 1 / 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"w=1/[\s^2^(Fo^2^)+(0.0740P)^2^+0.2360P] where P=(Fo^2^+2Fc^2^)/3", (0.074, 0.236, 0, 0, 0, THIRD)),
        (r"w=1/[\s^2^(Fo^2^)+(0.0346P)^2^] where P=(Fo^2^+2Fc^2^)/3", (0.0346, 0, 0, 0, 0, THIRD)),
        (r"w=1/[\s^2^(Fo^2^)+0.5000P] where P=(Fo^2^+2Fc^2^)/3", (0, 0.5, 0, 0, 0, THIRD)),
        (r"w=1/[\s^2^(Fo^2^)] where P=(Fo^2^+2Fc^2^)/3", (0, 0, 0, 0, 0, THIRD)),
        (r"w=1/s2(Fo2)".replace("s", r"\s"), (0, 0, 0, 0, 0, THIRD)),
        (r"calc w=1/[\s^2^(Fo^2^)+(0.1000P)^2^+0.0000P] where P=(Fo^2^+2Fc^2^)/3", (0.1, 0, 0, 0, 0, THIRD)),
        (
            "\nw=1/[\\s^2^(Fo^2^)+(0.0269P)^2^+\n23.9134P] where\n P=(Fo^2^+2Fc^2^)/3\n",
            (0.0269, 23.9134, 0, 0, 0, THIRD),
        ),
        (
            r"w = 1/[\s^2^(F~o~^2^) + (0.0324P)^2^ + 0.1P] where P = (F~o~^2^ + 2F~c~^2^)/3",
            (0.0324, 0.1, 0, 0, 0, THIRD),
        ),
        (r"w=1/(\s^2^(I)+0.0016I^2^)", (0.04, 0, 0, 0, 0, 1.0)),
        (r"w=1/[\s^2^(Fo^2^)+(0.05P)^2^] where P=Fo^2^", (0.05, 0, 0, 0, 0, 1.0)),
        (r"w=1/[\s^2^(Fo^2^)+(0.05P)^2^] where P=(Fo^2^+Fc^2^)/2", (0.05, 0, 0, 0, 0, 0.5)),
        (r"w=1/[\s^2^(Fo^2^)+(0.05P)^2^] where P=[max(0,Fo^2^)+2Fc^2^]/3", (0.05, 0, 0, 0, 0, THIRD)),
        (r"w=1/[\s^2^(Fo^2^)+(0.05P)^2^] where P=(Fo^4^+2Fc^4^)/3", ""),
        (
            r"Method= Modified Sheldrick w=1/[\s^2^(F^2^) + ( 0.04P)^2^ + 0.40P] ,where P=(max(Fo^2^,0) + 2Fc^2^)/3",
            (0.04, 0.4, 0, 0, 0, THIRD),
        ),
        (
            r"w=1/[\s^2^(Fo^2^)+(0.0500P)^2^+1.2000P+3.0000] where P=0.5000Fo^2^+0.5000Fc^2^",
            (0.05, 1.2, 0, 3, 0, 0.5),
        ),
        ("w=1", None),
        ("w = 1.0", None),
        (r"w=1/[\s^2^(Fo)+0.0004|Fo|^2^]", ""),
        ("Method, part 1, Chebychev polynomial, [weight] = 1.0/[A~0~*T~0~(x)+A~1~*T~1~(x) ...]", ""),
        ("?", ""),
    ],
)
def test_published_schemes_are_read(text, expected):
    found = refinement_texts.parse_details(text)
    assert found == (pytest.approx(expected, abs=1e-6) if isinstance(expected, tuple) else expected)


@pytest.mark.parametrize(
    "weights",
    [
        None,
        (0.0,) * 5 + (THIRD,),
        (0.05, 1.2, 0, 0, 0, THIRD),
        (0.05, 1.2, 3.5, 0.2, 0.4, 0.5),
        (0.1, 0, -2, 0, 0, THIRD),
    ],
)
def test_a_written_scheme_is_read_back(weights):
    found = refinement_texts.parse_details(refinement_texts.details(weights))
    assert found == (pytest.approx(weights, abs=1e-4) if weights else None)


def test_all_six_numbers_count():
    fo, sigma, fc, stol_sq = (np.array([x]) for x in (90.0, 2.0, 100.0, 0.25))
    p = 0.5 * 90 + 0.5 * 100
    variance = 4 + (0.1 * p) ** 2 + 2 * p + 3 + 4 * 0.5
    for c, q in ((0.0, 1.0), (2.0, np.exp(0.5)), (-2.0, 1 - np.exp(-0.5))):
        w = weighting.weights_of((0.1, 2, c, 3, 4, 0.5), fo, sigma, fc, stol_sq)
        assert w[0] == pytest.approx(q / variance)


@pytest.mark.parametrize("card", ["WGHT 0.03 0.4 0 2 0.5 0.4", "WGHT 0 0", "WGHT 0 0.5"])
def test_keep_follows_the_instruction_and_the_result_says_it(tmp_path, card):
    truth = Truth("P 21/c", None)
    hkl = truth.indices(1.0)
    values, sigma = noisy(np.abs(truth.f(hkl)) ** 2, 0.02, 1)
    files = write(tmp_path, truth.ins(card), hkl_text(hkl, values, sigma))
    result = refine_files(*files, Options(weighting="keep"))
    stated = refinement_texts.complete(tuple(float(word) for word in card.split()[1:]))
    assert result.fit.weights == stated
    write_cif(result, tmp_path / "x.cif")
    block = gemmi.cif.read(str(tmp_path / "x.cif")).sole_block()
    text = gemmi.cif.as_string(block.find_value("_refine_ls_weighting_details"))
    assert refinement_texts.parse_details(text) == pytest.approx(stated, abs=1e-4)
    again = refine_files(str(tmp_path / "x.cif"), None, Options(weighting="keep"))
    assert again.fit.weights == pytest.approx(stated, abs=1e-4)
    assert again.fit.wr2 == pytest.approx(result.fit.wr2, abs=2e-4)


def test_keep_without_a_scheme_says_what_is_used(tmp_path):
    truth = Truth("P 21/c", None)
    hkl = truth.indices(1.0)
    values, sigma = noisy(np.abs(truth.f(hkl)) ** 2, 0.02, 1)
    files = write(tmp_path, truth.ins("WGHT 0 0"), hkl_text(hkl, values, sigma))
    write_cif(refine_files(*files, Options(weighting="keep")), tmp_path / "x.cif")
    text = (tmp_path / "x.cif").read_text()
    block = gemmi.cif.read_string(text).sole_block()
    for item in ("_refine_ls_weighting_details", "_shelx_res_file"):
        block.find_pair_item(item).erase()
    block.set_pair("_refine_ls_weighting_details", "'Chebychev polynomial'")
    (tmp_path / "y.cif").write_text(block.as_string() if hasattr(block, "as_string") else "")
    result = refine_files(str(tmp_path / "y.cif"), None, Options(weighting="keep"))
    assert result.fit.weights == refinement_texts.DEFAULT
    assert any("is not understood (Chebychev polynomial)" in note for note in result.model.notes)
