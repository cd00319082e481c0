"""The client of the registry against real connections: cut short, dropped, redirected, answered by something else."""

from __future__ import annotations

import json

import pytest
from qcrbox.client.http import RegistryClient
from qcrbox.contract.errors import NotFound, QcError, Unreachable

from ..small_server import Drop, Raw, Stream


@pytest.fixture
def client(server, monkeypatch):
    monkeypatch.setattr("qcrbox.client.http._READ_RETRY_DELAYS_S", (0.0, 0.0))
    made = RegistryClient(server.url)
    yield made
    made.close()


def test_a_read_outlasts_dropped_connections(client, server):
    server["GET /api/x"] = [Drop(), Drop(), {"found": 1}]
    assert client.get("/api/x") == {"found": 1}


def test_a_download_that_is_cut_short_is_fetched_again(client, server):
    server["GET /f"] = [Raw(b"0123456789", cut=4), Raw(b"0123456789")]
    assert client.download("/f") == b"0123456789"


def test_a_download_that_is_always_cut_short_is_an_outage_and_never_half_a_file(client, server):
    server["GET /f"] = Raw(b"0123456789", cut=4)
    with pytest.raises(Unreachable):
        client.download("/f")
    assert len(server.requests) == 3


@pytest.mark.parametrize("call", ["post", "put", "patch"])
def test_a_change_is_never_sent_twice(client, server, call):
    server[f"{call.upper()} /api/x"] = Drop()
    with pytest.raises(Unreachable):
        getattr(client, call)("/api/x", {})
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirection_is_no_answer(client, server, status):
    """A proxy that wants a sign-in redirects: neither an empty payload nor its page is what was asked for."""
    server["GET /f"] = Raw("<html>", status, "text/html", {"Location": "https://login.example/"})
    for ask in (client.get, client.download):
        with pytest.raises(QcError, match=r"/f answered 30\d.*https://login.example/"):
            ask("/f")


@pytest.mark.parametrize(
    "answer",
    [Raw("<html>sign in</html>", kind="text/html"), Raw("{"), Raw("\xff", kind="text/plain")],
    ids=["page", "half of JSON", "no text"],
)
def test_an_answer_that_is_no_json_is_an_error_that_names_the_path(client, server, answer):
    server["GET /api/x"] = server["POST /api/x"] = answer
    for ask in (client.get, client.post):
        with pytest.raises(QcError, match=r"/api/x .* no answer of a registry"):
            ask("/api/x")


@pytest.mark.parametrize(
    ("answer", "payload"),
    [
        (Raw(json.dumps({"a": 1})), {"a": 1}),
        (Raw("[1]"), {"value": [1]}),
        (Raw(""), {}),
        (Raw(status=204), {}),
    ],
    ids=["without an envelope", "list", "empty", "no content"],
)
def test_an_answer_without_an_envelope_is_taken_as_it_is(client, server, answer, payload):
    server["GET /api/x"] = answer
    assert client.get("/api/x") == payload


@pytest.mark.parametrize(
    "body",
    [
        '{"error": "text"}',
        '{"error": null}',
        '{"error": [1]}',
        '{"detail": [{"msg": "x"}]}',
        "[]",
        "<html>",
        "",
    ],
)
def test_any_refusal_is_an_error_of_ours_with_path_or_status(client, server, body):
    server["GET /api/x"] = Raw(body, 404)
    with pytest.raises(NotFound, match="404"):
        client.get("/api/x")


def test_a_list_whose_pages_go_round_in_a_circle_ends(client, server):
    server["GET /api/x"] = {"things": [], "next": "same"}
    with pytest.raises(QcError, match="same page twice"):
        list(client.listed("/api/x", "things"))


def test_a_page_without_records_leads_to_the_next(client, server):
    server["GET /api/x"] = [{"things": [], "next": "2"}, {"things": [{"a": 1}]}]
    assert list(client.listed("/api/x", "things", 5)) == [{"a": 1}]


def test_a_stream_that_is_redirected_is_an_outage(client, server):
    server["GET /api/events"] = Raw("", 302, headers={"Location": "/x"})
    with pytest.raises(QcError):
        list(client.events())


def test_events_are_read_across_broken_pieces(client, server):
    server["GET /api/events"] = Stream(
        ["id: 7\nev", "ent: progress\nda", 'ta: {"a":\n', "data: 1}\n\n", ": keep\n\n"]
    )
    (event,) = client.events()
    assert (event.id, event.name, event.data) == ("7", "progress", {"a": 1})


def test_a_name_with_any_characters_reaches_the_server_as_it_is(client, server):
    server["GET /api/x"] = {}
    client.get("/api/x", name="a&b=c d/é%\n")
    assert server.requests[0].query == {"name": "a&b=c d/é%\n"}


def test_a_file_name_with_quotes_and_line_ends_stays_one_part(client, server):
    server["POST /up"] = {}
    client.upload("/up", [('a"\r\nX: y.cif', b"1")])
    assert server.requests[0].body.count(b"Content-Disposition") == 1
    assert b"\nX: y" not in server.requests[0].body


def test_a_closed_client_opens_again(client, server):
    server["GET /api/x"] = {}
    client.get("/api/x")
    client.close()
    assert client.get("/api/x") == {}


def test_a_proxy_of_the_environment_is_not_asked_for_loopback(client, server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server["GET /api/x"] = {"here": True}
    assert client.get("/api/x") == {"here": True}
