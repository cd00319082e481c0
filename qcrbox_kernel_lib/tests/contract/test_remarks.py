"""Remarks of a calculation on the wire."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from qcrbox.contract.remark_kinds import RemarkKind
from qcrbox.contract.remarks import Remark


@pytest.mark.parametrize("kind", RemarkKind, ids=str)
def test_a_remark_survives_its_own_json(kind):
    remark = Remark(kind=kind, text="MPLA 3 C1 C2 C3")
    assert Remark.model_validate_json(remark.model_dump_json()) == remark
    assert remark.model_dump(mode="json")["kind"] == kind.value


@pytest.mark.parametrize(
    "body",
    [{"kind": "warning", "text": "x"}, {"kind": "note"}, {"text": "x"}, {"kind": "note", "text": None}],
    ids=str,
)
def test_a_remark_has_a_known_kind_and_a_text(body):
    with pytest.raises(ValidationError):
        Remark.model_validate(body)


def test_a_remark_of_a_newer_peer_is_read_and_cannot_be_changed():
    remark = Remark.model_validate({"kind": "note", "text": "x", "atoms": ["C1"]})
    with pytest.raises(ValidationError):
        remark.text = "y"
