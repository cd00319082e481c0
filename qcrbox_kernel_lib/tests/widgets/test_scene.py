from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure import Structure
from qcrbox.widgets.structure_view import Camera, Options, Scene, StructureView, palettes, svg
from qcrbox.widgets.structure_view.answers import answer_to
from qcrbox.widgets.structure_view.packing import packed
from qcrbox.widgets.structure_view.picture import _overlap
from qcrbox.widgets.structure_view.scene import CUBE, ELLIPSOID, SPHERE

CHAIN = [("C1", 0.1, 0.1), ("C2", 0.25, 0.1), ("N1", 0.37, 0.1), ("O1", 0.45, 0.18)]
SVG = "{http://www.w3.org/2000/svg}"


def crystal(rows: str, *lengths: float, group: str = "P 1") -> Structure:
    """Atoms in a rectangular cell. rows: label, element, x, y, z and U(iso) of each; lengths: a, b, c in Å."""
    edges = "".join(f"_cell_length_{axis} {length}\n" for axis, length in zip("abc", lengths, strict=True))
    angles = "".join(f"_cell_angle_{name} 90\n" for name in ("alpha", "beta", "gamma"))
    tags = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "U_iso_or_equiv")
    loop = "".join(f"_atom_site_{tag}\n" for tag in tags)
    cif = f"data_made\n{edges}{angles}_space_group_name_H-M_alt '{group}'\nloop_\n{loop}{rows}\n"
    return Structure.from_cif(cif.encode())


def scene(structure, **options):
    return Scene(structure, Options.of(options))


@pytest.mark.parametrize(
    ("probability", "scale"), [(0.3, 1.1932), (0.5, 1.5382), (0.9, 2.5003), (50, 1.5382)]
)
def test_probability_scales_the_ellipsoids(molecule, probability, scale):
    drawn = scene(molecule, ellipsoids=probability)
    row = drawn.labels.index("C1")
    lengths = np.linalg.norm(drawn.matrices[row], axis=0)
    np.testing.assert_allclose(lengths, scale * drawn.atoms.principal_axes().rms[row], rtol=1e-4)


def test_each_kind_of_atom_has_its_shape(molecule):
    drawn = scene(molecule)
    kinds = dict(zip(drawn.labels, drawn.kinds.tolist(), strict=True))
    assert kinds["C1"] == ELLIPSOID
    assert kinds["O2"] == kinds["H1"] == SPHERE
    assert kinds["Br1"] == CUBE
    assert "Br1" in drawn.warnings[0]


def test_hydrogen_has_a_fixed_size_unless_asked_otherwise(molecule):
    row = scene(molecule).labels.index("H1")
    assert scene(molecule).fixed_radius[row] > 0
    assert scene(molecule, hydrogens="displacement").fixed_radius[row] == 0
    assert "H1" not in scene(molecule, hydrogens="none").labels


def test_alternatives_of_disorder_are_not_bonded_and_the_minor_one_is_hollow(molecule):
    drawn = scene(molecule)
    a, b = drawn.labels.index("C3A"), drawn.labels.index("C3B")
    pairs = {frozenset(pair) for pair in drawn.bonds.tolist()}
    assert frozenset((a, b)) not in pairs
    assert drawn.hollow[b]
    assert not drawn.hollow[a]
    assert "C3B" not in scene(molecule, disorder="major").labels
    assert "C3A" not in scene(molecule, disorder="minor").labels


def test_measuring_gives_values_with_su_as_the_structure_does(molecule):
    drawn = scene(molecule)
    rows = [drawn.labels.index(label) for label in ("C1", "C2", "N1", "C3A")]
    assert drawn.measure(rows[:2]).text == str(molecule.distance("C1", "C2"))
    assert drawn.measure(rows[:3]).value == f"{molecule.angle('C1', 'C2', 'N1')}°"
    assert drawn.measure(rows).text == str(molecule.torsion("C1", "C2", "N1", "C3A"))
    assert drawn.measure([rows[0], rows[0]]) is None


def test_what_is_not_determined_is_an_error_of_the_question_with_the_names():
    """The answer was an empty text: the browser said "undefined C1–C2–C3–O1"."""
    rows = "\n".join(f"{label} {label[0]} {x} {y} 0.1 ." for label, x, y in CHAIN)
    view = StructureView(crystal(rows, 10, 10, 10), grow="none")
    said = []
    widget = type("Widget", (), {"send": staticmethod(said.append)})
    view.hear(widget, {"id": 4, "do": "measure", "rows": [0, 1, 2, 3]})
    view.hear(widget, {"id": 5, "do": "plane", "rows": [0, 1, 2]})
    assert said == [
        {"re": 4, "error": "C1–C2–N1–O1 have no angle to measure: three of them lie on a line."},
        {"re": 5, "error": "C1–C2–N1 lie on a line: no plane is determined."},
    ]
    assert view.measurements == []


def test_views_along_axes_look_down_the_axis(molecule):
    directions = scene(molecule).directions
    orthogonalisation = molecule.cell.orthogonalisation
    for axis, name in enumerate("abc"):
        along = orthogonalisation[:, axis] / np.linalg.norm(orthogonalisation[:, axis])
        np.testing.assert_allclose(directions[name] @ along, [0, 0, 1], atol=1e-12)
        reciprocal = molecule.cell.fractionalisation[axis]
        turned = directions[f"{name}*"] @ (reciprocal / np.linalg.norm(reciprocal))
        np.testing.assert_allclose(turned, [0, 0, 1], atol=1e-12)
    for matrix in directions.values():
        assert np.linalg.det(matrix) == pytest.approx(1)


def test_growing_goes_on_from_what_is_shown(molecule):
    view = StructureView(molecule, grow="none")
    before = len(view.scene)
    view.set(grow="cell", ranges=((0, 1), (0, 1), (0, 1)))
    assert len(view.scene) > before


def test_atom_is_described_for_readers(molecule):
    drawn = scene(molecule)
    text = drawn.description(drawn.labels.index("C3B"))
    assert text.startswith("C3B, carbon, part A 2, occupancy 0.3, Ueq 0.0")


def test_table_has_a_row_for_every_atom_shown(molecule):
    view = StructureView(molecule)
    assert view.table["atom"] == view.scene.labels


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ellipsoid": 0.5}, "Did you mean 'ellipsoids'"),
        ({"ellipsoids": 0}, "between 0 and 1"),
        ({"ellipsoids": True}, "between 0 and 1"),
        ({"grow": "everything"}, "grow must be one of"),
        ({"palette": "rainbow"}, "palette must be one of"),
        ({"disorder": {"Z": 7}}, "no disorder group"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_options_that_cannot_be_used_are_named(molecule, options, said):
    with pytest.raises(UserInputError, match=said):
        StructureView(molecule, **options)


def test_picture_is_well_formed_and_has_every_atom(molecule):
    root = ElementTree.fromstring(StructureView(molecule, labels=True, cell=True).svg())
    titles = [title.text for title in root.iter(f"{SVG}title")]
    assert set(titles) >= {"C1", "C2", "N1", "O1", "C3A", "C3B", "H1", "O2"}
    assert root.find(f"{SVG}desc").text.startswith("C4 H N O2 Br: 9 atoms")


def test_outline_of_an_ellipsoid_is_that_of_its_shadow(molecule):
    drawn = scene(molecule, style="plain")
    row = drawn.labels.index("N1")
    rotation = drawn.directions["best"]
    root = ElementTree.fromstring(svg(drawn, Camera(rotation, across=20.0), width=1000, height=1000))
    group = next(
        g for g in root.iter(f"{SVG}g") if (t := g.find(f"{SVG}title")) is not None and t.text == "N1"
    )
    ellipse = group.find(f"{SVG}ellipse")
    # Points of the surface, projected: none may lie outside the ellipse, some must touch it.
    directions = np.random.default_rng(1).normal(size=(20000, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    points = directions @ (rotation @ drawn.matrices[row]).T * 50
    angle = np.radians(float(ellipse.get("transform").split("(")[1].split()[0]))
    x, y = points[:, 0], -points[:, 1]
    u, v = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    reach = (u / float(ellipse.get("rx"))) ** 2 + (v / float(ellipse.get("ry"))) ** 2
    assert reach.max() == pytest.approx(1.0, abs=0.01)


def test_labels_do_not_cover_each_other(molecule):
    root = ElementTree.fromstring(StructureView(molecule, labels=True).svg())
    boxes = []
    for text in root.iter(f"{SVG}text"):
        x, y, half = float(text.get("x")), float(text.get("y")), 3.3 * len(text.text)
        boxes.append((x - half, y - 5.5, x + half, y + 5.5))
    assert len(boxes) >= 7
    assert not any(_overlap(one, other) for i, one in enumerate(boxes) for other in boxes[:i])


@pytest.mark.attack(11)
def test_hostile_label_is_text_in_the_picture_and_the_table():
    view = StructureView(crystal("'C<script>alert(1)</script>' C 0 0 0 0.05", 5, 5, 5), labels=True)
    assert "<script" not in view.svg()
    assert "<script" not in view._repr_mimebundle_()["text/html"]
    assert ElementTree.fromstring(view.svg()) is not None


def test_every_palette_has_a_colour_for_every_element():
    for name in palettes.NAMES:
        for element in ("H", "D", "C", "Og", "U", ""):
            assert palettes.colour(element, name).startswith("#")


def test_okabe_ito_tells_the_common_elements_apart_in_grey():
    def lightness(element):
        r, g, b = palettes.rgb(palettes.colour(element, "okabe-ito"))
        return 0.299 * r + 0.587 * g + 0.114 * b

    shades = sorted(lightness(element) for element in ("C", "N", "O", "S", "H"))
    assert min(np.diff(shades)) > 5


def test_the_browser_gets_what_edits_of_the_model_begin_with(molecule):
    view = StructureView(molecule, grow="cell")
    made = packed(view.scene)
    labels = [site["label"] for site in made["sites"]]
    rows = np.frombuffer(made["site"], "<u4")
    assert [labels[site] for site in rows] == view.scene.labels
    assert made["sites"][labels.index("C3A")] == {
        "label": "C3A",
        "element": "C",
        "part": 1,
        "assembly": "A",
        "occupancy": 0.7,
        "aniso": True,
    }
    assert not made["sites"][labels.index("O2")]["aniso"]
    # A place in the frame is where the scene has the atom.
    matrix = np.array(made["frame"]["orthogonalisation"]).reshape(3, 3)
    places = view.scene.atoms.fract @ matrix.T - made["frame"]["centre"]
    assert places == pytest.approx(view.scene.positions, abs=1e-9)
    assert {"Fe", "Cl", ""} <= set(made["elements"])


def test_a_notebook_reads_the_edits_of_its_view(molecule):
    view = StructureView(molecule)
    assert (view.edits, view.selected) == ("", ())
    answer_to(view, {"do": "edits", "selected": ["C1", "O1"], "text": "element C1 N"})
    assert (view.edits, view.selected) == ("element C1 N", ("C1", "O1"))


CONTACT = """\
O1 O 0.10 0.1 0.5 0.02
O2 O 0.24 0.1 0.5 0.02
O3 O 0.40 0.1 0.5 0.02
"""


def test_short_contacts_are_dashed_lines_where_they_are_shown():
    """O1…O2 is 2.8 Å, below 3.04 Å of two oxygen atoms; O2…O3 is 3.2 Å, and O1 is 4 Å from its next image."""
    contact = crystal(CONTACT, 20, 4, 20)
    shown = scene(contact, grow="contacts")
    (line,) = [{shown.labels[row] for row in pair} for pair in shown.dashed_lines.tolist()]
    assert line == {"O1", "O2"}
    assert svg(shown).count("stroke-dasharray") == svg(scene(contact)).count("stroke-dasharray") + 1
    assert np.frombuffer(packed(shown)["contacts"], "<u4").tolist() == shown.dashed_lines.ravel().tolist()
    assert len(scene(contact).dashed_lines) == 0


CENTRED = """\
C1 C 0.1116 0 0 0.02
O1 O 0.2917 0 0 0.02
"""


def sizes_of_pieces(shown):
    """How many atoms each bonded piece of a scene has."""
    piece = list(range(len(shown)))
    for first, second in np.asarray(shown.bonds)[:, :2].astype(int).tolist():
        old, new = piece[first], piece[second]
        piece = [new if each == old else each for each in piece]
    return sorted(piece.count(each) for each in set(piece))


def test_short_contacts_are_shown_between_whole_molecules():
    """OCCO lies about a centre, half of it in the asymmetric unit; its O is 2.80 Å from the next molecule's."""
    structure = crystal(CENTRED, 6.72, 20, 20, group="P -1")
    assert sizes_of_pieces(scene(structure)) == [4]
    assert sizes_of_pieces(scene(structure, grow="contacts")) == [4, 4, 4]
    assert sizes_of_pieces(scene(structure).grown_from_here("contacts")) == [4, 4, 4]
