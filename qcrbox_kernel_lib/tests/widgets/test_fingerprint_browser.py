"""The fingerprint in a real Chromium: brushing in the diagram, hovering on the surface."""

from __future__ import annotations

import io
import re
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from qcrbox.api.densities import hirshfeld
from qcrbox.crystallography.structure import Structure

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.browser
UREA = Path(__file__).parents[3] / "app_images" / "qcrboxtools" / "examples" / "urea.cif"


@pytest.fixture(scope="module")
def surface():
    return hirshfeld(Structure.from_cif(UREA), spacing=0.25)


def red_share(page) -> float:
    shot = Image.open(io.BytesIO(page.locator(".qcv-scene").screenshot())).convert("RGB")
    pixels = np.asarray(shot).astype(int)
    r, g, b = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    return float(np.mean((r > g + 40) & (r > b + 40)))


def chosen(page) -> tuple[str, float]:
    text = page.locator(".qcv-fingerprint [role=status]").inner_text()
    return text, float(re.search(r"([\d.]+) %", text)[1])


def brush(page, low: float, high: float) -> None:
    """Drag over the square low … high Å of both axes."""
    page.locator(".qcv-finger").scroll_into_view_if_needed()
    box = page.locator(".qcv-finger").bounding_box()

    def at(value):
        return 30 + (value - 0.4) / 2.6 * 260

    page.mouse.move(box["x"] + at(low), box["y"] + 296 - at(low))
    page.mouse.down()
    page.mouse.move(box["x"] + at(high), box["y"] + 296 - at(high), steps=4)
    page.mouse.up()


@pytest.mark.slow
def test_part_of_the_diagram_chosen_is_the_part_of_the_surface_that_keeps_its_colour(shown, surface):
    page = shown(surface.view(labels=False))
    assert chosen(page)[1] == pytest.approx(100)
    everything = red_share(page)
    brush(page, 1.3, 2.0)
    text, share = chosen(page)
    di, de = surface.properties["di"], surface.properties["de"]
    inside = (di >= 1.3) & (di <= 2.0) & (de >= 1.3) & (de <= 2.0)
    assert share == pytest.approx(100 * surface.vertex_areas[inside].sum() / surface.area, abs=3)
    assert "closest di + de" in text
    page.wait_for_timeout(200)
    assert red_share(page) < everything  # hydrogen bonds, the red spots, are shorter and now grey


@pytest.mark.slow
def test_pair_of_elements_can_be_chosen_and_its_share_is_that_of_python(shown, surface):
    page = shown(surface.view())
    page.get_by_label("Elements that meet, inside first").select_option(
        label=f"O…H  {surface.shares['O…H']:.1f} %"
    )
    assert chosen(page)[1] == pytest.approx(surface.shares["O…H"], abs=0.06)


@pytest.mark.slow
def test_pointer_on_the_surface_names_what_meets_there(shown, surface):
    page = shown(surface.view(labels=False))
    box = page.locator(".qcv-canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(400)
    said = page.locator(".qcv-fingerprint [aria-live=polite]").inner_text()
    assert re.match(r"[CNOH]\d … [CNOH]\d.*: dnorm −?\d\.\d\d, di \d\.\d\d, de \d\.\d\d", said)
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    page.wait_for_timeout(400)
    assert page.locator(".qcv-fingerprint [aria-live=polite]").inner_text() == ""


@pytest.mark.slow
def test_diagram_is_worked_with_keys_alone(shown, surface):
    page = shown(surface.view())
    page.focus(".qcv-finger")
    page.keyboard.press("ArrowRight")
    first = chosen(page)
    assert first[1] < 100
    page.keyboard.press("Shift+ArrowUp")
    assert chosen(page) != first
    page.keyboard.press("Escape")
    assert chosen(page)[1] == pytest.approx(100)


@pytest.mark.slow
def test_property_is_changed_and_its_range_printed(shown, surface):
    page = shown(surface.view())
    assert "dnorm: red −0.50 – white – blue 1.50" in page.locator(".qcv-bar").nth(2).inner_text()
    page.get_by_label("Property on the surface").select_option("de")
    assert "de: red 0.70 Å – white – blue 2.60 Å" in page.locator(".qcv-bar").nth(2).inner_text()


@pytest.mark.slow
def test_the_finer_mesh_takes_the_place_of_the_coarse_one_and_what_was_chosen_stays(
    shown, surface, monkeypatch
):
    meanwhile = threading.Event()

    def waiting(*_):
        meanwhile.wait(60)
        return surface  # what a finer one is like is tested without a browser

    monkeypatch.setattr(type(surface), "finer", waiting)
    view = surface.view(labels=False)
    page = shown(view)
    refining = page.get_by_text("A finer mesh is being computed")
    expect(refining).to_be_visible()
    brush(page, 1.3, 2.0)
    before = chosen(page)[1]
    meanwhile.set()
    view._finer.thread.join(60)
    view._widget.change(page, "surface")
    expect(refining).to_be_hidden()
    assert chosen(page)[1] == pytest.approx(before, abs=0.5)
    asked = [message["on"] for message in view._widget.heard if message["do"] == "watch surface"]
    assert asked == [True, False]  # the finer surface promises no more
