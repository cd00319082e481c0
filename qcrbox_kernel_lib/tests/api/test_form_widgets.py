"""A form's presets, its line to copy, and which datasets it offers for a field."""

from __future__ import annotations

import time

import pytest
from qcrbox.api.form_source import file_choices, lacking
from qcrbox.widgets.command_form.controls import form_widget


@pytest.fixture
def form(live_box, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return live_box.refine.refine_iam.form(live_box.examples["thpp"])


def parts(widget, kind):
    found = [widget] if type(widget).__name__ == kind else []
    for child in getattr(widget, "children", ()):
        found += parts(child, kind)
    return found


def test_line_to_copy_is_the_line_that_runs_and_waits_for_a_whole_form(form):
    widget = form_widget(form)
    (copy,) = parts(widget, "CopyButton")
    assert copy.text == str(form.code)
    form._widgets["resolution"].value = "99"
    assert copy.text == ""
    form._widgets["resolution"].value = "0.9"
    assert "resolution=0.9" in copy.text


def test_options_are_kept_under_a_name_and_used_again(form, live_box):
    widget = form_widget(form.set(cycles=3, weighting="keep"))
    name = next(text for text in parts(widget, "Text") if text.placeholder == "name")
    keep = next(button for button in parts(widget, "Button") if button.description == "Keep")
    name.value = "quick"
    keep.click()
    assert form.command.presets["quick"] == {"cycles": 3, "weighting": "keep"}
    fresh = live_box.refine.refine_iam.form(live_box.examples["thpp"], cycles=7, hydrogens="place")
    choice = next(box for box in parts(form_widget(fresh), "Dropdown") if box.description == "preset")
    choice.value = "quick"
    assert fresh.options == {"cycles": 3, "weighting": "keep"}
    assert "hydrogens" not in str(fresh.code)


def test_name_is_needed_to_keep_options(form):
    widget = form_widget(form)
    next(button for button in parts(widget, "Button") if button.description == "Keep").click()
    assert any("needs a name" in html.value for html in parts(widget, "HTML"))


def test_datasets_that_lack_what_a_field_needs_say_so(live_box):
    parameter = live_box.qcrboxtools.export_hkl.parameters["input_cif"]
    # What a file lacks is known when the store has indexed it.
    end = time.monotonic() + 60
    while live_box.examples["cu3182"].files["cu3182.cif"].record.get("index") is None:
        assert time.monotonic() < end, "the example was not indexed"
        time.sleep(0.1)
    assert lacking(parameter, live_box.examples["cu3182"]) == " (no reflections)"
    needs_atoms = live_box.qcrboxtools.iso2aniso.parameters["input_cif"]
    assert lacking(needs_atoms, live_box.examples["cu3182"]) == ""


def test_a_field_of_reflections_offers_neither_cifs_nor_lists(live_box):
    parameter = live_box.refine.refine_iam.parameters["reflections"]
    offered = [file.filename for _, file in file_choices(live_box, parameter) if file is not None]
    assert any(name.endswith(".hkl") for name in offered)
    assert {name.rpartition(".")[2] for name in offered} <= {"hkl", "fcf"}
    assert live_box.refine.refine_iam.parameters["structure"].needs_atoms
