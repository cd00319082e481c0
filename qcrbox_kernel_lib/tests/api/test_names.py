"""Names in brackets, lists of names, and what was meant."""

from __future__ import annotations

import pickle

import pytest
from qcrbox.api.names import UnknownName, as_list, has_name, offered, require_name, unknown_name
from qcrbox.contract.errors import NotFound, Unreachable, UserInputError


@pytest.mark.parametrize(
    ("given", "names"),
    [("a", ["a"]), (["a", "b"], ["a", "b"]), (("a",), ["a"]), ([], []), (iter("ab"), ["a", "b"]), ("", [""])],
    ids=["one", "list", "tuple", "none", "iterator", "empty name"],
)
def test_one_name_is_a_list_of_one(given, names):
    assert as_list(given) == names


class Things:
    def __init__(self, error=None):
        self.error = error

    def __getitem__(self, name):
        if self.error:
            raise self.error
        return name


@pytest.mark.parametrize(
    ("error", "there"),
    [(None, True), (NotFound("no"), False), (UserInputError("two of this name"), True)],
    ids=["found", "not found", "several"],
)
def test_a_name_that_several_have_is_there(error, there):
    assert has_name(Things(error), "a") == there


def test_an_outage_is_no_answer_to_whether_a_name_is_there():
    with pytest.raises(Unreachable):
        has_name(Things(Unreachable("away")), "a")
    assert not has_name(Things(Unreachable("away")), 5)


def test_completion_offers_nothing_during_an_outage():
    def away():
        raise Unreachable("away")

    assert offered(away) == []
    assert offered(lambda: {"a": 1}) == ["a"]


@pytest.mark.parametrize("key", [0, None, b"a", ("a",)], ids=repr)
def test_what_is_no_name_says_what_to_write(key):
    with pytest.raises(
        UserInputError,
        match=r'qc.examples\[…\] is asked for by name; you gave .*For example qc.examples\["name"\]',
    ):
        require_name(key, "qc.examples")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("jobs", "calculations"), ("whoami", "me"), ("projekts", "projects"), ("zzz", None)],
)
def test_names_of_other_programs_and_slips_lead_to_ours(name, meant):
    error = unknown_name("No.", name, ["calculations", "me", "projects"], "Look at the list.")
    assert error.next == (f"Did you mean {meant!r}?" if meant else "Look at the list.")


def test_a_word_that_leads_nowhere_here_is_not_offered():
    assert unknown_name("No.", "jobs", ["zzz"], "Else.").next == "Else."


def test_an_unknown_name_is_missing_for_python_and_not_found_for_people():
    error = unknown_name("No.", "x", [], "")
    assert isinstance(error, (AttributeError, NotFound))
    assert isinstance(error, UnknownName)
    assert pickle.loads(pickle.dumps(NotFound("No.", next="Look."))).next == "Look."
