"""The box itself: names after the dot, what is its own, what is said once."""

from __future__ import annotations

import pytest
from qcrbox.api.names import UnknownName
from qcrbox.contract.errors import NotFound, UserInputError


def test_applications_are_attributes_and_everything_else_is_told(stored, store):
    assert stored.refine.slug == "refine"
    with pytest.raises(UnknownName, match=r"There is no application 'refin' here. Did you mean 'refine'"):
        _ = stored.refin
    with pytest.raises(UnknownName, match="Did you mean 'calculations'"):
        _ = stored.jobs
    assert not hasattr(stored, "nothing_like_this")


@pytest.mark.parametrize("name", ["_repr_html_", "__array__", "_anything"])
def test_private_names_never_reach_for_the_registry(stored, server, name):
    assert not hasattr(stored, name)
    assert not server.requests


def test_every_own_name_of_the_completion_is_there(stored, store):
    for name in set(dir(stored)) - {"me", "shares", "sessions", "courses"}:
        assert hasattr(stored, name)
    assert {"refine", "datasets", "compare"} <= set(dir(stored))


def test_a_box_is_no_sequence(stored):
    with pytest.raises(TypeError, match="not iterable"):
        iter(stored)
    with pytest.raises(UserInputError, match="is asked for by name"):
        stored[0]


def test_who_you_are_is_a_table_with_groups_and_roles(stored, server):
    server["GET /api/me"] = {"name": "<b>eva</b>", "groups": [], "roles": {"group_manager": ["lab", "class"]}}
    table = stored.me
    assert table.rows == [("name", "<b>eva</b>"), ("groups", "none"), ("group manager", "lab, class")]
    assert "<b>" not in table.html()


def test_a_remark_is_said_once_for_its_key(stored, capsys):
    for key in ("a", "a", "b"):
        stored.say_once(key, f"remark {key}")
    said = capsys.readouterr()
    assert sorted((said.out + said.err).splitlines()) == ["remark a", "remark b"]


def test_its_text_shows_the_address_and_never_a_token(stored, server):
    stored.client._token = "secret"
    shown = stored._repr_mimebundle_()
    assert server.url in shown["text/plain"]
    assert "secret" not in str(shown)


def test_stubs_are_written_in_utf_8_and_returned_as_code(stored, store, tmp_path):
    path = stored.stubs(tmp_path / "qcrbox_applications.pyi")
    assert path.read_text(encoding="utf-8") == str(stored.stubs())
    assert "class _refine_refine_iam(Command)" in path.read_text(encoding="utf-8")


def test_what_has_no_lineage_says_so_as_a_name_that_is_not_stored(stored, store):
    with pytest.raises(NotFound, match="Nothing is stored under 'nothing'"):
        stored.lineage_of(stored["nothing"])
