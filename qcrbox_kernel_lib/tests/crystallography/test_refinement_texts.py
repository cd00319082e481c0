"""Weights and extinction in the words of published CIFs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.crystallography.shelx.refinement_texts import (
    DEFAULT,
    SIGMA,
    THIRD,
    complete,
    details,
    is_shelx_extinction,
    parse_details,
    weight_card,
)

# As written by SHELXL, Olex2, JANA, CRYSTALS and in journals: a b c d e f.
TEXTS = [
    (r"w=1/[\s^2^(Fo^2^)+(0.0390P)^2^+0.3000P] where P=(Fo^2^+2Fc^2^)/3", (0.039, 0.3, 0, 0, 0, THIRD)),
    (r"w=1/[\s^2^(Fo^2^)+(0.0390P)^2^] where P=(Fo^2^+2Fc^2^)/3", (0.039, 0, 0, 0, 0, THIRD)),
    (r"calc w=1/[\s^2^(Fo^2^)+(0.0390P)^2^+0.3P] where P=(Fo^2^+2Fc^2^)/3", (0.039, 0.3, 0, 0, 0, THIRD)),
    (
        r"w = 1/[\s^2^(F~o~^2^) + (0.05P)^2^ + 0.1P], where P = (F~o~^2^ + 2F~c~^2^)/3",
        (0.05, 0.1, 0, 0, 0, THIRD),
    ),
    (r"w=1/[\s^2^(Fo^2^)]", SIGMA),
    (r"w=1/\s^2^(Fo^2^)", SIGMA),
    (r"w=1/[\s^2^(Fo^2^)+0.0390P+2.5] where P=(Fo^2^+2Fc^2^)/3", (0, 0.039, 0, 2.5, 0, THIRD)),
    (r"w=1/(\s^2^(I)+0.0004I^2^)", (0.02, 0, 0, 0, 0, 1)),
    (r"w=1/[\s^2^(Fo^2^)+(0.02Fo^2^)^2^]", (0.02, 0, 0, 0, 0, 1)),
    (
        r"w=exp[0.5000(sin\q/\l)^2^]/[\s^2^(Fo^2^)+(0.1P)^2^] where P=(Fo^2^+2Fc^2^)/3",
        (0.1, 0, 0.5, 0, 0, THIRD),
    ),
    (
        r"w=(1-exp[-0.5000(sin\q/\l)^2^])/[\s^2^(Fo^2^)+(0.1P)^2^] where P=(Fo^2^+2Fc^2^)/3",
        (0.1, 0, -0.5, 0, 0, THIRD),
    ),
    (r"w=1/[\s^2^(Fo^2^)+(0.1P)^2^] where P=0.2000Fo^2^+0.8000Fc^2^", (0.1, 0, 0, 0, 0, 0.2)),
    (r"w=1/[\s^2^(Fo^2^)+(0.1P)^2^] where P=Fo^2^", (0.1, 0, 0, 0, 0, 1)),
    ("w=1", None),
    ("1", None),
    ("w = 1.0", None),
    ("unit", None),
    ("Unit weights", None),
    # Not understood: never guessed.
    ("", ""),
    (None, ""),
    ("sigma", ""),
    (r"w=1/[\s^2^(Fo)+(0.1P)^2^]", ""),
    (r"w=1/[\s^2^(Fo^2^)+(0.1Q)^2^]", ""),
    (r"w=1/[\s^2^(Fo^2^)+(0.1P)^2^] where P=max(Fo,Fc)", ""),
    ("Chebychev polynomial with 3 parameters 1.5 0.5 0.2", ""),
]


@pytest.mark.parametrize(("text", "weights"), TEXTS, ids=[str(row[0])[:60] for row in TEXTS])
def test_published_weights_are_read_or_left_alone(text, weights):
    found = parse_details(text)
    if isinstance(weights, tuple) and isinstance(found, tuple):
        assert found == pytest.approx(weights)
    else:
        assert found == weights


TENTHS = st.integers(0, 9999).map(lambda number: number / 1e4)


@given(
    TENTHS,
    TENTHS,
    st.integers(-9999, 9999).map(lambda n: n / 1e4),
    TENTHS,
    TENTHS,
    st.sampled_from([0.0, 0.2, THIRD, 0.5, 1.0]),
)
def test_what_is_written_about_weights_is_read_again(a, b, c, d, e, f):
    """Without a and b the share of Fo² in P has no effect and is not written."""
    f = f if a or b else THIRD
    assert parse_details(details((a, b, c, d, e, f))) == pytest.approx((a, b, c, d, e, f))


def test_unit_weights_are_read_again():
    assert parse_details(details(None)) is None


@pytest.mark.parametrize(
    ("weights", "all_six"),
    [
        ((), DEFAULT),
        ((0.05,), (0.05, 0, 0, 0, 0, THIRD)),
        ((0.05, 0.3), (0.05, 0.3, 0, 0, 0, THIRD)),
        ((1, 2, 3, 4, 5, 6), (1, 2, 3, 4, 5, 6)),
        ((1, 2, 3, 4, 5, 6, 7), (1, 2, 3, 4, 5, 6)),
    ],
    ids=str,
)
def test_missing_weights_are_those_of_shelxl(weights, all_six):
    assert complete(weights) == all_six


@pytest.mark.parametrize(
    ("weights", "card"),
    [
        (None, "REM unit weights, w = 1"),
        ((0.05, 0.3), "WGHT   0.050000   0.300000"),
        ((0.05,), "WGHT   0.050000   0.000000"),
        ((0.05, 0.3, 0, 0, 0, 0.3333), "WGHT   0.050000   0.300000"),
        ((0.05, 0.3, 0, 0, 0, 0.2), "WGHT 0.05 0.3 0 0 0 0.2"),
        ((0, 0, 0.5), "WGHT 0 0 0.5 0 0 0.333333"),
    ],
    ids=str,
)
def test_weights_as_an_instruction(weights, card):
    assert weight_card(weights) == card


@pytest.mark.parametrize(
    ("method", "expression", "of_shelx"),
    [
        (None, None, True),
        ("SHELXL-2018/3", None, True),
        ("none", "Fc^*^=kFc[1+0.001xFc^2^\\l^3^/sin(2\\q)]^-1/4^", True),
        ("Zachariasen", None, False),
        ("Becker-Coppens type 1", None, False),
        ("B-C type 2 (Becker & Coppens, 1974)", None, False),
        ("Larson (1970)", None, False),
        ("refined", None, True),
    ],
)
def test_extinction_of_shelx_is_known_by_its_words(method, expression, of_shelx):
    assert is_shelx_extinction(method, expression) is of_shelx
