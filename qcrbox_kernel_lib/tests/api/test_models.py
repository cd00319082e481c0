"""Comparing, reporting and tracing refined models, on a real registry."""

from __future__ import annotations

import ast
import csv
import io
import re
import xml.etree.ElementTree as ElementTree
import zipfile

import gemmi
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.display.docx import docx_bytes
from qcrbox.markup import Table

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@pytest.fixture(scope="session")
def isotropic(live_box):
    """The same data with all atoms isotropic."""
    command = live_box.refine.refine_iam
    return command(live_box.examples["thpp"], cycles=3, weighting="keep", adp="isotropic").result(120)


def test_comparison_shows_figures_of_both_and_their_change(live_box, refined, isotropic):
    figures = live_box.compare(refined, isotropic).figures
    row = next(row for row in figures.rows if row[0] == "R1")
    assert float(row[1]) == refined.R1
    assert float(row[3]) == pytest.approx(isotropic.R1 - refined.R1, abs=1e-6)


def test_difference_of_a_model_with_itself_is_empty_in_every_mode(live_box, refined):
    for mode in ("crystallographic", "semantic", "text"):
        assert not live_box.diff(refined, refined, mode=mode), mode


def test_difference_by_meaning_names_items_and_can_ignore_some(live_box, refined, isotropic):
    changed = {change.tag for change in live_box.diff(refined, isotropic, mode="semantic").semantic.changes}
    assert "_refine_ls.number_parameters" in changed
    without = live_box.diff(refined, isotropic, mode="semantic", ignore=["_refine_ls.*"])
    assert not any(change.tag.startswith("_refine_ls.") for change in without.semantic.changes)


def test_unknown_mode_of_difference_is_refused(live_box, refined):
    with pytest.raises(UserInputError, match="mode must be one of"):
        live_box.diff(refined, refined, mode="words")


def test_lineage_names_input_calculation_and_outputs(refined):
    labels = {node["label"] for node in refined.lineage.nodes}
    assert {"thpp.cif", "thpp.hkl", "refined.cif"} <= labels
    root = ElementTree.fromstring(refined.lineage.svg())
    assert len(list(root.iter("{http://www.w3.org/2000/svg}g"))) == len(refined.lineage.nodes)


@pytest.mark.slow
def test_lineage_script_is_python_and_makes_the_same_model_again(live_box, refined, tmp_path):
    script = refined.lineage.script(tmp_path / "redo.py").read_text()
    ast.parse(script)
    line = next(line for line in script.splitlines() if ".refine_iam.run(" in line)
    names: dict[str, object] = {"qc": live_box}
    exec(script.replace("import qcrbox as qc", ""), names)
    again = names[line.split(" = ")[0]]
    assert again.calculation.id != refined.calculation.id
    assert again.R1 == refined.R1
    assert not live_box.diff(refined, again)


def test_table_1_keeps_values_as_written_and_shows_what_is_missing(refined):
    table = dict(refined.report().table_1.rows)
    assert table["a / Å"] == str(refined.cell.a)
    assert table["R1 [I > 2σ(I)]"] == str(refined.cif["_refine_ls_R_factor_gt"])
    assert table["Temperature / K"] == "?"


def test_report_is_saved_in_every_format(refined, isotropic, tmp_path):
    report = refined.report(models=[refined, isotropic])
    assert report.save(tmp_path / "t.html").read_text().count("<table>") == 5
    rows = list(csv.reader(io.StringIO(report.save(tmp_path / "t.csv").read_text())))
    assert rows[1] == ["", *report.names]
    latex = report.save(tmp_path / "t.tex").read_text()
    assert latex.count(r"\begin{table}") == latex.count(r"\end{table}") == 5
    with zipfile.ZipFile(report.save(tmp_path / "t.docx")) as file:
        document = ElementTree.fromstring(file.read("word/document.xml"))
    assert len(list(document.iter(f"{WORD}tbl"))) == 5
    texts = {text.text for text in document.iter(f"{WORD}t")}
    assert str(refined.cell.b) in texts
    with pytest.raises(UserInputError, match=r"\.docx"):
        report.save(tmp_path / "t.pdf")


def test_bond_lengths_of_the_report_are_those_of_the_cif_with_su(refined):
    block = gemmi.cif.read_string(refined.cif.text)[0]
    table = block.find("_geom_bond.", ["atom_site_label_1", "atom_site_label_2", "distance"])
    if not len(table):
        table = block.find("_geom_bond_", ["atom_site_label_1", "atom_site_label_2", "distance"])
    listed = {frozenset((row[0], row[1])): float(row[2].split("(")[0]) for row in table}
    shown = {
        frozenset(row[0].split("–")): row[1] for row in refined.report().bonds().rows if "(i" not in row[0]
    }
    common = set(listed) & set(shown)
    assert len(common) > 10
    for pair in common:
        length, su = re.fullmatch(r"([\d.]+)\((\d+)\)", shown[pair]).groups()
        in_last_digit = 10.0 ** -len(length.partition(".")[2])
        # The report starts from coordinates that were rounded to their s.u.
        assert float(length) == pytest.approx(listed[pair], abs=max(2e-3, 0.5 * int(su) * in_last_digit)), (
            pair
        )


def test_word_document_survives_text_that_xml_cannot_hold():
    table = Table(("a<b", "c"), [("\x00 & \ud800", "<w:t>")], title="t\x0b")
    with zipfile.ZipFile(io.BytesIO(docx_bytes([table]))) as file:
        ElementTree.fromstring(file.read("word/document.xml"))


def test_cells_a_spreadsheet_would_run_are_disarmed():
    table = Table(("=1+1",), [("=HYPERLINK(1)",), ("-1.5(2)",), ("@cmd",)])
    assert table.csv().splitlines() == ["'=1+1", "'=HYPERLINK(1)", "-1.5(2)", "'@cmd"]


@pytest.mark.slow
def test_form_gives_the_line_that_does_the_same(live_box):
    thpp = live_box.examples["thpp"]
    form = live_box.refine.refine_iam.form(thpp, cycles=1).set(weighting="keep")
    assert (
        str(form.code)
        == "calculation = qc.refine.refine_iam(qc.examples[\"thpp\"], cycles=1, weighting='keep')"
    )
    names: dict[str, object] = {"qc": live_box}
    exec(str(form.code), names)
    by_code = names["calculation"].result(120)
    by_form = form.run().result(120)
    assert by_code.calculation.arguments == by_form.calculation.arguments
    assert by_code.R1 == by_form.R1


def test_form_says_what_is_wrong_where(live_box):
    form = live_box.refine.refine_iam.form()
    assert form.problems["structure"].startswith("needed")
    form.set(structure=live_box.examples["thpp"], cycles="many")
    assert set(form.problems) == {"cycles"}
    assert "whole number" in form.problems["cycles"]


def test_form_in_widgets_disables_its_button_until_it_is_whole(live_box):
    from qcrbox.widgets.command_form.controls import form_widget

    form = live_box.refine.refine_iam.form()
    widget = form_widget(form)
    button = _find(widget, "Button", "Run")
    assert button.disabled
    form._widgets["structure"].value = next(
        value for label, value in form._widgets["structure"].options if label.startswith("thpp")
    )
    assert not button.disabled
    form._widgets["resolution"].value = "9"
    assert button.disabled
    assert "between 0.2 and 5" in form.problems["resolution"]


def _find(widget, kind, description):
    if type(widget).__name__ == kind and widget.description == description:
        return widget
    found = (_find(child, kind, description) for child in getattr(widget, "children", ()))
    return next((one for one in found if one is not None), None)


def test_search_finds_by_cell_group_and_quality(live_box, refined):
    named = refined.keep("search target", tags=["search-me"])
    assert named.id in [d.id for d in live_box.search(tag="search-me")]
    with pytest.raises(UserInputError, match="no option"):
        live_box.search(colour="blue")
    with pytest.raises(UserInputError, match="six numbers"):
        live_box.search(cell=(1, 2, 3))


def test_numbers_of_a_csv_file_are_numbers_for_a_spreadsheet():
    table = Table(
        ("\N{MINUS SIGN}1",), [("\N{MINUS SIGN}0.35",), ("\N{MINUS SIGN}1.5(2)",), ("a\N{MINUS SIGN}b",)]
    )
    assert table.csv().splitlines() == ["-1", "-0.35", "-1.5(2)", "a\N{MINUS SIGN}b"]
    # Six digits, as in the table that is shown, would be -454.321 hartree.
    assert Table(("E",), [(-454.3213579,), (0.1 + 0.2,)]).csv().splitlines()[1:] == ["-454.3213579", "0.3"]
