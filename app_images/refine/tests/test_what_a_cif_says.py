"""What a CIF says beyond its atom list is applied, or named in the log, in the result card and in the new CIF."""

from __future__ import annotations

import re

import numpy as np
import pytest
import refine_commands
from qcrbox.cif import Document, read
from qcrbox.cif.convert import unify
from qcrbox.cif.convert.written_names import as_written
from qcrbox.cif.quoting import text_of
from qcrbox.contract.errors import MissingItemsError, UserInputError
from qcrbox_agent import progress
from qcrbox_refine.cif_output import model_block
from qcrbox_refine.constraints import parametrise
from qcrbox_refine.corrections import prepare_corrections
from qcrbox_refine.refinement import Options, load_model, refine_files, write_cif
from qcrbox_refine.reflections import prepare
from qcrbox_refine.res_output import model_text
from truth import Truth, hkl_text, noisy, write

KEEP = Options(weighting="keep", cycles=15)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A CIF as a refinement leaves it (instructions and reflections inside), and its .hkl file."""
    folder = tmp_path_factory.mktemp("files")
    truth = Truth("P 21", "Br")
    hkl = truth.indices()
    mates = Truth.indices(truth)
    intensity = 0.7 * np.abs(truth.f(hkl)) ** 2 + 0.3 * np.abs(truth.f(-mates)) ** 2
    structure, data = write(folder, truth.ins(), hkl_text(hkl, *noisy(intensity, 0.01, 1)))
    result = refine_files(structure, data, KEEP)
    write_cif(result, folder / "crystal.cif")
    return (folder / "crystal.cif").read_text(), data


def with_cards(text: str, *cards: str) -> str:
    """The CIF with further instructions in its .res text."""
    return re.sub(r"^(FVAR.*)$", "\n".join([*cards, r"\1"]), text, count=1, flags=re.MULTILINE)


def without(text: str, *tags: str) -> str:
    for tag in tags:
        text = re.sub(rf"^{re.escape(tag)}[ \t]*\n;.*?\n;\n", "", text, flags=re.MULTILINE | re.DOTALL)
        text = re.sub(rf"^{re.escape(tag)}[ \t]+\S.*\n", "", text, flags=re.MULTILINE)
    return text


def refined(folder, text: str, hkl: str | None = None):
    (folder / "x.cif").write_text(text)
    return refine_files(str(folder / "x.cif"), hkl, KEEP)


RES = "_shelx_res_file"


@pytest.mark.parametrize(
    ("tags", "row", "says"),
    [
        ("atom_site_anharm_GC_C_label atom_site_anharm_GC_C_111", "Br1 0.001", "Anharmonic displacements"),
        (
            "restr_distance_atom_site_label_1 restr_distance_atom_site_label_2 restr_distance_target",
            "C1 C2 1.5",
            "restraints and constraints of the file",
        ),
    ],
    ids=["anharmonic", "restraints"],
)
def test_items_that_nothing_reads_are_named(files, tmp_path, tags, row, says):
    path = tmp_path / "x.cif"
    path.write_text(
        without(files[0], RES) + "loop_\n" + "".join(f"_{tag}\n" for tag in tags.split()) + row + "\n"
    )
    assert [
        text
        for kind, text in load_model(str(path)).remarks_by_kind()
        if kind == "not_applied" and says in text
    ]


@pytest.mark.parametrize("program", ["smtbx_masks", "platon_squeeze"])
def test_voids_without_a_mask_are_named_unless_one_is_given(files, tmp_path, program):
    path = tmp_path / "x.cif"
    path.write_text(without(files[0], RES) + f"loop_\n_{program}_void_nr\n_{program}_void_volume\n1 100\n")
    for fab, named in ((None, True), ("1 0 2 40.0 0.5\n0 0 0 0 0\n", False)):
        model = load_model(str(path))
        prepare_corrections(model, prepare(model, files[1]), fab=fab)
        assert any("no mask is applied" in text for text in model.notes) == named


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Runs refine_iam as an agent does; gives log, what the result card says as (kind, text), and the CIF's remarks."""
    monkeypatch.chdir(tmp_path)

    def run(text: str, **options):
        (tmp_path / "x.cif").write_text(text)
        sent: list[dict] = []
        progress.send_to(sent.append)
        try:
            refine_commands.refine_iam("x.cif", cycles=2, weighting="keep", **options)
        finally:
            progress.send_to(None)
        card = [("warning", message["warning"]) for message in sent if "warning" in message]
        card += [(message["kind"], message["remark"]) for message in sent if "remark" in message]
        block = read((tmp_path / "refined.cif").read_bytes()).blocks[0]
        return capsys.readouterr().out, card, block

    return run


def test_what_is_not_applied_is_named_in_log_card_and_cif(files, command):
    log, card, block = command(with_cards(files[0], "MPLA 3 C1 C2 O1", "DFIX 1.5 C1 C99"))
    for text in (log, block.text("_refine_special_details")):
        assert "Not applied: MPLA 3 C1 C2 O1 (" in text
        assert "Not applied: DFIX 1.5 C1 C99 (There is no atom C99" in text
    not_applied = "\n".join(text for kind, text in card if kind == "not_applied")
    assert "MPLA 3 C1 C2 O1 (" in not_applied
    assert "DFIX 1.5 C1 C99 (There is no atom C99" in not_applied
    assert not any("MPLA" in text or "DFIX" in text for kind, text in card if kind != "not_applied")


def test_the_source_of_dispersion_is_said_in_log_and_cif(files, command):
    log, _, block = command(files[0])
    assert "Br, C, N, O from DISP in the input" in log
    assert "Br, C, N, O from DISP in the input" in block.text("_refine_special_details")
    log, _, block = command(without(files[0], "_shelx_res_file"))
    assert "from the CIF (_atom_type_scat_dispersion_*)" in log
    assert "from the CIF (_atom_type_scat_dispersion_*)" in block.text("_refine_special_details")
    bare = re.sub(r"^loop_\n\s*_atom_type_symbol\n(?:.+\n)+", "", files[0], flags=re.MULTILINE)
    assert "_atom_type_scat_dispersion" not in bare
    log, _, block = command(without(bare, "_shelx_res_file"))
    assert "from Cromer & Liberman" in log or "from Sasaki" in log
    assert block.text("_refine_special_details")


@pytest.mark.parametrize(
    "more",
    [
        "_aspheric_ffs_partitioning.name Hirshfeld\n",
        "_refine_ls_hydrogen_hirshfeld 1\n_computing_structure_refinement 'NoSpherA2 and olex2.refine'\n",
        "_atom_rho_multipole_configuration x\n",
    ],
)
def test_a_file_with_more_than_spherical_atoms_says_so(files, command, more):
    text = without(files[0], "_computing_structure_refinement") + more
    log, card, block = command(text)
    for said in (log, "\n".join(text for _, text in card), block.text("_refine_special_details")):
        assert "This file is an aspherical model" in said
        assert "refine_iam uses spherical atoms" in said


@pytest.mark.parametrize("item", ["_shelx_res_file", "_iucr_refine_instructions_details"])
@pytest.mark.parametrize("attached", [False, True])
def test_a_twin_is_refined_wherever_its_instructions_stand(tmp_path, files, item, attached):
    text = with_cards(files[0], "TWIN", "BASF 0.1").replace("_shelx_res_file", item)
    if attached:
        text = without(text, "_shelx_hkl_file")
    result = refined(tmp_path, text, files[1] if attached else None)
    assert result.fit.corrections.domains.fractions[0] == pytest.approx(0.3, abs=0.05)


def test_a_coefficient_of_extinction_in_the_file_is_refined(tmp_path, files):
    text = without(
        files[0], "_shelx_res_file", *(f"_refine_ls_extinction_{x}" for x in ("coef", "method", "expression"))
    )
    more = "_refine_ls_extinction_coef 0.01(1)\n_refine_ls_extinction_method SHELXL\n"
    result = refined(tmp_path, text + more)
    assert result.fit.extinction is not None
    assert refined(tmp_path, text).fit.extinction is None


def test_a_solvent_mask_in_the_file_is_applied(tmp_path, files):
    fab = "_shelx_fab_file\n;\n1 0 2 40.0 0.5\n0 0 0 0 0\n;\n"
    masked = refined(tmp_path, with_cards(files[0], "ABIN") + fab)
    assert any("solvent mask is applied" in note for note in masked.model.notes)
    assert masked.fit.r1_gt != pytest.approx(refined(tmp_path, files[0]).fit.r1_gt, rel=1e-4)
    unused = refined(tmp_path, files[0] + fab)
    assert any("not applied: its instructions have no ABIN" in note for note in unused.model.notes)


def test_a_riding_hydrogen_with_a_tensor_is_refined_isotropic_and_named(tmp_path, files):
    """Files of aspherical refinements have them."""
    text = without(files[0], "_shelx_res_file")
    row = re.search(r"^C2 .*$", text, re.MULTILINE)[0]
    columns = re.search(r"loop_\n((?:\s*_atom_site_(?!aniso).*\n)+)", text)[1].split()
    values = dict(zip(columns, row.split(), strict=True))
    values |= {"_atom_site_label": "H2", "_atom_site_type_symbol": "H", "_atom_site_adp_type": "Uani"}
    values |= {"_atom_site_fract_x": "0.36", "_atom_site_fract_y": "0.40", "_atom_site_fract_z": "0.45"}
    values |= {"_atom_site_refinement_flags_posn": "R", "_atom_site_calc_flag": "calc"}
    text = text.replace(row, f"{row}\n{' '.join(values.get(name, '.') for name in columns)}", 1)
    names = "\n".join(f"_atom_site_aniso_U_{ij}" for ij in (11, 22, 33, 12, 13, 23))
    text += f"loop_\n_atom_site_aniso_label\n{names}\nH2 0.05 0.06 0.05 0.01 0 0\n"
    result = refined(tmp_path, text)
    hydrogen = result.model.atom("H2")
    assert hydrogen.u_aniso is None
    assert any("H2: riding, so refined with isotropic" in note for note in result.model.notes)


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ("CELL 1.54184 6.1 9.42 7.7 90 104 90", "has the cell 6.1 9.42 7.7"),
        ("CELL 0.71073 6.1 9.4 7.7 90 104 90", "has the wavelength 0.71073"),
    ],
    ids=["cell", "wavelength"],
)
def test_a_cell_instruction_that_says_something_else_is_named(tmp_path, files, card, said):
    text, _ = files
    assert not [note for note in refined(tmp_path, text).model.notes if "CELL of" in note]
    other = refined(tmp_path, re.sub(r"^CELL .*$", card, text, flags=re.MULTILINE))
    assert any(said in note for note in other.model.notes)
    assert other.model.wavelength == 1.54184
    assert other.model.symmetry.unit_cell().parameters()[1] == pytest.approx(9.4)


ETHENE = """TITL x
CELL 0.71073 6 7 8 90 90 90
ZERR 4 0.001 0.001 0.001 0 0 0
LATT 1
SFAC C H
UNIT 8 4
{temp}L.S. 2
FVAR 1
C1 1 0.1 0.1 0.1 11 0.03
AFIX 43
H1 2 0.2 0.15 0.15 11 -1.2
AFIX 0
C2 1 0.05 0.28 0.12 11 0.03
C3 1 -0.1 0.0 0.05 11 0.03
HKLF 4
END
"""


@pytest.mark.parametrize(
    ("temp", "distance", "said"),
    [("", 0.93, True), ("TEMP 20\n", 0.93, True), ("TEMP -50\n", 0.94, True), ("TEMP -173\n", 0.95, False)],
)
def test_riding_hydrogen_keeps_the_distance_of_temp(tmp_path, temp, distance, said):
    """SHELXL's C-H of AFIX 43: 0.93 Å, 0.94 below -20 °C, 0.95 below -70 °C, by TEMP and not by what the CIF says of the crystal."""
    (tmp_path / "x.ins").write_text(ETHENE.format(temp=temp))
    model = load_model(str(tmp_path / "x.ins"))
    block = model_block(model)
    block.set("_diffrn_ambient_temperature", "100(2)")
    block.set("_shelx_res_file", ETHENE.format(temp=temp))
    (tmp_path / "x.cif").write_text(str(block))
    model = load_model(str(tmp_path / "x.cif"))
    made = parametrise(model)
    made.reparametrisation.linearise()
    made.reparametrisation.store()
    sites = {s.label: s.site for s in made.structure.scatterers()}
    assert made.structure.unit_cell().distance(sites["C1"], sites["H1"]) == pytest.approx(distance, abs=1e-4)
    assert any("X-H distances stay those of TEMP" in note for note in model.notes) is said
    assert ("TEMP" in model_text(model)) is bool(temp)


def atom_list(columns: str, *rows: str) -> str:
    head = (
        "data_t\n_cell_length_a 9.1\n_cell_length_b 10.3\n_cell_length_c 11.7\n_cell_angle_alpha 90\n_cell_angle_beta 101\n"
        "_cell_angle_gamma 90\n_space_group_name_H-M_alt 'P 21/c'\n_diffrn_radiation_wavelength 0.71073\n"
    )
    names = ["label", "type_symbol", "fract_x", "fract_y", "fract_z", *columns.split()]
    return (
        head + "loop_\n" + "\n".join(f"_atom_site_{name}" for name in names) + "\n" + "\n".join(rows) + "\n"
    )


def model_of(tmp_path, text: str):
    (tmp_path / "t.cif").write_text(text)
    return load_model(str(tmp_path / "t.cif"))


def test_dummies_do_not_scatter_and_are_named(tmp_path):
    model = model_of(
        tmp_path,
        atom_list(
            "calc_flag", "C1 C .1 .2 .3 d", "Cg1 ? .2 .2 .2 dum", "X1 C .3 .3 .3 dum", "H1 H .4 .4 .4 DUM"
        ),
    )
    assert [atom.label for atom in model.atoms] == ["C1"]
    said = [text for kind, text in model.remarks_by_kind() if kind == "not_applied"]
    assert said == [
        "Dummies of the atom list (_atom_site_calc_flag dum) do not scatter and are left out: Cg1, X1, H1."
    ]


@pytest.mark.parametrize("label", ["Cg1", "CNT1", "LP1"])
def test_a_centroid_is_not_taken_for_carbon(tmp_path, label):
    with pytest.raises(UserInputError, match="no element"):
        model_of(tmp_path, atom_list("", "C1 C .1 .2 .3", f"{label} ? .2 .2 .2"))


def test_displacements_that_are_not_given_are_named_and_no_ratio_of_hydrogen(tmp_path):
    """A C-H with 1.2 Ueq(C) = 0.024: not the ratio 2.5 of a starting value of 0.05 to Ueq(C)."""
    rows = ["C1 C .1 .2 .3 .02 d", "C2 C .25 .2 .3 .02 d", "C3 C .03 .31 .3 .02 d", "H1 H .04 .12 .3 ? calc"]
    model = model_of(tmp_path, atom_list("U_iso_or_equiv calc_flag", *rows))
    assert any("begin at 0.05 Å²: H1" in text for text in model.remarks())
    parametrise(model)
    assert model.atoms[-1].u_factor == 1.2


REFLECTIONS = """loop_
_refln_index_h
_refln_index_k
_refln_index_l
_refln_F_squared_meas
_refln_F_squared_sigma
1 0 0 {} 1
0 2 0 9 1
"""


def test_intensities_of_a_powder_pattern_are_refused(tmp_path):
    text = atom_list("U_iso_or_equiv", "C1 C .1 .2 .3 .02") + REFLECTIONS.format(100)
    assert prepare(model_of(tmp_path, text)).unique.size() == 2
    assert prepare(model_of(tmp_path, text + "_pd_proc_ls_prof_R_factor ?\n")).unique.size() == 2
    with pytest.raises(UserInputError, match="powder pattern"):
        prepare(model_of(tmp_path, text + "_pd_proc_ls_prof_R_factor 0.05\n"))


def test_the_block_of_the_structure_gives_its_reflections(tmp_path):
    model = model_of(tmp_path, atom_list("U_iso_or_equiv", "C1 C .1 .2 .3 .02"))
    several = tmp_path / "several.cif"
    several.write_text("data_other\n" + REFLECTIONS.format(7) + "data_T\n" + REFLECTIONS.format(100))
    assert max(prepare(model, str(several)).unique.data()) == 100
    assert model.remarks_by_kind() == []
    several.write_text("data_other\n" + REFLECTIONS.format(7) + "data_more\n" + REFLECTIONS.format(100))
    assert max(prepare(model, str(several)).unique.data()) == 9
    assert (
        "warning",
        "several.cif has reflections in 2 blocks (other, more), none of which is named t; those of other are used.",
    ) in model.remarks_by_kind()


@pytest.mark.parametrize(
    "row", ["   1   1   0     NaN    1.00", "   1   1   0   10.00     inf", "   1   1   0     inf    1.00"]
)
def test_reflections_that_are_no_numbers_are_left_out_and_named(tmp_path, row):
    model = model_of(tmp_path, atom_list("U_iso_or_equiv", "C1 C .1 .2 .3 .02"))
    data = tmp_path / "t.hkl"
    data.write_text(f"   1   0   0  100.00    1.00\n{row}\n   0   2   0    9.00    1.00\n")
    assert prepare(model, str(data)).unique.size() == 2
    assert model.remarks_by_kind() == [
        ("warning", "1 reflections whose F² or s.u. is not finite were left out.")
    ]


@pytest.mark.parametrize(
    ("written", "formula"),
    [
        ("'C4 H4 Cl2'", {"C": 4, "H": 4, "Cl": 2}),
        ("C4H4Cl2", {"C": 4, "H": 4, "Cl": 2}),
        ("'C4 H4, Cl2'", {"C": 4, "H": 4, "Cl": 2}),
        ("'Fe(C5 H5)2'", {}),
        ("'C4 H4 CL2'", {}),
        ("?", {}),
    ],
)
def test_a_sum_formula_is_read_as_a_whole_or_named(tmp_path, written, formula):
    """Of brackets nothing is taken: the first C5 of ferrocene would be its density and F(000)."""
    text = atom_list("U_iso_or_equiv", "C1 C .1 .2 .3 .02") + f"_chemical_formula_sum {written}\n"
    model = model_of(tmp_path, text)
    assert model.formula == formula
    assert bool([text for kind, text in model.remarks_by_kind() if kind == "warning"]) == (
        not formula and written != "?"
    )


@pytest.mark.parametrize(("code", "warned"), [("4", False), ("6", True), (None, False)])
def test_corrected_lists_are_named_in_the_file_of_the_structure_too(tmp_path, code, warned):
    text = atom_list("U_iso_or_equiv", "C1 C .1 .2 .3 .02") + REFLECTIONS.format(100)
    model = model_of(tmp_path, text + (f"_shelx_refln_list_code {code}\n" if code else ""))
    prepare(model)
    assert any("LIST 6" in remark for remark in model.remarks()) == warned


def values(block) -> dict[str, list]:
    """Values by name, as numbers where they are; s.u. that say nothing (0, `.`, `?`) are one thing."""

    def plain(tag: str, raw: str) -> float | str:
        if tag.lower().endswith("_su") and raw in ("0", ".", "?"):
            return 0.0
        text = text_of(raw)
        return float(text) if re.fullmatch(r"-?\d*\.?\d+(?:[eE][-+]?\d+)?", text) else text

    return {tag: [plain(tag, raw) for raw in block.column(tag)] for tag in block.tags}


@pytest.mark.parametrize(
    ("sign", "cards"),
    [
        ("Twin law", ("TWIN -1 0 0 0 -1 0 0 0 -1 2", "BASF 0.3")),
        ("_restr", ("DFIX 1.5 0.02 C1 C2", "SIMU C1 C2")),
    ],
)
def test_a_result_that_its_author_takes_away_holds_all_that_is_stored(files, command, sign, cards):
    _, _, block = command(with_cards(files[0], *cards))
    stored = unify(Document([block])).block
    content = Document([stored]).to_bytes()
    assert sign.encode() in content
    written = as_written(content, [files[0].encode()])
    again = read(written).sole_block()
    assert values(unify(written).block) == values(stored)
    assert not [tag for tag in again.tags if tag.endswith("_su") or "." in tag]
    assert cards[0][:4] in again.text("_shelx_res_file")


SYMMETRY = ("_space_group_name_H-M_alt", "_space_group_name_Hall", "_space_group_IT_number")


def without_symmetry(text: str) -> str:
    """The CIF with no statement about its space group."""
    return without(re.sub(r"loop_\n_space_group_symop_id\n.*?\n\n", "", text, flags=re.DOTALL), *SYMMETRY)


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ("", r"has no space group.*it is 'x,y,z'"),
        ("_space_group_name_H-M_alt 'P 21/q'\n", "space group of the CIF cannot be read.*P 21/q"),
        (
            "loop_\n_space_group_symop_operation_xyz\n'x,y,q'\n",
            "space group of the CIF cannot be read.*'q' cannot be read",
        ),
    ],
    ids=["none", "symbol", "operations"],
)
def test_a_model_whose_space_group_is_not_known_is_not_refined_in_p1(files, tmp_path, stated, words):
    """It was, with a note."""
    text = re.sub(r"^(data_\S+\n)", rf"\1{stated}", without_symmetry(files[0]), count=1, flags=re.MULTILINE)
    with pytest.raises(MissingItemsError) as error:
        refined(tmp_path, text)
    assert re.search(words, " ".join(str(error.value).split()))


def test_occupancies_that_no_site_can_have_are_warned_of(files, tmp_path):
    changed, row = [], ""
    for line in without(files[0], RES).splitlines():
        if not row and re.match(r"C1 .* U(iso|ani) 1 ", line):
            row = line = re.sub(r"(U\w+) 1 ", r"\1 1.2 ", line)
        changed.append(line)
    assert row
    warned = [
        t for kind, t in refined(tmp_path, "\n".join(changed)).model.remarks_by_kind() if kind == "warning"
    ]
    assert any(t.startswith("Occupancies that no site can have: C1 1.2.") for t in warned)


def test_intensities_that_are_negative_on_the_whole_are_refused(files, tmp_path):
    """They gave a negative scale factor, whose root is no number."""
    lines = [f"{h:4d}{k:4d}{l:4d}{-5:8.2f}{1:8.2f}" for h in range(4) for k in range(4) for l in range(1, 6)]  # noqa: E741
    (tmp_path / "negative.hkl").write_text("\n".join(lines))
    with pytest.raises(UserInputError, match="negative on the whole"):
        refined(tmp_path, files[0], str(tmp_path / "negative.hkl"))


def test_what_a_refinement_writes_of_itself_is_ascii(files, tmp_path):
    """CIF 1.1 knows no other letters: a strict reader (cod-tools) refused the whole file for an Å of ours."""
    text = re.sub(r"^DISP.*\n", "", files[0], flags=re.MULTILINE)
    text = re.sub(r"loop_\n_atom_type_symbol\n.*?\n\n", "", text, flags=re.DOTALL)
    (tmp_path / "x.cif").write_text(text)
    result = refine_files(str(tmp_path / "x.cif"), None, KEEP)
    write_cif(result, tmp_path / "y.cif")
    text = (tmp_path / "y.cif").read_text()
    assert text.isascii()
    assert "\\%A" in text
