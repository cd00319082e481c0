"""Every field of every route wrong, missing, huge or of another type: an answer in the envelope, never an accident.

The routes and their fields are read from the OpenAPI description, so a new route is under test as soon as it is there.
"""

from __future__ import annotations

import itertools
import json
import uuid
from datetime import UTC, datetime, timedelta
from functools import cache
from urllib.parse import quote

import jsonschema
import pytest
from qcrbox_registry.testing.described import openapi

PAGE = openapi()
ROUTES = [(method.upper(), path) for path, methods in PAGE["paths"].items() for method in methods]
TEXTS = ["", "²", "-1", "nan", "a\x00b", "*.>\u202e../..", "9" * 40, "y" * 20_000]
VALUES = [None, True, -1, 10**30, "²", "\x00", "z" * 70_000, [None], {"x": 1}, "0001-01-01T00:00:00"]
RAW = {
    "empty": b"",
    "half": b"{",
    "null": b"null",
    "number": b"7",
    "text": b'"x"',
    "list": b"[]",
    "deep": b"[" * 50_000,
    "deep object": b'{"a":' * 50_000,
    "not utf-8": b'{"name": "\xff"}',
    "half a surrogate": b'{"name": "\\ud800", "reason": "\\udfff", "filename": "\\ud800"}',
    "nan": b'{"limit": NaN, "size": Infinity, "keep": NaN}',
    "huge number": b'{"limit": 1e999, "size": ' + b"9" * 6000 + b"}",
    "twice": b'{"name": 1, "name": 2}',
    "unknown field": b'{"nobody_knows_this": 1}',
}
# What a database itself may stumble over; the rest never comes as far, so one database is enough for it.
TEXTS_FOR_DATABASES = ["a\x00b", "9" * 40]
VALUES_FOR_DATABASES = [10**30, "\x00", "0001-01-01T00:00:00"]
FEW = {name: RAW[name] for name in ("half", "null", "half a surrogate", "unknown field")}
FAILURE = jsonschema.Draft202012Validator(
    {
        "type": "object",
        "required": ["status", "error"],
        "properties": {
            "status": {"const": "error"},
            "error": {
                "type": "object",
                "required": ["code", "message", "details"],
                "properties": {
                    "code": {"type": "integer"},
                    "message": {"type": "string", "minLength": 1},
                    "details": {"type": ["string", "array"]},
                },
            },
        },
    }
)


def resolved(schema):
    while "$ref" in schema:
        schema = PAGE["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def fields_of(operation):
    content = operation.get("requestBody", {}).get("content", {})
    return resolved(content["application/json"]["schema"]) if "application/json" in content else None


def tomorrow():
    """An hour of tomorrow."""
    begins = datetime.now(UTC) + timedelta(days=1)
    return {"starts_at": begins.isoformat(), "ends_at": (begins + timedelta(hours=1)).isoformat()}


def taught(person, group):
    """A course with an exercise, and names of what belongs to it."""
    lecturer = person(f"teach!group={group}", groups=[group])
    course = lecturer.post("/api/courses", json={"group": group, "title": "XRD"}).json()["payload"]["id"]
    cell = {"id": "a", "cell_type": "markdown", "metadata": {}, "source": "Look."}
    exercise = {
        "title": "Quartz",
        "notebook_name": "quartz.ipynb",
        "notebook": json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}),
        "tasks": [{"id": "why", "title": "Why?", "kind": "answer", "points": 1}],
    }
    made = lecturer.post(f"/api/courses/{course}/exercises", json=exercise).json()["payload"]["id"]
    return {
        "course_id": course,
        "exercise_id": made,
        "student": "unknown",
        "filename": "a.cif",
        "task_id": "why",
    }


@pytest.fixture(scope="module")
def family(registry, do):
    """`family("datasets")`: objects that the requests to this family of routes may change; "" is for none that change."""

    @cache
    def made(name):
        return objects(registry.person, f"g{uuid.uuid4().hex[:8]}", do)

    return made


@pytest.fixture
def mine(registry, family, method, path):
    # Requests that only read, and the few of a second database, meet the same objects: making them takes long.
    shared = method in ("GET", "HEAD", "DELETE") or not registry.context.db.is_sqlite
    return family("" if shared else path.split("/")[2])


@pytest.fixture
def theirs(family):
    """Objects that are only asked for and refused, so that every test may ask for the same."""
    return family("refused")


def objects(person, group, do):
    """An administrator with one object of each kind, and good bodies to be spoilt field by field."""
    root = person("admin")
    made = do.upload(root)
    file_id, lone = do.file_id(made), root.post("/api/data-files", files={"file": ("a.txt", b"x")}).json()
    calculation = do.submit(root, "noop")
    upload = root.post("/api/uploads", json={"filename": "a", "size": 3}).json()["payload"]["upload_id"]
    command = root.get("/api/commands").json()["payload"]["commands"][0]
    ids = {
        "dataset_id": made["qcrbox_dataset_id"], "file_id": file_id, "calculation_id": calculation, "upload_id": upload,
        "session_id": "unknown", "command_id": command["id"], "application_id": command["application_id"], "share_id": "unknown",
        "agent_id": "unknown", "decision_id": "unknown", "kind": "dataset", "object_id": made["qcrbox_dataset_id"],
        "rule_id": 1, "pass_id": "unknown", "snapshot_id": "unknown snapshot", "booking_id": "unknown", "item_id": "unknown", "project_id": "unknown project", **taught(person, group),
    }  # fmt: skip
    bodies = {
        "SubmitCommand": {"application_slug": "practice", "application_version": "1", "command_name": "noop", "command_arguments": {"x": 1}},
        "StartSession": {"application_slug": "practice", "application_version": "none", "command_arguments": {}},
        "ChangeDataset": {"name": "n"}, "ChangeDataFile": {"filename": "n"}, "ChangeCalculation": {"tags": ["t"]},
        "Attach": {"data_file_id": lone["payload"]["data_files"][0]["qcrbox_file_id"]},
        "NewUpload": {"filename": "a", "size": 3}, "StopMany": {"calculation_ids": [calculation]},
        "NewShare": {"kind": "dataset", "object_id": made["qcrbox_dataset_id"], "person": root.name},
        "SetLimit": {"subject": "person", "name": root.name, "quota": "running", "limit": 5}, "SetHold": {"kind": "launcher", "name": "none"},
        "NewBooking": {**tomorrow(), "students": 2, "applications": ["practice"]},
        "CopyCourse": {"group": "unknown", "title": "T"}, "NewShelfItem": {"data_file_id": file_id},
        "ChangeCourse": {"title": "T"}, "NewExercise": {"title": "T"}, "ChangeExercise": {"published": True}, "GivenAnswer": {"value": "1"},
        "GivenNote": {"text": "n"}, "GivenExtension": {"student": "unknown", "until": "2030-01-01T00:00:00Z"},
        "GiveMark": {"student": "unknown", "points": 1}, "Release": {"released": True}, "ChangeAnnotation": {"note": "n"}, "ChangeSession": {"view_only_allowed": True}, "ChangeApplication": {"warm": 0}, "Decide": {"subject": "group", "id": 0, "decision": "archive"},
    }  # fmt: skip
    bodies["SubmitBatch"] = {"commands": [bodies["SubmitCommand"]]}
    return root, ids, bodies


def asked(client, method, path, **more):
    """The answer, of a stream only its beginning. Throws nothing away by accident: a good DELETE is not sent."""
    with client.stream(method, path, **more) as answer:
        if "text/event-stream" not in answer.headers.get("content-type", ""):
            answer.read()
    return answer


def check(answer, what):
    assert answer.status_code < 500, (what, answer.status_code, answer.text[:300])
    if answer.status_code >= 400 and answer.request.method != "HEAD":
        body = answer.json()
        FAILURE.validate(body)
        assert body["error"]["code"] == answer.status_code, what


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[f"{m} {p}" for m, p in ROUTES])
def test_bad_input_is_answered_in_the_envelope(registry, mine, method, path):
    root, ids, bodies = mine
    everything = registry.context.db.is_sqlite
    texts, values = (TEXTS, VALUES) if everything else (TEXTS_FOR_DATABASES, VALUES_FOR_DATABASES)
    operation = PAGE["paths"][path][method.lower()]
    parameters = operation.get("parameters", [])
    good = path.format(**ids)
    for parameter in parameters:
        name, place = parameter["name"], parameter["in"]
        for text in texts:
            if place == "path":
                address = path.format(**{**ids, name: quote(text[:3000], safe="") or "-"})
                check(asked(root, method, address), (name, text[:30]))
            elif method in ("DELETE",):
                continue
            elif place == "query":
                query = {name: text}
                if name != "wait" and "wait" in {each["name"] for each in parameters}:
                    query["wait"] = "0"
                check(asked(root, method, good, params=query), (name, text[:30]))
            elif place == "header" and text.isprintable() and text.strip():
                encoded = text[:4000].encode("latin-1", "replace")
                check(asked(root, method, good, headers={name: encoded}), (name, text[:30]))
    schema = fields_of(operation)
    if schema is None:
        return
    send = {"method": method, "path": good}
    for name, raw in (RAW if everything and path in ("/api/commands", "/api/quotas") else FEW).items():
        headers = {"content-type": "application/json"}
        check(asked(root, **send, content=raw, headers=headers), name)
    body = bodies.get(schema.get("title", ""), {})
    for field, value in itertools.product(schema.get("properties", {}), values):
        if (field, value) == ("mode", "hold"):
            continue
        check(asked(root, **send, json={**body, field: value}), (field, str(value)[:30]))
    for field in schema.get("required", ()):
        left_out = {name: value for name, value in body.items() if name != field}
        answer = asked(root, **send, json=left_out)
        check(answer, f"without {field}")
        assert answer.status_code >= 400, f"without {field}"


@pytest.mark.attack(13)
@pytest.mark.parametrize("text", ["a\x00b", "\x00"])
def test_nul_is_refused_alike_on_every_database(ada, do, text):
    dataset_id = do.upload(ada)["qcrbox_dataset_id"]
    for body in ({"name": text}, {"description": text}, {"tags": [text]}):
        assert ada.patch(f"/api/datasets/{dataset_id}", json=body).status_code == 400
    assert ada.get("/api/datasets", params={"q": text}).status_code == 400
    assert ada.get(f"/api/datasets/{text.encode().hex()}%00").status_code == 404
    command = {
        "application_slug": "practice",
        "application_version": "1",
        "command_name": "noop",
        "name": text,
    }
    assert ada.post("/api/commands", json=command).status_code == 400


@pytest.mark.parametrize(
    "body", [{"name": 5}, {"name": ["x"]}, {"tags": [5]}, {"tags": {}}, {"group": 5}, {"description": True}]
)
def test_a_value_of_another_type_is_not_taken_for_text(ada, do, body):
    made = do.upload(ada)
    assert ada.patch(f"/api/datasets/{made['qcrbox_dataset_id']}", json=body).status_code == 400
    assert (
        ada.get(f"/api/datasets/{made['qcrbox_dataset_id']}").json()["payload"]["datasets"][0]["name"]
        == made["name"]
    )


# ---------------------------------------------------------------- other people's ids


FOREIGN = [
    (m, p)
    for m, p in ROUTES
    if "{" in p and not p.startswith(("/api/commands", "/api/applications", "/api/agents"))
]


@pytest.mark.attack(9)
@pytest.mark.parametrize(("method", "path"), FOREIGN, ids=[f"{m} {p}" for m, p in FOREIGN])
def test_another_persons_id_answers_like_an_unknown_one(theirs, person, method, path):
    root, ids, bodies = theirs
    ids = dict(ids)
    share = root.post("/api/shares", json=bodies["NewShare"]).json()["payload"]["shares"][0]["id"]
    session = {"application_slug": "practice", "application_version": "1", "command_arguments": {}}
    if "{session_id}" in path:
        opened = root.post("/api/interactive-sessions", json=session).json()["payload"]
        ids["session_id"] = opened["interactive_session_id"]
    eve = person()
    schema = fields_of(PAGE["paths"][path][method.lower()])
    good = None if schema is None else bodies.get(schema.get("title", ""), {})
    upload = {"upload-offset": "0", "content-type": "application/offset+octet-stream"}

    def answered(known):
        more = {"json": good} if good is not None else {}
        if path.endswith("/append"):
            more = {"files": {"file": ("a", b"x")}}
        if path.endswith("/draft"):
            more = {"content": b"{}", "headers": {"content-type": "application/x-ipynb+json"}}
        if path == "/api/uploads/{upload_id}" and method == "PATCH":
            more = {"content": b"abc", "headers": upload}
        answer = asked(eve, method, path.format(**known), **more)
        said = answer.text if method != "HEAD" else ""
        for one in known.values():
            said = said.replace(str(one), "ID") if len(str(one)) > 8 else said
        return answer.status_code, json.loads(said)["error"]["message"] if said else ""

    with_theirs = answered({**ids, "share_id": share})
    unknown = {
        name: value
        if name in ("kind", "command_id", "application_id")
        else "".join(str(value).rpartition("0x")[:2]) + "0" * 32
        for name, value in ids.items()
    }
    assert with_theirs == answered(unknown)
    assert with_theirs[0] == 404
    if "{session_id}" in path:
        root.post(f"/api/interactive-sessions/{ids['session_id']}/discard")


@pytest.mark.attack(9)
def test_another_persons_batch_answers_like_an_unknown_one(person):
    ada, eve = person(), person()
    one = {
        "application_slug": "practice",
        "application_version": "1",
        "command_name": "sleep",
        "command_arguments": {"seconds": 5},
    }
    batch = ada.post("/api/commands/batch", json={"commands": [one] * 2}).json()["payload"]
    answers = [
        eve.post("/api/calculations/stop", json={"batch_id": each}) for each in (batch["batch_id"], "0" * 32)
    ]
    assert [each.status_code for each in answers] == [404, 404]
    messages = [each.json()["error"]["message"] for each in answers]
    assert messages[0].replace(batch["batch_id"], "ID") == messages[1].replace("0" * 32, "ID")
    assert not any(each in answers[0].text for each in batch["calculation_ids"])
    assert (
        len(
            ada.post("/api/calculations/stop", json={"batch_id": batch["batch_id"]}).json()["payload"][
                "calculations"
            ]
        )
        == 2
    )
