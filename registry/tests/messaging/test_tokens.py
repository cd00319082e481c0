from __future__ import annotations

import pytest
from qcrbox.contract.errors import NotSignedIn
from qcrbox_registry.messaging.tokens import Enrolment, FilesToken, read_enrolment, read_files, sign

KEY = b"k" * 32


@pytest.fixture
def enrolment():
    return Enrolment(
        agent="a-1", application_slug="refine", application_version="1", launcher="local", expires=100.0
    )


def test_a_token_says_what_was_signed(enrolment):
    assert read_enrolment(KEY, sign(KEY, "enrol", enrolment), now=50.0) == enrolment


def test_an_old_token_is_refused(enrolment):
    with pytest.raises(NotSignedIn, match="expired"):
        read_enrolment(KEY, sign(KEY, "enrol", enrolment), now=101.0)


def test_a_token_of_another_key_is_refused(enrolment):
    with pytest.raises(NotSignedIn):
        read_enrolment(KEY, sign(b"other" * 8, "enrol", enrolment), now=50.0)


def test_a_file_token_does_not_enrol_an_agent():
    token = sign(KEY, "files", FilesToken(calculation_id="c", attempt=1, expires=100.0))
    with pytest.raises(NotSignedIn):
        read_enrolment(KEY, token, now=50.0)
    assert read_files(KEY, token, now=50.0).calculation_id == "c"


def test_relabelling_a_file_token_does_not_enrol_an_agent():
    token = sign(KEY, "files", FilesToken(calculation_id="c", attempt=1, expires=100.0))
    with pytest.raises(NotSignedIn):
        read_enrolment(KEY, "enrol" + token.removeprefix("files"), now=50.0)


@pytest.mark.parametrize("position", range(0, 160, 7))
def test_one_changed_letter_is_refused(enrolment, position):
    token = sign(KEY, "enrol", enrolment)
    at = position % len(token)
    changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
    with pytest.raises(NotSignedIn):
        read_enrolment(KEY, changed, now=50.0)


@pytest.mark.parametrize(
    "token", ["", "x", "enrol..", "enrol.e30.", "a.b.c.d", "enrol.\u00e4.\u00e4", "." * 5000]
)
def test_what_is_no_token_is_refused(token):
    with pytest.raises(NotSignedIn):
        read_enrolment(KEY, token, now=50.0)
