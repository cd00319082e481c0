"""From reflections to observations: indices and intensities, what is left out and reported, R(int) and R(sigma)."""

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_refine import reflections
from small_models import shelx_model

ATOM = "C1 1 0.1 0.2 0.3 11 0.03"
PLAIN = [(1, 0, 0, 100.0, 2.0), (0, 2, 0, 50.0, 1.0), (0, 0, 3, 80.0, 1.6)]


def text_of(rows):
    lines = [
        f"{h:4d}{k:4d}{m:4d}{value:8.2f}{su:8.2f}" + (f"{batch[0]:4d}" if batch else "")
        for h, k, m, value, su, *batch in rows
    ]
    return "\n".join([*lines, "   0   0   0    0.00    0.00", ""])


@pytest.fixture
def prepared(tmp_path):
    def make(rows, *cards, hklf="HKLF 4", **options):
        model = shelx_model(ATOM, *cards, hklf=hklf, **{"cell": "0.71073 7 8 9 80 95 100", **options})
        path = tmp_path / "x.hkl"
        path.write_text(rows if isinstance(rows, str) else text_of(rows))
        return reflections.prepare(model, str(path)), model

    return make


def values_of(data):
    return {
        tuple(h): (v, s)
        for h, v, s in zip(data.unique.indices(), data.unique.data(), data.unique.sigmas(), strict=True)
    }


@pytest.mark.parametrize(
    ("hklf", "expected"),
    [
        ("HKLF 4", (100.0, 2.0)),
        ("HKLF 4 0.1", (10.0, 0.2)),
        # 1/σ² times 4: σ is halved.
        ("HKLF 4 1 1 0 0 0 1 0 0 0 1 4", (100.0, 1.0)),
        # F² and σ(F²) = 2 F σ.
        ("HKLF 3", (10000.0, 400.0)),
        ("HKLF 3 0.1", (100.0, 4.0)),
    ],
)
def test_intensities_are_those_that_hklf_says(prepared, hklf, expected):
    data, _ = prepared(PLAIN, hklf=hklf)
    assert values_of(data)[1, 0, 0] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("matrix", "h"),
    [
        ("0 1 0 0 0 1 1 0 0", {(1, 0, 0): (0, 0, 1), (0, 2, 0): (2, 0, 0), (0, 0, 3): (0, 3, 0)}),
        # h' = h + k, k' = k, l' = -l
        ("1 1 0 0 1 0 0 0 -1", {(1, 0, 0): (1, 0, 0), (0, 2, 0): (2, 2, 0), (0, 0, 3): (0, 0, -3)}),
    ],
)
def test_indices_are_columns_for_the_matrix_of_hklf(prepared, matrix, h):
    data, _ = prepared(PLAIN, hklf=f"HKLF 4 1 {matrix}")
    own = {(a, b, c): value for a, b, c, value, _ in PLAIN}
    assert {tuple(i): v for i, v in zip(data.measured.indices(), data.measured.data(), strict=True)} == {
        new: own[old] for old, new in h.items()
    }


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((2, 1, 1, 5.0, 0.0), "1 reflections with s.u. ≤ 0 were left out."),
        ((2, 1, 1, 5.0, -1.0), "1 reflections with s.u. ≤ 0 were left out."),
    ],
)
def test_reflections_without_a_weight_are_left_out_and_named(prepared, row, said):
    data, model = prepared([*PLAIN, row])
    assert data.unique.size() == 3
    assert said in model.notes


@pytest.mark.parametrize("word", ["nan", "inf"])
def test_reflections_that_are_no_numbers_are_left_out_and_named(prepared, word):
    data, model = prepared("1 0 0 100 2\n0 2 0 50 1\n" + f"2 1 1 {word} 1\n0 0 0 0 0\n")
    assert data.unique.size() == 2
    assert "1 reflections whose F² or s.u. is not finite were left out." in model.notes


def test_indices_that_the_matrix_makes_fractional_are_left_out_and_named(prepared):
    data, model = prepared(PLAIN, hklf="HKLF 4 1 0.5 0 0 0 1 0 0 0 1")
    assert data.unique.size() == 2
    assert (
        "1 of 3 reflections have no whole indices after the matrix of HKLF and were left out." in model.notes
    )


def test_a_group_of_overlapping_reflections_goes_as_a_whole(prepared):
    rows = [(1, 0, 0, 9.0, 1.0, -2), (1, 1, 0, 9.0, 0.0, 1), (0, 2, 0, 5.0, 1.0, -2), (0, 2, 1, 5.0, 1.0, 1)]
    data, _ = prepared(rows, "BASF 0.2", hklf="HKLF 5")
    assert [tuple(h) for h in data.unique.indices()] == [(0, 2, 1)]
    assert data.components.indices.tolist() == [[0, 2, 0], [0, 2, 1]]
    assert data.components.domain.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("rows", "cards", "words"),
    [
        ([(1, 0, 0, 5.0, 0.0)], (), "no reflection has a positive s.u."),
        (PLAIN, ("OMIT 1 0 0", "OMIT 0 2 0", "OMIT 0 0 3"), "no reflection is left"),
        (PLAIN, ("SHEL 0.5 0.4",), "no reflection is left"),
        ([(30, 0, 0, 5.0, 1.0)], (), "which 0.71073 Å cannot measure"),
    ],
)
def test_data_of_which_nothing_is_left_are_refused(prepared, rows, cards, words):
    with pytest.raises(UserInputError, match=words):
        prepared(rows, *cards)


def test_absences_are_counted_and_strong_ones_named(prepared):
    """0 k 0 with k odd in P 21: I/σ = 20 says that there is no screw axis."""
    rows = [*PLAIN, *((0, k, 0, 20.0, 1.0) for k in (1, 3, 5))]
    options = {"cell": "0.71073 7 8 9 90 95 90", "symm": ("-x, 0.5+y, -z",)}
    data, model = prepared(rows, **options)
    assert (data.absent, data.unique.size()) == (3, 3)
    assert any("3 systematically absent reflections have a mean I/σ of 20.0" in note for note in model.notes)
    _, quiet = prepared([*PLAIN, *((0, k, 0, 0.5, 1.0) for k in (1, 3, 5))], **options)
    assert not any("systematically absent" in note for note in quiet.notes)


@pytest.mark.parametrize(("r_sigma", "rows"), [(4.6 / 230, PLAIN), (0.02, [(1, 0, 0, 100.0, 2.0)])])
def test_r_sigma_is_the_ratio_of_the_sums(prepared, r_sigma, rows):
    assert prepared(rows)[0].r_sigma == pytest.approx(r_sigma)


@pytest.mark.parametrize(
    ("hklf", "kept", "card"),
    [
        ("HKLF 4", True, "HKLF 4"),
        ("HKLF 4 0.5", False, "HKLF 4"),
        ("HKLF 4 1 0 1 0 1 0 0 0 0 -1", False, "HKLF 4"),
        ("HKLF 3", False, "HKLF 4"),
    ],
)
def test_the_text_is_kept_where_it_means_the_same_and_written_anew_where_not(prepared, hklf, kept, card):
    data, _ = prepared(PLAIN, hklf=hklf)
    assert (data.hkl_text == text_of(PLAIN)) is kept
    assert data.hklf == card
    again, _ = prepared(data.hkl_text)
    assert values_of(again) == {h: pytest.approx(pair, abs=0.01) for h, pair in values_of(data).items()}


@pytest.mark.parametrize(("card", "observations", "batches"), [("BASF 0.9", 4, True), ("REM", 3, False)])
def test_batches_are_merged_apart_where_they_have_scale_factors(prepared, card, observations, batches):
    rows = [
        (1, 0, 0, 100.0, 2.0, 1),
        (1, 0, 0, 90.0, 2.0, 2),
        (0, 2, 0, 50.0, 1.0, 1),
        (0, 0, 3, 80.0, 1.6, 2),
    ]
    data, _ = prepared(rows, card)
    assert data.unique.size() == observations
    assert (data.batches is not None) is batches
