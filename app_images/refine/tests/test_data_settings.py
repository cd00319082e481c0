"""Instructions about the data: written as they were read, and taken from a CIF whose atoms follow no instructions."""

import pytest
from qcrbox.cif import read
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.shelx import read_instructions
from qcrbox_refine.cif_block import CifBlock
from qcrbox_refine.data_settings import adopt_data_settings, all_cards, limit_cards, twin_card
from qcrbox_refine.model import Atom
from qcrbox_refine.shelx_settings import ShelxSettings
from small_models import model_in

CELL = (7.0, 8.0, 9.0, 90.0, 103.0, 90.0)


def settings_of(*lines):
    return ShelxSettings.of(read_instructions("\n".join(lines)).instructions, [], "x.ins")


CARDS = {
    "MERG": ("MERG 4",),
    "a threshold": ("OMIT -3 180",),
    "a threshold and an angle": ("OMIT 4 50.5",),
    "a negative angle": ("OMIT -2 -55",),
    "reflections": ("OMIT 1 0 -2", "OMIT 0 2 0"),
    "limits of resolution": ("SHEL 20 0.83",),
    "one limit of resolution": ("SHEL 999 0.9",),
    "a twin": ("TWIN -1 0 0 0 -1 0 0 0 1 2",),
    "a twin law with fractions": ("TWIN 0.5 0.5 0 -0.5 0.5 0 0 0 1 4",),
    "a racemic twin": ("TWIN 0 1 0 1 0 0 0 0 -1 -4",),
    "shares": ("BASF 0.20000 0.15000",),
    "fixed shares": ("BASF 10.20000 0.15000",),
    "extinction": ("EXTI 0.012345",),
    "solvent": ("SWAT 0.87654 2.10000",),
    "a mask": ("ABIN",),
    "a mask with free variables": ("ABIN 2 3",),
}


@pytest.mark.parametrize("lines", CARDS.values(), ids=CARDS.keys())
def test_what_is_written_reads_back_as_it_was(lines):
    settings = settings_of(*lines)
    assert settings != ShelxSettings()
    assert settings_of(*all_cards(settings)) == settings


def test_many_shares_stay_within_the_lines_of_shelx():
    settings = settings_of("BASF " + " ".join(f"{0.01 * k:.2f}" for k in range(1, 12)), "BASF 0.2 10.3")
    lines = all_cards(settings)
    assert max(map(len, lines)) <= 80
    assert settings_of(*lines).basf == settings.basf


def test_nothing_is_written_where_nothing_is_set():
    assert all_cards(ShelxSettings()) == limit_cards(ShelxSettings()) == twin_card(ShelxSettings()) == []


def block_of(text):
    return CifBlock(block=read(f"data_x\n_shelx_res_file\n;\n{text}\n;\n".encode()).blocks[0])


def model_of():
    return model_in(CELL, "P 1 21/c 1", [Atom("C1", "C", (0.1, 0.2, 0.3))])


FOREIGN = """TITL another model
TWIN -1 0 0 0 -1 0 0 0 1 2
BASF 0.3
MERG 3
EXTI 0.02
OMIT 1 0 0
WGHT 0.07 0.8
L.S. 17
HKLF 4"""


def test_instructions_about_the_data_are_applied_and_those_about_the_model_are_not():
    model = model_of()
    adopt_data_settings(model, block_of(FOREIGN), "data_x")
    settings = model.settings
    assert settings.twin.matrix == (-1, 0, 0, 0, -1, 0, 0, 0, 1)
    assert [share.value for share in settings.basf] == [0.3]
    assert (settings.merg, settings.extinction, settings.omitted) == (3, 0.02, [(1, 0, 0)])
    assert (settings.weights, settings.cycles) == (None, None)
    (note,) = model.notes
    for word in ("TWIN", "BASF", "MERG", "EXTI", "OMIT h k l"):
        assert word in note
    assert "HKLF" not in note


@pytest.mark.parametrize(
    ("before", "text"),
    [("HKLF 5", FOREIGN), ("", FOREIGN.replace("HKLF 4", "END")), ("", "another program's text")],
    ids=["instructions are followed already", "no HKLF", "no instructions"],
)
def test_nothing_is_taken(before, text):
    model = model_of()
    if before:
        model.settings = settings_of(before)
    kept = model.settings
    adopt_data_settings(model, block_of(text), "data_x")
    assert model.settings == kept
    assert model.settings.twin is None
    assert model.notes == []


def test_a_matrix_of_hklf_is_named_among_the_applied_instructions():
    model = model_of()
    adopt_data_settings(model, block_of("HKLF 4 1 0 1 0 1 0 0 0 0 -1"), "data_x")
    assert model.settings.hklf.matrix == (0, 1, 0, 1, 0, 0, 0, 0, -1)
    assert "HKLF" in model.notes[0]


def test_a_text_that_cannot_be_read_may_describe_a_twin_and_is_refused():
    with pytest.raises(UserInputError, match="cannot be read") as caught:
        adopt_data_settings(model_of(), block_of("C1 is no atom\nHKLF 4"), "data_x")
    assert "data_x" in caught.value.where
