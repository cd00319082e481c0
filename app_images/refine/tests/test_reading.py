"""Models and reflections from every kind of file, and what is said when they cannot be used."""

import pytest
from qcrbox.contract.errors import CifError, MissingItemsError, UserInputError
from qcrbox_refine import reflections, scattering
from qcrbox_refine.cif_block import CifBlock
from qcrbox_refine.cif_input import model_from_block, model_from_cif_file
from qcrbox_refine.fcf import fcf_text
from qcrbox_refine.hkl_file import HklText
from qcrbox_refine.refinement import load_model, parse_omit, prepare_model
from simulated_crystals import as_hklf4, intensities, parse_blocks
from simulated_crystals import model as simulated_model


@pytest.fixture
def true():
    return simulated_model()


def cif_with(true, *loops, **items) -> CifBlock:
    from qcrbox_refine.cif_output import model_block

    block = model_block(true)
    for name, value in items.items():
        block.set(f"_{name}", value)
    for names, rows in loops:
        block.add_loop(names, rows)
    return parse_blocks(str(block))[0]


def loop_of(true, prefix, value, sigma, power):
    array = intensities(true)
    names = [f"{prefix}_index_{axis}" for axis in "hkl"] + [f"{prefix}_{value}", f"{prefix}_{sigma}"]
    rows = []
    for index, f_sq, su in zip(array.indices(), array.data(), array.sigmas(), strict=True):
        amount, error = (
            (f_sq, su) if power == 2 else (max(f_sq, 0.01) ** 0.5, su / 2 / max(f_sq, 0.01) ** 0.5)
        )
        rows.append([*map(str, index), f"{amount:.6f}", f"{error:.6f}"])
    return names, rows


@pytest.mark.parametrize(
    ("prefix", "value", "sigma", "power"),
    [
        ("_diffrn_refln", "intensity_net", "intensity_u", 2),
        ("_diffrn_refln", "intensity_net", "intensity_net_su", 2),
        ("_refln", "F_squared_meas", "F_squared_sigma", 2),
        ("_refln", "f_squared_meas", "f_squared_meas_su", 2),
        ("_refln", "F_meas", "F_sigma", 1),
    ],
)
def test_reflections_in_loops_are_the_same_intensities(true, prefix, value, sigma, power):
    model = model_from_block(cif_with(true, loop_of(true, prefix, value, sigma, power)))
    read = reflections.prepare(model)
    expected = intensities(true)
    assert read.unique.size() == expected.size()
    first, second = read.unique.common_sets(expected.map_to_asu())
    strong = [i for i, x in enumerate(second.data()) if x > 1]
    assert [first.data()[i] for i in strong] == pytest.approx([second.data()[i] for i in strong], rel=1e-3)


def test_rows_that_the_file_excludes_are_left_out_and_named(true):
    loop = loop_of(true, "_refln", "F_squared_meas", "F_squared_sigma", 2)
    text = str(cif_with(true, loop)).replace(
        "_refln_F_squared_sigma", "_refln_F_squared_sigma\n _refln_observed_status"
    )
    head, _, rows = text.partition("_refln_observed_status\n")
    lines = [line for line in rows.split("\n") if line.strip()]
    marked = [f"{line} {'x' if i < 3 else 'o'}" for i, line in enumerate(lines)]
    model = model_from_block(parse_blocks(head + "_refln_observed_status\n" + "\n".join(marked) + "\n")[0])
    assert reflections.prepare(model).unique.size() == intensities(true).size() - 3
    assert any("3 reflections of loop _refln are marked as not used" in note for note in model.notes)


def test_embedded_hkl_text_is_read_and_kept_as_it_is(true):
    text = as_hklf4(intensities(true)) + "\n_cell_length_a is no reflection\n"
    model = model_from_block(cif_with(true, shelx_hkl_file=text))
    read = reflections.prepare(model)
    assert read.unique.size() == intensities(true).size()
    assert read.origin == "embedded _shelx_hkl_file"
    assert read.hkl_text.splitlines()[:3] == text.splitlines()[:3]
    assert read.hkl_text.splitlines()[-1].split()[:3] == ["0", "0", "0"]


def test_touching_columns_and_crlf_are_read(true):
    text = " -12 -10  -9   12.34    0.50\r\n -11-100 -12   99.00    1.00\r\n   0   0   0    0.00    0.00\r\n"
    rows = HklText.split(text).rows("x.hkl")
    assert rows.indices.tolist() == [[-12, -10, -9], [-11, -100, -12]]


def test_an_fcf_is_read_as_reflections(refined):
    folder, made = refined
    model = load_model(str(folder / "free.cif"))
    read = reflections.prepare(model, str(folder / "free.fcf"))
    assert read.unique.size() == made["free"].fit.reflections.unique.size()


@pytest.mark.parametrize(("code", "said"), [(4, False), (6, True)])
def test_lists_that_shelxl_has_corrected_are_named(refined, tmp_path, code, said):
    folder, made = refined
    (tmp_path / "list.fcf").write_text(fcf_text(made["free"].fit, code))
    model = load_model(str(folder / "free.cif"))
    reflections.prepare(model, str(tmp_path / "list.fcf"))
    assert any(f"LIST {code}" in note for note in model.notes) is said


def test_missing_reflections_say_how_to_attach_them(true):
    model = model_from_block(cif_with(true))
    with pytest.raises(MissingItemsError) as caught:
        reflections.prepare(model)
    assert "refine needs reflections, and 'simulated' has none" in caught.value.message
    assert '.attach("simulated.hkl")' in caught.value.message
    assert "_shelx_hkl_file" in caught.value.items


def test_zero_reflections_are_an_error(true, tmp_path):
    (tmp_path / "empty.hkl").write_text("   0   0   0    0.00    0.00\n")
    with pytest.raises(UserInputError, match="zero reflections"):
        reflections.prepare(true, str(tmp_path / "empty.hkl"))


def test_text_that_is_no_hkl_shows_its_first_line(true, tmp_path):
    (tmp_path / "x.hkl").write_text("this is no reflection file at all\n")
    with pytest.raises(UserInputError, match=r"not in SHELX format.*this is no"):
        reflections.prepare(true, str(tmp_path / "x.hkl"))


def test_a_syntax_error_names_file_and_line(tmp_path):
    (tmp_path / "broken.cif").write_text("data_x\n_cell_length_a 5\nloop_\n_a\n_b\n1 2 3\n")
    with pytest.raises(CifError) as caught:
        model_from_cif_file(str(tmp_path / "broken.cif"))
    assert caught.value.file == "broken.cif"
    assert caught.value.line in (4, 5, 6)


def test_an_item_given_twice_is_named(tmp_path):
    (tmp_path / "twice.cif").write_text("data_x\n_cell_length_a 5\n_cell_length_b 6\n_cell_length_a 7\n")
    with pytest.raises(CifError) as caught:
        model_from_cif_file(str(tmp_path / "twice.cif"))
    assert (caught.value.tag, caught.value.line) == ("_cell_length_a", 4)


def test_reflections_that_the_wavelength_cannot_reach_are_refused(true, tmp_path):
    (tmp_path / "s.hkl").write_text(as_hklf4(intensities(true)))
    true.wavelength = 1.54184
    with pytest.raises(UserInputError, match=r"1\.54184 Å cannot measure"):
        reflections.prepare(true, str(tmp_path / "s.hkl"))


def test_all_missing_items_are_named_at_once():
    with pytest.raises(MissingItemsError) as caught:
        model_from_block(parse_blocks("data_x\n_cell_length_a 5\nloop_\n_atom_site_label\nC1\n")[0])
    assert "_cell_length_b" in caught.value.items
    assert "_space_group_symop_operation_xyz" in caught.value.items


def test_a_cell_that_does_not_fit_the_space_group_is_refused(thpp, tmp_path):
    text = (
        (thpp / "thpp.cif")
        .read_text()
        .replace("_cell_angle_alpha                 90.000", "_cell_angle_alpha 85.0")
    )
    (tmp_path / "wrong.cif").write_text(text)
    with pytest.raises(CifError, match="does not fit space group"):
        model_from_cif_file(str(tmp_path / "wrong.cif"))


def test_duplicate_labels_are_named(thpp, tmp_path):
    (tmp_path / "double.cif").write_text((thpp / "thpp.cif").read_text().replace("  C9   C", "  C4   C"))
    with pytest.raises(CifError, match="C4 stands for more than one atom"):
        model_from_cif_file(str(tmp_path / "double.cif"))


@pytest.mark.parametrize("symbol", ["Q", "Xx", "?!"])
def test_a_type_that_is_no_element_is_named(thpp, tmp_path, symbol):
    (tmp_path / "odd.cif").write_text(
        (thpp / "thpp.cif").read_text().replace("  C9   C ", f"  C9   {symbol} ")
    )
    with pytest.raises(UserInputError, match="atom C9 has the type"):
        model_from_cif_file(str(tmp_path / "odd.cif"))


def test_no_wavelength_and_no_dispersion_ask_for_one(true):
    true.wavelength = None
    with pytest.raises(MissingItemsError, match=r"wavelength=0\.71073"):
        scattering.set_factors(true.structure(), true)


def test_the_instructions_and_the_cif_give_the_same_model(thpp):
    from_ins, from_cif = (load_model(str(thpp / name)) for name in ("thpp.ins", "thpp.cif"))
    cif = {atom.label.upper(): atom for atom in from_cif.atoms}
    assert len(from_ins.atoms) == len(from_cif.atoms) == 18
    for atom in from_ins.atoms:
        other = cif[atom.label.upper()]
        assert atom.site == pytest.approx(other.site, abs=2e-3)
        assert atom.occupancy == pytest.approx(other.occupancy, abs=1e-3)
        assert (atom.u_aniso is None) == (other.u_aniso is None)
    assert {a.label: a.part for a in from_ins.atoms if a.part} == {"C7a": 1, "C7b": 2}
    assert from_ins.formula == {"C": 10, "H": 10, "F": 2, "N": 4}


def test_a_published_cif_is_read_whole(cu3182):
    model = load_model(str(cu3182))
    hydrogen = [atom for atom in model.atoms if atom.is_hydrogen]
    assert len(model.atoms) == 92
    assert model.symmetry.space_group_info().type().number() == 19
    assert model.formula == {"C": 17, "H": 20, "N": 4, "O": 5}
    assert len(hydrogen) == 40
    assert model.temperature_k == pytest.approx(100)


def test_symops_win_over_a_wrong_symbol(true):
    block = cif_with(true, **{"space_group_name_H-M_alt": "P 1"})
    assert model_from_block(block).symmetry.space_group().is_centric()


def test_omit_is_read_and_applied_with_equivalents(true, tmp_path):
    (tmp_path / "s.hkl").write_text(as_hklf4(intensities(true)))
    everything = reflections.prepare(true, str(tmp_path / "s.hkl"))
    true.settings.omitted = parse_omit("1 0 -2; 0 2 0")
    fewer = reflections.prepare(true, str(tmp_path / "s.hkl"))
    assert everything.unique.size() - fewer.unique.size() == 2
    with pytest.raises(UserInputError, match="three whole numbers"):
        parse_omit("1 0")


def test_large_intensities_are_scaled_into_the_columns(true):
    array = intensities(true)
    big = array.customized_copy(data=array.data() * 1e6, sigmas=array.sigmas() * 1e6)
    again = HklText.split(as_hklf4(big)).rows("big.hkl")
    ratios = [a / b for a, b in zip(again.values, array.data(), strict=True) if b > 100]
    assert max(ratios) == pytest.approx(min(ratios), rel=1e-3)


@pytest.mark.parametrize(
    ("x", "part", "said"), [(0.0, 0, False), (0.002, 0, False), (0.012, 0, True), (0.012, -1, False)]
)
def test_atoms_that_are_put_on_a_special_position_are_named(x, part, said):
    """Chlorine near the centre of symmetry of P -1: SHELXL puts atoms nearer than 0.2 Å to an image of theirs on it."""
    model = simulated_model()
    model.atoms[0].site, model.atoms[0].part = (x, 0.0, 0.0), part
    prepare_model(model)
    assert any("Cl1 by 0.08 Å" in note for note in model.notes) is said


def test_satellites_are_not_refined_as_main_reflections(true):
    names, rows = loop_of(true, "_refln", "F_squared_meas", "F_squared_sigma", 2)
    model = model_from_block(cif_with(true, ([*names, "_refln_index_m_1"], [[*row, "1"] for row in rows])))
    with pytest.raises(UserInputError, match="satellites"):
        reflections.prepare(model, None)


def test_wave_vectors_and_magnetic_neutron_data_are_refused(true):
    with pytest.raises(UserInputError, match="modulated"):
        model_from_block(cif_with(true, cell_wave_vector_x="0.31"))
    magnetic = {"_atom_site_moment.label": "Cl1"}
    block = cif_with(true, diffrn_radiation_probe="neutron")
    for tag, value in magnetic.items():
        block.set(tag, value)
    with pytest.raises(UserInputError, match="magnetic"):
        model_from_block(block)


def test_s_u_of_weak_f_are_those_of_squares(true):
    names, rows = loop_of(true, "_refln", "F_meas", "F_sigma", 1)
    weakest = [*rows[0][:3], "0.001", "3.0"]
    model = model_from_block(cif_with(true, (names, [weakest, *rows[1:]])))
    found = reflections.prepare(model, None).unique
    index = tuple(int(x) for x in weakest[:3])
    place = [i for i, h in enumerate(found.indices()) if h == index or h == tuple(-x for x in index)]
    assert [found.sigmas()[i] for i in place] == [pytest.approx(2**0.5 * 9, rel=1e-6)]
