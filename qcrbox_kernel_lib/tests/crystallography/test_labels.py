"""Labels and lines that SHELX reads."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.crystallography.shelx.labels import is_shelx_label, shelx_labels
from qcrbox.crystallography.shelx.lines import wrapped

LABELS = st.lists(st.text(st.sampled_from(list("CHNO1234567890abAB'()_-+* é")), max_size=6), max_size=30)


@pytest.mark.parametrize("label", ["C1", "c1", "C", "H12A", "O1'", "Q1", "Fe12", "X"])
def test_labels_that_shelx_reads_as_atoms(label):
    assert is_shelx_label(label)
    assert shelx_labels([label]) == [label]


@pytest.mark.parametrize(
    "label",
    [
        "",
        "1C",
        "C1234",
        "C(1)",
        "C_1",
        "C 1",
        "é",
        "CELL",
        "cell",
        "HKLF",
        "Symm",
        "SFAC",
        "END",
        "REM",
        "TITL",
        "AFIX",
        "C1\n",
    ],
)
def test_labels_that_shelx_reads_otherwise(label):
    assert not is_shelx_label(label)
    (made,) = shelx_labels([label])
    assert is_shelx_label(made)


@pytest.mark.parametrize(
    ("labels", "made"),
    [
        (["C(1)", "C(2)"], ["C1", "C2"]),
        (["1C"], ["C1"]),
        (["C10001", "C10002"], ["C100", "C10A"]),
        (["C1", "C1"], ["C1", "C1A"]),
        (["c1", "C1"], ["c1", "C1A"]),
        # What fits stays, even where it comes later.
        (["C(1)", "C1"], ["C1A", "C1"]),
        ([], []),
    ],
    ids=str,
)
def test_other_labels_are_shortened_and_told_apart(labels, made):
    assert shelx_labels(labels) == made


@given(LABELS)
def test_every_atom_gets_a_label_of_its_own_whatever_the_case(labels):
    made = shelx_labels(labels)
    assert len(made) == len(labels)
    assert all(map(is_shelx_label, made))
    assert len({label.upper() for label in made}) == len(made)
    assert shelx_labels(made) == made


def test_labels_of_many_atoms_of_one_name_differ():
    assert len(set(shelx_labels(["C"] * 300))) == 300


WORDS = st.lists(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20),
    min_size=1,
    max_size=60,
)


@given(WORDS)
def test_long_instructions_are_continued_and_lose_no_word(words):
    lines = wrapped(words)
    assert all(len(line) <= 80 for line in lines)
    assert all(line.endswith("=") for line in lines[:-1])
    assert all(line.startswith("   ") for line in lines[1:])
    joined = " ".join([*(line[:-1] for line in lines[:-1]), lines[-1]])
    assert joined.split() == words


def test_a_short_instruction_is_one_line():
    assert wrapped(["SFAC", "C", "H"]) == ["SFAC C H"]
    assert wrapped([]) == [""]


def test_a_word_is_never_cut():
    long = "x" * 200
    assert re.sub(r"\s+", "", "".join(wrapped(["SFAC", long])).replace("=", "")) == f"SFAC{long}"
