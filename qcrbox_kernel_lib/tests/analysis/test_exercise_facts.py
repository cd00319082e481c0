"""Facts of a CIF for the checks of exercises."""

from __future__ import annotations

import pytest
from qcrbox.analysis.exercise_facts import facts_of, facts_or_reason
from qcrbox.contract.errors import CifError

from ..conftest import write_cif

COLUMNS = "label type_symbol fract_x fract_y fract_z occupancy"
SITES = [
    ("C1", "C", 0.1, 0.2, 0.3, 1),
    ("H1", "H", 0.2, 0.2, 0.3, "0.75(1)"),
    ("D1", "D", 0.1, 0.3, 0.3, 0.25),
    ("O1", "O", 0.5, 0.5, 0.5, "."),
]


@pytest.fixture
def facts():
    return facts_of(write_cif(sites=SITES, columns=COLUMNS, more="_chemical_formula_sum 'C H O'").encode())


def test_elements_and_occupancies_are_by_label(facts):
    assert facts["elements"] == {"C1": "C", "H1": "H", "D1": "D", "O1": "O"}
    assert facts["occupancies"] == {"C1": 1.0, "H1": 0.75, "D1": 0.25, "O1": 1.0}


def test_hydrogen_and_deuterium_count_with_their_occupancies(facts):
    assert facts["hydrogens"] == 1.0
    assert facts["formula_has_hydrogen"]


def test_alerts_are_counted_and_the_serious_ones_named(facts):
    assert set(facts["alerts"]) == {"A", "B", "C", "G"}
    assert 0 < len(facts["first_alerts"]) <= 5


@pytest.mark.parametrize("content", [b"", b"no cif", b"data_a\n", b"data_a\n_cell_length_a 10\n"])
def test_without_a_structure_there_is_a_reason(content):
    found, reason = facts_or_reason(content, "a.cif")
    assert found is None
    assert reason
    with pytest.raises(Exception, match=r"\S"):
        facts_of(content, "a.cif")


def test_the_reason_names_the_file():
    with pytest.raises(CifError, match=r"a.cif: .*no data block"):
        facts_of(b"", "a.cif")
