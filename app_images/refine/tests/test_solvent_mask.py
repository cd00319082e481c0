"""Partial structure factors of a mask in every symmetry equivalent, and the text of a .fab file."""

import numpy as np
import pytest
from cctbx import crystal, miller, sgtbx
from cctbx.array_family import flex
from qcrbox.contract.errors import UserInputError
from qcrbox_refine.solvent_mask import BulkSolvent, SolventMask, parse_fab

POINTS = [((0.11, 0.23, 0.37), 3.0), ((0.42, 0.05, 0.18), -1.7), ((0.31, 0.66, 0.09), 0.8)]


def group_of(symbol):
    return sgtbx.space_group_info(symbol).group()


def plain_sum(group, hkl):
    """F of point scatterers at POINTS and all their images."""
    total = 0j
    for operation in group:
        rotation = np.array(operation.r().as_double()).reshape(3, 3)
        shift = np.array(operation.t().as_double())
        for site, weight in POINTS:
            total += weight * np.exp(2j * np.pi * np.dot(hkl, rotation @ np.array(site) + shift))
    return total


@pytest.mark.parametrize(
    "symbol",
    ["P 1", "P -1", "P 1 21/c 1", "P 21 21 21", "P 41", "P 31 2 1", "R 3 :H", "F d d 2", "I 41/a", "P 21 3"],
)
def test_equivalents_have_the_phases_of_their_translations(symbol):
    """F(hR) = F(h) exp(-2πi h·t): each value expanded from one index equals the sum over the points at its own index."""
    group = group_of(symbol)
    indices = [h for h in [(1, 2, 3), (2, 0, 1), (3, 1, -2), (2, 2, 0)] if not group.is_sys_absent(h)]
    assert indices
    rows = "\n".join(
        f"{h[0]} {h[1]} {h[2]} {f.real} {f.imag}" for h in indices for f in [plain_sum(group, h)]
    )
    values = parse_fab(rows, group, "x.fab")
    assert len(values) > len(indices)
    for index, value in values.items():
        assert value == pytest.approx(plain_sum(group, index), abs=1e-9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 0 0 2.5 -1\n", {(1, 0, 0): 2.5 - 1j}),
        (
            "   1   0   0    2.50   -1.00\n   0   0   0    0.00    0.00\n   2   0   0 9 9\n",
            {(1, 0, 0): 2.5 - 1j},
        ),
        ("a title\n\n1 0 0 2.5 -1 7 extra\n", {(1, 0, 0): 2.5 - 1j}),
        ("1 0 0 2.5 -1\nREM the end\n2 0 0 9 9\n", {(1, 0, 0): 2.5 - 1j}),
        ("1 0 0 2.5E+00 -1.0e0\n", {(1, 0, 0): 2.5 - 1j}),
        ("-1 0 0 2.5 -1\n", {(1, 0, 0): 2.5 + 1j}),
    ],
    ids=["free", "columns and end", "title", "remark behind", "exponents", "Friedel mate"],
)
def test_lines_of_a_fab_file(text, expected):
    values = parse_fab(text, group_of("P 1"), "x.fab")
    assert {index: values[index] for index in expected} == expected
    assert (2, 0, 0) not in values


@pytest.mark.parametrize("text", ["", "no numbers here\n", "1 2 3\n", "0 0 0 1 1\n"])
def test_a_file_without_structure_factors_is_refused(text):
    with pytest.raises(UserInputError, match="holds no structure factors"):
        parse_fab(text, group_of("P 1"), "x.fab")


def test_reflections_that_the_mask_lacks_are_counted_and_get_nothing():
    mask = SolventMask(parse_fab("1 0 0 2 0\n0 1 0 3 1\n", group_of("P 1"), "x.fab"))
    symmetry = crystal.symmetry((5, 6, 7, 90, 90, 90), "P 1")
    wanted = miller.set(symmetry, flex.miller_index([(1, 0, 0), (0, -1, 0), (0, 0, 1)]), anomalous_flag=True)
    values, missing = mask.at(wanted)
    assert values.tolist() == [2 + 0j, 3 - 1j, 0j]
    assert missing == 1


@pytest.mark.parametrize(
    ("scale", "u", "stol_sq", "expected"),
    [
        (1.0, 0.0, 0.3, 1.0),
        (0.8, 0.0, 0.3, 0.8),
        # exp(-8π² · 0.1 · 0.25) = exp(-1.97392)
        (1.0, 0.1, 0.25, 0.138911),
    ],
)
def test_the_mask_falls_off_as_with_a_displacement(scale, u, stol_sq, expected):
    assert SolventMask({}, scale, u).damping(np.array([stol_sq])) == pytest.approx([expected], rel=1e-5)


def test_only_refined_values_are_shifted():
    mask = SolventMask({}, 0.9, 0.05, refined=("u",))
    mask.shift(iter([0.01]))
    assert (mask.scale, mask.u, mask.names(), mask.refined_values()) == (
        0.9,
        pytest.approx(0.06),
        ["ABIN U"],
        [mask.u],
    )


@pytest.mark.parametrize(("g", "u"), [(0.3, 0.8), (0.05, 2.0), (-0.2, 1.0)])
def test_bulk_solvent_and_its_derivatives(g, u):
    """1 - g exp(-8π² U s²); derivatives by differences."""
    s2 = np.array([0.0, 0.01, 0.1, 0.4])
    factor, by_g, by_u = BulkSolvent(g, u).factor(s2)
    assert factor == pytest.approx(1 - g * np.exp(-8 * np.pi**2 * u * s2))
    step = 1e-6
    assert by_g == pytest.approx(
        (BulkSolvent(g + step, u).factor(s2)[0] - BulkSolvent(g - step, u).factor(s2)[0]) / (2 * step),
        abs=1e-7,
    )
    assert by_u == pytest.approx(
        (BulkSolvent(g, u + step).factor(s2)[0] - BulkSolvent(g, u - step).factor(s2)[0]) / (2 * step),
        abs=1e-7,
    )
