"""Charges and spins of molecules from their bonds, the moiety formula, and the user."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_har import charges
from qcrbox_har.molecules import Molecule


def made(heavy: str, bonds: str = "", hydrogen: str = "", number: int = 1, copies: float = 1.0) -> Molecule:
    """heavy: elements; bonds: pairs of their numbers as `0-1 1-2`; hydrogen: how many each carries, a digit for each."""
    symbols = heavy.split()
    pairs = [tuple(map(int, pair.split("-"))) for pair in bonds.split()]
    for atom, count in enumerate(hydrogen):
        for _ in range(int(count)):
            pairs.append((atom, len(symbols)))
            symbols.append("H")
    labels = [f"{symbol}{i}" for i, symbol in enumerate(symbols)]
    rows = np.arange(len(symbols))
    table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    zeros = np.zeros(len(symbols), dtype=np.int64)
    return Molecule(
        number, symbols, labels, rows, zeros, np.zeros((len(symbols), 3), np.int64), table, copies=copies
    )


RING = "0-1 1-2 2-3 3-4 4-5 5-0"


@pytest.mark.parametrize(
    ("what", "charge", "molecule"),
    [
        ("urea", 0, made("C O N N", "0-1 0-2 0-3", "0022")),
        ("acetic acid", 0, made("C C O O", "0-1 1-2 1-3", "3001")),
        ("acetate", -1, made("C C O O", "0-1 1-2 1-3", "3000")),
        ("alanine, zwitterion", 0, made("C C C O O N", "0-1 1-2 2-3 2-4 1-5", "310003")),
        ("oxalate", -2, made("C C O O O O", "0-1 0-2 0-3 1-4 1-5")),
        ("benzene", 0, made("C C C C C C", RING, "111111")),
        ("phenolate", -1, made("C C C C C C O", f"{RING} 0-6", "0111110")),
        ("pyridine", 0, made("N C C C C C", RING, "011111")),
        ("pyridinium", 1, made("N C C C C C", RING, "111111")),
        ("pyridine N-oxide", 0, made("N C C C C C O", f"{RING} 0-6", "0111110")),
        ("nitrobenzene", 0, made("C C C C C C N O O", f"{RING} 0-6 6-7 6-8", "011111000")),
        ("imidazole", 0, made("N C N C C", "0-1 1-2 2-3 3-4 4-0", "11011")),
        ("imidazolium", 1, made("N C N C C", "0-1 1-2 2-3 3-4 4-0", "11111")),
        ("guanidinium", 1, made("C N N N", "0-1 0-2 0-3", "0222")),
        ("tetramethylammonium", 1, made("N C C C C", "0-1 0-2 0-3 0-4", "03333")),
        ("tetramethylphosphonium", 1, made("P C C C C", "0-1 0-2 0-3 0-4", "03333")),
        ("trimethylphosphine oxide", 0, made("P C C C O", "0-1 0-2 0-3 0-4", "03330")),
        ("trimethylsulfonium", 1, made("S C C C", "0-1 0-2 0-3", "0333")),
        ("dimethyl sulfoxide", 0, made("S C C O", "0-1 0-2 0-3", "0330")),
        ("methanesulfonate", -1, made("S C O O O", "0-1 0-2 0-3 0-4", "03000")),
        ("methanesulfonic acid", 0, made("S C O O O", "0-1 0-2 0-3 0-4", "03001")),
        ("trimethylamine N-oxide", 0, made("N C C C O", "0-1 0-2 0-3 0-4", "03330")),
        ("tetramethylborate", -1, made("B C C C C", "0-1 0-2 0-3 0-4", "03333")),
        ("acetonitrile", 0, made("C C N", "0-1 1-2", "300")),
        ("diphenyliodonium's kind: dimethyl chloronium", 1, made("Cl C C", "0-1 0-2", "033")),
        ("sulfate", -2, made("S O O O O", "0-1 0-2 0-3 0-4")),
        ("hydrogen sulfate", -1, made("S O O O O", "0-1 0-2 0-3 0-4", "01000")),
        ("dihydrogen phosphate", -1, made("P O O O O", "0-1 0-2 0-3 0-4", "01100")),
        ("hexafluorophosphate", -1, made("P F F F F F F", "0-1 0-2 0-3 0-4 0-5 0-6")),
        ("nitrate", -1, made("N O O O", "0-1 0-2 0-3")),
        ("azide", -1, made("N N N", "0-1 1-2")),
        ("thiocyanate", -1, made("S C N", "0-1 1-2")),
        ("triiodide", -1, made("I I I", "0-1 1-2")),
        ("hydronium", 1, made("O", "", "3")),
        ("ammonium", 1, made("N", "", "4")),
        ("water", 0, made("O", "", "2")),
        ("chloride", -1, made("Cl")),
        ("sodium", 1, made("Na")),
        ("hexaaquamagnesium", 2, made("Mg O O O O O O", "0-1 0-2 0-3 0-4 0-5 0-6", "0222222")),
        ("tetrachlorozincate", -2, made("Zn Cl Cl Cl Cl", "0-1 0-2 0-3 0-4")),
        ("zinc acetate", 0, made("Zn C C O O C C O O", "0-3 0-7 1-2 2-3 2-4 5-6 6-7 6-8", "030003000")),
    ],
)  # fmt: skip
def test_charges_of_common_molecules_follow_from_their_bonds(what, charge, molecule):
    assert charges.guess_charge(molecule) == charge, what


def test_ions_that_balance_leave_no_doubt():
    salt = [made("N", "", "4", number=1), made("Cl", number=2)]
    assert charges.assign(salt) == []
    assert [m.charge for m in salt] == [1, -1]
    assert charges.electron_count(salt[0]) == 10
    assert charges.electron_count(salt[1]) == 18


def test_charges_that_do_not_add_up_are_refused_when_guessed_and_doubted_when_stated():
    with pytest.raises(UserInputError, match="−4 in the unit cell") as error:
        charges.assign([made("Cl", copies=4.0)])
    assert "charges='1: +1" in error.value.next
    (doubt,) = charges.assign([made("Cl", copies=4.0)], charges="1: -1")
    assert "−4" in doubt


def test_a_metal_takes_what_the_other_ions_leave_over():
    cell = [made("Cu", number=1), made("Cl", number=2, copies=1.0)]
    charges.assign(cell, multiplicities="1: 1")
    assert (cell[0].charge, cell[0].charge_source) == (1, "what the other ions leave over")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C3 H7 N O2", {"C3H7NO2": 0}),
        ("C3 H8 N O2 +, Cl -", {"C3H8NO2": 1, "Cl": -1}),
        ("2(C3 H8 N O2 1+), O4 S 2-", {"C3H8NO2": 1, "O4S": -2}),
        ("'C6 H18 N2 +2, 0.5(D2 O)'", {"C6H18N2": 2, "H2O": 0}),
        ("", {}),
    ],
)
def test_the_moiety_formula_states_charges(text, expected):
    assert charges.moiety_charges(text.strip("'")) == expected


def test_the_user_comes_before_the_formula_and_the_formula_before_the_guess():
    one = made("C C O O", "0-1 1-2 1-3", "3000")
    charges.assign([one], moiety="C2 H3 O2 3-")
    assert (one.charge, one.charge_source) == (-3, "from the moiety formula")
    charges.assign([one], moiety="C2 H3 O2 3-", charges="C2H3O2: 1-")
    assert (one.charge, one.charge_source) == (-1, "as given")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"charges": "seven"}, "no pair of molecule and number"),
        ({"charges": "3: +1"}, "no molecule 3"),
        ({"charges": "1: +1"}, "cannot have multiplicity 1"),
        ({"multiplicities": "1: 2"}, "cannot have multiplicity 2"),
    ],
)
def test_what_fits_no_molecule_or_no_number_of_electrons_is_refused(arguments, words):
    with pytest.raises(UserInputError, match=words) as error:
        charges.assign([made("O", "", "2")], **arguments)
    assert error.value.next


def test_a_radical_is_taken_when_it_is_declared():
    radical = made("N O", "0-1")
    with pytest.raises(UserInputError, match="15 electrons"):
        charges.assign([radical], charges="1: 0")
    charges.assign([radical], charges="1: 0", multiplicities="1: 2")
    assert radical.multiplicity == 2


def test_a_metal_with_an_open_shell_has_to_be_declared_and_a_closed_one_has_not():
    with pytest.raises(UserInputError, match="whose d or f shell may be open") as error:
        charges.assign([made("Fe O O O O O O", "0-1 0-2 0-3 0-4 0-5 0-6", "0222222")])
    assert "1: 5" in error.value.next
    zinc = made("Zn Cl Cl Cl Cl", "0-1 0-2 0-3 0-4")
    charges.assign([zinc])
    assert zinc.multiplicity == 1


@pytest.mark.parametrize(
    ("electrons", "multiplicity", "possible"),
    [
        (64, 1, True),
        (64, 3, True),
        (64, 2, False),
        (63, 2, True),
        (64, 0, False),
        (2, 3, True),
        (2, 5, False),
    ],
)
def test_no_more_electrons_are_unpaired_than_there_are(electrons, multiplicity, possible):
    assert charges._is_possible(electrons, multiplicity) is possible


def test_a_part_of_the_moiety_formula_that_is_no_molecule_is_named():
    one = made("C C O O", "0-1 1-2 1-3", "3000")
    moiety = "C2 H4 O2, 0.5(Cl -)"
    charges.assign([one], moiety, charges="1: 0", multiplicities="1: 2")
    assert charges.moiety_misfits([one], moiety) == []
    charges.assign([one], "C2 H3 O2 1-")
    assert charges.moiety_misfits([one], "C2 H3 O2 1-") == []
    (remark,) = charges.moiety_misfits([one], moiety)
    assert "names C2H4O2, Cl -1, which no molecule of the structure is" in remark
    assert "1: C2H3O2 -1 (from the moiety formula)" in remark


def test_a_structure_without_a_moiety_formula_has_no_remark_on_it():
    assert charges.moiety_misfits([made("O", "", "2")], "") == []
