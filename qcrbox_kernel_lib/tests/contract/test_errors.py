"""The tree of errors: its text, its way through an envelope, and what a traceback shows."""

from __future__ import annotations

import json
import linecache
import pickle

import pytest
from qcrbox.api.calculation import StillRunning
from qcrbox.api.names import UnknownName
from qcrbox.contract.errors import (
    CalculationFailed,
    CifError,
    Conflict,
    MissingItemsError,
    NotFound,
    QcError,
    SpecError,
    Unreachable,
    UserInputError,
    called_at,
)


def tree(cls: type[QcError]) -> list[type[QcError]]:
    return [cls, *(sub for child in cls.__subclasses__() for sub in tree(child))]


CLASSES = tree(QcError)
# Defined outside of the module of errors: an envelope must find them as well.
assert {StillRunning, UnknownName} < set(CLASSES)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({}, "It broke."),
        ({"where": "a.cif, line 3"}, "a.cif, line 3: It broke."),
        ({"why": "(too old)"}, "It broke. (too old)"),
        ({"next": "Try again."}, "It broke. Try again."),
        ({"where": "x", "why": "Because.", "next": "Do."}, "x: It broke. Because. Do."),
    ],
    ids=["what", "where", "why", "next", "all"],
)
def test_message_has_its_parts_in_order(parts, message):
    error = QcError("It broke.", **parts)
    assert error.message == str(error) == message


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_class_comes_back_from_its_envelope(cls):
    sent = cls("What.", where="where", why="Why.", next="Next.", details=["a", "b"], extra=1)
    envelope = json.loads(json.dumps(sent.envelope()))
    assert envelope["status"] == "error"
    assert envelope["error"]["code"] == cls.status
    got = QcError.from_envelope(envelope)
    assert type(got) is cls
    assert (got.what, got.where, got.why, got.next) == ("What.", "where", "Why.", "Next.")
    assert got.details == ["a", "b"]
    assert got.fields == {"extra": 1}


def test_kinds_are_unique():
    kinds = [cls.kind for cls in CLASSES]
    assert len(kinds) == len(set(kinds))


@pytest.mark.parametrize(
    ("code", "cls"),
    [(400, UserInputError), (404, NotFound), (409, Conflict), (503, Unreachable), (418, QcError)],
)
def test_unknown_kind_becomes_the_class_of_its_status(code, cls):
    got = QcError.from_envelope({"error": {"code": code, "kind": "from_the_future", "message": "New."}})
    assert type(got) is cls
    assert got.message == "New."


def test_envelope_without_anything_names_the_status():
    assert QcError.from_envelope({}, 502).message == "The registry answered 502."


def test_details_of_an_envelope_are_never_empty():
    assert QcError("It broke.").envelope()["error"]["details"] == "It broke."


def test_fields_of_a_cif_error_are_attributes():
    error = CifError("Bad.", file="a.cif", block="b", line=3, column=7, tag="_cell_length_a")
    assert (error.file, error.block, error.line, error.column, error.tag) == (
        "a.cif",
        "b",
        3,
        7,
        "_cell_length_a",
    )
    empty = CifError("Bad.")
    assert (empty.file, empty.block, empty.line, empty.column, empty.tag) == (None,) * 5


def test_fields_of_other_errors_have_defaults():
    assert MissingItemsError("x", items=["_a"]).items == ["_a"]
    assert MissingItemsError("x").items == []
    failed = CalculationFailed("x")
    assert (failed.calculation, failed.reason, failed.log_tail) == ("", "", "")
    full = CalculationFailed("x", calculation="id", reason="why", log_tail="end")
    assert (full.calculation, full.reason, full.log_tail) == ("id", "why", "end")


def test_spec_error_is_an_input_error():
    assert issubclass(SpecError, UserInputError)
    assert SpecError.status == 400


# ---------------------------------------------------------------- tracebacks


def raised(code, name="<script>", module="__main__"):
    """The error of user code that runs as `module`."""
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    try:
        exec(compile(code, name, "exec"), {"__name__": module})
    except Exception as error:  # noqa: BLE001 - any error of the script
        return error
    raise AssertionError("the script raised nothing")


def test_last_line_of_user_code_is_shown():
    error = raised("a = 1\nb = a / 0\n")
    assert called_at(error.__traceback__) == ["line 2: b = a / 0"]


def test_file_name_is_shown_for_a_script():
    error = raised("1 / 0\n", name="/tmp/script.py")
    assert called_at(error.__traceback__) == ["/tmp/script.py, line 1: 1 / 0"]


def test_frames_of_this_package_are_not_shown():
    error = raised("from qcrbox.cif import read\nread('no block')\n")
    assert called_at(error.__traceback__) == ["line 2: read('no block')"]


def test_nothing_is_shown_without_a_traceback():
    assert called_at(None) == []


def test_ipython_shows_line_message_and_where_the_details_are():
    error = raised(
        "from qcrbox.contract.errors import NotFound\nraise NotFound('There is no x.', details='the long log')\n"
    )
    line, message, hint = error._render_traceback_()
    assert line.startswith("line 2: raise NotFound")
    assert message == "NotFound: There is no x."
    assert "err.details" in hint
    assert (
        len(raised("from qcrbox.contract.errors import NotFound\nraise NotFound('x')\n")._render_traceback_())
        == 2
    )


@pytest.mark.parametrize(
    "body",
    [
        {"error": "bad gateway"},
        {"error": ["a", "b"]},
        {"error": 502},
        {"error": None},
        {"error": {}},
        {"detail": "Not Found"},
        [],
        "text",
        None,
        {"error": {"kind": ["x"], "message": "m"}},
        {"error": {"code": "often", "message": "m"}},
        {"error": {"code": {"a": 1}, "message": "m"}},
        {"error": {"message": "m", "fields": ["x"]}},
        {"error": {"message": "m", "fields": {"what": 1, "where": 2, "details": 3}}},
    ],
    ids=str,
)
def test_an_answer_that_is_no_envelope_still_becomes_an_error(body):
    """A proxy in between answers in its own form; its answer must not end in another error."""
    error = QcError.from_envelope(body, 502)
    assert error.message in ("The registry answered 502.", "m", "bad gateway")


def test_a_text_of_an_envelope_that_is_null_is_empty():
    error = QcError.from_envelope(
        {"error": {"what": "W.", "where": None, "why": None, "next": None, "details": None}}
    )
    assert (error.message, error.details) == ("W.", "")


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (400, "UserInputError"),
        (401, "NotSignedIn"),
        (403, "NotAllowed"),
        (404, "NotFound"),
        (409, "Conflict"),
        (413, "TooLarge"),
        (422, "UserInputError"),
        (429, "QuotaExceeded"),
        (500, "QcError"),
        (503, "Unreachable"),
        (507, "StorageFull"),
    ],
)
def test_a_status_alone_names_its_class(status, cls):
    assert type(QcError.from_envelope({"error": {"message": "x"}}, status)).__name__ == cls


def test_every_class_has_a_status_of_http_and_a_docstring_of_its_own():
    for cls in CLASSES:
        assert 400 <= cls.status < 600
        assert cls.__dict__.get("__doc__")


def test_a_class_without_a_kind_of_its_own_does_not_replace_its_parent():
    class Special(NotFound):
        """A narrower error of one module."""

    try:
        assert QcError.by_kind["not_found"] is NotFound
        assert type(QcError.from_envelope(Special("x").envelope())) is NotFound
    finally:
        CLASSES[:] = [cls for cls in CLASSES if cls is not Special]


def test_fields_travel_as_they_are():
    fields = {"quota": "disk", "limit": 5.5, "nested": {"a": [1, None]}, "ä": "ö"}
    sent = json.loads(json.dumps(QcError("x", **fields).envelope()))
    assert QcError.from_envelope(sent).fields == fields


def test_an_error_can_be_pickled_and_keeps_its_parts():
    """Results of worker processes come back pickled."""
    error = pickle.loads(
        pickle.dumps(CifError("Bad.", where="a.cif", why="W.", next="N.", details=["d"], line=3))
    )
    assert (type(error), error.message, error.details, error.line) == (
        CifError,
        "a.cif: Bad. W. N.",
        ["d"],
        3,
    )
