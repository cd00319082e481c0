"""Reports in every format: values as written, hostile names as text, footnotes, LaTeX that compiles by its rules."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass
from html.parser import HTMLParser

import pytest
from qcrbox.cif import read
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure import Structure
from qcrbox.display.report import TABLE_1, Report

from ..conftest import symops, write_cif

HOSTILE = "<script>alert(1)</script>"
SITES = [("C1", "C", 0.1, 0.1, 0.1), ("O1", "O", 0.22, 0.1, 0.1), ("C2", "C", 0.05, 0.2, 0.1)]


@dataclass
class Model:
    """A CIF with one block, as reports need it."""

    text: str
    filename: str = "made.cif"

    def __post_init__(self):
        self.document = read(self.text.encode())
        self.block = self.document.blocks[0]
        self.structure = Structure.from_block(self.block)


def report_of(*mores: str, names=None, sites=SITES, group="_space_group_name_H-M_alt 'P 1'"):
    models = [Model(write_cif((10, 10, 10, 90, 90, 90), sites, group=group, more=more)) for more in mores]
    return Report(models, names or [f"m{n}" for n in range(len(models))])


def first_table(*mores):
    return {row[0]: row[1:] for row in report_of(*mores).table_1.rows}


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("line", "label", "value"),
    [
        ("_cell_volume 1000.0(12)", "V / Å³", "1000.0(12)"),
        ("_chemical_formula_sum 'C2 O'", "Chemical formula", "C2 O"),
        (
            "_chemical_formula_moiety 'C2 O, H2 O'\n_chemical_formula_sum 'C2 H2 O2'",
            "Chemical formula",
            "C2 O, H2 O",
        ),
        ("_chemical_formula_moiety ?\n_chemical_formula_sum 'C2 O'", "Chemical formula", "C2 O"),
        ("_refine_diff_density_min -0.31(5)", "Δρmin / e Å⁻³", "−0.31(5)"),
        ("_exptl_crystal_density_diffrn .", "Density (calc.) / g cm⁻³", "?"),
        ("_diffrn_radiation_type 'Mo K-alpha'", "Radiation", "Mo K-alpha"),
        ("_chemical_formula_sum\n;\nC2\nO\n;", "Chemical formula", "C2 O"),
        ("_refine_ls_abs_structure_Flack -0.02(3)", "Flack parameter", "−0.02(3)"),
    ],
)
def test_a_value_is_that_of_the_file(line, label, value):
    assert first_table(line)[label] == (value,)


def test_every_row_is_there_though_nothing_is_known_but_what_does_not_apply():
    labels = [label.partition(" / ")[0] for label in first_table("")]
    assert labels == [label for label, _, _ in TABLE_1 if label != "Flack parameter"]


def test_a_row_that_one_model_has_is_there_for_all():
    assert first_table("_refine_ls_abs_structure_Flack 0.1", "")["Flack parameter"] == ("0.1", "?")


def test_more_than_four_values_of_an_item_are_cut_with_their_number():
    rows = "\n".join(f"{0.5 + n / 10} {n}" for n in range(6))
    more = f"loop_\n_diffrn_radiation_wavelength\n_diffrn_radiation_wavelength_id\n{rows}"
    (value,) = first_table(more)["Wavelength / Å"]
    assert value == "0.5, 0.6, 0.7, 0.8, … (6 values)"


def test_a_report_needs_a_model():
    with pytest.raises(UserInputError, match="at least one model"):
        Report([], [])


# ---------------------------------------------------------------- geometry


def test_bonds_are_named_with_their_lengths_by_hand():
    """0.12 and √(0.05² + 0.1²) of 10 Å."""
    rows = dict(report_of("").bonds().rows)
    assert {name: float(value.split("(")[0]) for name, value in rows.items()} == pytest.approx(
        {"C1–O1": 1.2, "C1–C2": 1.118}, abs=2e-3
    )


def test_angles_are_those_at_the_middle_atom():
    """cos = (−0.05 · 0.12) / (0.1118 · 0.12): 116.57°."""
    ((name, value),) = report_of("").angles().rows
    assert set(name.split("–")) == {"O1", "C1", "C2"}
    assert name.split("–")[1] == "C1"
    assert float(value.split("(")[0]) == pytest.approx(116.57, abs=0.1)


def test_images_have_footnotes_that_are_counted_on():
    group = symops("x,y,z", "-x,-y,-z")
    table = report_of("", sites=[("C1", "C", 0.05, 0.03, 0.04)], group=group).bonds()
    assert table.rows[0][0] == "C1–C1(i)"
    assert table.caption == "Symmetry codes: (i) -x, -y, -z"


def test_without_images_there_is_no_footnote():
    assert report_of("").bonds().caption == ""


# ---------------------------------------------------------------- formats


class Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


def test_the_page_is_whole_without_scripts_whatever_the_names():
    page = report_of(f"_chemical_formula_sum '{HOSTILE}'", names=[HOSTILE]).html()
    cells = Cells()
    cells.feed(page)
    assert "script" not in cells.tags
    assert HOSTILE in cells.texts
    assert not re.search(r"(src|href)=", page)
    assert page.startswith("<!doctype html>")


def test_what_is_unknown_is_red_in_the_page():
    assert (
        '<span class="unknown" style="color:var(--qcrbox-bad-color,#b42318)">?</span>' in report_of("").html()
    )


SPECIAL = r"a&b %c $d #e _f {g} ~h ^i \j"


def test_every_special_character_of_latex_is_escaped():
    text = report_of(f'_chemical_formula_sum "{SPECIAL}"').latex()
    (line,) = (line for line in text.splitlines() if line.startswith("Chemical formula"))
    value = line.partition(" & ")[2].removesuffix(r" \\")
    # Read back by TeX's rules: each command once, and nothing special is left.
    commands = {r"\&": "&", r"\%": "%", r"\$": "$", r"\#": "#", r"\_": "_", r"\{": "{", r"\}": "}"}
    plain = (
        value.replace(r"\textasciitilde{}", "~")
        .replace(r"\textasciicircum{}", "^")
        .replace(r"\textbackslash{}", "\0")
    )
    for command, char in commands.items():
        plain = plain.replace(command, char)
    assert plain.replace("\0", "\\") == SPECIAL


def test_tables_of_latex_have_a_column_for_each_model_and_balanced_groups():
    text = report_of("", "").latex()
    assert text.count(r"\begin{tabular}{lll}") == 1
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 5
    stripped = re.sub(r"\\[{}]", "", text)
    assert stripped.count("{") == stripped.count("}")
    assert stripped.count("$") % 2 == 0


def test_no_greek_letter_or_sign_is_left_to_the_font():
    more = "_refine_diff_density_min -0.3\n_refine_ls_abs_structure_Flack 0.1"
    assert not re.search(r"[α-ωΑ-ΩÅ°³²⁻¹µ−–]", report_of(more).latex())


def test_csv_has_every_table_with_its_title_and_numbers_a_spreadsheet_reads():
    rows = list(csv.reader(io.StringIO(report_of("_refine_diff_density_min -0.31").csv())))
    assert rows[0] == ["Crystal data and refinement"]
    assert ["Δρmin / e Å⁻³", "-0.31"] in rows
    assert ["Bond lengths / Å, m0"] in rows


@pytest.mark.parametrize("text", ["=1+1", "@x", "+x", "-x"])
def test_no_value_runs_in_a_spreadsheet(text):
    rows = list(csv.reader(io.StringIO(report_of(f"_diffrn_radiation_type '{text}'").csv())))
    (value,) = (row[1] for row in rows if row and row[0] == "Radiation")
    assert value == f"'{text}"


def test_a_word_file_is_a_zip_of_xml():
    content = report_of(f"_chemical_formula_sum '{HOSTILE}'").content(".docx")
    document = zipfile.ZipFile(io.BytesIO(content)).read("word/document.xml").decode()
    assert "&lt;script&gt;" in document


@pytest.mark.parametrize("name", ["a.html", "a.HTML", "a.docx", "a.tex", "a.csv"])
def test_the_end_of_the_name_chooses_the_format(tmp_path, name):
    path = report_of("").save(tmp_path / name)
    assert path.read_bytes() == report_of("").content(path.suffix.lower()) or path.suffix == ".docx"


@pytest.mark.parametrize("name", ["a.pdf", "a", ".html"])
def test_other_formats_are_refused_with_those_there_are(tmp_path, name):
    with pytest.raises(UserInputError, match=r"a report is saved as .html, .docx, .tex, .csv"):
        report_of("").save(tmp_path / name)
