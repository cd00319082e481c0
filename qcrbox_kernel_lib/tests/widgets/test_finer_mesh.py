"""A Hirshfeld surface that gets a finer mesh while it is looked at."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from qcrbox.analysis.density.hirshfeld import hirshfeld
from qcrbox.crystallography.structure import Structure
from qcrbox.widgets.structure_view import StructureView, finer
from qcrbox.widgets.structure_view import view as view_module

UREA = Path(__file__).parents[3] / "app_images" / "qcrboxtools" / "examples" / "urea.cif"
LIMIT_S = 60


@pytest.fixture(scope="module")
def surface():
    return hirshfeld(Structure.from_cif(UREA), spacing=0.5)


@pytest.fixture(scope="module")
def made(surface):
    return surface.finer(0.4)


@pytest.fixture
def view(surface, monkeypatch):
    monkeypatch.setattr(finer, "FINE", 0.4)
    view = StructureView(surface.structure)
    view.attach(SimpleNamespace(show_scene=lambda *_: None, send=lambda *_: None))
    return view.show_surface(surface)


def test_finer_is_what_the_finer_grid_gives(surface, made):
    direct = hirshfeld(surface.structure, spacing=0.4)
    assert len(made.vertices) > len(surface.vertices)
    np.testing.assert_array_equal(made.vertices, direct.vertices)
    assert (made.spacing, made.hydrogens) == (0.4, surface.hydrogens)


def test_neighbours_keep_their_numbers(surface, made):
    """Equivalent ones have equal shares, which the mesh decides on."""
    keys, finer_keys = ([set(n.atoms.key.tolist()) for n in s.neighbours] for s in (surface, made))
    assert finer_keys == keys
    assert sum(n.share for n in made.neighbours) == pytest.approx(100)


def test_it_is_computed_in_a_thread_for_who_looks_and_drawn_in_place_of_the_coarse_one(view, surface):
    coarse = view._widget.surface
    assert coarse["finer"] is True
    view.hear(view._widget, {"do": "watch surface", "on": True})
    view._finer.thread.join(LIMIT_S)
    assert view._widget.surface["finer"] is False
    assert len(view._widget.surface["vertices"]) > len(coarse["vertices"])
    assert view.surface is surface  # figures and tables stay those that were asked for


def test_a_mesh_that_is_packed_late_does_not_come_back_over_what_is_shown_since(view, surface, monkeypatch):
    pack = view_module.packed_surface

    def late(*arguments):
        packed = pack(*arguments)
        taken_away.start()
        taken_away.join(0.3)  # ends at once where nothing holds it back
        return packed

    monkeypatch.setattr(view_module, "packed_surface", late)
    taken_away = threading.Thread(target=view.show_surface, args=(None,))
    view._send_surface()
    taken_away.join(LIMIT_S)
    assert view._widget.surface == {}


@pytest.mark.parametrize("how", ["the last viewer goes", "another surface is shown"])
def test_it_ends_when_nobody_looks(view, surface, monkeypatch, how):
    begun = threading.Event()

    def endless(_, spacing, check):
        begun.set()
        while True:
            check()

    monkeypatch.setattr(type(surface), "finer", endless)
    view.hear(view._widget, {"do": "watch surface", "on": True})
    thread, before = view._finer.thread, view._widget.surface
    assert begun.wait(LIMIT_S)
    if how == "the last viewer goes":
        view.hear(view._widget, {"do": "watch surface", "on": False})
        thread.join(LIMIT_S)
        assert view._widget.surface is before
    else:
        view.show_surface(None)
        thread.join(LIMIT_S)
        assert view._widget.surface == {}
    assert not thread.is_alive()


@pytest.fixture
def goes_on(surface, monkeypatch):
    """A finer mesh is finished when this event is set, not before."""
    event = threading.Event()

    def waiting(self, spacing, check):
        event.wait(LIMIT_S)
        check()
        return self

    monkeypatch.setattr(type(surface), "finer", waiting)
    return event


def test_a_second_viewer_keeps_it_going_and_who_comes_back_starts_it_again(view, surface, goes_on):
    for on in (True, True, False):
        view._finer.watch(on)
    first = view._finer.thread
    assert first.is_alive()
    view._finer.watch(False)
    view._finer.watch(True)
    second = view._finer.thread
    assert second is not first
    goes_on.set()
    for thread in (first, second):
        thread.join(LIMIT_S)
    assert not view._finer.is_expected


def test_the_check_ends_a_sum_of_many_atoms(surface):
    calls = []

    def check():
        calls.append(1)
        if len(calls) == 3:
            raise finer.Stopped

    with pytest.raises(finer.Stopped):
        surface.finer(0.2, check)
    assert len(calls) == 3


def test_a_fine_surface_is_left_as_it_is(view, surface, monkeypatch):
    monkeypatch.setattr(finer, "FINE", surface.spacing)
    view.show_surface(None).show_surface(surface)
    assert view._widget.surface["finer"] is False
    view.hear(view._widget, {"do": "watch surface", "on": True})  # of an older page
    assert view._widget.surface["finer"] is False


def test_closing_the_widget_ends_it(surface, monkeypatch):
    monkeypatch.setattr(type(surface), "finer", lambda _, spacing, check: [check() for _ in iter(int, 1)])
    view = StructureView(surface.structure).show_surface(surface)
    widget = view.make_widget(SimpleNamespace(mark="none"))
    view.hear(widget, {"do": "watch surface", "on": True})
    thread = view._finer.thread
    widget.close()
    thread.join(LIMIT_S)
    assert not thread.is_alive()


def test_another_property_is_drawn_on_the_finer_mesh(view, surface):
    view.hear(view._widget, {"do": "watch surface", "on": True})
    view._finer.thread.join(LIMIT_S)
    before = view._widget.surface
    view.show_surface(surface, "di")
    assert view._widget.surface["vertices"] == before["vertices"]
    assert view._widget.surface["finer"] is False
    assert view._widget.surface["name"] == "di"


def test_who_looks_at_a_mesh_looks_at_the_next_one_without_saying_so(view, surface, goes_on):
    """A page says that it looks when it did not before: both surfaces announce a finer mesh."""
    view.hear(view._widget, {"do": "watch surface", "on": True})
    first = view._finer.thread
    view.show_surface(replace(surface))
    goes_on.set()
    for thread in (first, view._finer.thread):
        thread.join(LIMIT_S)
    assert view._widget.surface["finer"] is False


def test_a_mesh_that_cannot_be_computed_is_not_announced_for_ever(view, surface, monkeypatch, caplog):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(type(surface), "finer", fail)
    coarse = view._widget.surface
    view.hear(view._widget, {"do": "watch surface", "on": True})
    view._finer.thread.join(LIMIT_S)
    assert view._widget.surface == coarse | {"finer": False}
    assert "No finer mesh" in caplog.text
