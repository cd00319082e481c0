"""Displacement parameters in every form of the dictionaries, and what an atom list counts without listing it."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.crystallography.structure import Structure

HEAD = """data_t
_cell_length_a 9.1
_cell_length_b 10.3
_cell_length_c 11.7
_cell_angle_alpha 90
_cell_angle_beta 101
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 21/c'
"""
SITE = "_atom_site_label _atom_site_type_symbol _atom_site_fract_x _atom_site_fract_y _atom_site_fract_z"
U = np.array([[0.02, 0.001, 0.002], [0.001, 0.03, 0.003], [0.002, 0.003, 0.04]])
ELEMENTS = ("11", "22", "33", "12", "13", "23")


def loop(names: str, *rows: str) -> str:
    return "loop_\n" + "\n".join(names.split()) + "\n" + "\n".join(rows) + "\n"


def sites_of(*parts: str, cif2: bool = False):
    return Structure.from_cif(("#\\#CIF_2.0\n" if cif2 else "") + HEAD + "".join(parts))


@pytest.mark.parametrize("stem", ["_atom_site_aniso_U_{}", "_atom_site.aniso_U[{}][{}]"])
def test_tensors_in_the_loop_of_the_atoms_are_read(stem):
    names = " ".join(stem.format(name) if "[" not in stem else stem.format(*name) for name in ELEMENTS)
    structure = sites_of(
        loop(
            f"{SITE} {names}",
            "C1 C 0.1 0.2 0.3 .02(1) .03 .04 .001 .002 .003",
            "C2 C 0.2 0.3 0.4 . . . . . .",
            "C3 C 0.3 0.3 0.4 .02 ? ? ? ? ?",
        )
    )
    assert structure.sites.u_cif[0] == pytest.approx(U)
    assert structure.sites.u_cif_su[0][0, 0] == pytest.approx(0.01)
    assert np.isnan(structure.sites.u_cif[1:]).all()
    assert structure.notes == ["Displacement tensors that are not complete are not used: C3."]


@pytest.mark.parametrize(("form", "factor"), [("U", 1.0), ("B", 8 * np.pi**2)])
def test_tensors_as_matrices_of_cif_2_are_read(form, factor):
    rows = " ".join("[" + " ".join(f"{x * factor:.8f}" for x in row) + "]" for row in U)
    structure = sites_of(
        loop(f"{SITE} _atom_site_adp_type", "C1 C 0.1 0.2 0.3 Uani"),
        loop(f"_atom_site_aniso.label _atom_site_aniso.matrix_{form}", f"C1 [{rows}]"),
        cif2=True,
    )
    assert structure.sites.u_cif[0] == pytest.approx(U)
    assert structure.notes == []


@pytest.mark.parametrize(
    ("item", "value"),
    [("U_equiv_geom_mean", "0.0300(4)"), ("B_equiv_geom_mean", f"{8 * np.pi**2 * 0.03:.6f}")],
)
def test_the_geometric_mean_counts_where_there_is_no_other(item, value):
    structure = sites_of(loop(f"{SITE} _atom_site_{item}", f"C1 C 0.1 0.2 0.3 {value}"))
    assert structure.sites.u_iso[0] == pytest.approx(0.03, abs=1e-7)


def test_a_tensor_given_twice_is_named():
    names = "_atom_site_aniso_label " + " ".join(f"_atom_site_aniso_U_{name}" for name in ELEMENTS)
    structure = sites_of(
        loop(SITE, "C1 C 0.1 0.2 0.3"), loop(names, "C1 .02 .03 .04 .001 .002 .003", "C1 .03 .03 .03 0 0 0")
    )
    assert structure.sites.u_cif[0] == pytest.approx(U)
    assert structure.notes == [
        "Displacement parameters of C1 are given more than once; the first ones count."
    ]


def test_hydrogen_that_is_counted_and_not_listed_is_named():
    structure = sites_of(
        loop(
            f"{SITE} _atom_site_attached_hydrogens",
            "C1 C 0.1 0.2 0.3 2",
            "C2 C 0.2 0.3 0.4 0",
            "O1 O 0.3 0.3 0.4 ?",
        )
    )
    assert len(structure.notes) == 1
    assert structure.notes[0].endswith("are not in the model: C1 2.")


def test_an_unknown_occupancy_is_named_and_the_default_is_not():
    structure = sites_of(loop(f"{SITE} _atom_site_occupancy", "C1 C 0.1 0.2 0.3 ?", "C2 C 0.2 0.3 0.4 ."))
    assert structure.sites.occupancy.tolist() == [1.0, 1.0]
    assert structure.notes == ["Occupancies that are not known are taken as 1: C1."]


def test_tensors_may_stand_in_both_loops():
    names = " ".join(f"_atom_site_aniso_U_{name}" for name in ELEMENTS)
    structure = sites_of(
        loop(
            f"{SITE} {names}", "C1 C 0.1 0.2 0.3 . . . . . .", "C2 C 0.2 0.3 0.4 .02 .03 .04 .001 .002 .003"
        ),
        loop(f"_atom_site_aniso_label {names.replace('_U_', '_B_')}", "C1 1.5 1.6 1.7 0 0 0"),
    )
    assert structure.sites.u_cif[1] == pytest.approx(U)
    assert np.diag(structure.sites.u_cif[0]) == pytest.approx(np.array([1.5, 1.6, 1.7]) / (8 * np.pi**2))
    assert structure.notes == []
