"""Shares: given, listed with the time of the reader, taken back."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import NotFound, UserInputError

from ..small_server import Raw

SHARES = [
    {"id": "s1", "kind": "dataset", "object_id": "d" * 32, "group": "lab", "mode": "read", "expires_at": None},
    {"id": "s2", "kind": "dataset", "object_id": "d" * 32, "person": "ada", "mode": "write", "expires_at": "2026-11-29T12:30:00Z"},
]  # fmt: skip


@pytest.fixture
def shares(stored, server):
    server["GET /api/shares"] = {"shares": SHARES}
    server["POST /api/shares"] = {}
    for each in SHARES:
        server[f"DELETE /api/shares/{each['id']}"] = Raw(status=204)
    return stored.shares


def test_the_list_names_with_whom_and_until_when(shares):
    table = shares.table()
    assert table["with"] == ["lab", "ada"]
    assert table["until"][0] == ""
    assert "datetime='2026-11-29T12:30:00Z'" in table.html()


def test_nothing_shared_says_so(stored, server):
    server["GET /api/shares"] = {"shares": []}
    assert "You share nothing." in repr(stored.shares)


@pytest.mark.parametrize(
    ("with_", "who"),
    [("lab", {"group": "lab"}), ("person:ada", {"person": "ada"}), ("person:", {"person": ""})],
)
def test_a_person_is_told_from_a_group_by_its_prefix(shares, server, with_, who):
    shares.share("dataset", "d", with_, "write")
    assert server.sent("POST /api/shares")[0].json == {
        "kind": "dataset",
        "object_id": "d",
        "mode": "write",
        **who,
    }


@pytest.mark.parametrize("mode", ["", "admin", "READ"])
def test_other_rights_are_refused_before_anything_is_sent(shares, server, mode):
    with pytest.raises(UserInputError, match='mode must be "read" or "write"'):
        shares.share("dataset", "d", "lab", mode)
    assert not server.requests


@pytest.mark.parametrize(
    ("with_", "gone", "modes"), [("lab", "s1", ["read"]), ("person:ada", "s2", ["write"])]
)
def test_a_share_is_taken_back_and_its_mode_told(shares, server, with_, gone, modes):
    assert shares.unshare("dataset", "d", with_) == modes
    assert [request.path for request in server.requests if request.method == "DELETE"] == [
        f"/api/shares/{gone}"
    ]


def test_a_group_that_is_called_as_a_person_keeps_its_share(shares, server):
    """`ada` is a group here, `person:ada` the person: only what is named is taken back."""
    server["GET /api/shares"] = {"shares": [{**SHARES[0], "group": "ada"}, SHARES[1]]}
    assert shares.unshare("dataset", "d", "person:ada") == ["write"]
    assert not server.sent("DELETE /api/shares/s1")
    assert shares.unshare("dataset", "d", "ada") == ["read"]


def test_what_is_not_shared_is_said(shares):
    with pytest.raises(NotFound, match="not shared with 'nobody'"):
        shares.unshare("dataset", "d", "nobody")
