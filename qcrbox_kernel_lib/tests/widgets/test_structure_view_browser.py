from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image
from qcrbox.analysis.density.maps import DensityMap
from qcrbox.analysis.density.surface import Surface
from qcrbox.crystallography.structure import Structure
from qcrbox.widgets.structure_view import StructureView
from qcrbox.widgets.structure_view.packing import packed_density

expect = pytest.importorskip("playwright.sync_api").expect

pytestmark = pytest.mark.browser


def ball(structure):
    """A sphere of 3 Å around the middle of the molecule, red on one side and blue on the other."""
    theta, phi = np.meshgrid(
        np.linspace(0.02, np.pi - 0.02, 40), np.linspace(0, 2 * np.pi, 60), indexing="ij"
    )
    unit = np.stack(
        [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1
    ).reshape(-1, 3)
    corner = np.arange(39 * 60).reshape(39, 60)[:, :-1].ravel()
    faces = np.vstack(
        [np.stack([corner, corner + 60, corner + 1], 1), np.stack([corner + 1, corner + 60, corner + 61], 1)]
    )
    centre = structure.asymmetric_unit.cartesian.mean(axis=0)
    return Surface(centre + 3 * unit, faces, {"dnorm": 0.5 + unit[:, 0]})


def picture(page) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(page.locator(".qcv-scene").screenshot())).convert("RGB")).astype(
        int
    )


def share_of(pixels, test) -> float:
    return float(np.mean(test(pixels[..., 0], pixels[..., 1], pixels[..., 2])))


@pytest.mark.slow
def test_structure_is_drawn_in_its_colours(shown, molecule):
    page = shown(StructureView(molecule))
    pixels = picture(page)
    assert share_of(pixels, lambda r, g, b: (r > 150) & (g < 60) & (b < 60)) > 0.002  # oxygen and the cube
    assert share_of(pixels, lambda r, g, b: (b > 150) & (r < 110) & (g < 130)) > 0.001  # nitrogen
    assert share_of(pixels, lambda r, g, b: (r > 240) & (g > 240) & (b > 240)) > 0.5  # paper


@pytest.mark.slow
def test_every_key_does_its_part(shown, molecule):
    page = shown(StructureView(molecule))
    last = picture(page)
    for key in ("ArrowLeft", "+", "l", "c", "]", "p", "3"):
        page.keyboard.press(key)
        page.wait_for_timeout(150)
        now = picture(page)
        assert (now != last).any(), key
        last = now


@pytest.mark.slow
def test_tab_walks_the_atoms_aloud_and_escape_lets_go(shown, molecule):
    page = shown(StructureView(molecule))
    said = page.locator(".qcv-status [aria-live=polite]")
    page.keyboard.press("Tab")
    assert said.inner_text().startswith("C1, carbon")
    page.keyboard.press("Tab")
    assert said.inner_text().startswith("C2, carbon")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.classList.contains('qcv-canvas')") is False


@pytest.mark.slow
def test_distance_is_measured_by_keyboard_alone(shown, molecule):
    page = shown(StructureView(molecule))
    for key in ("m", "Tab", "Enter", "Tab", "Enter"):
        page.keyboard.press(key)
        page.wait_for_timeout(100)
    said = page.locator(".qcv-status").inner_text()
    assert f"distance C1–C2 {molecule.distance('C1', 'C2')} Å" in said
    assert "without covariances" in said


def place_of(page, view, position):
    """Where a point of the scene (Å from its centre) is on the page, in CSS px: from the camera that the page reports."""
    box = page.locator(".qcv-canvas").bounding_box()
    x, y, _ = view._camera.rotation @ position
    per_angstrom = box["width"] / view._camera.across
    return (
        box["x"] + box["width"] / 2 + (x + view._camera.shift[0]) * per_angstrom,
        box["y"] + box["height"] / 2 - (y + view._camera.shift[1]) * per_angstrom,
    )


def turn_a_little(page, view):
    page.locator(".qcv-canvas").focus()
    page.keyboard.press("ArrowLeft")
    for _ in range(100):
        if view._camera is not None:
            return
        page.wait_for_timeout(100)
    raise AssertionError("the page does not report its camera")


@pytest.mark.slow
def test_click_picks_the_atom_under_the_pointer(shown, molecule):
    view = StructureView(molecule)
    page = shown(view)
    turn_a_little(page, view)
    page.mouse.click(*place_of(page, view, view.scene.positions[view.scene.labels.index("O1")]))
    assert page.locator(".qcv-status").inner_text().startswith("O1, oxygen")


@pytest.mark.slow
def test_a_dark_page_has_dark_paper_and_a_saved_picture_white_paper(shown, molecule):
    page = shown(StructureView(molecule, labels=True))
    white = lambda r, g, b: (r > 240) & (g > 240) & (b > 240)  # noqa: E731
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    page.evaluate("() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    assert share_of(picture(page), white) < 0.05
    assert share_of(picture(page), lambda r, g, b: (r < 40) & (g < 40) & (b < 40)) > 0.5
    page.locator(".qcv-canvas").focus()
    with page.expect_download() as download:
        page.keyboard.press("x")
    saved = np.asarray(Image.open(download.value.path()).convert("RGB")).astype(int)
    assert share_of(saved, white) > 0.5


@pytest.mark.slow
def test_many_atoms_are_sketched_while_they_turn_and_drawn_in_full_at_rest(shown, molecule):
    """The processor draws here: a frame of so many atoms in full is slow."""
    page = shown(StructureView(molecule, grow="cell", ranges=((0, 7), (0, 7), (0, 6))))
    canvas = page.locator(".qcv-canvas")

    def is_oxygen(r, g, b):
        return (r > 150) & (g < 90) & (b < 90)

    expect(canvas).to_have_attribute("data-level", "full")
    full = share_of(picture(page), is_oxygen)
    page.evaluate("""() => (window.turning = setInterval(() =>
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowLeft", bubbles: true})), 30))""")
    expect(canvas).to_have_attribute("data-level", "sketch")
    sketched = picture(page)
    assert canvas.get_attribute("data-level") == "sketch"
    assert 0.3 * full < share_of(sketched, is_oxygen) < 3 * full
    page.evaluate("clearInterval(window.turning)")
    expect(canvas).to_have_attribute("data-level", "full")


@pytest.mark.slow
def test_both_atoms_of_a_shared_site_can_be_clicked(shown):
    text = b"""data_shared
_cell_length_a 8
_cell_length_b 8
_cell_length_c 8
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_U_iso_or_equiv
_atom_site_occupancy
C1 C 0.10 0.1 0.1 0.05 1
C3 C 0.28 0.1 0.1 0.05 0.7
N3 N 0.28 0.1 0.1 0.05 0.3
"""
    view = StructureView(Structure.from_cif(text), grow="none")
    page = shown(view)
    turn_a_little(page, view)
    x, y = place_of(page, view, view.scene.positions[view.scene.labels.index("C3")])
    said = page.locator(".qcv-status")
    page.mouse.click(x + 5, y - 2)  # 0.3 of the pie, clockwise from the top
    expect(said).to_contain_text("N3, nitrogen")
    page.mouse.click(x - 5, y - 2)
    expect(said).to_contain_text("C3, carbon")


@pytest.mark.slow
def test_the_model_is_edited_with_the_pointer_and_with_the_keyboard_alone(shown, molecule):
    grid = np.stack(np.meshgrid(*(np.arange(40) / 40,) * 3, indexing="ij"), axis=-1)
    away = grid - np.array([0.85, 0.05, 0.65])  # no atom is near
    away -= np.rint(away)
    values = 2.0 * np.exp(-np.sum(molecule.cell.to_cartesian(away) ** 2, axis=-1) / 0.3)
    view = StructureView(molecule, grow="none").show_density(DensityMap(values, molecule), level=3.0)
    page = shown(view)
    lines = page.get_by_label("Edits, in this order").locator("code")
    alert = page.locator(".qcv-edit [role=alert]")
    position = {label: view.scene.positions[row] for row, label in enumerate(view.scene.labels)}

    page.get_by_role("button", name="Edit the model").click()
    turn_a_little(page, view)
    page.mouse.click(*place_of(page, view, position["N1"]))
    expect(page.locator(".qcv-edit-count")).to_have_text("1 selected: N1")
    page.get_by_label("Element", exact=True).fill("xx")
    page.get_by_role("button", name="Set element").click()
    expect(alert).to_contain_text("xx is no element")
    page.get_by_label("Element", exact=True).fill("c")
    page.keyboard.press("Enter")
    expect(alert).to_be_hidden()
    expect(lines).to_have_text(["element N1 C"])
    blue = lambda r, g, b: (b > 150) & (r < 110) & (g < 130)  # noqa: E731
    assert share_of(picture(page), blue) < 0.0005  # the only nitrogen atom is drawn as carbon

    peak = next(
        peak for peak in packed_density(view.density, view.scene, 3.0)["peaks"] if peak["name"] == "Q1"
    )
    page.mouse.click(*place_of(page, view, np.array(peak["place"])))
    expect(page.locator(".qcv-edit-row output").last).to_contain_text("Q1 +2.0")
    page.get_by_label("Element of the new atom").fill("O")
    page.get_by_role("button", name="New atom here").click()
    expect(lines.last).to_have_text("add O3 O " + " ".join(f"{value:.5f}" for value in peak["fract"]))
    page.mouse.click(*place_of(page, view, np.array(peak["place"])))
    expect(page.locator(".qcv-edit-count")).to_have_text("1 selected: O3")
    assert page.locator(".qcv-status").inner_text().startswith("O3, O, edited")

    page.keyboard.down("Control")
    corner = page.locator(".qcv-canvas").bounding_box()
    page.mouse.move(corner["x"] + 2, corner["y"] + 2)
    page.mouse.down()
    page.mouse.move(corner["x"] + corner["width"] - 2, corner["y"] + corner["height"] - 2, steps=4)
    page.mouse.up()
    page.keyboard.up("Control")
    expect(page.locator(".qcv-edit-count")).to_contain_text("10 selected")

    # The keyboard alone: name, act, undo, do again.
    page.get_by_label("Names to select").fill("C3A C3B")
    page.keyboard.press("Enter")
    page.get_by_label("Occupancy").fill("1.5")
    page.keyboard.press("Enter")
    expect(alert).to_contain_text("An occupancy lies above 0 and not above 1; you gave 1.5.")
    page.get_by_role("button", name="Delete").press("Enter")
    expect(lines.last).to_have_text("delete C3A C3B")
    page.get_by_role("button", name="Undo").press("Enter")
    expect(lines).to_have_count(2)
    page.get_by_role("button", name="Redo").press("Enter")
    expect(lines).to_have_count(3)
    page.get_by_label("Names to select").fill("C3A")
    page.keyboard.press("Enter")
    expect(alert).to_contain_text("There is no atom C3A.")
    assert view.edits.startswith("element N1 C; add O3 O ")
    assert view.edits.endswith("; delete C3A C3B")
    assert (
        page.get_by_role("button", name="Refine with these edits").count() == 0
    )  # nobody would hear it here


@pytest.mark.slow
def test_disorder_and_growing_are_answered_by_the_kernel(shown, molecule):
    view = StructureView(molecule, grow="none")
    page = shown(view)
    page.keyboard.press("d")
    page.wait_for_function("document.querySelector('.qcv-status').innerText.includes('8 atoms')")
    assert "C3B" not in view.scene.labels
    page.get_by_label("What is shown").select_option("cell")
    page.wait_for_timeout(300)
    assert view.options.grow == "cell"
    assert f"{len(view.scene)} atoms" in page.locator(".qcv-status").inner_text()


@pytest.mark.slow
def test_png_has_300_dpi_and_svg_is_what_python_draws(shown, molecule):
    view = StructureView(molecule, labels=True)
    page = shown(view)
    with page.expect_download() as saved:
        page.keyboard.press("x")
    image = Image.open(saved.value.path())
    assert image.info["dpi"][0] == pytest.approx(300, abs=0.1)
    assert image.width == pytest.approx(17 / 2.54 * 300, abs=2)
    assert len(np.unique(np.asarray(image.convert("L")))) > 50
    with page.expect_download() as saved:
        page.keyboard.press("s")
    text = saved.value.path().read_text()
    assert ElementTree.fromstring(text).tag.endswith("svg")
    assert "N1" in text


def test_table_twin_lists_every_atom(shown, molecule):
    page = shown(StructureView(molecule))
    page.locator("summary", has_text="Atoms as a table").click()
    page.wait_for_selector(".qcv-table td")
    first = page.locator(".qcv-table tbody tr td:first-child").all_inner_texts()
    assert first == StructureView(molecule).scene.labels


def test_atoms_are_told_apart_without_colour(shown, molecule):
    page = shown(StructureView(molecule, palette="grey", labels=True))
    pixels = picture(page)
    grey = share_of(pixels, lambda r, g, b: (abs(r - g) < 12) & (abs(g - b) < 12))
    assert grey > 0.97  # all but the red cube and the frame of the focus


@pytest.mark.slow
def test_density_is_drawn_around_its_peak_and_follows_the_slider(shown, molecule):
    # One Gaussian peak of 2 e/Å³ on C1, one hole on O1: their places and signs must come out.
    grid = np.stack(np.meshgrid(*(np.arange(40) / 40,) * 3, indexing="ij"), axis=-1)
    values = np.zeros((40, 40, 40))
    for label, height in (("C1", 2.0), ("O1", -2.0)):
        away = grid - molecule.sites.fract[molecule.sites.index[label]]
        away -= np.rint(away)
        values += height * np.exp(-np.sum(molecule.cell.to_cartesian(away) ** 2, axis=-1) / 0.3)
    view = StructureView(molecule, grow="none").show_density(DensityMap(values, molecule), level=3.0)
    page = shown(view)
    green = lambda r, g, b: (g > r + 25) & (g > b + 25)  # noqa: E731
    first = share_of(picture(page), green)
    assert first > 0.002
    assert "positive solid, negative net; highest 2.0" in page.locator(".qcv-bar").nth(1).inner_text()
    page.get_by_label("Level of the density in sigma").fill("8")
    page.wait_for_timeout(300)
    assert share_of(picture(page), green) < first


@pytest.mark.slow
def test_surface_is_coloured_by_its_property_in_a_printed_range(shown, molecule):
    view = StructureView(molecule, grow="none").show_surface(ball(molecule), of="dnorm")
    page = shown(view)
    pixels = picture(page)
    assert share_of(pixels, lambda r, g, b: (r > 110) & (r > g + 30) & (r > b + 30)) > 0.02
    assert share_of(pixels, lambda r, g, b: (b > 90) & (b > r + 20)) > 0.02
    bar = page.locator(".qcv-bar", has_text="dnorm: red −0.50 – white – blue 1.50")
    assert bar.is_visible()
    assert not page.locator(".qcv-bar", has_text="A finer mesh").is_visible()
