"""Parts of files for Lab's tabs: what each file has, plots and checks, changes of single items, live views."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING

import httpx
import pytest
from qcrbox.contract.errors import CifError, NotFound, QcError, UserInputError
from qcrbox_extension import cif_items, model_views
from qcrbox_extension.file_model import FileModel
from qcrbox_extension.live_views import MOST_VIEWS, LiveViews, _difference
from qcrbox_extension.views import plain

if TYPE_CHECKING:
    from conftest import Upstream

FILE = "qcrbox_df_0x" + 32 * "2"
CIF = b"""data_a
_cell_length_a 5.1234(5)
_cell_length_b 6
_cell_length_c 7
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1'
_diffrn_ambient_temperature 100(2)
_exptl_crystal_colour ?
_my_own_item x # kept
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_U_iso_or_equiv
C1 C 0.1 0.2 0.3 0.02
O1 O 0.3 0.2 0.3 0.02
loop_
_refln_index_h
_refln_index_k
_refln_index_l
_refln_F_squared_meas
_refln_F_squared_sigma
_refln_F_squared_calc
1 0 0 100.0 1.0 98.0
0 1 0 50.0 1.0 52.0
0 0 1 20.0 1.0 19.0
1 1 0 30.0 1.0 60.0
0 1 1 40.0 1.0 41.0
1 0 1 70.0 1.0 69.0
"""
RES = b"TITL a\nCELL 0.71073 5 6 7 90 90 90\nZERR 1 0 0 0 0 0 0\nLATT -1\nSFAC C O\nUNIT 1 1\nFVAR 1\nC1 1 0.1 0.2 0.3 11.0 0.02\nO1 2 0.3 0.2 0.3 11.0 0.02\nHKLF 4\nEND\n"
HKL = b"   1   0   0  100.00    1.00\n   0   1   0    1.00    1.00\n   0   0   0    0.00    0.00\n"
CUBE = b"""t
t
1 0 0 0
2 1 0 0
2 0 1 0
2 0 0 1
6 6 0.5 0.5 0.5
1 2 3 4
5 6 7 8
"""


def model(content=CIF, name="a.cif"):
    return FileModel(content, name)


@pytest.mark.parametrize(
    ("content", "name", "parts"),
    [
        (CIF, "a.cif", {"structure", "density", "items", "alerts", "table", "plots", "text"}),
        (b"data_a\n_cell_length_a 5\n", "a.cif", {"items", "plots", "text"}),
        (RES, "a.res", {"structure", "text"}),
        (HKL, "a.hkl", {"reflections", "text"}),
        (CUBE, "a.cube", {"structure", "density"}),
    ],
)
def test_each_file_has_its_parts(content, name, parts):
    assert set(model_views.parts_of(model(content, name))["parts"]) == parts


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"hello\n", "a.cif has no data block. A CIF"), (b" \n", "a.cif has no data block: it is empty. A CIF")],
)
def test_of_a_cif_without_data_the_text_is_shown_with_the_reason(content, words):
    found = model_views.parts_of(model(content, "a.cif"))
    assert found["parts"] == ["text"]
    assert found["problem"].startswith(words)


@pytest.mark.parametrize("name", ["a.txt", "a", "a.py"])
def test_other_files_are_refused(name):
    with pytest.raises(NotFound, match="no file that can be shown"):
        model(CIF, name)


def test_facts_are_those_of_the_file():
    assert ("a / Å", "5.1234(5)") in model_views.facts(model())["facts"]
    assert ("reflections", "2") in model_views.facts(model(HKL, "a.hkl"))["facts"]
    shown = dict(model_views.facts(model(RES, "a.res"))["facts"])
    assert (shown["atoms"], shown["space group"]) == ("2", "P 1")


def test_alerts_say_that_they_are_a_subset_and_what_did_not_run():
    found = model_views.alerts(model())
    assert found["notice"]
    assert {"level", "text", "advice", "atoms"} <= set(found["alerts"][0])


@pytest.mark.parametrize(
    ("kind", "begins"),
    [("docx", b"PK"), ("tex", b"\\begin"), ("csv", b"Crystal data"), ("html", b"<!doctype html>")],
)
def test_the_tables_are_saved_as_a_file_named_after_the_model(kind, begins):
    saved = model_views.part(f"report-{kind}", model())
    assert saved["filename"] == f"a_tables.{kind}"
    assert saved["content"].lstrip().startswith(begins)
    assert kind == "docx" or b"5.1234(5)" in saved["content"]


def test_outliers_carry_their_indices():
    rows = model_views.outliers(model())["rows"]
    assert rows[0][0] == "1 1 0"
    # Deviations have a true minus, indices stay as they are typed.
    assert all(not cell.startswith("-") for row in rows for cell in row[1:])


def test_plots_are_data_for_the_browser():
    chart = json.loads(json.dumps(plain(model_views.part("plot-fo_fc", model())["chart"])))
    labels = [series["labels"] for panel in chart["panels"] for series in panel["series"]]
    assert "1 1 0" in "\n".join(labels)
    assert set(chart["panels"][0]["series"][1]["x"]) == {"$bytes"}


def test_a_plot_without_its_data_says_what_is_missing():
    with pytest.raises(QcError, match="calculated"):
        model_views.part("plot-fo_fc", model(b"data_a\n_cell_length_a 5\n"))


@pytest.mark.parametrize("name", ["__class__", "plot-save", "plot-", "nothing"])
def test_only_known_parts_can_be_asked_for(name):
    with pytest.raises(NotFound):
        model_views.part(name, model())


# ---------------------------------------------------------------- items


def test_items_stand_in_sections_with_unit_and_words():
    (block,) = cif_items.items(model())["blocks"]
    headings = [section["heading"] for section in block["sections"]]
    assert headings == [
        "Cell and symmetry",
        "Crystal",
        "Data collection",
        "Refinement",
        "Reflections",
        "Other items",
    ]
    cell = block["sections"][0]["entries"][0]
    assert (cell["tag"], cell["value"], cell["unit"]) == ("_cell_length_a", "5.1234(5)", "Å")
    atoms = block["sections"][3]["entries"][0]
    assert atoms["rows"][1][0] == "O1"


def test_letter_codes_are_read_as_letters_beside_the_text_that_is_edited():
    text = "data_a\n_diffrn_radiation_type 'Mo K\\a'\nloop_\n_publ_author_name\n_publ_author_footnote\n'M\\\"uller, A.' a\n"
    (block,) = cif_items.items(model(text.encode()))["blocks"]
    radiation, authors = (section["entries"][0] for section in block["sections"])
    assert (radiation["value"], radiation["read"]) == ("Mo K\\a", "Mo Kα")
    assert (authors["rows"], authors["texts"]) == ([['M\\"uller, A.', "a"]], [["Müller, A.", "a"]])
    (block,) = cif_items.items(model())["blocks"]
    assert not any("texts" in entry for section in block["sections"] for entry in section["entries"])


def test_an_edit_changes_its_item_and_no_other_byte():
    edit = {"block": "a", "tag": "_exptl_crystal_colour", "value": "dark red"}
    content = cif_items.edited(model(), [edit])["content"]
    assert content == CIF.replace(b"_exptl_crystal_colour ?", b"_exptl_crystal_colour 'dark red'")


def test_a_cell_of_a_loop_is_edited_by_its_row():
    edit = {"block": "a", "tag": "_atom_site_label", "row": 1, "value": "O1W"}
    assert b"\nO1W O 0.3" in cif_items.edited(model(), [edit])["content"]


def test_an_edit_against_the_dictionary_is_remarked():
    edit = {"block": "a", "tag": "_cell_length_b", "value": "long"}
    assert any("_cell_length_b" in r["text"] for r in cif_items.edited(model(), [edit])["remarks"])
    right = {"block": "a", "tag": "_cell_length_b", "value": "6.01(2)"}
    assert cif_items.edited(model(), [right])["remarks"] == []


@pytest.mark.parametrize(
    "edit",
    [
        {"block": "b", "tag": "_cell_length_a", "value": "5"},
        {"block": "a", "tag": "cell", "value": "5"},
        {"block": "a", "tag": "_atom_site_label", "row": 9, "value": "X"},
        {"block": "a", "tag": "_atom_site_label", "value": "X"},
    ],
)
def test_an_edit_that_cannot_be_made_is_refused(edit):
    with pytest.raises((UserInputError, CifError)):
        cif_items.edited(model(), [edit])


@pytest.mark.parametrize("tag", ["_x 1\n_y", "_", "data_b", "x"])
def test_no_name_of_an_item_brings_a_second_item_along(tag):
    with pytest.raises((UserInputError, CifError)):
        cif_items.edited(model(), [{"block": "a", "tag": tag, "value": "1"}])


@pytest.mark.parametrize(
    "value", ["2\n;\n_y 3", "it's", "'", "# no comment", "data_b", "_y", "loop_", "", ";"]
)
def test_a_value_stays_one_value_whatever_it_looks_like(value):
    edit = {"block": "a", "tag": "_exptl_crystal_colour", "value": value}
    content = cif_items.edited(model(), [edit])["content"]
    (block,) = cif_items.items(model(content))["blocks"]
    found = {
        entry["tag"]: entry["value"] for s in block["sections"] for entry in s["entries"] if "value" in entry
    }
    assert found["_exptl_crystal_colour"] == value
    assert len(block["sections"]) == 6
    assert b"_my_own_item x # kept\n" in content


@pytest.mark.parametrize("value", ["a\0b", "\x1b[31mred", "\x7f"])
def test_a_control_character_is_refused(value):
    edit = {"block": "a", "tag": "_exptl_crystal_colour", "value": value}
    with pytest.raises(UserInputError, match="control character"):
        cif_items.edited(model(), [edit])


def test_long_texts_and_loops_are_cut_and_say_so():
    rows = "".join(f"C{n} 0.1\n" for n in range(cif_items.MOST_ROWS + 5))
    text = f"data_a\n_publ_section_comment\n;{'x' * 30_000}\n;\nloop_\n_atom_site_label\n_atom_site_fract_x\n{rows}"
    (block,) = cif_items.items(model(text.encode()))["blocks"]
    atoms, comment = (section["entries"][0] for section in block["sections"])
    assert (len(atoms["rows"]), atoms["total"]) == (cif_items.MOST_ROWS, cif_items.MOST_ROWS + 5)
    assert (len(comment["value"]), comment["cut"]) == (cif_items.LONGEST_TEXT, True)


def test_too_many_edits_at_once_are_refused():
    edits = [{"block": "a", "tag": "_cell_length_a", "value": "5"}] * (cif_items.MOST_EDITS + 1)
    with pytest.raises(UserInputError, match="At most 500"):
        cif_items.edited(model(), edits)


# ---------------------------------------------------------------- live views


def test_a_view_measures_and_changes_as_in_a_notebook():
    live = LiveViews()
    opened = live.open(model())
    assert opened["state"]["scene"]
    answer = live.hear(opened["key"], {"do": "measure", "rows": [0, 1], "id": 7})
    assert answer["messages"][0]["re"] == 7
    assert "1.02" in answer["messages"][0]["text"]
    changed = live.hear(opened["key"], {"do": "set", "options": {"hydrogens": "none"}, "id": 8})
    assert set(changed["state"]) >= {"scene"}


def test_the_difference_density_comes_and_goes():
    live = LiveViews()
    key = live.open(model())["key"]
    assert live.hear(key, {"do": "difference density", "shown": True})["state"]["density"]["values"]
    assert live.hear(key, {"do": "difference density", "shown": False})["state"]["density"] == {}


def test_the_difference_density_is_that_of_the_terms_which_a_refinement_kept():
    """As of a twin: one wave of 3 e along a is 2 · 3 / V at its top, whatever Fo² and Fc² of the list say."""
    names = "".join(
        f" _qcrbox_map.{name}\n" for name in ("index_h", "index_k", "index_l", "F_difference", "phase")
    )
    fcf = model(f"data_x\nloop_\n{names} 2 0 0 3.0 0.0\n".encode(), "a.fcf")
    assert _difference(model(), fcf).maximum == pytest.approx(6 / (5.1234 * 6 * 7), rel=1e-3)


def test_a_cube_is_drawn_around_its_atoms():
    state = LiveViews().open(model(CUBE, "a.cube"))["state"]
    assert state["density"]["shape"] == [2, 2, 2]


def test_the_view_that_was_not_used_for_longest_goes_first():
    live = LiveViews()
    first = live.open(model())["key"]
    for _ in range(MOST_VIEWS):
        live.open(model())
    with pytest.raises(NotFound, match="no longer open"):
        live.hear(first, {"do": "table", "id": 1})


def test_bytes_and_numbers_that_are_none_travel_as_json():
    assert plain({"a": b"\x01", "b": float("nan"), "c": (1, 2.5)}) == {
        "a": {"$bytes": "AQ=="},
        "b": None,
        "c": [1, 2.5],
    }


# ---------------------------------------------------------------- over HTTP


def serve(upstream: Upstream) -> None:
    upstream.files[f"/api/data-files/{FILE}/download?form=written"] = CIF


def test_a_stored_file_is_read_with_the_persons_right(browser: httpx.Client, upstream: Upstream) -> None:
    serve(upstream)
    found = browser.get("/qcrbox/view/facts", params={"file": FILE, "name": "a.cif"})
    assert found.status_code == 200
    assert upstream.seen[0]["headers"]["authorization"].startswith("Bearer ")
    missing = browser.get("/qcrbox/view/facts", params={"file": "missing", "name": "a.cif"})
    assert missing.status_code == 404
    assert missing.json()["error"]["message"]


def test_a_file_of_the_browser_is_sent_and_not_stored(
    browser: httpx.Client, upstream: Upstream, xsrf: dict[str, str]
) -> None:
    answer = browser.post("/qcrbox/view/items", params={"name": "a.cif"}, content=CIF, headers=xsrf)
    assert answer.json()["blocks"][0]["name"] == "a"
    assert upstream.seen == []
    assert browser.post("/qcrbox/view/items", params={"name": "a.cif"}, content=CIF).status_code == 403


def test_edits_and_views_over_http(browser: httpx.Client, upstream: Upstream, xsrf: dict[str, str]) -> None:
    serve(upstream)
    edits = [{"block": "a", "tag": "_exptl_crystal_colour", "value": "red"}]
    body = {"name": "a.cif", "file": FILE, "edits": edits}
    changed = browser.post("/qcrbox/edit", json=body, headers=xsrf).json()["content"]["$bytes"]
    assert b"_exptl_crystal_colour red" in base64.b64decode(changed)
    sent = {"name": "a.cif", "content": base64.b64encode(CIF).decode(), "edits": edits}
    assert browser.post("/qcrbox/edit", json=sent, headers=xsrf).json()["content"]["$bytes"] == changed
    assert browser.post("/qcrbox/edit", json={"edits": 5}, headers=xsrf).status_code == 400
    opened = browser.post("/qcrbox/live", params={"file": FILE, "name": "a.cif"}, headers=xsrf).json()
    said = browser.post(f"/qcrbox/live/{opened['key']}", json={"do": "table", "id": 1}, headers=xsrf).json()
    assert said["messages"][0]["rows"]
    assert browser.post(f"/qcrbox/live/{32 * '0'}", json={"do": "table"}, headers=xsrf).status_code == 404


def test_the_modules_of_widgets_are_served_and_nothing_else(browser: httpx.Client) -> None:
    assert browser.get("/qcrbox/widgets/view.js").status_code == 404
    from qcrbox.widgets import bundle

    if not os.path.exists(bundle.path("chart")):
        pytest.skip("the widgets are not built")
    answer = browser.get("/qcrbox/widgets/chart.js")
    assert answer.headers["content-type"].startswith("text/javascript")


def test_a_stranger_gets_nothing(server_url: str) -> None:
    stranger = httpx.Client(base_url=server_url, trust_env=False)
    for path in ("/qcrbox/view/facts?file=x&name=a.cif", "/qcrbox/widgets/chart.js"):
        assert stranger.get(path).status_code in (302, 401, 403)
    assert stranger.post("/qcrbox/live", content=CIF).status_code in (302, 401, 403)


def test_reports_are_offered_in_every_format_they_have():
    """`model_views` writes the formats again, since their module takes long to import."""
    from qcrbox.display.report import FORMATS

    assert {f".{kind}" for kind in model_views.REPORTS} == set(FORMATS)
