"""The automatic checks: right, wrong, and what cannot be checked."""

from __future__ import annotations

import math

import pytest
from pydantic import ValidationError
from qcrbox.contract.teaching import Band, Check
from qcrbox_registry.services.teaching import checks
from qcrbox_registry.services.teaching.checks import Evidence

FIGURES = {"r1": 0.042, "wr2": None, "space_group_number": 14, "space_group_hm": "P 1 21/n 1", "z": True}
FACTS = {
    "elements": {"N3": "N", "C1": "C", "D1": "D"},
    "occupancies": {"N3": 1.0, "C1": 0.114, "D1": 0.886},
    "hydrogens": 8.5,
    "formula_has_hydrogen": True,
    "alerts": {"A": 0, "B": 2, "C": 5, "G": 1},
    "first_alerts": ["A site is not positive definite."],
}


def run(figures=FIGURES, facts=FACTS, problem="", **check):
    return checks.run(Check(**check), Evidence(figures, facts, problem))


@pytest.mark.parametrize(
    ("check", "passed"),
    [
        ({"kind": "quantity", "band": {"high": 0.05}}, True),
        ({"kind": "quantity", "band": {"high": 0.042}}, True),
        ({"kind": "quantity", "band": {"high": 0.0419}}, False),
        ({"kind": "quantity", "band": {"low": 0.05}}, False),
        ({"kind": "quantity", "quantity": "wr2", "band": {"high": 1}}, None),
        ({"kind": "quantity", "quantity": "z", "band": {"high": 9}}, None),
        ({"kind": "space_group", "number": 14}, True),
        ({"kind": "space_group", "number": 15}, False),
        ({"kind": "space_group", "symbol": "P121/n1"}, True),
        ({"kind": "space_group", "symbol": "P 1 2(1)/n 1"}, True),
        ({"kind": "space_group", "symbol": "P 1 21/c 1"}, False),
        ({"kind": "space_group", "symbol": "P21/n"}, True),
        ({"kind": "space_group", "symbol": "P2(1)/n"}, True),
        ({"kind": "space_group", "symbol": "P21/c"}, False),
        ({"kind": "space_group", "symbol": "no symbol"}, False),
        ({"kind": "all_hydrogens", "count": 8.5}, True),
        ({"kind": "all_hydrogens", "count": 9}, False),
        ({"kind": "all_hydrogens"}, True),
        ({"kind": "no_alerts"}, True),
        ({"kind": "no_alerts", "level": "B"}, False),
        ({"kind": "element", "label": "N3", "symbol": "N"}, True),
        ({"kind": "element", "label": "n3", "symbol": "n"}, True),
        ({"kind": "element", "label": "N3", "symbol": "C"}, False),
        ({"kind": "element", "label": "O9", "symbol": "O"}, False),
        ({"kind": "occupancy", "label": "c1", "band": {"low": 0.1, "high": 0.12}}, True),
        ({"kind": "occupancy", "label": "C1", "band": {"high": 0.1}}, False),
        ({"kind": "occupancy", "label": "O9", "band": {"high": 0.1}}, False),
        ({"kind": "occupancy", "label": "O9", "band": {"high": 0}}, True),
        ({"kind": "occupancy", "label": "C1", "band": {"low": 0, "high": 0}}, False),
    ],
)
def test_outcome(check, passed):
    result = run(**check)
    assert result.passed is passed
    assert result.words


@pytest.mark.parametrize(
    ("check", "right"),
    [
        ({"kind": "quantity", "band": {"high": 0.0377}}, "0.0377"),
        ({"kind": "space_group", "number": 61}, "61"),
        ({"kind": "space_group", "symbol": "P b c a"}, "P b c a"),
        ({"kind": "all_hydrogens", "count": 13}, "13"),
        ({"kind": "element", "label": "N3", "symbol": "Br"}, "Br"),
        ({"kind": "occupancy", "label": "C1", "band": {"low": 0.73, "high": 0.74}}, "0.7"),
    ],
)
def test_a_wrong_attempt_is_not_told_what_would_be_right(check, right):
    result = run(**check)
    assert result.passed is False
    assert right not in result.words


@pytest.mark.parametrize(
    ("found", "count", "passed"), [(49.0, 50, False), (49.95, 50, True), (99.5, 100, False), (3.01, 3, True)]
)
def test_one_hydrogen_atom_of_many_is_missed(found, count, passed):
    """Two per cent of fifty atoms are one: a model that lacked it had the points."""
    facts = {**FACTS, "hydrogens": found}
    assert run(facts=facts, kind="all_hydrogens", count=count).passed is passed


def test_a_file_that_cannot_be_read_is_not_a_failed_check():
    result = run(facts=None, problem="Reading it took too much memory.", kind="no_alerts")
    assert result.passed is None
    assert "too much memory" in result.words


@pytest.mark.parametrize("facts", [{}, {"elements": None}, {"alerts": "many"}, {"hydrogens": "x"}])
@pytest.mark.parametrize(
    "check",
    [{"kind": "no_alerts"}, {"kind": "all_hydrogens"}, {"kind": "element", "label": "a", "symbol": "C"}],
)
def test_facts_of_an_unexpected_form_raise_nothing(facts, check):
    assert run(facts=facts, **check).passed is None


def test_no_hydrogen_in_the_formula_cannot_be_checked_without_a_count():
    assert run(facts={**FACTS, "formula_has_hydrogen": False}, kind="all_hydrogens").passed is None
    assert run(facts={**FACTS, "hydrogens": 0.0}, kind="all_hydrogens").passed is False


def test_a_cif_without_a_space_group_cannot_be_checked():
    assert run(figures={}, kind="space_group", number=14).passed is None


@pytest.mark.parametrize("value", [math.nan, math.inf, "0.04", None, True, [0.04]])
def test_only_finite_numbers_are_figures(value):
    assert checks.figure({"r1": value}, "r1") is None


@pytest.mark.parametrize(
    "declared",
    [
        {"kind": "quantity"},
        {"kind": "quantity", "quantity": "beauty", "band": {"low": 1}},
        {"kind": "space_group"},
        {"kind": "element", "label": "N3"},
        {"kind": "run_code"},
        {"kind": "no_alerts", "levle": "A"},
    ],
)
def test_an_incomplete_check_is_refused_when_it_is_declared(declared):
    with pytest.raises(ValidationError):
        Check(**declared)


def test_a_band_holds_its_ends_and_not_nan():
    band = Band(low=0.02, high=0.04)
    assert [band.contains(value) for value in (0.02, 0.04, 0.0401, math.nan)] == [True, True, False, False]
    assert str(band) == "0.02 to 0.04"
    for wrong in ({}, {"low": 2, "high": 1}, {"low": math.nan}):
        with pytest.raises(ValidationError):
            Band(**wrong)
