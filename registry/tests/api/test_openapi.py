"""The OpenAPI description says what is really answered."""

from __future__ import annotations

import jsonschema
import pytest
from qcrbox_registry.testing.described import openapi

PAGE = openapi()
OPERATIONS = {
    f"{m.upper()} {path}": one for path, methods in PAGE["paths"].items() for m, one in methods.items()
}


def walked(value):
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from walked(one)
    elif isinstance(value, list):
        for one in value:
            yield from walked(one)


def test_every_reference_leads_somewhere():
    for part in walked(PAGE):
        if "$ref" in part:
            _, *names = part["$ref"].split("/")
            at = PAGE
            for name in names:
                at = at[name]


def test_it_speaks_openapi_3_0():
    assert PAGE["openapi"].startswith("3.0")
    for part in walked(PAGE["components"]["schemas"]):
        assert part.get("type") != "null"
        assert "const" not in part
        assert "$defs" not in part


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_route_says_what_it_is_for_and_what_it_answers(name):
    operation = OPERATIONS[name]
    assert operation.get("description"), "no words about it"
    answers = operation["responses"]
    assert "422" not in answers
    good = next(code for code in answers if code.startswith("2"))
    if good != "204" and not name.startswith("HEAD"):
        kinds = answers[good]["content"]
        assert list(kinds) == ["application/json"] or "application/json" not in kinds
        assert all(kind["schema"] for kind in kinds.values()), "no shape of the answer"
    if name.partition(" ")[0] in ("POST", "PUT", "PATCH"):
        # Routes without a body are those that only name an action.
        assert "requestBody" in operation or name.rpartition("/")[2] in (
            "restore",
            "discard",
            "stay",
            "undo",
            "check",
            "open",
            "collect",
            "grade",
            "rehearsal",
        )
    if not name.endswith(("healthz", "readyz")):
        for code in ("400", "401", "404", "500"):
            assert answers[code]["content"]["application/json"]["schema"]["$ref"].endswith("/Failure")


def _checker(schema):
    """As OpenAPI 3.0 means it: nullable; and no field that is not described."""

    def plain(value):
        if isinstance(value, list):
            return [plain(one) for one in value]
        if not isinstance(value, dict):
            return value
        said = {key: plain(one) for key, one in value.items()}
        if said.pop("nullable", False):
            said = {"anyOf": [said, {"type": "null"}]}
        if said.get("type") == "object" and "properties" in said:
            said.setdefault("additionalProperties", False)
        return said

    page = plain({"components": PAGE["components"]})
    return jsonschema.Draft202012Validator({**plain(schema), "components": page["components"]})


def described(name, code="200"):
    return _checker(OPERATIONS[name]["responses"][code]["content"]["application/json"]["schema"])


@pytest.fixture
def answers(person, group, do):
    """One good answer of as many routes as can be asked without a manager."""
    ada, root = person(groups=[group]), person("admin")
    made = do.upload(ada, group=group)
    dataset_id, file_id = made["qcrbox_dataset_id"], do.file_id(made)
    one = do.submit(ada, "read", structure={"data_file_id": file_id})
    do.ended(ada, one)
    session = {"application_slug": "practice", "application_version": "1", "command_arguments": {}}
    session_id = ada.post("/api/interactive-sessions", json=session).json()["payload"][
        "interactive_session_id"
    ]
    share = {"kind": "dataset", "object_id": dataset_id, "person": ada.name}
    upload = ada.post("/api/uploads", json={"filename": "a", "size": 0})
    upload_id = upload.json()["payload"]["upload_id"]
    piece = {"upload-offset": "0", "content-type": "application/offset+octet-stream"}
    quota = {"subject": "person", "name": ada.name, "quota": "running", "limit": 5}
    lone = ada.post("/api/data-files", files={"file": ("b.hkl", b"1")}).json()["payload"]["data_files"][0]
    return [
        ("GET /api/applications", ada.get("/api/applications")),
        ("GET /api/commands", ada.get("/api/commands")),
        ("GET /api/calculations", ada.get("/api/calculations")),
        ("GET /api/calculations/{calculation_id}", ada.get(f"/api/calculations/{one}")),
        ("GET /api/calculations/{calculation_id}/log", ada.get(f"/api/calculations/{one}/log")),
        ("PATCH /api/calculations/{calculation_id}", ada.patch(f"/api/calculations/{one}", json={"tags": ["a"]})),
        ("POST /api/calculations/{calculation_id}/stop", ada.post(f"/api/calculations/{one}/stop")),
        ("POST /api/calculations/stop", ada.post("/api/calculations/stop", json={"calculation_ids": [one]})),
        ("GET /api/datasets", ada.get("/api/datasets")),
        ("GET /api/datasets/{dataset_id}", ada.get(f"/api/datasets/{dataset_id}")),
        ("PATCH /api/datasets/{dataset_id}", ada.patch(f"/api/datasets/{dataset_id}", json={"tags": ["a"]})),
        ("POST /api/datasets/{dataset_id}/attach",
         ada.post(f"/api/datasets/{dataset_id}/attach", json={"data_file_id": lone["qcrbox_file_id"]})),
        ("GET /api/data-files", ada.get("/api/data-files")),
        ("GET /api/data-files/{file_id}", ada.get(f"/api/data-files/{file_id}")),
        ("GET /api/data-files/{file_id}/verify", ada.get(f"/api/data-files/{file_id}/verify")),
        ("GET /api/search", ada.get("/api/search", params={"text": "quartz"})),
        ("GET /api/lineage/{kind}/{object_id}", ada.get(f"/api/lineage/calculation/{one}")),
        ("GET /api/interactive-sessions", ada.get("/api/interactive-sessions")),
        ("GET /api/interactive-sessions/{session_id}", ada.get(f"/api/interactive-sessions/{session_id}")),
        ("POST /api/interactive-sessions/{session_id}/close",
         ada.post(f"/api/interactive-sessions/{session_id}/close", params={"wait": 0})),
        ("POST /api/shares", ada.post("/api/shares", json=share)),
        ("GET /api/shares", ada.get("/api/shares")),
        ("POST /api/uploads", upload),
        ("GET /api/uploads/{upload_id}", ada.get(f"/api/uploads/{upload_id}")),
        ("PATCH /api/uploads/{upload_id}", ada.patch(f"/api/uploads/{upload_id}", content=b"", headers=piece)),
        ("GET /api/me", ada.get("/api/me")),
        ("GET /api/readyz", ada.get("/api/readyz")),
        ("GET /api/status", root.get("/api/status")),
        ("PUT /api/quotas", root.put("/api/quotas", json=quota)),
        ("GET /api/audit", root.get("/api/audit", params={"limit": 50})),
        ("GET /api/audit/check", root.get("/api/audit/check")),
        ("POST /api/check", root.post("/api/check")),
        ("GET /api/leftovers", root.get("/api/leftovers")),
        ("GET /api/leftovers/decisions", root.get("/api/leftovers/decisions")),
    ]  # fmt: skip


def test_every_field_that_is_answered_is_described(answers):
    for name, answer in answers:
        assert answer.is_success, (name, answer.text)
        faults = [
            error.message for error in described(name, str(answer.status_code)).iter_errors(answer.json())
        ]
        assert faults == [], name
