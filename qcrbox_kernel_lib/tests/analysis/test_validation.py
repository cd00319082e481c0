from __future__ import annotations

import json

import numpy as np
import pytest
from qcrbox.analysis.validation import CHECKS, Validation, validate
from qcrbox.cif import read
from qcrbox.contract.errors import MissingItemsError

from ..conftest import aniso, symops, write_cif

INVERTED = symops("x,y,z", "-x,-y,-z")


def alerts(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for alert in validate(read(text)[0]).alerts:
        found.setdefault(alert.test, []).append(alert.level)
    return found


def stated(**items: object) -> str:
    return "\n".join(f"_{name} {value}" for name, value in items.items()) + "\n"


def test_a_published_structure_has_no_serious_alert(cu_path) -> None:
    answer = validate(read(cu_path, on_error="keep")["I"])
    assert answer.of_level("A", "B") == []
    assert set(answer.tests_run) | set(answer.not_run) == set(CHECKS)
    assert "no reflections" in answer.not_run["merging"]


def test_the_answer_says_that_it_is_a_subset() -> None:
    answer = validate(read(write_cif())[0])
    assert "subset" in answer.notice
    assert "checkcif.iucr.org" in answer.to_text()
    json.dumps(answer.to_dict())


def test_alerts_come_with_the_most_serious_first() -> None:
    answer = validate(read(write_cif())[0])
    assert isinstance(answer, Validation)
    levels = [alert.level for alert in answer.alerts]
    assert levels == sorted(levels)


@pytest.mark.parametrize(
    ("text", "test", "level"),
    [
        (write_cif(), "MISSING", "A"),
        (
            write_cif(
                sites=(("C1", "C", 0.1, 0.2, 0.3), ("O1", "O", 0, 0, 0), ("O2", "O", 0.5, 0.5, 0.5)),
                group=INVERTED,
                more="_chemical_formula_sum 'C O2'",
            ),
            "FORMULA_CONTENT",
            "B",
        ),
        (
            write_cif(
                sites=(("C1", "C", 8, 0, 0, 0),),
                columns="label type_symbol site_symmetry_multiplicity fract_x fract_y fract_z",
                group=INVERTED,
            ),
            "MULTIPLICITY",
            "B",
        ),
        (
            write_cif(
                sites=(("C1", "C", 1, 0, 0, 0),),
                columns="label type_symbol site_symmetry_order fract_x fract_y fract_z",
                group=INVERTED,
            ),
            "MULTIPLICITY",
            "B",
        ),
        (write_cif(group=INVERTED + "\n_space_group_name_H-M_alt 'P 1'"), "SYMMETRY_STATEMENTS", "B"),
        (write_cif((10, 11, 12, 90, 91, 90), group="_space_group_name_H-M_alt 'P 21 21 21'"), "CELL_SYSTEM", "A"),
        (write_cif((10, 11, 12, 90, 91, 95), group="_space_group_name_H-M_alt 'P 1 21/c 1'"), "CELL_SYSTEM", "A"),
        (write_cif((10, 10, 12, 90, 90, 119), group="_space_group_name_H-M_alt 'P 61'"), "CELL_SYSTEM", "A"),
        (write_cif(more=stated(cell_volume="1400.0(5)")), "CELL_VOLUME", "B"),
        (write_cif(more="_chemical_formula_sum 'C2'\n_cell_formula_units_Z 1"), "FORMULA_CONTENT", "B"),
        (write_cif(more="_chemical_formula_sum 'C H4'\n_cell_formula_units_Z 1"), "FORMULA_CONTENT", "C"),
        (write_cif(more="_chemical_formula_sum 'C'\n_cell_formula_units_Z 1\n_chemical_formula_weight 13.5"), "FORMULA_WEIGHT", "B"),
        (write_cif(more="_chemical_formula_sum 'C'\n_cell_formula_units_Z 1\n_exptl_crystal_density_diffrn 1.2"), "DENSITY", "B"),
        (write_cif(more=stated(**{"refine_ls_shift/su_max": 0.3})), "CONVERGENCE", "A"),
        (write_cif(more=stated(refine_ls_R_factor_gt=0.12)), "R1", "C"),
        (write_cif(more=stated(refine_ls_wR_factor_ref=0.5)), "WR2", "A"),
        (write_cif(more=stated(refine_ls_goodness_of_fit_ref=2.5)), "GOODNESS_OF_FIT", "B"),
        (write_cif(more=stated(refine_diff_density_max=3.5)), "RESIDUAL_DENSITY", "B"),
        (write_cif(more=stated(refine_ls_number_reflns=1000, refine_ls_number_parameters=200)), "DATA_PARAMETERS", "C"),
        (write_cif(more=stated(diffrn_reflns_theta_max=20, diffrn_radiation_wavelength=0.71073)), "RESOLUTION", "A"),
        (write_cif(more=stated(diffrn_measured_fraction_theta_full=0.93)), "COMPLETENESS", "B"),
        (write_cif(more=stated(refine_ls_abs_structure_Flack="0.95(5)")), "FLACK", "A"),
        (write_cif(more=stated(refine_ls_abs_structure_Flack="0.2(5)")), "FLACK", "G"),
        (write_cif(more=aniso([("C1", 0.03, 0.03, -0.01, 0, 0, 0)])), "ADP_NPD", "A"),
        (write_cif(more=aniso([("C1", 0.12, 0.03, 0.01, 0, 0, 0)])), "ADP_SHAPE", "B"),
        (write_cif(), "ISOLATED", "B"),
    ],
)  # fmt: skip
def test_a_fault_raises_its_alert(text: str, test: str, level: str) -> None:
    assert level in alerts(text).get(test, [])


SITES = [("C1", "C", 0.1, 0.1, 0.1), ("C2", "C", 0.25, 0.1, 0.1)]


def test_different_displacements_along_a_bond_fail_the_rigid_bond_test() -> None:
    tensors = [
        ("C1", "0.08(1)", "0.03(1)", "0.03(1)", 0, 0, 0),
        ("C2", "0.03(1)", "0.08(1)", "0.03(1)", 0, 0, 0),
    ]
    precise = [
        (row[0], *(str(value).replace("(1)", "00(10)") for value in row[1:4]), 0, 0, 0) for row in tensors
    ]
    assert "RIGID_BOND" in alerts(write_cif(sites=SITES, more=aniso(precise)))
    across = [
        ("C1", "0.0300(10)", "0.0800(10)", "0.03", 0, 0, 0),
        ("C2", "0.0300(10)", "0.0300(10)", "0.03", 0, 0, 0),
    ]
    assert "RIGID_BOND" not in alerts(write_cif(sites=SITES, more=aniso(across)))


def test_impossible_occupancies_and_groups_that_do_not_add_up_are_found() -> None:
    columns = "label type_symbol fract_x fract_y fract_z occupancy disorder_assembly disorder_group"
    sites = [
        ("C1", "C", 0.1, 0.1, 0.1, 1.2, ".", "."),
        ("C2", "C", 0.3, 0.1, 0.1, 0.5, "A", 1),
        ("C3", "C", 0.35, 0.1, 0.1, 0.3, "A", 2),
    ]
    found = alerts(write_cif(sites=sites, columns=columns))
    assert found["OCCUPANCY"] == ["A"]
    assert found["OCCUPANCY_SUM"] == ["C"]


def test_five_bonds_of_carbon_are_too_many() -> None:
    around = [(0.15, 0, 0), (-0.15, 0, 0), (0, 0.14, 0), (0, -0.14, 0), (0, 0, 0.12)]
    sites = [("C1", "C", 0.5, 0.5, 0.5)] + [
        (f"C{n}", "C", 0.5 + x, 0.5 + y, 0.5 + z) for n, (x, y, z) in enumerate(around, start=2)
    ]
    answer = validate(read(write_cif(sites=sites))[0])
    assert ("C1",) in [alert.atoms for alert in answer.alerts if alert.test == "COORDINATION"]


def test_hydrogens_that_meet_are_a_contact_and_hydrogen_bonds_are_none() -> None:
    meeting = [
        ("C1", "C", 0.1, 0.1, 0.1),
        ("H1", "H", 0.195, 0.1, 0.1),
        ("H2", "H", 0.375, 0.1, 0.1),
        ("C2", "C", 0.47, 0.1, 0.1),
    ]
    assert "CONTACT" in alerts(write_cif(sites=meeting))
    bonded = [("O1", "O", 0.1, 0.1, 0.1), ("H1", "H", 0.19, 0.1, 0.1), ("O2", "O", 0.37, 0.1, 0.1)]
    assert "CONTACT" not in alerts(write_cif(sites=bonded))


def ethane(length: float, *, metal: bool = False, su: str = "") -> str:
    """Ethane along a, staggered, with its C-C bond of this length in Å; with a metal, one hydrogen is replaced by it."""
    rows = []
    for number, way in ((1, -1.0), (2, 1.0)):
        x = 5 + way * length / 2
        rows.append((f"C{number}", "C", f"{x / 10:.5f}{su}", 0.5, 0.5))
        for turn in range(3):
            angle = np.radians(120 * turn + (60 if way > 0 else 0))
            element, reach = ("Fe", 2.05) if metal and turn == 0 else ("H", 1.09)
            y, z = (reach * 0.943 * part for part in (np.cos(angle), np.sin(angle)))
            place = ((x + way * reach * 0.333) / 10, (5.5 + y) / 11, (6 + z) / 12)
            rows.append((f"{element}{number}{turn}", element, *(f"{part:.5f}" for part in place)))
    return write_cif(sites=rows)


@pytest.mark.parametrize(
    ("length", "level"),
    [(1.35, ["B"]), (1.42, ["C"]), (1.51, None), (1.53, None), (1.59, None), (1.66, ["C"])],
)
def test_a_bond_between_sp3_carbon_atoms_has_its_usual_length(length: float, level: list[str] | None) -> None:
    assert alerts(ethane(length)).get("SP3_BOND") == level


def test_a_short_bond_is_no_alert_within_three_su_nor_where_a_metal_is_the_fourth_neighbour() -> None:
    assert "SP3_BOND" not in alerts(ethane(1.42, su="(90)"))
    assert "SP3_BOND" not in alerts(ethane(1.42, metal=True))


def test_a_text_with_a_wrong_checksum_is_found() -> None:
    assert "CHECKSUM" in alerts(write_cif(more="_shelx_res_checksum 1\n_shelx_res_file\n;\nTITL x\n;\n"))


def test_a_solvent_mask_needs_details() -> None:
    fab = "_shelx_fab_file\n;\n1 0 0 1.0 2.0\n;\n"
    assert "SOLVENT_MASK" in alerts(write_cif(more=fab))
    assert "SOLVENT_MASK" not in alerts(
        write_cif(more=fab + "_platon_squeeze_details 'One molecule of water.'")
    )


def test_imprecise_carbon_bonds_are_found() -> None:
    sites = [("C1", "C", "0.100(4)", 0.1, 0.1), ("C2", "C", "0.250(4)", 0.1, 0.1)]
    assert alerts(write_cif(sites=sites))["C_C_SU"] == ["A"]


def test_bad_data_raise_alerts() -> None:
    hkl = "".join(
        f"{h:4d}{k:4d}   1{100 + 80 * ((h + k) % 2) * (1 if h > 0 else -1):8.2f}    1.00\n"
        for h in (-2, 2, -1, 1)
        for k in (1, 2)
    )
    inverse = "".join(
        f"{-int(line[:4]):4d}{-int(line[4:8]):4d}  -1{400.0:8.2f}    1.00\n" for line in hkl.splitlines()
    )
    found = alerts(write_cif(group=INVERTED, more=f"_shelx_hkl_file\n;\n{hkl}{inverse};\n"))
    assert found["R_INT"] == ["B"]
    assert "DATA_COMPLETENESS" in found


def test_a_block_without_structure_cannot_be_validated() -> None:
    with pytest.raises(MissingItemsError):
        validate(read("data_x\n_a 1\n")[0])
