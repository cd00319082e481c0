"""Rules of section 11: whether two states of a structure agree."""

from __future__ import annotations

import json
import math

import pytest
from qcrbox.analysis.convergence import LIMITS, Convergence, check_convergence
from qcrbox.cif import read
from qcrbox.contract.errors import UserInputError

from ..conftest import aniso, write_cif

COLUMNS = "label type_symbol fract_x fract_y fract_z"
SU = [("C1", "C", "0.100(1)", "0.200(1)", "0.300(1)"), ("C2", "C", "0.500(1)", "0.600(1)", "0.700(1)")]
CELL = (10, 10, 10, 90, 90, 90)


def compare(first: list, second: list, limits: dict, more: tuple[str, str] = ("", "")) -> Convergence:
    blocks = [
        read(write_cif(CELL, sites, COLUMNS, more=m).encode())[0]
        for sites, m in zip((first, second), more, strict=True)
    ]
    return check_convergence(*blocks, limits)


def moved(sites: list, x: str = "0.101(1)") -> list:
    return [(*sites[0][:2], x, *sites[0][3:]), *sites[1:]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max abs position", 0.01),
        ("mean abs position", 0.005),
        ("max position/su", 0.7071),
        ("mean position/su", 0.1179),
    ],
)
def test_the_checked_values_of_two_atoms(name: str, value: float) -> None:
    answer = compare(SU, moved(SU), {name: value + 1e-4})
    assert answer.values[name] == pytest.approx(value, abs=5e-5)
    assert answer.converged
    assert not compare(SU, moved(SU), {name: value - 1e-4}).converged


def test_a_limit_equal_to_the_value_holds() -> None:
    exact = compare(SU, moved(SU), {"max abs position": 1.0}).values["max abs position"]
    assert compare(SU, moved(SU), {"max abs position": exact}).converged


def test_no_limits_are_always_met() -> None:
    assert compare(SU, moved(SU), {}) == Convergence(True, {})
    assert compare(SU, moved(SU), dict.fromkeys(LIMITS)).converged


def test_an_unknown_limit_is_refused_with_those_known() -> None:
    with pytest.raises(UserInputError, match="max abs position"):
        compare(SU, SU, {"max position": 1.0})


def test_atoms_are_paired_by_label_not_by_order() -> None:
    assert compare(SU, SU[::-1], {"max abs position": 1e-6}).converged


def test_atoms_in_one_file_only_are_named_and_mean_not_converged() -> None:
    answer = compare(SU, [*SU[:1], ("N9", "N", 0.1, 0.1, 0.1)], {"max abs position": 1.0})
    assert not answer.converged
    assert answer.only_in_first == ["C2"]
    assert answer.only_in_second == ["N9"]


def test_no_common_atom_is_not_converged() -> None:
    answer = compare(SU[:1], SU[1:], {"max abs position": 100.0})
    assert not answer.converged
    assert "No atom" in answer.reasons[-1]


def test_no_shift_without_su_counts_as_zero() -> None:
    plain = [("C1", "C", 0.1, 0.2, 0.3)]
    answer = compare(plain, plain, {"max position/su": 0.0})
    assert answer.converged
    assert answer.values == {"max position/su": 0.0}


def test_a_shift_without_su_is_infinite_and_written_as_text_in_json() -> None:
    plain = [("C1", "C", 0.1, 0.2, 0.3)]
    answer = compare(plain, moved(plain, "0.101"), {"max position/su": 1e9})
    assert math.isinf(answer.values["max position/su"])
    assert not answer.converged
    assert json.loads(answer.to_json())["values"] == {"max position/su": "Infinity"}


TENSOR_1 = aniso([("C1", "0.0200(10)", 0.02, 0.02, 0, 0, 0), ("C2", 0.03, 0.03, 0.03, 0, 0, 0)])
TENSOR_2 = aniso([("C1", "0.0220(10)", 0.02, 0.02, 0, 0, 0), ("C2", 0.03, 0.03, 0.03, 0, 0, 0)])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max abs uij", 0.002),
        ("mean abs uij", 0.002 / 12),
        ("max uij/su", 2 / math.sqrt(2)),
        ("mean uij/su", 2 / math.sqrt(2) / 12),
    ],
)
def test_displacement_parameters_are_compared_alike(name: str, value: float) -> None:
    answer = compare(SU, SU, {name: value * 1.001}, (TENSOR_1, TENSOR_2))
    assert answer.values == {name: pytest.approx(value)}
    assert answer.converged


ISOTROPIC = "label type_symbol fract_x fract_y fract_z U_iso_or_equiv"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        # H2 rides: its U has no s.u. and follows that of its atom.
        ("max abs uij", 0.012),
        ("mean abs uij", 0.016 / 2),
        ("max uij/su", 0.004 / 0.001 / math.sqrt(2)),
    ],
)
def test_isotropic_displacements_are_compared_too(name: str, value: float) -> None:
    """Atoms without tensors passed any limit: U(iso) from 0.020 to 0.024 Å² was a change of 0."""
    first, second = (
        read(
            write_cif(
                CELL, [("C1", "C", 0.1, 0.2, 0.3, u), ("H2", "H", 0.5, 0.6, 0.7, riding)], ISOTROPIC
            ).encode()
        )[0]
        for u, riding in (("0.0200(10)", 0.03), ("0.0240(10)", 0.042))
    )
    answer = check_convergence(first, second, {name: value * 0.99})
    assert answer.values == {name: pytest.approx(value)}
    assert not answer.converged


def test_positions_need_no_anisotropic_values() -> None:
    assert compare(SU, SU, {"max abs position": 0.1}, (TENSOR_1, "")).converged


def test_an_atom_anisotropic_in_one_file_only_is_named_when_tensors_are_asked_for() -> None:
    answer = compare(SU, SU, {"max abs uij": 1.0}, (TENSOR_1, aniso([("C1", 0.02, 0.02, 0.02, 0, 0, 0)])))
    assert not answer.converged
    assert "C2" in answer.reasons[0]


def test_the_json_holds_the_answer_and_the_numbers() -> None:
    answer = json.loads(compare(SU, moved(SU), {"max abs position": 0.001}).to_json())
    assert answer["converged"] is False
    assert answer["values"]["max abs position"] == pytest.approx(0.01)
    assert "above the limit 0.001" in answer["reasons"][0]


def located(*places):
    sites = [(f"C{n}", "C", *place) for n, place in enumerate(places, 1)]
    return read(write_cif((10, 10, 10, 90, 90, 90), sites))[0]


@pytest.mark.parametrize("limit", ["wide", -0.1, float("nan"), [1]], ids=repr)
def test_a_limit_is_a_number_of_zero_or_more(limit):
    block = located((0.1, 0.2, 0.3))
    with pytest.raises(UserInputError, match="The limit 'max abs position' must be a number of 0 or more"):
        check_convergence(block, block, {"max abs position": limit})


def test_an_atom_without_coordinates_in_one_file_is_named_and_the_others_compared():
    known = located((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    lost = located((0.1, 0.2, 0.301), ("?", "?", "?"))
    found = check_convergence(known, lost, {"max abs position": 0.1})
    assert not found.converged
    assert found.reasons == ["C2 without coordinates in one file."]
    assert found.values["max abs position"] == pytest.approx(0.01)  # 0.001 of 10 Å


def test_an_atom_without_coordinates_in_both_files_has_not_moved():
    lost = located((0.1, 0.2, 0.3), ("?", "?", "?"))
    assert check_convergence(lost, lost, {"max abs position": 0.1, "max position/su": 0.1}).converged
