"""Bytes that leave: never shown as a page, sent once, cut off with the right to them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from qcrbox.contract.errors import NotFound
from qcrbox_registry.access.presence import Presence
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.api.downloads import as_attachment, file_response, while_allowed
from qcrbox_registry.services.contents import Content

SHA = "a" * 64


async def pieces(*content):
    for piece in content:
        yield piece


def content(*parts, name="a.cif"):
    return Content(name, SHA, sum(map(len, parts)), pieces(*parts))


def asking(tag=""):
    return SimpleNamespace(headers={"if-none-match": tag} if tag else {})


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("a.cif", "a.cif"),
        ('a"b\\c.cif', "a_b_c.cif"),
        ("ä\r\nSet-Cookie: x.cif", "___Set-Cookie: x.cif"),
        ("β.cif", "_.cif"),
    ],
    ids=["plain", "quotes", "line break", "other alphabet"],
)
@pytest.mark.attack(5)
def test_a_name_cannot_leave_its_header(name, plain):
    found = as_attachment(name)["content-disposition"]
    assert found.startswith(f"attachment; filename=\"{plain}\"; filename*=UTF-8''")
    assert found.isascii()
    assert not {"\r", "\n"} & set(found)


@pytest.mark.attack(5)
def test_stored_pages_run_nothing_in_our_origin():
    headers = as_attachment("page.html")
    assert headers["content-disposition"].startswith("attachment")
    assert (headers["x-content-type-options"], headers["content-security-policy"]) == ("nosniff", "sandbox")


@pytest.mark.parametrize(
    ("tag", "status"),
    [("", 200), (f'"{SHA}"', 304), (f'W/"{SHA}"', 304), (f'"x", "{SHA}"', 304), (SHA, 200), ('"x"', 200)],
    ids=["no tag", "same", "weak", "one of two", "without quotes", "other"],
)
async def test_bytes_that_are_known_are_not_sent_again(tag, status):
    answer = await file_response(content(b"one"), asking(tag))
    assert (answer.status_code, answer.headers["etag"]) == (status, f'"{SHA}"')
    if status == 200:
        assert answer.headers["content-length"] == "3"
        assert b"".join([chunk async for chunk in answer.body_iterator]) == b"one"


async def test_contents_that_are_missing_are_no_broken_answer():
    async def missing():
        raise NotFound("There is no such object.")
        yield b""

    with pytest.raises(NotFound):
        await file_response(Content("a", SHA, 3, missing()))


async def test_an_empty_file_is_sent_empty():
    answer = await file_response(content())
    assert b"".join([chunk async for chunk in answer.body_iterator]) == b""


@pytest.mark.attack(7)
async def test_a_transfer_breaks_off_when_its_right_ends():
    moment, asked = [0.0], []
    ada = Actor(1, "ada")

    async def same():
        return ada

    async def require(actor):
        asked.append(actor)
        if len(asked) > 1:
            raise NotFound("There is no data file.")

    presence = Presence(ada, same, lambda: moment[0])
    sent = []

    async def transfer():
        async for chunk in while_allowed(pieces(b"1", b"2", b"3", b"4", b"5"), presence, require):
            sent.append(chunk)
            moment[0] += 1.0  # a check holds for 1.5 s

    with pytest.raises(NotFound):
        await transfer()
    assert sent == [b"1", b"2", b"3", b"4"], "checked before the third, which passes, and before the fifth"
    assert asked[0] is ada
