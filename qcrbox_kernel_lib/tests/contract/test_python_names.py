"""Names of applications in Python: every application that is accepted can be reached as `qc.<name>`."""

from __future__ import annotations

import keyword
import pkgutil

import pytest
import qcrbox
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.api.box import Box
from qcrbox.contract.errors import SpecError
from qcrbox.contract.python_names import RESERVED, identifier, is_private, why_unreachable
from qcrbox.spec import loads

SPEC = """
name: "X"
slug: "{slug}"
version: "1"
commands: []
qcrbox_yaml_spec_version: "0.1"
"""


class Nowhere:
    """A client of a registry that is never asked."""

    url = "http://nowhere"


def test_every_name_of_the_library_is_reserved_and_no_other():
    modules = {module.name for module in pkgutil.iter_modules(qcrbox.__path__)}
    offered = {*qcrbox._NAMES, *qcrbox._ERRORS}
    attributes = {*vars(Box), *vars(Box(Nowhere()))}
    assert {name for name in modules | offered | attributes if not name.startswith("_")} == RESERVED


@pytest.mark.parametrize(
    "slug", ["cif", "crystallography", "display", "hirshfeld", "search", "read-cube", "_x"]
)
def test_spec_of_an_application_that_could_not_be_reached_is_refused(slug):
    with pytest.raises(SpecError, match="cannot be used") as refused:
        loads(SPEC.format(slug=slug))
    assert "application.yaml:3" in str(refused.value)


@pytest.mark.parametrize(
    "slug", ["crystal", "refine", "crysalis-pro", "3ded", "class", "Display", "CRYSTAL23"]
)
def test_names_of_programs_are_accepted(slug):
    assert loads(SPEC.format(slug=slug)).slug == slug
    assert why_unreachable(slug) is None


@pytest.mark.parametrize(
    ("slug", "name"), [("crysalis-pro", "crysalis_pro"), ("3ded", "_3ded"), ("class", "class_"), ("", "_")]
)
def test_identifier(slug, name):
    assert identifier(slug) == name


def test_names_of_python_and_ipython_are_private():
    assert is_private("_repr_html_")
    assert is_private("__wrapped__")
    assert is_private("_")
    assert not is_private("_3ded")
    assert not is_private("refine")


@pytest.mark.parametrize(
    ("slug", "name"),
    [
        ("a.b c", "a_b_c"),
        ("2", "_2"),
        ("None", "None_"),
        ("match", "match"),
        ("import", "import_"),
        ("-", "_"),
        ("é", "é"),
        ("refine", "refine"),
        ("²x", "_2x"),
    ],
)
def test_a_name_in_python_is_an_identifier_that_is_no_keyword(slug, name):
    made = identifier(slug)
    assert made == name
    assert made.isidentifier()
    assert not keyword.iskeyword(made)


@given(st.text(max_size=20))
def test_every_name_becomes_an_identifier_and_stays_it(name):
    made = identifier(name)
    assert made.isidentifier()
    assert not keyword.iskeyword(made)
    assert identifier(made) == made


@pytest.mark.parametrize(
    ("slug", "words"),
    [
        ("cif", "'qc.cif' is a part of the library"),
        ("read-cube", "'qc.read_cube' is a part of the library"),
        ("NA", "'qc.NA' is a part of the library"),
        ("_x", "Python keeps attributes that begin with '_'"),
        ("-x", "Python keeps attributes that begin with '_'"),
        ("__init__", "Python keeps attributes that begin with '_'"),
    ],
)
def test_the_reason_why_a_name_cannot_be_reached(slug, words):
    assert words in why_unreachable(slug)


@pytest.mark.parametrize("name", ["_", "__", "_x", "__3", "_ipython_display_"])
def test_private_names(name):
    assert is_private(name)


@pytest.mark.parametrize("name", ["", "x", "_3", "_0x", "x_"])
def test_names_that_are_not_private(name):
    assert not is_private(name)
