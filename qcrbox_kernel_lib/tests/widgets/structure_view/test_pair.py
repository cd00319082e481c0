"""Two views side by side, and the still picture of a file's bytes."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ElementTree

import pytest
from qcrbox.contract.errors import QcError
from qcrbox.widgets.structure_view import StructureView
from qcrbox.widgets.structure_view import pair as module
from qcrbox.widgets.structure_view.pair import show_pair
from qcrbox.widgets.structure_view.still import still_picture

from ...conftest import write_cif

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def published(monkeypatch):
    found = []
    monkeypatch.setattr("qcrbox.widgets.static_twin.publish", lambda bundle, **_: found.append(bundle))
    monkeypatch.setattr(module, "publish_widget", found.append)
    monkeypatch.setattr(module.bundle, "available", lambda _: False)
    return found


def test_both_pictures_stay_in_the_notebook_under_their_titles(published, molecule):
    show_pair([StructureView(molecule, title=title) for title in ("<b>before</b>", "after")], "link")
    (bundle,) = published
    html = bundle["text/html"]
    assert re.findall(r"<figcaption>(.*?)</figcaption>", html) == ["&lt;b&gt;before&lt;/b&gt;", "after"]
    pictures = re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", html)
    assert [ElementTree.fromstring(base64.b64decode(each)).tag for each in pictures] == [f"{SVG}svg"] * 2
    assert bundle["text/plain"].count("<StructureView of") == 2


def test_the_still_picture_of_a_file_is_its_structure_in_the_size_that_is_asked_for():
    root = ElementTree.fromstring(still_picture(write_cif().encode(), width=300, height=200))
    assert (root.get("width"), root.get("height")) == ("300", "200")
    assert [each.text for each in root.iter(f"{SVG}title")][1:] == ["C1"]


def test_a_dark_page_gets_a_dark_picture():
    light, dark = (still_picture(write_cif().encode(), dark=dark) for dark in (False, True))
    assert ElementTree.fromstring(light).find(f"{SVG}rect").get("fill") == "#ffffff"
    assert ElementTree.fromstring(dark).find(f"{SVG}rect").get("fill") == "#1e1e1e"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no cif",
        b"data_a\n",
        b"data_a\n_cell_length_a 10\n",
        write_cif(sites=[("C1", "C", "?", "?", "?")]).encode(),
    ],
    ids=["nothing", "no CIF", "empty block", "cell alone", "no coordinates"],
)
def test_what_cannot_be_drawn_is_an_error_of_ours(content):
    with pytest.raises(QcError):
        still_picture(content)
