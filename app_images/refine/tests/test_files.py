"""Files for other programs, the stand-in for shelxl, the commands and their description."""

import inspect
import json
import re
from pathlib import Path

import gemmi
import numpy as np
import pytest
import refine_commands
import yaml
from cctbx import adptbx, uctbx
from qcrbox.cif import names
from qcrbox.cif.convert import InputEntries, sets_by_name, specific
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.shelx import refinement_texts
from qcrbox.crystallography.shelx.labels import shelx_labels
from qcrbox.crystallography.structure import displacements, reading
from qcrbox.spec import load
from qcrbox_agent import conversion
from qcrbox_refine import shelxl, weighting
from qcrbox_refine.cif_block import CifBlock, value_and_su, with_su
from qcrbox_refine.refinement import Options, load_model, refine_files
from simulated_crystals import parse_blocks
from truth import Truth


@pytest.mark.parametrize("name", ["shipped", "riding", "free"])
def test_the_res_file_read_back_gives_the_same_r1(refined, name):
    folder, made = refined
    again = refine_files(
        str(folder / f"{name}.res"), str(folder / f"{name}.hkl"), Options(cycles=0, weighting="keep")
    )
    assert again.fit.r1_gt == pytest.approx(made[name].fit.r1_gt, abs=1e-4)
    assert again.fit.n_parameters == made[name].fit.n_parameters


def test_the_embedded_files_are_those_beside_it(refined):
    folder, made = refined
    cif = gemmi.cif.read(str(folder / "free.cif")).sole_block()
    assert gemmi.cif.as_string(cif.find_value("_shelx_res_file")).strip() == made["free"].res.strip()
    hkl = gemmi.cif.as_string(cif.find_value("_shelx_hkl_file"))
    assert hkl.strip() == (folder / "free.hkl").read_text().strip()


def test_the_fcf_holds_all_unique_reflections_on_the_scale_of_fc(refined):
    folder, made = refined
    cif = gemmi.cif.read(str(folder / "free.fcf")).sole_block()
    table = cif.find("_refln_", ["F_squared_calc", "F_squared_meas", "observed_status"])
    assert cif.find_value("_shelx_refln_list_code") == "4"
    assert len(table) == 2975
    strong = [(float(c) ** 0.5, max(float(o), 0) ** 0.5) for c, o, status in table if status == "o"]
    r1 = sum(abs(o - c) for c, o in strong) / sum(o for _, o in strong)
    assert r1 == pytest.approx(made["free"].fit.r1_gt, abs=5e-4)


def test_shelxl_stand_in_writes_what_editors_look_for(thpp, tmp_path, capsys):
    (tmp_path / "thpp.hkl").write_bytes((thpp / "thpp.hkl").read_bytes())
    (tmp_path / "thpp.ins").write_text(
        (thpp / "thpp.ins").read_text().replace("WGHT", "REM a remark =\nWGHT")
    )
    assert shelxl.main([str(tmp_path / "thpp")]) == 0
    printed = capsys.readouterr().out
    assert "in place of SHELXL" in printed
    assert " before cycle   1 for   2975 data" in printed
    assert " Fo > 4sig(Fo)" in printed
    listing = (tmp_path / "thpp.lst").read_text()
    assert "R1 = " in listing
    assert "wR2 = " in listing
    res = (tmp_path / "thpp.res").read_text()
    assert "EXYZ N3 C3" in res
    assert res.count("EXYZ") == 1
    assert "REM a remark =" in res
    assert "\nQ1 " in res
    assert (tmp_path / "thpp.fcf").exists()


def test_shelxl_stand_in_places_what_hfix_asks_for(thpp, tmp_path):
    (tmp_path / "thpp.hkl").write_bytes((thpp / "thpp.hkl").read_bytes())
    text = (thpp / "thpp.ins").read_text().replace("EXYZ", "HFIX 137 C13 C14\nHFIX 43 C1\nEXYZ")
    (tmp_path / "thpp.ins").write_text(text)
    assert shelxl.main([str(tmp_path / "thpp")]) == 0
    res = (tmp_path / "thpp.res").read_text()
    assert res.count("AFIX 137") == 2
    assert "HFIX" not in res
    assert (
        "Not applied: HFIX 43 C1 (C1 has 3 bonds, which the geometry does not fit.)"
        in (tmp_path / "thpp.lst").read_text()
    )


def test_shelxl_stand_in_says_what_is_wrong(tmp_path, capsys):
    assert shelxl.main([str(tmp_path / "nothing")]) == 1
    assert "nothing" in capsys.readouterr().out


def test_labels_for_shelx_are_short_and_unique():
    made = shelx_labels(["C101A", "C101B", "C1'", "H7AA", "C(2)"])
    assert len(set(made)) == 5
    assert all(len(label) <= 4 for label in made)


@pytest.mark.slow
def test_the_four_lines_of_the_notebook(thpp, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = refine_commands.refine_iam(str(thpp / "thpp.cif"), str(thpp / "thpp.hkl"), refined="first.cif")
    fixed = refine_commands.edit_model(first, edits="delete C3; occupancy N3 1; aniso N3")
    riding = refine_commands.refine_iam(fixed, hydrogens="place", refined="riding.cif")
    final = refine_commands.refine_iam(riding, hydrogens="free", refined="final.cif")
    r1 = [
        float(gemmi.cif.read(name).sole_block().find_value("_refine_ls_R_factor_gt"))
        for name in (first, riding, final)
    ]
    assert r1[0] <= 0.073
    assert r1[1] <= 0.045
    assert r1[2] <= r1[1]
    peaks = json.loads((tmp_path / "peaks.json").read_text())
    assert peaks["maximum"] >= peaks["peaks"][0]["height"] - 0.1
    assert (tmp_path / "refined.res").exists()
    assert (tmp_path / "refined.fcf").exists()


@pytest.mark.slow
def test_conversion_and_merge_keep_the_chain_going(thpp, folder, tmp_path, monkeypatch):
    """As an agent runs it: each command reads the items of its spec, its CIF is merged back into the source."""
    monkeypatch.chdir(tmp_path)
    application = load(folder / "application.yaml")

    def run(command_name, source, **arguments):
        command = application.command(command_name)
        structure = next(p for p in command.parameters if p.name == "structure")
        converted = conversion.for_command(source, "thpp.cif", structure.cif, application)
        (tmp_path / "thpp.cif").write_bytes(converted.content)
        made = getattr(refine_commands, command_name)("thpp.cif", **arguments)
        merged = conversion.merged_back(
            (tmp_path / made).read_bytes(), made, source, command.output_cif.cif, application
        )
        assert merged.warnings == []
        return merged.content

    first = run("refine_iam", (thpp / "thpp.cif").read_bytes(), reflections=str(thpp / "thpp.hkl"))
    edited = run("edit_model", first, edits="delete C3; N3 = 1; aniso N3")
    final = gemmi.cif.read_string(run("refine_iam", edited, hydrogens="place").decode()).sole_block()
    assert not gemmi.cif.read_string(edited.decode()).sole_block().find_value("_refine_ls.r_factor_gt")
    assert float(final.find_value("_refine_ls.r_factor_gt")) <= 0.045
    labels = list(final.find_loop("_atom_site.label"))
    assert len(labels) == 31
    assert "C3" not in labels
    assert not final.find_value("_space_group.name_h-m_full")
    assert all(
        float(su) > 0 for su, flag in final.find("_atom_site.", ["fract_x_su", "calc_flag"]) if flag == "d"
    )


def test_placing_alone_gives_a_model_to_look_at(refined, tmp_path, monkeypatch):
    folder, _ = refined
    monkeypatch.chdir(tmp_path)
    edited = refine_commands.place_hydrogens(str(folder / "shipped.cif"), edits="delete C3; N3 = 1; aniso N3")
    cif = gemmi.cif.read(edited).sole_block()
    assert list(cif.find_loop("_atom_site_type_symbol")).count("H") == 14
    assert not cif.find_loop("_geom_bond_distance")
    assert cif.find_value("_shelx_hkl_file")
    assert not cif.find_value("_refine_ls_R_factor_gt")


def test_every_parameter_of_the_spec_is_one_of_the_function(folder):
    application = load(folder / "application.yaml")
    assert [command.name for command in application.commands] == [
        "refine_iam",
        "refine_shelx",
        "refine_tsc",
        "edit_model",
        "place_hydrogens",
    ]
    for command in application.commands:
        own = dict(inspect.signature(getattr(refine_commands, command.name)).parameters)
        if own.pop("settings", None) is not None:
            # What the three refinements share, each as far as its specification goes.
            shared = inspect.signature(refine_commands._refine).parameters.values()
            known = own | {p.name: p for p in shared if p.kind is p.KEYWORD_ONLY}
        else:
            known = own
        names = [*(p.name for p in command.parameters), *(o.name for o in command.outputs)]
        assert set(own) <= set(names) <= set(known)
        assert known is not own or sorted(names) == sorted(own)
        for parameter in command.parameters:
            if parameter.has_default:
                assert known[parameter.name].default == parameter.default, parameter.name


def test_refine_iam_takes_every_shared_setting(folder):
    command = next(c for c in load(folder / "application.yaml").commands if c.name == "refine_iam")
    names = {*(p.name for p in command.parameters), *(o.name for o in command.outputs)}
    assert names | {"table"} == set(inspect.signature(refine_commands._refine).parameters)


def test_every_example_file_lies_in_the_environment(folder, distributed):
    listed = yaml.safe_load((folder / "examples.yaml").read_text())["datasets"]
    exercises = ["exercise-atom", "exercise-crystal", "exercise-group"]
    assert [dataset["name"] for dataset in listed] == ["thpp", *exercises, "cu3182"]
    for file in (file for dataset in listed for file in dataset["files"]):
        assert distributed(file["package"], file["path"]).is_file()


@pytest.mark.parametrize(
    ("text", "kind", "numbers"),
    [
        ("optimise", "optimise", None),
        ("keep", "keep", None),
        ("unit", "unit", None),
        ("0.05, 0.3", "fixed", refinement_texts.complete((0.05, 0.3))),
        ("shelx 0.1", "fixed", refinement_texts.complete((0.1, 0.0))),
        ("a=0.05 b=0.3", "fixed", refinement_texts.complete((0.05, 0.3))),
        ("0.05 0 1 2 3 0.5", "fixed", (0.05, 0, 1, 2, 3, 0.5)),
        ("sigma", "fixed", refinement_texts.SIGMA),
    ],
)
def test_weighting_words(text, kind, numbers):
    assert weighting.parse_weighting(text) == (kind, numbers)


def test_weighting_that_is_none_is_refused():
    with pytest.raises(UserInputError, match="weighting must be"):
        weighting.parse_weighting("best")


@pytest.mark.parametrize(
    ("value", "su", "text"),
    [
        (1.2345, 0.005, "1.234(5)"),
        (1.2345, 0.0019, "1.2345(19)"),
        (1.2345, 0.002, "1.234(2)"),
        (1.2345, 0.0096, "1.234(10)"),
        (100.5, 12, "100(12)"),
        (123456, 1234, "123500(1200)"),
        (1.25, 0.5, "1.2(5)"),
        (5, 1, "5.0(10)"),
        (0.5, 0, "0.50000"),
    ],
)
def test_su_follow_the_2_to_19_rule(value, su, text):
    assert with_su(value, su) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.234(5)", (1.234, 0.005)),
        ("12(3)", (12, 3)),
        ("1.2E3(4)", (1200, 400)),
        (".5(2)", (0.5, 0.2)),
        ("2.1(1.3)", (2.1, 1.3)),
        ("?", None),
        ("453K", None),
    ],
)
def test_numbers_with_su_are_read(text, value):
    assert value_and_su(text) == (pytest.approx(value) if value else None)


@pytest.mark.parametrize(
    "value",
    [
        "a dog's life",
        "two\nlines",
        "line\n;trap\nend",
        "_looks_like_a_name",
        "data_x",
        "'q' \"r\" s",
        "",
        "#c",
    ],
)
def test_values_come_back(value):
    block = CifBlock("x")
    block.set("_special_details", value)
    read = parse_blocks(str(block))[0].block.text("_special_details")
    assert read.strip("\n") == value


# Parts of names that are put together, and items for which another one stands (a refusal, or the fractional coordinates).
NOT_ASKED = {
    "_aspheric_ff", "_diffrn_refln", "_refln", "_su", "_value", "_space_group_ssg", "_space_group_symop_ssg",
    "_atom_type_scat_Cromer_Mann_", "_space_group_name_H-M_ref", "_atom_site_Cartn_x",
}  # fmt: skip
WRITERS = ("chemistry", "cif_output", "atom_loops", "fcf", "restraint_loops", "constraint_loop", "geometry")


@pytest.mark.parametrize("application", ["refine", "har"])
def test_every_item_that_is_read_is_one_the_spec_asks_for(folder, application):
    """An item outside the entry sets never reaches the command: it would be left out without a word."""
    text = (folder.parent / application / "application.yaml").read_text()
    asked = {
        names.key(name) for name in re.findall(r"_[A-Za-z][\w./-]+", text.partition("cif_entry_sets:")[2])
    }
    own = [file for file in (folder / "qcrbox_refine").glob("*.py") if file.stem not in WRITERS]
    readers = [*own, *Path(reading.__file__).parent.glob("*.py")]
    read = {
        names.key(item) for file in readers for item in re.findall(r'"(_[A-Za-z][\w./-]+)"', file.read_text())
    }
    read |= {
        names.key(tag) for tag in [*displacements._ANISO_TAGS, *reading._SITE_TAGS] if not tag.endswith("_su")
    }
    read |= {names.key(f"_atom_type_scat_Cromer_Mann_{name}") for name in ("a1", "b4", "a6", "b6", "c")}
    not_asked = {names.key(name) for name in NOT_ASKED}
    cartesian = {names.key(f"_atom_site_Cartn_{axis}") for axis in "xyz"}
    assert len(read) > 80
    missing = read - asked - not_asked - cartesian
    # The geometry of a file is for views.
    assert {item for item in missing if not item.startswith("_geom_")} == set()


@pytest.mark.parametrize("stem", ["U_", "B_", "beta_"])
def test_displacements_of_every_kind_reach_the_refinement(folder, tmp_path, stem):
    """The conversion before a command passes what the spec names: anisotropic B were lost, and their atoms isotropic."""
    truth = Truth("P 21/c", None)
    cell = uctbx.unit_cell(truth.cell)
    columns = ("11", "22", "33", "12", "13", "23")
    rows = []
    for label, _, _, u in truth.atoms:
        star = adptbx.u_iso_as_u_star(cell, u)
        tensor = np.array(
            adptbx.u_star_as_beta(star) if stem == "beta_" else adptbx.u_star_as_u_cif(cell, star)
        )
        rows.append(
            f"{label} " + " ".join(f"{x:.8f}" for x in tensor * (8 * np.pi**2 if stem == "B_" else 1))
        )
    cif = "\n".join(
        [
            "data_x",
            *(
                f"_cell_{n} {v}"
                for n, v in zip(("length_a", "length_b", "length_c"), truth.cell, strict=False)
            ),
            *(
                f"_cell_angle_{n} {v}"
                for n, v in zip(("alpha", "beta", "gamma"), truth.cell[3:], strict=True)
            ),
            "_space_group_name_H-M_alt 'P 21/c'",
            "loop_",
            *(f"_atom_site_{n}" for n in ("label", "type_symbol", "fract_x", "fract_y", "fract_z")),
            *(f"{label} {element} {x} {y} {z}" for label, element, (x, y, z), _ in truth.atoms),
            "loop_\n_atom_site_aniso_label",
            *(f"_atom_site_aniso_{stem}{c}" for c in columns),
            *rows,
            "",
        ]
    )
    spec = yaml.safe_load((folder / "application.yaml").read_text())
    inputs = InputEntries(
        required_sets=["cell_and_symmetry", "atoms"],
        optional_sets=["model_details", "reflections", "refinement", "crystal"],
        entry_sets=sets_by_name(spec["cif_entry_sets"]),
        merge_su=True,
    )
    (tmp_path / "x.cif").write_bytes(specific(cif.encode(), inputs).bytes)
    model = load_model(str(tmp_path / "x.cif"))
    assert [atom.u_aniso is not None for atom in model.atoms] == [True] * len(truth.atoms)
    assert [atom.u_iso for atom in model.atoms] == pytest.approx([u for *_, u in truth.atoms], abs=1e-5)
