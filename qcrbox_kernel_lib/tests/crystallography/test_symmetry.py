from __future__ import annotations

from fractions import Fraction

import gemmi
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.contract.errors import CifError
from qcrbox.crystallography.space_group import SpaceGroup
from qcrbox.crystallography.symmetry import (
    SymmetryOperation,
    close_group,
    format_code,
    parse_code,
    point_group,
)

SETTINGS = list(gemmi.spacegroup_table())


def setting_id(entry: gemmi.SpaceGroup) -> str:
    return f"{entry.number}-{entry.xhm()}"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("x,y,z", "x, y, z"),
        ("1/2-X,y+0.5,.5+z", "-x+1/2, y+1/2, z+1/2"),
        ("-x+1/2,y,.5+z", "-x+1/2, y, z+1/2"),
        (" -X , Y - X , Z + 1/3 ", "-x, -x+y, z+1/3"),
        ("x,y,z+0.3333", "x, y, z+1/3"),
        ("x,y,z+0.667", "x, y, z+2/3"),
        ("'x, -y, z+3/4'", "x, -y, z+3/4"),
        ("+x,+y,+z", "x, y, z"),
        ("x;y;z", "x, y, z"),
        ("x-1/2, -y-1/2, z-1/2", "x-1/2, -y-1/2, z-1/2"),
        ("-y+1/2+1/4,x,z", "-y+3/4, x, z"),
    ],
)
def test_operations_are_read_in_every_usual_spelling(written: str, read: str) -> None:
    assert str(SymmetryOperation.parse(written)) == read


@pytest.mark.parametrize(
    "text", ["x,y", "x,y,z,x4", "x1,x2,x3,x4", "a,b,c", "x y,z", "", "x,y,z+1/0", "x,,z", "x+,y,z"]
)
def test_what_is_no_operation_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(CifError) as caught:
        SymmetryOperation.parse(text)
    assert text.split("1/0")[0][:3] in caught.value.message or "zero" in caught.value.message


@pytest.mark.parametrize("entry", SETTINGS, ids=setting_id)
def test_every_setting_goes_from_symbol_to_hall_to_operations_and_back(entry: gemmi.SpaceGroup) -> None:
    by_symbol = SpaceGroup.from_hm(entry.xhm())
    by_hall = SpaceGroup.from_hall(entry.hall)
    by_operations = SpaceGroup.from_operations(
        [SymmetryOperation.parse(operation.triplet()) for operation in entry.operations()]
    )
    assert by_symbol.same_operations(by_hall)
    assert by_hall.same_operations(by_operations)
    assert by_symbol.number == by_hall.number == by_operations.number == entry.number
    assert by_symbol.hall == by_hall.hall == by_operations.hall == entry.hall
    assert by_hall.crystal_system == entry.crystal_system_str()
    assert by_hall.centring == ("P" if entry.ext == "R" else entry.hm[0])
    assert by_hall.centrosymmetric == entry.is_centrosymmetric()
    assert all(operation.determinant > 0 for operation in by_hall.operations) == entry.is_sohncke()


@pytest.mark.parametrize("entry", SETTINGS[::7], ids=setting_id)
def test_multiplication_table_is_exact(entry: gemmi.SpaceGroup) -> None:
    group = SpaceGroup.from_hall(entry.hall)
    index, shift = group.multiplication
    rng = np.random.default_rng(1)
    point = rng.random(3)
    for i in rng.integers(0, group.order, 5):
        for j in rng.integers(0, group.order, 5):
            inner = group.rotations[j] @ point + group.translations[j]
            outer = group.rotations[i] @ inner + group.translations[i]
            k = index[i, j]
            assert group.rotations[k] @ point + group.translations[k] + shift[i, j] == pytest.approx(outer)


def test_point_groups_are_named_for_every_setting() -> None:
    for entry in SETTINGS:
        operations = [SymmetryOperation.parse(operation.triplet()) for operation in entry.operations()]
        # gemmi calls one orientation of -6m2 by its other name
        assert point_group([operation.r for operation in operations]) == entry.point_group_hm().replace(
            "-62m", "-6m2"
        )


translations = st.tuples(*[st.fractions(-3, 3, max_denominator=24)] * 3)


@given(st.sampled_from(SETTINGS), st.integers(0, 191), translations)
def test_written_operations_read_back_equal(
    entry: gemmi.SpaceGroup, place: int, shift: tuple[Fraction, ...]
) -> None:
    triplets = [operation.triplet() for operation in entry.operations()]
    operation = SymmetryOperation.parse(triplets[place % len(triplets)])
    moved = SymmetryOperation(operation.rotation, shift)  # type: ignore[arg-type]
    assert SymmetryOperation.parse(moved.xyz()) == moved
    assert (moved @ moved.inverse()).is_identity


@pytest.mark.parametrize(
    ("code", "operation", "translation"),
    [
        ("3_655", "3", (1, 0, 0)),
        ("1_555", "1", (0, 0, 0)),
        (".", "1", (0, 0, 0)),
        ("?", "1", (0, 0, 0)),
        ("12_546", "12", (0, -1, 1)),
        ("4", "4", (0, 0, 0)),
        ("3_5_12_5", "3", (0, 7, 0)),
    ],
)
def test_symmetry_codes_are_read(code: str, operation: str, translation: tuple[int, int, int]) -> None:
    assert parse_code(code) == (operation, translation)


@given(st.integers(1, 192), st.tuples(*[st.integers(-40, 40)] * 3))
def test_symmetry_codes_are_written_so_that_they_read_back(
    operation: int, translation: tuple[int, int, int]
) -> None:
    if min(translation) < -5:
        return  # there is no code for it; the readable form is used
    assert parse_code(format_code(operation, translation)) == (str(operation), translation)


@pytest.mark.parametrize("code", ["3_65", "3-655", "x y", "3_655_"])
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(CifError, match="symmetry code"):
        parse_code(code)


def test_an_incomplete_list_is_closed_and_keeps_its_order() -> None:
    given_operations = [SymmetryOperation.parse(text) for text in ("x,y,z", "-x,-y,-z", "-x,y+1/2,-z+1/2")]
    group = close_group(given_operations)
    assert group[:3] == given_operations
    assert str(group[3]) == "x, -y+1/2, z+1/2"


@pytest.mark.parametrize("shear", ["x+y,y,z", "x,y,-x+z", "x+3y,y,z+1/2"])
def test_operations_of_no_group_are_refused(shear: str) -> None:
    with pytest.raises(CifError, match="space group"):
        close_group([SymmetryOperation.parse("x,y,z"), SymmetryOperation.parse(shear)])


def test_an_operation_that_flattens_space_is_refused() -> None:
    with pytest.raises(CifError, match="does not keep volumes"):
        close_group([SymmetryOperation.parse("x,y,z"), SymmetryOperation.parse("x,y,y")])


def test_many_missing_products_are_all_found_once() -> None:
    """Generators alone give every setting's full group."""
    for hall in ("-F 4 2 3", '-R 3 2"', "P 2ac 2ab", "-I 4bd 2c 3"):
        full = [
            SymmetryOperation.parse(str(operation)) for operation in SpaceGroup.from_hall(hall).operations
        ]
        for some in (full[1::3], full[1::5], full[-3:]):
            group = close_group(some)
            assert len(group) == len({operation.reduced() for operation in group})
            assert len(full) % len(group) == 0
            assert {operation.reduced() for operation in group} <= {operation.reduced() for operation in full}
    texts = ("-x+1/2,-y,z+1/2", "-x,y+1/2,-z+1/5", "x+1/2,-y+1/2,-z")
    fifths = close_group([SymmetryOperation.parse(text) for text in texts])
    assert len(fifths) == len({operation.reduced() for operation in fifths}) == 40


@pytest.mark.parametrize(
    ("written", "meant"),
    [("0.33", "1/3"), (".67", "2/3"), ("0.17", "1/6"), ("0.83", "5/6"), ("0.13", "1/8"), ("0.38", "3/8"), ("0.08", "1/12"),
     ("0.25", "1/4"), ("0.2", "1/5"), ("0.31", "31/100")],
)  # fmt: skip
def test_two_decimals_are_the_fraction_that_rounds_to_them(written, meant):
    """A screw axis of z+0.33 is 3(1): as 33/100 it would make 300 operations of three."""
    assert SymmetryOperation.parse(f"-y,x-y,z+{written}").translation[2] == Fraction(meant)


@pytest.mark.parametrize(
    "text",
    [
        "x+" + "1" * 5000 + "/3, y, z",
        "x+1/" + "3" * 5000 + ", y, z",
        "x+0." + "3" * 5000 + ", y, z",
        "x/" + "1" * 5000 + ",y,z",
    ],
    ids=["numerator", "denominator", "decimals", "divisor"],
)
def test_an_operation_with_thousands_of_digits_is_refused(text: str) -> None:
    """int() of Python raises ValueError for such a number."""
    with pytest.raises(CifError, match="is not a symmetry operation") as caught:
        SymmetryOperation.parse(text)
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    "code", ["3_" + "5" * 5000 + "_5_5", "3_55555_5_5", "3_٥٥٥"], ids=["endless", "far", "other digits"]
)
def test_a_code_with_endless_numbers_is_refused(code: str) -> None:
    with pytest.raises(CifError, match="is not a symmetry code"):
        parse_code(code)


@given(st.integers(-4000, 4000), st.integers(-4000, 4000), st.integers(-4000, 4000))
def test_every_translation_within_reach_is_written_and_read_again(x: int, y: int, z: int) -> None:
    moved = (max(x, -5), max(y, -5), max(z, -5))
    assert parse_code(format_code("3", moved)) == ("3", moved)


# Seitz products by hand: 2(1) along b twice is a whole translation, c glide twice as well.
@pytest.mark.parametrize(
    ("first", "second", "product"),
    [
        ("-x,y+1/2,-z", "-x,y+1/2,-z", "x,y+1,z"),
        ("x,-y,z+1/2", "x,-y,z+1/2", "x,y,z+1"),
        ("-x,-y,-z", "x+1/2,y,z", "-x-1/2,-y,-z"),
        ("x+1/2,y,z", "-x,-y,-z", "-x+1/2,-y,-z"),
        ("-y,x-y,z+1/3", "-y,x-y,z+1/3", "-x+y,-x,z+2/3"),
        ("-y,x,z+1/4", "-y,x,z+1/4", "-x,-y,z+1/2"),
        ("z,x,y", "z,x,y", "y,z,x"),
    ],
)
def test_products_of_operations_by_hand(first: str, second: str, product: str) -> None:
    made = SymmetryOperation.parse(first) @ SymmetryOperation.parse(second)
    assert made == SymmetryOperation.parse(product)


@pytest.mark.parametrize("text", ["-x,y+1/2,-z+1/2", "-y,x-y,z+1/3", "z,-x+1/4,y+3/4", "x+2,y-1,z"])
def test_an_operation_and_its_inverse_give_the_identity(text: str) -> None:
    operation = SymmetryOperation.parse(text)
    assert (operation @ operation.inverse()).is_identity
    assert (operation.inverse() @ operation).is_identity


@pytest.mark.parametrize(
    ("text", "determinant", "reduced"),
    [
        ("x,y,z", 1, "x, y, z"),
        ("-x,-y,-z", -1, "-x, -y, -z"),
        ("x+5/2,y-1/4,z", 1, "x+1/2, y+3/4, z"),
        ("-x-1,y,z+1", -1, "-x, y, z"),
    ],
)
def test_determinants_and_reduced_translations(text: str, determinant: int, reduced: str) -> None:
    operation = SymmetryOperation.parse(text)
    assert operation.determinant == determinant
    assert operation.reduced().xyz() == reduced
    assert operation.shifted((1, -2, 0)).reduced() == operation.reduced()
