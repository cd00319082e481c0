from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qcrbox.analysis.index import CifIndex, index_file
from qcrbox.crystallography.cell import UnitCell

from ..conftest import CifMaker, distributed, symops, write_cif


def test_a_published_structure_is_indexed(cu_path: Path) -> None:
    record = index_file(cu_path)
    assert record.filename == "cu3182sup1.cif"
    assert (record.block, record.kind, record.blocks) == ("I", "structure", ["I", "global"])
    assert (record.formula_sum, record.elements) == ("C17 H20 N4 O5", ["C", "H", "N", "O"])
    assert record.element_text == "|C|H|N|O|"
    assert (record.a, record.b, record.c, record.volume) == pytest.approx(
        (7.2057, 11.0792, 41.2346, 3291.9), abs=0.1
    )
    assert (record.space_group_hm, record.space_group_number, record.z) == ("P 21 21 21", 19, 8)
    assert (record.temperature_k, record.wavelength) == (100.0, 0.71073)
    assert (record.r1, record.wr2, record.goof) == (0.0453, 0.0962, 1.072)
    assert (record.residual_max, record.residual_min) == (0.267, -0.314)
    assert (record.n_reflections, record.n_sites) == (4528, 92)
    assert (record.has_hkl, record.has_res, record.has_disorder, record.has_hydrogens) == (
        False,
        False,
        False,
        True,
    )
    assert record.warnings == []


def test_flags_tell_embedded_files_and_disorder(cif: CifMaker) -> None:
    columns = "label type_symbol fract_x fract_y fract_z disorder_group"
    more = "_shelx_res_file\n;\nTITL a\nCELL 0.7 1 1 1 90 90 90\n;\n_shelx_hkl_file\n;\n   1   0   0    1.00    1.00\n;\n"
    record = index_file(cif(sites=[("C1", "C", 0, 0, 0, 1)], columns=columns, more=more).encode())
    assert (record.has_res, record.has_hkl, record.has_disorder) == (True, True, True)


@pytest.mark.parametrize("group", [".", "?", "0"])
def test_no_disorder_group_is_no_disorder(cif: CifMaker, group: str) -> None:
    columns = "label type_symbol fract_x fract_y fract_z disorder_group"
    assert not index_file(cif(sites=[("C1", "C", 0, 0, 0, group)], columns=columns).encode()).has_disorder


def test_reduced_cells_of_two_settings_are_equal(cif: CifMaker) -> None:
    one = index_file(cif((10, 11, 12, 90, 100, 90), group="_space_group_name_H-M_alt 'P 1 21/c 1'").encode())
    other = index_file(
        cif((12, 11, 10, 90, 100, 90), group="_space_group_name_H-M_alt 'P 1 21/a 1'").encode()
    )
    names = [f"niggli_{name}" for name in ("a", "b", "c", "alpha", "beta", "gamma")]
    assert [getattr(one, name) for name in names] == pytest.approx(
        [getattr(other, name) for name in names], abs=1e-3
    )


def test_a_centred_cell_is_reduced_to_its_primitive_one(cif: CifMaker) -> None:
    record = index_file(cif((10, 10, 10, 90, 90, 90), group="_space_group_name_H-M_alt 'F m -3 m'").encode())
    assert record.niggli_a == pytest.approx(10 / 2**0.5)


def test_elements_follow_from_the_atoms_where_there_is_no_formula(cif: CifMaker) -> None:
    record = index_file(cif(sites=[("O1", "O2-", 0, 0, 0), ("Fe1", "Fe3+", 0.5, 0.5, 0.5)]).encode())
    assert record.formula_sum is None
    assert record.elements == ["Fe", "O"]


def test_old_and_new_names_are_indexed_alike(cif: CifMaker) -> None:
    old = index_file(cif(more="_refine_ls_R_factor_obs 0.05\n_cell_measurement_temperature 293(2)").encode())
    new = index_file(cif(more="_refine_ls.R_factor_gt 0.05\n_diffrn.ambient_temperature 293").encode())
    assert (old.r1, old.temperature_k) == (new.r1, new.temperature_k) == (0.05, 293)


def test_contradictions_about_symmetry_are_warnings(cif: CifMaker) -> None:
    group = "_space_group_name_H-M_alt 'P -1'\n_space_group_IT_number 14"
    assert any("14" in warning for warning in index_file(cif(group=group).encode()).warnings)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"this is not a CIF",
        b"\x00\xff\xfe\x00",
        b"data_x",
        b"data_x\n_cell_length_a 0\n_cell_length_b 5\n_cell_length_c 5\n_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\n",
        b"data_x\n_cell_length_a 1e999\n_cell_formula_units_Z 1e300\n_refine_ls_number_reflns -1e300\n",
        b"data_x\nloop_\n_atom_site_label\n_atom_site_fract_x\nC1 0 C2\n",
        b"data_x\n_symmetry_equiv_pos_as_xyz 'a,b,c'\n_space_group_name_H-M_alt 'Q 99'\n_space_group_IT_number 999\n",
        b"data_x\nloop_\n_space_group_symop_operation_xyz\n'x,y,z'\n'x+y,y,z'\n",
    ],
)
def test_damaged_files_are_indexed_with_warnings_instead_of_errors(content: bytes) -> None:
    record = index_file(content, "bad.cif")
    assert isinstance(record, CifIndex)
    json.dumps(record.to_dict(), allow_nan=False)
    assert record.warnings or content == b"data_x" or b"1e999" in content


def test_a_missing_file_is_a_warning(tmp_path: Path) -> None:
    assert "No such file" in index_file(tmp_path / "gone.cif").warnings[0]


@pytest.mark.parametrize("seed", range(40))
def test_mutated_real_files_are_indexed_without_crash(cu_path: Path, seed: int) -> None:
    import random

    rng = random.Random(seed)
    data = bytearray(cu_path.read_bytes()[:60_000])
    for _ in range(rng.randint(1, 60)):
        place = rng.randrange(len(data))
        choice = rng.randrange(3)
        if choice == 0:
            data[place] = rng.randrange(256)
        elif choice == 1:
            del data[place : place + rng.randrange(40)]
        else:
            data[place:place] = bytes(
                rng.choice(b"'\";_#.?()-0123456789\n\tloop_data_") for _ in range(rng.randrange(12))
            )
    record = index_file(bytes(data), "mutated.cif")
    assert not any("could not be indexed" in warning for warning in record.warnings)
    json.dumps(record.to_dict(), allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_indexed_without_crash(content: bytes) -> None:
    assert isinstance(index_file(b"data_x\n_cell_length_a 10\n" + content), CifIndex)


@pytest.mark.parametrize(
    "path",
    ["big_cube_model.cif", "non_zero_origin_model.cif", "non_zero_origin_ncs_model.cif", "cu3182sup1.cif"],
)
def test_every_cif_of_iotbx_is_indexed(path: str) -> None:
    record = index_file(distributed("iotbx", f"regression/data/{path}"))
    assert record.kind in ("structure", "macromolecule")
    assert record.n_sites


def test_the_cell_is_kept_with_its_su(cif: CifMaker) -> None:
    record = index_file(cif(cell=("10.003(1)", 11, "12.1000(20)", 90, "95.10(3)", 90)).encode())
    assert record.cell_text == ["10.003(1)", "11", "12.1000(20)", "90", "95.10(3)", "90"]


@pytest.mark.parametrize(
    ("cell", "shifts", "expected"),
    [
        # R in the reverse setting: a = 7 Å, α = 80° on rhombohedral axes.
        ("reverse R", ("x+1/3,y+2/3,z+1/3", "x+2/3,y+1/3,z+2/3"), (7, 7, 7, 80, 80, 80)),
        ((10, 11, 12, 90, 90, 90), ("x+1/2,y,z",), (5, 11, 12, 90, 90, 90)),
        (
            (10, 11, 12, 90, 90, 90),
            ("x+1/4,y,z+1/2", "x+1/2,y,z", "x+3/4,y,z+1/2"),
            (5, 6.5, 11, 90, 90, 112.6199),
        ),
    ],
    ids=["reverse", "halved", "quarters"],
)
def test_lattices_without_a_letter_are_reduced_by_their_translations(
    cell: str | tuple[float, ...], shifts: tuple[str, ...], expected: tuple[float, ...]
) -> None:
    if isinstance(cell, str):
        a = 14 * np.sin(np.radians(40))
        cell = (a, a, (9 * 49 - 3 * a * a) ** 0.5, 90, 90, 120)
    record = index_file(write_cif(cell, group=symops("x,y,z", *shifts)).encode())
    found = [getattr(record, f"niggli_{name}") for name in ("a", "b", "c", "alpha", "beta", "gamma")]
    volume = UnitCell.from_values(cell).volume / (1 + len(shifts))
    assert UnitCell.from_values(found).volume == pytest.approx(volume, rel=1e-6)
    assert found == pytest.approx(expected, abs=1e-3)
