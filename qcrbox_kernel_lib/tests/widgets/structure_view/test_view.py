"""What the browser may ask of a view: every message has an answer, those that come late or odd too."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from qcrbox.analysis.density.cube import Cube
from qcrbox.analysis.density.surface import Surface
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure import Structure
from qcrbox.widgets.structure_view import StructureView

from ...conftest import write_cif

SVG = "{http://www.w3.org/2000/svg}"


class Widget:
    """In the place of the browser: keeps what it is sent."""

    def __init__(self):
        self.sent, self.scenes, self.density, self.surface = [], [], {}, {}

    def show_scene(self, scene, title):
        self.scenes.append(scene)

    def send(self, message):
        self.sent.append(message)


@pytest.fixture
def view(molecule):
    return StructureView(molecule, title="made")


@pytest.fixture
def ask(view):
    """`ask(do=…)`: the answer of the view to a message of the browser."""
    widget = Widget()
    view.attach(widget)

    def send(**content):
        widget.sent.clear()
        view.hear(widget, {"id": 7, **content})
        return widget.sent[0] if widget.sent else None

    send.widget = widget
    return send


def test_each_answer_names_the_message_that_it_answers(ask):
    assert ask(do="describe", row=0)["re"] == 7


def test_a_distance_is_measured_and_kept(ask, view):
    answer = ask(do="measure", rows=[0, 1])
    assert (answer["kind"], answer["text"]) == ("distance", view.measurements[0].value)


@pytest.mark.parametrize(
    "content",
    [
        {"do": "measure", "rows": [0, 9999]},
        {"do": "measure", "rows": [0, -1]},
        {"do": "measure", "rows": "ab"},
        {"do": "measure"},
        {"do": "plane", "rows": [0, 1, 9999]},
        {"do": "plane", "rows": [0, 1, 2], "other": [3, 4, 9999]},
        {"do": "describe", "row": 9999},
        {"do": "describe", "row": -1},
        {"do": "describe"},
        {"do": "section", "rows": [0, 1, 9999]},
        {"do": "set", "options": {"style": "odd"}},
        {"do": "set", "options": {"zzz": 1}},
        {"do": "set"},
        {"do": "note", "options": {"labels": "odd"}},
        {"do": "grow", "mode": "odd"},
        {"do": "grow"},
        {"do": "camera", "rotation": [1, 2], "across": 5},
        {"do": "camera", "rotation": [float("nan")] * 9, "across": 5},
        {"do": "neighbours", "which": "all"},
        {"do": "svg", "width": "wide"},
        {"do": "svg", "width": 0},
        {"do": "svg", "width": 10**9},
        {"do": "unknown"},
        {},
    ],
    ids=lambda content: " ".join(f"{name}={value}" for name, value in content.items())[:60] or "nothing",
)
def test_a_message_that_cannot_be_answered_is_answered_with_the_reason(ask, view, content):
    """A page may ask about atoms of a scene that has been replaced; it waits until it is answered."""
    before = (view.options, view.measurements[:], view._camera)
    answer = ask(**content)
    assert answer["error"]
    assert (view.options, view.measurements, view._camera) == before


def test_after_an_odd_message_the_view_still_draws(ask, view):
    ask(do="camera", rotation=[float("nan")] * 9, across=5)
    assert "nan" not in view.svg()


def test_the_camera_of_the_page_is_that_of_the_saved_picture(ask, view):
    before = view.svg()
    assert ask(do="camera", rotation=[0, 1, 0, -1, 0, 0, 0, 0, 1], across=12.0, shift=[1, 2]) is None
    assert view.svg() != before


def test_growing_shows_more_and_forgets_what_was_measured(ask, view):
    ask(do="measure", rows=[0, 1])
    count = len(view.scene)
    assert ask(do="grow", mode="radius")["count"] > count
    assert view.measurements == []
    assert ask.widget.scenes[-1] is view.scene


def test_what_only_the_browser_draws_sends_no_arrays(ask, view):
    sent = len(ask.widget.scenes)
    assert ask(do="note", options={"labels": True, "style": "rings"}) is None
    assert len(ask.widget.scenes) == sent
    assert view.scene.labelled.all()


def test_edits_and_chosen_labels_stand_on_the_view(ask, view):
    ask(do="edits", text="C1 N", selected=["C1", "N1"])
    assert (view.edits, view.selected) == ("C1 N", ("C1", "N1"))
    ask(do="edits")
    assert (view.edits, view.selected) == ("", ())


def test_the_table_twin_has_every_atom(ask, view):
    answer = ask(do="table")
    assert len(answer["rows"]) == len(view.scene)
    assert all(len(row) == len(answer["heads"]) for row in answer["rows"])


def test_the_svg_has_the_size_that_is_asked_for(ask):
    root = ElementTree.fromstring(ask(do="svg", width=300, height=200)["svg"])
    assert (root.get("width"), root.get("height")) == ("300", "200")


# ---------------------------------------------------------------- from Python


def test_anything_with_a_structure_is_shown_and_nothing_else(molecule):
    class Holder:
        structure = molecule

    assert len(StructureView(Holder()).scene) == len(StructureView(molecule).scene)
    for other in ("azu", 5, None, object()):
        with pytest.raises(UserInputError, match=r"has no structure to show. Give a dataset"):
            StructureView(other)


HOSTILE = "<script>alert(1)</script>"


def test_labels_and_names_of_a_file_are_text_in_every_form():
    sites = [('"><b>', "C", 0.1, 0.2, 0.3), ("<i>&", "O", 0.2, 0.2, 0.3)]
    text = write_cif(
        sites=[(f"'{label}'", *rest) for label, *rest in sites], more=f"_chemical_formula_sum '{HOSTILE}'"
    )
    view = StructureView(Structure.from_cif(text), labels=True, title=HOSTILE)
    root = ElementTree.fromstring(view.svg())
    assert {each.text for each in root.iter(f"{SVG}text")} == {'"><b>', "<i>&"}
    html = view._repr_mimebundle_()["text/html"]
    assert HOSTILE not in html
    assert "<i>&" not in html


def test_characters_that_xml_cannot_hold_do_not_break_the_picture():
    structure = Structure.from_cif(write_cif())
    object.__setattr__(structure, "name", "a\x07\x1bb")
    ElementTree.fromstring(StructureView(structure).svg())


@pytest.mark.parametrize(
    ("probability", "words"), [(0.5, "50%"), (0.999, "99.9%"), (1.5, "1.5%"), (33, "33%")]
)
def test_the_probability_is_stated_as_it_was_asked_for(molecule, probability, words):
    assert f"ellipsoids at {words}" in StructureView(molecule, ellipsoids=probability).scene.summary()


def test_a_view_is_saved_as_svg_alone(view, tmp_path):
    assert ElementTree.parse(view.save(tmp_path / "a.svg")).getroot().tag == f"{SVG}svg"
    with pytest.raises(UserInputError, match=r"a.png: from Python a view is saved as .svg"):
        view.save(tmp_path / "a.png")


def test_a_section_needs_a_density(view):
    with pytest.raises(UserInputError, match=r"No density is shown. view.show_density"):
        view.section("C1", "C2", "N1")


def test_a_cube_without_a_unit_is_not_drawn(view):
    cube = Cube(np.zeros((2, 2, 2)), np.zeros(3), np.eye(3), np.zeros(0, dtype=int), np.zeros((0, 3)))
    with pytest.raises(UserInputError, match=r"does not state its unit.*cube.to_draw"):
        view.show_density(cube)
    assert view.density is None


@pytest.mark.parametrize("level", [0, -3, float("nan"), float("inf"), "3"], ids=repr)
def test_a_level_is_a_number_above_zero(view, level, tmp_path):
    density = Cube(
        np.ones((2, 2, 2)), np.zeros(3), np.eye(3), np.zeros(0, dtype=int), np.zeros((0, 3)), kind="density"
    )
    for given in ({"level": level}, {"at": level}):
        if given == {"at": -3}:
            continue  # ± is meant
        with pytest.raises(UserInputError, match="level of a density must be a number above 0"):
            view.show_density(density, **given)
    assert view.density is None


@pytest.mark.parametrize("other", ["deformation", 5, [1]], ids=repr)
def test_what_is_no_density_and_no_surface_is_refused(view, other):
    with pytest.raises(UserInputError, match=f"A {type(other).__name__} is no density"):
        view.show_density(other)
    with pytest.raises(UserInputError, match=f"A {type(other).__name__} is no surface"):
        view.show_surface(other)


def test_a_density_is_described_in_the_still_picture(view):
    cube = Cube(
        np.array([[[1.0, -0.5]]]),
        np.zeros(3),
        np.eye(3),
        np.zeros(0, dtype=int),
        np.zeros((0, 3)),
        kind="density",
    )
    html = view.show_density(cube)._repr_mimebundle_()["text/html"]
    assert "highest +1.00, deepest −0.50 e Å⁻³" in html
    assert "highest" not in view.show_density(None)._repr_mimebundle_()["text/html"]


def test_neighbours_need_a_hirshfeld_surface(view):
    triangle = Surface(np.eye(3), np.array([[0, 1, 2]]), {"dnorm": np.zeros(3)})
    with pytest.raises(UserInputError, match="beside a Hirshfeld surface"):
        view.show_surface(triangle).show_neighbours()


def test_a_property_that_a_surface_has_not_is_named(view):
    triangle = Surface(np.eye(3), np.array([[0, 1, 2]]), {"di": np.zeros(3)})
    with pytest.raises(UserInputError, match=r"no property 'dnorm'. It has: di"):
        view.show_surface(triangle)
    assert view.surface is None


@pytest.mark.parametrize("side", [0, -5, 20_001, "wide", None, float("nan")], ids=repr)
def test_a_picture_has_pixels_on_each_side(view, side):
    for sides in ({"width": side}, {"height": side}):
        with pytest.raises(UserInputError, match="1 to 20,000 pixels on each side"):
            view.svg(**sides)


def test_atoms_are_marked_in_the_page_and_unknown_labels_refused(ask, view):
    view.highlight("C1", "N1")
    assert ask.widget.sent == [{"highlight": [view.scene.labels.index("C1"), view.scene.labels.index("N1")]}]
    view.highlight()
    assert ask.widget.sent[-1] == {"highlight": []}
    with pytest.raises(UserInputError, match="no atom 'Z9'"):
        view.highlight("Z9")


def test_an_atom_that_is_not_drawn_may_be_marked_for_nothing(molecule):
    view = StructureView(molecule, hydrogens="none")
    assert "H1" not in view.scene.labels
    view.highlight("H1")
