"""Edits of atoms that share parameters, ride or move in rigid groups: the model and the written file keep their constraints."""

import pytest
from qcrbox_refine.constraints import parametrise
from qcrbox_refine.edits import apply_edits
from qcrbox_refine.res_output import model_text
from qcrbox_refine.shelx_input import parse_shelx
from small_models import shelx_model

ATOMS = """C1 1 0.10 0.20 0.30 10.5 0.03
C2 1 0.10 0.20 0.30 10.5 0.03
C3 1 0.30 0.20 0.30 11 0.02 0.03 0.04 0.001 0.002 0.003
C4 1 0.42 0.26 0.35 11 0.02 0.03 0.04 0.001 0.002 0.003
AFIX 43
H4 2 0.50 0.22 0.40 11 -1.2
AFIX 0
C5 1 0.40 0.40 0.30 11 0.04
PART 1 21
C6 1 0.60 0.60 0.60 11 31
PART 2 -21
C7 1 0.65 0.60 0.60 11 30.5
PART 0
AFIX 6
C8 1 0.70 0.20 0.70 11 0.03
C9 1 0.80 0.20 0.70 11 0.03
N1 3 0.80 0.30 0.75 11 0.03
AFIX 0"""
CARDS = ("EXYZ C1 C2", "EADP C1 C2", "EADP C3 C4", "DFIX 1.5 C3 C4", "SIMU C3 C4 C5")
EDITS = [
    "move C1 0.15 0.25 0.35",
    "move C2 0.15 0.25 0.35",
    "aniso C1",
    "aniso C2",
    "iso C3",
    "iso C4",
    "aniso C5 C6",
    "delete C1",
    "delete C3",
    "delete C4",
    "delete C8",
    "delete C9",
    "rename C3 C33",
    "rename C4 C44",
    "element C1 N",
    "occupancy C1 0.3",
    "occupancy C6 1",
    "part 1 C5",
    "split C3 0.6",
    "split C5 0.6",
    "split C1 0.6",
    "free H4",
    "riding H4",
    "move C8 0.75 0.25 0.75",
    "split C8 0.7",
    "aniso C9",
]


def edited(edit):
    model = shelx_model(ATOMS, *CARDS)
    apply_edits(model, edit)
    return model


def described(model):
    return [
        (
            atom.label,
            atom.element,
            round(atom.occupancy, 4),
            round(atom.u_iso, 4),
            atom.u_aniso is None,
            atom.part,
            # A group that another atom interrupts is continued with n = 5.
            (atom.group.rigid is None and atom.group.code, atom.group.rides) if atom.group else None,
            atom.u_factor,
        )
        for atom in model.atoms
    ]


@pytest.mark.parametrize("edit", EDITS)
def test_what_is_tied_stays_together(edit):
    model = edited(edit)
    made = parametrise(model)
    model.absorb(made.structure)
    for group in model.equal_sites:
        assert len({tuple(round(x, 9) for x in atom.site) for atom in group}) == 1
    for group in model.equal_displacements:
        assert len({atom.u_aniso for atom in group}) == 1
        assert len({round(atom.u_iso, 9) for atom in group}) == 1


@pytest.mark.parametrize("edit", EDITS)
def test_the_written_model_is_the_edited_one(edit):
    model = edited(edit)
    names = parametrise(model).reparametrisation.independent_names()
    again = parse_shelx(model_text(model), "again.ins")
    assert described(again) == described(model)
    assert [atom.site for atom in again.atoms] == [pytest.approx(atom.site, abs=2e-6) for atom in model.atoms]
    assert parametrise(again).reparametrisation.independent_names() == names


@pytest.mark.parametrize(
    ("edit", "sites"),
    [("move C1 0.15 0.25 0.35", (0.15, 0.25, 0.35)), ("move C2 0.15 0.25 0.35", (0.15, 0.25, 0.35))],
)
def test_an_atom_that_shares_its_place_takes_the_others_along(edit, sites):
    model = edited(edit)
    assert [atom.site for atom in model.atoms[:2]] == [sites] * 2


@pytest.mark.parametrize(
    ("edit", "labels", "anisotropic"),
    [("aniso C1", ("C1", "C2"), True), ("aniso C2", ("C1", "C2"), True), ("iso C4", ("C3", "C4"), False)],
)
def test_displacements_that_are_shared_are_of_one_kind(edit, labels, anisotropic):
    model = edited(edit)
    assert [model.atom(label).u_aniso is not None for label in labels] == [anisotropic] * 2
