"""Options of a refinement: what each does to the model and to the data before anything is refined."""

import math

import pytest
from qcrbox.cif import read
from qcrbox.contract.errors import UserInputError
from qcrbox_refine.cif_block import CifBlock
from qcrbox_refine.model import Atom
from qcrbox_refine.refinement import (
    Options,
    _limit_data,
    _prepare_adps,
    _prepare_hydrogens,
    _published_weights,
    load_model,
    parse_omit,
    prepare_model,
)
from qcrbox_refine.shelx_settings import OmitLimits
from small_models import ins_text, model_in, shelx_model

CELL = (7.0, 8.0, 9.0, 90.0, 103.0, 90.0)
ATOMS = """C1 1 0.1 0.2 0.3 11 0.03
AFIX 43
H1 2 0.12 0.25 0.35 11 -1.2
AFIX 0
PART 2 0.3
H2 2 0.4 0.2 0.3 11 0.05
PART 0
O1 4 0.5 0.2 0.3 11 0.02 0.03 0.04 0.001 0.002 0.003"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (None, []),
        ("1 0 -2", [(1, 0, -2)]),
        ("1 0 -2; 0 2 0", [(1, 0, -2), (0, 2, 0)]),
        ("1 0 -2\n0 2 0;", [(1, 0, -2), (0, 2, 0)]),
        ("(1, 0, -2)", [(1, 0, -2)]),
    ],
)
def test_reflections_to_omit_are_read(text, expected):
    assert parse_omit(text) == expected


@pytest.mark.parametrize("text", ["1 0", "1 0 2 3", "1 0 x", "1.5 0 2", "all"])
def test_what_is_no_reflection_is_refused(text):
    with pytest.raises(UserInputError, match="omit must list reflections"):
        parse_omit(text)


def test_reflections_that_the_user_omits_are_added_to_those_of_the_file():
    model = shelx_model(ATOMS, "OMIT 1 0 0", "OMIT -2 50", "SHEL 20 0.7")
    _limit_data(model, Options(omit="1 0 0; 0 2 0", resolution=0.9))
    assert model.settings.omitted == [(1, 0, 0), (0, 2, 0)]
    assert model.settings.resolution == (20.0, 0.9)
    assert model.settings.omit == OmitLimits(-2, 50)


@pytest.mark.parametrize(
    ("card", "asked", "expected"),
    [
        ("SHEL 20 0.9", 0.8, (20.0, 0.9)),
        ("SHEL 20 0.8", 0.9, (20.0, 0.9)),
        ("REM", 0.9, (math.inf, 0.9)),
        ("REM", None, None),
    ],
)
def test_the_stricter_limit_of_resolution_holds(card, asked, expected):
    model = shelx_model(ATOMS, card)
    _limit_data(model, Options(resolution=asked))
    assert model.settings.resolution == expected


@pytest.mark.parametrize(
    ("choice", "labels", "riding"),
    [
        ("keep", ["C1", "H1", "H2", "O1"], [True, False]),
        ("none", ["C1", "O1"], []),
        ("riding", ["C1", "H1", "H2", "O1"], [True, True]),
        ("free", ["C1", "H1", "H2", "O1"], [False, False]),
    ],
)
def test_hydrogen_atoms_are_refined_as_chosen(choice, labels, riding):
    model = shelx_model(ATOMS)
    _prepare_hydrogens(model, choice)
    assert [atom.label for atom in model.atoms] == labels
    assert [atom.riding for atom in model.atoms if atom.is_hydrogen] == riding


def test_hydrogen_of_a_small_component_keeps_riding():
    model = shelx_model(ATOMS.replace("H2 2 0.4 0.2 0.3 11 0.05", "AFIX 3\nH2 2 0.4 0.2 0.3 11 0.05\nAFIX 0"))
    _prepare_hydrogens(model, "free")
    assert [atom.riding for atom in model.atoms if atom.is_hydrogen] == [False, True]
    assert model.notes == ["H2 (occupancy below 0.5) go on riding."]


@pytest.mark.parametrize("choice", ["riding", "free"])
def test_a_choice_without_hydrogen_atoms_is_named(choice):
    model = shelx_model("C1 1 0.1 0.2 0.3 11 0.03")
    _prepare_hydrogens(model, choice)
    assert f'hydrogens="{choice}" found no hydrogen atoms' in model.notes[0]
    assert model.kinds[model.notes[0]] == "not_applied"


@pytest.mark.parametrize(
    ("choice", "anisotropic"),
    [("keep", ["O1"]), ("isotropic", []), ("anisotropic", ["C1", "O1"])],
)
def test_displacements_are_refined_as_chosen(choice, anisotropic):
    model = shelx_model(ATOMS)
    _prepare_adps(model, choice)
    assert [atom.label for atom in model.atoms if atom.u_aniso is not None] == anisotropic


PUBLISHED = r"_refine_ls_weighting_details 'w=1/[\s^2^(Fo^2^)+(0.0412P)^2^+0.2345P] where P=(Fo^2^+2Fc^2^)/3'"


def with_items(*items, card=None):
    model = shelx_model(ATOMS, *([card] if card else []))
    model.weights = None
    model.source = CifBlock(block=read(("data_x\n" + "\n".join(items) + "\n").encode()).blocks[0])
    return model


@pytest.mark.parametrize(
    ("model", "weights", "unit"),
    [
        (with_items(PUBLISHED), (0.0412, 0.2345), False),
        # The instruction has more digits, and says the same.
        (with_items(PUBLISHED, card="WGHT 0.041222 0.234511"), (0.041222, 0.234511), False),
        (with_items(PUBLISHED, card="WGHT 0.05 0.1"), (0.0412, 0.2345), False),
        (with_items(card="WGHT 0.05 0.1"), (0.05, 0.1), False),
        (with_items("_refine_ls_weighting_details w=1"), None, True),
        (with_items("_refine_ls_weighting_scheme unit"), None, True),
        (with_items("_refine_ls_weighting_scheme sigma"), (0.0, 0.0), False),
        (with_items("_refine_ls_weighting_scheme calc"), None, False),
    ],
    ids=[
        "text",
        "same instruction",
        "other instruction",
        "instruction",
        "w=1",
        "unit",
        "sigma",
        "calc without text",
    ],
)
def test_published_weights_are_those_of_the_text_or_the_instruction(model, weights, unit):
    _published_weights(model, keep=True)
    assert (model.weights[:2] if model.weights else None) == (pytest.approx(weights) if weights else None)
    assert model.unit_weights is unit


@pytest.mark.parametrize(
    ("model", "kind", "said"),
    [
        (with_items(PUBLISHED, card="WGHT 0.05 0.1"), "warning", "differs from _refine_ls_weighting_details"),
        (
            with_items("_refine_ls_weighting_details 'Chebychev polynomial'"),
            "note",
            "is not understood (Chebychev",
        ),
        (with_items(), "note", "is not stated"),
    ],
    ids=["contradiction", "unknown", "missing"],
)
def test_weights_that_are_not_clear_are_named(model, kind, said):
    _published_weights(model, keep=True)
    assert said in model.notes[-1]
    assert model.kinds.get(model.notes[-1], "note") == kind


@pytest.mark.parametrize(
    ("dispersion", "wavelength", "said"),
    [
        ({"C": (0.0033, 0.0016), "O": (0.0106, 0.0060)}, 0.71073, "those of Mo Kα"),
        ({"C": (0.0181, 0.0091), "O": (0.0492, 0.0322)}, 1.54184, "those of Cu Kα"),
        ({"C": (1.0, 1.0)}, None, "its own dispersion factors are used"),
    ],
)
def test_a_wavelength_that_is_not_stated_follows_from_the_dispersion(dispersion, wavelength, said):
    model = model_in(CELL, "P 1 21/c 1", [Atom("C1", "C", (0.1, 0.2, 0.3))], dispersion=dispersion)
    model.wavelength = None
    prepare_model(model)
    assert model.wavelength == wavelength
    assert said in model.notes[0]


@pytest.mark.parametrize(
    ("site", "warned"),
    [((0.333, 0.667, 0.2), False), ((0.34, 0.66, 0.2), True), ((0.4, 0.6, 0.2), False)],
    ids=["rounded", "beside the axis", "apart"],
)
def test_an_atom_that_is_put_on_a_special_position_from_afar_is_named(site, warned):
    model = model_in(
        (7, 7, 9, 90, 90, 120), "P 3", [Atom("Na1", "Na", site), Atom("O1", "O", (0.1, 0.2, 0.3))]
    )
    prepare_model(model)
    assert any(note.startswith("Put on the special position") for note in model.notes) is warned


@pytest.mark.parametrize(
    ("text", "from_shelx", "title"),
    [
        (ins_text(ATOMS), True, "small"),
        ("\n\n" + ins_text(ATOMS), True, "small"),
        (
            "data_I\n_cell_length_a 7\n_cell_length_b 8\n_cell_length_c 9\n_cell_angle_alpha 90\n_cell_angle_beta 103\n"
            "_cell_angle_gamma 90\n_space_group_name_H-M_alt 'P 1'\nloop_\n_atom_site_label\n_atom_site_fract_x\n"
            "_atom_site_fract_y\n_atom_site_fract_z\nC1 0.1 0.2 0.3\n",
            False,
            "structure",
        ),
    ],
    ids=["ins", "blank lines first", "CIF with a block of no name"],
)
def test_a_file_is_known_by_its_first_lines(tmp_path, text, from_shelx, title):
    path = tmp_path / "structure.txt"
    path.write_text(text)
    model = load_model(str(path))
    assert (model.from_shelx, model.title) == (from_shelx, title)
