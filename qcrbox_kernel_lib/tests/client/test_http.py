"""The client of the registry against recorded answers: envelopes, errors, retries, events, what is announced."""

from __future__ import annotations

import contextlib
import json

import httpx
import pytest
from qcrbox.api.box import Box
from qcrbox.client.events import EventFeed
from qcrbox.client.http import RegistryClient, ServerEvent
from qcrbox.contract.errors import Conflict, NotFound, QcError, StorageFull, Unreachable

URL = "http://registry.example"


def client_of(handler, **options):
    """A client whose requests are answered by `handler(request) -> httpx.Response`."""
    client = RegistryClient(URL, **options)
    client._http = httpx.Client(
        base_url=URL, transport=httpx.MockTransport(handler), headers=client.http.headers
    )
    return client


def answers(*responses):
    """A handler that gives these answers in turn and keeps the requests."""
    left = list(responses)

    def handler(request):
        handler.requests.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    handler.requests = []
    return handler


def success(payload):
    return httpx.Response(200, json={"status": "success", "payload": payload})


# ---------------------------------------------------------------- requests


@pytest.mark.parametrize(
    ("call", "method", "body"),
    [
        (lambda c: c.get("/api/x"), "GET", None),
        (lambda c: c.post("/api/x", {"a": 1}), "POST", {"a": 1}),
        (lambda c: c.patch("/api/x", {"a": 1}), "PATCH", {"a": 1}),
        (lambda c: c.put("/api/x", {"a": 1}), "PUT", {"a": 1}),
    ],
    ids=["get", "post", "patch", "put"],
)
def test_payload_of_the_envelope_is_returned(call, method, body):
    handler = answers(success({"found": [1]}))
    assert call(client_of(handler)) == {"found": [1]}
    (request,) = handler.requests
    assert request.method == method
    assert (json.loads(request.content) if request.content else None) == body


def test_parameters_that_are_none_are_left_out():
    handler = answers(success({}))
    client_of(handler).get("/api/x", limit=5, name=None)
    assert str(handler.requests[0].url) == f"{URL}/api/x?limit=5"


def test_every_request_has_its_own_correlation_id():
    handler = answers(success({}), success({}))
    client = client_of(handler)
    client.get("/a")
    client.get("/b")
    first, second = (request.headers["X-Correlation-Id"] for request in handler.requests)
    assert first.startswith("nb-")
    assert first != second


def test_delete_needs_no_body():
    handler = answers(httpx.Response(204))
    assert client_of(handler).delete("/api/x", kind="data") is None
    assert handler.requests[0].url.query == b"kind=data"


def test_upload_sends_every_file_as_a_part():
    handler = answers(success({"datasets": []}))
    client_of(handler).upload("/api/datasets", [("a.cif", b"data_a"), ("a.hkl", b"1 0 0")], {"name": "a"})
    body = handler.requests[0].read()
    for part in (b'filename="a.cif"', b'filename="a.hkl"', b"data_a", b'name="name"'):
        assert part in body


def test_download_gives_the_bytes():
    assert client_of(answers(httpx.Response(200, content=b"\0\1"))).download("/api/x") == b"\0\1"


def test_token_is_sent_and_never_shown():
    client = RegistryClient(URL, "secret-token")
    assert client.http.headers["Authorization"] == "Bearer secret-token"
    assert "secret" not in repr(client)
    client.close()
    assert client._http is None


# ---------------------------------------------------------------- errors


def test_error_of_the_registry_is_raised_again_as_its_class():
    envelope = Conflict("It exists.", next="Choose another name.", name="x").envelope()
    with pytest.raises(Conflict, match=r"It exists\. Choose another name\.") as caught:
        client_of(answers(httpx.Response(409, json=envelope))).post("/api/x")
    assert caught.value.fields == {"name": "x"}


@pytest.mark.parametrize(
    ("response", "kind", "text"),
    [
        (httpx.Response(507, text="<h1>full</h1>"), StorageFull, "/api/x answered 507"),
        (httpx.Response(404, json={"detail": "Not Found"}), NotFound, "/api/x answered 404"),
        (httpx.Response(502, text=""), QcError, "/api/x answered 502"),
        (httpx.Response(400, json=["odd"]), QcError, "/api/x answered 400"),
    ],
    ids=["a proxy's page", "FastAPI's own", "empty", "a list"],
)
def test_answer_without_envelope_names_path_and_status(response, kind, text):
    with pytest.raises(kind, match=text):
        client_of(answers(response)).post("/api/x")


def test_read_is_repeated_after_an_outage_and_a_change_is_not(monkeypatch):
    monkeypatch.setattr("qcrbox.client.http.time.sleep", lambda _: None)
    handler = answers(httpx.ConnectError("refused"), httpx.ReadError("cut"), success({"ok": 1}))
    assert client_of(handler).get("/api/x") == {"ok": 1}
    handler = answers(httpx.ConnectError("refused"), success({}))
    with pytest.raises(Unreachable, match="does not answer"):
        client_of(handler).post("/api/x")
    assert len(handler.requests) == 1


def test_outage_that_lasts_is_an_error_with_the_cause_and_the_next_step(monkeypatch):
    monkeypatch.setattr("qcrbox.client.http.time.sleep", lambda _: None)
    with pytest.raises(Unreachable) as caught:
        client_of(answers(*[httpx.ConnectError("refused")] * 4)).get("/api/x")
    assert "(ConnectError: refused)" in caught.value.why
    assert "qcrbox status" in caught.value.next
    assert caught.value.fields["part"] == "registry"


# ---------------------------------------------------------------- what is announced


def test_uploads_and_downloads_are_announced_early_and_plain_requests_late():
    announced = []

    @contextlib.contextmanager
    def announce(text, after_s):
        announced.append((text, after_s))
        yield

    client = client_of(answers(success({}), success({}), httpx.Response(200)), announce=announce)
    client.get("/api/x")
    client.upload("/api/datasets", [("a.cif", b"")])
    client.download("/api/x")
    assert announced == [
        ("Waiting for the registry", 1.0),
        ("Storing a.cif", 0.2),
        ("Fetching a file", 0.2),
    ]


# ---------------------------------------------------------------- events

STREAM = """: hello

id: 7
event: calculation
data: {"id":
data: "x"}

data: not json

event: progress
id: 0
data: [1]

id: 8

"""


def stream(text=STREAM, status=200):
    return httpx.Response(status, text=text, headers={"Content-Type": "text/event-stream"})


def test_events_are_read_with_comments_broken_data_and_without_empty_ones():
    opened = []
    handler = answers(stream())
    events = list(client_of(handler).events("6", on_open=lambda: opened.append(True), calculation="x"))
    assert [(event.id, event.name, event.data) for event in events] == [
        ("7", "calculation", {"id": "x"}),
        ("7", "message", {}),
        ("0", "progress", {"value": [1]}),
    ]
    assert opened == [True]
    (request,) = handler.requests
    assert request.headers["Last-Event-ID"] == "6"
    assert request.headers["Accept"] == "text/event-stream"
    assert request.url.query == b"calculation=x"


def test_refused_stream_is_the_error_of_the_registry():
    envelope = NotFound("There is no calculation 'x'.").envelope()
    response = httpx.Response(404, json=envelope)
    with pytest.raises(NotFound, match="no calculation"):
        list(client_of(answers(response)).events())


@pytest.mark.parametrize(
    "response",
    [httpx.ReadTimeout("silent"), httpx.Response(200, text="<html>", headers={"Content-Type": "text/html"})],
    ids=["silence", "another page"],
)
def test_stream_that_breaks_or_is_none_is_an_outage(response):
    with pytest.raises(Unreachable):
        list(client_of(answers(response)).events())


def test_progress_without_a_place_in_the_sequence_does_not_move_the_resume_point():
    feed = EventFeed(RegistryClient(URL))
    feed._take(ServerEvent("7", "calculation", {}))
    feed._take(ServerEvent("", "progress", {}))
    feed._take(ServerEvent("0", "progress", {}))
    assert feed._last_id == "7"


# ---------------------------------------------------------------- lists of several pages


def pages_of(key, records):
    """A handler that answers as the registry does: at most 1000 records, and `next` while there are more."""

    def handler(request):
        asked = request.url.params
        limit, after = int(asked.get("limit", 1000)), int(asked.get("after", 0))
        if not 1 <= limit <= 1000:
            return httpx.Response(422, json={"status": "error", "error": {"message": "limit"}})
        fitting = [record for record in records if asked.get("status") in (None, record.get("status"))]
        part = fitting[after : after + limit]
        following = str(after + limit) if after + limit < len(fitting) else None
        return success({key: part, "next": following})

    return handler


@pytest.mark.parametrize(
    ("most", "there"), [(None, 2300), (0, 0), (7, 7), (1000, 1000), (1500, 1500), (5000, 2300)]
)
def test_a_list_goes_on_to_its_last_page(most, there):
    client = client_of(pages_of("things", [{"n": n} for n in range(2300)]))
    assert [record["n"] for record in client.listed("/api/things", "things", most)] == list(range(there))


def test_loops_over_datasets_and_searches_miss_none():
    """A loop took the newest 100, the length ended at 1000, and a search at 500."""
    records = [{"qcrbox_dataset_id": f"{n:032x}", "name": f"d{n}"} for n in range(1203)]
    box = Box(client_of(pages_of("datasets", records)))
    assert [dataset.name for dataset in box.datasets] == [record["name"] for record in records]
    assert (len(box.datasets), len(box.search(text="d"))) == (1203, 1203)
    assert len(box.datasets.all()) == 100


def test_loops_over_calculations_miss_none():
    states = ["running", "failed", "successful"]
    records = [{"calculation_id": f"{n:032x}", "status": states[n % 3]} for n in range(1203)]
    calculations = Box(client_of(pages_of("calculations", records))).calculations
    assert (len(calculations), len(list(calculations)), len(calculations.recent())) == (1203, 1203, 100)
    assert (len(calculations.running), len(calculations.failed)) == (401, 401)
    assert calculations[-1].id == records[-1]["calculation_id"]
