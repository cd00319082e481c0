"""A model written as a CIF without refinement and read again: how it is refined comes back completely and without warnings."""

import pytest
from qcrbox.crystallography.shelx import refinement_texts
from qcrbox_refine.cif_input import model_from_cif_file
from qcrbox_refine.cif_output import model_block
from qcrbox_refine.constraints import parametrise
from qcrbox_refine.edits import apply_edits
from qcrbox_refine.model import Atom
from small_models import model_in, shelx_model

MODELS = {
    "plain": ("C1 1 0.1 0.2 0.3 11 0.03\nN1 3 0.3 0.2 0.3 11 0.02 0.03 0.04 0.001 0.002 0.003", ()),
    "fixed and tied": ("C1 1 10.1 0.2 0.3 11 10.03\nC2 1 0.4 40.5 0.3 21 31\nC3 1 0.6 0.2 0.3 -21 30.5", ()),
    "fixed tensor": ("C1 1 0.1 0.2 0.3 11 0.02 10.03 0.04 10.001 0.002 0.003", ()),
    "riding": (
        "C1 1 0.1 0.2 0.3 11 0.03\nAFIX 43\nH1 2 0.12 0.28 0.30 11 -1.2\nAFIX 0\nC2 1 0.2 0.1 0.3 11 0.03\n"
        "C3 1 0.05 0.1 0.22 11 0.03",
        ("TEMP -100",),
    ),
    "riding with a free U": (
        "C1 1 0.1 0.2 0.3 11 0.03\nAFIX 3\nH1 2 0.12 0.28 0.30 11 0.05\nAFIX 0\nC2 1 0.2 0.1 0.3 11 0.03",
        (),
    ),
    "hydrogen with a free position": ("C1 1 0.1 0.2 0.3 11 0.03\nH1 2 0.12 0.28 0.30 11 -1.5", ()),
    "a rigid group": (
        "AFIX 6\nC1 1 0.1 0.2 0.3 11 0.03\nC2 1 0.25 0.2 0.35 11 0.03\nN3 3 0.2 0.3 0.4 11 0.03\nAFIX 0",
        (),
    ),
    "shared": (
        "C1 1 0.1 0.2 0.3 10.5 0.03\nN1 3 0.1 0.2 0.3 10.5 0.03\nC2 1 0.3 0.2 0.3 11 0.03",
        ("EXYZ C1 N1", "EADP C1 N1"),
    ),
    "disorder": (
        "PART 1 21\nC1 1 0.1 0.2 0.3 21 0.03\nPART 2 -21\nC2 1 0.15 0.2 0.3 -21 0.03\nPART 0\nC3 1 0.3 0.2 0.3 11 0.03",
        ("SADI C1 C3 C2 C3",),
    ),
    "residues": (
        "RESI 2 ABC\nC1 1 0.1 0.2 0.3 11 0.03\nC2 1 0.3 0.2 0.3 11 0.03\nRESI 3 ABC\nC1 1 0.1 0.6 0.3 11 0.03\n"
        "C2 1 0.3 0.6 0.3 11 0.03\nRESI 0",
        ("SADI_ABC C1 C2", "EADP C1_2 C1_3"),
    ),
    "far from the cell": ("C1 1 0.1 0.2 0.3 11 0.03\nC2 1 10.2 0.3 0.3 11 0.03", ()),
    "data": (
        "C1 1 0.1 0.2 0.3 11 0.03",
        (
            "TWIN -1 0 0 0 -1 0 0 0 -1 2",
            "BASF 0.2",
            "EXTI 0.01",
            "OMIT 1 0 0",
            "SHEL 20 0.8",
            "MERG 2",
            "WGHT 0.04 0.3",
        ),
    ),
}


def described(model):
    return [
        (
            atom.label,
            atom.element,
            round(atom.occupancy, 4),
            round(atom.u_iso, 4),
            atom.u_aniso is None,
            atom.part,
            atom.residue,
            atom.residue_class,
            atom.site_coding,
            atom.occupancy_coding,
            atom.u_coding[: 6 if atom.u_aniso else 1],
            atom.group.code if atom.group else None,
            atom.group.pivot.label if atom.group and atom.group.pivot else None,
            atom.u_factor,
        )
        for atom in model.atoms
    ]


def through_a_cif(model, folder):
    path = folder / "x.cif"
    path.write_text(str(model_block(model)), encoding="utf-8")
    return model_from_cif_file(str(path))


@pytest.mark.parametrize(("atoms", "cards"), MODELS.values(), ids=MODELS.keys())
def test_a_model_comes_back_as_it_was(tmp_path, atoms, cards):
    model = shelx_model(atoms, *cards)
    before, names = described(model), parametrise(model).reparametrisation.independent_names()
    again = through_a_cif(model, tmp_path)
    assert described(again) == before
    assert [atom.site for atom in again.atoms] == [pytest.approx(atom.site, abs=1e-5) for atom in model.atoms]
    assert parametrise(again).reparametrisation.independent_names() == names
    assert not any("differ" in note or "does not have" in note for note in again.notes)
    assert again.left_out == []
    for name in ("twin", "basf", "extinction", "omitted", "resolution", "merg", "temperature_k"):
        assert getattr(again.settings, name) == getattr(model.settings, name), name
    weights = [
        refinement_texts.complete(m.settings.weights or refinement_texts.DEFAULT) for m in (model, again)
    ]
    assert weights[0] == pytest.approx(weights[1])


@pytest.mark.parametrize(("atoms", "cards"), MODELS.values(), ids=MODELS.keys())
def test_a_second_time_changes_nothing(tmp_path, atoms, cards):
    once = through_a_cif(shelx_model(atoms, *cards), tmp_path)
    first = once.source.text("_shelx_res_file")
    twice = through_a_cif(once, tmp_path)
    assert twice.source.text("_shelx_res_file").splitlines()[1:] == first.splitlines()[1:]


def test_atoms_far_from_the_cell_stay_fixed_and_in_their_place(tmp_path):
    """The .res text has them moved by whole cells; the atom list has them where they are."""
    model = shelx_model(*[MODELS["far from the cell"][0]])
    model.atoms[0].site, model.atoms[1].site = (6.1, 0.2, -7.7), (7.2, 0.3, 0.3)
    again = through_a_cif(model, tmp_path)
    assert [atom.site for atom in again.atoms] == [pytest.approx(atom.site) for atom in model.atoms]
    assert again.atoms[1].site_coding[0].is_fixed
    assert again.notes == []
    third = through_a_cif(again, tmp_path)
    assert third.source.text("_shelx_res_file").count("is moved by") == 2


def test_edits_are_in_both_texts_of_the_cif(tmp_path):
    model = shelx_model(*[MODELS["riding"][0]])
    apply_edits(model, "rename C1 C10; element C3 N; move C2 0.21 0.11 0.31; delete H1")
    again = through_a_cif(model, tmp_path)
    assert [(atom.label, atom.element) for atom in again.atoms] == [("C10", "C"), ("C2", "C"), ("C3", "N")]
    assert again.atom("C2").site == pytest.approx((0.21, 0.11, 0.31))
    assert again.notes == []


def test_a_model_of_a_cif_alone_gets_instructions_that_mean_the_same(tmp_path):
    """Alternatives of one occupancy, one site of two elements, and an ion: all stand in the SHELX text."""
    atoms = [
        Atom("C1", "C", (0.10, 0.2, 0.3), 0.7, u_iso=0.03, part=1, assembly="A"),
        Atom("C2", "C", (0.16, 0.2, 0.3), 0.3, u_iso=0.03, part=2, assembly="A"),
        Atom("Fe1", "Fe3+", (0.5, 0.5, 0.5), 0.6, u_iso=0.02),
        Atom("Al1", "Al", (0.5, 0.5, 0.5), 0.4, u_iso=0.02),
    ]
    model = model_in((7, 8, 9, 80, 95, 100), "P 1", atoms)
    again = through_a_cif(model, tmp_path)
    assert [(atom.label, atom.element, round(atom.occupancy, 4)) for atom in again.atoms] == [
        ("C1", "C", 0.7),
        ("C2", "C", 0.3),
        ("Fe1", "Fe3+", 0.6),
        ("Al1", "Al", 0.4),
    ]
    assert again.atom("C1").occupancy_coding.variable == again.atom("C2").occupancy_coding.variable == 2
    assert [[atom.label for atom in group] for group in again.equal_sites] == [["Fe1", "Al1"]]
    names = [parametrise(m).reparametrisation.independent_names() for m in (model, again)]
    assert names[0] == names[1]
