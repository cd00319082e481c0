"""Twins, extinction, solvent and masks: from the instructions of a file to parameters of the refinement."""

from types import SimpleNamespace

import numpy as np
import pytest
from cctbx import crystal, miller
from cctbx.array_family import flex
from qcrbox.cif import read
from qcrbox.contract.errors import UserInputError
from qcrbox_refine.cif_block import CifBlock
from qcrbox_refine.correction_cards import correction_cards
from qcrbox_refine.corrections import extinction_choice, prepare_corrections
from qcrbox_refine.extinction import Extinction
from qcrbox_refine.intensities import Corrections
from qcrbox_refine.solvent_mask import BulkSolvent, SolventMask
from qcrbox_refine.twinning import Components, Domains
from small_models import shelx_model

ATOM = "C1 1 0.1 0.2 0.3 11 0.03"
TETRAGONAL = {"cell": "0.71073 7 7 9 90 90 90", "symm": ("-x, -y, z", "-y, x, z", "y, -x, z")}
LAW = "TWIN 0 1 0 1 0 0 0 0 -1"
FAB = "1 0 0 2 0\n0 1 0 3 1\n"


def data_of(domains=(0, 0, 0), batches=None):
    """Three observations; `domains` of their components."""
    hkl = np.array([(1, 0, 0), (0, 2, 0), (1, 1, 3)])
    symmetry = crystal.symmetry((7, 7, 9, 90, 90, 90), "P 1")
    unique = miller.set(symmetry, flex.miller_index(hkl.tolist()), anomalous_flag=True)
    components = Components.single(hkl, np.array(domains))
    return SimpleNamespace(
        components=components,
        grouped=bool(any(domains)),
        batches=None if batches is None else np.array(batches),
        origin="x.hkl",
        unique=unique,
    )


def prepared(*cards, data=None, **options):
    model = shelx_model(ATOM, *cards, **TETRAGONAL)
    data = data or data_of()
    return prepare_corrections(model, data, **options), model, data


@pytest.mark.parametrize(
    ("cards", "fractions", "refined"),
    [
        ((LAW, "BASF 0.3"), [0.3], [True]),
        ((LAW, "BASF 10.3"), [0.3], [False]),
        ((LAW,), [0.5], [False]),
        ((f"{LAW} -4",), [0.25] * 3, [False] * 3),
        ((f"{LAW} -4", "BASF 0.1 0.2 10.3"), [0.1, 0.2, 0.3], [True, True, False]),
        # Shares that BASF does not give begin equal: (1 - 0.1) / 3.
        ((f"{LAW} -4", "BASF 0.1"), [0.1, 0.3, 0.3], [True] * 3),
        ((LAW, "BASF 0.3 0.2"), [0.3], [True]),
        (("TWIN -1 0 0 0 -1 0 0 0 -1", "BASF 0.4"), [0.4], [True]),
    ],
    ids=["refined", "fixed", "no BASF", "no BASF, four", "four", "too few", "too many", "inversion"],
)
def test_shares_of_a_twin_are_those_of_basf(cards, fractions, refined):
    corrections, model, data = prepared(*cards)
    domains = corrections.domains
    assert domains.kind == "twin"
    assert domains.fractions == pytest.approx(fractions)
    assert domains.refined == refined
    assert domains.shares().sum() == pytest.approx(1)
    assert domains.inversion == cards[0].startswith("TWIN -1 0 0 0 -1")
    assert len(data.components.observation) == 3 * (len(fractions) + 1)
    assert ("BASF has 2 numbers" in " ".join(model.notes)) == (cards[-1] == "BASF 0.3 0.2")


def test_components_of_a_twin_have_the_indices_of_the_law():
    _, _, data = prepared(LAW, "BASF 0.3")
    own = {(int(o), int(d)): tuple(h) for o, d, h in zip(
        data.components.observation, data.components.domain, data.components.indices.tolist(), strict=True
    )}  # fmt: skip
    assert own[2, 0] == (1, 1, 3)
    assert own[2, 1] == (1, 1, -3)
    assert own[0, 1] == (0, 1, 0)


@pytest.mark.parametrize(
    "law", ["TWIN 0 1 0 -1 0 0 0 0 1", "TWIN -1 0 0 0 -1 0 0 0 1"], ids=["fourfold axis", "twofold axis"]
)
def test_a_law_that_the_crystal_has_is_refused(law):
    with pytest.raises(UserInputError, match="twin law of domain 2 is a symmetry of P 4"):
        prepared(law, "BASF 0.3")


def test_a_law_that_leads_between_the_lattice_points_is_named():
    _, model, data = prepared("TWIN 0.5 0.5 0 -0.5 0.5 0 0 0 1", "BASF 0.3")
    # 1 0 0 → ½ -½ 0 is no reflection; 0 2 0 → 1 1 0 and 1 1 3 → 1 0 3 are.
    assert "1 indices of twin components are not whole numbers" in model.notes[-1]
    assert len(data.components.observation) == 3 + 2


@pytest.mark.parametrize(
    ("cards", "domains", "batches", "kind", "fractions"),
    [
        (("BASF 0.3",), (0, 1, 1), None, "twin", [0.3]),
        ((), (0, 1, 2), None, "twin", [1 / 3, 1 / 3]),
        (("BASF 1.2",), (0, 0, 0), (1, 2, 2), "batch", [1.2]),
        ((), (0, 0, 0), None, "single", []),
        (("BASF 0.3",), (0, 0, 0), None, "single", []),
    ],
    ids=["overlapped", "overlapped without BASF", "batches", "nothing", "BASF of nothing"],
)
def test_shares_belong_to_the_domains_of_the_data(cards, domains, batches, kind, fractions):
    corrections, model, data = prepared(*cards, data=data_of(domains, batches))
    assert corrections.domains.kind == kind
    assert corrections.domains.fractions == pytest.approx(fractions)
    if kind == "batch":
        assert data.components.domain.tolist() == [0, 1, 1]
        assert corrections.domains.shares().tolist() == [1.0, 1.2]
    assert ("BASF is not applied" in " ".join(model.notes)) == (kind == "single" and bool(cards))


def test_a_twin_law_and_overlapped_data_contradict_each_other():
    with pytest.raises(UserInputError, match="TWIN cannot be combined"):
        prepared(LAW, data=data_of((0, 1, 1)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, "refine"), (False, "none"), ("True", "refine"), (" KEEP ", "keep"), ("none", "none"), ("x", "x")],
)
def test_words_for_the_extinction(value, expected):
    assert extinction_choice(value) == expected


@pytest.mark.parametrize(
    ("cards", "choice", "expected"),
    [
        (("EXTI 0.02",), "keep", 0.02),
        (("EXTI",), "keep", 0.0),
        ((), "keep", None),
        ((), "refine", 0.0),
        (("EXTI 0.02",), "refine", 0.02),
        (("EXTI 0.02",), "none", None),
    ],
)
def test_extinction_is_that_of_the_file_unless_asked_otherwise(cards, choice, expected):
    found = prepared(*cards, extinction=choice)[0].extinction
    assert (found.coefficient if found else None) == expected


def test_an_unknown_choice_is_refused():
    with pytest.raises(UserInputError, match="extinction must be one of"):
        prepared(extinction="perhaps")


@pytest.mark.parametrize(
    ("card", "expected"), [("SWAT 0.5 3", (0.5, 3.0)), ("SWAT", (0.05, 2.0)), ("SWAT 0", (0.05, 2.0))]
)
def test_bulk_solvent_begins_where_its_parameters_have_an_influence(card, expected):
    solvent = prepared(card)[0].solvent
    assert (solvent.g, solvent.u) == expected


@pytest.mark.parametrize(
    ("cards", "refined", "scale", "u"),
    [
        (("ABIN",), (), 1.0, 0.0),
        (("ABIN 2",), ("scale",), 0.6, 0.0),
        (("ABIN 2 3",), ("scale", "u"), 0.6, 0.04),
        (("ABIN 0 3",), ("u",), 1.0, 0.04),
    ],
    ids=["as it stands", "scale", "scale and U", "U"],
)
def test_a_mask_begins_at_the_values_of_its_free_variables(cards, refined, scale, u):
    """SHELXL: A + iB times free variable n1 times exp(-8π² U s²), U free variable n2."""
    mask = prepared(*cards, fab=FAB)[0].mask
    assert mask.refined == refined
    assert (mask.scale, mask.u) == pytest.approx((scale, u))


@pytest.mark.parametrize(
    ("cards", "said"),
    [(("ABIN",), "of the .fab file."), ((), "of the .fab file, although the instructions have no ABIN.")],
    ids=["ABIN", "no ABIN"],
)
def test_a_given_mask_is_applied_without_abin_too_and_the_note_says_so(cards, said):
    corrections, model, _ = prepared(*cards, fab=FAB)
    assert corrections.mask is not None
    assert f"A solvent mask is applied: partial structure factors {said}" in model.notes


def test_a_mask_with_a_variable_that_fvar_does_not_give_is_refused():
    with pytest.raises(UserInputError, match="free variable 9 is used, but FVAR has 4"):
        prepared("ABIN 9", fab=FAB)


def test_a_mask_that_is_not_there_is_refused():
    with pytest.raises(UserInputError, match="ABIN needs a solvent mask"):
        prepared("ABIN")


@pytest.mark.parametrize(
    ("items", "applied", "said"),
    [
        ("_shelx_fab_file\n;\n1 0 0 2 0\n;\n", True, "A solvent mask is applied"),
        (
            "_shelx_fab_file\n;\n1 0 0 2 0\n;\n_shelx_res_file 'TITL'\n",
            False,
            "its instructions have no ABIN",
        ),
        ("_platon_squeeze_void_nr 1\n", False, ""),
    ],
    ids=["in the CIF", "instructions without ABIN", "none"],
)
def test_the_mask_of_a_cif_is_applied_unless_its_instructions_have_no_abin(items, applied, said):
    model = shelx_model(ATOM, **TETRAGONAL)
    model.source = CifBlock(block=read(f"data_x\n{items}".encode()).blocks[0])
    corrections = prepare_corrections(model, data_of())
    assert (corrections.mask is not None) is applied
    assert said in " ".join(model.notes)


EVERYTHING = Corrections(
    Domains("twin", [0.12345678, 0.2], [True, False]),
    Extinction(0.0123456789),
    BulkSolvent(0.87654321, 2.5),
    SolventMask({}, 0.9, 0.05),
)


@pytest.mark.parametrize(
    ("corrections", "cards", "expected"),
    [
        (Corrections(), (), []),
        (
            EVERYTHING,
            ("BASF 0.1 10.2", "ABIN"),
            ["BASF 0.12346 10.20000", "EXTI 0.012346", "SWAT 0.87654 2.50000", "ABIN 0 0"],
        ),
        (Corrections(Domains("twin", [0.5], [False])), (LAW,), ["TWIN 0 1 0 1 0 0 0 0 -1 2"]),
        (
            Corrections(Domains("twin", [0.5], [True])),
            (LAW, "BASF 0.4"),
            ["TWIN 0 1 0 1 0 0 0 0 -1 2", "BASF 0.50000"],
        ),
        # Overlapped data without BASF in the input: their shares were refined.
        (Corrections(Domains("twin", [0.25], [True])), (), ["BASF 0.25000"]),
    ],
    ids=["nothing", "all", "fixed halves", "a twin", "overlapped data"],
)
def test_refined_corrections_are_written_as_instructions(corrections, cards, expected):
    model = shelx_model(ATOM, *cards, **TETRAGONAL)
    fit = SimpleNamespace(model=model, corrections=corrections, weights=(0.05, 0.2))
    assert correction_cards(fit) == ["WGHT   0.050000   0.200000", *expected]


def test_the_variables_of_a_mask_are_written_with_its_refined_values():
    model = shelx_model(ATOM, "ABIN 2 3", **TETRAGONAL)
    corrections = prepare_corrections(model, data_of(), fab=FAB)
    corrections.shift(np.array([0.1, 0.02]))
    corrections.mask.store(model.free_variables)
    fit = SimpleNamespace(model=model, corrections=corrections, weights=(0.05, 0.2))
    assert correction_cards(fit)[-1] == "ABIN 2 3"
    assert (corrections.mask.scale, corrections.mask.u) == pytest.approx((0.7, 0.06))
    assert model.free_variables == pytest.approx([0.7, 0.06, 0.25])
