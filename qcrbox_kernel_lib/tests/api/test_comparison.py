"""Two models side by side on records: figures, units, names, bonds to hydrogen."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import UserInputError

from ..conftest import write_cif

SITES = [("C1", "C", 0.1, 0.2, 0.3), ("H1", "H", 0.195, 0.2, 0.3)]
LONGER = [("C1", "C", 0.1, 0.2, 0.3), ("H1", "H", 0.208, 0.2, 0.3)]


@pytest.fixture
def pair(stored, store):
    """`pair(more, more)`: two datasets with these items."""

    def make(one="", other="", sites=SITES, others=SITES):
        store.dataset("one", {"one.cif": write_cif(sites=sites, more=one)})
        store.dataset("other", {"other.cif": write_cif(sites=others, more=other)})
        return stored["one"], stored["other"]

    return make


def figures(stored, *models):
    return {row[0]: row[1:] for row in stored.compare(*models).figures.rows}


def test_figures_stand_with_their_change(stored, pair):
    found = figures(stored, *pair("_refine_ls_R_factor_gt 0.0412", "_refine_ls_R_factor_gt 0.0300"))
    assert found == {"R1": ("0.0412", "0.0300", "-0.0112")}


def test_a_figure_of_one_alone_has_no_change(stored, pair):
    found = figures(stored, *pair("_refine_ls_number_parameters 100", ""))
    assert found == {"parameters": ("100", "?", "")}


def test_residual_densities_of_two_radiations_name_both_units(stored, pair):
    one = "_refine_diff_density_max 0.3\n_diffrn_radiation_probe x-ray"
    other = "_refine_diff_density_max 0.4\n_diffrn_radiation_probe neutron"
    (label,) = figures(stored, *pair(one, other))
    assert label == "Δρ max / e Å⁻³ and fm Å⁻³"


def test_lengths_to_hydrogen_are_those_of_the_cells(stored, pair):
    """a = 10 Å: 0.095 and 0.108 along a are 0.95 and 1.08 Å."""
    table = stored.compare(*pair(others=LONGER)).bonds_to_hydrogen
    assert table.heads == ("bond", "one", "other")
    ((name, first, second),) = table.rows
    assert name == "C1–H1"
    assert (float(first.split("(")[0]), float(second.split("(")[0])) == pytest.approx((0.95, 1.08), abs=0.006)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_two_models_are_compared(stored, pair, count):
    with pytest.raises(UserInputError, match=f"takes two models; you gave {count}"):
        stored.compare(*[pair()[0]] * count)


@pytest.mark.parametrize("names", ["ab", ["a"], ["a", "b", "c"]], ids=str)
def test_two_names_are_given_or_none(stored, pair, names):
    with pytest.raises(UserInputError, match="takes two names"):
        stored.compare(*pair(), names=names)


def test_given_names_head_the_columns(stored, pair):
    assert stored.compare(*pair("_refine_ls_R_factor_gt 0.04", ""), names=["before", "after"]).figures.heads == ("", "before", "after", "change")  # fmt: skip


def test_what_is_no_cif_cannot_be_compared(stored, pair):
    with pytest.raises(UserInputError, match="A str is not a CIF"):
        stored.compare("one", pair()[1])


def test_text_and_html_have_figures_and_differences(stored, pair):
    shown = stored.compare(*pair("_refine_ls_R_factor_gt 0.04", "", others=LONGER))._repr_mimebundle_()
    assert "R1" in shown["text/plain"]
    assert "H1" in shown["text/plain"]
    assert "<table" in shown["text/html"]


def test_the_views_have_the_options_that_are_given(stored, pair):
    views = stored.compare(*pair(), labels=True).views()
    assert [view.title for view in views] == ["one", "other"]
    assert all(view.options.labels and view.options.height == 360 for view in views)


# ---------------------------------------------------------------- differences


@pytest.mark.parametrize("ignore", ["_refine_ls_*", ["_refine_ls_*"], ("_refine_ls_*",)], ids=repr)
def test_one_pattern_may_be_given_without_brackets(stored, pair, ignore):
    """As letters, the star among them would leave out every item: no difference of anything."""
    one = "_refine_ls_R_factor_gt 0.04\n_cell_volume 1320"
    models = pair(one, one.replace("0.04", "0.05").replace("1320", "1321"))
    changed = {change.tag for change in stored.diff(*models, mode="semantic", ignore=ignore).semantic.changes}
    assert changed == {"_cell.volume"}


@pytest.mark.parametrize(
    ("mode", "words"),
    [("crystallographic", "same crystal"), ("semantic", "No difference"), ("text", "No difference")],
)
def test_no_difference_is_false_and_says_so(stored, pair, mode, words):
    one, _ = pair()
    difference = stored.diff(one, one, mode=mode)
    assert not difference
    assert words in repr(difference)
