"""Planes, parts of disorder, neighbours, peaks and sections in a real Chromium."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from qcrbox.analysis.density.maps import DensityMap
from qcrbox.analysis.density.peaks import find_peaks
from qcrbox.api.densities import hirshfeld
from qcrbox.crystallography.structure import Structure
from qcrbox.widgets.structure_view import StructureView

pytestmark = pytest.mark.browser
UREA = Path(__file__).parents[3] / "app_images" / "qcrboxtools" / "examples" / "urea.cif"


@pytest.fixture(scope="module")
def surface():
    return hirshfeld(Structure.from_cif(UREA), spacing=0.3)


def said(page) -> str:
    return page.locator(".qcv-status [aria-live=polite]").inner_text()


def until_said(page, words: str) -> str:
    page.wait_for_function(
        "words => document.querySelector('.qcv-status').innerText.includes(words)", arg=words
    )
    return said(page)


def peaked(structure: Structure) -> DensityMap:
    """A peak of 2 e/Å³ 0.9 Å from C1 and a hole of 1.5 e/Å³ on O1, with their images."""
    grid = np.stack(np.meshgrid(*(np.arange(48) / 48,) * 3, indexing="ij"), axis=-1)
    values = np.zeros(grid.shape[:3])
    carbon = structure.cell.to_cartesian(structure.sites.fract[structure.sites.index["C1"]])
    place = structure.cell.to_fractional(carbon + np.array([0, 0, 0.9]))
    for centre, height in ((place, 2.0), (structure.sites.fract[structure.sites.index["O1"]], -1.5)):
        for sign in (1, -1):  # P -1
            away = grid - sign * centre
            away -= np.rint(away)
            values += height * np.exp(-np.sum(structure.cell.to_cartesian(away) ** 2, axis=-1) / 0.2)
    return DensityMap(values, structure)


@pytest.mark.slow
def test_plane_of_any_number_of_atoms_and_the_angle_to_the_next(shown, molecule):
    view = StructureView(molecule, grow="none", disorder="major")
    page = shown(view)
    page.keyboard.press("f")
    for _ in range(4):
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_timeout(60)
    labels = view.scene.labels[:4]
    text = until_said(page, f"{'–'.join(labels)}")
    assert view.plane(*labels).split(": ")[1].split(", ")[0] in text
    assert "r.m.s. deviation" in text
    assert "without covariances" in text
    page.keyboard.press("f")
    for _ in range(3):
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_timeout(60)
    assert re.search(r"angle to the plane before .* \d+(\.\d+)?(\(\d+\))?°", until_said(page, "angle to"))


@pytest.mark.slow
def test_group_of_an_assembly_is_chosen_by_itself(shown, molecule):
    view = StructureView(molecule)
    page = shown(view)
    page.get_by_label("Disorder", exact=True).select_option(label="part A 2")
    page.wait_for_function("!document.querySelector('.qcv-status').innerText.includes('…')")
    assert "C3A" not in view.scene.labels
    assert "C3B" in view.scene.labels
    assert page.get_by_label("Disorder", exact=True).input_value() == "A\t2"


@pytest.mark.slow
def test_radius_of_growing_is_set_in_the_bar(shown, molecule):
    view = StructureView(molecule)
    page = shown(view)
    page.get_by_label("What is shown").select_option("radius")
    field = page.get_by_label("Radius in ångström")
    field.wait_for()
    before = len(view.scene)
    field.fill("6")
    field.press("Enter")
    page.wait_for_function(
        "n => !document.querySelector('.qcv-status').innerText.includes(`${n} atoms`)", arg=before
    )
    assert view.options.radius == 6
    assert len(view.scene) > before


@pytest.mark.slow
def test_peaks_are_listed_with_their_atoms_and_marked(shown, molecule):
    density = peaked(molecule)
    page = shown(StructureView(molecule, grow="none").show_density(density))
    page.locator("summary", has_text="Peaks and holes").click()
    rows = page.locator("details .qcv-table tbody tr")
    first = rows.first.inner_text().split("\t")
    assert first[0] == "Q1"
    assert float(first[1]) == pytest.approx(2.0, abs=0.1)
    assert re.fullmatch(r"0\.(8|9)\d Å from C1", first[3])
    assert re.search(r"N1\t−1\.[45]", rows.last.inner_text())
    page.get_by_role("button", name="Q1").click()
    assert re.match(r"Q1: \+(1\.9|2\.0)", said(page))
    assert page.get_by_role("button", name="Q1").get_attribute("aria-pressed") == "true"


@pytest.mark.slow
def test_section_through_taken_atoms_is_drawn_with_its_levels(shown, molecule):
    page = shown(StructureView(molecule, grow="none").show_density(peaked(molecule)))
    page.keyboard.press("f")
    for _ in range(3):
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_timeout(60)
    page.get_by_role("button", name="Section").click()
    picture = page.locator(".qcv-section img")
    picture.wait_for()
    assert page.evaluate(
        "image => image.decode().then(() => image.naturalWidth > 200)", picture.element_handle()
    )
    assert "above zero solid, below dashed" in picture.get_attribute("alt")


@pytest.mark.slow
def test_neighbours_of_a_surface_come_and_go(shown, surface):
    view = surface.view()
    page = shown(view)
    alone = len(view.scene)
    choice = page.get_by_label("Neighbouring molecules shown")
    choice.select_option("0")
    page.wait_for_function(
        "n => document.querySelector('.qcv-status').innerText.includes(`${n} atoms`)", arg=alone + 8
    )
    page.get_by_label("Neighbouring molecules shown").select_option("all")
    many = alone + sum(len(one.atoms) for one in surface.neighbours)
    page.wait_for_function(
        "n => document.querySelector('.qcv-status').innerText.includes(`${n} atoms`)", arg=many
    )
    page.get_by_label("Property on the surface").select_option("shape_index")
    assert "shape index: red −1.00 – white – blue 1.00" in page.locator(".qcv-bar").all_inner_texts()[2]
    page.get_by_label("Colours").select_option("okabe-ito")
    assert "orange −1.00 – white – blue 1.00" in page.locator(".qcv-bar").all_inner_texts()[2]


def test_shares_of_neighbours_make_the_whole_surface(surface):
    assert sum(one.share for one in surface.neighbours) == pytest.approx(100)
    shares = [one.share for one in surface.neighbours]
    assert shares == sorted(shares, reverse=True)
    assert all(len(one.atoms) == 8 for one in surface.neighbours)
    assert not set(surface.neighbours[0].atoms.key) & set(surface.molecule.key)


def test_peaks_are_found_once_whatever_the_symmetry(molecule):
    peaks = find_peaks(peaked(molecule))
    names = [peak.name for peak in peaks]
    assert names[0] == "Q1"
    assert names.count("Q1") == names.count("N1") == 1
    assert len(names) == 2
    assert peaks[1].nearest == "O1"
    assert peaks[1].distance == pytest.approx(0, abs=0.05)
