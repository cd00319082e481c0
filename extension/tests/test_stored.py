"""Stored files as Lab's tabs get them: which are asked for, which are kept, and what a refusal says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest
from qcrbox.contract.errors import NotAllowed, NotFound, NotSignedIn, QcError, TooLarge, Unreachable
from qcrbox_extension import stored
from qcrbox_extension.stored import StoredFiles, as_qc_error
from qcrbox_extension.upstream import Upstream

Answer = Callable[[httpx.Request], httpx.Response]


def files(answer: Answer) -> tuple[StoredFiles, list[httpx.Request]]:
    """Files of a registry that answers so, and what it was asked."""
    asked: list[httpx.Request] = []

    def heard(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer(request)

    client = httpx.AsyncClient(transport=httpx.MockTransport(heard))
    return StoredFiles(Upstream("http://registry/base", "secret"), client), asked


def read(found: StoredFiles, *names: str) -> list[bytes]:
    async def all_of_them() -> list[bytes]:
        return [await found.read(name) for name in names]

    return asyncio.run(all_of_them())


def test_a_file_is_asked_for_once_with_the_persons_token() -> None:
    found, asked = files(lambda _: httpx.Response(200, content=b"data_a"))
    assert read(found, "f1", "f1") == [b"data_a", b"data_a"]
    (request,) = asked
    assert str(request.url) == "http://registry/base/api/data-files/f1/download?form=written"
    assert request.headers["authorization"] == "Bearer secret"


def test_parts_that_ask_for_a_file_at_the_same_moment_share_one_answer() -> None:
    found, asked = files(lambda _: httpx.Response(200, content=b"data_a"))

    async def at_once() -> list[bytes]:
        return await asyncio.gather(*(found.read("f1") for _ in range(6)))

    assert asyncio.run(at_once()) == 6 * [b"data_a"]
    assert len(asked) == 1


@pytest.mark.parametrize("name", ["../me", "..", "a/b", "a%2f..", "?x=1"])
def test_no_name_of_a_file_leads_to_another_address(name: str) -> None:
    found, asked = files(lambda _: httpx.Response(200, content=b"x"))
    try:
        read(found, name)
    except NotFound:
        assert asked == []
    else:
        path = asked[0].url.raw_path.decode()
        assert path.startswith("/base/api/data-files/")
        assert path.count("/") == 5
        assert path.endswith("/download?form=written")
        assert path.count("?") == 1


def test_the_file_that_was_not_used_for_longest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "_KEPT_BYTES", 25)
    found, asked = files(lambda request: httpx.Response(200, content=10 * b"x"))
    read(found, "f1", "f2", "f1", "f3", "f1", "f2")
    assert [request.url.path.split("/")[-2] for request in asked] == ["f1", "f2", "f3", "f2"]


def test_a_file_beyond_the_limit_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "LARGEST_BYTES", 9)
    found, asked = files(lambda _: httpx.Response(200, content=10 * b"x"))
    for _ in range(2):
        with pytest.raises(TooLarge, match="too large to be shown"):
            read(found, "f1")
    assert len(asked) == 2, "a refused file is not kept"


def envelope(error: QcError) -> httpx.Response:
    return httpx.Response(error.status, json=error.envelope())


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (envelope(NotFound("There is no file f1.")), NotFound, "There is no such file."),
        (envelope(NotAllowed("You may not read this.")), NotAllowed, "You may not read this."),
        (envelope(NotSignedIn("The token is over.")), NotSignedIn, "The token is over."),
        (envelope(Unreachable("The store is being moved.")), Unreachable, "The store is being moved."),
        (httpx.Response(502, text="<h1>Bad gateway</h1>"), Unreachable, "does not answer"),
        (httpx.Response(500, json=[]), Unreachable, "does not answer"),
        (httpx.Response(503, json={"error": "down"}), Unreachable, "does not answer"),
    ],
    ids=["gone", "not allowed", "token", "maintenance", "proxy", "list", "other JSON"],
)
def test_a_refusal_says_what_is_wrong_and_not_that_the_file_is_gone(
    answer: httpx.Response, kind: type[QcError], words: str
) -> None:
    found, _ = files(lambda _: answer)
    with pytest.raises(kind, match=words):
        read(found, "f1")


def test_a_registry_that_is_away_is_asked_again_the_next_time() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        if len(asked) == 1:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, content=b"data_a")

    found, asked = files(away)
    with pytest.raises(Unreachable):
        read(found, "f1")
    assert read(found, "f1") == [b"data_a"]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ValueError(400 * "x"), 300 * "x"),
        (IndexError("list index out of range"), "It holds something that is not foreseen here."),
    ],
)
def test_a_fault_of_a_library_is_told_in_words_without_its_inside(error: Exception, why: str) -> None:
    told = as_qc_error(error)
    assert (told.status, told.why) == (404, why)
    own = TooLarge("x")
    assert as_qc_error(own) is own
