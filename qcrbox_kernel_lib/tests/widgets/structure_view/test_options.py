"""Options of a view: what is taken, what it means, and what is refused with the choices."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.widgets.structure_view.options import DIRECTIONS, GROW, HYDROGENS, STYLES, Options
from qcrbox.widgets.structure_view.palettes import NAMES


@pytest.mark.parametrize(
    ("given", "probability"),
    [
        (0.5, 0.5),
        (50, 0.5),
        (99.9, 0.999),
        (0.999, 0.999),
        (1.5, 0.015),
        (np.float32(0.5), 0.5),
        (np.int64(30), 0.3),
    ],
)
def test_a_probability_is_a_share_or_a_per_cent(given, probability):
    assert Options.of({"ellipsoids": given}).ellipsoids == pytest.approx(probability)


@pytest.mark.parametrize("given", [0, 1, 100, -0.5, 101, float("nan"), True, "50", None, [50]], ids=repr)
def test_what_is_no_probability_is_refused(given):
    with pytest.raises(UserInputError, match=r"between 0 and 1|has no size"):
        Options.of({"ellipsoids": given})


@pytest.mark.parametrize(
    ("name", "choices"),
    [("grow", GROW), ("style", STYLES), ("hydrogens", HYDROGENS), ("palette", NAMES), ("along", DIRECTIONS)],
)
def test_each_choice_is_taken_and_any_other_is_refused_with_the_choices(name, choices):
    for choice in choices:
        assert getattr(Options.of({name: choice}), name) == choice
    for other in ("other", 5, None, ["a"], {}):
        with pytest.raises(UserInputError, match=rf"{name} must be one of '{choices[0]}'"):
            Options.of({name: other})


@pytest.mark.parametrize(("given", "grow"), [(True, "auto"), (False, "none")])
def test_growing_may_be_switched(given, grow):
    assert Options.of({"grow": given}).grow == grow


@pytest.mark.parametrize("given", [True, False, "heavy", np.bool_(True)], ids=repr)
def test_labels_are_on_off_or_of_heavy_atoms(given):
    assert Options.of({"labels": given}).labels == given


@pytest.mark.parametrize("given", [0, 1, "all", None, [True]], ids=repr)
def test_other_labels_are_refused(given):
    with pytest.raises(UserInputError, match="labels must be True, False or"):
        Options.of({"labels": given})


@pytest.mark.parametrize("name", ["cell", "hydrogen_bonds", "perspective"])
def test_a_switch_is_true_or_false(name):
    assert getattr(Options.of({name: True}), name) is True
    for given in ("yes", "False", 5, None):
        with pytest.raises(UserInputError, match=f"{name} must be True or False; you gave {given!r}"):
            Options.of({name: given})


@pytest.mark.parametrize("radius", [0, -1, float("nan"), float("inf"), "4", None, True], ids=repr)
def test_a_radius_is_a_length(radius):
    with pytest.raises(UserInputError, match="radius must be a length in Å above 0"):
        Options.of({"radius": radius})


@pytest.mark.parametrize("height", [0, -440, "440", None, float("nan")], ids=repr)
def test_a_height_is_a_number_of_pixels(height):
    with pytest.raises(UserInputError, match="height must be a number of pixels above 0"):
        Options.of({"height": height})


@pytest.mark.parametrize(
    "ranges",
    [
        ((0, 1), (0, 1)),
        ((1, 0), (0, 1), (0, 1)),
        "abc",
        5,
        ((0, 1), (0, 1), (0, None)),
        [[0, float("nan")]] * 3,
    ],
    ids=["two axes", "from right to left", "text", "number", "open end", "nan"],
)
def test_a_box_has_two_ends_along_each_axis(ranges):
    with pytest.raises(UserInputError, match=r"ranges must be .* of the three axes"):
        Options.of({"ranges": ranges})


def test_a_box_may_be_lists_of_numbers_of_any_kind():
    assert Options.of({"ranges": [[-0.5, 1.5], np.array([0, 1]), (0, 2)]}).ranges


@pytest.mark.parametrize("given", ["all", "major", "minor", {"A": 1}, {}], ids=repr)
def test_parts_are_named_or_chosen(given):
    assert Options.of({"disorder": given}).disorder == given


@pytest.mark.parametrize("given", ["both", 1, None, ["A"]], ids=repr)
def test_other_parts_are_refused(given):
    with pytest.raises(UserInputError, match="disorder must be"):
        Options.of({"disorder": given})


def test_a_slip_names_the_option_that_was_meant():
    with pytest.raises(UserInputError, match=r"no option 'ellipsoid'. Did you mean 'ellipsoids'"):
        Options.of({"ellipsoid": 50})
    with pytest.raises(UserInputError, match=r"no option 'zzz'. It has: ellipsoids"):
        Options.of({"zzz": 1})


def test_a_refused_change_leaves_the_options_as_they_are():
    before = Options.of({"ellipsoids": 30, "cell": True})
    with pytest.raises(UserInputError):
        before.changed(style="odd")
    assert (before.ellipsoids, before.cell) == (0.3, True)
    assert before.changed(cell=False).ellipsoids == 0.3
