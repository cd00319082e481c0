"""Instructions about data, weights and twins: what each number means; and the table of all instructions."""

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.shelx import INSTRUCTIONS, read_instructions
from qcrbox_refine.instruction_table import INSTRUCTION_TABLE, Treatment
from qcrbox_refine.shelx_settings import (
    INVERSION,
    Dispersion,
    Hklf,
    OmitLimits,
    ShelxSettings,
    Twin,
    TwinFraction,
)


def settings(text: str) -> ShelxSettings:
    found = read_instructions(text)
    return ShelxSettings.of(found.instructions, found.ending, "x.ins")


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("WGHT 0.05 0.3", "weights", (0.05, 0.3, 0, 0, 0, 1 / 3)),
        ("WGHT 0.05 0.3 0.1 0.2 0.3 0.5", "weights", (0.05, 0.3, 0.1, 0.2, 0.3, 0.5)),
        ("WGHT", "weights", (0.1, 0, 0, 0, 0, 1 / 3)),
        ("WGHT 0.0", "weights", (0.0, 0, 0, 0, 0, 1 / 3)),
        ("EXTI", "extinction", 0.0),
        ("EXTI 0.01", "extinction", 0.01),
        ("SWAT 0.8", "solvent", (0.8, 2.0)),
        ("TWIN", "twin", Twin(INVERSION, 2)),
        ("TWIN 0 1 0 1 0 0 0 0 -1", "twin", Twin((0, 1, 0, 1, 0, 0, 0, 0, -1), 2)),
        ("TWIN 0 1 0 1 0 0 0 0 -1 -4", "twin", Twin((0, 1, 0, 1, 0, 0, 0, 0, -1), -4)),
        ("HKLF 4", "hklf", Hklf()),
        ("HKLF 4 1 0.5 0 0 0 1 0 0 0 1", "hklf", Hklf(4, 1, (0.5, 0, 0, 0, 1, 0, 0, 0, 1))),
        (
            "HKLF 4 1 2/3 1/3 0 0 1 0 0 0 1 1 -3",
            "hklf",
            Hklf(4, 1, (2 / 3, 1 / 3, 0, 0, 1, 0, 0, 0, 1), 1, -3),
        ),
        ("MERG 4", "merg", 4),
        ("OMIT -3 55", "omit", OmitLimits(-3, 55)),
        ("OMIT 4", "omit", OmitLimits(4, 180)),
        ("OMIT 1 0 0\nOMIT -1 2 0", "omitted", [(1, 0, 0), (-1, 2, 0)]),
        ("SHEL 10 0.84", "resolution", (10, 0.84)),
        ("SHEL 0.84 10", "resolution", (10, 0.84)),
        ("SHEL 999 0.9", "resolution", (999, 0.9)),
        ("ABIN", "fab", (0, 0)),
        ("NEUT", "neutron", True),
        ("DISP $Fe 0.3 0.8", "dispersion", {"Fe": Dispersion(0.3, 0.8)}),
        ("DISP CU 0.3 0.8 120", "dispersion", {"Cu": Dispersion(0.3, 0.8, 120)}),
        ("BASF 0.3 10.2\nBASF 0.1", "basf", [TwinFraction(0.3), TwinFraction(0.2, True), TwinFraction(0.1)]),
        ("L.S. 8", "cycles", 8),
        ("CGLS 8 2", "cycles", 8),
        ("DAMP 500", "damping", (500, None)),
        ("DAMP 0 5", "damping", (0, 5)),
        ("EQIV $1 -x, y+1/2, -z", "equivalents", {"1": "-x, y+1/2, -z"}),
        ("TEMP -100", "temperature_k", pytest.approx(173.15)),
        ("DEFS 0.01 0.2", "defaults", ShelxSettings().defaults.__class__(0.01, 0.2)),
        ("CELL 1.54178 5 6 7 90 90 90", "wavelength", 1.54178),
        ("HKLF 4\nEND\nWGHT 0.03 0.2", "recommended_weights", (0.03, 0.2, 0, 0, 0, 1 / 3)),
    ],
)
def test_numbers_of_instructions_have_their_meaning(text, name, value):
    assert getattr(settings(text), name) == value


def test_scattering_factors_in_numbers_are_read():
    factor = settings(
        "SFAC C 2.31 20.8439 1.02 10.2075 1.5886 0.5687 0.865 =\n"
        " 51.6512 0.2156 0.0033 0.0016 11.5 0.77 12.011"
    ).scattering["C"]
    assert factor.a == (2.31, 1.02, 1.5886, 0.865)
    assert factor.b == (20.8439, 10.2075, 0.5687, 51.6512)
    assert (factor.c, factor.f_prime, factor.f_double_prime) == (0.2156, 0.0033, 0.0016)
    assert (factor.mu, factor.radius, factor.weight) == (11.5, 0.77, 12.011)


@pytest.mark.parametrize(
    "text",
    [
        "TWIN 1 0 0",
        "TWIN 1 0 0 1 0 0 0 0 1",
        "TWIN 0 1 0 1 0 0 0 0 -1 1",
        "HKLF 4 1 0 0",
        "MERG 5",
        "MERG -1",
        "SFAC C 1 2",
        "DISP",
    ],
)
def test_numbers_that_cannot_be_right_are_refused_with_their_line(text):
    with pytest.raises(UserInputError, match="cannot be understood") as caught:
        settings("TITL x\n" + text)
    assert "x.ins line 2" in caught.value.where


def test_the_table_knows_every_instruction_of_shelxl():
    assert set(INSTRUCTION_TABLE) == INSTRUCTIONS


def test_every_instruction_is_one_of_the_four():
    assert {handling.treatment for handling in INSTRUCTION_TABLE.values()} <= set(Treatment)
    assert all(h.why for h in INSTRUCTION_TABLE.values() if h.treatment is not Treatment.APPLIED)
